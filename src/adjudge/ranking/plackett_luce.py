"""Ratings from rankings: each task orders the policies by their scores, best first, and only the order counts.

    P(C₁ ≻ C₂ ≻ …) = ∏_j f(C_j) / Σ_{S ⊆ A_j, |S| <= D} f(S),      f(S) = δ_|S| (∏_{i∈S} α_i)^{1/|S|},  A_j what is left

Each item, score column and draw is one ranking; a policy without a score is not in it. Ties are outcomes of their own,
with a parameter δ for each order that occurs (Davidson-Luce). Where more policies tie than `most_tied`, all ties are
split into choices of one (Breslow), with a finding, for the scale then shrinks. Newton's method on distinct
sets; the error is the sandwich over clusters of items. The scale of a score is never used: `ranking.task_mean` does.

Turner, van Etten, Firth, et al. (2020), Modelling rankings in R; Hunter (2004).
Limits: rankings of two are `ranking.bradley_terry` with Davidson's ties; `pseudo` wins and losses against an imaginary
policy of average worth make every rating finite.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.design import equal_clusters
from ..stats.paired import graph
from ..stats.paired.scale import covariance_points, points
from ..stats.paired.votes import collect
from ..tables.comparisons import from_arrays
from ..tables.ratings import Ratings
from . import _choices
from ._choices import Choices, Fit

CARD = Card(
    answers="Who is best when each task ranks the policies, and by how much one score beats another means nothing?",
    equation="P(C₁ ≻ C₂ ≻ …) = ∏_j f(C_j) / Σ_{S ⊆ A_j} f(S),  f(S) = δ_|S| (∏_{i∈S} α_i)^{1/|S|}",
    papers=(
        Paper(
            "Modelling rankings in R: the PlackettLuce package",
            "Turner, van Etten, Firth, et al.",
            2020,
            "Computational Statistics 35",
            "https://doi.org/10.1007/s00180-020-00959-3",
            "Eq. 1",
        ),
        Paper(
            "The analysis of permutations",
            "Plackett",
            1975,
            "Applied Statistics 24(2)",
            "https://doi.org/10.2307/2346567",
        ),
        Paper(
            "MM algorithms for generalized Bradley-Terry models",
            "Hunter",
            2004,
            "Annals of Statistics 32(1)",
            "https://doi.org/10.1214/aos/1079120141",
            "Section 5",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "The best of a set is chosen with odds that do not hang on the others in it.",
        "Which policies an item ranks does not hang on how they would do.",
    ),
    limits=(
        "Rankings of two are Bradley-Terry with Davidson's ties.",
        "The order at the bottom of a ranking counts as much as at the top.",
        "Scores rounded from a finer scale tie by another law: five policies with Gumbel noise, rounded to its unit, "
        "come out 1.4 times too far apart, and 0.75 times with split ties; their order holds.",
        "Pass or fail is better served by a model of the scores.",
    ),
    when="When scores order the answers to a task but their distances mean nothing, or differ from judge to judge.",
    unit="rating points; 400 are odds of ten to one",
)


MOST_TIED = 6  # ties of scores rounded from a finer scale obey the model less the larger they are


def rank(ratings: Ratings, *, judge: str | None = None, pseudo: float = 0.0, most_tied: int = MOST_TIED) -> Estimate:
    """Plackett-Luce worths in rating points: 400 points are odds of ten to one to be chosen first.

    Arguments:
        ratings: the table; equal scores are ties, and several draws of one policy on one item are matched with other
            policies' draws in the order of the file.
        judge: name of the score column; each column ranks by itself where None.
        pseudo: wins and losses of each policy against an imaginary one, >= 0. At 0, a policy that nobody beats (or that
            beats nobody) gets no rating; ½ gives it one, with a finding.
        most_tied: largest tie that gets a parameter; with larger ones all ties are split.

    Returns the ratings; figure `ties` holds δ of each order: of two equals, δ₂/(2 + δ₂) tie.

    Raises:
        AdjudgeError: an unknown column, or a `pseudo` below 0.

    >>> from adjudge.sim.judging import Judging
    >>> rank(Judging(items=50, labels=10).draw(0).ratings).value.mean().round(6)
    np.float64(1000.0)
    """
    columns = _columns(ratings, judge, pseudo, most_tied)
    score, weight, cluster = rankings(ratings, columns)
    everyone = _choices.from_ranks(_places(score), weight)
    keep, notes = _reach(everyone, ratings.policies, pseudo > 0)
    place = _places(np.where(keep, score, np.nan))
    choices = _choices.from_ranks(place, weight)
    findings, sizes = [*ratings.findings, *notes], np.unique(choices.size[choices.weight > 0])
    if sizes.size and sizes[0] > 1 and sizes[-1] == sizes[0] == keep.sum():
        findings.append(_all_tied())
        keep, choices = np.zeros_like(keep), _choices.from_ranks(np.full((0, ratings.k), -1), np.zeros(0))
        sizes = sizes[:0]
    if sizes.size and (sizes[-1] > most_tied or sizes[0] > 1):  # δ is measured against choices of one
        findings.append(_split(int(sizes[-1]), most_tied))
        choices, sizes = _choices.from_ranks(place, weight, apart=True), sizes[:0]
    fit = _choices.fit(choices, keep, [int(d) for d in sizes if d > 1], pseudo)
    if not fit.converged:
        findings.append(_stuck(fit.gradient))
    covariance, units = _covariance(choices, fit, cluster, keep)
    few = _few(choices, cluster, ratings.k) & keep
    if few.any():
        findings.append(_thin(tuple(ratings.policies[p] for p in np.flatnonzero(few))))
    _, even = equal_clusters(cluster[choices.owner][:, None], choices.weight)
    df = max(min(units, even) - 1.0, 1.0)
    theta = fit.theta if fit.converged else np.full(ratings.k, np.nan)
    rated = covariance_points(theta, covariance[: ratings.k, : ratings.k])
    rated[few] = rated[:, few] = np.nan
    return Estimate(
        names=ratings.policies,
        value=points(theta),
        parts=(Part("sampling", rated, units),),
        df=np.full(ratings.k, df),
        method="ranking.plackett_luce",
        findings=tuple(findings),
        figures=_ties(fit, covariance[ratings.k :, ratings.k :], units, df),
    )


def rankings(ratings: Ratings, columns: list[int]) -> tuple[FloatArray, FloatArray, IntArray]:
    """Scores [R, k] of one item, column and draw each (NaN where there is none), weights [R] and clusters [R].

    Arguments:
        ratings: the table.
        columns: score columns.
    """
    rows = np.flatnonzero(ratings.weight > 0)
    rows = rows[np.lexsort((ratings.row[rows], ratings.policy[rows], ratings.item[rows]))]
    answer = ratings.item[rows] * max(ratings.k, 1) + ratings.policy[rows]
    place = np.arange(rows.size)
    fresh = np.concatenate([[True], answer[1:] != answer[:-1]])[: rows.size]
    draw = place - np.maximum.accumulate(np.where(fresh, place, 0))
    _, first, code = np.unique(
        ratings.item[rows] * (int(draw.max(initial=0)) + 1) + draw, return_index=True, return_inverse=True
    )
    shape = (first.size, ratings.k)
    score = np.full((len(columns), *shape), np.nan)
    for at, column in enumerate(columns):
        score[at, code, ratings.policy[rows]] = ratings.score[rows, column]
    weight = np.bincount(code, weights=ratings.weight[rows], minlength=first.size) / np.maximum(np.bincount(code), 1)
    cluster = ratings.cluster[rows][first]
    return score.reshape(-1, ratings.k), np.tile(weight, len(columns)), np.tile(cluster, len(columns))


def _columns(ratings: Ratings, judge: str | None, pseudo: float, most_tied: int) -> list[int]:
    if not pseudo >= 0 or most_tied < 1:
        raise AdjudgeError(
            f"plackett_luce: pseudo is {pseudo}, most_tied {most_tied}.",
            "A number of wins >= 0, and a size of ties >= 1.",
            "Leave them out, or try pseudo=0.5.",
        )
    if judge is None:
        return list(range(len(ratings.judges)))
    if judge not in ratings.judges:
        raise AdjudgeError(
            f"plackett_luce: no score column is named {judge!r}.",
            f"Columns here: {', '.join(ratings.judges)}.",
            "Use one of them.",
        )
    return [ratings.judges.index(judge)]


def _places(score: FloatArray) -> IntArray:
    """[R, k] ranks from 0 for the highest, equal where scores are; −1 where there is no score."""
    order = np.argsort(-score, axis=1, kind="stable")  # NaN comes last
    ordered = np.take_along_axis(score, order, axis=1)
    step = np.zeros(score.shape, dtype=np.int64)
    step[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    place = np.empty(score.shape, dtype=np.int64)
    np.put_along_axis(place, order, np.cumsum(step, axis=1), axis=1)
    return np.where(np.isfinite(score), place, -1)


def _reach(choices: Choices, policies: tuple[str, ...], prior: bool) -> tuple[BoolArray, tuple[Finding, ...]]:
    """[k] policies with a finite rating, and why the others have none: a tie is a win for both."""
    took = sparse.csr_array((choices.weight[:, None] * (choices.chosen > 0).toarray()).T)
    over = np.asarray(took @ choices.sets[choices.at]) if choices.at.size else np.zeros((len(policies),) * 2)
    np.fill_diagonal(over, 0.0)
    winner, loser = np.nonzero(over)
    pairs = from_arrays(winner, loser, np.ones(winner.size), policies=policies, count=over[winner, loser])
    reach = graph.examine(collect(pairs), policies, prior=prior)
    return reach.keep, reach.findings


def _covariance(choices: Choices, fit: Fit, cluster: IntArray, keep: BoolArray) -> tuple[FloatArray, int]:
    """[k + t, k + t] sandwich of (θ, log δ) over clusters, and their number.

    Two imaginary verdicts of each policy against an average one, for and against, are added to the spread, so that
    rankings that never disagree do not seem to know everything.
    """
    k, orders = keep.size, (1, *fit.orders)
    q = k + len(fit.orders)
    present, unit = np.unique(cluster[choices.owner], return_inverse=True)
    theta, log_delta = np.nan_to_num(fit.theta), np.concatenate([[0.0], fit.log_delta])
    _, share, inclusion, _ = _choices.moments(choices.sets, theta, log_delta, orders)
    expected = np.hstack([_choices.expectation(share, inclusion, orders), share[:, 1:]])
    size, m = (present.size, choices.at.size), np.arange(choices.at.size)
    own = sparse.coo_array((choices.weight, (unit, m)), shape=size).tocsr()
    seen = sparse.coo_array((choices.weight, (unit, choices.at)), shape=(present.size, choices.sets.shape[0])).tocsr()
    took = np.hstack(
        [(own @ choices.chosen).toarray(), own @ (choices.size[:, None] == np.array(fit.orders, dtype=int))]
    )
    free = np.append(keep, np.ones(q - k, dtype=bool))
    bread = np.zeros((q, q))
    bread[np.ix_(free, free)] = np.linalg.pinv(fit.information[np.ix_(free, free)], rcond=1e-12, hermitian=True)
    influence = (took - seen @ expected) @ bread
    imagined = 0.5 * float(np.mean(choices.weight**2)) if choices.weight.size else 0.0
    return Part.from_influence("", influence).covariance + imagined * bread[:, :k] @ bread[:k], int(present.size)


def _few(choices: Choices, cluster: IntArray, k: int) -> BoolArray:
    """[k] policies whose choices lie in fewer than two clusters."""
    took = sparse.coo_array(choices.sets[choices.at] > 0) if choices.at.size else sparse.coo_array((0, k))
    unit = cluster[choices.owner][took.coords[0]]
    pairs = np.unique(unit * max(k, 1) + took.coords[1])
    return np.bincount(pairs % max(k, 1), minlength=k) < 2


def _ties(fit: Fit, covariance: FloatArray, units: int, df: float) -> dict[str, Estimate]:
    """δ of each order with its error by the delta method."""
    if not fit.orders:
        return {}
    delta = np.exp(fit.log_delta)
    names = tuple(f"tie of {d}" for d in fit.orders)
    part = Part("sampling", covariance * np.outer(delta, delta), units)
    return {"ties": Estimate(names, delta, (part,), np.full(delta.size, df), (0.0, np.inf))}


def _all_tied() -> Finding:
    message = "All policies tie in every ranking: nothing orders them."
    return Finding("all-ties", Severity.SEVERE, message, 1.0, 1.0, "Use a finer score.")


def _split(largest: int, most: int) -> Finding:
    return Finding(
        "ties-split",
        Severity.WARNING,
        f"Up to {largest} policies tie; ties are counted as one choice for each policy, which draws ratings together, "
        "often to a half.",
        float(largest),
        float(most),
        "Use a finer score, raise `most_tied`, or model the scores themselves.",
    )


def _stuck(gradient: float) -> Finding:
    return Finding(
        "not-converged",
        Severity.SEVERE,
        "The likelihood has no maximum within reach, and no rating is given.",
        gradient,
        _choices.TOLERANCE,
        "Give a prior (`pseudo`), or lower `most_tied`.",
    )


def _thin(names: tuple[str, ...]) -> Finding:
    return Finding(
        "votes-too-few",
        Severity.WARNING,
        f"{', '.join(names[:5])} rest on a single independent unit: a rating, but no standard error.",
        1.0,
        2.0,
        "Let them answer more items.",
        names,
    )
