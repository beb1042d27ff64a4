"""Is a judge that speaks in probabilities too sure of itself, or not sure enough?

    balance = Σ_l w_l·sign(p̂_l − ½)·(Y_l − p̂_l) / Σ_l w_l,     w = weight / propensity,  error by cluster

Its expectation is true minus claimed confidence, for any number of labels and without bins. Beside it stand the Brier
score and the binned calibration error with its upward bias taken off, which sees what cancels in the balance. The
forecast of a calibrator is judged by its held-out values; without one, each judge's score. Limits: 0 for a calibrated
score, and for one whose over- and under-confidence cancel; columns that are not in [0, 1] are passed over.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..stats import calibration_error
from ..tables.ratings import Ratings

CARD = Card(
    answers="Is a score that claims to be a probability too sure of itself, or not sure enough?",
    equation="balance = mean sign(p̂ − ½)·(Y − p̂);   E = true − claimed confidence",
    papers=(
        Paper(
            "Rethinking Evaluation Metric for Probability Estimation Models Using Esports Data",
            "Choi, Kim, Lee",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2309.06248",
            "Balance score",
        ),
        Paper("Verified Uncertainty Calibration", "Kumar, Liang, Ma", 2019, "NeurIPS", equation="section 4"),
    ),
    needs=("score", "gold"),
    assumes=("gold is the outcome, or the probability, of the event that the score predicts",),
    limits=("errors of opposite sign cancel: read it beside the binned error",),
    when="A judge, reward model or forecast that gives probabilities. A score in other units is calibrated first.",
    rows=(49,),
)


def check(ratings: Ratings, *, level: float = 0.95, bins: int = 15) -> Audit:
    """Balance score of each judge (or of the forecast) over the labelled rows, with Brier score and binned error.

    Arguments:
        ratings: table with gold labels in [0, 1].
        level: of the interval that must hold 0 for no finding.
        bins: of the binned error; at most one for every five labels.

    Figures: `balance`, `brier` (both with error by cluster) and `debiased_ece` (no error is known: NaN).

    >>> from adjudge.sim.judging import Judging
    >>> figures = check(Judging(items=101, labels=97, outcome="graded").draw(1).ratings).figures
    >>> figures["balance"].names
    ('judge',)
    """
    rows = ratings.labelled
    gold = ratings.gold[rows]
    columns = _probabilities(ratings)
    if not columns or gold.size < 2 or gold.min() < 0 or gold.max() > 1:
        return Audit()
    inverse = ratings.weight[rows] / ratings.propensity[rows]
    weight = inverse if np.isfinite(inverse).all() else ratings.weight[rows]
    names = tuple(columns)
    table = np.column_stack(list(columns.values()))
    cluster = ratings.cluster[rows]
    gain = calibration_error.balance(table, gold[:, None])
    balance = _mean("audit.balance", names, gain, weight, cluster, (-1.0, 0.5))
    brier = _mean("audit.balance", names, (table - gold[:, None]) ** 2, weight, cluster, (0.0, 1.0))
    errors = [_ece(column, gold, weight, bins=min(bins, max(gold.size // 5, 1))) for column in table.T]
    unknown = Part("sampling", np.full((len(names),) * 2, np.nan), int(np.unique(cluster).size))
    ece = Estimate(names, np.array(errors), (unknown,), np.full(len(names), np.nan), method="audit.balance")
    return Audit(_findings(balance, level), {"balance": balance, "brier": brier, "debiased_ece": ece})


def _probabilities(ratings: Ratings) -> dict[str, FloatArray]:
    """Columns of the labelled rows that lie in [0, 1]: the held-out forecast, or else the judges."""
    rows = ratings.labelled
    if ratings.forecast is not None:
        columns = {ratings.forecast.calibrator: ratings.forecast.held_out[rows]}
    else:
        columns = {name: ratings.score[rows, j] for j, name in enumerate(ratings.judges)}
    return {name: values for name, values in columns.items() if values.size and np.all((values >= 0) & (values <= 1))}


def _mean(
    method: str,
    names: tuple[str, ...],
    values: FloatArray,
    weight: FloatArray,
    cluster: IntArray,
    bounds: tuple[float, float],
) -> Estimate:
    """Weighted means of the columns of values [m, c], with their error by cluster."""
    mean = weight @ values / weight.sum()
    units, code = np.unique(cluster, return_inverse=True)
    psi = np.zeros((units.size, len(names)))
    np.add.at(psi, code, weight[:, None] * (values - mean) / weight.sum())
    return Estimate(
        names, mean, (Part.from_influence("sampling", psi),), np.array(units.size - 1.0), bounds=bounds, method=method
    )


def _ece(prediction: FloatArray, gold: FloatArray, weight: FloatArray, *, bins: int) -> float:
    return calibration_error.binned_ece(prediction, gold, bins=bins, weight=weight, debias=True)


def _findings(balance: Estimate, level: float) -> tuple[Finding, ...]:
    findings = []
    for name, value, (low, high) in zip(balance.names, balance.value, balance.interval(level), strict=True):
        if low <= 0 <= high or not np.isfinite(low + high):
            continue
        words, code = ("too sure of itself", "overconfident") if value < 0 else ("not sure enough", "underconfident")
        findings.append(
            Finding(
                code,
                Severity.WARNING,
                f"{name} is {words}: the side it favours is right {100 * abs(value):.1f} points "
                f"{'less' if value < 0 else 'more'} often than it says"
                f" ({100 * level:.0f} % interval {low:+.3f} to {high:+.3f}).",
                float(value),
                0.0,
                "Calibrate it (calibration.platt, isotonic or balance_score) before reading it as a probability.",
                (name,),
            )
        )
    return tuple(findings)
