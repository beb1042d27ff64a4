"""Which few policies to keep, so that every voter finds something good among them, with a share for every group.

    S = argmax f(S), |S| = K, |S ∩ G_g| ≥ ℓ_g          f of SNTV, Borda, Chamberlin-Courant or harmonic (1/r) weights
    value_c = f(S) − f(best S without c)   for members;      f(best swap of c for a member) − f(S)   for others

Each item is a voter who ranks the policies by score. The value is what a seat hangs on, in shares of a voter's
greatest satisfaction: above 0 in the committee, below it outside. Errors are a bootstrap of voters with the committee
held fixed; `figures["membership"]` chooses it anew in each replicate. If trusted labels exist, `figures["latent"]` is
the committee's worth by them, relative to the best committee's: what bias in the scores has cost.

Boehmer, Celis, Huang, et al. (2023), Subset selection based on multiple rankings in the presence of bias.
Limits: K = 1 under Borda is the highest mean rank; greedy is within 1 − 1/e of the best, within ½ under quotas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.certain import never_certain
from ..stats.cluster import group_sums
from ..stats.judges import judge_columns
from ..stats.voting import committee
from ..tables.ratings import Ratings

NAME, STREAM = "ranking.multiwinner", 30047

CARD = Card(
    answers="Which K policies together serve the voters best, with every group represented?",
    equation="argmax f(S), |S| = K, |S ∩ G_g| ≥ ℓ_g;   f(S) = Σ_v Σ_r λ_r u_v(r-th best of S)",
    papers=(
        Paper(
            "Subset Selection Based On Multiple Rankings in the Presence of Bias: Effectiveness of Fairness "
            "Constraints for Multiwinner Voting Score Functions",
            "Boehmer, Celis, Huang, et al.",
            2023,
            "ICML",
            "https://arxiv.org/abs/2306.09835",
            "Section 3",
        ),
        Paper(
            "An analysis of approximations for maximizing submodular set functions: I",
            "Nemhauser, Wolsey, Fisher",
            1978,
            "Mathematical Programming 14",
            "https://doi.org/10.1007/BF01588971",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Voters, or clusters of them, are a sample.",
        "Quotas are set by people who know the bias, not by the data.",
    ),
    limits=(
        "Greedy is within 1 − 1/e of the best committee, and within ½ under quotas; `exact` proves it.",
        "The error of the value holds the committee fixed; `membership` does not.",
    ),
    when="To choose a set, such as a panel of judges or a shortlist; ranking.task_borda to order all.",
    unit="worth to the voters, beside the best committee without it",
    rows=(5,),
)


def rank(
    ratings: Ratings,
    *,
    size: int | None = None,
    rule: str = "chamberlin_courant",
    groups: Mapping[str, str] | None = None,
    quotas: Mapping[str, int] | None = None,
    metric: str | None = None,
    exact: bool = False,
    draws: int = 200,
    seed: int = 0,
) -> Estimate:
    """How surely each policy belongs to the committee: positive for members, negative for the others.

    Arguments:
        ratings: scores; `item` is the voter, whose scores rank the policies. A missing score ranks last.
        size: seats K; half of the policies by default.
        rule: `sntv`, `borda`, `chamberlin_courant` or `harmonic`.
        groups: group of each policy.
        quotas: least number of members of each group.
        metric: name of the score column; the first by default.
        exact: prove the committee by integer programming instead of choosing greedily.
        draws: bootstrap replicates, at least 2.
        seed: of the draws.

    Errors: an unknown rule, group or policy, a size or quotas that cannot be met, or fewer than 2 draws.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "b", "c"] * 2, item=[0, 0, 0, 1, 1, 1], score=[3, 2, 1, 1, 2, 3.5])
    >>> (rank(table, size=2).value > 0).tolist()
    [True, False, True]
    """
    seats = max(ratings.k // 2, 1) if size is None else size
    group, quota = _groups(ratings.policies, groups, quotas)
    _possible(ratings.k, rule, seats, group, quota, draws)
    ballots = _read(ratings, ratings.score[:, judge_columns(ratings, metric)[0]])
    if not ballots.weight.size:
        unknown = np.full(ratings.k, np.nan)
        return Estimate(ratings.policies, unknown, (Part("sampling", np.diag(unknown), 0),), 1.0 * np.ones(()),
                        method=NAME, findings=(_nothing(),))  # fmt: skip
    U = committee.utilities(ballots.score, rule)
    choose = partial(committee.greedy, U, seats=seats, rule=rule, group=group, quota=quota)
    found = committee.exact(U, ballots.weight, seats=seats, rule=rule, group=group, quota=quota) if exact else None
    chosen = choose(ballots.weight[None])[0] if found is None else found
    V = ballots.draws(draws, seed)
    again = choose(V)
    value = _hangs_on(U, ballots.weight[None], chosen, rule, group, quota)[0]
    drawn = _hangs_on(U, V, chosen, rule, group, quota)
    figures = _figures(ratings, ballots, U, V, chosen, again, rule, group, quota)
    told = _told(ratings, ballots, drawn, value, exact and found is None)
    part = Part("sampling", _spread(drawn, ballots.units), ballots.units)
    df = np.array(max(ballots.units - 1.0, 1.0))
    return never_certain(Estimate(ratings.policies, value, (part,), df, method=NAME, findings=told, figures=figures))


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """Scores [m, k] of m voters, their weights [m] and clusters [m] without gaps."""

    score: FloatArray
    weight: FloatArray
    cluster: IntArray

    @property
    def units(self) -> int:
        """Clusters."""
        return int(self.cluster.max(initial=-1)) + 1

    def draws(self, draws: int, seed: int) -> FloatArray:
        """[B, m] weights of replicates."""
        rng = np.random.default_rng((seed, STREAM))
        return np.asarray(rng.standard_exponential((draws, self.units))[:, self.cluster] * self.weight)


def _read(ratings: Ratings, score: FloatArray) -> Ballots:
    known = np.flatnonzero(np.isfinite(score) & (ratings.weight > 0))
    _, first, voter = np.unique(ratings.item[known], return_index=True, return_inverse=True)
    m, weight = first.size, ratings.weight[known]
    cell = voter * ratings.k + ratings.policy[known]
    total = group_sums(cell, weight, m * ratings.k)
    with np.errstate(invalid="ignore", divide="ignore"):
        table = (group_sums(cell, weight * score[known], m * ratings.k) / total).reshape(m, ratings.k)
    rows = np.maximum(np.bincount(voter, minlength=m), 1)
    unit = np.unique(ratings.cluster[known][first], return_inverse=True)[1]
    return Ballots(table, group_sums(voter, weight, m) / rows, unit)


def _groups(
    names: tuple[str, ...], groups: Mapping[str, str] | None, quotas: Mapping[str, int] | None
) -> tuple[IntArray, IntArray]:
    """[k] group codes and [groups] quotas."""
    label = [str((groups or {}).get(name, "")) for name in names]
    kinds = sorted(set(label))
    strangers = [*(set(groups or {}) - set(names)), *(set(quotas or {}) - set(kinds))]
    if strangers:
        raise AdjudgeError(
            f"multiwinner: {strangers[0]!r} is no policy or group.",
            f"Policies: {', '.join(names[:20])}; groups: {', '.join(kinds) or 'none'}.",
            "Correct groups= or quotas=.",
        )
    quota = np.array([(quotas or {}).get(kind, 0) for kind in kinds], dtype=np.int64)
    return np.array([kinds.index(each) for each in label], dtype=np.int64), quota


def _possible(k: int, rule: str, seats: int, group: IntArray, quota: IntArray, draws: int) -> None:
    if rule not in committee.RULES:
        raise AdjudgeError(f"rule is {rule!r}.", f"One of {', '.join(committee.RULES)}.", "Name one of them.")
    if not 1 <= seats <= k or draws < 2:
        raise AdjudgeError(f"size is {seats}, draws is {draws}.", f"1 to {k} seats, 2 draws or more.", "Change them.")
    if quota.sum() > seats or (quota > np.bincount(group, minlength=quota.size)).any() or (quota < 0).any():
        raise AdjudgeError(
            f"quotas sum to {quota.sum()} for {seats} seats.",
            "No more than the seats in all, and than the members of each group.",
            "Lower the quotas or raise size=.",
        )


def _hangs_on(
    U: FloatArray, V: FloatArray, chosen: IntArray, rule: str, group: IntArray, quota: IntArray
) -> FloatArray:
    """[b, k] the module's value under voter weights V [b, m]."""
    table, allowed = committee.swaps(U, chosen, rule=rule, group=group, quota=quota)
    total = V.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        now = (V @ committee.worth(U, chosen, rule) / total)[:, None]
        swapped = (V @ table.reshape(U.shape[0], -1) / total[:, None]).reshape(V.shape[0], *allowed.shape)
        alone = np.stack([V @ committee.worth(U, np.delete(chosen, s), rule) / total for s in range(chosen.size)], 1)
    swapped = np.where(allowed, swapped, -np.inf)
    out = np.zeros((V.shape[0], U.shape[1]))
    others = np.setdiff1d(np.arange(U.shape[1]), chosen)
    replaced = swapped.max(axis=2, initial=-np.inf)
    out[:, chosen] = now - np.where(np.isfinite(replaced), replaced, alone)
    out[:, others] = np.where(allowed.any(axis=0), swapped.max(axis=1), alone.max(axis=1)[:, None]) - now
    return out


def _figures(
    ratings: Ratings, ballots: Ballots, U: FloatArray, V: FloatArray, chosen: IntArray, again: IntArray,
    rule: str, group: IntArray, quota: IntArray,
) -> dict[str, Estimate]:  # fmt: skip
    """The committee's worth, the chance of membership, and what it is worth by trusted labels."""
    df = np.array(max(ballots.units - 1.0, 1.0))
    member = np.zeros((V.shape[0], ratings.k))
    member[np.arange(V.shape[0])[:, None], again] = 1.0
    p = (member.sum(axis=0) + 1) / (V.shape[0] + 2)
    chance = Part("replicates", np.diag(p * (1 - p) / V.shape[0]), V.shape[0])
    each = committee.worth(U, chosen, rule)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (V @ each / V.sum(axis=1))[:, None]
    whole = np.array([ballots.weight @ each / ballots.weight.sum()])
    spread = Part("sampling", _spread(drawn, ballots.units), ballots.units)
    out = {
        "membership": Estimate(ratings.policies, member.mean(axis=0), (chance,), np.array(np.inf), bounds=(0.0, 1.0)),
        "score": never_certain(Estimate(("worth to a voter",), whole, (spread,), df)),
    }
    true = _read(ratings, ratings.gold)
    if np.isfinite(true.score).all() and true.weight.size:
        G, W = committee.utilities(true.score, rule), true.draws(V.shape[0], STREAM)
        best = committee.greedy(G, true.weight[None], seats=chosen.size, rule=rule, group=group, quota=0 * quota)[0]
        mine, ideal = (committee.worth(G, np.asarray(at), rule) for at in (chosen, best))
        ratio = Part("sampling", _spread((W @ mine / (W @ ideal))[:, None], true.units), true.units)
        value = np.array([true.weight @ mine / (true.weight @ ideal)])
        out["latent"] = never_certain(Estimate(("worth by trusted labels / best",), value, (ratio,), df))
    return out


def _spread(drawn: FloatArray, units: int) -> FloatArray:
    """[q, q] covariance of replicates; NaN with fewer than two units."""
    if units < 2:
        return np.full((drawn.shape[1],) * 2, np.nan)
    centred = drawn - drawn.mean(axis=0)
    return np.asarray(centred.T @ centred / (drawn.shape[0] - 1) * (units + 1) / (units - 1))


def _told(ratings: Ratings, ballots: Ballots, drawn: FloatArray, value: FloatArray, late: bool) -> tuple[Finding, ...]:
    found = []
    lost = int((~np.isfinite(ballots.score)).sum())
    if lost:
        text = f"{lost:,} scores of a voter for a policy are missing and rank last."
        found.append(_finding("scores-missing", text, lost, "Ask every voter about every policy."))
    if late:
        text = "Time ran out: the committee was chosen greedily."
        found.append(_finding("optimum-unproven", text, 0, "Use fewer voters."))
    if ballots.units < 2:
        text = "There is one independent voter: no error can be given."
        found.append(_finding("voters-too-few", text, 1, "Ask more voters."))
    close = [n for n, v, s in zip(ratings.policies, value, drawn.std(axis=0), strict=True) if abs(v) < s]
    if close:
        text = f"{len(close)} policies are in or out of the committee by less than one standard error."
        found.append(_finding("seats-close", text, len(close), "Ask more voters.", tuple(close)))
    return tuple(found)


def _finding(code: str, message: str, number: float, remedy: str, subject: tuple[str, ...] = ()) -> Finding:
    return Finding(code, Severity.WARNING, message, number, 0, remedy, subject)


def _nothing() -> Finding:
    return Finding("scores-missing", Severity.SEVERE, "No voter has a score: no committee.", 0, 1, "Add scores.")
