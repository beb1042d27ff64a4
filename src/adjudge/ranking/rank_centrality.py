"""Ratings from a random walk that leaves each policy for those that beat it: where it stays longest is best.

    P_ij = (1/d) · share of the comparisons of i and j that j won,   πᵀP = πᵀ,   value = 1000 + 400/ln10 (log π − mean)

    d log π_j ≈ Σ_votes (m/n_lr)(y − π_l/(π_l + π_r))(π_l + π_r)(D_lj − D_rj)/π_j,      D = (I − P)# of the same scale

The error is exact to first order: # is the group inverse, which holds the derivative of a stationary distribution.

Negahban, Oh, Shah (2017), Rank centrality: ranking from pairwise comparisons.
Limits: shares that are exactly a Bradley-Terry model's, p_ij = w_i/(w_i + w_j), give exactly its weights, on any graph.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..errors import AdjudgeError
from ..stats.paired.scale import covariance_points, points
from ..tables.comparisons import Comparisons
from . import _pulls, _votes

CARD = Card(
    answers="Who is best, by a random walk over the comparisons that moves towards winners?",
    equation="πᵀP = πᵀ,  P_ij = (1/d) · share of the comparisons of i and j that j won",
    papers=(
        Paper(
            "Rank centrality: ranking from pairwise comparisons",
            "Negahban, Oh, Shah",
            2017,
            "Operations Research 65(1)",
            "https://doi.org/10.1287/opre.2016.1534",
            "Algorithm 1",
        ),
        Paper(
            "The role of the group generalized inverse in the theory of finite Markov chains",
            "Meyer",
            1975,
            "SIAM Review 17(3)",
            "https://doi.org/10.1137/1017044",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=("Comparisons, or clusters of them, are independent.", "A tie is half a win for both sides."),
    limits=(
        "Shares that follow a Bradley-Terry model exactly give exactly its weights.",
        "Each pair counts alike, however often it was compared: `weighted` counts each comparison alike instead.",
        "A policy that nobody beats keeps the walk for ever: a prior, or no rating.",
    ),
    when="As a check on ranking.bradley_terry that maximises no likelihood; that one is the more precise of the two.",
    unit="rating points; 400 are odds of ten to one",
)


def rank(table: Comparisons, *, weighted: bool = False, pseudo: float = 0.0) -> Estimate:
    """Rank centrality in rating points.

    Arguments:
        table: votes; policies outside the largest connected part get NaN and a finding.
        weighted: each comparison counts alike, instead of each pair.
        pseudo: wins added for each side of each compared pair, >= 0. At 0 a policy that never lost, or never won, has
            no rating; ½ is a beta prior without opinion.

    Raises:
        AdjudgeError: `pseudo` is negative.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> votes = from_arrays(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 0.0]), count=np.array([10.0, 1.0]))
    >>> rank(votes).value  # odds of ten to one: 400 points
    array([1200.,  800.])
    """
    if not pseudo >= 0:
        raise AdjudgeError(f"rank_centrality: pseudo is {pseudo}.", "A number of wins, >= 0.", "Leave it out, or 0.5.")
    votes, notes = _votes.gather(table)
    inside, more = _votes.network(votes)
    finite, also = _votes.rated(votes, table, prior=pseudo > 0)
    if pseudo:  # a prior on compared pairs ties no groups together
        also = (*more, *(finding for finding in also if finding.code not in {each.code for each in more}))
    else:
        inside = finite
    inner = votes.take(inside[votes.left] & inside[votes.right])
    log_pi, bread, pull, verdict, curvature = _walk(inner, inside, pseudo, weighted)
    pulls = [(inner.left, pull), (inner.right, -pull)]
    covariance, units = _pulls.sandwich(
        inner, pulls, bread, parameters=max(int(inside.sum()) - 1, 0), verdict=verdict, curvature=curvature
    )
    return _votes.estimate(
        inner,
        inside,
        points(log_pi),
        [Part("sampling", covariance_points(log_pi, covariance), units)],
        method="ranking.rank_centrality",
        df=units - 1,
        findings=(*notes, *also),
    )


def _walk(
    votes: _votes.Votes, inside: BoolArray, prior: float, weighted: bool
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """log π [k], its derivative [k, k] by what votes pull at, the pull [n] of one vote, that of an even match, and how
    fast the pull gives way."""
    k, at = votes.k, np.flatnonzero(inside)
    log_pi, bread = np.full(k, np.nan), np.zeros((k, k))
    won = _votes.wins(votes)
    met = won + won.T
    won, met = won + prior * (met > 0), met + 2 * prior * (met > 0)
    if at.size == 0 or votes.left.size == 0:
        nothing = np.zeros(votes.left.size)
        return log_pi, bread, nothing, nothing, nothing
    each = np.ones_like(met) if weighted else np.where(met > 0, met, 1.0)
    towards = (won / each).T[np.ix_(at, at)]
    scale = towards.sum(axis=1).max()
    leave = (np.diag(towards.sum(axis=1)) - towards) / scale  # I − P
    pi = _stationary(leave)
    anchor = np.outer(np.ones(at.size), pi)
    group_inverse = np.linalg.inv(leave + anchor) - anchor
    log_pi[at] = np.log(pi)
    bread[np.ix_(at, at)] = group_inverse.T / pi[:, None]
    share = np.zeros(k)
    share[at] = pi
    both = share[votes.left] + share[votes.right]
    divisor = each[votes.left, votes.right] * scale
    curvature = share[votes.left] * share[votes.right] / both / divisor
    return log_pi, bread, (votes.outcome * both - share[votes.left]) / divisor, both / 2 / divisor, curvature


def _stationary(leave: FloatArray) -> FloatArray:
    """π with πᵀ(I − P) = 0 by state reduction, which subtracts nothing and so keeps all digits of small shares.

    Grassmann, Taksar, Heyman (1985), Operations Research 33(5).
    """
    rate = -leave.copy()
    k = rate.shape[0]
    for last in range(k - 1, 0, -1):
        rate[:last, last] /= rate[last, :last].sum()
        rate[:last, :last] += np.outer(rate[:last, last], rate[last, :last])
    pi = np.ones(k)
    for state in range(1, k):
        pi[state] = pi[:state] @ rate[:state, state]
    return pi / pi.sum()
