"""Learns from contests of the policy with itself: fresh responses to a prompt, and somebody says which is better.

    y_1, …, y_n ~ ρ = π_t^{1−s}·μ^s,      P_ij = P(y_i ≻ y_j | x),  i < j
    L = Σ_{i<j} ℓ(log π(y_i), log π(y_j); log μ(·), log a(·), P_ij) / (pairs of the step)

μ is the reference, mixed in at every token as Munos, Valko, Calandriello et al. (2024) do, for both responses of a
pair: that is what objectives.nash_md asks for. a is the policy at the moment of the draw, or a slow copy of it, which
stands for π_t in objectives.nash_mp. Any objective on pairs descends: with DPO it is online DPO, with IPO self-play.
Which of two is shown first is chance, so that a judge's leaning to a side cancels. Limits: two responses of one text
teach nothing: nobody is asked about them, and they count among the pairs of the step, as the expectation over draws
has them; an objective that also raises likelihoods (orpo, rpo) does so for pairs that differ alone; the mixture needs a
policy whose `sample` can draw from one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .._typing import FloatArray, IntArray, Prompt
from ..backends.dropout import without_dropout
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..tables.contested import Prefer, contested
from ..tables.pair_batch import PairBatch
from ._figures import Figures
from ._reference import kept, totals
from ._samples import Samples
from ._slow import SlowCopy
from ._texts import check_codes, codes, encoded, fingerprint, worded
from ._together import sampled
from .devices import once
from .exact import kl_by_context
from .pairs import PairLoss, pair_figures, pair_means
from .policy import Exchange, Policy, Sampled, Tensor


@dataclass(frozen=True, slots=True)
class Contest:
    """How responses are drawn to be compared.

    Arguments:
        n: responses to each prompt, >= 2; all pairs of them are compared.
        temperature: of the draw and of all log-probabilities, > 0.
        max_tokens: of a response, >= 1.
        updates: steps on each set of pairs, >= 1.
        mix: s, the reference's share in what is drawn from, in [0, 1].
        slow: what a slow copy of the policy keeps of itself at each set of pairs, in [0, 1); with 0 there is none, and
            `old_*` are those of the policy that the step starts from.
    """

    n: int = 2
    temperature: float = 1.0
    max_tokens: int = 128
    updates: int = 1
    mix: float = 0.0
    slow: float = 0.0

    def __post_init__(self) -> None:
        for name, fits, expected in (
            ("n", self.n >= 2, "at least 2"),
            ("temperature", 0 < self.temperature < float("inf"), "above 0"),
            ("max_tokens", self.max_tokens >= 1, "at least 1"),
            ("updates", self.updates >= 1, "at least 1"),
            ("mix", 0 <= self.mix <= 1, "in [0, 1]"),
            ("slow", 0 <= self.slow < 1, "in [0, 1)"),
        ):
            if not fits:
                raise AdjudgeError(f"duels: {name} = {getattr(self, name)!r}.", f"{expected}.", "Change it.")


class Duels:
    """Prompts, somebody who compares, and an objective on pairs, as a recipe.

    Arguments:
        prompts: to sample for.
        prefer: says which of two responses is better, and how surely.
        loss: of a PairBatch; its preferences are at least ½.
        policy: that will be trained; the codes of the prompts are made here.
        contest: how responses are drawn.
        reference: whether a frozen copy of the policy is kept; a policy of one's own with the same codes is taken
            instead. False is for objectives without one.
        items: [n] names of the prompts in the file of contests; their numbers where ().
        samples: file to which every pair is written, better first, with its preference; None for none.
        skip_long: whether prompts that the policy cannot read are left out and counted; else the first is an error.
        batch: responses asked at once where no gradient is needed.

    Errors: no prompt; a prompt that the policy cannot read; a mixture without a reference.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        prefer: Prefer,
        loss: PairLoss,
        policy: Policy,
        *,
        contest: Contest = Contest(),
        reference: bool | Policy = True,
        items: Sequence[str] = (),
        samples: Path | None = None,
        skip_long: bool = False,
        batch: int = 32,
    ) -> None:
        if not prompts or (contest.mix > 0 and reference is False) or len(items) not in (0, len(prompts)):
            raise AdjudgeError(
                f"duels: {len(prompts):,} prompts, {len(items):,} items, mix = {contest.mix:g}, reference {reference}.",
                "At least one prompt, a name of each or none, and a reference where one is mixed in.",
                "Look at the file, or leave reference=True.",
            )
        made, found = encoded(policy, prompts, [("",)] * len(prompts), skip_long=skip_long)
        at = [row for row, one in enumerate(made) if one is not None]
        self.prompts = tuple(prompts[row] for row in at)
        self.items = tuple(items[row] if items else str(row) for row in at)
        self.codes = tuple(one[0].prompt for one in made if one is not None)
        self.findings: tuple[Finding, ...] = tuple(each for each in found if each.code != "responses-empty")
        self.n, self.updates, self.contest, self.batch = len(at), contest.updates, contest, batch
        self.fingerprint = fingerprint([Exchange(each, ()) for each in self.codes])
        self.prefer, self.loss = prefer, loss
        self.samples = None if samples is None else Samples(samples)
        self.reference: Policy | None = None
        self.slow = SlowCopy(contest.slow)
        self.done = 0
        self._asked = reference
        if not isinstance(reference, bool):
            check_codes(policy, reference, self.prompts, [("",)] * self.n)

    def warm_up(self, policy: Policy, progress: object = None) -> None:  # noqa: ARG002 (there is nothing to wait for)
        """Copies the policy, to be the reference."""
        self.reference = kept(self._asked, policy)

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> DuelStep:
        """Draws responses to some prompts, and has them compared."""
        at, contest = np.asarray(rows), self.contest
        toward = None if self.reference is None else (self.reference, contest.mix)
        self.slow.follow(policy)
        with torch.no_grad(), without_dropout(policy.module):
            drawn = sampled(
                policy, [self.codes[row] for row in at], generator, n=contest.n, temperature=contest.temperature,
                max_tokens=contest.max_tokens, toward=toward,
            )  # fmt: skip
        step = DuelStep(self, policy, at, drawn)
        if self.samples is not None:
            self.samples.write(self.done, step.rows(slice(0, step.n)))
        self.done += self.updates
        return step

    def state(self) -> Mapping[str, object]:
        """How many updates were prepared, and the slow copy."""
        return {"done": self.done, "slow": self.slow.weights}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes them over."""
        self.done, self.slow.weights = int(state["done"]), list(state["slow"])


class DuelStep:
    """The pairs of one step; its rows are prompts, so that a response is given to the policy once for all its pairs."""

    def __init__(self, recipe: Duels, policy: Policy, at: IntArray, drawn: Sampled) -> None:
        contest, self.recipe, self.at = recipe.contest, recipe, at
        self.n, self.exchanges = int(at.size), drawn.exchanges
        self.texts = tuple(policy.decode(one.response) for one in drawn.exchanges)
        within = np.array(list(combinations(range(contest.n), 2)))
        every = (np.arange(self.n)[:, None, None] * contest.n + within).reshape(-1, 2)
        apart = every[[self.texts[i] != self.texts[j] for i, j in every]]
        asked = [recipe.prompts[at[i // contest.n]] for i, _ in apart]
        left, right = ([self.texts[i] for i in side] for side in apart.T)
        chance = once(lambda: contested(recipe.prefer(asked, left, right), len(asked))) if asked else np.zeros(0)
        known, turned = ~np.isnan(chance), chance < 0.5
        self.pairs = np.where(turned[:, None], apart[:, ::-1], apart)[known]
        self.preference = np.maximum(chance, 1 - chance)[known]
        self._whole = float(max(len(every) - len(apart) + known.sum(), 1))
        self.tokens = codes([self.exchanges[each] for each in np.unique(self.pairs)])
        self.old = self._old(policy, drawn)
        self.known = None if recipe.reference is None else self._totals(recipe.reference)
        self._figures = Figures()
        self._told = self._seen(policy, drawn, len(every), len(apart), int(known.sum()))

    def _totals(self, policy: Policy) -> FloatArray:
        """[b] log π of the responses at the temperature of the draw."""
        return totals(policy, self.exchanges, self.recipe.batch, temperature=self.recipe.contest.temperature)

    def _old(self, policy: Policy, drawn: Sampled) -> FloatArray:
        """[b] log-probabilities under the policy that the step starts from, or its slow copy."""
        if self.recipe.slow.keep > 0:
            with self.recipe.slow.worn(policy):
                return self._totals(policy)
        if self.recipe.contest.mix > 0:
            return self._totals(policy)
        return np.asarray(drawn.chances.total.double().cpu().numpy())

    def _seen(self, policy: Policy, drawn: Sampled, every: int, apart: int, known: int) -> dict[str, float]:
        """Figures of the draw."""
        told = {"equal": 1 - apart / every, "length": float(drawn.chances.length.double().mean())}
        told["unfinished"] = 1 - float(np.mean(drawn.ended))
        if known < apart:
            told["unjudged"] = 1 - known / apart
        if known:
            told["sure"] = float(self.preference.mean())
        reference, contest = self.recipe.reference, self.recipe.contest
        if reference is not None:
            exact = kl_by_context(policy, reference, [self.recipe.codes[row] for row in self.at], contest.temperature)
            if exact is not None:
                told["kl"] = float(exact.mean())
            elif not contest.mix and self.known is not None:
                told["kl"] = float((drawn.chances.total.double().cpu().numpy() - self.known).mean())
        return told

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of the pairs of some prompts."""
        start, stop, _ = part.indices(self.n)
        row = self.pairs[:, 0] // self.recipe.contest.n
        here = (row >= start) & (row < stop)
        if not here.any():
            return torch.zeros((), device=next(policy.module.parameters()).device)
        batch = self.batch(policy, here)
        share = self.recipe.loss(batch).sum() / self._whole
        self._figures.keep(part, {"loss": share} | pair_figures(batch, self.known is not None))
        return share

    def batch(self, policy: Policy, here: Any) -> PairBatch:
        """Some of the pairs as the objective reads them."""
        asked, place = np.unique(self.pairs[here], return_inverse=True)
        chances = policy.chances([self.exchanges[each] for each in asked], temperature=self.recipe.contest.temperature)
        better, worse = torch.from_numpy(place.reshape(-1, 2).T.copy()).to(chances.logp.device)

        def given(column: FloatArray | None) -> Tensor:
            like = chances.logp
            kept = np.zeros(asked.size) if column is None else column[asked]
            return torch.as_tensor(kept, dtype=like.dtype, device=like.device)

        total, length, ref, old = chances.total, chances.length.clamp(min=1), given(self.known), given(self.old)
        preference = torch.as_tensor(self.preference[here], dtype=total.dtype, device=total.device)
        return PairBatch(
            total[better], total[worse], ref[better], ref[worse], length[better], length[worse],
            preference=preference, old_chosen=old[better], old_rejected=old[worse],
        )  # fmt: skip

    def metrics(self) -> Mapping[str, float]:
        """Means over pairs as of `train.pairs.pair_means`, and of the draw: `equal` and `unjudged` shares of pairs
        that teach nothing, `sure` the mean chance of the better one, `length`, `unfinished`, and `kl` from the
        reference (exact where the policy is a table; else a mean over draws, where they are the policy's own)."""
        sums = self._figures.sums()
        return (pair_means(sums, float(len(self.pairs))) if "decided" in sums else {"loss": 0.0}) | self._told

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt, both responses, the better first, and its preference, of the pairs of some prompts."""
        start, stop, _ = part.indices(self.n)
        made: list[dict[str, object]] = []
        for (i, j), sure in zip(self.pairs.tolist(), self.preference.tolist(), strict=True):
            row = i // self.recipe.contest.n
            if start <= row < stop:
                at = int(self.at[row])
                made.append(
                    {"item": self.recipe.items[at], "prompt": worded(self.recipe.prompts[at]),
                     "chosen": self.texts[i], "rejected": self.texts[j], "preference": sure}
                )  # fmt: skip
        return made
