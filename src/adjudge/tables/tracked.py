"""Reads tracked reinforcement-learning runs: long tables of algorithm, environment, seed, step and return.

    one row = what one run logged at one step;      run = (algorithm, environment, seed)

Columns are found by their usual names (such as `algo`, `env_id`, `seed`, `global_step`, `episodic_return`) or named;
any further column can filter through `where`. Limit: without a seed column every algorithm has one run on each
environment.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..errors import AdjudgeError
from .columns import listing, require
from .ratings import Ratings
from .read import read as read_ratings
from .sources import Source, open_source

USUAL = {
    "policy": ("algo", "algorithm", "exp_name", "agent", "policy", "model"),
    "item": ("env", "env_id", "environment", "task", "game", "gym_id", "prompt_id"),
    "run": ("run", "run_id", "seed", "trial"),
    "step": ("step", "steps", "global_step", "timestep", "timesteps", "frame", "frames"),
    "score": ("return", "episodic_return", "charts/episodic_return", "episode_return", "score", "reward"),
}
RUN, ONE, DRAW = "(run)", "(environment)", "(draw)"


def read(
    source: object,
    *,
    policy: str | None = None,
    item: str | None = None,
    run: str | None = None,
    step: str | None = None,
    score: str | None = None,
    where: str | None = None,
) -> Ratings:
    """Reads a log of runs as `Ratings`: `item` the environment, `cluster` the run, covariate `step`.

    Arguments:
        source: as `tables.read.read` takes it.
        policy, item, run, step, score: columns of the algorithm, environment, seed, step and return; None takes the
            first with a usual name.
        where: SQL condition on any column, such as `env_id LIKE 'Mu%' AND seed < 5`.

    Errors: no column for algorithm, step or return, or as `tables.read.read`.

    >>> table = read({"algo": ["a", "a"], "env_id": ["x", "x"], "seed": [1, 1], "global_step": [0, 8],
    ...               "return": [0.5, 2.0]})
    >>> table.policies, table.units, table.covariates[:, 0].tolist(), table.score[:, 0].tolist()
    (('a',), 1, [0.0, 8.0], [0.5, 2.0])
    """
    opened = open_source(source)
    used = {
        "policy": _column(opened.names, "policy", policy),
        "item": _column(opened.names, "item", item, needed=False),
        "run": _column(opened.names, "run", run, needed=False),
        "step": _column(opened.names, "step", step),
        "score": _column(opened.names, "score", score),
    }
    single = [used[role] for role in ("policy", "item", "run") if used[role]]

    def take(names: Sequence[str]) -> pl.DataFrame:
        wanted = [name for name in dict.fromkeys((*names, *single)) if name not in (RUN, "step", ONE, DRAW)]
        frame = opened.take(list(dict.fromkeys((*wanted, used["step"]))))
        parts = [pl.col(name).cast(pl.String).fill_null("(none)") for name in single]
        frame = frame.with_columns(
            pl.concat_str(parts, separator="\x1f").alias(RUN),
            pl.col(used["step"]).alias("step"),
            pl.lit("environment").alias(ONE),
        )
        frame = frame.with_columns(pl.concat_str([RUN, pl.col("step").cast(pl.String)], separator="\x1f").alias(DRAW))
        return frame.select(names)

    with_run = Source(
        tuple(dict.fromkeys((*opened.names, RUN, "step", ONE, DRAW))),
        take,
        label=opened.label,
        several=opened.several,
        findings=opened.findings,
    )
    return read_ratings(
        with_run,
        policy=used["policy"],
        item=used["item"] or ONE,
        judge=used["score"],
        gold=(),
        cluster=RUN,
        covariates=("step",),
        draw=DRAW,
        where=where,
    )


def _column(names: Sequence[str], role: str, named: str | None, *, needed: bool = True) -> str:
    """The column that plays a part."""
    option = {"score": "judge"}.get(role, role)
    if named is not None:
        return require(names, named, f"--{option}")
    lowered = {name.strip().lower(): name for name in reversed(names)}
    found = [lowered[usual] for usual in USUAL[role] if usual in lowered]
    if found:
        return found[0]
    if not needed:
        return ""
    raise AdjudgeError(
        f"No column of the {role} has a usual name.",
        f"The columns are: {listing(list(names))}; usual names: {', '.join(USUAL[role])}.",
        f"Name it with {role}=.",
    )
