"""One estimate in each stratum of each policy, put together by the strata's shares of all rows.

    θ_p = Σ_s (W_ps/W_p)·θ_ps        ψ_gp = Σ_s (W_ps/W_p)·ψ_gps + Σ_s (θ_ps − θ_p)·W_gps/W_p

The second sum is the error of the shares themselves, which are counted on all rows. Strata of a policy with too few
labelled clusters are put together into one; if that one still has too few, the policy is not divided.

Holt, Smith (1979), Post stratification, JRSS A 142(1). Limit: one stratum is the estimate without strata.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.interval import Reserve
from ..tables.ratings import Ratings
from .cluster import covariance, from_rows, group_sums, total
from .difference import Pieces, Sums, pieces, satterthwaite, too_few
from .reserve import reserve


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """Sums over k·(S + 1) groups: policy p in stratum s is group p·(S + 1) + s, what is put together p·(S + 1) + S.

    Arguments:
        sums: by group.
        names: [k] policies.
        width: S + 1.
        whole: the labels-only reserve of the undivided policies.
        enough: [k] whether the policy has two labelled clusters at all.
        n: [k] labelled clusters of the policy.
    """

    sums: Sums
    names: tuple[str, ...]
    width: int
    whole: Reserve
    enough: BoolArray
    n: FloatArray


def refined(ratings: Ratings, cell: IntArray, cells: int) -> Ratings:
    """The same rows, with one 'policy' for each (policy, cell), one spare cell a policy, and no forecast taken away.

    Arguments:
        ratings: the table.
        cell: [n] code of each row's cell, 0 … cells−1.
        cells: number of cells S.
    """
    names = tuple(f"{name} | {index}" for name in ratings.policies for index in range(cells + 1))
    return replace(ratings, policy=ratings.policy * (cells + 1) + cell, policies=names)


def divided(sums: Sums, names: tuple[str, ...], cells: int, *, least: int) -> Divided:
    """Puts small cells together, from sums over `refined` ratings.

    Arguments:
        sums: by (policy, cell) with the spare cell empty.
        names: [k] policies.
        cells: number of cells S.
        least: labelled clusters below which a cell is put together with the others like it, >= 2.
    """
    k, width = len(names), cells + 1
    every = total(sums.every)
    labels = np.bincount(sums.label.group[sums.label.sums[1] > 0], minlength=k * width).reshape(k, width)
    rows = np.bincount(every.group, minlength=k * width).reshape(k, width) > 0
    small = labels < least
    spare = np.where(small & rows, labels, 0).sum(axis=1)
    undivided = (small & rows).any(axis=1) & (spare < least)
    own = np.arange(k * width).reshape(k, width)
    target = np.where(small | undivided[:, None], own[:, -1:], own).ravel()
    policy = np.repeat(np.arange(k), width)
    moved = replace(
        sums,
        label=sums.label.regroup(target, k * width, sums.label.sums),
        every=(every.regroup(target, k * width, every.sums),),
    )
    whole = pieces(
        replace(
            sums,
            names=names,
            recorded=group_sums(policy, sums.recorded.astype(float), k) > 0,
            label=sums.label.regroup(policy, k, sums.label.sums),
            every=(every.regroup(policy, k, every.sums),),
        )
    )
    return Divided(moved, names, width, reserve(whole), whole.enough, whole.n)


def combined(
    divided: Divided, pieces: Pieces, value: FloatArray, psi: FloatArray, *, method: str, spent: FloatArray | float
) -> Estimate:
    """The Estimate of the policies from values [k·width] and influence [c] of their cells."""
    k, width = len(divided.names), divided.width
    policy = np.repeat(np.arange(k), width)
    present = pieces.mass > 0
    mass = group_sums(policy, pieces.mass, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(present, pieces.mass / mass[policy], 0.0)
    theta = group_sums(policy, np.where(present, share * np.nan_to_num(value), 0.0), k)
    away = np.where(present, np.nan_to_num(value) - theta[policy], 0.0)
    group = pieces.group
    within = share[group] * psi
    between = away[group] * pieces.cells.sums[0] / mass[policy[group]]
    cells = from_rows(pieces.cells.cluster, policy[group], [within + between], k=k)
    fine = divided.enough & (group_sums(policy, (present & ~pieces.enough).astype(float), k) == 0)
    matrix = covariance(cells, cells.sums[0])
    matrix[~fine] = matrix[:, ~fine] = np.nan
    df = _df(pieces, within, between, policy, k, spent)
    return Estimate(
        names=divided.names,
        value=np.where(fine, theta, np.nan),
        parts=(Part("sampling", matrix, cells.start.size),),
        df=np.where(fine, df, np.nan),
        bounds=divided.sums.bounds,
        reserve=divided.whole,
        method=method,
        findings=too_few(divided.names, fine, divided.n),
    )


def _df(
    pieces: Pieces, within: FloatArray, between: FloatArray, policy: IntArray, k: int, spent: FloatArray | float
) -> FloatArray:
    """[k] Satterthwaite over every cell's labelled and unlabelled part, and the shares."""
    labelled, rest = pieces.variances(within)
    by_cell = np.concatenate([labelled, rest])
    df = np.concatenate([np.maximum(pieces.n_eff - 1 - spent, 1), np.maximum(pieces.unlabelled - 1, 1)])
    code = np.concatenate([policy, policy])
    shares = group_sums(policy, pieces.cells.by_group(between**2), k)
    clusters = np.maximum(group_sums(policy, pieces.n + pieces.unlabelled, k) - 1, 1)
    variance = group_sums(code, by_cell, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        cells_df = np.nan_to_num(variance**2 / group_sums(code, by_cell**2 / df, k), nan=1.0, posinf=1e9)
    return satterthwaite(np.array([variance, shares]), np.array([cells_df, clusters]))
