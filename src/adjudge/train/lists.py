"""Learns from lists of responses of which it is known what each is worth, by any listwise objective.

    L = Σ_i ℓ(log π(y_i1), …, log π(y_im); log π_ref(…), gains)_i / Σ_i ω_i      over the step

All responses of a list are given to the policy side by side, so that it may read their prompt once. Limits: responses
that nobody valued are left out, and so is a list of which fewer than two are left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from .._typing import FloatArray, IntArray, Prompt
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.list_batch import ListBatch
from ..tables.ranked_lists import RankedLists
from ._figures import Figures
from ._reference import Reference, Referred
from ._texts import check_codes, codes, encoded, fingerprint, joined, worded
from .policy import Exchange, Policy, Tensor

ListLoss = Callable[[ListBatch], Tensor]
"""Lists -> [b] loss of each times its weight: an objective with its options bound."""


@dataclass(frozen=True, slots=True, eq=False)
class ListRows:
    """n lists as a policy reads them.

    Arguments:
        prompts, texts: [n] of each list.
        exchanges: of the first list, of the second, …
        start: [n + 1] where each list begins in `exchanges`.
        gain: of each exchange.
        weight: [n].
        flip: [n]; None is 0 everywhere.
        findings: what was noticed.
    """

    prompts: tuple[Prompt, ...]
    texts: tuple[tuple[str, ...], ...]
    exchanges: tuple[Exchange, ...]
    start: IntArray
    gain: FloatArray
    weight: FloatArray
    flip: FloatArray | None
    findings: tuple[Finding, ...]

    def places(self, at: IntArray) -> IntArray:
        """[b, m] where the responses of some lists stand in `exchanges`; −1 where there is none."""
        size = self.start[at + 1] - self.start[at]
        column = np.arange(size.max(initial=0))
        return np.where(column < size[:, None], self.start[at][:, None] + column, -1)


class Lists(Referred):
    """Ranked lists and an objective, as a recipe.

    Arguments:
        lists: responses and gains.
        loss: of a ListBatch.
        policy: that will be trained; its codes are made here.
        reference: as of `train.pairs.Pairs`.
        noise: scale τ > 0 of the error in the gains, in their unit; None for none.
        skip_long: whether rows that the policy cannot read are left out and counted; else the first is an error.
        batch: responses asked at once while the reference is precomputed.

    Errors: no list of two is left; a row that the policy cannot read; a reference with other codes.
    """

    def __init__(
        self,
        lists: RankedLists,
        loss: ListLoss,
        policy: Policy,
        *,
        reference: str | Policy | None = "precomputed",
        noise: float | None = None,
        skip_long: bool = False,
        batch: int = 32,
    ) -> None:
        self.rows = read_lists(lists, policy, skip_long=skip_long)
        self.findings = self.rows.findings
        self.n, self.loss, self.noise = len(self.rows.prompts), loss, noise
        self.fingerprint = fingerprint(self.rows.exchanges, self.rows.gain, self.rows.weight, self.rows.flip)
        self.reference = Reference(reference, self.rows.exchanges, batch=batch)
        if not isinstance(reference, str | None):
            check_codes(policy, reference, self.rows.prompts, self.rows.texts)

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> ListStep:  # noqa: ARG002
        """The step of some lists."""
        return ListStep(self, np.asarray(rows))


class ListStep:
    """One update on some lists."""

    def __init__(self, recipe: Lists, at: IntArray) -> None:
        self.recipe, self.at = recipe, at
        self.n = int(at.size)
        places = recipe.rows.places(at)
        self.tokens = codes([recipe.rows.exchanges[place] for place in places[places >= 0]])
        self._whole = float(recipe.rows.weight[at].sum())
        self._figures = Figures()

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of some of the lists."""
        at, rows = self.at[part], self.recipe.rows
        places = rows.places(at)
        here = places >= 0
        total = policy.chances([rows.exchanges[place] for place in places[here]]).total
        known = self.recipe.reference.at(places[here], total.detach())
        mask = torch.from_numpy(here).to(total.device)

        def set_out(values: Tensor) -> Tensor:
            return values.new_zeros(here.shape).masked_scatter(mask, values)

        def given(column: FloatArray) -> Tensor:
            return torch.as_tensor(column, dtype=total.dtype, device=total.device)

        noise = self.recipe.noise
        batch = ListBatch(
            set_out(total), set_out(known), given(np.where(here, rows.gain[places], 0.0)), mask=mask,
            weight=given(rows.weight[at]), noise=None if noise is None else given(np.full(at.size, noise)),
            flip=None if rows.flip is None else given(rows.flip[at]),
        )  # fmt: skip
        share = self.recipe.loss(batch).sum() / self._whole
        self._figures.keep(part, {"loss": share} | _figures(batch, mask))
        return share

    def metrics(self) -> Mapping[str, float]:
        """Loss; `accuracy`, the share of unequal pairs in the gains' order; means of log π and, with a reference, of
        log π/π_ref of the best response of each list."""
        sums = self._figures.sums()
        made = {"loss": sums["loss"]}
        if sums["pairs"] > 0:
            made["accuracy"] = sums["right"] / sums["pairs"]
        made["logp_best"] = sums["logp_best"] / self._whole
        if self.recipe.reference.given is not None:
            made["log_ratio_best"] = sums["log_ratio_best"] / self._whole
        return made

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt, responses and gains of some lists."""
        rows = self.recipe.rows
        return [
            {"prompt": worded(rows.prompts[at]), "completions": list(rows.texts[at]),
             "scores": rows.gain[rows.start[at] : rows.start[at + 1]].tolist(), "weight": float(rows.weight[at])}
            for at in self.at[part]
        ]  # fmt: skip


def _figures(batch: ListBatch, mask: Tensor) -> dict[str, Tensor]:
    """Sums over lists, times weight."""
    weight, gain = torch.as_tensor(batch.weight), torch.as_tensor(batch.gain)
    ratio = torch.as_tensor(batch.responses - batch.ref_responses)
    better = (gain[:, :, None] > gain[:, None, :]) & mask[:, :, None] & mask[:, None, :]
    lead = ratio[:, :, None] - ratio[:, None, :]
    right = better * ((lead > 0).to(ratio.dtype) + 0.5 * (lead == 0).to(ratio.dtype))
    best = gain.masked_fill(~mask, -torch.inf).argmax(1, keepdim=True)
    return {
        "pairs": (weight * better.sum((1, 2))).sum(),
        "right": (weight * right.sum((1, 2))).sum(),
        "logp_best": (weight * torch.as_tensor(batch.responses).gather(1, best)[:, 0]).sum(),
        "log_ratio_best": (weight * ratio.gather(1, best)[:, 0]).sum(),
    }


def read_lists(lists: RankedLists, policy: Policy, *, skip_long: bool) -> ListRows:
    """The lists as a policy reads them. Errors: none of two is left; a row that the policy cannot read."""
    known = np.flatnonzero(lists.weight > 0)
    made, found = encoded(policy, [lists.prompts[row] for row in known], [lists.responses[row] for row in known],
                          skip_long=skip_long, rows=known)  # fmt: skip
    kept: list[tuple[int, list[int]]] = []
    exchanges: list[Exchange] = []
    twice = 0
    for row, read in zip(known.tolist(), made, strict=True):
        if read is None:
            continue
        valued = [place for place in range(len(read)) if np.isfinite(lists.gain[row][place])]
        first = {read[place]: place for place in reversed(valued)}
        twice += len(valued) - len(first)
        if len(first) > 1:
            kept.append((row, sorted(first.values())))
            exchanges += [read[place] for place in sorted(first.values())]
    if twice:
        found.append(
            Finding(
                "responses-equal", Severity.WARNING,
                f"{twice:,} responses are, as the policy reads them, what an earlier one of their list is, and are "
                "left out.", twice, 0.0, "Look for where they were made.",
            )
        )  # fmt: skip
    if not kept:
        raise AdjudgeError(
            f"train: of {lists.n:,} lists none is left to learn from.",
            "Lists of two or more different responses with gains, of a weight above 0.",
            "Look at the file, and at what was left out.",
        )
    at = np.array([row for row, _ in kept])
    flip = lists.flip[at]
    return ListRows(
        tuple(lists.prompts[row] for row in at),
        tuple(tuple(lists.responses[row][place] for place in places) for row, places in kept),
        tuple(exchanges),
        np.concatenate([[0], np.cumsum([len(places) for _, places in kept])]),
        np.array([lists.gain[row][place] for row, places in kept for place in places]),
        lists.weight[at],
        flip if flip.any() else None,
        joined(lists.findings, found),
    )
