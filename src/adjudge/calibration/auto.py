"""Picks the calibrator that forecasts unseen labels best, and of two that do equally well the simpler one.

    error_c = Σ_l w_l (Y_l − f_c(held out)_l)² / Σ_l w_l
    choose the simplest c with error_c − error_best <= stderr(error_c − error_best)

Order of simplicity: mean, linear (platt for yes/no gold), isotonic, two_stage. The standard error is of the difference,
paired by cluster, so a judge that is a little better everywhere is not thrown away. With fewer than 30 labelled
clusters only the first two are tried. Paper: Breiman et al. (1984), the one-standard-error rule, here on paired
differences. Limit: with one labelled cluster nothing can be held out, and the mean is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..tables.calibrator import Calibrator, Trial
from ..tables.ratings import Ratings
from . import _slice, isotonic, linear, mean, platt, two_stage

CARD = Card(
    answers="Which calibrator do these labels support?",
    equation="simplest c with error_c − error_best <= stderr(error_c − error_best), errors out of fold",
    papers=(
        Paper(
            "Classification and Regression Trees",
            "Breiman, Friedman, Olshen, Stone",
            1984,
            "Wadsworth",
            "https://doi.org/10.1201/9781315139470",
            "Section 3.4.3",
        ),
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2512.11150",
            "AutoCal-R, mode selection",
        ),
    ),
    needs=("score", "gold"),
    assumes=("labelled rows stand for the rows to be forecast",),
    limits=("few labels try only mean and linear or platt",),
    when="Always, unless you know the shape of your judge's error.",
    rows=(29,),
)

FEW = 30
"""Labelled clusters below which a curve with many parameters is not tried."""


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    covariates: bool = True,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit the candidates to the labelled rows of all policies and return the chosen one, with the trials on it.

    Arguments:
        ratings: table with scores and some gold labels.
        judges: score columns to use; all by default.
        covariates: whether the covariate columns are features too, where the candidate reads any.
        folds: folds of the held-out forecasts, by cluster; the same for every candidate.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, or a judge is not a column.

    >>> from adjudge.sim.judging import Judging
    >>> calibrator = fit(Judging(items=500, labels=100).draw(0).ratings)
    >>> calibrator.method
    'calibration.linear'
    >>> [round(trial.error, 3) for trial in calibrator.trials]
    [0.091, 0.021, 0.024, 0.024]
    """
    whole = _slice.take(ratings, judges=(), folds=folds, seed=seed)
    candidates = [mean.fit(ratings, folds=folds, seed=seed)]
    names = ratings.judges if judges is None else tuple(judges)
    if names and _scored(ratings, names):
        binary = np.isfinite(ratings.bounds).all() and np.isin(whole.gold, ratings.bounds).all()
        steady = platt if binary else linear
        candidates.append(steady.fit(ratings, judges=names, covariates=covariates, folds=folds, seed=seed))
        if whole.units[0] >= FEW:
            candidates.append(isotonic.fit(ratings, judges=names, folds=folds, seed=seed))
            candidates.append(two_stage.fit(ratings, judges=names, covariates=covariates, folds=folds, seed=seed))
    trials = compare(candidates, whole.weight)
    chosen = next((c for c, t in zip(candidates, trials, strict=True) if t.excess <= t.excess_stderr), candidates[0])
    best = min(trials, key=lambda trial: trial.error if np.isfinite(trial.error) else np.inf)
    return replace(chosen, trials=trials, findings=chosen.findings + _report(chosen, trials, best))


def compare(candidates: Sequence[Calibrator], weight: FloatArray) -> tuple[Trial, ...]:
    """Out-of-fold errors of calibrators fitted to the same labels, with standard errors by cluster.

    Arguments:
        candidates: calibrators of one table, with the same folds.
        weight: [m] weights of its labelled rows.
    """
    first = candidates[0]
    square = np.column_stack([(first.gold - c.held_out) ** 2 for c in candidates])
    share = weight / weight.sum()
    error = share @ square
    units, code = np.unique(first.cluster, return_inverse=True)
    mass = np.bincount(code, share, units.size)
    best = int(np.argmin(np.where(np.isfinite(error), error, np.inf)))

    def stderr(values: FloatArray) -> float:
        if units.size < 2:
            return float("nan")
        loose = np.bincount(code, share * values, units.size) - mass * (share @ values)
        return float(np.sqrt((loose**2).sum() * units.size / (units.size - 1)))

    return tuple(
        Trial(
            c.method,
            float(error[j]),
            stderr(square[:, j]),
            float(error[j] - error[best]),
            stderr(square[:, j] - square[:, best]),
        )
        for j, c in enumerate(candidates)
    )


def _scored(ratings: Ratings, names: tuple[str, ...]) -> bool:
    """Whether any labelled row has all the scores."""
    total = ratings.score[ratings.labelled][:, [ratings.judges.index(n) for n in names if n in ratings.judges]].sum(
        axis=1
    )
    return bool(np.isfinite(total).any())


def _report(chosen: Calibrator, trials: tuple[Trial, ...], best: Trial) -> tuple[Finding, ...]:
    """What was chosen, and why."""
    mine = next(trial for trial in trials if trial.method == chosen.method)
    others = ", ".join(f"{t.method.split('.')[-1]} {t.error:.4g} ± {t.stderr:.2g}" for t in trials)
    name = chosen.method.split(".")[-1]
    why = (
        "it has the least error" if mine is best else f"it is within one standard error of {best.method.split('.')[-1]}"
    )
    if not np.isfinite(best.error):
        message = "All labels are in one cluster, so no calibrator could be tested; the mean of the labels is used."
        remedy = "Label rows of more clusters."
        return (Finding("calibrator-untested", Severity.WARNING, message, 1, 2, remedy, chosen.judges),)
    if name == "mean" and len(trials) > 1:
        message = f"The judge does not forecast unseen labels measurably better than their mean does ({others})."
        remedy = "Label more rows, or look for a better judge."
        return (
            Finding("judge-uninformative", Severity.WARNING, message, best.error, mine.error, remedy, chosen.judges),
        )
    message = f"Calibrator {name}: {why} on unseen labels ({others})."
    return (Finding("calibrator-chosen", Severity.INFO, message, mine.error, best.error),)
