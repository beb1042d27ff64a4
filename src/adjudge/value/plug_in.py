"""The mean judge score taken at its word: what every unverified leaderboard reports, said to be unverified.

    θ_p = Σ w_i f_i / Σ w_i        f the calibrated forecast if there is one, else the raw score

Limits: with a forecast, `value.calibrated` at α = 0; with a score that equals the label, its mean over all rows.
The interval holds the sampling error (and the calibrator's), never the judge's bias, which no label here checks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..core.interval import Reserve
from ..stats import difference, leaning
from ..stats.judges import judge_columns
from ..stats.means import clustered_means
from ..stats.reserve import reserve
from ..tables.ratings import Ratings

CARD = Card(
    answers="What would each policy be worth if the judge were right?",
    equation="θ_p = mean of f over all rows of p",
    papers=(
        Paper(
            "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
            "Zheng, Chiang, Sheng et al.",
            2023,
            "NeurIPS",
            "https://arxiv.org/abs/2306.05685",
        ),
    ),
    needs=("score",),
    assumes=("The judge has no bias, or the calibration holds for every policy.",),
    limits=("Bias of the judge stays in it whatever the number of rows.",),
    when="Only to show what the judge alone would say; any label at all supports a better method.",
)


def estimate(ratings: Ratings, *, judge: str | None = None) -> Estimate:
    """Means of the forecast, or of one judge's raw scores, by policy.

    Arguments:
        ratings: the table; rows whose score is missing are left out.
        judge: name of the score column, to average raw scores even where there is a forecast.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).findings[0].code
    'judge-not-verified'
    """
    forecast = ratings.forecast if judge is None else None
    score = ratings.score[:, judge_columns(ratings, judge)[0]] if forecast is None else forecast.value
    known = np.isfinite(score)
    inside = bool(np.all((score[known] >= ratings.bounds[0]) & (score[known] <= ratings.bounds[1])))
    means = clustered_means(
        ratings.policies,
        ratings.cluster,
        ratings.policy,
        np.where(known, score, 0.0),
        np.where(known, ratings.weight, 0.0),
        bounds=ratings.bounds if inside else (-np.inf, np.inf),
    )
    parts, labels = means.parts, None
    if forecast is not None:
        covariance, labels = _with_calibration(ratings)
        parts = (Part("sampling", covariance, means.parts[0].units),)
    finding = Finding(
        "judge-not-verified",
        Severity.WARNING,
        "These values are the judge's own; no label has checked them.",
        remedy="Label at least 20 random rows of each policy and use value.ppi_plus or value.calibrated.",
    )
    return Estimate(
        means.names, means.value, parts, means.df, means.bounds, labels, method="value.plug_in", findings=(finding,)
    )


def _with_calibration(ratings: Ratings) -> tuple[FloatArray, Reserve]:
    """([k, k] covariance of the mean forecasts with the calibrator's own error, what its labels alone say)."""
    pieces = difference.pieces(difference.fold(difference.prepare(ratings, forecast=True), ratings))
    leans = leaning.fold(leaning.prepare(ratings), ratings)
    psi = pieces.influence(np.zeros_like(pieces.e), pieces.a[0])
    covariance, _ = leaning.joint_covariance(pieces.cells, psi, leans, leans.slopes(np.zeros(ratings.k)))
    share = pieces.n / max(float(pieces.n.sum()), 1.0)  # the forecast leans on the labels of all policies alike
    return covariance, replace(reserve(pieces), share=share)
