"""The door for logged decisions: actions, rewards, propensities, and what target policies would do there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import polars as pl

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from . import coding, numbers
from ._chances import chance, chance_table, counted, named_actions, range_of, require_names, tell_unlike, weighed
from .columns import listing, require
from .decisions import Decisions
from .numbers import ROW, Door
from .parts import parts
from .read import codes, take, whole
from .sources import open_source
from .target_models import class_names, is_model, modelled
from .target_policies import require_target, targets

USUAL = {
    "action": ("action", "item_id", "arm", "treatment", "action_id"),
    "reward": ("reward", "click", "outcome", "r", "judge_score"),
    "propensity": ("propensity", "propensity_score", "pscore", "logging_probability", "probability", "prob"),
    "position": ("position", "slot"),
}
LOGGING = "the logger"  # the name of its own probabilities, among those of targets
LEVELS = 50  # different words of a context column, each of which becomes a column of its own


@dataclass(frozen=True, slots=True)
class Logged:
    """Which column plays which part; None takes a usual name, where there is one.

    Arguments:
        action, reward: what was done, and what it was paid; an empty reward is not known.
        propensity: probability with which it was done.
        log_propensity: its logarithm instead, as language models give it.
        gold: trusted label of the same decision, where the reward is a judge's score; empty where nobody looked.
        by_logger: logger -> column with its probability of the logged action, where several decided.
        slate, position: the slate that a row is a slot of, and its place there.
        context: columns known before the decision; words become one column a word.
        cluster, logger, weight: as in `Decisions`.
    """

    action: str | None = None
    reward: str | None = None
    propensity: str | None = None
    log_propensity: str | None = None
    gold: str | None = None
    by_logger: Mapping[str, str] = field(default_factory=dict)
    slate: str | None = None
    position: str | None = None
    context: Sequence[str] = ()
    cluster: str | None = None
    logger: str | None = None
    weight: str | None = None


def read(
    source: object,
    logged: Logged | None = None,
    *,
    target: Mapping[str, object] | None = None,
    probability: Mapping[str, str] | None = None,
    log_probability: Mapping[str, str] | None = None,
    logging: object = None,
    embedding: object = None,
    where: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Decisions:
    """Reads, checks and codes a log of decisions, and what each target policy would have done.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        logged: columns of the log.
        target: policy -> table of its probabilities: columns `action` and `probability`, and any columns of the log
            on which they depend, such as `position`; or a classifier or function of the context (`target_models`).
        probability, log_probability: policy -> column of the log with its probability of the logged action.
        logging: the logger's own probabilities of all actions, given as a target is.
        embedding: table of features of each action: the column of actions and one column a feature.
        where: SQL condition on any column.
        bounds: range of the reward; None takes [0, 1] if all rewards lie in it.

    Errors: `AdjudgeError` for a log that cannot be read, propensities that are missing, 0 or above 1, probabilities
    that do not sum to 1, no target policy. Doubtful input is told in `findings`.

    >>> log = {"action": ["a", "b"], "reward": [1, 0], "propensity": [0.5, 0.5]}
    >>> read(log, target={"greedy": {"action": ["a"], "probability": [1.0]}}).ratio.tolist()
    [[2.0], [0.0]]
    """
    opened, logged = open_source(source), logged or Logged()
    used = _used(opened.names, logged)
    columns = [(*pair, log) for log, group in ((False, probability), (True, log_probability)) for pair in _pairs(group)]
    chances = {name: column for name, column, _ in columns}
    require_target(target, chances.values(), opened.names)
    require_names(target or {}, probability or {}, log_probability or {}, _known(logging))
    _require_context(opened.names, logged, used)
    every = {**(target or {}), **_known(logging)}
    frames = {name: chance_table(one, name) for name, one in every.items() if not is_model(one)}
    keys = {key for frame in frames.values() for key in frame.columns if key in opened.names}
    named = (*used.values(), *logged.context, *logged.by_logger.values(), *chances.values(), *sorted(keys))
    frame = take(opened, tuple(dict.fromkeys(name for name in named if name)), where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    known = [name for one in every.values() if is_model(one) for name in class_names(one)]
    action, actions = named_actions(frame, used["action"], frames, door, known)
    context, context_names = _context(frame, logged.context, door)
    listed = partial(targets, frame, action=used["action"], actions=actions, door=door)
    made = partial(modelled, context=context, actions=actions)
    tables = {n: listed(frames[n], policy=n) if n in frames else made(one, policy=n) for n, one in every.items()}
    logger = tuple(tables.pop(name) for name in _known(logging))
    own, aimed = weighed(frame, used, {name: each.at(action) for name, each in tables.items()}, columns, door)
    reward, gold = _paid(frame, used, door)
    several, names = _loggers(frame, used, door)
    tell_unlike(logger, action, own, door)
    return Decisions(
        policies=(*tables, *chances),
        actions=actions,
        action=action,
        reward=reward,
        propensity=own,
        target=aimed,
        cluster=codes(frame, used["cluster"] or used["slate"], "cluster", door),
        weight=counted(frame, used["weight"], reward, door),
        probabilities=() if chances else tuple(tables.values()),
        context=context,
        context_names=context_names,
        loggers=names,
        logger=several,
        by_logger=_by_logger(frame, logged.by_logger, names, door),
        logging=logger,
        embedding=_embedding(embedding, used["action"], actions),
        gold=gold,
        position=codes(frame, used["position"], "position", door) if used["position"] else np.zeros(0, np.int64),
        slate=codes(frame, used["slate"], "slate", door),
        bounds=range_of(reward, bounds),
        row=frame[ROW].cast(pl.Int64).to_numpy(),
        findings=tuple(door.findings),
    )


def _pairs(group: Mapping[str, str] | None) -> list[tuple[str, str]]:
    return list((group or {}).items())


def _known(logging: object) -> dict[str, object]:
    """The logger's own policy by its name; nothing where it is not known."""
    return {} if logging is None else {LOGGING: logging}


def _require_context(names: Sequence[str], logged: Logged, used: Mapping[str, str]) -> None:
    """Errors: no such column; what was known only after the decision."""
    for name in logged.by_logger.values():
        require(names, name, "--by-logger")
    for name in logged.context:
        require(names, name, "--context")
        for part in ("action", "reward", "gold"):
            if name == used[part]:
                raise AdjudgeError(
                    f"--context {name} is the {part}.", "What was known before the decision.", "Leave it out."
                )


def _used(names: Sequence[str], logged: Logged) -> dict[str, str]:
    """The columns of the log; empty where there is none."""
    wanted = (*USUAL, "log_propensity", "gold", "slate", "cluster", "logger", "weight")
    given = {part: getattr(logged, part) for part in wanted}
    return parts(names, given, USUAL, needed=("reward", "propensity"), instead={"propensity": "log_propensity"})


def _paid(frame: pl.DataFrame, used: Mapping[str, str], door: Door) -> tuple[FloatArray, FloatArray]:
    """[n] rewards and [n] gold labels. Errors: none known."""
    reward = numbers.rewards(frame[used["reward"]], door, "decisions")
    if not used["gold"]:
        return reward, np.full(reward.size, np.nan)
    gold = numbers.numeric(frame[used["gold"]], door, "--gold")
    if not np.isfinite(gold).any():
        raise AdjudgeError(f"{used['gold']}: no label is known.", "At least one.", "Name another with --gold.")
    return reward, gold


def _loggers(frame: pl.DataFrame, used: Mapping[str, str], door: Door) -> tuple[IntArray, tuple[str, ...]]:
    """[n] who decided, and their names."""
    if not used["logger"]:
        return np.zeros(frame.height, dtype=np.int64), ("logger",)
    code, names = coding.encode(whole(coding.ids(frame[used["logger"]]).cast(pl.String), "logger", door))
    return code, tuple(str(name) for name in names)


def _by_logger(frame: pl.DataFrame, columns: Mapping[str, str], loggers: tuple[str, ...], door: Door) -> FloatArray:
    """[n, J] probability of the logged action under each logger; [n, 0] without columns. Errors: one left out."""
    if not columns:
        return np.zeros((frame.height, 0))
    if set(columns) != set(loggers):
        raise AdjudgeError(
            f"--by-logger names {listing(list(columns))}; the log's loggers are {listing(list(loggers))}.",
            "One column for each logger.",
            "Name them as --by-logger LOGGER=COLUMN, and the column of loggers with --logger.",
        )
    return np.column_stack([chance(frame[columns[name]], door, log=False) for name in loggers])


def _embedding(table: object, action: str, actions: tuple[str, ...]) -> IntArray:
    """[k, c] codes of the features of each action; [k, 0] without a table. Errors: an action without features."""
    if table is None:
        return np.zeros((len(actions), 0), dtype=np.int64)
    opened = open_source(table)
    frame = opened.take([name for name in opened.names if not name.startswith("(")])
    own = coding.ids(frame[require(frame.columns, action, "the table of --embedding")]).cast(pl.String)
    place = {name: number for number, name in reversed(list(enumerate(own)))}
    lacking = [name for name in actions if name not in place]
    if lacking:
        raise AdjudgeError(
            f"--embedding: nothing is listed for {len(lacking)} of {len(actions)} actions ({listing(lacking, 5)}).",
            "One row for each action, with its features.",
            "Add them.",
        )
    rows = frame[[place[name] for name in actions]]
    if len(rows.columns) < 2:
        raise AdjudgeError("--embedding: a table of actions alone.", "A column for each feature.", "Add one.")
    features = [rows[name].cast(pl.String).fill_null("(none)") for name in rows.columns if name != action]
    return np.column_stack([coding.encode(feature)[0] for feature in features])


def _context(frame: pl.DataFrame, columns: Sequence[str], door: Door) -> tuple[FloatArray, tuple[str, ...]]:
    """[n, d] numbers as they are, words as one column a word. Errors: too many words."""
    blocks: list[FloatArray] = []
    names: list[str] = []
    for name in columns:
        series = frame[name]
        if series.dtype.is_numeric() or series.dtype == pl.Boolean:
            blocks.append(numbers.covariates(frame, (name,), door)[:, 0])
            names.append(name)
            continue
        words = coding.ids(series).cast(pl.String).fill_null("(none)")
        distinct = words.unique().sort()
        if distinct.len() > LEVELS:
            raise AdjudgeError(
                f"{name}: {distinct.len():,} different words.",
                f"At most {LEVELS}, each of which becomes a column.",
                "Group them, or leave the column out of --context.",
            )
        blocks += [(words == word).cast(pl.Float64).to_numpy() for word in distinct[1:]]
        names += [f"{name}={word}" for word in distinct[1:]]
    return (np.column_stack(blocks) if blocks else np.zeros((frame.height, 0))), tuple(names)
