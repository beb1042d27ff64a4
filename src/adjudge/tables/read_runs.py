"""The door for few runs: a column for each agent, or a row for each run, becomes `Ratings` in the order of the runs.

Wide: every column is an agent (a column without a name, or named `seed` or `run`, numbers the rows); an empty cell is a
run that was not made. Long: a column names the agent and one holds the score; rows of one run are its episodes. Several
files are further runs in the order in which they are named, unless each is said to be an environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import coding, numbers
from .columns import FILE, listing, require
from .numbers import ROW, Door
from .ratings import Ratings
from .read import refuse_many, take, whole
from .sources import Source, open_source

AGENT = ("agent", "policy", "model", "algorithm", "algo", "system", "variant", "arm", "policy_name", "model_name")
SCORE = ("score", "return", "reward", "success", "outcome", "result", "value", "performance", "judge_score")
WHERE = ("env", "environment", "env_id", "game", "condition", "stratum")
RUN = ("seed", "run", "run_id", "trial", "rollout", "rep", "replicate")
COUNTERS = ("", "index", "unnamed: 0", "interim", "round", "iteration", *RUN)


def read(
    source: object,
    *,
    agent: str | None = None,
    score: str | None = None,
    environment: str | None = None,
    run: str | None = None,
    each_file: str = "runs",
    where: str | None = None,
) -> Ratings:
    """The runs of some agents.

    Arguments:
        source: a path or several, a frame, a list of dicts, or a dict of arrays.
        agent, score: columns of a long table; None takes a usual name, and a table without one for wide.
        environment: column of the environment or initial condition, in either form.
        run: column that tells the runs of an agent apart; its rows of one run are averaged.
        each_file: what several files are: further `runs`, or an `environment` each.
        where: SQL condition on any column.

    Errors: no table, a named column that is missing, text where scores should be, no agents.

    >>> wide = read({"seed": [0, 1], "a": [1.0, 2.0], "b": [3.0, None]})
    >>> wide.policies, wide.policy.tolist(), wide.score[:, 0].tolist()
    (('a', 'b'), [0, 1, 0], [1.0, 3.0, 2.0])
    """
    opened = open_source(source)
    if each_file not in ("runs", "environment"):
        raise AdjudgeError(f"each file is {each_file!r}.", "`runs` or an `environment`.", "Name one of them.")
    names = [name for name in opened.names if name != FILE]
    of_env = require(names, environment, "--env") if environment else _usual(names, WHERE)
    by = require(names, agent, "--agent") if agent else _usual(names, AGENT)
    if each_file == "environment" and FILE in opened.names:
        of_env = FILE
    if by or score:
        return _long(opened, names, by or _needed(names), score, of_env, run, where)
    return _wide(opened, names, of_env, where)


def evened(columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """A wide dict with the columns of agents who ran less filled up by empty cells; any other as it is."""
    usual = _usual([str(name) for name in columns], (*AGENT, *WHERE, *COUNTERS))
    if usual or not all(isinstance(one, (list, tuple, np.ndarray)) for one in columns.values()):
        return columns
    rows = max((len(one) for one in columns.values()), default=0)
    return {name: [*one, *[None] * (rows - len(one))] if len(one) < rows else one for name, one in columns.items()}


def _wide(opened: Source, names: list[str], environment: str, where: str | None) -> Ratings:
    agents = [name for name in names if name != environment and name.strip().lower() not in COUNTERS]
    if not agents:
        raise AdjudgeError(
            "The table has no column of scores.",
            "One column for each agent, or one named agent and one named score.",
            "Name them with --agent and --score.",
        )
    twice = next(
        (name for name in agents if (base := re.sub(r"_duplicated_\d+$", "", name)) != name and base in agents), ""
    )
    if twice:
        raise AdjudgeError(
            f"Several columns are named {re.sub('_duplicated_.*', '', twice)!r}.",
            "A column for each agent, under a name of its own.",
            "Rename them in the file; if they are runs of one agent, put them below one another.",
        )
    findings: list[Finding] = list(opened.findings)
    needed = dict.fromkeys((*agents, *((environment,) if environment else ()), *_file(opened)))
    frame = take(opened, tuple(needed), where)
    door = Door.at(frame, findings, several=opened.several)
    table = np.column_stack([numbers.numeric(frame[name], door, "--agent") for name in agents])
    row, column = np.nonzero(np.isfinite(table))
    order = np.argsort(agents, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    within = frame[environment].cast(pl.String)[row] if environment else None
    return _built([agents[i] for i in order], place[column], table[row, column], frame[ROW].to_numpy()[row], within,
                  np.arange(row.size), findings)  # fmt: skip


def _long(
    opened: Source,
    names: list[str],
    agent: str,
    score: str | None,
    environment: str,
    run: str | None,
    where: str | None,
) -> Ratings:
    findings: list[Finding] = list(opened.findings)
    value = require(names, score, "--score") if score else _usual(names, SCORE)
    if not value:
        raise AdjudgeError(
            "No score column was named, and none has a usual name.",
            f"The columns are: {listing(names)}.",
            "Name it with --score.",
        )
    told = require(names, run, "--run") if run else _usual([name for name in names if name != value], RUN)
    parts = (agent, value, environment, told, *_file(opened))
    frame = take(opened, tuple(dict.fromkeys(name for name in parts if name)), where)
    door = Door.at(frame, findings, several=opened.several)
    policy, distinct = coding.encode(whole(coding.ids(frame[agent]), "agent", door))
    refuse_many(distinct.len(), agent)
    key = np.arange(frame.height)
    if told:
        ids = [
            pl.col(name).cast(pl.String).fill_null("") for name in (agent, environment, told, *_file(opened)) if name
        ]
        key = coding.encode(frame.select(pl.concat_str(ids, separator="\x1f").alias("key"))["key"])[0]
        if (runs := int(key.max()) + 1) < frame.height:
            findings.append(_episodes(frame.height, runs, told))
    scores = numbers.numeric(frame[value], door, "--score")
    within = frame[environment].cast(pl.String) if environment else None
    names_of = [str(name) for name in distinct]
    return _built(names_of, policy, scores, frame[ROW].to_numpy(), within, key, findings)


def _built(
    agents: Sequence[str],
    policy: np.ndarray,
    score: np.ndarray,
    row: np.ndarray,
    within: pl.Series | None,
    key: np.ndarray,
    findings: list[Finding],
) -> Ratings:
    n = policy.size
    strata: tuple[str, ...] = ("all",)
    stratum = np.zeros(n, dtype=np.int64)
    if within is not None and n:
        codes, distinct = coding.encode(coding.ids(within.fill_null("(none)").rename("environment")))
        strata, stratum = tuple(str(name) for name in distinct), codes
    unknown = np.full(n, np.nan)
    return Ratings(
        policies=tuple(agents),
        judges=("score",),
        policy=policy.astype(np.int64),
        item=key.astype(np.int64),
        cluster=key.astype(np.int64),
        score=score[:, None].astype(float),
        gold=unknown,
        weight=np.ones(n),
        propensity=unknown,
        gold_variance=np.zeros(n),
        covariates=np.empty((n, 0)),
        stratum=stratum,
        strata=strata,
        row=row.astype(np.int64),
        findings=tuple(findings),
    )


def _usual(names: Sequence[str], usual: Sequence[str]) -> str:
    """The first column with a usual name, in the order of the usual names; empty when there is none."""
    plain = {name.strip().lower().replace("-", "_").replace(" ", "_"): name for name in reversed(names)}
    return next((plain[name] for name in usual if name in plain), "")


def _needed(names: Sequence[str]) -> str:
    raise AdjudgeError(
        "A score column was named, and no column says which agent made the run.",
        f"The columns are: {listing(list(names))}.",
        "Name it with --agent.",
    )


def _file(opened: Source) -> tuple[str, ...]:
    return (FILE,) if opened.several else ()


def _episodes(rows: int, runs: int, column: str) -> Finding:
    return Finding(
        "episodes-averaged",
        Severity.INFO,
        f"{rows:,} rows are episodes of {runs:,} runs, told apart by {column!r}; a run's score is their mean.",
        rows,
        runs,
        "If each row is a run of its own, name with --run a column that differs between them.",
        (column,),
    )
