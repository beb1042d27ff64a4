"""Strata that were labelled at unlike rates: each label then counts for the rows of its own stratum.

    π̂_ps = Σ labelled w / Σ w  over policy p and stratum s,      X²_p = Σ_s (m_s − N_s m/N)² / (N_s (m/N)(1 − m/N))

Who labels two hundred rows of a small language and fifty of a large one, and records nothing but the language, has
labels that are a random sample within each stratum only. Where X² shows (family-wise over the policies) that strata
were labelled at unlike rates, π̂ stands in for the propensity that nobody recorded; every method then weighs by 1/π̂.

Horvitz, Thompson (1952), JASA 47; Neyman (1934), JRSS 97. Limits: one stratum, rates alike but for chance, or a
recorded propensity anywhere leave the table as it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings
from .cluster import group_sums

CHANCE = 0.001  # family-wise, so that random labels are hardly ever taken for stratified ones


def sizes(ratings: Ratings) -> FloatArray:
    """[k, S] weight of all rows by policy and stratum; batches add up."""
    cell = ratings.policy * len(ratings.strata) + ratings.stratum
    return group_sums(cell, ratings.weight, ratings.k * len(ratings.strata)).reshape(ratings.k, -1)


def by_stratum(ratings: Ratings, total: FloatArray | None = None) -> Ratings:
    """The table with π̂ as propensity where its labels were drawn by stratum, and a finding that says so.

    Arguments:
        ratings: the table, or its labelled rows.
        total: [k, S] `sizes` of all rows, where `ratings` is not all of them.
    """
    known = ratings.labelled & (ratings.weight > 0)
    if len(ratings.strata) < 2 or not known.any() or np.isfinite(ratings.propensity[known]).any():
        return ratings
    total = sizes(ratings) if total is None else total
    labelled = sizes(replace(ratings, weight=np.where(known, ratings.weight, 0.0)))
    pairs = np.unique(ratings.policy[known] * ratings.units + ratings.cluster[known]).size
    each = float(ratings.weight[known].sum()) / pairs  # a cluster is one draw, however many rows of it are labelled
    if not unlike(labelled / each, total / each) < CHANCE:
        return ratings
    share = np.divide(labelled, total, out=np.full(total.shape, np.nan), where=labelled > 0)
    propensity = np.minimum(share, 1.0)[ratings.policy, ratings.stratum]
    return replace(ratings, propensity=propensity, findings=ratings.findings + _told(ratings, share, total))


def unlike(labelled: FloatArray, total: FloatArray) -> float:
    """p-value, family-wise over the policies, of equal label rates in all strata of a policy.

    >>> unlike(np.array([[10.0, 10.0]]), np.array([[100.0, 100.0]]))
    1.0
    """
    N, m = total.sum(axis=1), labelled.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = (m / N)[:, None]
        square = np.where(total > 0, (labelled - total * rate) ** 2 / (total * rate * (1 - rate)), 0.0)
    tested = (m > 0) & (m < N) & ((total > 0).sum(axis=1) > 1)
    if not tested.any():
        return 1.0
    p = special.chdtrc((total > 0).sum(axis=1)[tested] - 1.0, square[tested].sum(axis=1))
    return float(min(1.0, p.min() * tested.sum()))


def _told(ratings: Ratings, share: FloatArray, total: FloatArray) -> tuple[Finding, ...]:
    """That labels are weighed by stratum, and which strata have rows but no label."""
    used = np.isfinite(share)
    weighed = Finding(
        "labels-by-stratum",
        Severity.INFO,
        f"The share of rows with a label differs between strata, from {100 * np.min(share[used]):.1f} % to "
        f"{100 * np.max(share[used]):.1f} %; each label counts for the rows of its own stratum.",
        float(np.max(share[used]) / np.min(share[used])),
        1.0,
        "Record the propensity of each label if labels were drawn otherwise.",
    )
    bare = (used.sum(axis=1, keepdims=True) > 0) & ~used & (total > 0)
    if not bare.any():
        return (weighed,)
    names = tuple(ratings.strata[s] for s in np.flatnonzero(bare.sum(axis=0)))
    message = (
        f"{int(bare.sum())} strata of policies with labels have rows but no label: {', '.join(names[:5])}"
        f"{' …' if len(names) > 5 else ''}. No label corrects the judge there."
    )
    return weighed, Finding(
        "strata-without-labels", Severity.WARNING, message, float(bare.sum()), 0.0, "Label rows of these strata.", names
    )
