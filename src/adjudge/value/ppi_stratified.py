"""Prediction-powered means by stratum: the judge is trusted in each stratum as far as that stratum's labels justify.

    θ_p = Σ_s (W_ps/W_p)·[ Ȳ_ps + λ_ps (f̄_ps − h̄_ps) ]

Strata are those of the table (`ratings.stratum`), such as languages or the strata from which labels were drawn. Each
has its own λ, so a judge that is good at one kind of prompt and bad at another is used where it is good; label shares
that differ between strata are set right.

Fisch, Maynez, Hofer, Dhingra, Globerson, Cohen (2024), Stratified prediction-powered inference.
Limits: one stratum is `value.ppi_plus`; λ = 0 is post-stratification; strata with too few labels are put together.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference, power_tuning, strata
from ..stats.judges import judge_columns
from ..stats.label_rates import by_stratum
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, when the judge is better on some kinds of rows than on others?",
    equation="θ_p = Σ_s (W_ps/W_p)·[Ȳ_ps + λ_ps (f̄_ps − h̄_ps)]",
    papers=(
        Paper(
            "Stratified Prediction-Powered Inference for Hybrid Language Model Evaluation",
            "Fisch, Maynez, Hofer et al.",
            2024,
            "NeurIPS",
            "https://arxiv.org/abs/2406.04291",
        ),
    ),
    needs=("score", "gold", "stratum"),
    assumes=("Within a stratum of a policy, labelled rows were drawn at random or with recorded propensities.",),
    limits=("One stratum is value.ppi_plus.", "Many small strata cost a degree of freedom each."),
    when="When labels were drawn by stratum, or the judge's error differs between strata.",
)


def estimate(ratings: Ratings, *, judge: str | None = None, least: int = 10) -> Estimate:
    """Power-tuned means by stratum, put together by the strata's shares of all rows.

    Arguments:
        ratings: the table with strata.
        judge: name of the score column; the first by default.
        least: labelled clusters below which a stratum of a policy is put together with others like it, >= 2.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).method
    'value.ppi_stratified'
    """
    cells = len(ratings.strata)
    ratings = by_stratum(ratings)  # strata too small to stand alone are put together by their rates, not as they fell
    fine = strata.refined(ratings, ratings.stratum, cells)
    sums = difference.fold(difference.prepare(fine, judges=judge_columns(ratings, judge)), fine)
    return finish(sums, ratings.policies, cells, least=least)


def finish(sums: difference.Sums, names: tuple[str, ...], cells: int, *, least: int = 10) -> Estimate:
    """The estimate from sums folded over `strata.refined` ratings."""
    divided = strata.divided(sums, names, cells, least=max(least, 2))
    pieces = difference.pieces(divided.sums)
    tuned = power_tuning.tune(pieces)
    value = pieces.gold + np.nan_to_num(tuned.lam * (pieces.mean - pieces.held)).sum(axis=0)
    forecast = np.einsum("jc,jc->c", tuned.lam[:, pieces.group], pieces.a)
    psi = pieces.influence(tuned.residual, forecast, spent=tuned.spent)
    return strata.combined(divided, pieces, value, psi, method="value.ppi_stratified", spent=tuned.spent)
