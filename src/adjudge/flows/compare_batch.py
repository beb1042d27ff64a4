"""Runs that came from one source, and how a study tells that it has seen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.sequential.runs import Runs

Cell = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Runs that came from one source.

    Arguments:
        name: path of the file, or `table`.
        fingerprint: of its content.
        runs: (agent, environment) -> [(place in the source, score)].
    """

    name: str
    fingerprint: str
    runs: Mapping[tuple[str, str], Cell]

    @classmethod
    def of(cls, name: str, fingerprint: str, runs: Runs) -> Batch:
        """The runs of one source."""
        k = len(runs.agents)
        cells = {
            (runs.agents[c % k], runs.environments[c // k]): tuple(zip(order.tolist(), values.tolist(), strict=True))
            for c, (values, order) in enumerate(zip(runs.values, runs.order, strict=True))
            if values.size
        }
        return cls(name, fingerprint, cells)


def begins(now: Cell, before: Cell) -> bool:
    """Whether the scores of one begin with those of the other."""
    return [score for _, score in now[: len(before)]] == [score for _, score in before]


def refuse_changed(before: Mapping[tuple[str, str], Cell], now: Batch) -> None:
    """Errors: runs that were looked at are no longer what they were."""
    for cell, runs in before.items():
        if not begins(now.runs.get(cell, ()), runs):
            raise AdjudgeError(
                f"compare: {now.name} has changed: its first {len(runs)} runs of {cell[0]!r} are not those of the last "
                "look.",
                "Runs that have been looked at stay; new ones are added below.",
                "Restore the file, or begin a new study with another --state file.",
            )


def copied(name: str, earlier: str) -> Finding:
    """A file that goes on where another ended."""
    return Finding(
        "file-continued",
        Severity.WARNING,
        f"{name} begins with all the runs of {earlier}; only what follows them was counted.",
        remedy="Name a file of the new runs alone, or let the same file grow.",
        subject=(name, earlier),
    )


def counted(name: str) -> Finding:
    """A source that the study has seen."""
    return Finding(
        "already-counted",
        Severity.WARNING,
        f"The runs of {name} are in the study already; they were not counted again.",
        remedy="Name the file of the new runs; new ones that came out just alike need a column `run` with numbers of "
        "their own, in a file.",
        subject=(name,),
    )
