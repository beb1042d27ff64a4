"""Fits a reward in two parts that share its features: one that follows length, and one that must not.

    L(q, l) = Σ w·BT(Δ·(q + l)) + W·[λ_L·(|ρ(xq, len)| − ρ(xl, len)) + λ_O·|q·l|] + ½λ(‖q‖² + ‖l‖²)
    ρ(u) = c·u/(√v·√(uᵀSu)),      c = Cov(x, len),  S = Cov(x),  v = Var(len)

|t| is √(t² + δ²) − δ with δ = 0.001, so that the optimum has derivatives. The error counts that c, S and v are
estimated, since the first penalty holds c·q at 0. Chen, Zhu, Soselia et al. (2024). Limits: λ_L = λ_O = 0 splits
Bradley-Terry's reward in two halves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ..tables.preferences import Preferences, dense
from .pair_logit import Pairs, minimise
from .row_products import gram, solve
from .two_heads_way import NONE, Lengths, Task, cornered, descended


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The fitted parts.

    Arguments:
        quality, length: [d] q and l.
        influence: [g, 2d] what each cluster adds to the error of (q, l), with a factor g/(g − 1) on its square.
        lengths: moments.
    """

    quality: FloatArray
    length: FloatArray
    influence: FloatArray
    lengths: Lengths


def moments(preferences: Preferences) -> tuple[Lengths, FloatArray, FloatArray, FloatArray, Any]:
    """(moments, [2n] weights, [2n] length from its mean, [d] mean features, [2n, d] features) of both sides."""
    rows, mass = _responses(preferences), np.tile(preferences.weight, 2) / (2 * preferences.weight.sum())
    length = preferences.length.T.ravel()
    off = length - mass @ length
    centre = np.asarray(mass @ rows).ravel()
    c = np.asarray((mass * off) @ rows).ravel()
    spread = gram(rows, mass) - np.outer(centre, centre)
    return Lengths(c, spread, float(mass @ off**2)), mass, off, centre, rows


def fit(preferences: Preferences, *, apart: float, square: float, ridge: float) -> Heads:
    """The two parts and what each cluster adds to their error.

    Arguments:
        preferences: compared pairs with lengths that vary.
        apart: λ_L >= 0.
        square: λ_O >= 0.
        ridge: λ > 0, in pairs.
    """
    mass = preferences.weight
    pairs = Pairs(preferences.difference, mass * preferences.target, mass * (1 - preferences.target))
    lengths = moments(preferences)[0]
    total, d = float(mass.sum()), preferences.d
    beta = minimise(pairs, ridge=ridge)
    along = lengths.c / np.linalg.norm(lengths.c)
    start = np.concatenate([beta - (beta @ along) * along, max(abs(float(beta @ along)), 0.1) * along])

    task = Task(pairs, lengths, total, apart, square, ridge)
    found, pull = descended(task, start)
    bend = task.bend(found, pull)
    score = _scores(preferences, pairs, found, total, apart)
    g = len(score)
    influence = -score @ solve(bend, 0.0, np.eye(2 * d)) * np.sqrt(g / max(g - 1, 1))
    return Heads(found[:d], found[d:], influence if g > 1 else np.full_like(influence, np.nan), lengths)


def _scores(preferences: Preferences, pairs: Pairs, both: FloatArray, total: float, apart: float) -> FloatArray:
    """[g, 2d] what each cluster adds to the slope: its pairs, and its share in the moments."""
    d = preferences.d
    q, ell = both[:d], both[d:]
    units, code = np.unique(preferences.cluster, return_inverse=True)
    first = pairs.slopes(pairs.x @ (q + ell))[0]
    own = _summed(code, units.size, first, pairs.x)
    lengths, mass, off, centre, rows = moments(preferences)
    code2 = np.tile(code, 2)
    s1, b1 = cornered(lengths.correlation(q), apart)
    by_q = _moved(lengths, q, s1, b1, mass, off, centre, rows, code2, units.size)
    by_l = _moved(lengths, ell, -apart, 0.0, mass, off, centre, rows, code2, units.size)
    return np.column_stack([own + total * by_q, own + total * by_l])


def _moved(
    lengths: Lengths, u: FloatArray, slope: float, bend: float, mass: FloatArray, off: FloatArray, centre: FloatArray,
    rows: Any, code: IntArray, units: int,
) -> FloatArray:  # fmt: skip
    """[g, d] how each cluster's share in c, S and v moves the slope of h(ρ(u)), with h' = slope and h'' = bend."""
    turned, a, v = lengths.S @ u, float(lengths.c @ u), lengths.v
    b = float(u @ turned) + NONE
    lead = rows @ u - centre @ u
    da, db, dv = mass * (lead * off - a), mass * (lead**2 - (b - NONE)), mass * (off**2 - v)
    shrink = 0.5 * dv / v + 0.5 * db / b
    root = np.sqrt(v * b)
    d_rho = da / root - a / root * shrink
    # d∇ρ = [(x − x̄)·(len − a·lead/b)·mass − c·(mass + shrink) − Su·(da − a·mass − a·(shrink + db/b))/b]/√(vb)
    on_x = mass * (off - a * lead / b) / root
    on_c = -(mass + shrink) / root
    on_turned = -(da - a * mass - a * (shrink + db / b)) / (b * root)
    moved = _summed(code, units, on_x, rows) - np.outer(np.bincount(code, on_x, minlength=units), centre)
    moved += np.outer(np.bincount(code, on_c, minlength=units), lengths.c)
    moved += np.outer(np.bincount(code, on_turned, minlength=units), turned)
    return slope * moved + bend * np.outer(np.bincount(code, d_rho, minlength=units), lengths.slope(u))


def _summed(code: IntArray, units: int, weight: FloatArray, rows: Any) -> FloatArray:
    """[g, d] Σ weight·row by cluster."""
    made: Any = sparse.csr_array((weight, (code, np.arange(code.size))), shape=(units, code.size)) @ rows
    return dense(made)


def _responses(preferences: Preferences) -> Any:
    """[2n, d] features of all left responses, then of all right ones."""
    sides: list[Any] = [preferences.left, preferences.right]
    return sparse.csr_array(sparse.vstack(sides)) if any(map(sparse.issparse, sides)) else np.concatenate(sides)
