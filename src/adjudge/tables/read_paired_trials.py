"""The door for trials in simulation and reality: a long table of policy, domain and score becomes `PairedTrials`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from .._typing import BoolArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding, numbers
from .columns import require
from .numbers import ROW, Door
from .paired_trials import NOMINAL, PairedTrials, paired_trials
from .parts import parts
from .read import take, whole
from .sources import open_source

USUAL = {
    "policy": ("policy", "policy_id", "model", "agent", "checkpoint"),
    "domain": ("domain", "world", "evaluator", "sim_or_real", "platform"),
    "score": ("score", "success", "progress", "reward", "return", "outcome"),
    "task": ("task", "task_id", "env", "environment"),
    "axis": ("axis", "perturbation", "variation", "shift"),
    "group": ("group", "setting", "cotraining", "diversity"),
    "cluster": ("cluster", "initial_condition", "scene", "episode", "episode_id", "trial"),
}
_NEEDED = ("policy", "domain", "score")
_REAL = ("real", "reality", "real_world", "real-world", "hardware", "robot", "1", "true")
_SIM = ("sim", "simulation", "simulator", "simulated", "world_model", "world-model", "model", "virtual", "0", "false")
_PLAIN = ("", NOMINAL, "none", "clean", "base", "baseline", "original")


def read(
    source: object,
    *,
    policy: str | None = None,
    domain: str | None = None,
    score: str | None = None,
    task: str | None = None,
    axis: str | None = None,
    group: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    nominal: str | None = None,
    where: str | None = None,
) -> PairedTrials:
    """Reads, checks and codes a long table of trials: one row is one trial of one policy in one domain.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        policy: column of who acted; None takes a usual name, as for the others below.
        domain: column that says sim or real.
        score: column of success, progress or reward.
        task: column of the task, if any.
        axis: column of what was perturbed, empty or a word such as nominal where nothing was, if any.
        group: column of a setting to be compared, empty where the trial serves all, if any.
        cluster: column of the independent unit within a task, such as the initial condition, if any; else the task.
        weight: column of how many equal trials the row stands for, >= 0.
        nominal: the value of `axis` without perturbation; None takes a usual one.
        where: SQL condition on any column.

    Errors: `AdjudgeError` for a table that cannot be read, columns or ids that are missing, a domain that is neither
    sim nor real, no score at all. Doubtful input is told in `findings`.

    >>> table = read({"policy": ["a", "a"], "domain": ["sim", "real"], "success": [True, False], "task": ["t", "t"]})
    >>> table.policies, table.real.tolist(), table.score.tolist()
    (('a',), [False, True], [1.0, 0.0])
    """
    opened = open_source(source)
    given = {"policy": policy, "domain": domain, "score": score, "task": task, "axis": axis, "group": group}
    used = parts(opened.names, given | {"cluster": cluster}, USUAL, needed=_NEEDED)
    if weight is not None:
        require(opened.names, weight, "--weight")
    needed = tuple(dict.fromkeys(name for name in (*used.values(), weight) if name))
    frame = take(opened, needed, where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    scores = numbers.numeric(frame[used["score"]], door, "--score")
    if not np.isfinite(scores).any():
        raise AdjudgeError(
            f"{used['score']}: all {scores.size:,} scores are missing.",
            "At least one trial has a score.",
            "Name another column with --score.",
        )
    _tell_missing(scores, door)
    made = paired_trials(
        whole(coding.ids(frame[used["policy"]]), "policy", door).to_list(),
        _domains(frame[used["domain"]], door),
        scores,
        task=whole(coding.ids(frame[used["task"]]), "task", door).to_list() if used["task"] else None,
        axis=_axis(frame[used["axis"]], nominal) if used["axis"] else None,
        group=_plain(frame[used["group"]]) if used["group"] else None,
        cluster=_plain(frame[used["cluster"]]) if used["cluster"] else None,
        weight=numbers.weights(frame[weight] if weight else None, frame.height, door),
    )
    return replace(made, row=frame[ROW].cast(pl.Int64).to_numpy(), findings=tuple(door.findings))


def _plain(series: pl.Series) -> list[str]:
    """[n] as text, empty where there is none."""
    return coding.ids(series).cast(pl.String).str.strip_chars().fill_null("").to_list()


def _axis(series: pl.Series, nominal: str | None) -> list[str]:
    """[n] the perturbation, empty where there is none."""
    words = _PLAIN if nominal is None else ("", nominal.strip().lower())
    return ["" if each.lower() in words else each for each in _plain(series)]


def _domains(series: pl.Series, door: Door) -> BoolArray:
    """[n] whether the trial was real. Errors: a word that says neither."""
    texts = [each.lower() for each in _plain(series)]
    wrong = [at for at, each in enumerate(texts) if each not in (*_REAL, *_SIM)]
    if wrong:
        raise AdjudgeError(
            f"{series.name}: {len(wrong):,} of {len(texts):,} domains are neither sim nor real (first: "
            f"{door.place(wrong[0])}, {texts[wrong[0]][:40]!r}).",
            "`sim` or `real` for each trial.",
            "Rename them, drop the rows with --where, or name another column with --domain.",
        )
    return np.array([each in _REAL for each in texts], dtype=bool)


def _tell_missing(scores: np.ndarray, door: Door) -> None:
    missing = ~np.isfinite(scores)
    if missing.any():
        door.note(
            "scores-missing",
            Severity.INFO,
            f"{int(missing.sum()):,} of {scores.size:,} trials have no score (first: "
            f"{door.place(int(np.argmax(missing)))}); they were left out.",
            number=float(missing.mean()),
            remedy="If they are failures to finish, score them as failures.",
        )
