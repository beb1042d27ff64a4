"""Learns from single responses that somebody found good or bad, by any objective on them.

    L = Σ_i ℓ(log π(y_i|x_i), log π_ref(y_i|x_i), P(good)_i; KL̂)_i / Σ_i ω_i      over the step
    KL̂ = mean over the step of log π/π_ref (y_σ(i)|x_i),      σ(i) a response to another prompt

Pairs are read as two responses, each good with the chance that it is the better one. KL̂ is of the whole step, without a
gradient, and asked before its first part. Limits: σ is drawn once for the data, so that its reference can be known
beforehand; a response that does not fit behind the other prompt is left out of KL̂.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from .._typing import FloatArray, IntArray, Prompt
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..tables.preferences import Preferences
from ..tables.single_batch import SingleBatch
from ._figures import Figures
from ._reference import Reference, Referred, totals
from ._texts import check_codes, codes, encoded, fingerprint, joined, prompts_of, worded
from .policy import Exchange, Policy, Tensor

SingleLoss = Callable[[SingleBatch], Tensor]
"""Responses -> [b] loss of each times its weight: an objective with its options bound."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleRows:
    """n responses as a policy reads them.

    Arguments:
        prompts, texts: [n].
        exchanges: [n], and behind them those of responses set beside another prompt.
        beside: [n] where in `exchanges` the other one stands; −1 where there is none.
        desirable, weight: [n].
        flip: [n]; None is 0 everywhere.
        findings: what was noticed.
    """

    prompts: tuple[Prompt, ...]
    texts: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    beside: IntArray
    desirable: FloatArray
    weight: FloatArray
    flip: FloatArray | None
    findings: tuple[Finding, ...]


class Singles(Referred):
    """Labelled responses and an objective, as a recipe.

    Arguments:
        preferences: with texts; a row that was not compared has a rating in [0, 1], the chance that it is good.
        loss: of a SingleBatch.
        policy: that will be trained; its codes are made here.
        reference: as of `train.pairs.Pairs`.
        kl: whether KL̂ is asked; without a reference it never is.
        skip_long: whether rows that the policy cannot read are left out and counted; else the first is an error.
        batch: responses asked at once where no gradient is needed.
        seed: of σ.

    Errors: no response is left; a label outside [0, 1]; a row that the policy cannot read; a reference with other
    codes.
    """

    def __init__(
        self,
        preferences: Preferences,
        loss: SingleLoss,
        policy: Policy,
        *,
        reference: str | Policy | None = "precomputed",
        kl: bool = True,
        skip_long: bool = False,
        batch: int = 32,
        seed: int = 0,
    ) -> None:
        asked = kl and reference is not None
        self.rows = read_singles(preferences, policy, skip_long=skip_long, seed=seed if asked else None)
        self.findings = self.rows.findings
        self.n, self.loss, self.batch = len(self.rows.texts), loss, batch
        self.fingerprint = fingerprint(self.rows.exchanges, self.rows.desirable, self.rows.weight, self.rows.flip)
        self.reference = Reference(reference, self.rows.exchanges, batch=batch)
        if not isinstance(reference, str | None):
            check_codes(policy, reference, self.rows.prompts, [(text,) for text in self.rows.texts])

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> SingleStep:  # noqa: ARG002
        """The step of some responses, with its KL̂."""
        at = np.asarray(rows)
        return SingleStep(self, at, self._kl(policy, at))

    def _kl(self, policy: Policy, at: IntArray) -> float | None:
        """Mean of log π/π_ref over responses beside prompts that are not their own; None where it is not asked."""
        other = self.rows.beside[at]
        weight, other = self.rows.weight[at][other >= 0], other[other >= 0]
        if not other.size:
            return None
        now = totals(policy, [self.rows.exchanges[row] for row in other], self.batch)
        then = self.reference.at(other, torch.from_numpy(now)).cpu().numpy()
        return float(weight @ (now - then) / weight.sum())


class SingleStep:
    """One update on some responses."""

    def __init__(self, recipe: Singles, at: IntArray, kl: float | None) -> None:
        self.recipe, self.at, self.kl = recipe, at, kl
        self.n = int(at.size)
        self.tokens = codes([recipe.rows.exchanges[row] for row in at])
        self._whole = float(recipe.rows.weight[at].sum())
        self._figures = Figures()

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of some of the responses."""
        at, rows = self.at[part], self.recipe.rows
        chances = policy.chances([rows.exchanges[row] for row in at])
        total = chances.total

        def given(column: FloatArray) -> Tensor:
            return torch.as_tensor(column[at], dtype=total.dtype, device=total.device)

        batch = SingleBatch(
            total, self.recipe.reference.at(at, total.detach()), chances.length.clamp(min=1), given(rows.desirable),
            weight=given(rows.weight), flip=None if rows.flip is None else given(rows.flip),
            kl=None if self.kl is None else total.new_tensor(self.kl),
        )  # fmt: skip
        share = self.recipe.loss(batch).sum() / self._whole
        self._figures.keep(part, {"loss": share} | _figures(batch, self.recipe.reference.given is not None))
        return share

    def metrics(self) -> Mapping[str, float]:
        """Loss; KL̂; means of log π and of log π/π_ref of good and of bad responses, by weight and label; lengths."""
        sums = self._figures.sums()
        made = {"loss": sums["loss"], "length": sums["length"] / self._whole}
        for kind in ("good", "bad"):
            if sums[kind] > 0:
                made |= {
                    name: total / sums[kind] for name, total in sums.items() if name != kind and name.endswith(kind)
                }
        return made if self.kl is None else made | {"kl": self.kl}

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt, response and label of some responses."""
        rows = self.recipe.rows
        return [
            {"prompt": worded(rows.prompts[at]), "completion": rows.texts[at], "label": float(rows.desirable[at]),
             "weight": float(rows.weight[at])}
            for at in self.at[part]
        ]  # fmt: skip


def _figures(batch: SingleBatch, referred: bool) -> dict[str, Tensor]:
    """Sums over responses, times weight and label."""
    weight: Tensor = torch.as_tensor(batch.weight)
    made = {"length": (weight * batch.length).sum()}
    for kind, share in (("good", weight * batch.desirable), ("bad", weight * (1 - batch.desirable))):
        made |= {kind: share.sum(), f"logp_{kind}": (share * batch.response).sum()}
        if referred:
            made[f"log_ratio_{kind}"] = (share * batch.log_ratio).sum()
    return made


def read_singles(preferences: Preferences, policy: Policy, *, skip_long: bool, seed: int | None) -> SingleRows:
    """The responses as a policy reads them; without a seed none is set beside another prompt. Errors: none is left."""
    prompts = prompts_of(preferences)
    outcome, rating = preferences.outcome, preferences.rating[:, 0]
    pair, alone = preferences.compared, np.isnan(outcome) & np.isfinite(rating) & (preferences.weight > 0)
    wrong = alone & ((rating < 0) | (rating > 1))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise AdjudgeError(
            f"train: row {preferences.row[first]} has the label {rating[first]:g}.",
            "True or false, or the chance that the response is a good one, in [0, 1].",
            "Turn scores into such labels, or learn from pairs.",
        )
    said = [(row, preferences.left_text[row], rating[row]) for row in np.flatnonzero(alone)]
    for row in np.flatnonzero(pair):
        said += [(row, preferences.left_text[row], outcome[row]), (row, preferences.right_text[row], 1 - outcome[row])]
    said.sort(key=lambda one: int(one[0]))
    made, found = encoded(policy, [prompts[row] for row, *_ in said], [(text,) for _, text, _ in said],
                          skip_long=skip_long, rows=[preferences.row[row] for row, *_ in said])  # fmt: skip
    kept = [(one, exchange[0]) for one, exchange in zip(said, made, strict=True) if exchange is not None]
    if not kept:
        raise AdjudgeError(
            f"train: of {preferences.n:,} rows none has a labelled response.",
            "Responses with a label or pairs that somebody compared, of a weight above 0.",
            "Look at the file, and at what was left out.",
        )
    at = np.array([row for (row, *_), _ in kept])
    texts = tuple(text for (_, text, _), _ in kept)
    own = tuple(exchange for _, exchange in kept)
    asked = tuple(prompts[row] for row in at)
    strange, beside = ((), np.full(len(kept), -1)) if seed is None else _strange(policy, asked, texts, seed)
    flip = preferences.flip[at]
    return SingleRows(
        asked, texts, own + strange, beside, np.array([label for (*_, label), _ in kept]), preferences.weight[at],
        flip if flip.any() else None, joined(preferences.findings, found),
    )  # fmt: skip


def _strange(
    policy: Policy, prompts: tuple[Prompt, ...], texts: tuple[str, ...], seed: int
) -> tuple[tuple[Exchange, ...], IntArray]:
    """Responses beside prompts that are not their own, and where each row's stands behind the n rows; −1 for none."""
    n = len(texts)
    order = np.random.default_rng((seed, 7949)).permutation(n)
    made: list[Exchange] = []
    beside = np.full(n, -1)
    if len(set(prompts)) < 2:
        return (), beside
    for place, row in enumerate(order):
        others = (order[(place + shift) % n] for shift in range(1, n))
        other = next(each for each in others if prompts[each] != prompts[row])
        try:
            exchange = policy.encode(prompts[row], texts[other])
        except AdjudgeError:
            continue
        beside[row] = n + len(made)
        made.append(exchange)
    return tuple(made), beside
