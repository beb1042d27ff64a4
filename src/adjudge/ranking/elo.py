"""Elo ratings: each comparison moves the winner up and the loser down by what was unexpected, and the past fades.

    R_left += K (y − p),   R_right −= K (y − p),       p = 1/(1 + 10^{(R_right − R_left)/400}),      a tie is y = ½

The end depends on the order of the comparisons: another order, another leaderboard. Unless the recorded order is asked
for, the value is the mean over random orders (all advanced at once, comparison by comparison), and what is left of that
dependence is the part `order` of the error. The part `sampling`, by cluster, is the influence of each comparison on the
mean path of the ratings (`_elo_flow`): a bootstrap would drown in the noise of the orders.

A row of count c is c comparisons; a weight multiplies K. Python updates the recorded order, 0.5 s for a million; random
orders advance 100 at a time in some 10 µs a comparison, and play the last 100,000 of their order when there are more,
from where the mean path then stands.

Elo (1978), The rating of chessplayers, past and present.
Limits: small K and endless comparisons give `ranking.bradley_terry` with ties as half wins; K → 0 gives the start.
"""

from __future__ import annotations

import math

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons
from . import _elo_flow, _votes
from ._votes import Votes

CARD = Card(
    answers="Who is best now, when ratings are updated after every comparison and the past fades?",
    equation="R_left += K (y − p),  R_right −= K (y − p),  p = 1/(1 + 10^{(R_right − R_left)/400})",
    papers=(
        Paper("The rating of chessplayers, past and present", "Elo", 1978, "Arco", "", "Section 8.2"),
        Paper(
            "Elo uncovered: robustness and best practices in language model evaluation",
            "Boubdir, Kim, Ermis, et al.",
            2024,
            "NeurIPS 37",
            "https://arxiv.org/abs/2311.17295",
        ),
    ),
    needs=("left", "right", "outcome", "time"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "Averaged over orders: the policies do not change. In the recorded order: they change slowly.",
    ),
    limits=(
        "Small K and endless comparisons give the Bradley-Terry fit with ties as half wins.",
        "Few comparisons leave the ratings near their start: the interval is of Elo's rating, not of the strength.",
    ),
    when="To follow policies that change, or to reproduce a leaderboard; for policies that stay as they are, "
    "ranking.bradley_terry uses every comparison fully and has no order.",
    unit="Elo points",
)

MOST_GAMES = 100_000  # comparisons that a random order plays
ORDERS = 100  # random orders that measure the spread of a single one
START_LEFT = 0.1  # share of the starting ratings that may be left before a finding says so
MOST_NUMBERS = 100_000_000  # of a table that the error needs twice
PRIME = 7103  # this method's own stream of random numbers


def rank(
    table: Comparisons,
    *,
    step: float = 4.0,
    scale: float = 400.0,
    initial: float = 1000.0,
    shuffles: int = ORDERS,
    seed: int = 0,
) -> Estimate:
    """Elo ratings, averaged over random orders or in the recorded one.

    Arguments:
        table: votes; ties of `time` stand in the order of the file. Policies outside the largest connected part
            get NaN.
        step: K, points that one surprise can move a rating; 4 is usual for leaderboards, 16 to 32 for players.
        scale: points for odds of ten to one.
        initial: rating to start from, and the mean of the ratings ever after.
        shuffles: random orders to average over; 0 takes the recorded order, whose error then holds all of the spread
            between orders.
        seed: of the random orders.

    Raises:
        AdjudgeError: K is not positive, or so large that one comparison would move a rating by more than `scale`.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> rank(from_arrays(np.array([0]), np.array([1]), np.array([1.0])), step=32.0).value
    array([1016.,  984.])
    """
    votes, notes = _votes.gather(table)
    _check(votes, step, scale, shuffles)
    _check_size(votes)
    inside, more = _votes.network(votes)
    inner = votes.take(inside[votes.left])
    games = _sequence(inner, table)
    mean = _elo_flow.flow(inner, step=step, scale=scale, initial=initial)
    covariance, units = _elo_flow.covariance(inner, mean)
    ends = _shuffled(inner, games, mean, step, scale, shuffles or ORDERS, seed)
    spread = np.cov(ends.T, ddof=1).reshape(votes.k, votes.k) if ends.shape[0] > 1 else np.zeros((votes.k,) * 2)
    if shuffles:
        value, order = ends.mean(axis=0), spread / max(ends.shape[0], 1)
    else:
        value, order = _played(inner, games, step, scale, initial, 1)[-1], spread
    findings = [*notes, *more, *_findings(inner, inside, mean.left_over, spread, covariance)]
    return _votes.estimate(
        inner,
        inside,
        value,
        [Part("sampling", covariance, units), Part("order", order, ends.shape[0])],
        method="ranking.elo",
        df=units - 1,
        findings=findings,
    )


def history(
    table: Comparisons, *, points: int = 100, step: float = 4.0, scale: float = 400.0, initial: float = 1000.0
) -> tuple[FloatArray, FloatArray]:
    """Ratings along the recorded order: times [T] and ratings [T, k] after the comparisons up to each time.

    Arguments:
        table: votes.
        points: T, spread evenly over the comparisons.
        step, scale, initial: as of `rank`.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> history(from_arrays(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 0.5])), points=2, step=32.0)[1][0]
    array([1016.,  984.])
    """
    votes, _ = _votes.gather(table)
    _check(votes, step, scale, 0)
    games = _sequence(votes, table)
    marks = _marks(games[0].size, points)
    time = table.time[votes.position][games[0][np.maximum(marks - 1, 0)]] if games[0].size else np.zeros(0)
    return time, _played(votes, games, step, scale, initial, points)


def _check(votes: Votes, step: float, scale: float, shuffles: int) -> None:
    largest = step * float(votes.weight.max(initial=0.0))
    if not (step > 0 and scale > 0 and largest <= scale and shuffles >= 0):
        raise AdjudgeError(
            f"elo: step is {step}, scale {scale}, shuffles {shuffles}; the largest K times weight is {largest}.",
            "step > 0, at most `scale` when multiplied by the largest weight, and shuffles >= 0.",
            "Choose step between 1 and 40, or scale the weights to a mean of 1.",
        )


def _check_size(votes: Votes) -> None:
    pairs = np.unique(votes.left * votes.k + votes.right).size
    if pairs * votes.k > MOST_NUMBERS:
        raise AdjudgeError(
            f"elo: {votes.k:,} policies in {pairs:,} pairs.",
            f"Its error needs policies times pairs of numbers, at most {MOST_NUMBERS:,}.",
            "Use elo.history for the ratings alone, or ranking.bradley_terry.",
        )


def _sequence(votes: Votes, table: Comparisons) -> tuple[IntArray, FloatArray]:
    """Rows in the order of events, one of count c as c comparisons, and the weight of each (less for a broken rest)."""
    time = table.time[votes.position]
    order = np.arange(time.size)
    if not np.all(time[1:] > time[:-1]):
        order = np.lexsort((table.row[votes.position], time))
    times = np.ceil(votes.count[order] - 1e-9).astype(np.int64)
    rows = np.repeat(order, times)
    weight = votes.weight[rows]
    ends = np.cumsum(times) - 1
    weight[ends] *= votes.count[order] - (times - 1)
    return rows, weight


def _marks(games: int, points: int) -> IntArray:
    """How many comparisons have been played at each of the points."""
    return np.ceil(np.arange(1, points + 1) * (games / points)).astype(np.int64)


def _played(
    votes: Votes, games: tuple[IntArray, FloatArray], step: float, scale: float, initial: float, points: int
) -> FloatArray:
    """[points, k] ratings along the order given."""
    rows, weight = games
    left, right, outcome = (each[rows].tolist() for each in (votes.left, votes.right, votes.outcome))
    gain = (step * weight).tolist()
    ratings, c, exp = [float(initial)] * votes.k, math.log(10) / scale, math.exp
    out, done = np.empty((points, votes.k)), 0
    for at, mark in enumerate(_marks(rows.size, points).tolist()):
        part = slice(done, mark)
        for i, j, y, g in zip(left[part], right[part], outcome[part], gain[part], strict=True):
            move = g * (y - 1.0 / (1.0 + exp(c * (ratings[j] - ratings[i]))))
            ratings[i] += move
            ratings[j] -= move
        out[at], done = ratings, mark
    return out


def _shuffled(
    votes: Votes,
    games: tuple[IntArray, FloatArray],
    mean: _elo_flow.Flow,
    step: float,
    scale: float,
    shuffles: int,
    seed: int,
) -> FloatArray:
    """[S, k] ratings at the end of S random orders, all advanced together."""
    rows, weight = games
    k, c, rng = votes.k, np.log(10) / scale, np.random.default_rng((seed, PRIME))
    m = min(rows.size, MOST_GAMES)
    order = _orders(rows.size, m, shuffles, rng) if m else None
    state = np.tile(mean.at(1.0 - m / max(rows.size, 1)), shuffles)
    base = np.arange(shuffles) * k
    if order is None:
        return state.reshape(shuffles, k)
    for start in range(0, m, 10_000):
        drawn = order[start : start + 10_000]
        at = rows[drawn]
        left, right = votes.left[at] + base, votes.right[at] + base
        outcome, gain = votes.outcome[at], step * weight[drawn]
        for i, j, y, g in zip(left, right, outcome, gain, strict=True):
            own, other = state[i], state[j]
            move = g * (y - 1.0 / (1.0 + np.exp(c * (other - own))))
            state[i], state[j] = own + move, other - move
    return state.reshape(shuffles, k)


def _orders(n: int, m: int, shuffles: int, rng: np.random.Generator) -> IntArray:
    """[m, S] the last m of random orders of n. Pieces of one order are such ends too, and together miss no game."""
    pieces = n // m
    whole = [rng.permutation(n)[: pieces * m].reshape(pieces, m) for _ in range(-(-shuffles // pieces))]
    return np.ascontiguousarray(np.concatenate(whole)[:shuffles].T)


def _findings(
    votes: Votes, inside: BoolArray, left_over: float, spread: FloatArray, covariance: FloatArray
) -> list[Finding]:
    """What a reader should know about the order, and about ratings that have not left their start."""
    found = []
    if left_over > START_LEFT and votes.left.size:
        found.append(
            Finding(
                "elo-still-near-start",
                Severity.WARNING,
                f"Up to {100 * left_over:.0f} % of a difference between policies is still the starting rating: these "
                "ratings are shrunk towards each other.",
                left_over,
                START_LEFT,
                "Use ranking.bradley_terry, more comparisons, or a larger step.",
            )
        )
    size = max(int(inside.sum()), 1)
    noise, error = (np.sqrt(np.diagonal(each)[inside].sum() / size) for each in (spread, covariance))
    if noise > error:
        found.append(
            Finding(
                "order-dependence",
                Severity.WARNING,
                f"One order of the comparisons differs from another by {noise:.3g} points (standard deviation), more "
                f"than the sampling error of {error:.3g}.",
                float(noise),
                float(error),
                "Average over orders (`shuffles`), or use ranking.bradley_terry, which has none.",
            )
        )
    return found
