"""Whose votes lift one policy beyond what taste explains: riggers, told from fans by how much raters differ anyway.

    S_up = Σ_{i: u voted on p} (y_i − σ(d_i)),    d_i from a Bradley-Terry fit that has not seen rater u
    P(S_up >= s) = ∫ Bin(m, mean_i σ(c·d_i + a); tail at s) N(a; 0, τ²(1 + h)) da,    c = √(1 + 0.69·τ²)

y_i is the vote for p and m how many there are. Honest raters have tastes: a is rater u's for p, h that for the
opponents, and τ is estimated from how widely the middle of all raters spreads (a median, which a minority of riggers
cannot move). Given a, the number of wins is at most as spread in the tail as a binomial of the same mean (Hoeffding
1956), so the tail is no smaller than shown. Both tails of every policy are looked at, and all raters: the p-value of a
rater is Bonferroni's over twice the policies they voted on, and `adjusted` is Holm's over raters.

Min, Pang, Du, et al. (2025), Improving your model ranking on Chatbot Arena by vote rigging; Huang, Nasr, Angelopoulos,
et al. (2025), Exploring and mitigating adversarial manipulation of voting-based leaderboards (likelihood of a user's
votes). Limits: τ = 0 is the binomial test; a rater with a handful of votes cannot be told from a fan, and neither can
one who lifts a policy that wins most votes anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..stats.paired import newton
from ..stats.paired.scale import POINTS
from ..stats.paired.votes import collect
from ..tables.comparisons import Comparisons

CARD = Card(
    answers="Which raters push one policy beyond what honest taste explains, and what does it do to the ranking?",
    equation="P(S_up >= s) = ∫ Bin(m, mean σ(c·d_i + a); tail at s) N(a; 0, τ²(1 + h)) da",
    papers=(
        Paper(
            "Improving Your Model Ranking on Chatbot Arena by Vote Rigging",
            "Min, Pang, Du, et al.",
            2025,
            "ICML",
            "https://arxiv.org/abs/2501.17858",
        ),
        Paper(
            "Exploring and Mitigating Adversarial Manipulation of Voting-Based Leaderboards",
            "Huang, Nasr, Angelopoulos, et al.",
            2025,
            "ICML",
            "https://arxiv.org/abs/2501.07493",
            "§5",
        ),
    ),
    needs=("left", "right", "outcome", "rater"),
    assumes=("Most raters are honest.", "Honest tastes for policies are roughly normal on the log-odds scale."),
    limits=(
        "τ = 0 is a binomial test of each rater on each policy.",
        "Few votes of a rater, or a target that wins anyway, hide a rigger.",
        "Riggers who share one rater's name look like one rater; those who change names after a few votes are missed, "
        "unless they come at one time: see bursts.",
    ),
    when="Anyone may vote. For raters who are careless but not partial, ranking.rater_bradley_terry.",
)

PRIOR = 1000.0 / POINTS  # keeps the rating of a policy that nobody beat finite
MIDDLE = 0.454936423119572  # median of χ² with one degree of freedom
FEWEST = 3  # raters
WINDOWS = 50
UNUSUAL = 1.5  # standard deviations below which nobody is suspected


@dataclass(frozen=True, slots=True, eq=False)
class Suspects:
    """What is thought of each rater; R raters.

    Arguments:
        p: [R] p-value: the most surprising policy of the rater, by Bonferroni over both tails of all of them.
        adjusted: [R] Holm's over raters: below 1 − level is a flag; NaN where nothing can be said.
        policy: [R] the policy that p is about; −1 without votes.
        lifts: [R] whether that policy is lifted (True) or sunk.
        points: [R] rating points by which the rater's votes moved that policy.
        taste: τ, log-odds: how much honest raters differ.
    """

    p: FloatArray
    adjusted: FloatArray
    policy: IntArray
    lifts: BoolArray
    points: FloatArray
    taste: float


def scores(table: Comparisons) -> FloatArray:
    """[n] suspicion of each row: −log₁₀ of its rater's adjusted p-value where the vote serves the rater's end, else 0.

    Arguments:
        table: votes with raters. 1.3 and more is a flag at level 0.95 over all raters together; NaN says that fewer
            than 3 raters can not be compared.

    >>> from adjudge.sim.leagues import League
    >>> season = League(policies=7, votes=3000, raters=50, riggers=1, rigged=6, rig_focus=0.9).draw(1)
    >>> worst = scores(season.comparisons) > 1.3
    >>> sorted(set(season.comparisons.rater[worst].tolist()))
    [0]
    """
    found = raters(table)
    u = table.rater
    side = np.where(table.left == found.policy[u], 1.0, np.where(table.right == found.policy[u], -1.0, 0.0))
    lean = side * (table.outcome - 0.5) * np.where(found.lifts[u], 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = -np.log10(np.maximum(found.adjusted, 1e-300))[u]
        serves = np.where(np.isfinite(lean), lean, 0.0) > 0
    return np.where(np.isnan(weight), np.nan, np.where(serves & table.known, np.maximum(weight, 0.0), 0.0))


def raters(table: Comparisons) -> Suspects:
    """The verdict on each rater; see `Suspects`."""
    R = len(table.raters)
    votes = _sides(table)
    nobody = Suspects(
        np.full(R, np.nan), np.full(R, np.nan), np.full(R, -1), np.zeros(R, dtype=bool), np.zeros(R), np.nan
    )
    if np.unique(votes.rater).size < FEWEST:
        return nobody
    cells = votes.cell_rater.size
    tau = _taste(votes, cells)
    high, low = _tails(votes, cells, tau)
    of, what = votes.cell_rater, votes.cell_policy
    least = np.minimum(high, low)
    looks = 2 * np.bincount(of, minlength=R)
    order = np.lexsort((least, of))
    first = order[np.searchsorted(of[order], np.arange(R)).clip(max=order.size - 1)]
    played = looks > 0
    p = np.where(played, np.minimum(least[first] * looks, 1.0), np.nan)
    policy = np.where(played, what[first], -1)
    moved = votes.moved[np.arange(R), np.maximum(policy, 0)] * played
    lifts = (high <= low)[first] & played
    return Suspects(p, _holm(p), policy, lifts, moved * POINTS, tau)


def findings(table: Comparisons, *, level: float = 0.95) -> tuple[Finding, ...]:
    """A finding for each rater who is flagged, most suspicious first, with what their votes did to the ranking.

    Arguments:
        table: votes with raters.
        level: 1 − chance that any honest rater is flagged.
    """
    found = raters(table)
    flagged = np.flatnonzero(found.adjusted < 1 - level)
    return tuple(
        Finding(
            "votes-rigged",
            Severity.WARNING,
            f"The votes of {table.raters[u]} {'lift' if found.lifts[u] else 'sink'} {table.policies[found.policy[u]]} "
            f"beyond what taste explains; they moved its rating by {found.points[u]:+.1f} points.",
            float(found.adjusted[u]),
            1 - level,
            "Look at these votes; leave them out if they are not honest.",
            (table.raters[u], table.policies[found.policy[u]]),
        )
        for u in flagged[np.argsort(found.adjusted[flagged], kind="stable")]
    )


def bursts(table: Comparisons, *, windows: int = WINDOWS) -> FloatArray:
    """[k, windows] adjusted p-values that votes of one stretch of time lift a policy: many names, one hand.

    The season is cut into stretches of equally many votes; tastes count as in `raters`. Bonferroni over all.

    Arguments:
        table: votes with raters; `time` orders them.
        windows: stretches.
    """
    votes, k = _sides(table), table.k
    if np.unique(votes.rater).size < FEWEST:
        return np.full((k, windows), np.nan)
    tau = _taste(votes, votes.cell_rater.size)
    place = np.argsort(np.argsort(votes.time, kind="stable"), kind="stable")
    stretch = place * windows // place.size
    where = votes.policy * windows + stretch
    weight = votes.chance * (1 - votes.chance)
    key, inverse = np.unique(where * len(table.raters) + votes.rater, return_inverse=True)
    own = np.bincount(inverse, weight)
    variance = np.bincount(key // len(table.raters), own + 2 * tau**2 * own**2, k * windows)
    total = np.bincount(where, votes.y - votes.chance, k * windows)
    enough = np.bincount(where, weight, k * windows) >= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.where(enough, special.ndtr(-total / np.sqrt(variance)), 1.0)
    return np.minimum(p * max(int(enough.sum()), 1), 1.0).reshape(k, windows)


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Every vote twice, once for each policy in it: y for that policy, and what others' votes predict."""

    rater: IntArray
    policy: IntArray
    other: IntArray
    y: FloatArray
    d: FloatArray
    time: FloatArray
    cell: IntArray  # code of (rater, policy)
    cell_rater: IntArray
    cell_policy: IntArray
    moved: FloatArray  # [R, k] log-odds by which each rater moved each policy

    @property
    def chance(self) -> FloatArray:
        """[2n] what others' votes predict."""
        return np.asarray(special.expit(self.d))


def _sides(table: Comparisons) -> _Sides:
    rows = table.take(np.repeat(np.arange(table.n), np.where(table.known, np.rint(table.count), 0).astype(np.int64)))
    rows = replace(rows, count=np.ones(rows.n))
    k, R = table.k, len(table.raters)
    fit = newton.fit(collect(rows, half=True), ties="half", prior=PRIOR)
    theta = fit.beta[:k]
    residual = rows.outcome - special.expit(theta[rows.left] - theta[rows.right])
    weight = rows.weight
    score = np.zeros((R, k))
    np.add.at(score, (rows.rater, rows.left), weight * residual)
    np.add.at(score, (rows.rater, rows.right), -weight * residual)
    moved = score @ fit.inverse[:k, :k]  # one Newton step: what the fit without the rater lacks
    moved -= moved.mean(axis=1, keepdims=True) if k else 0.0
    left, right, u = rows.left, rows.right, rows.rater
    d = theta[left] - theta[right] - moved[u, left] + moved[u, right]
    rater, policy = np.concatenate([u, u]), np.concatenate([left, right])
    key, cell = np.unique(rater * max(k, 1) + policy, return_inverse=True)
    return _Sides(
        rater,
        policy,
        np.concatenate([right, left]),
        np.concatenate([rows.outcome, 1 - rows.outcome]),
        np.concatenate([d, -d]),
        np.concatenate([rows.time, rows.time]),
        cell,
        key // max(k, 1),
        key % max(k, 1),
        moved,
    )


def _spread(votes: _Sides, cells: int) -> tuple[FloatArray, FloatArray]:
    """[cells] W = Σ σ(1 − σ), and 1 + h: the taste for the policy itself and for the opponents, as they recur."""
    w = votes.chance * (1 - votes.chance)
    W = np.bincount(votes.cell, w, cells).astype(float)
    key, inverse = np.unique(votes.cell * (int(votes.other.max()) + 1) + votes.other, return_inverse=True)
    against = np.bincount(inverse, w) ** 2
    h = np.bincount(key // (int(votes.other.max()) + 1), against, cells) / np.maximum(W, 1e-300) ** 2
    return W, 1 + h


def _taste(votes: _Sides, cells: int) -> float:
    """τ at which the median of S²/(W + τ²(1 + h)W²) is that of χ²: 0 where votes spread no more than coins do."""
    W, both = _spread(votes, cells)
    S = np.bincount(votes.cell, votes.y - votes.chance, cells)
    least = min(1.0, float(np.quantile(W, 0.75)))  # cells of a vote or two say nothing about tastes
    use = least <= W
    S2, W, V = S[use] ** 2, W[use], (both * W**2)[use]
    low, high = 0.0, 25.0
    if np.median(S2 / W) <= MIDDLE:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.median(S2 / (W + middle * V)) > MIDDLE else (low, middle)
    return float(np.sqrt(low))


def _tails(votes: _Sides, cells: int, tau: float) -> tuple[FloatArray, FloatArray]:
    """[cells] chance of at least, and of at most, as many wins, averaged over tastes; 1 where nothing is unusual."""
    nodes, mass = special.roots_hermitenorm(31)
    nodes, mass = (nodes, mass / mass.sum()) if tau > 0 else (np.zeros(1), np.ones(1))
    W, both = _spread(votes, cells)
    reach, stretched = tau * np.sqrt(both)[votes.cell], votes.d * np.sqrt(1 + 0.69 * tau**2)
    m = np.bincount(votes.cell, minlength=cells).astype(float)
    wins = np.bincount(votes.cell, votes.y, cells)
    unusual = (wins - np.bincount(votes.cell, votes.chance, cells)) / np.sqrt(W + tau**2 * both * W**2 + 1e-300)
    many, few = unusual > UNUSUAL, unusual < -UNUSUAL  # the rest need no tail, which is dear
    high, low = np.where(many, 0.0, 1.0), np.where(few, 0.0, 1.0)
    for node, share in zip(nodes, mass, strict=True):
        mean = np.clip(np.bincount(votes.cell, special.expit(stretched + node * reach), cells) / m, 1e-12, 1 - 1e-12)
        high[many] += share * special.betainc(wins[many], m[many] - wins[many] + 1, mean[many])
        low[few] += share * special.betaincc(wins[few] + 1, m[few] - wins[few], mean[few])
    return high, low


def _holm(p: FloatArray) -> FloatArray:
    """[R] Holm's adjusted p-values; NaN stays NaN."""
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = np.maximum.accumulate(p[order] * (order.size - np.arange(order.size)))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
