"""From the address of an objective or a credit rule to what the loop descends on: data, loss and reference in one.

    objectives on pairs, singles, lists, half-online pairs      by what the method's card needs
    objectives on pairs, with somebody who compares             prompts, and how to sample: contests of the policy
    credit rules                                                prompts, a reward, and how to sample

Nothing is listed here: a new method is found by its card. Limits: an objective whose needs no recipe can meet is told
at once, and so is an option that it does not have.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import catalogue
from ..errors import AdjudgeError
from ..tables.contested import Prefer
from ..tables.list_batch import ListBatch
from ..tables.online_pairs import OnlinePairs
from ..tables.pair_batch import PairBatch
from ..tables.preferences import Preferences
from ..tables.ranked_lists import RankedLists
from ..tables.rollouts import Rollouts
from ..tables.scored import Reward
from ..tables.single_batch import SingleBatch
from .method_options import known
from .recipe_duels import duels_of
from .recipe_rollouts import Data, rollouts_of

if TYPE_CHECKING:
    from ..train.policy import Policy
    from ..train.step import Recipe

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
    prefer: Prefer | None = None,
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
            credit rules and for contests.
        policy: that will be trained.
        reward: of responses, for credit rules.
        prefer: of two responses, for objectives on pairs: these are then sampled, and what the data prefer is not
            looked at.
        draw: fields of `train.responses.Draw`, or of `train.duels.Contest`; of half-online objectives `n` and
            `max_tokens`.
        reference: as of `train.pairs.Pairs`; not looked at by objectives without one. For credit rules None is none.
        start: whether an objective is given the policy at the start of each step; None where its card asks for it.
        noise: scale of the error in the gains of lists.
        skip_long: whether rows that the policy cannot read are left out and counted.
        samples: file for all that is sampled.
        seed: of what is drawn once for the data.

    Errors: an unknown method or option; data of another shape; no reward for a credit rule; torch is not installed.
    """
    needed = kind(address)
    needs_torch()
    draw = dict(draw or {})
    made: Any
    if needed == "rollouts":
        made = rollouts_of(address, options, data, policy, reward, draw, reference, skip_long, samples)
    else:
        card, verb = catalogue.card(address), catalogue.load(address).loss
        loss = functools.partial(verb, **known(address, verb, options))
        referred = any(name.startswith("ref_") for name in card.needs) and options.get("reference") is not False
        asked = start if start is not None else any("old_chosen" in said for said in card.assumes)
        ground = reference if referred else None
        if prefer is None or needed != "pairs":
            made = _offline(needed, loss, data, policy, ground, asked, noise, skip_long, seed, draw)
        else:
            made = duels_of(address, options, loss, data, policy, prefer, draw, ground, skip_long, samples)
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
        columns = {"singles": "prompt, completion and label", "pairs": "prompt, chosen and rejected; or prefer"}
        raise _other(data, columns.get(needed, "prompt, chosen and rejected"))
    if needed == "singles":
        return Singles(data, loss, policy, reference=reference, skip_long=skip_long, seed=seed)
    if needed == "pairs":
        return Pairs(data, loss, policy, reference=reference, start=start, skip_long=skip_long)
    own = None if reference is None or isinstance(reference, str) else reference
    for name in draw.keys() - {"n", "max_tokens"}:
        raise AdjudgeError(
            f"[feedback] {name} with a half-online objective.",
            "Its responses are drawn at temperature 1, with options samples and max_tokens.",
            "Take it out.",
        )
    more = {"m": draw.get("n", 1), "max_tokens": draw.get("max_tokens", 128)}
    return Online(data, loss, policy, reference=own, skip_long=skip_long, **more)


def _other(data: Data, expected: str) -> AdjudgeError:
    return AdjudgeError(
        f"The data are {type(data).__name__}.", f"Columns {expected}.", "Give such a file, or choose another method."
    )


def needs_torch() -> None:
    """Errors: torch is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise AdjudgeError("Training needs torch.", "It comes with an extra.", "pip install 'adjudge[torch]'") from None
