"""Effects beside the ratings: their names, and whether the votes can tell them from the ratings and from each other.

    η = θ_left − θ_right + z·γ + first·δ         identified  ⇔  Xᵀ diag(n) X has full rank, but for the mean of θ

Limits: this is the rank of the design alone; votes that a covariate separates make the fit run away instead.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..._typing import BoolArray
from ...core.finding import Finding, Severity
from ...tables.comparisons import Comparisons
from . import algebra
from .votes import Votes


def names(table: Comparisons, order: bool | str, covariates: bool) -> tuple[str, ...]:
    """[d] names of the effects that `votes.collect` gives: covariates, then `first` or `first, rater` of each rater."""
    found = table.covariate_names if covariates else ()
    if covariates and not found:
        found = tuple(f"covariate {j + 1}" for j in range(table.covariates.shape[1]))
    if order == "rater":
        return (*found, *(f"first, {rater}" for rater in table.raters))
    return (*found, "first") if order else found


def identified(
    votes: Votes, effects: tuple[str, ...], keep: BoolArray, precision: float
) -> tuple[Votes, tuple[Finding, ...]]:
    """The votes without the effects that cannot be told from ratings or from each other, and a finding that names them.

    Arguments:
        votes: from `votes.collect`.
        effects: [d] names.
        keep: [k] policies that are rated.
        precision: of a prior on each rating, in 1/log-odds²; 0 for none.
    """
    k, lost = votes.k, []
    kept = votes.within(keep)
    while kept.d:
        A = algebra.gram(kept, kept.n)
        A[np.arange(k), np.arange(k)] += precision + ~keep
        A[:k, :k] += max(A[:k, :k].max(), 1.0) / k
        loose = np.flatnonzero(np.isnan(np.diagonal(algebra.inverse(A))[k:]) & (np.diagonal(A)[k:] > 0))
        if not loose.size:
            break
        j = int(loose[-1])
        lost.append(effects[j])
        if j < kept.z.shape[1]:
            z = kept.z.copy()
            z[:, j] = 0.0
            kept, votes = replace(kept, z=z), replace(votes, z=z)
        else:
            sign = np.where(kept.lane == j - kept.z.shape[1], 0.0, kept.sign)
            kept, votes = replace(kept, sign=sign), replace(votes, sign=sign)
    if not lost:
        return votes, ()
    return votes, (
        Finding(
            "effect-confounded",
            Severity.SEVERE,
            f"The votes cannot tell {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''} from the ratings or from "
            "other effects; left out of the model.",
            float(len(lost)),
            0.0,
            "Show both orders, or leave the covariate out.",
            tuple(lost),
        ),
    )


def one_sided(votes: Votes, effects: tuple[str, ...]) -> tuple[Votes, tuple[Finding, ...]]:
    """The votes without those of raters who only ever took what was shown first, or last; a finding names them.

    The order effect of such a rater is infinite, and their votes say nothing about the policies. It is asked only where
    each rater has an effect of their own.
    """
    if not votes.lanes:
        return votes, ()
    forward = votes.sign[votes.edge] > 0
    shown = (votes.mass > 0) & (votes.sign[votes.edge] != 0)
    lane = votes.lane[votes.edge]
    for_first = np.where(forward, votes.y, 1 - votes.y)
    took = np.bincount(lane, shown & (for_first > 0), minlength=votes.lanes) > 0
    left_it = np.bincount(lane, shown & (for_first < 1), minlength=votes.lanes) > 0
    stuck = took != left_it
    if not stuck.any():
        return votes, ()
    named = tuple(effects[votes.z.shape[1] + j] for j in np.flatnonzero(stuck).tolist())
    return votes.only(~(stuck[votes.lane] & (votes.sign != 0))), (
        Finding(
            "order-one-sided",
            Severity.WARNING,
            f"{len(named)} of {votes.lanes} raters took one side only, whatever was shown there "
            f"({', '.join(named[:3])}{' …' if len(named) > 3 else ''}); their votes are left out.",
            float(len(named)),
            0.0,
            "Use order=True for one effect of all raters.",
            named,
        ),
    )
