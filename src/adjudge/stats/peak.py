"""Which checkpoint has the most gold, from paired labels of two checkpoints each, and which pair tells most of it?

    R(d) = α·d − β·d²   or   α·d − β·d·log d,      D_i = R(d_a) − R(d_b) + noise      d = √KL, of the largest
    (α, β) = (Σ x·xᵀ + r·I)⁻¹ Σ x·D,               x = difference of a law's two terms
    gain   = E[A·s_p(d) | D],                      s_p = a law that rises to its peak p, range 1;     keep = argmax gain
    A ~ |N(0, mean D²)|,   p ~ U(0, 1.5·largest d) from half the first checkpoint on,   either law alike
    next   = pair that lowers the variance of R'(keep) most: where the slope is 0 there is the peak

A level of its own for each checkpoint would need far more labels than the two numbers of a law; where one law or the
other holds nearly, all labels of a run say where it turns. That gold rises before it falls is taken as known: without
it, noise of labels far beyond the peak often makes the start look best. Gao, Schulman, Hilton (2023), Section 3 (laws);
the design is the c-optimal one of Elfving (1952), a batch at a time. Limits: for choosing, not testing: what it says
has no error rate, and labels that it asked for must not be staked by `stats.stopping`. A run that has not turned keeps
its last checkpoint; one whose gold only falls keeps an early one, not always the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import ArrayLike, FloatArray, IntArray
from ..errors import AdjudgeError

RIDGE = 1e-3  # of squared differences of terms, whose largest is about 1
FEWEST = 4  # pairs, before which no law is told from none
BEYOND = 1.5  # how far the peak may lie, as a multiple of the run so far
PEAKS = 30  # places of it that are tried, beside the checkpoints


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Where a run turns, by its labels so far.

    Arguments:
        gain: [J] gold expected of each checkpoint less that of d = 0; 0 with fewer than four pairs or no difference.
        keep: number of the checkpoint with the most; the last with fewer than four pairs.
        share: [2] how much each law has its say in which pair is next.
        moments: [2, 2, 2] Σ x·xᵀ + r·I of each law.
        terms: [2, J, 2] a law's two terms at each checkpoint.
        slope: [2, 2] weights of the coefficients in R' at the checkpoint to keep.
    """

    gain: FloatArray
    keep: int
    share: FloatArray
    moments: FloatArray
    terms: FloatArray
    slope: FloatArray

    def drop(self, earlier: int, later: int) -> float:
        """Gold of one checkpoint less gold of another, as far as it is expected."""
        return float(self.gain[earlier] - self.gain[later])

    def ask(self, pairs: int = 4) -> tuple[int, int]:
        """The two checkpoints, earlier and later, at which to label so many more prompts."""
        if self.gain.size < 2:
            raise AdjudgeError("peak: one checkpoint.", "Two or more.", "Wait for the next.")
        earlier, later = np.triu_indices(self.gain.size, 1)
        won = np.zeros(earlier.size)
        for share, terms, moments, slope in zip(self.share, self.terms, self.moments, self.slope, strict=True):
            inverse = np.linalg.inv(moments)
            x = terms[earlier] - terms[later]
            lead = x @ inverse @ slope
            won += share * lead**2 / (1 / pairs + ((x @ inverse) * x).sum(axis=1)) / (slope @ inverse @ slope)
        best = int(won.argmax())
        return int(earlier[best]), int(later[best])


def turn(d: ArrayLike, earlier: ArrayLike, later: ArrayLike, drop: ArrayLike) -> Turn:
    """Where gold is highest.

    Arguments:
        d: [J] √KL of each checkpoint so far, >= 0.
        earlier, later: [n] numbers of the checkpoints that a prompt was labelled at.
        drop: [n] gold of the earlier less gold of the later.

    Errors: no checkpoint; a d that is negative or not finite; numbers of checkpoints that are not there; a drop that
    is not finite.

    >>> d = np.arange(7) / 2
    >>> gold = 2 * d - 0.7 * d**2
    >>> found = turn(d, [0] * 12, [1, 2, 3, 4, 5, 6] * 2, gold[0] - gold[[1, 2, 3, 4, 5, 6] * 2])
    >>> found.keep, found.ask()[0]
    (3, 1)
    """
    far = np.atleast_1d(np.asarray(d, dtype=float))
    one, two = (np.atleast_1d(np.asarray(each, dtype=np.int64)) for each in (earlier, later))
    fell = np.atleast_1d(np.asarray(drop, dtype=float))
    _check(far, one, two, fell)
    scale = far.max() or 1.0
    unit = far / scale
    terms = np.stack([np.stack([unit, -(unit**2)], -1), np.stack([unit, -special.xlogy(unit, unit)], -1)])
    x = terms[:, one] - terms[:, two]
    moments = np.einsum("lni,lnj->lij", x, x) + RIDGE * np.eye(2)
    known = np.einsum("lni,n->li", x, fell)
    fitted = np.linalg.solve(moments, known[..., None])[..., 0]
    rss = float(fell @ fell) - (fitted * known).sum(axis=1)
    noise = max(float(rss.min()) / max(fell.size - 2, 1), 1e-12 * (1 + float(fell @ fell)))
    share = special.softmax(-(rss - rss.min()) / (2 * noise))
    enough = fell.size >= FEWEST
    gain = _expected(unit, one, two, fell) if enough and unit.any() and fell.any() else np.zeros(far.size)
    keep = int(gain.argmax()) if enough else far.size - 1
    at = max(unit[keep], float(unit[unit > 0].min(initial=1.0)) / 2)
    slope = np.array([[1.0, -2 * at], [1.0, -np.log(at) - 1]])
    return Turn(gain, keep, share, moments, terms, slope)


def _expected(unit: FloatArray, earlier: IntArray, later: IntArray, drop: FloatArray) -> FloatArray:
    """[J] mean of gold over all peaks and heights that the pairs leave possible, less that of d = 0."""
    places = np.linspace(0, BEYOND, PEAKS + 1)
    places = np.unique(np.r_[places[places > unit[unit > 0].min() / 2], unit[unit > 0]])
    x = unit / places[:, None]
    shapes = np.concatenate([2 * x - x**2, x - special.xlogy(x, x)])
    shapes /= np.ptp(shapes, axis=1)[:, None]
    prior = np.tile(np.gradient(places), 2)  # as dense as the places lie apart: all of the range alike
    lead = shapes[:, earlier] - shapes[:, later]
    squares, known, power = (lead**2).sum(axis=1), lead @ drop, float(drop @ drop)
    rss = power - known**2 / np.maximum(squares, RIDGE)
    noise = max(float(rss.min()) / max(drop.size - 2, 1), 1e-12 * (1 + power))
    squares += noise * drop.size / power
    height, error = known / squares, np.sqrt(noise / squares)
    above = special.log_ndtr(height / error)
    chance = special.softmax(known * height / (2 * noise) + np.log(error * prior) + above)
    mean = height + error * np.exp(-((height / error) ** 2) / 2 - above) / np.sqrt(2 * np.pi)  # of those above 0
    return np.asarray((chance * np.maximum(mean, 0)) @ shapes)


def _check(d: FloatArray, earlier: IntArray, later: IntArray, drop: FloatArray) -> None:
    alike = d.ndim == 1 and d.size > 0 and earlier.shape == later.shape == drop.shape and drop.ndim == 1
    if not alike or not np.isfinite(d).all() or d.min() < 0 or not np.isfinite(drop).all():
        raise AdjudgeError(
            f"peak: {d.size} checkpoints, {earlier.size} and {later.size} numbers of them, {drop.size} drops.",
            "√KL >= 0 of each checkpoint, and two numbers and a finite drop for each pair.",
            "Leave out pairs without both labels.",
        )
    if earlier.size and not (min(earlier.min(), later.min()) >= 0 and max(earlier.max(), later.max()) < d.size):
        raise AdjudgeError(
            f"peak: a pair is of checkpoint {max(int(earlier.max()), int(later.max()))}.",
            f"Checkpoints 0 to {d.size - 1}.",
            "Number them as in d.",
        )
