"""Tells scores over tasks as votes on pairs, so that every kind of evidence speaks of differences between policies.

    pass or progress y in [0, 1]:   y_i·(1 − y_j) votes for i and (1 − y_i)·y_j for j,    i, j on one task
    rating, ordinal:                one vote for the higher, a tie where they are equal

If logit E[y_i] = c·θ_i − difficulty of the task, the first line's expectations stand as e^{cθ_i} to e^{cθ_j} for any
difficulty: it drops out, where a logistic regression with an effect for every task would be biased by having so many.
A task with m scored rows makes about m²/2 pairs of weight 2/m each.

Choppin (1968), Item bank using sample-free calibration, Nature 219: pairs of items passed by one person; here, of
policies on one task. Zwinderman (1995), Pairwise parameter estimation in Rasch models, APM 19(4).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons, from_arrays
from ..tables.ratings import Ratings

KINDS = ("pass", "progress", "rating")
PAIRS = "pairs"
MOST = 20_000_000


def kind_of(score: FloatArray) -> str:
    """What a metric's numbers look like: 0 and 1 only, within [0, 1], or anything else."""
    known = score[np.isfinite(score)]
    if np.isin(known, (0.0, 1.0)).all():
        return "pass"
    return "progress" if known.min() >= 0 and known.max() <= 1 else "rating"


def chosen(ratings: Ratings, kinds: Mapping[str, str] | None) -> dict[str, str]:
    """Kind of each metric; those that are named stand.

    Raises AdjudgeError for an unknown metric or kind, or numbers outside the kind's range.
    """
    found = {}
    for name in kinds or ():
        if name not in ratings.judges:
            raise AdjudgeError(
                f"kinds names {name!r}.", f"Metrics here: {', '.join(ratings.judges)}.", "Name one of them."
            )
    for j, name in enumerate(ratings.judges):
        column = ratings.score[:, j]
        if not np.isfinite(column).any():
            continue
        kind = (kinds or {}).get(name) or kind_of(column)
        if kind not in KINDS:
            raise AdjudgeError(f"kinds[{name!r}] is {kind!r}.", f"One of {', '.join(KINDS)}.", "Name one of them.")
        if kind != "rating" and (np.nanmin(column) < 0 or np.nanmax(column) > 1):
            raise AdjudgeError(
                f"ratings.score[{name!r}] runs from {np.nanmin(column):g} to {np.nanmax(column):g}.",
                f"A metric of kind {kind} lies in [0, 1].",
                f"Use kinds={{{name!r}: 'rating'}}, or divide by the full score.",
            )
        found[name] = kind
    return found


def pairs_of_rows(item: IntArray, policy: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Positions of every two rows of one item by different policies, and 2/m for the m rows of that item."""
    order = np.argsort(item, kind="stable")
    _, start, size = np.unique(item[order], return_index=True, return_counts=True)
    total = int((size.astype(float) ** 2).sum())
    if total > MOST:
        raise AdjudgeError(
            f"ratings: tasks with up to {int(size.max()):,} rows make {total // 2:,} pairs.",
            f"At most {MOST // 2:,}.",
            "Average repeated runs of one policy on one task first.",
        )
    rest = np.repeat(start + size, size) - np.arange(item.size) - 1  # rows of the same item that come later
    one = np.repeat(np.arange(item.size), rest)
    other = one + 1 + np.arange(one.size) - np.repeat(np.cumsum(rest) - rest, rest)
    weight = np.repeat(2.0 / np.repeat(size, size), rest)
    apart = policy[order[one]] != policy[order[other]]
    return order[one[apart]], order[other[apart]], weight[apart]


def votes_of(ratings: Ratings, name: str, kind: str) -> tuple[IntArray, IntArray, FloatArray, FloatArray, IntArray]:
    """left, right, outcome, weight and cluster of the votes that one metric casts; no vote of weight 0."""
    score = ratings.score[:, ratings.judges.index(name)]
    rows = np.flatnonzero(np.isfinite(score) & (ratings.weight > 0))
    one, other, share = pairs_of_rows(ratings.item[rows], ratings.policy[rows])
    one, other = rows[one], rows[other]
    weight = share * np.sqrt(ratings.weight[one] * ratings.weight[other])
    left, right, cluster = ratings.policy[one], ratings.policy[other], ratings.cluster[one]
    a, b = score[one], score[other]
    if kind == "rating":
        return left, right, np.where(a == b, 0.5, (a > b).astype(float)), weight, cluster
    won, lost = weight * a * (1 - b), weight * (1 - a) * b
    up, down = won > 0, lost > 0
    return (
        np.concatenate([left[up], left[down]]),
        np.concatenate([right[up], right[down]]),
        np.concatenate([np.ones(int(up.sum())), np.zeros(int(down.sum()))]),
        np.concatenate([won[up], lost[down]]),
        np.concatenate([cluster[up], cluster[down]]),
    )


def together(
    pairs: Comparisons | None, ratings: Ratings | None, kinds: Mapping[str, str] | None, *, same_clusters: bool
) -> Comparisons:
    """All evidence as one table of votes; its raters are the kinds of evidence, its policies all names there are.

    Arguments:
        pairs, ratings: either may be None.
        kinds: of metrics.
        same_clusters: whether cluster codes (of pairs: the first column) mean the same in both tables.
    """
    names = sorted({*(pairs.policies if pairs else ()), *(ratings.policies if ratings else ())})
    place = {name: i for i, name in enumerate(names)}
    blocks, sources = [], []
    offset = 0
    if pairs is not None:
        code = np.array([place[name] for name in pairs.policies])
        on = pairs.known
        own = pairs.cluster if pairs.cluster.shape[1] else np.arange(pairs.n)[:, None]
        columns = own[:, [0, -1]][on]
        offset = 0 if same_clusters and pairs.cluster.shape[1] else int(own.max(initial=-1)) + 1
        row = (code[pairs.left], code[pairs.right], pairs.outcome, pairs.weight, pairs.count)
        blocks.append((*(each[on] for each in row), columns))
        sources.append(PAIRS)
    if ratings is not None:
        code = np.array([place[name] for name in ratings.policies])
        for name, kind in chosen(ratings, kinds).items():
            left, right, outcome, weight, cluster = votes_of(ratings, name, kind)
            columns = np.tile(cluster[:, None] + offset, (1, 2))
            blocks.append((code[left], code[right], outcome, weight, np.ones(left.size), columns))
            sources.append(name)
    left, right, outcome, weight, count, cluster = (np.concatenate(each) for each in zip(*blocks, strict=True))
    return from_arrays(
        left,
        right,
        outcome,
        policies=tuple(names),
        rater=np.repeat(np.arange(len(sources)), [block[0].size for block in blocks]),
        raters=tuple(sources),
        weight=weight,
        count=count,
        cluster=None if not left.size else cluster[:, :1] if np.array_equal(cluster[:, 0], cluster[:, 1]) else cluster,
    )
