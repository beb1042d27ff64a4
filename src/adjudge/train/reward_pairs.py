"""Trains reward heads and what lies beneath them on pairs, by the losses that `rewards` fits on plain features.

    bradley_terry  Σ w·[−p̃·log σ(Δ) − (1 − p̃)·log σ(−Δ)],  Δ = r_l − r_r,  p̃ = (p − ε)/(1 − 2ε)
    margin         the same at Δ − m and −Δ − m            scaled    w·m/m̄ in place of w
    sources        each source the same weight             ensemble  each head with its own clusters' weights
    disentangled   on r_Q + r_L, + λ_L·(|ρ(r_Q, len)| − ρ(r_L, len)) + λ_O·|w_Q·w_L|
    general        Δ = r_l − r_r + Σ_k (a_k(l)·b_k(r) − b_k(l)·a_k(r))
    regression     Σ w·(y − r)² over ratings

A correlation is of all rows of a step: its slope by each reward is found before the step is taken apart, so that parts
add up to the whole. Chen, Zhu, Soselia et al. (2024), Zhang, Zhang, Wu et al. (2024), Coste, Anwar, Kirk et al. (2024).
Limits: the balance of sources that MORE seeks is sought by `rewards.sources` on the last layer alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import logsigmoid

from .._typing import FloatArray, IntArray, Prompt
from ..errors import AdjudgeError
from ..stats.bootstrap import cluster_weights
from ..tables.preferences import Preferences
from ._texts import codes, encoded, prompts_of
from .policy import Exchange, Policy, Tensor
from .reward_head import RewardHead

LOSSES = ("bradley_terry", "margin", "scaled", "sources", "ensemble", "disentangled", "general", "regression")
SEED = 80309  # the seed's own companion: of the members' weights
NONE = 1e-8  # variance of rewards or lengths that counts as none


def heads_of(loss: str, *, members: int = 5, circles: int = 1) -> int:
    """How many heads a loss trains.

    Arguments:
        loss: one of LOSSES.
        members: of an ensemble.
        circles: planes in which preferences may run in circles: two heads each, beside the reward.

    >>> [heads_of(loss) for loss in ("bradley_terry", "disentangled", "general", "ensemble")]
    [1, 2, 3, 5]
    """
    return {"ensemble": members, "disentangled": 2, "general": 1 + 2 * circles}.get(loss, 1)


class RewardPairs:
    """Pairs and a loss, as a recipe of the loop.

    Arguments:
        preferences: with texts; rows that nobody compared (rated, for `regression`) or of weight 0 are left out.
        policy: the heads that will be trained; texts are made codes by it.
        loss: one of LOSSES.
        unit: log-odds that a margin of 1 asks for, >= 0, of `margin`.
        apart, square: λ_L and λ_O >= 0 of `disentangled`.
        seed: of the members' weights.

    Errors: a loss of another name; another number of heads than it trains; no row that it can learn from.
    """

    updates = 1

    def __init__(
        self,
        preferences: Preferences,
        policy: RewardHead,
        *,
        loss: str = "bradley_terry",
        unit: float = 1.0,
        apart: float = 1.0,
        square: float = 1.0,
        seed: int = 0,
    ) -> None:
        heads = len(policy.heads)
        if loss not in LOSSES or (loss == "general" and (heads < 3 or heads % 2 == 0)) or (
            loss not in ("general", "ensemble") and heads != heads_of(loss)
        ):  # fmt: skip
            raise AdjudgeError(
                f"reward pairs: loss {loss!r} with {heads} heads.",
                f"One of {', '.join(LOSSES)}, with the heads that heads_of tells.",
                "Make the heads for the loss.",
            )
        used = _usable(preferences, loss)
        self.loss, self.unit, self.apart, self.square = loss, unit, apart, square
        self.table, self.n = used, used.n
        self.prompts: tuple[Prompt, ...] = prompts_of(used)
        texts = tuple(zip(used.left_text, used.right_text, strict=True))
        made, self.findings = encoded(policy, self.prompts, texts, skip_long=False)
        self.exchanges: list[tuple[Exchange, ...]] = [one for one in made if one is not None]
        self.weight = _weights(used, loss)
        rng = np.random.default_rng((seed, SEED))
        self.by_head = cluster_weights(used.units, heads, rng).T[used.cluster] if loss == "ensemble" else None

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> RewardStep:  # noqa: ARG002
        """The step of some pairs."""
        return RewardStep(self, _head(policy), np.asarray(rows))

    def warm_up(self, policy: Policy, progress: object = None) -> None:
        """Nothing: there is no reference."""

    def state(self) -> Mapping[str, object]:
        """Nothing: all is made of the data and the seed."""
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        """Takes over nothing."""


class RewardStep:
    """One update on some pairs."""

    def __init__(self, recipe: RewardPairs, policy: RewardHead, at: IntArray) -> None:
        self.recipe, self.at, self.n = recipe, at, int(at.size)
        self.tokens = codes(self._exchanges(at))
        self._whole = max(float(recipe.weight[at].sum()), 1e-300)
        self._sums: dict[str, float] = {"loss": 0.0, "right": 0.0}
        self._slopes = self._apart(policy) if recipe.loss == "disentangled" and recipe.apart else None

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of some of the pairs."""
        at, head = self.at[part], _head(policy)
        both = head.outputs(self._exchanges(at)).view(at.size, 2, -1)
        left, right = both[:, 0], both[:, 1]
        losses, lead = self._losses(at, left, right)
        share = losses.sum() / self._whole
        recipe = self.recipe
        if self._slopes is not None:  # its value is that of a plane; its slope is the correlation's own
            slopes = self._slopes[part].to(both)
            share = share + (slopes * both).sum()
        if recipe.loss == "disentangled" and recipe.square:
            weight: Tensor = head.module["head"].weight  # type: ignore[index]
            share = share + recipe.square * (weight[0] @ weight[1]).abs() * (at.size / self.n)
        right_side = torch.as_tensor(recipe.table.outcome[at]).to(lead) > 0.5
        self._sums["loss"] += share.item()
        self._sums["right"] += float(((lead > 0) == right_side).sum())
        return share

    def _losses(self, at: IntArray, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """([b] loss of each pair times its weight, [b] log-odds that the left is better)."""
        recipe, table = self.recipe, self.recipe.table
        target, weight = (torch.as_tensor(column[at]).to(left) for column in (table.target, recipe.weight))
        apart = left - right
        if recipe.loss == "regression":
            rating = torch.as_tensor(table.rating[at]).to(left)
            known = torch.isfinite(rating)
            off = (torch.cat([left, right], 1) - rating.nan_to_num()) ** 2
            return weight * (off * known).sum(1), apart[:, 0]
        if recipe.loss == "ensemble":
            assert recipe.by_head is not None
            own = torch.as_tensor(recipe.by_head[at]).to(left)
            each = _logistic(apart, target[:, None]) * own
            return weight * each.mean(1), apart.mean(1)
        if recipe.loss == "general":
            (a, b), (c, d) = ((side[:, 1::2], side[:, 2::2]) for side in (left, right))
            lead = apart[:, 0] + (a * d - b * c).sum(1)
            return weight * _logistic(lead, target), lead
        lead = apart.sum(1)  # of r_Q + r_L, or of the one reward
        if recipe.loss == "margin":
            asked = recipe.unit * torch.as_tensor(np.nan_to_num(table.margin[at])).to(left)
            made = -target * logsigmoid(lead - asked) - (1 - target) * logsigmoid(-lead - asked)
            return weight * made, lead
        return weight * _logistic(lead, target), lead

    @torch.no_grad()
    def _apart(self, policy: RewardHead) -> Tensor:
        """[n, 2, 2] λ_L·∂(|ρ(r_Q, len)| − ρ(r_L, len)) by each reward of the step; 0 where nothing varies."""
        found = policy.outputs(self._exchanges(self.at)).double().view(self.n, 2, 2)
        length = torch.as_tensor(self.recipe.table.length[self.at]).to(found)
        off = length - length.mean()
        out = torch.zeros_like(found)
        for head, sign in ((0, 1.0), (1, -1.0)):
            reward = found[:, :, head] - found[:, :, head].mean()
            scale = torch.sqrt((reward**2).mean() * (off**2).mean())
            if scale <= NONE:
                continue
            rho = float((reward * off).mean() / scale)
            sign = float(np.sign(rho)) if head == 0 else sign
            slope = (off / scale - rho * reward / (reward**2).mean()) / off.numel()
            out[:, :, head] = self.recipe.apart * sign * slope
        return out

    def metrics(self) -> Mapping[str, float]:
        """Loss, and the share of pairs whose better side has the higher reward."""
        return {"loss": self._sums["loss"], "accuracy": self._sums["right"] / max(self.n, 1)}

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt, responses and label of some pairs."""
        table = self.recipe.table
        return [
            {"prompt": table.prompt[at], "left": table.left_text[at], "right": table.right_text[at],
             "outcome": float(table.outcome[at]), "weight": float(self.recipe.weight[at])}
            for at in self.at[part]
        ]  # fmt: skip

    def _exchanges(self, at: IntArray) -> list[Exchange]:
        return [one for row in at for one in self.recipe.exchanges[row]]


def _logistic(lead: Tensor, target: Tensor) -> Tensor:
    """−p̃·log σ(Δ) − (1 − p̃)·log σ(−Δ)."""
    return -target * logsigmoid(lead) - (1 - target) * logsigmoid(-lead)


def _head(policy: Policy) -> RewardHead:
    if not isinstance(policy, RewardHead):
        raise AdjudgeError("reward pairs: this policy has no reward heads.", "A RewardHead.", "Give one to the loop.")
    return policy


def _usable(preferences: Preferences, loss: str) -> Preferences:
    """The rows that a loss can learn from. Errors: there are none."""
    known = preferences.compared
    if loss == "regression":
        known = np.isfinite(preferences.rating).any(axis=1) & (preferences.weight > 0)
    if loss == "disentangled":
        known = known & np.isfinite(preferences.length).all(axis=1)
    if not known.any() or not preferences.left_text:
        raise AdjudgeError(
            f"reward pairs: of {preferences.n:,} rows none can be learnt from by {loss}.",
            "Texts of both responses, with an outcome (a rating for regression, lengths for disentangled).",
            "Look at the columns.",
        )
    used = preferences if known.all() else preferences.take(known)
    return used if loss != "regression" else replace(used, outcome=np.nan_to_num(used.outcome, nan=0.5))


def _weights(used: Preferences, loss: str) -> FloatArray:
    """[n] weight of each pair in the loss."""
    weight = used.weight.astype(float)
    if loss == "scaled":
        known = np.isfinite(used.margin)
        mean = float(np.average(used.margin[known], weights=weight[known])) if known.any() else 0.0
        return weight * np.where(known, used.margin / mean, 1.0) if mean > 0 else weight
    if loss == "sources":
        mass = np.bincount(used.source, weight, minlength=len(used.sources))
        there = int((mass > 0).sum())
        return weight * float(weight.sum()) / (there * mass[used.source])
    return weight
