"""The door for logged doses: what was given, with which density, what it was paid, and what policies would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from .._typing import FloatArray
from ..errors import AdjudgeError
from . import numbers
from ._chances import counted, range_of
from .columns import require
from .doses import Doses
from .numbers import Door
from .parts import parts
from .read import codes, take
from .sources import open_source

USUAL = {
    "dose": ("dose", "action", "price", "treatment", "bid"),
    "reward": ("reward", "outcome", "click", "revenue", "r"),
    "density": ("density", "propensity", "pscore", "pdf"),
}


@dataclass(frozen=True, slots=True)
class Dosed:
    """Which column plays which part; None takes a usual name, where there is one.

    Arguments:
        dose, reward: what was given, and what it was paid; an empty reward is not known.
        density: density with which it was given, per unit of the dose.
        log_density: its logarithm instead.
        context: columns of numbers known before the decision.
        cluster, weight: as in `Doses`.
    """

    dose: str | None = None
    reward: str | None = None
    density: str | None = None
    log_density: str | None = None
    context: Sequence[str] = ()
    cluster: str | None = None
    weight: str | None = None


def read(
    source: object,
    dosed: Dosed | None = None,
    *,
    aimed: Mapping[str, str],
    where: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Doses:
    """Reads and checks a log of doses, and the doses of target policies.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        dosed: columns of the log.
        aimed: policy -> column of the dose that it would have given.
        where: SQL condition on any column.
        bounds: range of the reward; None takes [0, 1] if all rewards lie in it.

    Errors: `AdjudgeError` for a log that cannot be read, doses that are missing, densities that are missing or not
    above 0, no reward, no target policy. Doubtful input is told in `findings`.

    >>> log = {"dose": [0.2, 0.9], "reward": [1, 0], "density": [1.0, 1.0], "mine": [0.5, 0.5]}
    >>> table = read(log, aimed={"mine": "mine"})
    >>> table.policies, table.aimed.tolist(), table.bounds
    (('mine',), [[0.5], [0.5]], (0.0, 1.0))
    """
    opened, dosed = open_source(source), dosed or Dosed()
    used = _used(opened.names, dosed)
    if not aimed:
        raise AdjudgeError(
            "No target policy is named.",
            "A column with the dose that a policy would have given.",
            "Name one with --target-dose NAME=COLUMN.",
        )
    for name in (*aimed.values(), *dosed.context):
        require(opened.names, name, "--target-dose or --context")
    named = (*used.values(), *dosed.context, *aimed.values())
    frame = take(opened, tuple(dict.fromkeys(name for name in named if name)), where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    reward = numbers.rewards(frame[used["reward"]], door, "doses")
    return Doses(
        policies=tuple(aimed),
        dose=_whole(frame[used["dose"]], door),
        reward=reward,
        density=_density(frame, used, door),
        aimed=np.column_stack([_whole(frame[name], door) for name in aimed.values()]),
        cluster=codes(frame, used["cluster"], "cluster", door),
        weight=counted(frame, used["weight"], reward, door),
        context=numbers.covariates(frame, tuple(dosed.context), door),
        bounds=range_of(reward, bounds),
        findings=tuple(door.findings),
    )


def _used(names: Sequence[str], dosed: Dosed) -> dict[str, str]:
    """The columns of the log; empty where there is none. Errors: a needed one is not there."""
    given = {part: getattr(dosed, part) for part in (*USUAL, "log_density", "cluster", "weight")}
    return parts(names, given, USUAL, needed=tuple(USUAL), instead={"density": "log_density"})


def _whole(series: pl.Series, door: Door) -> FloatArray:
    """[n] doses. Errors: some are missing."""
    values = numbers.numeric(series, door, "--dose")
    missing = np.isnan(values)
    if missing.any():
        raise AdjudgeError(
            f"{series.name}: {int(missing.sum()):,} of {values.size:,} doses are missing (first: "
            f"{door.place(int(np.argmax(missing)))}).",
            "A number on every row.",
            "Fill the cells, or drop the rows with --where.",
        )
    return values


def _density(frame: pl.DataFrame, used: Mapping[str, str], door: Door) -> FloatArray:
    """[n] densities. Errors: missing, 0 or below."""
    name = used["log_density"] or used["density"]
    values = numbers.numeric(frame[name], door, "--density")
    with np.errstate(over="ignore"):
        found = np.exp(values) if used["log_density"] else values
    bad = ~np.isfinite(found) | (found <= 0)
    if bad.any():
        first = int(np.argmax(bad))
        raise AdjudgeError(
            f"{name}: {int(bad.sum()):,} of {found.size:,} densities are missing, 0 or below (first: "
            f"{door.place(first)}, {found[first]:g}).",
            "The density, above 0, with which the logger gave the dose that it gave.",
            "Drop the rows with --where, if that is no selection by reward; else log densities.",
        )
    return np.asarray(found, dtype=float)
