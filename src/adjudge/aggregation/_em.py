"""The EM that the latent-class methods share: truths given the raters, raters given the truths, until neither moves.

    E:  T_ic ∝ π_c Π_{j,l} θ_jcl^{n_ijl}            M:  θ from Σ_i T_ic n_ijl,   π_c ∝ Σ_i T_ic

Starting from the shares of each item's labels, so that classes keep their names as long as most labels are right.
Errors of the accuracies: the whole EM is run again without each of G groups of items (delete-a-group jackknife),

    Cov = (G − 1)/G Σ_g (a_(g) − ā)(a_(g) − ā)ᵀ,

which keeps what the truths, the other raters and the class shares add. No variance is below that of known truths.

Dempster, Laird, Rubin (1977); Kott (2001), The Delete-a-Group Jackknife, J. Off. Stat. 17(4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.annotations import Annotations, Consensus
from . import _cells
from ._cells import Cells

PRIME = 7919

#: Said counts [J, C, C] -> probabilities [J, C, C] of each answer (column) given each truth (row).
Model = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where EM stopped.

    Arguments:
        truth: [m, C] probability of each class of each item.
        confusion: [J, C, C] probability of each answer given each truth.
        share: [C] of the items in each class.
        path: what EM climbs (log-likelihood, plus the log-density of the priors), after each step.
        moved: largest change of any truth in the last step.
    """

    truth: FloatArray
    confusion: FloatArray
    share: FloatArray
    path: tuple[float, ...]
    moved: float


def fit(
    found: Cells, model: Model, *, prior: float, tol: float, steps: int, start: FloatArray, keep: FloatArray
) -> Fit:
    """EM from truths `start`, learning from the items with `keep` 1.

    Arguments:
        model: the M-step of the raters.
        prior: labels added to each cell of a confusion matrix, for what EM climbs.
        tol: EM stops when no truth moves by more.
        steps: most of them.
    """
    use = keep * found.labelled
    truth, path, moved = start, [], np.inf
    confusion = share = np.empty(0)
    for _ in range(steps):
        mass = truth * use[:, None]
        confusion, share = model(found.said(mass)), mass.sum(axis=0) / max(use.sum(), 1.0)
        with np.errstate(divide="ignore"):
            log_theta, log_share = np.log(confusion), np.log(share)
        score = found.scores(log_theta) + log_share
        highest = score.max(axis=1, keepdims=True)
        after = np.exp(score - np.where(np.isfinite(highest), highest, 0.0))
        size = after.sum(axis=1, keepdims=True)
        # Without the items left out, an item's labels can be impossible in every class: then the start stands.
        after = np.where(size > 0, after / np.where(size > 0, size, 1.0), truth)
        with np.errstate(divide="ignore", invalid="ignore"):
            loglik = np.where(use > 0, highest[:, 0] + np.log(size[:, 0]), 0.0).sum()
        path.append(float(loglik + (prior * log_theta.sum() if prior > 0 else 0.0)))
        moved = float(np.abs((after - truth)[use > 0]).max(initial=0.0))
        truth = after
        if moved <= tol:
            break
    return Fit(truth, confusion, share, tuple(path), moved)


def shares(found: Cells) -> FloatArray:
    """[m, C] share of each class among the labels of each item; equal shares without labels."""
    place = found.item * found.C + found.label
    count = np.bincount(place, found.weight, found.m * found.C).reshape(found.m, found.C)
    total = count.sum(axis=1, keepdims=True)
    return np.where(total > 0, count / np.where(total > 0, total, 1.0), 1.0 / found.C)


def accuracy(found: Cells, truth: FloatArray, keep: FloatArray) -> FloatArray:
    """[J] expected share of each rater's labels that are right; NaN without labels."""
    weight = found.weight * keep[found.item]
    right = np.bincount(found.rater, weight * truth[found.item, found.label], found.J)
    total = np.bincount(found.rater, weight, found.J)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(right / total)


def aggregate(
    table: Annotations,
    model: Model,
    *,
    method: str,
    prior: float,
    tol: float,
    steps: int,
    groups: int,
    seed: int,
) -> Consensus:
    """The consensus under a model of raters, and their accuracies with jackknife errors."""
    if not (prior >= 0 and tol > 0 and steps >= 1 and (groups == 0 or groups >= 2)):
        raise AdjudgeError(
            f"prior is {prior:g}, tol {tol:g}, steps {steps}, groups {groups}.",
            "prior >= 0, tol > 0, steps >= 1, and groups 0 or at least 2.",
            "Correct the one that is not.",
        )
    found = _cells.cells(table)
    if not _together(found):
        return _apart(found, table, method)
    everything = np.ones(found.m)
    best = fit(found, model, prior=prior, tol=tol, steps=steps, start=shares(found), keep=everything)
    value = accuracy(found, best.truth, everything)
    items = _cells.items_of(found, np.ones(found.item.size, dtype=bool))
    covariance, df = _jackknife(found, model, best, prior=prior, groups=groups, seed=seed)
    whole = _cells.floored(covariance, value, found.total, items)
    findings = (*_findings(best, value, table, tol, steps), *_cells.tie_finding(found, best.truth))
    part = Part("sampling", whole, int(found.labelled.sum()))
    freedom = np.maximum(np.minimum(items - 1.0, df), 1.0)
    raters = _cells.accuracy_estimate(table.raters, value, part, freedom, method, findings)
    silent = np.bincount(found.rater, minlength=found.J) == 0
    confusion = np.where(silent[:, None, None], np.nan, best.confusion)
    return _cells.consensus(found, best.truth, raters, confusion=confusion)


def _together(found: Cells) -> bool:
    """Whether two raters labelled any one item."""
    pair = np.unique(found.item * found.J + found.rater) // found.J
    return bool((np.bincount(pair, minlength=1) > 1).any())


def _apart(found: Cells, table: Annotations, method: str) -> Consensus:
    """Without an item in common the raters cannot be held against each other: their labels stand as they are."""
    unknown = np.full((found.J, found.J), np.nan)
    told = Finding(
        "raters-apart",
        Severity.WARNING,
        "No item was labelled by two raters, so nothing can be said of how good they are.",
        number=0.0,
        threshold=1.0,
        remedy="Let two or more raters label some items in common.",
    )
    part = Part("sampling", unknown, int(found.labelled.sum()))
    value = np.full(found.J, np.nan)
    raters = _cells.accuracy_estimate(table.raters, value, part, np.ones(found.J), method, (told,))
    confusion = np.full((found.J, found.C, found.C), np.nan)
    return _cells.consensus(found, shares(found), raters, confusion=confusion)


def _jackknife(
    found: Cells, model: Model, best: Fit, *, prior: float, groups: int, seed: int
) -> tuple[FloatArray, float]:
    """[J, J] covariance of the accuracies, and its degrees of freedom; NaN without groups."""
    G = min(groups, int(found.labelled.sum()))
    if G < 2:
        return np.full((found.J, found.J), np.nan), 1.0
    group = np.full(found.m, -1)
    group[found.labelled] = np.random.default_rng((seed, PRIME)).permutation(int(found.labelled.sum())) % G
    replicates = np.empty((G, found.J))
    for g in range(G):
        keep = (group != g).astype(float)
        again = fit(found, model, prior=prior, tol=1e-3, steps=50, start=best.truth, keep=keep)
        replicates[g] = accuracy(found, again.truth, keep)
    replicates = np.where(np.isnan(replicates), accuracy(found, best.truth, np.ones(found.m)), replicates)
    apart = np.nan_to_num(replicates - replicates.mean(axis=0))
    return apart.T @ apart * ((G - 1) / G), G - 1.0


def _findings(best: Fit, value: FloatArray, table: Annotations, tol: float, steps: int) -> list[Finding]:
    told = []
    if best.moved > tol:
        message = f"EM stopped after {steps:,} steps while the truth of some item still moved by {best.moved:.2g}."
        told.append(Finding("em-unsettled", Severity.WARNING, message, best.moved, tol, "Allow more steps."))
    chance = 1.0 / len(table.classes)
    below = tuple(name for name, a in zip(table.raters, value, strict=True) if a < chance)
    if below and len(table.classes) > 1:
        message = f"{len(below):,} of {value.size:,} raters are right less often than chance ({', '.join(below[:5])})."
        remedy = "Ask whether they understood the classes."
        told.append(Finding("raters-below-chance", Severity.WARNING, message, float(len(below)), chance, remedy, below))
    return told
