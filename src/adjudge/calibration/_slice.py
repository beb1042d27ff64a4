"""The labelled slice of a table, folded and weighted once: what every calibrator of this family is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import crossfit
from ..stats.design import label_weight
from ..tables.calibrator import Calibrator, Respond
from ..tables.ratings import Ratings


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Labelled rows.

    Arguments:
        judges: names of the J score columns in use.
        covariate_names: names of the d covariates in use.
        score: [m, J] scores, 0 where missing.
        covariates: [m, d] covariates, 0 where missing.
        gold: [m] labels.
        weight: [m] weight / propensity, 0 where a score is missing.
        weights: [K+1, m] training weights of the full fit and of the K folds.
        base: [K+1, m] the same with the rows whose score is missing.
        fold: [m] fold of each row.
        row, cluster: [m] row number and cluster.
        bounds: range of the gold label.
        findings: what was noticed.
    """

    judges: tuple[str, ...]
    covariate_names: tuple[str, ...]
    score: FloatArray
    covariates: FloatArray
    gold: FloatArray
    weight: FloatArray
    weights: FloatArray
    base: FloatArray
    fold: IntArray
    row: IntArray
    cluster: IntArray
    bounds: tuple[float, float]
    findings: tuple[Finding, ...]

    @property
    def units(self) -> IntArray:
        """[K+1] independent labelled clusters of the full fit and of each fold."""
        used = self.weight > 0
        _, first = np.unique(self.cluster[used], return_index=True)
        inside = np.bincount(self.fold[used][first], minlength=len(self.weights) - 1)
        return np.concatenate([[first.size], first.size - inside])


def take(ratings: Ratings, *, judges: Sequence[str] | None, covariates: bool = False, folds: int, seed: int) -> Slice:
    """The labelled slice of `ratings`, for some judges (all by default), with or without the covariates."""
    names = ratings.judges if judges is None else tuple(judges)
    for name in names:
        if name not in ratings.judges:
            raise AdjudgeError(
                f"ratings: no score column is named {name!r}.",
                f"Columns here: {', '.join(ratings.judges)}.",
                "Name one of them in judges=.",
            )
    rows = np.flatnonzero(ratings.labelled)
    weight = _weight(ratings, rows)
    if not (weight > 0).any():
        raise AdjudgeError(
            f"ratings.gold: {rows.size} labels carry weight.",
            "Calibration learns from trusted labels, so at least one row needs one.",
            "Label some rows: adjudge plan says how many and which.",
        )
    score = ratings.score[rows][:, [ratings.judges.index(name) for name in names]]
    extra = ratings.covariates[rows] if covariates else np.empty((rows.size, 0))
    known = np.isfinite(score.sum(axis=1) + extra.sum(axis=1))
    score, extra = (np.where(np.isfinite(table), table, 0.0) for table in (score, extra))
    if not (weight * known > 0).any():
        raise AdjudgeError(
            f"ratings.score: none of the {rows.size} labelled rows has a score of {', '.join(names) or 'any judge'}.",
            "A calibrator needs rows with both a score and a label.",
            "Judge the labelled rows too, or use calibration.mean, which ignores the judge.",
        )
    mass = ratings.weight[rows]
    fold = crossfit.folds(ratings.cluster[rows], _key(ratings.score[rows], mass), weight=mass, count=folds, seed=seed)
    base = crossfit.training_weights(weight, fold)
    return Slice(
        judges=names,
        covariate_names=ratings.covariate_names if covariates else (),
        score=score,
        covariates=extra,
        gold=ratings.gold[rows],
        weight=weight * known,
        weights=base * known,
        base=base,
        fold=fold,
        row=ratings.row[rows],
        cluster=ratings.cluster[rows],
        bounds=ratings.bounds,
        findings=_gaps(ratings, names, covariates),
    )


def finish(
    method: str,
    labelled: Slice,
    respond: Respond,
    influence: FloatArray,
    held_out: FloatArray,
    *,
    findings: tuple[Finding, ...] = (),
) -> Calibrator:
    """The calibrator of a full fit: rows with gaps fall back to the mean, forecasts stay inside the bounds.

    Arguments:
        method: address of the calibrator.
        labelled: what it was fitted to.
        respond: value and gradient of rows without gaps.
        influence: [m, q] what each label adds to the error of the q parameters; see `pull`.
        held_out: [m] out-of-fold forecasts of the labelled rows.
        findings: what was noticed besides `labelled.findings`.
    """
    total = labelled.base.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = labelled.base @ labelled.gold / total
    out = np.where(labelled.weight > 0, held_out, means[1 + labelled.fold])
    return Calibrator(
        method=method,
        judges=labelled.judges,
        covariates=labelled.covariate_names,
        respond=respond,
        influence=influence,
        held_out=np.clip(out, *labelled.bounds),
        gold=labelled.gold,
        row=labelled.row,
        cluster=labelled.cluster,
        mean=float(means[0]),
        mean_influence=labelled.base[0] * (labelled.gold - means[1 + labelled.fold]) / total[0],
        bounds=labelled.bounds,
        findings=labelled.findings + findings,
    )


def pull(labelled: Slice, lever: FloatArray, held_out: FloatArray) -> FloatArray:
    """[m, q] influence of each label: its lever ∂parameters/∂Y_l, pulled by its held-out residual Y_l − f̂(held out).

    A curve that has bent to its own labels leaves residuals that are too small: with 15 labels the in-sample version of
    an isotonic fit shows half of the true error, this one all of it (as the jackknife and HC3 do).
    """
    return lever * np.where(labelled.weight > 0, labelled.gold - held_out, 0.0)[:, None]


def _key(score: FloatArray, weight: FloatArray) -> FloatArray:
    """[m] sum of the standardised scores of all judges, used or not: every calibrator of a table has the same folds."""
    known = np.isfinite(score)
    total = np.maximum(weight @ known, 1e-300)
    filled = np.where(known, score, 0.0)
    centred = np.where(known, score - weight @ filled / total, 0.0)
    spread = np.sqrt(weight @ centred**2 / total)
    return (centred / np.where(spread > 0, spread, 1.0)).sum(axis=1)


def _weight(ratings: Ratings, rows: IntArray) -> FloatArray:
    """[m] weight / propensity of the labels of all policies as one sample, scaled to the sum of their weights."""
    inverse = label_weight(ratings, group=np.zeros(ratings.n, dtype=np.int64), groups=1)[rows]
    return inverse * (ratings.weight[rows].sum() / max(inverse.sum(), np.finfo(float).tiny))


def _gaps(ratings: Ratings, names: tuple[str, ...], covariates: bool) -> tuple[Finding, ...]:
    """A finding when a judge abstained, or a covariate is missing, anywhere."""
    total = ratings.score[:, [ratings.judges.index(name) for name in names]].sum(axis=1)
    gaps = int((~np.isfinite(total + ratings.covariates.sum(axis=1) if covariates else total)).sum())
    if not gaps:
        return ()
    finding = Finding(
        "score-filled",
        Severity.INFO,
        f"{gaps:,} of {ratings.n:,} rows lack a judge score or a covariate and are forecast by the mean of the labels.",
        gaps,
        0,
        "Judge those rows, or drop them if the judge abstains at random.",
        names,
    )
    return (finding,)
