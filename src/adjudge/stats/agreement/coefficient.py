"""What all coefficients of agreement share: a function of sums over items, whose error follows from leaving items out.

    θ = f(Σ_i s_i),      ψ_i = (m−1)/m · (θ − f(Σ s − s_i)),      θ*_b = f(Σ_i V_bi s_i),  V_b ~ Multinomial(m)

Items are the independent units: labels of one item share its difficulty. Items with equal sums are held once, so that
20,000 items with five labels of four classes are 56 distinct ones, and a replicate costs 56 draws.

Quenouille (1956) and Tukey (1958), the jackknife; Efron (1979), the bootstrap.
Limits: one item gives no error (NaN); raters count as fixed: another panel of raters may agree more or less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray, IntArray

BLOCK = 2_000_000  # numbers held at once


@dataclass(frozen=True, slots=True, eq=False)
class Coefficient:
    """One coefficient on one table of labels.

    Arguments:
        name: such as `Fleiss' kappa`.
        sums: [u, q] what each distinct item adds to the sums.
        item: [m] distinct item that each item is like.
        of: [..., q] sums -> [...] coefficient; NaN where it is not defined.
    """

    name: str
    sums: FloatArray
    item: IntArray
    of: Callable[[FloatArray], FloatArray]

    @property
    def times(self) -> IntArray:
        """[u] how many items are like each distinct one."""
        return np.bincount(self.item, minlength=self.sums.shape[0])

    @property
    def value(self) -> float:
        """The coefficient itself."""
        return float(self._call(self.times @ self.sums))

    def influence(self) -> FloatArray:
        """[m] what each item contributes to the error, by leaving it out; for `Part.from_influence`."""
        m = self.item.size
        total = self.times @ self.sums
        without = np.empty(self.sums.shape[0])
        step = max(1, BLOCK // max(self.sums.shape[1], 1))
        for start in range(0, without.size, step):
            rows = slice(start, start + step)
            without[rows] = self._call(total - self.sums[rows])
        if m < 2:
            return np.full(m, np.nan)
        psi = (float(self._call(total)) - without) * ((m - 1.0) / m)
        return np.asarray(psi[self.item])

    def replicates(self, *, draws: int = 1000, seed: int = 0) -> FloatArray:
        """[B] the coefficient on items drawn with replacement.

        Arguments:
            draws: B.
            seed: of the draws.
        """
        rng = np.random.default_rng(seed)
        times, m = self.times, self.item.size
        out = np.full(draws, np.nan)
        if m == 0:
            return out
        step = max(1, BLOCK // max(times.size, self.sums.shape[1]))
        for start in range(0, draws, step):
            size = min(step, draws - start)
            out[start : start + size] = self._call(_resampled(rng, times, self.item, size) @ self.sums)
        return out

    def _call(self, sums: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.asarray(self.of(sums), dtype=float)
        return np.where(np.isfinite(value), value, np.nan)


def distinct(rows: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distinct rows [u, q] of a table [m, q], and the one that each row equals [m].

    >>> rows, at = distinct(np.array([[1.0, 2.0], [0.0, 3.0], [1.0, 2.0]]))
    >>> rows.tolist(), at.tolist()
    ([[0.0, 3.0], [1.0, 2.0]], [1, 0, 1])
    """
    if rows.shape[0] == 0 or rows.shape[1] == 0:
        return rows[:1], np.zeros(rows.shape[0], dtype=np.int64)
    order = np.lexsort(rows.T[::-1])
    placed = rows[order]
    new = np.append(True, (placed[1:] != placed[:-1]).any(axis=1))
    at = np.empty(rows.shape[0], dtype=np.int64)
    at[order] = np.cumsum(new) - 1
    return placed[new], at


def _resampled(rng: np.random.Generator, times: IntArray, item: IntArray, draws: int) -> FloatArray:
    """[B, u] how often each distinct item is drawn when m items are."""
    m, u = item.size, times.size
    if 4 * u <= m:
        return rng.multinomial(m, times / m, size=draws).astype(float)
    drawn = item[rng.integers(m, size=(draws, m))] + u * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * u).reshape(draws, u).astype(float)
