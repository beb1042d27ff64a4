"""Published elections as tables of votes."""

from __future__ import annotations

import numpy as np

from adjudge.tables.comparisons import Comparisons, from_arrays

SCHULZE = {  # Wikipedia, "Schulze method", Example: 45 voters; the same as example 1 of Schulze (2011)
    "ACBED": 5,
    "ADECB": 5,
    "BEDAC": 8,
    "CABED": 3,
    "CAEBD": 7,
    "CBADE": 2,
    "DCEBA": 7,
    "EBADC": 8,
}
TENNESSEE = {"MNCK": 42, "NCKM": 26, "CKNM": 15, "KCNM": 17}  # Wikipedia, "Kemeny method": capital of Tennessee
CONDORCET = {"ABC": 23, "BCA": 19, "CAB": 17}  # a circle: A beats B 40:19, B beats C 42:17, C beats A 36:23


def votes(ballots: dict[str, int]) -> Comparisons:
    """Every ballot as votes on all pairs, each ballot a cluster."""
    names = tuple(sorted(next(iter(ballots))))
    voters = [order for order, count in ballots.items() for _ in range(count)]
    place = np.array([[order.index(name) for name in names] for order in voters])
    left, right = np.triu_indices(len(names), 1)
    outcome = (place[:, left] < place[:, right]).astype(float)
    voter = np.repeat(np.arange(len(voters)), left.size)
    every = len(voters)
    return from_arrays(
        np.tile(left, every), np.tile(right, every), outcome.ravel(), policies=names, cluster=voter, item=voter
    )


def margin_graph(edges: dict[str, int], *, votes_each: int = 100) -> Comparisons:
    """Votes with the given net margins, such as {"ab": 12}: a beats b by 12 of `votes_each`."""
    names = tuple(sorted({name for edge in edges for name in edge}))
    left = np.array([names.index(edge[0]) for edge in edges])
    right = np.array([names.index(edge[1]) for edge in edges])
    won = np.array([(votes_each + margin) / 2 for margin in edges.values()])
    return from_arrays(
        np.tile(left, 2),
        np.tile(right, 2),
        np.repeat([1.0, 0.0], left.size),
        policies=names,
        count=np.concatenate([won, votes_each - won]),
    )
