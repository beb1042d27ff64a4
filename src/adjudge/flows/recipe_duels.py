"""From an objective on pairs and somebody who compares to what the loop descends on: contests of the policy itself.

Limits: how much of the reference is mixed in, and how slow the copy is from which a step starts, are what the objective
says of itself, unless the recipe says otherwise.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import catalogue
from ..tables.contested import Prefer
from .method_options import known
from .recipe_rollouts import Data, prompts_of

if TYPE_CHECKING:
    from ..train.policy import Policy


def duels_of(
    address: str,
    options: Mapping[str, Any],
    loss: Callable[..., Any],
    data: Data,
    policy: Policy,
    prefer: Prefer,
    draw: Mapping[str, Any],
    reference: str | Policy | None,
    skip_long: bool,
    samples: Path | None,
) -> Any:
    """A recipe that samples pairs; arguments as of `flows.recipes.recipe_of`, with the objective's options bound."""
    from ..train.duels import Contest, Duels

    module, how = catalogue.load(address), dict(draw)
    if reference is not None and hasattr(module, "mix"):
        own = inspect.signature(module.mix).parameters
        how.setdefault("mix", module.mix(**{name: value for name, value in options.items() if name in own}))
    how.setdefault("slow", getattr(module, "SLOW", 0.0))
    asked = prompts_of(data)
    return Duels(
        asked.prompts, prefer, loss, policy, contest=Contest(**known(address, Contest, how)),
        reference=True if isinstance(reference, str) else reference or False, items=asked.items, samples=samples,
        skip_long=skip_long,
    )  # fmt: skip
