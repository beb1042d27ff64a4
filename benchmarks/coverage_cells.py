"""The worlds of the coverage table: who has how many labels, and what is asked of the estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

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
        ask: the estimate of the one figure that is asked for.
        truth: of that figure.
    """

    name: str
    world: Judging
    labels: tuple[int, ...] | None
    ask: Callable[[Estimate], Estimate]
    truth: float

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


def cells() -> tuple[Cell, ...]:
    """Every row of the table, in its order."""
    kinds = (("continuous", CONTINUOUS), ("graded judge, binary gold", GRADED), ("binary judge", BINARY), ("rare 5 %", RARE))
    single = [Cell(f"{name}, {m} labels", world, (m,), first, world.truth[0]) for name, world in kinds for m in LABELS]
    return (*single, *_designs(), *_shifted(), *_paired())


def _designs() -> list[Cell]:
    clusters = [Cell(f"clusters of 10 draws, {m} labels", CLUSTERED, (m,), first, 0.5) for m in (20, 50, 100)]
    unequal = [
        Cell(f"unequal propensities, {m} labels", replace(GRADED, labels=m, unequal=4.0), None, first, 0.5)
        for m in (50, 100)
    ]
    noisy = [
        Cell(
            f"noisy gold, 3 raters, {m} labels",
            replace(CONTINUOUS, labels=m, raters=3, rater_sd=0.2),
            None,
            first,
            0.5,
        )
        for m in (20, 50)
    ]
    return clusters + unequal + noisy


def _shifted() -> list[Cell]:
    two = replace(CONTINUOUS, truth=(0.6, 0.4), shift=(0.0, 0.5))
    five = replace(CONTINUOUS, truth=(0.6, 0.55, 0.5, 0.45, 0.4), shift=(0.0, 0.1, -0.1, 0.1, 0.5))
    return [
        Cell("shifted policy, 30 labels; 1 other with 200", two, (200, 30), last, 0.4),
        Cell(
            "shifted policy, 30 labels; 1 other with 200; binary gold",
            replace(two, outcome="graded"),
            (200, 30),
            last,
            0.4,
        ),
        Cell("shifted policy, 30 labels; 4 others with 100", five, (100,) * 4 + (30,), last, 0.4),
        Cell(
            "shifted policy, 30 labels; 4 others with 100; binary gold",
            replace(five, outcome="graded"),
            (100,) * 4 + (30,),
            last,
            0.4,
        ),
    ]


def _paired() -> list[Cell]:
    kinds = (
        ("continuous", replace(CONTINUOUS, truth=(0.6, 0.5))),
        ("binary gold", replace(GRADED, truth=(0.6, 0.5))),
    )
    return [Cell(f"paired difference, {name}, {m} labels each", world, (m, m), difference, 0.1) for name, world in kinds for m in LABELS]
