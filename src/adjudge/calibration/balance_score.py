"""Corrects a probability that is everywhere too sure or not sure enough, by the one figure that says by how much.

    b = mean_l sign(p̂_l − ½)·(Y_l − p̂_l)           the balance score: true minus claimed confidence
    f(p̂) = p̂ + b·sign(p̂ − ½),   not across ½      confidence c = max(p̂, 1 − p̂) becomes c + b, at least ½

One parameter, no bins, an exact mean, so it can be trusted with a dozen labels. The score itself, with its
cluster-robust error, is what `audit.balance` reports. Several judges are averaged first.

Choi, Kim, Lee (2023), Rethinking Evaluation Metric for Probability Estimation Models Using Esports Data. Limits: b =
0 leaves the probability; a score that is right on the whole but too sure at one end and not sure enough at the other
is left as it is. For those use platt or isotonic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats.calibration_error import balance
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice

CARD = Card(
    answers="By how much is a probability too sure of itself, and what is it when that is taken off?",
    equation="b = mean sign(p̂ − ½)·(Y − p̂);   f(p̂) = p̂ + b·sign(p̂ − ½), not across ½",
    papers=(
        Paper(
            "Rethinking Evaluation Metric for Probability Estimation Models Using Esports Data",
            "Choi, Kim, Lee",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2309.06248",
            "Balance score",
        ),
    ),
    needs=("score", "gold"),
    assumes=("scores are probabilities of gold, in [0, 1]", "confidence is off by the same amount everywhere"),
    limits=("b = 0 leaves the probability", "over- and under-confidence on different rows cancel"),
    when="A probability with a dozen labels. With more, platt, beta or isotonic see the shape of the error as well.",
    rows=(49,),
)


def fit(ratings: Ratings, *, judges: Sequence[str] | None = None, folds: int = 5, seed: int = 0) -> Calibrator:
    """Measure the balance score on the labelled rows and add it to the confidence of every row.

    Arguments:
        ratings: table with scores and gold in [0, 1].
        judges: score columns, averaged; all by default.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Errors: no labels, or scores or labels outside [0, 1].

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (505, 1)
    """
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    columns = ratings.score[:, [ratings.judges.index(name) for name in labelled.judges]]
    for name, values in (("score", columns), ("gold", labelled.gold)):
        outside = int(((values < 0) | (values > 1)).sum())
        if outside:
            raise AdjudgeError(
                f"ratings.{name}: {outside} values are outside [0, 1].",
                "The balance score is about probabilities.",
                "Rescale the column, or use calibration.linear.",
            )
    prediction = labelled.score.mean(axis=1)
    gain = balance(prediction, labelled.gold)
    total = labelled.weights.sum(axis=1)
    b = np.divide(labelled.weights @ gain, total, out=np.zeros(total.size), where=total > 0)
    return _slice.finish(
        "calibration.balance_score",
        labelled,
        partial(respond, b=float(b[0])),
        (labelled.weight * (gain - b[0]) / max(total[0], 1e-300))[:, None],
        _moved(prediction, b[1 + labelled.fold])[0],
    )


def respond(score: FloatArray, covariates: FloatArray, *, b: float) -> tuple[FloatArray, FloatArray]:  # noqa: ARG001
    """Value [n] and its gradient [n, 1] by b; covariates are not used."""
    value, side = _moved(score.mean(axis=1), np.full(len(score), b))
    return value, side[:, None]


def _moved(prediction: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Corrected probability, inside [0, 1] and on its side of ½, and its derivative by b."""
    side = np.where(prediction >= 0.5, 1.0, -1.0)
    confidence = np.maximum(prediction, 1 - prediction) + b
    free = (confidence > 0.5) & (confidence < 1)
    return 0.5 + side * (np.clip(confidence, 0.5, 1.0) - 0.5), np.where(free, side, 0.0)
