"""From a credit rule to what the loop descends on: prompts, a reward, how to sample, and prices that are learnt.

Limits: the points of `credit.constrained` are given, as a run without constraints found them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import catalogue
from .._typing import FloatArray
from ..errors import AdjudgeError
from ..tables.preferences import Preferences
from ..tables.ranked_lists import RankedLists
from ..tables.read_lists import Asked
from ..tables.rollouts import Array, Rollouts
from ..tables.scored import Reward
from .method_options import known

if TYPE_CHECKING:
    from ..train.policy import Policy

Data = Preferences | RankedLists | Asked


def rollouts_of(
    address: str,
    options: Mapping[str, Any],
    data: Data,
    policy: Policy,
    reward: Reward | None,
    draw: dict[str, Any],
    reference: str | Policy | None,
    skip_long: bool,
    samples: Path | None,
) -> Any:
    """A recipe that samples; arguments as of `flows.recipes.recipe_of`. Errors: no reward."""
    from ..train.responses import Draw
    from ..train.rollouts import Rollouts as Sampling

    if reward is None:
        raise AdjudgeError(
            f"{address}: no reward.", "Something that says how good a response is.", "Set reward under [feedback]."
        )
    if "demonstration" in catalogue.card(address).needs:
        draw.setdefault("denominator", "policy")
    module = catalogue.load(address)
    rule: Callable[[Rollouts], Array]
    if "points" in options and hasattr(module, "ascended"):
        rule = Ascending(module, dict(options))
    else:
        rule = functools.partial(module.advantages, **known(address, module.advantages, options))
    asked = prompts_of(data)
    return Sampling(
        asked.prompts, reward, rule, policy, draw=Draw(**known(address, Draw, draw)),
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
        known(module.__name__, module.ascended, self._ascent)
        self.prices: FloatArray = np.asarray(options.pop("multipliers", np.zeros(len(self._ascent["points"]))), float)
        self._options = known(module.__name__, module.advantages, options)

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
