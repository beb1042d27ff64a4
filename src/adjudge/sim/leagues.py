"""Leagues of policies that meet in pairs, whose true ratings are known: who wins depends on taste, prompt and order.

    d = θ_l − θ_r + (a_ul − a_ur) + (b_ql − b_qr) + δ·first + β·x + c_lr + (g_l − g_r)(t − ½)
    P(win) : P(tie) : P(loss) = e^{d/2} : ν : e^{−d/2}                          (Davidson)
                     or  1/(1 + κe^{−d}) : what is left : 1/(1 + κe^{d})        (Rao-Kupper)

a: taste of rater u, N(0, taste²) a policy; b: what prompt q suits, N(0, prompt_taste²); c: rock-paper-scissors;
g: drift over time t in (0, 1). A model without tastes that is fitted to such votes does not estimate θ: averaged over
tastes, chances are nearer to even. `League.target` is the number that it does estimate: the fit to expected votes,
by quadrature over all that is random. Coverage must be asked of it. Limit: without tastes, cycle and drift it is θ.

Davidson (1970), J. Am. Stat. Assoc. 65(329); Rao and Kupper (1967), J. Am. Stat. Assoc. 62(317).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons, from_arrays
from . import _league_target as target_fit
from ._league_target import Draw, Target, chances

GRAPHS = ("full", "regular", "hub", "swiss")
UNITS = ("rater", "prompt")


@dataclass(frozen=True)
class League:
    """A population of votes on pairs of policies; `draw(seed)` gives a season of it.

    Arguments:
        policies: k; the first is the best.
        votes: matches in a season.
        spread: standard deviation of the abilities θ (normal scores), log-odds.
        ability: [k] θ itself instead; empty for normal scores.
        tie: chance of a tie between equals, in [0, 1); 0 means that ties do not happen.
        tie_model: `davidson` or `rao_kupper`.
        raters: people who share the votes; each has tastes of their own.
        taste: standard deviation of a rater's taste for a policy, log-odds.
        uneven: standard deviation of log-activity of raters; 0 shares the votes out evenly.
        prompts: prompts that the votes fall on at random; 0 gives every vote its own.
        prompt_taste: standard deviation of what a prompt does for a policy, log-odds.
        graph: who meets whom: `full` everybody, `regular` each about `degree` others in a random ring, `hub` everybody
            only the first `degree` policies, `swiss` neighbours in strength within `degree` places.
        degree: see `graph`.
        popular: standard deviation of the log-frequency of pairs; 0 is equal.
        order: log-odds of being shown first.
        length: log-odds per unit of a covariate (such as log length) that differs between policies and answers.
        cycle: log-odds that each policy gains over the next third of the others and loses to the third before it.
        unreliable: chance that a rater tosses a coin instead of looking.
        riggers: raters (the first ones) for whom `rigged` wins whenever it plays; the target leaves them out.
        rigged: position of the policy that they lift.
        rig_focus: share of the riggers' votes that they move to matches of `rigged`.
        drift: standard deviation of the abilities' change over the season, log-odds.
        judges: judges who give a probability on every match; then the raters' votes are trusted (gold).
        gold: share of the matches that a trusted rater votes on, when there are judges.
        judge_bias: standard deviation of a judge's bias for a policy, log-odds.
        judge_noise: standard deviation of a judge's error on a match, log-odds.
        clusters: columns of `cluster`: `rater`, `prompt`, both or none.
        layout: seed of what belongs to the league and not to the season: graph, biases, drift, activity.
    """

    policies: int = 20
    votes: int = 10_000
    spread: float = 1.0
    ability: tuple[float, ...] = ()
    tie: float = 0.0
    tie_model: str = "davidson"
    raters: int = 100
    taste: float = 0.0
    uneven: float = 0.0
    prompts: int = 0
    prompt_taste: float = 0.0
    graph: str = "full"
    degree: int = 4
    popular: float = 0.0
    order: float = 0.0
    length: float = 0.0
    cycle: float = 0.0
    unreliable: float = 0.0
    riggers: int = 0
    rigged: int = 0
    rig_focus: float = 0.0
    drift: float = 0.0
    judges: int = 0
    gold: float = 0.1
    judge_bias: float = 0.0
    judge_noise: float = 0.5
    clusters: tuple[str, ...] = ("rater",)
    layout: int = 0

    def __post_init__(self) -> None:
        wrong = [
            (self.tie_model not in target_fit.TIES, "tie_model", self.tie_model, " or ".join(target_fit.TIES)),
            (self.graph not in GRAPHS, "graph", self.graph, ", ".join(GRAPHS)),
            (not set(self.clusters) <= set(UNITS), "clusters", self.clusters, "rater, prompt, both or none"),
            (not 0 <= self.tie < 1, "tie", self.tie, "a chance below 1"),
            (self.k < 2, "policies", self.k, "at least 2"),
            (self.prompt_taste > 0 and not self.prompts, "prompts", 0, "a number of prompts, if they have tastes"),
        ]
        for bad, name, found, expected in wrong:
            if bad:
                raise AdjudgeError(f"sim.leagues: {name} is {found!r}.", f"Expected {expected}.", "Change it.")

    @property
    def k(self) -> int:
        """Policies."""
        return len(self.ability) or self.policies

    @cached_property
    def theta(self) -> FloatArray:
        """[k] abilities θ, best first and mean 0; what `target` is without tastes."""
        scores = -special.ndtri((np.arange(self.k) + 0.5) / self.k) * self.spread
        return np.asarray(self.ability, dtype=float) - np.mean(self.ability) if self.ability else scores

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray, FloatArray]:
        """[p] left and [p] right policy of the pairs that meet, and [p] their share of the matches."""
        left, right = np.triu_indices(self.k, 1)
        rng = self._layout(1)
        place = rng.permutation(self.k)
        apart = np.abs(place[left] - place[right])
        meets = {
            "full": np.ones(left.size, dtype=bool),
            "regular": np.minimum(apart, self.k - apart) <= max(self.degree // 2, 1),
            "hub": left < self.degree,
            "swiss": right - left <= self.degree,
        }[self.graph]
        share = np.exp(self.popular * rng.standard_normal(left.size))[meets]
        return left[meets], right[meets], share / share.sum()

    @cached_property
    def target(self) -> Target:
        """What a model with the league's tie model and effects, but no tastes, estimates from endless votes."""
        return self.target_of(self.tie_model if self.tie else "none")

    def target_of(self, ties: str, *, order: bool | None = None, length: bool | None = None) -> Target:
        """What another model would estimate.

        Arguments:
            ties: `none` (a tie is half a win), `davidson` or `rao_kupper`.
            order, length: whether the model has that effect; by default where the league has one.
        """
        modelled = [
            bool(own) if asked is None else asked for own, asked in ((self.order, order), (self.length, length))
        ]
        cells = self._cells()
        design = np.column_stack([cells.first, cells.x])[:, modelled]
        beta, tie = target_fit.fit(cells, design, self.k, ties)
        names = [name for name, used in zip(("order", "length"), modelled, strict=True) if used]
        theta = beta[: self.k]
        return Target(theta - theta.mean(), dict(zip(names, map(float, beta[self.k :]), strict=True)), tie)

    def draw(self, seed: int | tuple[int, ...]) -> Draw:
        """A season; the same seed gives the same votes.

        >>> season = League(policies=5, votes=101, raters=7, taste=0.5).draw(0)
        >>> season.comparisons.n, season.comparisons.k, season.truth.round().astype(int).tolist()
        (101, 5, [1203, 1083, 1000, 917, 797])
        """
        rng = np.random.default_rng(seed)
        n, (one, other, share) = self.votes, self.pairs
        rater = self._raters(rng)
        pair = rng.choice(one.size, size=n, p=share)
        turn = rng.random(n) < 0.5
        left, right = np.where(turn, other[pair], one[pair]), np.where(turn, one[pair], other[pair])
        left, right, rigging = self._rig(rng, rater, left, right)
        prompt = rng.integers(self.prompts, size=n) if self.prompts else np.arange(n)
        first = rng.choice([-1.0, 1.0], size=n)
        x = self._wordy[left] - self._wordy[right] + np.sqrt(2.0) * rng.standard_normal(n) if self.length else None
        time = (np.arange(n) + 0.5) / n
        d = self._advantage(left, right, first, np.zeros(n) if x is None else x, time)
        of_all = d + self._tastes(rng, self.prompt_taste, prompt, self.prompts, left, right)
        d = of_all + self._tastes(rng, self.taste, rater, self.raters, left, right)
        coin = rng.random(self.raters) < self.unreliable
        win, tie, _ = chances(np.where(coin[rater], 0.0, d), *self._law)
        u = rng.random(n)
        outcome = np.where(u < win, 1.0, np.where(u < win + tie, 0.5, 0.0))
        outcome = np.where(rigging, (left == self.rigged).astype(float), outcome)
        codes = {"rater": rater, "prompt": prompt}
        table = from_arrays(
            left,
            right,
            outcome,
            policies=tuple(f"p{p:0{len(str(self.k - 1))}d}" for p in range(self.k)),
            rater=rater,
            raters=tuple(f"rater {r}" for r in range(self.raters)),
            item=prompt,
            cluster=np.column_stack([codes[name] for name in self.clusters]) if self.clusters else None,
            first=first,
            covariates=x,
            covariate_names=("length",) if self.length else (),
            time=time,
        )
        votes = self._judged(rng, table, of_all) if self.judges else table
        return Draw(votes, self.target.points, self.target, rigging, coin)

    # -- parts ---------------------------------------------------------------------------------------------------

    def _layout(self, part: int) -> np.random.Generator:
        return np.random.default_rng((self.layout, part, 7919))

    @cached_property
    def _law(self) -> tuple[float, str]:
        """u (log ν or log κ) and the tie model."""
        return target_fit.log_tie(self.tie, self.tie_model), self.tie_model

    @cached_property
    def _wordy(self) -> FloatArray:
        """[k] how much longer than others a policy answers."""
        return self._layout(2).standard_normal(self.k)

    def _advantage(
        self, left: IntArray, right: IntArray, first: FloatArray, x: FloatArray, time: FloatArray
    ) -> FloatArray:
        """[n] d without tastes."""
        step = (right - left) % self.k
        third = max(self.k // 3, 1)
        cycle = (step <= third).astype(float) - (step >= self.k - third)
        pace = self.drift * self._layout(3).standard_normal(self.k)
        return np.asarray(
            self.theta[left] - self.theta[right] + self.order * first + self.length * x + self.cycle * cycle
            + (pace[left] - pace[right]) * (time - 0.5)
        )  # fmt: skip

    def _tastes(
        self, rng: np.random.Generator, sd: float, who: IntArray, how_many: int, left: IntArray, right: IntArray
    ) -> FloatArray | float:
        """[n] what the tastes of raters, or the nature of prompts, add to the advantage of left."""
        if not sd:
            return 0.0
        tastes = sd * rng.standard_normal((how_many, self.k))
        return np.asarray(tastes[who, left] - tastes[who, right])

    def _raters(self, rng: np.random.Generator) -> IntArray:
        if not self.uneven:
            return np.asarray(rng.permutation(self.votes) % self.raters)
        activity = np.exp(self.uneven * self._layout(4).standard_normal(self.raters))
        return np.asarray(rng.choice(self.raters, size=self.votes, p=activity / activity.sum()))

    def _rig(
        self, rng: np.random.Generator, rater: IntArray, left: IntArray, right: IntArray
    ) -> tuple[IntArray, IntArray, BoolArray]:
        """Riggers seek the policy that they lift, and see to it that it wins."""
        theirs = rater < self.riggers
        if not self.riggers:
            return left, right, theirs
        sought = theirs & (left != self.rigged) & (right != self.rigged) & (rng.random(left.size) < self.rig_focus)
        left = np.where(sought, self.rigged, left)
        return left, right, theirs & ((left == self.rigged) | (right == self.rigged))

    def _judged(self, rng: np.random.Generator, table: Comparisons, d: FloatArray) -> Comparisons:
        """Every match with each judge's probability, and some with a trusted vote; judges do not know the rater."""
        bias = self.judge_bias * self._layout(5).standard_normal((self.judges, self.k))
        people = table.take(np.sort(rng.permutation(table.n)[: round(self.gold * table.n)]))
        people = replace(people, trusted=np.ones(people.n, dtype=bool))
        parts = [people]
        for j in range(self.judges):
            seen = d + bias[j, table.left] - bias[j, table.right] + self.judge_noise * rng.standard_normal(table.n)
            win, tie, _ = chances(seen, *self._law)
            parts.append(replace(table, outcome=win + tie / 2, rater=np.full(table.n, self.raters + j)))
        raters = (*table.raters, *(f"judge {j}" for j in range(self.judges)))
        return target_fit.stacked(parts, raters)

    def _cells(self) -> target_fit.Cells:
        """Expected votes on every pair, order, covariate and time: all that the marginal model sees."""
        one, other, share = self.pairs
        nodes, mass = special.roots_hermitenorm(15)
        moments, spell = np.polynomial.legendre.leggauss(9) if self.drift else (np.zeros(1), np.ones(1))
        steps = (nodes, mass / mass.sum()) if self.length else (np.zeros(1), np.ones(1))
        turns = np.array([-1.0, 1.0])
        pair, turn, step, moment = (
            grid.ravel() for grid in np.meshgrid(*(np.arange(s) for s in (one.size, 2, steps[0].size, spell.size)))
        )
        left, right, first = one[pair], other[pair], turns[turn]
        x = (self._wordy[left] - self._wordy[right] + np.sqrt(2.0) * steps[0][step]) * bool(self.length)
        d = self._advantage(left, right, first, x, (1 + moments[moment]) / 2)
        weight = share[pair] * 0.5 * steps[1][step] * spell[moment] / spell.sum()
        sd = np.sqrt(2 * (self.taste**2 + self.prompt_taste**2))
        spots, average = (sd * nodes, mass / mass.sum()) if sd else (np.zeros(1), np.ones(1))
        votes = np.array([each @ average for each in chances(d[:, None] + spots, *self._law)])
        coin = np.array(chances(np.zeros(1), *self._law))
        return target_fit.Cells(left, right, first, x, weight, (1 - self.unreliable) * votes + self.unreliable * coin)
