"""Known votes as plain arrays, how the policies hang together, and the Estimate that a rating of them becomes.

Policies that no chain of votes joins to the largest part get NaN; those that rest on a single independent unit get no
standard error; each with a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.cluster import group_sums
from ..stats.design import equal_clusters
from ..stats.paired import graph
from ..stats.paired.votes import collect
from ..tables.comparisons import Comparisons

LEAST_UNITS = 2  # independent units a policy needs before the spread between them says anything


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """The rows that carry a verdict; n rows, k policies.

    Arguments:
        policies: [k] names.
        left, right: [n] positions in `policies`.
        outcome: [n] 1 left wins, 0.5 tie, 0 right wins, or a probability between.
        weight, count: [n] importance, and equal independent repeats.
        cluster: [n, c] codes of the independent units.
        position: [n] row of the table.
    """

    policies: tuple[str, ...]
    left: IntArray
    right: IntArray
    outcome: FloatArray
    weight: FloatArray
    count: FloatArray
    cluster: IntArray
    position: IntArray

    @property
    def k(self) -> int:
        """Policies."""
        return len(self.policies)

    @property
    def mass(self) -> FloatArray:
        """[n] weight times count."""
        return self.weight * self.count

    def take(self, rows: IntArray | BoolArray) -> Votes:
        """Some of the rows."""
        names = ("left", "right", "outcome", "weight", "count", "cluster", "position")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def per_policy(self, values: FloatArray) -> FloatArray:
        """[k] sums of row values over the rows that a policy takes part in."""
        return group_sums(self.left, values, self.k) + group_sums(self.right, values, self.k)

    def matrix(self, values: FloatArray) -> FloatArray:
        """[k, k] sums of row values by (left, right)."""
        return group_sums(self.left * self.k + self.right, values, self.k**2).reshape(self.k, self.k)

    def laplacian(self, values: FloatArray) -> FloatArray:
        """[k, k] Σ_r v_r (e_left − e_right)(e_left − e_right)ᵀ."""
        both = self.matrix(values)
        both = both + both.T
        return np.diag(both.sum(axis=1)) - both

    def pull(self, values: FloatArray) -> FloatArray:
        """[k] Σ_r v_r (e_left − e_right)."""
        return group_sums(self.left, values, self.k) - group_sums(self.right, values, self.k)


def gather(table: Comparisons) -> tuple[Votes, tuple[Finding, ...]]:
    """The rows with a verdict and some mass, and a finding for verdicts that are missing."""
    rows = np.flatnonzero(table.known)
    votes = Votes(
        policies=table.policies,
        left=table.left[rows],
        right=table.right[rows],
        outcome=table.outcome[rows],
        weight=table.weight[rows].astype(float),
        count=table.count[rows].astype(float),
        cluster=table.cluster[rows],
        position=rows,
    )
    unknown = int(np.isnan(table.outcome).sum())
    found = Finding(
        "outcome-unknown",
        Severity.WARNING,
        f"{unknown:,} of {table.n:,} comparisons have no verdict and are left out, not counted as ties.",
        unknown,
        0,
        "Find out why they are missing: a ranking of the verdicts that exist is one of the easy comparisons.",
    )
    return votes, (*table.findings, *((found,) if unknown else ()))


def network(votes: Votes) -> tuple[BoolArray, tuple[Finding, ...]]:
    """[k] which policies can be compared with each other (the largest connected part), and findings on the others."""
    k = votes.k
    graph = sparse.coo_array((np.ones(votes.left.size), (votes.left, votes.right)), shape=(k, k))
    parts, label = csgraph.connected_components(graph, directed=False)
    played = votes.per_policy(votes.count)
    size = group_sums(label.astype(np.int64), played, parts)
    inside = (label == int(np.argmax(size))) & (played > 0) if played.any() else np.zeros(k, dtype=bool)
    findings = []
    idle = np.flatnonzero(played == 0)
    if idle.size:
        findings.append(
            Finding(
                "policy-without-votes",
                Severity.WARNING,
                f"{_some(votes.policies, idle)} took part in no comparison with a verdict: nothing can be said.",
                idle.size,
                0,
                "Compare each of them with two others or more, or leave them out.",
                tuple(votes.policies[p] for p in idle),
            )
        )
    apart = np.flatnonzero((played > 0) & ~inside)
    if apart.size:
        findings.append(
            Finding(
                "policies-unconnected",
                Severity.SEVERE,
                f"{_some(votes.policies, apart)} never met the others, directly or through third ones: no rating "
                "compares them, and none is given.",
                float((size > 0).sum()),
                1,
                "Add comparisons that join the groups, or rank each group by itself.",
                tuple(votes.policies[p] for p in apart),
            )
        )
    return inside, tuple(findings)


def wins(votes: Votes) -> FloatArray:
    """[k, k] mass of wins of the row over the column; a tie is half a win for both."""
    won = votes.matrix(votes.mass * votes.outcome)
    lost = votes.matrix(votes.mass * (1 - votes.outcome))
    return won + lost.T


def units_of(votes: Votes) -> FloatArray:
    """[k] independent units behind each policy: its votes, or the clusters they lie in (the fewer of two ways)."""
    if votes.cluster.shape[1] == 0:
        return votes.per_policy(votes.count)
    fewest = np.full(votes.k, np.inf)
    who = np.concatenate([votes.left, votes.right])
    one = np.ones(who.size, dtype=np.int8)
    for column in votes.cluster.T:
        shape = (int(column.max(initial=0)) + 1, votes.k)
        table = sparse.coo_array((one, (np.tile(column, 2), who)), shape=shape).tocsr()  # repeats become one entry
        fewest = np.minimum(fewest, np.bincount(table.indices, minlength=votes.k))
    return fewest


def estimate(
    votes: Votes,
    inside: BoolArray,
    value: FloatArray,
    parts: Sequence[Part],
    *,
    method: str,
    df: float,
    findings: Sequence[Finding] = (),
    figures: Mapping[str, Estimate] | None = None,
    slack: FloatArray | None = None,
) -> Estimate:
    """The Estimate: NaN for policies outside, no standard error for those that rest on a single unit.

    A few large clusters tell less than their number says: the degrees of freedom are at most Kish's count − 1.
    """
    thin = inside & (units_of(votes) < LEAST_UNITS)
    even = equal_clusters(votes.cluster, votes.mass)[1] if votes.cluster.shape[1] else np.inf
    hidden = ~inside | thin
    cut = []
    for part in parts:
        covariance = part.covariance.copy()
        covariance[hidden] = covariance[:, hidden] = np.nan
        cut.append(replace(part, covariance=covariance))
    notes = list(findings)
    if thin.any():
        rows = np.flatnonzero(thin)
        notes.append(
            Finding(
                "votes-too-few",
                Severity.WARNING,
                f"{_some(votes.policies, rows)} rest on a single independent unit: a rating, but no standard error.",
                1,
                LEAST_UNITS,
                "Compare them again, in other clusters.",
                tuple(votes.policies[p] for p in rows),
            )
        )
    return Estimate(
        names=votes.policies,
        value=np.where(inside, value, np.nan),
        parts=tuple(cut),
        df=np.full(votes.k, max(min(df, even - 1), 1.0)),
        slack=np.zeros((votes.k, 2)) if slack is None else slack,
        method=method,
        findings=tuple(notes),
        figures=figures or {},
    )


def _some(names: Sequence[str], at: IntArray) -> str:
    """The first few names."""
    return ", ".join(names[p] for p in at[:5]) + (f" and {at.size - 5} more" if at.size > 5 else "")


def rated(votes: Votes, table: Comparisons, *, prior: bool) -> tuple[BoolArray, tuple[Finding, ...]]:
    """[k] policies with a finite rating, and why the others have none (`stats.paired.graph`).

    Arguments:
        votes: of `gather`.
        table: what they were gathered from.
        prior: whether a prior keeps every rating within reach.
    """
    reach = graph.examine(collect(table), votes.policies, prior=prior)
    return reach.keep, reach.findings
