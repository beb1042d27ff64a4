"""The worlds of the coverage table: who has how many labels, and what is asked of the estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from adjudge._typing import FloatArray
from adjudge.core.estimate import Estimate
from adjudge.sim.judging import Judging, World
from adjudge.tables.ratings import Ratings

ROWS = 1000
LABELS = (10, 20, 50, 100)
CONTINUOUS = Judging(truth=(0.5,), items=ROWS, outcome="continuous")
GRADED = replace(CONTINUOUS, outcome="graded")
BINARY = replace(CONTINUOUS, outcome="binary", sensitivity=0.95, specificity=0.60)
RARE = replace(GRADED, truth=(0.05,))
CLUSTERED = replace(GRADED, items=100, draws=10)


@dataclass(frozen=True)
class Cell:
    """One row of the table.

    Arguments:
        name: what the reader sees.
        world: the population.
        labels: labels of each policy, drawn at random; None leaves the world's own labels.
        ask: the estimate of the one figure that is asked for, or `simultaneous`.
        truth: of that figure.
        exact: whether the labels are independent, equally weighted and binary, so that Clopper-Pearson is exact.
    """

    name: str
    world: Judging
    labels: tuple[int, ...] | None
    ask: Callable[..., Any]
    truth: float
    exact: bool = False

    def draw(self, seed: tuple[int, ...]) -> Ratings:
        """A table of the world with the cell's labels."""
        number = int(np.random.SeedSequence(seed).generate_state(1)[0])
        world = self.world.draw(number)
        return world.ratings if self.labels is None else relabelled(world, self.labels, np.random.default_rng(seed))


def relabelled(world: World, labels: tuple[int, ...], rng: np.random.Generator) -> Ratings:
    """The world's table with so many random labels on each policy, chosen anew."""
    ratings = world.ratings
    chosen = np.zeros(ratings.n, dtype=bool)
    for policy, size in enumerate(labels):
        chosen[rng.choice(np.flatnonzero(ratings.policy == policy), size, replace=False)] = True
    return replace(
        ratings,
        gold=np.where(chosen, world.gold, np.nan),
        gold_variance=np.zeros(ratings.n),
        propensity=np.full(ratings.n, np.nan),
    )


def first(estimate: Estimate) -> Estimate:
    return estimate.select(estimate.names[:1])


def last(estimate: Estimate) -> Estimate:
    return estimate.select(estimate.names[-1:])


def difference(estimate: Estimate) -> Estimate:
    return estimate.difference(estimate.names[0], estimate.names[1])


def simultaneous(estimate: Estimate, truth: FloatArray, level: float) -> tuple[float, float]:
    """0 ± the mean width / 2 where all intervals hold together, and that beside 0 where one fails."""
    low, high = estimate.simultaneous(level).T
    half = float(np.mean(high - low)) / 2
    return (-half, half) if np.all((low <= truth) & (truth <= high)) else (half, 3 * half)


@cache
def cells() -> tuple[Cell, ...]:
    """Every row of the table, in its order."""
    kinds = (
        ("continuous", CONTINUOUS),
        ("graded judge, binary gold", GRADED),
        ("binary judge and gold", BINARY),
        ("rare gold (5 %)", RARE),
    )
    single = [
        Cell(f"{name}, {m} labels", world, (m,), first, world.truth[0], world is not CONTINUOUS)
        for name, world in kinds
        for m in LABELS
    ]
    return (*single, *_designs(), *_shifted(), *_paired(), *_together())


def _designs() -> list[Cell]:
    noisy = replace(CONTINUOUS, raters=3, rater_sd=0.2)
    unequal = replace(GRADED, unequal=4.0)
    return [
        *(Cell(f"clusters of 10 draws, {m} labels", CLUSTERED, (m,), first, 0.5) for m in (20, 50, 100)),
        *(Cell(f"unequal propensities, {m} labels", replace(unequal, labels=m), None, first, 0.5) for m in (50, 100)),
        *(Cell(f"noisy gold, 3 raters, {m} labels", replace(noisy, labels=m), None, first, 0.5) for m in (20, 50)),
    ]


def _shifted() -> list[Cell]:
    two = replace(CONTINUOUS, truth=(0.6, 0.4), shift=(0.0, 0.5))
    five = replace(CONTINUOUS, truth=(0.6, 0.55, 0.5, 0.45, 0.4), shift=(0.0, 0.1, -0.1, 0.1, 0.5))
    return [
        Cell(
            f"shifted policy, {own} labels; {others}{kind}",
            replace(world, outcome=outcome),
            (*rest, own),
            last,
            0.4,
            exact,
        )
        for world, rest, own, others in (
            (two, (200,), 30, "1 other with 200"),
            (five, (100,) * 4, 30, "4 others with 100"),
            (five, (100,) * 4, 20, "4 others with 100"),
        )
        for outcome, kind, exact in (("continuous", "", False), ("graded", ", binary gold", True))
    ]


def _paired() -> list[Cell]:
    kinds = (
        ("continuous", replace(CONTINUOUS, truth=(0.6, 0.5))),
        ("binary gold", replace(GRADED, truth=(0.6, 0.5))),
    )
    return [
        Cell(f"paired difference, {name}, {m} labels each", world, (m, m), difference, 0.1)
        for name, world in kinds
        for m in LABELS
    ]


def _together() -> list[Cell]:
    five = Judging(items=ROWS, labels=250)
    return [
        Cell("all five at once, 50 labels each", five, (50,) * 5, simultaneous, 0.0),
        Cell(
            "all five at once, binary gold, 50 labels each",
            replace(five, outcome="graded"),
            (50,) * 5,
            simultaneous,
            0.0,
        ),
    ]
