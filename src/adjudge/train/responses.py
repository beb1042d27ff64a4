"""What a policy says to some prompts, rewarded: the samples of one step of policy gradient.

Limits: responses are rewarded by their texts, as a judge reads them; a teacher's are not rewarded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from .._typing import BoolArray, FloatArray, IntArray, Prompt
from ..backends.dropout import without_dropout
from ..errors import AdjudgeError
from ..stats import policy_gradient
from ..stats.arrays import plain
from ..tables import rollouts as table
from ..tables.scored import Reward, Scored, scored
from ._reference import token_chances
from ._texts import worded
from ._together import sampled
from .devices import once
from .policy import Exchange, Policy


@dataclass(frozen=True, slots=True)
class Draw:
    """How responses are sampled and how a step on them is taken.

    Arguments:
        n: responses to each prompt, >= 1.
        temperature: of the draw and of all log-probabilities, > 0.
        max_tokens: of a response, >= 1.
        updates: steps on each set of samples, >= 1.
        denominator, ratio, clip, kl: of `stats.policy_gradient.terms`.
        over: of `stats.policy_gradient.mean`.
        kl_baseline: whether the price of leaving is counted from that of the prompt's other responses, which takes out
            its noise.
    """

    n: int = 8
    temperature: float = 1.0
    max_tokens: int = 128
    updates: int = 1
    denominator: str = "old"
    ratio: str = "token"
    clip: tuple[float, float] | None = (0.2, 0.2)
    kl: float = 0.0
    over: str = "token"
    kl_baseline: bool = False

    def __post_init__(self) -> None:
        for name, fits, expected in (
            ("n", self.n >= 1, "at least 1"),
            ("temperature", 0 < self.temperature < float("inf"), "above 0"),
            ("max_tokens", self.max_tokens >= 1, "at least 1"),
            ("updates", self.updates >= 1, "at least 1"),
            ("denominator", self.denominator in policy_gradient.DENOMINATORS, "a known word"),
            ("ratio", self.ratio in policy_gradient.RATIOS, "a known word"),
            ("kl", 0 <= self.kl < float("inf"), "at least 0"),
            ("over", self.over in policy_gradient.MEANS, "a known word"),
        ):
            if not fits:
                raise AdjudgeError(f"rollouts: {name} = {getattr(self, name)!r}.", f"{expected}.", "Change it.")


@dataclass(frozen=True, slots=True, eq=False)
class PromptRows:
    """n prompts as a policy reads them.

    Arguments:
        prompts: [n].
        exchanges: [n] the codes of each, with those of the teacher's response.
        items: [n] names.
        taught: [n] a teacher's response to each; () for none.
    """

    prompts: tuple[Prompt, ...]
    exchanges: tuple[Exchange, ...]
    items: tuple[str, ...]
    taught: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """b responses of a step, those of a teacher behind the policy's own.

    Arguments:
        rows: of the prompts.
        row: [b] which prompt each answers.
        exchanges, texts: [b].
        ended: [b] whether it came to its end.
        taught: [b] whether it is a teacher's.
        logp, mask: [b, T] log π of each code when it was said; 0 after the end.
        reference: [b, T] the same under the reference; None for none.
        said: [b] what the reward said.
    """

    rows: PromptRows
    row: IntArray
    exchanges: tuple[Exchange, ...]
    texts: tuple[str, ...]
    ended: BoolArray
    taught: BoolArray
    logp: FloatArray
    mask: FloatArray
    reference: FloatArray | None
    said: Scored

    @property
    def table(self) -> table.Rollouts:
        """As a credit rule reads them."""
        said = self.said
        return table.Rollouts(
            said.reward, self.row, policy=self.logp, old=self.logp, reference=self.reference, mask=self.mask,
            demonstration=self.taught if self.taught.any() else None, preference=said.preference, parts=said.parts,
            false_positive=said.false_positive, false_negative=said.false_negative, recheck=said.recheck,
            gold=said.gold,
        )  # fmt: skip

    @property
    def lead(self) -> FloatArray | None:
        """[b] log π/π_ref."""
        return None if self.reference is None else (self.logp - self.reference).sum(1)

    def lines(self) -> list[dict[str, object]]:
        """The policy's own in words, JSON-ready: item, prompt, response, reward, logp, kl, tokens, ended, gold."""
        made = []
        for at in np.flatnonzero(~self.taught).tolist():
            row = int(self.row[at])
            line: dict[str, object] = {
                "item": self.rows.items[row], "prompt": worded(self.rows.prompts[row]), "response": self.texts[at],
                "reward": _number(self.said.reward, at), "logp": float(self.logp[at].sum()),
                "kl": _number(self.lead, at), "tokens": int(self.mask[at].sum()), "ended": bool(self.ended[at]),
            }  # fmt: skip
            if self.said.gold is not None:
                line["gold"] = _number(self.said.gold, at)
            made.append(line)
        return made


def respond(
    policy: Policy,
    rows: PromptRows,
    at: IntArray,
    draw: Draw,
    reward: Reward,
    generator: torch.Generator,
    *,
    reference: Policy | None,
    batch: int,
) -> Responses:
    """Samples and rewards responses to some prompts, and sets a teacher's beside them.

    Arguments:
        policy: that is asked, as it is now.
        rows: prompts.
        at: which of them.
        draw: how.
        reward: of texts.
        generator: of all draws.
        reference: asked about the responses; None for none.
        batch: responses asked at once.

    Errors: rewards that do not fit the responses.
    """
    with torch.no_grad(), without_dropout(policy.module):
        drawn = sampled(
            policy, [rows.exchanges[row].prompt for row in at], generator, n=draw.n, temperature=draw.temperature,
            max_tokens=draw.max_tokens,
        )  # fmt: skip
    exchanges, row = drawn.exchanges, np.repeat(at, draw.n)
    texts = tuple(policy.decode(one.response) for one in exchanges)
    said = once(lambda: scored(reward([rows.prompts[each] for each in row], texts), row.size))
    logp, mask = (plain(each).astype(float) for each in (drawn.chances.logp, drawn.chances.mask))
    own, ended = row.size, np.array(drawn.ended, dtype=bool)
    if rows.taught:
        shown = tuple(rows.exchanges[each] for each in at)
        known = token_chances(policy, shown, batch, draw.temperature)
        width = max(logp.shape[1], known[0].shape[1])
        logp, mask = (
            np.concatenate([_widened(ours, width), _widened(theirs, width)])
            for ours, theirs in zip((logp, mask), known, strict=True)
        )
        exchanges, row = exchanges + shown, np.concatenate([row, at])
        texts += tuple(rows.taught[each] for each in at)
        said, ended = _with_teacher(said, at.size), np.concatenate([ended, np.ones(at.size, dtype=bool)])
    asked = None
    if reference is not None:
        asked = _widened(token_chances(reference, exchanges, batch, draw.temperature)[0], logp.shape[1])
        asked = asked[:, : logp.shape[1]]
    return Responses(rows, row, exchanges, texts, ended, np.arange(row.size) >= own, logp, mask, asked, said)


def _number(column: FloatArray | None, at: int) -> float | None:
    """A number for JSON; None where it is unknown."""
    return None if column is None or not np.isfinite(column[at]) else float(column[at])


def _widened(values: FloatArray, width: int) -> FloatArray:
    """[b, T] filled up with 0 to a width."""
    return np.pad(values, ((0, 0), (0, max(0, width - values.shape[1]))))


def _with_teacher(said: Scored, more: int) -> Scored:
    """The same with responses of a teacher behind, which nobody rewards: 1 by being right, and otherwise unknown."""
    b = said.reward.size + more

    def longer(column: FloatArray | None, filled: float) -> FloatArray | None:
        return None if column is None else np.concatenate([column, np.full((more, *column.shape[1:]), filled)])

    preference = said.preference
    if preference is not None:
        preference = np.full((b, b), np.nan)
        preference[:-more, :-more] = said.preference
    return replace(
        said, reward=np.concatenate([said.reward, np.ones(more)]), parts=longer(said.parts, np.nan),
        gold=longer(said.gold, np.nan), preference=preference, false_positive=longer(said.false_positive, 0.0),
        false_negative=longer(said.false_negative, 0.0), recheck=longer(said.recheck, np.nan),
    )  # fmt: skip
