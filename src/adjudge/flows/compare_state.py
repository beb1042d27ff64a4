"""What `compare` remembers between two looks: the plan, and every run so far with the file that it came from.

Decisions are not stored but made again from the runs, so that the state of a study cannot disagree with its data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.files import write
from ..stats.sequential.runs import Runs

KIND = "adjudge compare"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fixed before the first run; None where the user left it to us.

    Arguments:
        method: `adastop` or `blind_trials`; `auto` until data have been seen.
        level: 1 − the family-wise error.
        runs: of each agent between two looks (adastop).
        interims: looks at most (adastop).
        trials: of each policy at most (blind_trials).
        early: power that may be spent on calling agents equal early (adastop).
        reference: agent that all others are compared with (adastop).
        joint: step-down over the largest difference, as in the paper (adastop).
        seed: of the sampled permutations.
    """

    method: str = "auto"
    level: float | None = None
    runs: int | None = None
    interims: int | None = None
    trials: int | None = None
    early: float | None = None
    reference: str | None = None
    joint: bool | None = None
    seed: int | None = None

    def within(self, saved: Plan) -> Plan:
        """The saved plan, if nothing given here contradicts it. Errors: something does."""
        for name, value in asdict(self).items():
            kept = getattr(saved, name)
            if value not in (None, "auto") and value != kept:
                option = {"runs": "runs-per-interim"}.get(name, name)
                raise AdjudgeError(
                    f"compare: the study was begun with {name} {kept}, and now {name} is {value}.",
                    "The plan is fixed before the first run: changed on the way, its error is no longer known.",
                    f"Leave out --{option}, or begin a new study with another --state file.",
                )
        return saved


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
    runs: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]

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


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A study so far.

    Arguments:
        plan: fixed when it began; None before.
        batches: in the order in which they came.
    """

    plan: Plan | None = None
    batches: tuple[Batch, ...] = ()

    def joined(self, batch: Batch) -> tuple[Saved, tuple[Finding, ...]]:
        """With one more source: the same content counts once, and a file that has grown only with what is new.

        Errors: a file whose earlier runs have changed; an agent that was not in the study when it began.
        """
        if batch.fingerprint in [one.fingerprint for one in self.batches]:
            return self, (_counted(batch.name),)
        before = {agent for one in self.batches for agent, _ in one.runs}
        strangers = sorted({agent for agent, _ in batch.runs} - before) if self.batches else []
        if strangers:
            raise AdjudgeError(
                f"compare: agent {strangers[0]!r} was not in the study when it began.",
                f"Agents here: {', '.join(sorted(before))}.",
                "Begin a new study with another --state file; its error is divided among all its comparisons.",
            )
        places = [i for i, one in enumerate(self.batches) if one.name == batch.name and batch.name != "table"]
        if not places:
            return replace(self, batches=(*self.batches, batch)), ()
        _refuse_changed(self.batches[places[0]], batch)
        grown = [batch if i == places[0] else one for i, one in enumerate(self.batches)]
        return replace(self, batches=tuple(grown)), ()

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
        body = {"kind": KIND, "version": 1, "plan": asdict(self.plan or Plan()), "batches": batches}
        return write(path, json.dumps(body, indent=1, ensure_ascii=False) + "\n", inputs=inputs)


def load(path: str | Path) -> Saved:
    """The study in a state file; an empty one when there is no such file. Errors: a file of another kind."""
    if not Path(path).exists():
        return Saved()
    try:
        body = json.loads(Path(path).read_text(encoding="utf-8"))
        if body["kind"] != KIND:
            raise ValueError(f"it is a {body['kind']!r}")
        batches = tuple(
            Batch(
                one["name"],
                one["fingerprint"],
                {
                    (cell["agent"], cell["environment"]): tuple(zip(cell["place"], cell["score"], strict=True))
                    for cell in one["runs"]
                },
            )
            for one in body["batches"]
        )
        return Saved(Plan(**body["plan"]), batches)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AdjudgeError(
            f"state {path}: it cannot be read as a study ({error}).",
            "A file that `adjudge compare --state` wrote.",
            "Name another file to begin a new study.",
        ) from None


def _refuse_changed(before: Batch, now: Batch) -> None:
    for cell, runs in before.runs.items():
        if now.runs.get(cell, ())[: len(runs)] != runs:
            raise AdjudgeError(
                f"compare: {now.name} has changed: its first {len(runs)} runs of {cell[0]!r} are not those of the last "
                "look.",
                "Runs that have been looked at stay; new ones are added below.",
                "Restore the file, or begin a new study with another --state file.",
            )


def _counted(name: str) -> Finding:
    return Finding(
        "already-counted",
        Severity.WARNING,
        f"The runs of {name} are in the study already; they were not counted again.",
        remedy="Name the file of the new runs.",
        subject=(name,),
    )
