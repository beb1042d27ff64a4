"""Who is better with few runs: read, look, decide, and say what to run next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import array_fingerprint, file_fingerprint
from ..errors import AdjudgeError
from ..ranking import adastop, blind_trials
from ..stats.sequential.group import Design
from ..stats.sequential.runs import Runs, Study, from_ratings, study
from ..stats.sequential.trials import Judged, judge
from ..tables import bundled, read_runs
from ..tables.ratings import Ratings
from ..tables.sources import expand
from .compare_batch import Batch
from .compare_options import Plan
from .compare_settled import never_ran, refuse_returns, settled
from .compare_state import Saved, load
from .comparison import Comparison
from .made import Setting, paths, worst_first

METHODS = ("auto", "adastop", "blind_trials")


def compare(
    source: object,
    *,
    agent: str | None = None,
    score: str | None = None,
    environment: str | None = None,
    run: str | None = None,
    each_file: str = "runs",
    where: str | None = None,
    method: str = "auto",
    runs: int | None = None,
    interims: int | None = None,
    trials: int | None = None,
    early: float | None = None,
    reference: str | None = None,
    joint: bool | None = None,
    level: float | None = None,
    seed: int | None = None,
    state: str | Path | None = None,
) -> Comparison:
    """Compares agents on few runs under one family-wise error, and says whether to stop or what to run next.

    Arguments:
        source: a path or several, a frame, a list of dicts, a dict of arrays, or `Ratings`.
        agent, score, environment, run, each_file, where: which column is what; see `adjudge.tables.read_runs.read`.
        method: `adastop` for returns, `blind_trials` for successes and failures; `auto` looks at the scores.
        runs, interims: of adastop: runs of each agent between two looks (5), and looks at most (5).
        trials: of blind_trials: trials of each policy at most.
        early: of adastop: power that may be spent on calling agents equal early.
        reference: of adastop: the agent that all others are compared with; None compares all pairs.
        joint: of adastop: the paper's step-down over the largest difference, instead of exact pair tests.
        level: 1 − the family-wise error (0.95).
        seed: of every random draw (0).
        state: file that remembers the runs so far; given again, new runs are added to them.

    Errors: `AdjudgeError` for input from which nothing can be compared; doubtful input is told in `findings`.

    >>> answer = compare({"a": [9.0, 8.0, 9.5, 8.5, 9.1], "b": [1.0, 2.0, 1.5, 2.5, 1.1]})
    >>> answer.decided, answer.decision.tolist(), answer.used.tolist()
    (True, [1.0], [5, 5])
    """
    if method not in METHODS:
        raise AdjudgeError(f"compare: method is {method!r}.", f"One of {', '.join(METHODS)}.", "Name one of them.")
    source = bundled.path(source)
    asked = Plan(method, level, runs, interims, trials, early, reference, joint, seed).checked()
    begun = saved = load(state) if state is not None else Saved()
    given, asked = asked, asked.within(saved.plan) if saved.plan else asked
    columns = {"agent": agent, "score": score, "environment": environment, "run": run, "where": where}
    columns = {name: column or saved.columns.get(name) for name, column in columns.items()}
    told: list[Finding] = []
    data: dict[str, str] = {}
    named: set[str] = set()
    for name, table in _tables(source, {**columns, "each_file": each_file}):
        told += table.findings
        named |= set(table.policies)
        data[name] = file_fingerprint(name) if Path(name).is_file() else _fingerprint(table)
        made = from_ratings(table)
        told += made.findings
        batch = Batch.of(name, data[name], made)
        begun.refuse_strangers(batch)
        saved, noted = saved.joined(batch)
        told += noted
    everything = saved.runs()
    told += never_ran(sorted(named - set(everything.agents)))
    plan, noted = settled(asked, everything)
    told += given.unused(plan.method)
    if plan.method == "blind_trials":
        refuse_returns(everything, begun=begun.plan is not None)
    options = {**columns, "each_file": each_file if each_file != "runs" else None, **_plain(plan)}
    setting = Setting(
        plan.level or 0.95, plan.seed or 0, data, {name: value for name, value in options.items() if value}, source
    )
    answer = compare_runs(everything, plan, setting, findings=(*told, *noted))
    if state is not None:
        replace(saved, plan=plan, columns=saved.columns or columns).save(
            state, inputs=[name for name in data if Path(name).exists()]
        )
    return answer


def compare_runs(runs: Runs, plan: Plan, setting: Setting, *, findings: tuple[Finding, ...] = ()) -> Comparison:
    """`compare` for runs that have been read, under a plan whose parts are all settled."""
    found: Study | Judged
    estimate: Estimate
    if plan.method == "adastop":
        design = Design(
            plan.runs or 5,
            plan.interims or 5,
            setting.level,
            plan.early or 0.0,
            seed=setting.seed,
            joint=bool(plan.joint),
        )
        found = study(runs, design, reference=plan.reference)
        estimate = adastop.told(found)
        reason = (
            "Scores are returns: AdaStop compares their means by permutations after every "
            f"{design.runs} runs, at most {design.interims} times, with {1 - setting.level:.2g} error over all pairs."
        )
    else:
        found = judge(runs, trials=plan.trials, level=setting.level)
        estimate = blind_trials.told(found, level=setting.level)
        reason = (
            "Scores are successes and failures: each pair is tested trial by trial, up to "
            f"{found.trials} trials each, with {1 - setting.level:.2g} error over all pairs and trials."
        )
    return Comparison(
        estimate=estimate,
        found=found,
        findings=worst_first((*findings, *estimate.findings)),
        reason=reason,
        run=setting.run("adjudge.compare(…)", [estimate.method]),
        level=setting.level,
        seed=setting.seed,
    )


def _tables(source: object, columns: Mapping[str, str | None]) -> list[tuple[str, Ratings]]:
    """The table of each source, by name; each file is one, so that a study can tell what it has seen."""
    if isinstance(source, Ratings):
        return [("table", source)]
    found = paths(source)
    if not found:
        if isinstance(source, Mapping) and not any(columns[name] for name in ("agent", "score", "environment", "run")):
            source = read_runs.evened(source)
        return [("table", read_runs.read(source, **columns))]  # type: ignore[arg-type]
    files = [path for one in found for path in expand(one)]
    return [(str(path), read_runs.read(path, **columns)) for path in files]  # type: ignore[arg-type]


def _fingerprint(table: Ratings) -> str:
    return array_fingerprint(
        {
            "score": table.score,
            "policy": np.array(table.policies)[table.policy],
            "stratum": np.array(table.strata)[table.stratum],
        }
    )


def _plain(plan: Plan) -> dict[str, object]:
    return {
        name: getattr(plan, name) for name in ("method", "runs", "interims", "trials", "early", "reference", "joint")
    }
