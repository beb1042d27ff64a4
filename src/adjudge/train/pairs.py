"""Learns from pairs of which one is preferred, by any objective on pairs.

    L = Σ_i ℓ(log π(y_w), log π(y_l); log π_ref(y_w), log π_ref(y_l), …)_i / Σ_i ω_i      over the step

The response that is more likely the better one is y_w, with its chance as `preference`; weights, flips and margins go
with it. Both responses of a pair are given to the policy side by side, so that it may read their prompt once. Limits:
objectives that ask for responses of the policy itself (Nash) learn here from the data's; `train.duels` samples them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from .._typing import FloatArray, IntArray, Prompt
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.pair_batch import PairBatch
from ..tables.preferences import Preferences
from ._figures import Figures
from ._reference import Reference, Referred
from ._texts import check_codes, codes, encoded, fingerprint, joined, prompts_of, worded
from .policy import Exchange, Policy, Tensor

PairLoss = Callable[[PairBatch], Tensor]
"""Pairs -> [b] loss of each times its weight: an objective with its options bound."""


@dataclass(frozen=True, slots=True, eq=False)
class PairRows:
    """The pairs as a policy reads them, the better response first; n rows.

    Arguments:
        prompts: [n].
        texts: [n] chosen and rejected.
        exchanges: [2n] chosen and rejected of the first pair, of the second, …
        preference, weight, flip, margin: [n]; None as in `PairBatch`.
        cluster: [n] independent unit, as in the table of preferences.
        findings: what was noticed.
    """

    prompts: tuple[Prompt, ...]
    texts: tuple[tuple[str, str], ...]
    exchanges: tuple[Exchange, ...]
    preference: FloatArray | None
    weight: FloatArray
    flip: FloatArray | None
    margin: FloatArray | None
    cluster: IntArray
    findings: tuple[Finding, ...]


class Pairs(Referred):
    """Preferences and an objective, as a recipe.

    Arguments:
        preferences: with texts; rows that nobody compared or of weight 0 are left out.
        loss: of a PairBatch.
        policy: that will be trained; its codes are made here.
        reference: "precomputed" (the policy before the first update, asked once), "live" (a frozen copy, asked each
            time), a policy of one's own with the same codes, or None for objectives without a reference.
        start: whether `old_chosen` and `old_rejected` are given: log-probabilities at the start of the step.
        skip_long: whether rows that the policy cannot read are left out and counted; else the first is an error.
        batch: pairs asked at once while the reference is precomputed.

    Errors: no pair is left; a row that the policy cannot read; a reference with other codes.
    """

    def __init__(
        self,
        preferences: Preferences,
        loss: PairLoss,
        policy: Policy,
        *,
        reference: str | Policy | None = "precomputed",
        start: bool = False,
        skip_long: bool = False,
        batch: int = 16,
    ) -> None:
        self.rows = read_pairs(preferences, policy, skip_long=skip_long)
        self.findings = self.rows.findings
        self.n = len(self.rows.texts)
        self.fingerprint = fingerprint(
            self.rows.exchanges, self.rows.preference, self.rows.weight, self.rows.flip, self.rows.margin
        )
        self.loss = loss
        self.start = start
        self.reference = Reference(reference, self.rows.exchanges, batch=2 * batch)
        if not isinstance(reference, str | None):
            check_codes(policy, reference, self.rows.prompts, self.rows.texts)

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> PairStep:  # noqa: ARG002
        """The step of some pairs."""
        return PairStep(self, np.asarray(rows))


class PairStep:
    """One update on some pairs."""

    def __init__(self, recipe: Pairs, at: IntArray) -> None:
        self.recipe = recipe
        self.at = at
        self.n = int(at.size)
        self.tokens = codes(self._exchanges(at))
        self._whole = float(recipe.rows.weight[at].sum())
        self._figures = Figures()

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of some of the pairs."""
        batch = self.batch(policy, part)
        share = self.recipe.loss(batch).sum() / self._whole
        self._figures.keep(part, {"loss": share} | pair_figures(batch, self.recipe.reference.given is not None))
        return share

    def batch(self, policy: Policy, part: slice) -> PairBatch:
        """Some of the pairs as the objective reads them."""
        at, rows = self.at[part], self.recipe.rows
        chances = policy.chances(self._exchanges(at))
        total = chances.total
        both, length = total.view(-1, 2), chances.length.clamp(min=1).view(-1, 2)
        ref = self.recipe.reference.at((2 * at[:, None] + np.arange(2)).ravel(), total.detach()).view(-1, 2)

        def given(column: FloatArray | None) -> Tensor | None:
            return None if column is None else torch.as_tensor(column[at], dtype=total.dtype, device=total.device)

        old = both.detach() if self.recipe.start else None
        return PairBatch(
            both[:, 0], both[:, 1], ref[:, 0], ref[:, 1], length[:, 0], length[:, 1],
            preference=given(rows.preference), weight=given(rows.weight), flip=given(rows.flip),
            margin=given(rows.margin),
            old_chosen=None if old is None else old[:, 0], old_rejected=None if old is None else old[:, 1],
        )  # fmt: skip

    def metrics(self) -> Mapping[str, float]:
        """Loss, and means over pairs by weight: see `pair_means`."""
        return pair_means(self._figures.sums(), self._whole)

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt, responses and label of some pairs."""
        rows = self.recipe.rows
        return [
            {"prompt": worded(rows.prompts[at]), "chosen": rows.texts[at][0], "rejected": rows.texts[at][1],
             "preference": 1.0 if rows.preference is None else float(rows.preference[at]),
             "weight": float(rows.weight[at])}
            for at in self.at[part]
        ]  # fmt: skip

    def _exchanges(self, at: IntArray) -> list[Exchange]:
        return [self.recipe.rows.exchanges[2 * row + side] for row in at for side in (0, 1)]


def pair_figures(batch: PairBatch, referred: bool) -> dict[str, Tensor]:
    """Sums over pairs, times weight, of what `pair_means` tells.

    Arguments:
        batch: of a part.
        referred: whether there is a reference; without one, implicit rewards are log-probabilities by token.
    """
    weight = torch.ones_like(batch.chosen) if batch.weight is None else batch.weight
    lead = batch.log_ratio if referred else batch.chosen / batch.chosen_length - batch.rejected / batch.rejected_length
    decided = weight if batch.preference is None else weight * (batch.preference > 0.5)
    made = {
        "decided": decided,
        "right": decided * ((lead > 0).to(weight.dtype) + 0.5 * (lead == 0).to(weight.dtype)),
        "logp_chosen": weight * batch.chosen,
        "logp_rejected": weight * batch.rejected,
        "length_chosen": weight * batch.chosen_length,
        "length_rejected": weight * batch.rejected_length,
    }
    if referred:
        made["log_ratio_chosen"] = weight * (batch.chosen - batch.ref_chosen)
        made["log_ratio_rejected"] = weight * (batch.rejected - batch.ref_rejected)
    return {name: values.sum() for name, values in made.items()}


def pair_means(sums: Mapping[str, float], whole: float) -> dict[str, float]:
    """`loss`; `accuracy`, the share of pairs without a tie whose implicit rewards are in the labels' order; means of
    log π, of the tokens of responses, and, with a reference, of log π/π_ref (how far they moved since the beginning).

    Arguments:
        sums: over the step.
        whole: weight of the step.
    """
    made = {"loss": sums["loss"]}
    if sums["decided"] > 0:
        made["accuracy"] = sums["right"] / sums["decided"]
    return made | {name: total / whole for name, total in sums.items() if name not in ("loss", "decided", "right")}


def read_pairs(preferences: Preferences, policy: Policy, *, skip_long: bool) -> PairRows:
    """The pairs as a policy reads them. Errors: none is left; a row that the policy cannot read."""
    prompts = prompts_of(preferences)
    known = np.flatnonzero(preferences.compared)
    turned = preferences.outcome < 0.5
    texts = {
        int(row): (preferences.right_text[row], preferences.left_text[row])
        if turned[row]
        else (preferences.left_text[row], preferences.right_text[row])
        for row in known
    }
    exchanges, found = encoded(
        policy, [prompts[row] for row in known], [texts[int(row)] for row in known], skip_long=skip_long,
        rows=preferences.row[known],
    )  # fmt: skip
    read = [(int(row), pair) for row, pair in zip(known, exchanges, strict=True) if pair is not None]
    kept = [(row, pair) for row, pair in read if pair[0] != pair[1]]
    if len(kept) < len(read):
        found.append(
            Finding(
                "responses-equal", Severity.WARNING,
                f"{len(read) - len(kept):,} of {len(read):,} pairs have the same response twice, as the policy reads "
                "them, and are left out.", len(read) - len(kept), 0.0, "Look for where they were made.",
            )
        )  # fmt: skip
    if not kept:
        raise AdjudgeError(
            f"train: of {preferences.n:,} pairs none is left to learn from.",
            "Pairs of different responses that somebody compared, of a weight above 0.",
            "Look at the file, and at what was left out.",
        )
    at = np.array([row for row, _ in kept])
    outcome, flip, margin = preferences.outcome[at], preferences.flip[at], preferences.margin[at]
    sure = np.maximum(outcome, 1 - outcome)
    return PairRows(
        tuple(prompts[row] for row in at),
        tuple(texts[int(row)] for row in at),
        tuple(one for _, pair in kept for one in pair),
        None if (sure == 1).all() else sure,
        preferences.weight[at],
        flip if flip.any() else None,
        None if np.isnan(margin).all() else np.nan_to_num(margin),
        preferences.cluster[at],
        joined(preferences.findings, found),
    )
