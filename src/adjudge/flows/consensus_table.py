"""Which consensus of these raters is right most often, on the items whose class is known: a block for the audit."""

from __future__ import annotations

import itertools

import numpy as np

from ..aggregation import bayesian, dawid_skene, glad, mace, majority, one_coin, weighted
from ..core.estimate import Estimate, Part
from ..reports import numbers
from ..reports.story import Block, Forest, Table
from ..stats.certain import never_certain
from ..tables.annotations import Annotations, Consensus
from .figure_tables import rows_of

LARGE = 200_000  # labels beyond which the slower methods are left out
FEW = 2  # known items below which nothing is said


def consensus_blocks(table: Annotations, level: float = 0.95, *, seed: int = 0) -> list[Block]:
    """Accuracy of each aggregator against the known classes, and its differences from the majority.

    Arguments:
        table: labels, some items with a known class.
        level: of the intervals.
        seed: of the methods that draw.

    Returns no block where fewer than two items have both labels and a known class.
    """
    made = consensuses(table, seed=seed)
    right = accuracies(table, made)
    if right is None:
        return []
    known = int((table.known & np.isfinite(made["majority"].probability).all(axis=1)).sum())
    forest = Forest(
        rows_of(right, level, simultaneous=True, seed=seed),
        title="How often the consensus is right",
        caption=f"On the {known:,} items whose class is known; raters and items are the same for all.",
        unit="share of items that are right",
        bounds=(0.0, 1.0),
        level=level,
        subject="Method",
        ranked=False,
    )
    return [forest, _differences(right, level), *_sureness(table, made)]


def consensuses(table: Annotations, *, seed: int) -> dict[str, Consensus]:
    """Name of each method that is quick enough -> its consensus; errors of raters are not asked for."""
    made = {
        "majority": majority.aggregate(table),
        "weighted": weighted.aggregate(table),
        "one_coin": one_coin.aggregate(table, groups=0, seed=seed),
        "dawid_skene": dawid_skene.aggregate(table, groups=0, seed=seed),
        "mace": mace.aggregate(table, groups=0, seed=seed),
    }
    if table.n <= LARGE:
        made["glad"] = glad.aggregate(table, tol=1e-3, groups=0, seed=seed)
        made["bayesian"] = bayesian.aggregate(table, seed=seed)
    return made


def accuracies(table: Annotations, made: dict[str, Consensus]) -> Estimate | None:
    """Share of right items for each method, with their joint error over items; a tie counts as its shares.

    Errors: none; None where fewer than two items have labels and a known class.
    """
    at = np.flatnonzero(table.known & np.isfinite(made["majority"].probability).all(axis=1))
    if at.size < FEW:
        return None
    hits = np.column_stack([_credit(each, at, table.gold[at]) for each in made.values()])
    mean = hits.mean(axis=0)
    part = Part.from_influence("sampling", (hits - mean) / at.size)
    return never_certain(Estimate(tuple(made), mean, (part,), np.full(mean.size, at.size - 1.0), (0.0, 1.0)))


def _credit(consensus: Consensus, at: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Of each item, whether the consensus is right; its share where several classes are as probable."""
    P = consensus.probability[at]
    top = P.max(axis=1, keepdims=True) - 1e-9 <= P
    return np.asarray(top[np.arange(at.size), gold] / top.sum(axis=1))


def _differences(right: Estimate, level: float) -> Table:
    """All pairs, each on the same items."""
    k = len(right.names)
    pairs = right.differences()
    low_high, p = pairs.simultaneous(level), pairs.stepdown()
    rows = tuple(
        (
            right.names[i],
            right.names[j],
            f"{100 * value:+.1f} %",
            f"{100 * low:+.1f} % to {100 * high:+.1f} %",
            f"{chance:.3f}",
        )
        for (i, j), value, (low, high), chance, error in zip(
            itertools.combinations(range(k), 2), pairs.value, low_high, p, pairs.stderr, strict=True
        )
        if error > 0  # two methods that are right on the same items differ in nothing
    )
    return Table(
        "Which consensus is better, on the same items",
        ("Method", "against", "Difference", "Interval", "p"),
        rows,
        caption=f"{numbers.coverage(level)} intervals that hold for all pairs at once; p adjusted for all of them.",
    )


def _sureness(table: Annotations, made: dict[str, Consensus]) -> list[Block]:
    """What each method's probabilities promise beside what they keep."""
    at = np.flatnonzero(table.known & np.isfinite(made["majority"].probability).all(axis=1))
    rows = tuple(
        (
            name,
            f"{100 * each.probability[at].max(axis=1).mean():.1f} %",
            f"{100 * _credit(each, at, table.gold[at]).mean():.1f} %",
        )
        for name, each in made.items()
    )
    caption = "Where more is promised than kept, raters share errors that the method takes for agreement."
    return [Table("How sure the consensus is", ("Method", "Promised", "Kept"), rows, caption=caption)]
