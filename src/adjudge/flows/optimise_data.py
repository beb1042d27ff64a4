"""The data of a recipe: read by the door that its method asks for, some kept back, wrong labels reckoned with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.finding import Finding
from ..errors import AdjudgeError
from ..rewards import bradley_terry
from ..tables import read_lists, read_preferences
from ..tables.preferences import Preferences
from ..tables.ranked_lists import RankedLists
from ..tables.read_lists import Asked
from .optimise_held import split_off, too_few
from .optimise_recipe import Recipe
from .recipes import kind
from .reward_features import read_features
from .reward_flips import Flips, estimated

HELD = 0.1  # share of the prompts kept back where the recipe says nothing
OF_PAIRS = ("prompt", "left", "right", "outcome", "strength", "annotator", "cluster", "weight", "where")
OF_LISTS = ("prompt", "weight", "where")
OF_PROMPTS = ("prompt", "where")


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What there is to learn from.

    Arguments:
        data: in the shape that the method needs.
        held: pairs that were kept back; None where there are none.
        flips: how often labels are turned round, where it was measured.
        findings: what to know of what was kept back.
    """

    data: Preferences | RankedLists | Asked
    held: Preferences | None
    flips: Flips | None
    findings: tuple[Finding, ...] = ()


def read(recipe: Recipe) -> Read:
    """The data of a recipe.

    Errors: a file that cannot be read; a column option that data of this shape do not have; a rate that is none.
    """
    needed = kind(recipe.method)
    given = {name: value for name, value in recipe.data.items() if name not in ("path", "held_out")}
    source, flip = recipe.data["path"], recipe.feedback.get("flip", 0.0)
    if flip != "auto" and (isinstance(flip, bool) or not isinstance(flip, int | float) or not 0 <= flip < 0.5):
        raise AdjudgeError(f"[feedback] flip = {flip!r}.", 'A rate in [0, 0.5), or "auto".', "Correct it.")
    if needed == "lists":
        options = _own(given, OF_LISTS, needed)
        return Read(read_lists.read(source, flip=_rate(flip, needed), **options), None, None)
    if "prefer" in recipe.feedback:
        _contested(recipe.method, needed, flip)
        return Read(read_lists.read_prompts(source, **_own(given, OF_PROMPTS, "contests")), None, None)
    if needed == "rollouts":
        return Read(read_lists.read_prompts(source, **_own(given, OF_PROMPTS, needed)), None, None)
    rate = 0.0 if flip == "auto" else float(flip)
    table = read_preferences.read(source, flip=rate, **_own(given, OF_PAIRS, needed))
    flips = None
    if needed != "singles":
        _compared(table)
    if flip == "auto":
        _rate(flip if needed == "singles" else 0.0, needed)
        flips = _measured(table)
        table = replace(table, flip=np.full(table.n, flips.rate))
    if needed == "singles":
        return Read(table, None, flips)
    share, said = float(recipe.data.get("held_out", HELD)), "held_out" in recipe.data
    data, held = split_off(table, share, recipe.seed)
    return Read(data, held, flips, () if held is not None else too_few(table, share, said))


def _compared(table: Preferences) -> None:
    """Errors: responses that were labelled one by one, where pairs are needed."""
    if table.n and not table.compared.any():
        raise AdjudgeError(
            f"[data] no two of {table.n:,} responses were compared.",
            "Pairs: prompt, chosen and rejected, or ranked lists.",
            "Labelled responses are learnt from by objectives.kto; `adjudge pairs` makes pairs of scored samples.",
        )


def _measured(table: Preferences) -> Flips:
    """The rate of turned labels, by what a plain reward model of the texts can tell."""
    featured = read_features(table, "text").table
    return estimated(featured, bradley_terry.fit(featured).held_out)


def _rate(flip: object, needed: str) -> float:
    """A given rate. Errors: one that has to be measured, which takes pairs."""
    if flip == "auto":
        raise AdjudgeError(
            f'[feedback] flip = "auto" with {needed}.', "Pairs, from which it can be measured.", "Give the rate."
        )
    return float(str(flip))


def _contested(method: str, needed: str, flip: object) -> None:
    """Errors: a method that compares no pairs; a rate of wrong labels, where labels are chances."""
    if needed != "pairs":
        raise AdjudgeError(
            f"[feedback] prefer with {method}.",
            "Somebody who compares is asked for objectives on pairs.",
            "Take it out, or choose such an objective, as objectives.dpo or objectives.nash_md.",
        )
    if flip:
        raise AdjudgeError(
            f"[feedback] flip = {flip!r} with prefer.",
            "Who compares says how sure it is, and a wrong label is a chance near ½.",
            "Take flip out.",
        )


def _own(given: Mapping[str, object], names: tuple[str, ...], needed: str) -> dict[str, Any]:
    """Column options. Errors: one that such data do not have."""
    for name in given:
        if name not in names:
            raise AdjudgeError(f"[data] {name} is no part of {needed}.", f"One of {', '.join(names)}.", "Take it out.")
    return {name: str(value) for name, value in given.items()}
