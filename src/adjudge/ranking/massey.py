"""Ratings whose differences come closest to the margins of all comparisons: least squares on who won by how much.

    r = argmin Σ_g w_g (m_g − (r_left − r_right))²,      L r = Σ_g w_g m_g (e_left − e_right),      Σ r = 0

The margin m is +1, 0, −1 for a win, tie, loss (a probability p counts 2p − 1), or a column of the table, such as points
or progress, in its own unit. L is the Laplacian of the comparisons. The error is the clustered sandwich of the
regression: the linear model need not hold, r is then the best linear account of the expected margins on this schedule.

Massey (1997), Statistical models applied to the rating of sports teams.
Limits: everybody meets everybody equally often gives the mean margin of each policy, times (k − 1)/k.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons
from . import _pulls, _votes

CARD = Card(
    answers="By how much is each policy better, when the margin of a win counts and not the win alone?",
    equation="r = argmin Σ_g w_g (m_g − (r_left − r_right))²,  Σ r = 0",
    papers=(
        Paper(
            "Statistical models applied to the rating of sports teams",
            "Massey",
            1997,
            "Bluefield College, honours thesis",
            "https://masseyratings.com/theory/massey97.pdf",
            "Chapter 4",
        ),
        Paper(
            "Who's #1? The science of rating and ranking",
            "Langville, Meyer",
            2012,
            "Princeton University Press",
            "https://doi.org/10.1515/9781400841677",
            "Chapter 2",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=("Comparisons, or clusters of them, are independent.", "Who meets whom does not hang on the margin."),
    limits=(
        "A complete and even schedule gives mean margins, times (k − 1)/k.",
        "Wins alone (±1) saturate: a policy that wins always is not rated above the margin 1; "
        "ranking.bradley_terry has no such roof.",
    ),
    when="When there is a margin worth counting; for wins and ties alone, ranking.bradley_terry.",
    unit="margin of victory; 0 is average",
)


def rank(table: Comparisons, *, margin: str | None = None) -> Estimate:
    """Massey's least-squares ratings, in the unit of the margin, with mean 0.

    Arguments:
        table: votes; policies outside the largest connected part get NaN and a finding.
        margin: name of a covariate that holds the margin left − right; the verdict as +1, 0, −1 by default.

    Raises:
        AdjudgeError: the table has no such covariate.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> votes = from_arrays(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([1.0, 1.0, 0.5]))
    >>> rank(votes).value.round(3)
    array([ 0.667, -0.333, -0.333])
    """
    votes, notes = _votes.gather(table)
    if margin is None:
        m = 2 * votes.outcome - 1
    elif margin in table.covariate_names:
        m = table.covariates[votes.position, table.covariate_names.index(margin)]
        known = np.isfinite(m)
        votes, m = votes.take(known), m[known]
    else:
        raise AdjudgeError(
            f"massey: the table has no covariate {margin!r}.",
            f"Covariates here: {', '.join(table.covariate_names) or 'none'}.",
            "Name one of them, or leave `margin` out to count wins.",
        )
    inside, more = _votes.network(votes)
    at = np.flatnonzero(inside)
    inverse = np.zeros((votes.k, votes.k))
    if at.size:
        joined = votes.laplacian(votes.mass)[np.ix_(at, at)]
        level = max(float(np.trace(joined)), 1e-300) / at.size**2  # the mean is 0 by choice: held, and taken off again
        inverse[np.ix_(at, at)] = np.linalg.inv(joined + level) - 1 / (level * at.size**2)
    value = inverse @ votes.pull(votes.mass * m)
    residual = m - (value[votes.left] - value[votes.right])
    pulls = [(votes.left, residual), (votes.right, -residual)]
    kept = inside[votes.left]
    pulls, inner = [(who[kept], pull[kept]) for who, pull in pulls], votes.take(kept)
    covariance, units = _pulls.sandwich(
        inner,
        pulls,
        inverse,
        parameters=max(at.size - 1, 0),
        verdict=1.0 if margin is None else 0.0,
        curvature=np.ones(inner.left.size),
    )
    if margin is not None:
        covariance[np.diagonal(covariance) <= 1e-18 * max(float(np.square(m).max(initial=0.0)), 1e-300)] = np.nan
    return _votes.estimate(
        inner,
        inside,
        value,
        [Part("sampling", covariance, units)],
        method="ranking.massey",
        df=units - 1,
        findings=(*notes, *more),
    )
