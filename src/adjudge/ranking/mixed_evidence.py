"""One rating for each policy from all there is: votes on pairs, ratings, pass or fail, partial progress.

    η = c_e·(θ_i − θ_j),      P(i wins) : P(tie) : P(j wins) = e^{η/2} : ν_e : e^{−η/2},     kind of evidence e

Votes on pairs enter as they are. A metric's scores on one task are compared with each other, which takes the task's
difficulty out: passes and progress y by y_i(1 − y_j) against (1 − y_i)y_j, ratings by which is higher. The loading c_e
says how sharply a kind of evidence tells policies apart, on the scale of the first kind (the pairs, where there are
any): that alone fixes the scale. It is a quasi-likelihood: pairs of scores on one task lean on each other, and the
sandwich by cluster allows for it. Whether a kind of evidence ranks otherwise than all together is tested by its score.

Choppin (1968) and Zwinderman (1995) (pairs in place of difficulties); Davidson (1970); White (1982) (sandwich, score).
Limits: pairs alone are `ranking.bradley_terry`; a metric alone has c = 1, and its own scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import sparse, special

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.design import equal_clusters
from ..stats.paired import graph, newton, sandwich, scale
from ..stats.paired.votes import collect
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from . import _evidence
from . import _loaded_fit as fits

CARD = Card(
    answers="Who is best by votes on pairs, ratings, passes and partial progress together?",
    equation="η = c_e·(θ_i − θ_j),  P(win : tie : loss) = e^{η/2} : ν_e : e^{−η/2}",
    papers=(
        Paper(
            "Pairwise parameter estimation in Rasch models",
            "Zwinderman",
            1995,
            "Applied Psychological Measurement 19(4)",
            "https://doi.org/10.1177/014662169501900406",
        ),
        Paper(
            "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments",
            "Davidson",
            1970,
            "Journal of the American Statistical Association 65(329)",
            "https://doi.org/10.1080/01621459.1970.10481082",
            "Eq. 2.3",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "All kinds of evidence are about one strength of each policy; the test of each says where they are not.",
        "Scores of different policies on one task are independent once the task's difficulty is known.",
    ),
    limits=(
        "Votes on pairs alone are ranking.bradley_terry.",
        "Without votes on pairs the scale is the first metric's.",
        "A policy in one table only is ranked through those it shares.",
    ),
    when="When several kinds of evidence are about the same policies, each too thin alone.",
    unit="rating points; 400 are odds of ten to one",
)
LEVEL = 0.01
FEW = 10


def rank(
    pairs: Comparisons | None,
    *,
    ratings: Ratings | None = None,
    kinds: Mapping[str, str] | None = None,
    same_clusters: bool = False,
) -> Estimate:
    """Ratings in points, centred on 1000; policies are matched by name, all names of both tables in sorted order.

    Arguments:
        pairs: votes; None for metrics alone.
        ratings: scores over tasks, one column for each metric; None for votes alone.
        kinds: metric -> `pass`, `progress` or `rating`; from its numbers where not named.
        same_clusters: whether cluster codes mean the same units in both tables.

    Figures: `loadings`, c of each kind of evidence; `pvalues`, of each agreeing with all; `only …`, the ratings by
    each alone, on the common scale.

    Raises AdjudgeError: no table; a metric outside its range; an unknown kind or metric.

    >>> import numpy as np
    >>> from adjudge.tables.comparisons import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> left = rng.integers(0, 2, 300)
    >>> result = rank(from_arrays(left, left + 1, (rng.random(300) < 0.7).astype(float)))
    >>> result.figures["loadings"].names
    ('pairs',)
    """
    if pairs is None and ratings is None:
        raise AdjudgeError("mixed_evidence: no table was given.", "Votes on pairs, or scores.", "Give one or both.")
    table = _evidence.together(pairs, ratings, kinds, same_clusters=same_clusters)
    doors = (*(pairs.findings if pairs else ()), *(ratings.findings if ratings else ()))
    votes = collect(table)
    reach = graph.examine(votes, table.policies)
    used = np.flatnonzero(table.known & reach.keep[table.left] & reach.keep[table.right])
    heard = np.unique(table.rater[used])
    rows = _sources(table, used, heard)
    starts, free = _starts(table, rows, newton.fit(votes, keep=reach.keep).beta[: table.k], reach.keep)
    at, inverse, done = _highest(rows, starts, free)
    theta = np.where(reach.keep & done, at[: table.k], np.nan)
    names = tuple(table.raters[e] for e in heard)
    cluster = table.cluster[used]
    scored = fits.scores(rows, at)
    count = table.count[used] if pairs is not None and not pairs.cluster.shape[1] else np.ones(used.size)
    units, even = equal_clusters(cluster, rows.mass, count) if used.size else (0, 0.0)
    covariance = inverse @ _meat(scored, cluster, count) @ inverse
    df = max(min(units, even) - 1.0, 0.0)
    figures: dict[str, Estimate] = {}
    notes: tuple[Finding, ...] = ()
    if done:
        figures = _figures(table, rows, names, at, covariance, (units, df))
        pvalues = np.array([_disagreement(rows, e, at, inverse, scored, cluster, count, df) for e in range(rows.kinds)])
        unknown = Part("not worked out", np.full((rows.kinds, rows.kinds), np.nan), 0)
        figures["pvalues"] = Estimate(names, pvalues, (unknown,), np.array(np.inf), bounds=(0.0, 1.0))
        notes = _findings(names, figures["loadings"], pvalues)
        if units < FEW:
            text = f"Only {units} independent clusters: the intervals are too narrow, or there are none."
            notes = (*notes, Finding("clusters-few", Severity.WARNING, text, units, FEW, "Add tasks or prompts."))
    elif heard.size:
        text = "The evidence allows no finite answer: its kinds contradict each other, or one says nothing."
        notes = (Finding("fit-unsettled", Severity.SEVERE, text, remedy="Rank by each kind of evidence alone."),)
    return scale.to_points(
        table.policies,
        theta,
        covariance=covariance[: table.k, : table.k],
        units=units,
        df=df,
        method="ranking.mixed_evidence",
        findings=(*doors, *reach.findings, *notes),
        figures=figures,
    )


def _sources(table: Comparisons, used: IntArray, heard: IntArray) -> fits.Sources:
    """The votes of the fit, with sources coded without gaps."""
    source = np.searchsorted(heard, table.rater[used])
    tied = np.bincount(source[table.outcome[used] == 0.5], minlength=heard.size) > 0
    mass = (table.weight * table.count)[used]
    return fits.Sources(table.left[used], table.right[used], source, table.outcome[used], mass, table.k, tied)


def _starts(
    table: Comparisons, rows: fits.Sources, pooled: FloatArray, keep: BoolArray
) -> tuple[list[FloatArray], BoolArray]:
    """Where to begin: the pooled ratings with all loadings 1, and those of the first kind alone with the others' 0.

    Kinds that rank the other way round cancel in the pool; the second start knows nothing of them yet. Also [q] what
    may move.
    """
    E = rows.kinds
    tie = np.where(rows.tied, -0.5, 0.0)
    starts = [np.concatenate([np.where(keep, pooled, 0.0), np.ones(E), tie])]
    if E > 1:
        first = collect(table.take(table.known & (table.rater == table.rater[table.known].min())))
        theta = newton.fit(first, keep=keep & graph.examine(first, table.policies).keep).theta
        starts.append(np.concatenate([np.nan_to_num(theta), np.arange(E) == 0, tie]))
    return starts, np.concatenate([keep, np.arange(E) > 0, rows.tied])


def _highest(rows: fits.Sources, starts: list[FloatArray], free: BoolArray) -> tuple[FloatArray, FloatArray, bool]:
    """The best of the climbs that settled; nothing where there are no votes."""
    if not rows.kinds:
        return starts[0], np.full((free.size,) * 2, np.nan), False
    climbs = [fits.climb(rows, start, free) for start in starts]
    return max(climbs, key=lambda each: (each[2], float(fits.slopes(rows, each[0])[2].value.sum())))


def _meat(scored: sparse.csr_array, cluster: IntArray, count: FloatArray) -> FloatArray:
    """[q, q] clustered sum of squares of the scores, one way or two."""
    if not scored.shape[0]:
        return np.full((scored.shape[1],) * 2, np.nan)
    ways = [_gram(scored, column, count) for column in cluster.T]
    if len(ways) == 1:
        return ways[0]
    _, crossed = np.unique(cluster, axis=0, return_inverse=True)
    return sandwich.positive(ways[0] + ways[1] - _gram(scored, crossed.ravel(), count))


def _gram(scored: sparse.csr_array, cluster: IntArray, count: FloatArray) -> FloatArray:
    """[q, q] sum of squares over the clusters of one column; a row of count c is c independent votes."""
    u, _ = equal_clusters(cluster[:, None], count, count)
    code, n = np.unique(cluster, return_inverse=True)[1].ravel(), cluster.size
    scaled = sparse.diags_array(1 / np.sqrt(count)) @ scored
    sums = sparse.csr_array((np.ones(n), (code, np.arange(n))), shape=(int(code.max()) + 1, n)) @ scaled
    return np.asarray((sums.T @ sums).toarray() * (u / (u - 1) if u > 1 else np.nan))


def _figures(
    table: Comparisons,
    rows: fits.Sources,
    names: tuple[str, ...],
    at: FloatArray,
    covariance: FloatArray,
    told: tuple[int, float],
) -> dict[str, Estimate]:
    """Loadings, and what each kind of evidence says alone, divided by its loading; `told` is units and freedom."""
    k, E, (units, df) = rows.k, rows.kinds, told
    part = Part("sampling", covariance[k : k + E, k : k + E], units)
    figures = {"loadings": Estimate(names, at[k : k + E], (part,), np.array(df))}
    for e, name in enumerate(names) if E > 1 else ():
        mine = table.take(table.known & (table.rater == table.raters.index(name)))
        votes = collect(mine)
        fit = newton.fit(votes, keep=graph.examine(votes, table.policies).keep)
        own = sandwich.meat(fit, mine.cluster)
        alone = sandwich.around(fit, own)
        c = at[k + e]
        figures[f"only {name}"] = scale.to_points(
            table.policies,
            fit.theta / c,
            covariance=alone[:k, :k] / c**2,
            units=own.units,
            df=own.df[:k],
            method="ranking.mixed_evidence",
        )
    return figures


def _disagreement(
    rows: fits.Sources,
    e: int,
    at: FloatArray,
    inverse: FloatArray,
    scored: sparse.csr_array,
    cluster: IntArray,
    count: FloatArray,
    df: float,
) -> float:
    """p-value that source e pulls the ratings nowhere else than all together do (score test, F by clusters)."""
    if rows.kinds < 2:
        return np.nan
    k, mine = rows.k, rows.source == e
    only = replace(
        rows,
        left=rows.left[mine],
        right=rows.right[mine],
        source=rows.source[mine],
        outcome=rows.outcome[mine],
        mass=rows.mass[mine],
    )
    bend = fits.curvature(fits.summed(only), at)[:k]
    own = sparse.csr_array(scored.multiply(mine[:, None]))[:, :k]
    both = sparse.hstack([own, scored], format="csr")
    meat, units = _meat(both, cluster, count), df + 1
    turn = np.hstack([np.eye(k), -bend @ inverse])
    known, _ = np.linalg.qr(np.column_stack([np.ones(k), at[:k]]))  # the pull along θ is 0 at every answer
    aside = np.eye(k) - known @ known.T
    V, U = aside @ turn @ meat @ turn.T @ aside, np.asarray(own.sum(axis=0)).ravel()
    values, vectors = np.linalg.eigh(V)
    on = values > 1e-6 * max(float(values.max(initial=0.0)), 1e-300)
    r = int(on.sum())
    if r == 0 or units <= r + 1:
        return np.nan
    stat = float((((vectors[:, on].T @ U) ** 2) / values[on]).sum())
    return float(special.fdtrc(r, units - r, stat * (units - r) / (r * (units - 1))))


def _findings(names: tuple[str, ...], loadings: Estimate, pvalues: FloatArray) -> tuple[Finding, ...]:
    found = []
    low, high = loadings.interval().T
    for e, name in enumerate(names):
        if e and high[e] < 0:
            text = f"{name} ranks the other way round: its loading is {loadings.value[e]:.2f}."
            remedy = "Turn its sign if less is better."
            found.append(Finding("evidence-reversed", Severity.WARNING, text, loadings.value[e], 0.0, remedy, (name,)))
        elif e and low[e] <= 0:
            text = f"{name} hardly tells these policies apart: its loading may be 0."
            found.append(
                Finding("evidence-silent", Severity.INFO, text, loadings.value[e], 0.0, "Leave it out.", (name,))
            )
        if pvalues[e] * len(names) < LEVEL:
            text = f"{name} ranks otherwise than all evidence together: one scale does not hold both."
            remedy = "Look at its ratings alone, and rank by kind of evidence."
            found.append(Finding("evidence-disagrees", Severity.WARNING, text, pvalues[e], LEVEL, remedy, (name,)))
    return tuple(found)
