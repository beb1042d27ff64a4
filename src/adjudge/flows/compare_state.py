"""What `compare` remembers between two looks: the plan, and every run so far with the file that it came from.

Decisions are not stored but made again from the runs, so that the state of a study cannot disagree with its data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from ..core.finding import Finding
from ..errors import AdjudgeError
from ..reports.files import write
from ..stats.sequential.runs import Runs
from ..tables.numbers import LARGEST
from .compare_batch import Batch, Cell, begins, copied, counted, refuse_changed
from .compare_options import Plan, read_plan

KIND = "adjudge compare"
VERSION = 1
TELLING = 5
"""Distinct scores at the beginning of a file that tell it for another one that has grown."""


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A study so far.

    Arguments:
        plan: fixed when it began; None before.
        batches: in the order in which they came.
        columns: that were named when it began: what is meant by a score does not change between looks.
    """

    plan: Plan | None = None
    batches: tuple[Batch, ...] = ()
    columns: Mapping[str, str | None] = field(default_factory=dict)

    def refuse_strangers(self, batch: Batch) -> None:
        """Errors: an agent, or (where each environment is compared by itself) an environment that came too late."""
        before = {cell for one in self.batches for cell in one.runs}
        agents = {agent for agent, _ in before}
        for agent, where in sorted(batch.runs) if before else ():
            if agent in agents and ((agent, where) in before or (self.plan and self.plan.method == "blind_trials")):
                continue
            place = f" in {where!r}" if agent in agents else ""
            raise AdjudgeError(
                f"compare: agent {agent!r} was not in the study{place} when it began.",
                f"Agents here: {', '.join(sorted(agents))}; environments: {', '.join(sorted({w for _, w in before}))}.",
                "Begin a new study with another --state file; its error is divided among all its comparisons.",
            )

    def joined(self, batch: Batch) -> tuple[Saved, tuple[Finding, ...]]:
        """With one more source: the same content counts once, and a file that has grown only with what is new.

        What is new comes after all that was there, so that no look that was taken is taken again with other runs.

        Errors: a file whose earlier runs have changed.
        """
        if batch.fingerprint in [one.fingerprint for one in self.batches]:
            return self, (counted(batch.name),)
        source, told = self._grown(batch)
        before: dict[tuple[str, str], Cell] = dict.fromkeys(batch.runs, ()) | source
        refuse_changed(before, batch)
        new = {cell: runs[len(before[cell]) :] for cell, runs in batch.runs.items() if len(runs) > len(before[cell])}
        if source and not new:
            return self, (counted(batch.name),)
        return replace(self, batches=(*self.batches, replace(batch, runs=new))), told

    def _grown(self, batch: Batch) -> tuple[dict[tuple[str, str], Cell], tuple[Finding, ...]]:
        """The runs that the study has of a source already, under its name or under another."""
        if batch.name == "table":
            return {}, ()
        seen: dict[Path, dict[tuple[str, str], Cell]] = {}
        names = {Path(one.name).resolve(): one.name for one in self.batches if one.name != "table"}
        for one in self.batches:
            if one.name != "table":
                cells = seen.setdefault(Path(one.name).resolve(), {})
                cells.update({cell: cells.get(cell, ()) + runs for cell, runs in one.runs.items()})
        if (own := Path(batch.name).resolve()) in seen:
            return seen[own], ()
        for path, cells in seen.items():
            distinct = {score for runs in cells.values() for _, score in runs}
            if len(distinct) >= TELLING and all(begins(batch.runs.get(c, ()), runs) for c, runs in cells.items()):
                return cells, (copied(batch.name, names[path]),)
        return {}, ()

    def runs(self) -> Runs:
        """All runs, batch after batch."""
        agents = tuple(sorted({agent for one in self.batches for agent, _ in one.runs}))
        environments = tuple(sorted({where for one in self.batches for _, where in one.runs})) or ("all",)
        cells = [(agent, where) for where in environments for agent in agents]
        pairs = [
            np.array([(b, *pair) for b, one in enumerate(self.batches) for pair in one.runs.get(cell, ())])
            for cell in cells
        ]
        pairs = [cell.reshape(-1, 3) for cell in pairs]
        span = max((cell[:, 1].max(initial=0) for cell in pairs), default=0) + 1
        order = tuple((cell[:, 0] * span + cell[:, 1]).astype(np.int64) for cell in pairs)
        return Runs(agents, environments, tuple(cell[:, 2] for cell in pairs), order)

    def save(self, path: str | Path, *, inputs: list[str]) -> Path:
        """Write the state as JSON; never over an input."""
        batches = [
            {
                "name": one.name,
                "fingerprint": one.fingerprint,
                "runs": [
                    {"agent": agent, "environment": where, "place": [p for p, _ in cell], "score": [s for _, s in cell]}
                    for (agent, where), cell in one.runs.items()
                ],
            }
            for one in self.batches
        ]
        body = {
            "kind": KIND,
            "version": VERSION,
            "plan": asdict(self.plan or Plan()),
            "columns": dict(self.columns),
            "batches": batches,
        }
        try:
            return write(path, json.dumps(body, indent=1, ensure_ascii=False) + "\n", inputs=inputs)
        except AdjudgeError as error:
            found, do = error.found.replace("output", "state", 1), error.do.replace("--out", "--state")
            raise AdjudgeError(found, error.expected, do) from None


def load(path: str | Path) -> Saved:
    """The study in a state file; an empty one when there is no such file. Errors: a file of another kind."""
    try:
        if not Path(path).exists():
            return Saved()
        body = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(body, dict) or body.get("kind") != KIND:
            raise ValueError("it is something else")
        if body.get("version") != VERSION:
            raise ValueError(f"its version is {body.get('version')}, and this Adjudge reads version {VERSION}")
        batches = tuple(
            Batch(
                str(one["name"]),
                str(one["fingerprint"]),
                {(str(cell["agent"]), str(cell["environment"])): _cell(cell) for cell in one["runs"]},
            )
            for one in body["batches"]
        )
        columns = {
            str(name): None if column is None else str(column) for name, column in body.get("columns", {}).items()
        }
        return Saved(read_plan(body["plan"]), batches, columns)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise AdjudgeError(
            f"state {path}: it cannot be read as a study ({why}).",
            "A file that `adjudge compare --state` wrote.",
            "Restore it, or name another file with --state to begin a new study.",
        ) from None


def _cell(cell: Mapping[str, list[object]]) -> Cell:
    """The runs of one agent in one environment. Errors: something that is no place or no score."""
    made = tuple(zip(cell["place"], cell["score"], strict=True))
    for place, score in made:
        if type(place) is not int or not isinstance(score, (int, float)) or not abs(score) <= LARGEST:
            raise ValueError(f"the run {place!r}, {score!r}")
    return made  # type: ignore[return-value]
