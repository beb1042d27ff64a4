"""Learns from what it says itself: samples responses, has them rewarded, and takes a step of policy gradient.

    ∇ E r(y) = E[A·∇ log π(y)],      y ~ π;      A from any rule of credit/, the step from stats.policy_gradient

With κ > 0 what is climbed is E r − κ·KL(π ‖ π_ref), whose top is π_ref·exp(r/κ)/Z. Everything is at the temperature of
the draw: the policy that samples is the one that learns. Limits: both lines hold where a response's tokens are added
up, with over="token" or ratio="response"; divided by its length, as with over="response", a long response is moved less
than it is worth, and the top is another. A prompt whose responses all have one reward teaches nothing; with several
updates on one set of samples the later ones are off the policy, as far as the clip lets them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from .._typing import FloatArray, IntArray, Prompt
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..stats import policy_gradient
from ..stats.arrays import plain
from ..tables import rollouts as table
from ..tables.scored import Reward
from ._figures import Figures
from ._reference import kept
from ._samples import Samples
from ._texts import codes, encoded, fingerprint, worded
from .exact import kl_by_context
from .policy import Policy, Tensor
from .responses import Draw, PromptRows, Responses, respond

Credit = Callable[[table.Rollouts], table.Array]
"""Rewarded responses -> [b] advantage of each: a credit rule with its options bound."""


@runtime_checkable
class Remembers(Protocol):
    """A credit rule that learns on the way, such as the price of a constraint: what it knows goes into checkpoints."""

    def state(self) -> Mapping[str, object]:
        """What it knows."""
        ...

    def restore(self, state: Mapping[str, object]) -> None:
        """Takes over what `state` gave."""
        ...


class Rollouts:
    """Prompts, a reward and a credit rule, as a recipe.

    Arguments:
        prompts: to sample for.
        reward: of responses.
        advantages: the credit rule.
        policy: that will be trained; the codes of the prompts are made here.
        draw: how responses are sampled and learnt from.
        reference: whether a frozen copy of the policy is kept, to tell how far it went; a policy of one's own is taken
            instead. Needed where `draw.kl` is above 0 or the denominator is the reference.
        demonstrations: a teacher's response to each prompt, which joins the policy's own; () for none.
        items: [n] names of the prompts in `samples`; their numbers where ().
        samples: file to which every response is written, with its reward and log π/π_ref; None for none.
        skip_long: whether prompts that the policy cannot read are left out and counted; else the first is an error.
        batch: responses asked at once where no gradient is needed.

    Errors: no prompt; a prompt that the policy cannot read; another number of demonstrations or items.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        reward: Reward,
        advantages: Credit,
        policy: Policy,
        *,
        draw: Draw = Draw(),  # noqa: B008 (frozen)
        reference: bool | Policy = True,
        demonstrations: Sequence[str] = (),
        items: Sequence[str] = (),
        samples: Path | None = None,
        skip_long: bool = False,
        batch: int = 32,
    ) -> None:
        _check(prompts, demonstrations, items, draw, reference)
        taught = demonstrations or ("",) * len(prompts)
        made, found = encoded(policy, prompts, [(text,) for text in taught], skip_long=skip_long)
        at = [row for row, one in enumerate(made) if one is not None]
        self.rows = PromptRows(
            tuple(prompts[row] for row in at),
            tuple(one[0] for one in made if one is not None),
            tuple(items[row] if items else str(row) for row in at),
            tuple(taught[row] for row in at) if demonstrations else (),
        )
        self.findings: tuple[Finding, ...] = tuple(
            each for each in found if demonstrations or each.code != "responses-empty"
        )
        self.n, self.updates, self.draw, self.batch = len(at), draw.updates, draw, batch
        self.fingerprint = fingerprint(self.rows.exchanges)
        self.reward, self.advantages = reward, advantages
        self.samples = None if samples is None else Samples(samples)
        self.reference: Policy | None = None
        self._asked = reference
        self.done = 0

    def warm_up(self, policy: Policy, progress: object = None) -> None:  # noqa: ARG002 (there is nothing to wait for)
        """Copies the policy, to be the reference."""
        self.reference = kept(self._asked, policy)

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> RolloutStep:
        """Samples, rewards and credits responses to some prompts."""
        told = respond(
            policy, self.rows, np.asarray(rows), self.draw, self.reward, generator, reference=self.reference,
            batch=self.batch,
        )  # fmt: skip
        if self.samples is not None:
            self.samples.write(self.done, told.lines())
        self.done += self.updates
        kl = None
        if self.reference is not None:
            prompts = [self.rows.exchanges[row].prompt for row in rows]
            kl = kl_by_context(policy, self.reference, prompts, self.draw.temperature)
        return RolloutStep(told, self.advantages, self.draw, kl)

    def state(self) -> Mapping[str, object]:
        """How many updates were prepared, and what the credit rule remembers."""
        rule: object = self.advantages
        return {"done": self.done} | ({"credit": dict(rule.state())} if isinstance(rule, Remembers) else {})

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes them over."""
        self.done = int(state["done"])
        rule: object = self.advantages
        if isinstance(rule, Remembers):
            rule.restore(state["credit"])


class RolloutStep:
    """The responses of one step, rewarded and credited; they stay as they are for all of its updates."""

    def __init__(self, responses: Responses, advantages: Credit, draw: Draw, kl: FloatArray | None = None) -> None:
        self.responses, self.draw, self._kl = responses, draw, kl
        self.n, self.tokens = len(responses.exchanges), codes(responses.exchanges)
        self.credit = np.asarray(plain(advantages(responses.table)), dtype=float)
        priced = draw.kl * policy_gradient.kl_baseline(responses.table) if draw.kl and draw.kl_baseline else 0.0
        self._credited = self.credit + priced
        counts = np.maximum(responses.mask.sum(1), 1.0)
        self._counted = counts if draw.over == "token" and draw.ratio == "token" else np.ones(self.n)
        self._whole = float(self._counted.sum())
        self._figures = Figures()

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of some of the responses."""
        draw, told = self.draw, self.responses
        chances = policy.chances(told.exchanges[part], temperature=draw.temperature)
        width = min(chances.logp.shape[1], told.logp.shape[1])
        logp = chances.logp[:, :width]

        def given(column: FloatArray) -> Tensor:
            kept = column[part][:, :width] if column.ndim == 2 else column[part]
            return torch.as_tensor(kept, dtype=logp.dtype, device=logp.device)

        rows = table.Rollouts(
            given(told.said.reward), told.row[part], policy=logp, old=given(told.logp), mask=given(told.mask),
            reference=None if told.reference is None else given(told.reference),
        )  # fmt: skip
        credit = given(self._credited)
        terms = policy_gradient.terms(
            rows, credit, denominator=draw.denominator, ratio=draw.ratio, clip=draw.clip, kl=draw.kl
        )
        mean: Tensor = policy_gradient.mean(terms, rows, over=draw.over)
        share = mean * (float(self._counted[part].sum()) / self._whole)
        figures = {"loss": share}
        if draw.clip is not None and draw.denominator == "old":
            figures["clipped"] = _clipped(rows, credit, draw) / self.n
        self._figures.keep(part, figures)
        return share

    def metrics(self) -> Mapping[str, float]:
        """Loss; mean reward with its standard error over prompts; KL from the reference; what else a look should tell.

        `kl` is the mean of log π/π_ref of the responses, unbiased and noisy, and exact where the policy is a table;
        `kl_k3` that of π_ref/π − 1 − log π_ref/π
        summed over tokens, never below 0; `clipped` the mean share of a response's ratios that the clip held;
        `silent` the share of prompts whose responses all have the advantage 0; `unfinished` that of responses cut
        off; `surprise` the mean of −log π of a token.
        """
        told = self.responses
        own = ~told.taught
        reward, mask, row = told.said.reward[own], told.mask[own], told.row[own]
        made = self._figures.sums() | _mean("reward", reward, row)
        if told.said.gold is not None:
            made |= _mean("gold", told.said.gold[own], row)
        if np.isnan(reward).any():
            made["unrewarded"] = float(np.isnan(reward).mean())
        moved = np.bincount(np.unique(told.row, return_inverse=True)[1], np.abs(self.credit))
        made["silent"] = float((moved == 0).mean())
        made["length"] = float(mask.sum(1).mean())
        made["unfinished"] = float(1 - told.ended[own].mean())
        made["surprise"] = float(-told.logp[own].sum() / max(mask.sum(), 1.0))
        if told.reference is not None:
            lead = (told.reference - told.logp)[own]
            made["kl"] = float(-lead.sum(1).mean() if self._kl is None else self._kl.mean())
            made["kl_k3"] = float((np.expm1(lead) - lead).sum(1).mean())
        return made

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt, response, reward and advantage of some responses."""
        told = self.responses
        return [
            {"prompt": worded(told.rows.prompts[int(told.row[at])]), "response": told.texts[at],
             "reward": float(told.said.reward[at]), "advantage": float(self.credit[at])}
            for at in range(*part.indices(self.n))
        ]  # fmt: skip


def _clipped(rows: table.Rollouts, credit: Tensor, draw: Draw) -> Tensor:
    """[] sum over responses of the share of their ratios that the clip held."""
    mask = torch.as_tensor(rows.mask)
    lead = torch.as_tensor(rows.policy).detach() - torch.as_tensor(rows.old)
    lead, counts = lead * mask, mask.sum(1).clamp(min=1)
    if draw.kl:  # what is climbed has the price in it
        moved = torch.as_tensor(rows.policy).detach() - torch.as_tensor(rows.reference)
        credit = credit - draw.kl * (moved * mask).sum(1)
    if draw.ratio != "token":
        lead = lead.sum(1, keepdim=True) / (counts[:, None] if draw.ratio == "geometric" else 1.0)
    low, high = draw.clip or (0.0, 0.0)
    rho, gained = lead.exp(), credit[:, None]
    out = ((gained > 0) & (rho > 1 + high)) | ((gained < 0) & (rho < 1 - low))
    held: Tensor = out.to(lead.dtype) if draw.ratio != "token" else (out * mask) / counts[:, None]
    return held.sum()


def _mean(name: str, values: FloatArray, row: IntArray) -> dict[str, float]:
    """Mean over prompts of their mean, and its standard error where there are two prompts or responses."""
    known = ~np.isnan(values)
    code = np.unique(row[known], return_inverse=True)[1]
    if not code.size:
        return {}
    means = np.bincount(code, values[known]) / np.bincount(code)
    made = {name: float(means.mean())}
    spread = means if means.size > 1 else values[known]
    if spread.size > 1:
        made[f"{name}_stderr"] = float(spread.std(ddof=1) / np.sqrt(spread.size))
    return made


def _check(
    prompts: Sequence[Prompt], demonstrations: Sequence[str], items: Sequence[str], draw: Draw, reference: object
) -> None:
    """Errors: no prompts; columns of another length; a reference that is needed and not there."""
    for name, column in (("demonstrations", demonstrations), ("items", items)):
        if column and len(column) != len(prompts):
            raise AdjudgeError(
                f"rollouts: {len(column):,} {name} of {len(prompts):,} prompts.", "One of each.", "Give one of each."
            )
    if not prompts:
        raise AdjudgeError("rollouts: no prompts.", "At least one to sample for.", "Look at the file.")
    if reference is False and (draw.kl > 0 or draw.denominator == "reference"):
        raise AdjudgeError(
            "rollouts: a price of leaving the reference, and no reference.",
            "The policy before the first update, or one of your own.",
            "Leave reference=True, or set kl to 0.",
        )
