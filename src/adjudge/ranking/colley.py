"""Ratings from wins and losses alone, each policy starting at one half: Laplace's rule of succession, with opponents.

    (2 + n_i) r_i − Σ_j n_ij r_j = 1 + (wins_i − losses_i)/2,        a tie counts for neither

The error is the clustered sandwich of this linear system. Its truth is the rating that the same schedule would give if
every outcome were replaced by its probability: the pull of 2 imaginary games towards ½ is part of the rating itself.

Colley (2002), Colley's bias free college football ranking method.
Limits: no game gives ½; many games, spread evenly, give ½ + `ranking.massey`/2.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..tables.comparisons import Comparisons
from . import _pulls, _votes

CARD = Card(
    answers="Who is best by wins and losses alone, with the strength of the opponents allowed for?",
    equation="(2 + n_i) r_i − Σ_j n_ij r_j = 1 + (wins_i − losses_i)/2",
    papers=(
        Paper(
            "Colley's bias free college football ranking method: the Colley matrix explained",
            "Colley",
            2002,
            "Princeton University",
            "https://www.colleyrankings.com/matrate.pdf",
            "Eq. 17",
        ),
        Paper(
            "Who's #1? The science of rating and ranking",
            "Langville, Meyer",
            2012,
            "Princeton University Press",
            "https://doi.org/10.1515/9781400841677",
            "Chapter 3",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=("Comparisons, or clusters of them, are independent.", "Who meets whom does not hang on the verdict."),
    limits=(
        "No game gives ½; many games give ½ + half of Massey's rating of wins.",
        "Ratings of rarely compared policies lie near ½ by construction, however good they are.",
    ),
    when="For short leagues in which somebody never lost; ranking.bradley_terry with a prior says the same in odds.",
    unit="Colley rating; 0.5 is average",
)


def rank(table: Comparisons) -> Estimate:
    """Colley ratings: one half on average, about 0 to 1.

    Arguments:
        table: votes; a probability p counts p for left and 1 − p for right. Policies outside the largest connected
            part get NaN and a finding: their ratings would be about other opponents.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> rank(from_arrays(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 1.0]))).value.round(3)
    array([0.667, 0.333])
    """
    votes, notes = _votes.gather(table)
    inside, more = _votes.network(votes)
    inner = votes.take(inside[votes.left])
    inverse = np.asarray(np.linalg.inv(inner.laplacian(inner.mass) + 2 * np.eye(votes.k)))
    value = 0.5 + inverse @ inner.pull(inner.mass * (inner.outcome - 0.5))
    residual = inner.outcome - 0.5 - (value[inner.left] - value[inner.right])
    pulls = [(inner.left, residual), (inner.right, -residual)]
    covariance, units = _pulls.sandwich(
        inner, pulls, inverse, parameters=max(int(inside.sum()) - 1, 0), verdict=0.5, curvature=np.ones(inner.left.size)
    )
    return _votes.estimate(
        inner,
        inside,
        value,
        [Part("sampling", covariance, units)],
        method="ranking.colley",
        df=units - 1,
        findings=(*notes, *more),
    )
