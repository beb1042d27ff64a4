"""From the address of an objective or a credit rule to what the loop descends on: data, loss and reference in one.

    objectives on pairs, singles, lists, half-online pairs      by what the method's card needs
    credit rules                                                prompts, a reward, and how to sample

Nothing is listed here: a new method is found by its card. Limits: an objective whose needs no recipe can meet is told
at once, and so is an option that it does not have.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import catalogue
from .._typing import FloatArray
from ..errors import AdjudgeError
from ..tables.list_batch import ListBatch
from ..tables.online_pairs import OnlinePairs
from ..tables.pair_batch import PairBatch
from ..tables.preferences import Preferences
from ..tables.ranked_lists import RankedLists
from ..tables.read_lists import Asked
from ..tables.rollouts import Array, Rollouts
from ..tables.scored import Reward
from ..tables.single_batch import SingleBatch

if TYPE_CHECKING:
    from ..train.policy import Policy
    from ..train.step import Recipe

Data = Preferences | RankedLists | Asked
BATCHES = {"pairs": PairBatch, "singles": SingleBatch, "lists": ListBatch, "online": OnlinePairs}


def kind(address: str) -> str:
    """Which recipe a method needs: "pairs", "singles", "lists", "online" or "rollouts".

    Errors: an unknown address; a method of another family; needs that no recipe can meet.

    >>> kind("objectives.dpo"), kind("objectives.kto"), kind("credit.rloo")
    ('pairs', 'singles', 'rollouts')
    """
    needs = set(catalogue.card(address).needs)
    family = address.partition(".")[0]
    batches = {"rollouts": Rollouts} if family == "credit" else BATCHES if family == "objectives" else {}
    for name, batch in batches.items():
        if needs <= {column.name for column in fields(batch)}:
            return name
    raise AdjudgeError(
        f"{address} needs {', '.join(sorted(needs))}.",
        "An objective or a credit rule, which need columns of one of the training tables.",
        "Choose one of `adjudge methods objectives` or `adjudge methods credit`.",
    )


def recipe_of(
    address: str,
    options: Mapping[str, Any],
    data: Data,
    policy: Policy,
    *,
    reward: Reward | None = None,
    draw: Mapping[str, Any] | None = None,
    reference: str | Policy | None = "precomputed",
    start: bool | None = None,
    noise: float | None = None,
    skip_long: bool = False,
    samples: Path | None = None,
    seed: int = 0,
) -> Recipe:
    """What the loop descends on.

    Arguments:
        address: such as `objectives.rdpo` or `credit.rloo`.
        options: of the method. `credit.constrained` also takes `points` (and `rate`), up to which its rewards count:
            their prices are then learnt on the way, and kept in checkpoints.
        data: Preferences for pairs and single responses, RankedLists for lists; any of them, or prompts alone, for
            credit rules.
        policy: that will be trained.
        reward: of responses, for credit rules.
        draw: fields of `train.responses.Draw`; of half-online objectives `n` and `max_tokens`.
        reference: as of `train.pairs.Pairs`; not looked at by objectives without one. For credit rules None is none.
        start: whether an objective is given the policy at the start of each step; None where its card asks for it.
        noise: scale of the error in the gains of lists.
        skip_long: whether rows that the policy cannot read are left out and counted.
        samples: file for all that is sampled.
        seed: of what is drawn once for the data.

    Errors: an unknown method or option; data of another shape; no reward for a credit rule; torch is not installed.
    """
    needed = kind(address)
    _torch()
    module = catalogue.load(address)
    draw = dict(draw or {})
    made: Any
    if needed == "rollouts":
        made = _rollouts(address, module, options, data, policy, reward, draw, reference, skip_long, samples)
    else:
        card = catalogue.card(address)
        loss = functools.partial(module.loss, **_known(address, module.loss, options))
        referred = any(name.startswith("ref_") for name in card.needs) and options.get("reference") is not False
        asked = start if start is not None else any("old_chosen" in said for said in card.assumes)
        ground = reference if referred else None
        made = _offline(needed, loss, data, policy, ground, asked, noise, skip_long, seed, draw)
    told = json.dumps({"options": dict(options), "draw": draw}, default=str, sort_keys=True)
    made.fingerprint = f"{made.fingerprint} {address} {told}"
    recipe: Recipe = made
    return recipe


def _offline(
    needed: str,
    loss: Callable[..., Any],
    data: Data,
    policy: Policy,
    reference: str | Policy | None,
    start: bool,
    noise: float | None,
    skip_long: bool,
    seed: int,
    draw: Mapping[str, Any],
) -> Any:
    """A recipe on data that are there already. Errors: data of another shape."""
    from ..train.lists import Lists
    from ..train.online_pairs import OnlinePairs as Online
    from ..train.pairs import Pairs
    from ..train.singles import Singles

    if needed == "lists":
        if not isinstance(data, RankedLists):
            raise _other(data, "lists: completions and ranks or scores")
        return Lists(data, loss, policy, reference=reference, noise=noise, skip_long=skip_long)
    if not isinstance(data, Preferences):
        raise _other(data, "prompt, chosen and rejected" if needed != "singles" else "prompt, completion and label")
    if needed == "singles":
        return Singles(data, loss, policy, reference=reference, skip_long=skip_long, seed=seed)
    if needed == "pairs":
        return Pairs(data, loss, policy, reference=reference, start=start, skip_long=skip_long)
    own = None if reference is None or isinstance(reference, str) else reference
    more = {"m": draw.get("n", 1), "max_tokens": draw.get("max_tokens", 128)}
    return Online(data, loss, policy, reference=own, skip_long=skip_long, **more)


def _rollouts(
    address: str,
    module: ModuleType,
    options: Mapping[str, Any],
    data: Data,
    policy: Policy,
    reward: Reward | None,
    draw: dict[str, Any],
    reference: str | Policy | None,
    skip_long: bool,
    samples: Path | None,
) -> Any:
    """A recipe that samples. Errors: no reward."""
    from ..train.responses import Draw
    from ..train.rollouts import Rollouts as Sampling

    if reward is None:
        raise AdjudgeError(
            f"{address}: no reward.", "Something that says how good a response is.", "Set reward under [feedback]."
        )
    if "demonstration" in catalogue.card(address).needs:
        draw.setdefault("denominator", "policy")
    rule: Callable[[Rollouts], Array]
    if "points" in options and hasattr(module, "ascended"):
        rule = Ascending(module, dict(options))
    else:
        rule = functools.partial(module.advantages, **_known(address, module.advantages, options))
    asked = prompts_of(data)
    return Sampling(
        asked.prompts, reward, rule, policy, draw=Draw(**_known(address, Draw, draw)),
        reference=True if isinstance(reference, str) else reference or False, demonstrations=asked.demonstrations,
        items=asked.items, samples=samples, skip_long=skip_long,
    )  # fmt: skip


class Ascending:
    """A credit rule with prices that are learnt on the way: each step is credited at the prices before it.

    Arguments:
        module: with `advantages` and `ascended`.
        options: `points`, and `rate`, of the ascent; all others of `advantages`.
    """

    def __init__(self, module: ModuleType, options: dict[str, Any]) -> None:
        self._module = module
        self._ascent: dict[str, Any] = {name: options.pop(name) for name in ("points", "rate") if name in options}
        _known(module.__name__, module.ascended, self._ascent)
        self.prices: FloatArray = np.asarray(options.pop("multipliers", np.zeros(len(self._ascent["points"]))), float)
        self._options = _known(module.__name__, module.advantages, options)

    def __call__(self, rollouts: Rollouts) -> Array:
        """[b] advantages."""
        credit = self._module.advantages(rollouts, multipliers=self.prices, **self._options)
        self.prices = self._module.ascended(rollouts, self.prices, **self._ascent)
        return credit

    def state(self) -> Mapping[str, object]:
        """The prices."""
        return {"prices": self.prices}

    def restore(self, state: Mapping[str, object]) -> None:
        """Takes them over."""
        self.prices = np.asarray(state["prices"], dtype=float)


def prompts_of(data: Data) -> Asked:
    """The prompts of any data, each once. Errors: there are none.

    >>> prompts_of(RankedLists(("a", "b", "a"), ((), (), ()), (np.zeros(0),) * 3)).prompts
    ('a', 'b')
    """
    if isinstance(data, Asked):
        return data
    if isinstance(data, Preferences):
        turns = data.turns or ((),) * len(data.prompt)
        said = tuple(dict.fromkeys(turn or text for turn, text in zip(turns, data.prompt, strict=True)))
    else:
        said = tuple(dict.fromkeys(data.prompts))
    if not any(said):
        raise AdjudgeError("The data have no prompts.", "Prompts to sample for.", "Name their column with prompt.")
    return Asked(said, tuple(map(str, range(len(said)))))


def _known(address: str, verb: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, if the verb has them. Errors: one that it does not have."""
    kept = inspect.Parameter.KEYWORD_ONLY
    every = inspect.signature(verb).parameters.values()
    names = [each.name for each in every if each.kind == kept or isinstance(verb, type)]
    for name in options:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise AdjudgeError(
                f"{address} has no option {name!r}.",
                f"One of {', '.join(names) or 'none'}.",
                f"Did you mean {near[0]!r}?" if near else "Leave it out.",
            )
    return dict(options)


def _other(data: Data, expected: str) -> AdjudgeError:
    return AdjudgeError(
        f"The data are {type(data).__name__}.", f"Columns {expected}.", "Give such a file, or choose another method."
    )


def _torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        raise AdjudgeError("Training needs torch.", "It comes with an extra.", "pip install 'adjudge[torch]'") from None
