"""What forecasts of gold are worth within a prompt, from prompts of which two responses have a label.

    b = (Σ Δg·Δf + κ)/(Σ Δf² + κ),   κ = 4·mean (Δg − Δf)²,      s² = mean (Δg − b·Δf)²/2      over two of one prompt

A judge that knows easy prompts from hard ones may not know two answers apart: forecasts that are right over all
responses then say too much of two to one prompt. κ is a guess of 1 ± ½ before any pair is seen (a normal prior, Lindley
and Smith, 1972). Limits: fewer than ten pairs leave b = 1; without prompts of unlike difficulty b is near 1 anyway.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from .._typing import FloatArray, IntArray
from .cluster import group_sums

TWICE = 10  # pairs of labels of one prompt from which anything is told within prompts
SHUFFLED = 200_000  # rows of all permutations together, of which there are 199 to 9,999


def pairs_within(code: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of every two rows of one code."""
    order = np.argsort(code, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    both = np.array([pair for group in groups for pair in combinations(group.tolist(), 2)], dtype=np.int64)
    return (both[:, 0], both[:, 1]) if both.size else (order[:0], order[:0])


def slope_within(truth: FloatArray, gap: FloatArray, unit: IntArray) -> tuple[float, float, FloatArray]:
    """(b, its standard error by prompt, [q] b of each pair by the other prompts), from differences of two labels.

    Arguments:
        truth: [q] differences of gold.
        gap: [q] differences of held-out forecasts.
        unit: [q] prompts.

    >>> gap = np.arange(1.0, 12.0)
    >>> slope_within(gap, gap, np.arange(11))[:2], round(slope_within(0 * gap, gap, np.arange(11))[0], 3)
    ((1.0, 0.0), 0.267)
    """
    if gap.size < TWICE or not gap.any():
        return 1.0, 0.0, np.ones(gap.size)
    prior = 4 * float(((truth - gap) ** 2).mean())
    codes = np.unique(unit, return_inverse=True)[1]
    along, size = np.bincount(codes, truth * gap), np.bincount(codes, gap**2)
    total = float(size.sum()) + prior
    slope = (float(along.sum()) + prior) / total
    off = np.bincount(codes, gap * (truth - slope * gap))
    without = (along.sum() + prior - along) / np.maximum(total - size, 1e-300)
    return max(slope, 0.0), float(np.sqrt(off @ off)) / total, without.clip(0)[codes]


def spread_about(missed: FloatArray, apart: FloatArray) -> float:
    """Standard deviation of gold about its forecast: within prompts where enough are labelled twice, else over all.

    Arguments:
        missed: [l] gold less its held-out forecast.
        apart: [q] differences of gold of two labels, less those of their forecasts.

    >>> spread_about(np.array([3.0, -4.0]), np.zeros(2)), spread_about(np.zeros(2), np.full(10, 2**0.5))
    (3.5355339059327378, 1.0)
    """
    if apart.size >= TWICE:
        return float(np.sqrt((apart**2).mean() / 2))
    known = missed[np.isfinite(missed)]
    return float(np.sqrt((known**2).mean())) if known.size else np.nan


def beside(missed: FloatArray, one: IntArray, two: IntArray) -> tuple[float, float]:
    """(share ρ of a sample's miss that another of its prompt has, too; spread of the other's gold once it is known).

    ρ = 1 − mean (m_i − m_j)²/2 / mean m²  within [0, 1],      √(mean m²·(1 − ρ²));      ρ is 0 below ten pairs.

    Arguments:
        missed: [l] gold less its held-out forecast.
        one, two: [q] positions of two labels of one prompt.

    >>> even, odd = np.arange(0, 20, 2), np.arange(1, 20, 2)
    >>> beside(np.tile([1.0, 1.0, -1.0, -1.0], 5), even, odd), beside(np.tile([1.0, -1.0], 10), even, odd)
    ((1.0, 0.0), (0.0, 1.0))
    """
    known, apart = missed[np.isfinite(missed)], missed[one] - missed[two]
    apart = apart[np.isfinite(apart)]
    total = float((known**2).mean()) if known.size else np.nan
    if apart.size < TWICE or not total > 0:
        return 0.0, float(np.sqrt(total))
    shared = min(max(1 - float((apart**2).mean()) / 2 / total, 0.0), 1.0)
    return shared, float(np.sqrt(total * (1 - shared**2)))


def chance_of_noise(
    score: FloatArray, gold: FloatArray, code: IntArray, *, within: bool, bent: bool = False, seed: int = 0
) -> float:
    """p-value of the hypothesis that scores know nothing of gold: how often shuffled ones go with it as closely.

    T_j = Σ_i u_ij·v_i over ranks u, v;   p = share of shuffles with max_j |T_j|/sd T_j as large;   exact (Fisher 1935)

    Scores are shuffled within prompts, and then u, v are about the prompt's mean; or over prompts of equally many
    labels, whole prompts at a time, so that what the responses to one prompt share is no evidence. Limits: nothing
    varies, p = 1; either direction counts, since a calibrator turns scores that are the wrong way round.

    Arguments:
        score: [l, J] of the judges, finite.
        gold: [l] labels.
        code: [l] prompts.
        within: whether only what is told within prompts counts.
        bent: whether scores that are high at both ends count, too: |u| beside u.
        seed: of the shuffles.

    >>> even = np.arange(12.0)
    >>> one, two = (chance_of_noise(even[:, None], y, np.arange(12), within=False) for y in (even, np.ones(12)))
    >>> one, two
    (0.0001, 1.0)
    """
    units = np.unique(code, return_inverse=True)[1]
    u = rankdata(score, axis=0) - (len(score) + 1) / 2
    u, v = np.column_stack([u, np.abs(u)]) if bent else u, rankdata(gold)[:, None]
    u, v = (each - (_means(each, units) if within else each.mean(axis=0)) for each in (u, v))
    count = int(np.clip(SHUFFLED // max(len(score), 1), 199, 9_999))
    shuffled = _shuffled(units, np.random.default_rng((seed, 7_907)), count, within)
    own = np.arange(len(score))[None]
    T = np.column_stack([(column[np.vstack([own, shuffled])] @ v)[:, 0] for column in u.T])
    spread = np.sqrt((T**2).mean(axis=0))
    closeness = np.abs(np.divide(T, spread, out=np.zeros_like(T), where=spread > 1e-9 * len(score))).max(axis=1)
    return float((closeness >= closeness[0] - 1e-9).mean())


def _means(values: FloatArray, units: IntArray) -> FloatArray:
    """[l, J] mean over the unit of each row."""
    size = np.bincount(units, minlength=1)
    return np.asarray((group_sums(units, values.T, size.size) / np.maximum(size, 1)).T[units])


def _shuffled(units: IntArray, rng: np.random.Generator, count: int, within: bool) -> IntArray:
    """[count, l] rows in another order: within units; where not `within`, units of one size change places, too."""
    out: IntArray = np.empty((count, units.size), dtype=np.int64)
    size: IntArray = np.bincount(units)[units] if units.size else units
    for each in np.unique(size):
        alike = np.flatnonzero(size == each)
        rows: IntArray = alike[np.argsort(units[alike], kind="stable")].reshape(-1, each)
        order: IntArray = np.broadcast_to(np.arange(len(rows)), (count, len(rows)))
        moved = rng.permuted(rows[order if within else rng.permuted(order, axis=1)], axis=2)
        out[:, rows.ravel()] = moved.reshape(count, -1)
    return out
