"""Voters who rank candidates of two groups, one of which they undervalue; what they would say without bias is known.

    w_vc = q_c + σ·e_vc                 latent utility of candidate c for voter v,  q ~ U(0, 1), e ~ N(0, 1)
    u_vc = θ·w_vc  if c is of the undervalued group and w_vc > 0,  else w_vc         implicit bias, θ in [0, 1]
    order of v ~ Mallows(order by u_v; φ),  P(order) ∝ φ^{pairs turned round};   then `swaps` exchanges

A swap picks one candidate of each group at random and, where the undervalued one stands above, exchanges the two: a
bias of places instead of utilities. A voter's scores are the u_v, sorted, given out along the final order.

Kleinberg, Raghavan (2018), Selection problems in the presence of implicit bias (θ); Mallows (1957); Boehmer, Celis,
Huang, et al. (2023), Subset selection based on multiple rankings in the presence of bias.
Limits: θ = 1, φ = 0 and no swaps are unbiased votes; φ → 1 is any order, as likely as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.ratings import Ratings

VALUED, UNDERVALUED = "valued", "undervalued"


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """What voters say, and what they would say without bias; m voters, k candidates.

    Arguments:
        ratings: a row per candidate (policy) and voter (item); `score` is the stated utility.
        quality: [k] q.
        latent: [m, k] utilities without bias or noise of the order.
        stated: [m, k] the scores of `ratings`.
        groups: group of each candidate by its name.
    """

    ratings: Ratings
    quality: FloatArray
    latent: FloatArray
    stated: FloatArray
    groups: dict[str, str]


@dataclass(frozen=True, slots=True)
class BiasedVoters:
    """A population of voters; `draw(seed)` gives an election of it.

    Arguments:
        voters: m.
        candidates: k; the last ones are undervalued.
        undervalued: how many are.
        theta: factor of their utilities, in [0, 1]; 1 is no bias.
        spread: standard deviation of a voter's own taste around the quality of a candidate.
        quality: [k] qualities instead of random ones.
        mallows: φ in [0, 1), how freely the order is turned round; 0 keeps it.
        swaps: exchanges per voter at the cost of the undervalued.
        labelled: whether latent utilities stand in the table as gold.

    >>> made = BiasedVoters(voters=1, quality=(0.9, 0.8, 0.7, 1.0), candidates=4, undervalued=1, spread=0.0).draw(0)
    >>> made.stated.tolist(), made.groups["c03"]
    ([[0.9, 0.8, 0.7, 0.5]], 'undervalued')
    """

    voters: int = 300
    candidates: int = 16
    undervalued: int = 8
    theta: float = 0.5
    spread: float = 0.35
    quality: tuple[float, ...] = ()
    mallows: float = 0.0
    swaps: int = 0
    labelled: bool = False

    def __post_init__(self) -> None:
        right = 0 <= self.theta <= 1 and 0 <= self.mallows < 1 and 0 <= self.undervalued <= self.candidates
        if not (right and self.voters > 0 and self.swaps >= 0 and len(self.quality) in (0, self.candidates)):
            raise AdjudgeError(
                f"sim.biased_voters: {self}.",
                "theta in [0, 1], mallows in [0, 1), undervalued at most candidates, voters > 0, a quality for each.",
                "Correct the one that is not.",
            )

    def draw(self, seed: int) -> Ballots:
        """An election; the same seed gives the same one."""
        rng = np.random.default_rng(seed)
        m, k = self.voters, self.candidates
        quality = np.array(self.quality) if self.quality else rng.random(k)
        latent = quality + self.spread * rng.standard_normal((m, k))
        under = np.arange(k) >= k - self.undervalued
        biased = np.where(under & (latent > 0), self.theta, 1.0) * latent
        order = np.argsort(-biased, axis=1, kind="stable")
        if self.mallows:
            order = np.take_along_axis(order, mallows(rng, m, k, self.mallows), axis=1)
        order = self._swapped(rng, order)
        stated = np.empty((m, k))
        np.put_along_axis(stated, order, -np.sort(-biased, axis=1), axis=1)
        names = tuple(f"c{c:02d}" for c in range(k))
        groups = {name: UNDERVALUED if low else VALUED for name, low in zip(names, under, strict=True)}
        return Ballots(self._table(names, latent, stated), quality, latent, stated, groups)

    def _swapped(self, rng: np.random.Generator, order: IntArray) -> IntArray:
        """[m, k] orders after exchanges that cost the undervalued their place."""
        m, k = order.shape
        if not self.swaps or not 0 < self.undervalued < k:
            return order
        place, rows = np.argsort(order, axis=1), np.arange(m)
        for _ in range(self.swaps):
            valued = rng.integers(k - self.undervalued, size=m)
            under = rng.integers(k - self.undervalued, k, size=m)
            above, below = place[rows, under], place[rows, valued]
            place[rows, under], place[rows, valued] = np.maximum(above, below), np.minimum(above, below)
        return np.argsort(place, axis=1)

    def _table(self, names: tuple[str, ...], latent: FloatArray, stated: FloatArray) -> Ratings:
        m, k = latent.shape
        policy, item = np.repeat(np.arange(k), m), np.tile(np.arange(m), k)
        return Ratings(
            policies=names,
            judges=("stated",),
            policy=policy,
            item=item,
            cluster=item,
            score=stated.T.reshape(-1, 1),
            gold=latent.T.ravel() if self.labelled else np.full(m * k, np.nan),
            weight=np.ones(m * k),
            propensity=np.full(m * k, np.nan),
            gold_variance=np.zeros(m * k),
            covariates=np.empty((m * k, 0)),
        )


def mallows(rng: np.random.Generator, m: int, k: int, phi: float) -> IntArray:
    """[m, k] orders of 0 … k − 1 with P ∝ φ^{pairs turned round}, by repeated insertion.

    Arguments:
        rng: of the draws.
        m, k: orders, and their length.
        phi: in [0, 1).
    """
    place = np.zeros((m, k), dtype=np.int64)
    for i in range(1, k):
        mass = np.cumsum(phi ** np.arange(i + 1.0))
        ahead = np.searchsorted(mass / mass[-1], rng.random(m), side="right")  # of how many it is put before
        at = i - ahead
        place[:, :i] += place[:, :i] >= at[:, None]
        place[:, i] = at
    return np.argsort(place, axis=1)
