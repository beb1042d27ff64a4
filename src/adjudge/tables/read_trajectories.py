"""The door for logged episodes: one row a step, in any order, and what target policies would do at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from . import coding, numbers
from ._chances import chance_table, named_actions, range_of, require_names, weighed
from ._episode_ends import finished, require_counting
from ._episode_rows import clusters, ended, following, rewards, sorted_rows
from .columns import as_names, require
from .decisions import Probabilities
from .numbers import Door
from .parts import option, parts
from .read import take, whole
from .sources import Source, open_source
from .target_models import class_names, is_model, modelled
from .target_policies import require_target, targets
from .trajectories import Trajectories

USUAL = {
    "episode": ("episode", "episode_id", "trajectory", "trajectory_id", "traj_id"),
    "step": ("step", "t", "time", "timestep", "time_step"),
    "action": ("action", "action_id", "item_id", "arm", "treatment"),
    "reward": ("reward", "r", "outcome"),
    "propensity": ("propensity", "propensity_score", "pscore", "logging_probability", "probability", "prob"),
    "terminal": ("terminal", "terminated"),
}


@dataclass(frozen=True, slots=True)
class Steps:
    """Which column plays which part; None takes a usual name, where there is one.

    Arguments:
        episode, step: whose step, and its place in time, a whole number; without a column of steps rows are in order.
        action, reward: what was done, and what it was paid.
        propensity: probability with which it was done.
        log_propensity: its logarithm instead, as language models give it.
        state: column, or several together, of the state before the step: one of finitely many.
        next_state: the same after the step; () takes the next row's.
        features: numbers that describe the state before the step.
        next_features: the same after the step; () takes the next row's.
        terminal: whether the episode ended for good with this step; without one no end is known.
        cluster: independent unit of the episode, such as the patient; () or None is the episode itself.
    """

    episode: str | None = None
    step: str | None = None
    action: str | None = None
    reward: str | None = None
    propensity: str | None = None
    log_propensity: str | None = None
    state: str | Sequence[str] = ()
    next_state: str | Sequence[str] = ()
    features: Sequence[str] = ()
    next_features: Sequence[str] = ()
    terminal: str | None = None
    cluster: str | None = None


def read(
    source: object,
    steps: Steps | None = None,
    *,
    target: Mapping[str, object] | None = None,
    probability: Mapping[str, str] | None = None,
    log_probability: Mapping[str, str] | None = None,
    discount: float = 1.0,
    horizon: int | None = None,
    where: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Trajectories:
    """Reads, checks, sorts and codes a log of steps, and what each target policy would have done.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        steps: columns of the log.
        target: policy -> table of its probabilities: columns `action` and `probability`, and any columns of the log on
            which they depend, such as that of states; or a classifier or function of the features.
        probability, log_probability: policy -> column of the log with its probability of the logged action.
        discount: γ in (0, 1] by step.
        horizon: steps that the value counts; None takes the length of episodes that did not end, where all have one.
        where: SQL condition on any column.
        bounds: range of a step's reward; None takes [0, 1] if all rewards lie in it.

    Where a state after an episode's last step is not known, the state before it stands in: of no matter at an end or at
    the horizon, told where methods would look at it.

    Errors: `AdjudgeError` for a log that cannot be read; steps that are negative or repeated, or after a terminal one;
    rewards that are missing; propensities that are missing, 0 or above 1; probabilities that do not sum to 1; no target
    policy; a discount outside (0, 1]; a horizon below 1. Doubtful input is told in `findings`.

    >>> log = {"episode": [1, 1, 2], "t": [1, 0, 0], "action": ["a", "b", "a"], "reward": [1, 0, 1],
    ...        "propensity": [0.5] * 3, "state": ["x", "y", "y"], "terminal": [1, 0, 1]}
    >>> table = read(log, Steps(state="state"), target={"new": {"action": ["a"], "probability": [1.0]}})
    >>> table.episode.tolist(), table.reward.tolist(), table.ratio[:, 0].tolist()
    ([0, 0, 1], [0.0, 1.0, 1.0], [0.0, 2.0, 2.0])
    """
    require_counting(discount, horizon)
    opened, steps = open_source(source), steps or Steps()
    used, pairs = _used(opened.names, steps), _pairs(opened.names, steps)
    chances = {
        **dict.fromkeys((probability or {}).items(), False),
        **dict.fromkeys((log_probability or {}).items(), True),
    }
    given = dict(target or {})
    require_target(given, [column for _, column in chances], opened.names)
    require_names(given, probability or {}, log_probability or {})
    frames = {name: chance_table(one, name) for name, one in given.items() if not is_model(one)}
    frame, door = _taken(
        opened, (*used.values(), *pairs, *pairs.values(), *(column for _, column in chances)), frames, where
    )
    frame, episode, starts, door = sorted_rows(frame, used, door)
    terminal, last = ended(frame, used["terminal"], episode, door), np.append(np.diff(episode) > 0, True)
    reward = rewards(frame[used["reward"]], door)
    known = [name for one in given.values() if is_model(one) for name in class_names(one)]
    action, actions = named_actions(frame, used["action"], frames, door, known)
    after = following(frame, pairs, last, terminal, door)
    features, next_features = _features(frame, after, steps, door)
    quiet, column = Door(door.place, []), used["action"]
    here = _policies(given, frames, frame, features, column, actions, door)
    state, next_state, states = _states(frame, after, steps, door)
    listed = dict(zip(given, (one.at(action) for one in here), strict=True))
    own, aimed = weighed(frame, used, listed, [(*pair, log) for pair, log in chances.items()], door)
    table = Trajectories(
        policies=(*given, *(name for name, _ in chances)),
        actions=actions,
        action=action,
        reward=reward,
        propensity=own,
        target=aimed,
        episode=episode,
        cluster=clusters(frame, used["cluster"], episode, door),
        state=state,
        next_state=next_state,
        terminal=terminal,
        states=states,
        features=features,
        next_features=next_features,
        probabilities=() if chances else here,
        next_probabilities=() if chances else _policies(given, frames, after, next_features, column, actions, quiet),
        discount=float(discount),
        bounds=range_of(reward, bounds),
        findings=tuple(door.findings),
    )
    return finished(table, horizon, starts=starts)


def _used(names: Sequence[str], steps: Steps) -> dict[str, str]:
    """The columns of the log; empty where there is none."""
    given = {part: getattr(steps, part) for part in (*USUAL, "log_propensity", "cluster")}
    needed = ("episode", "reward", "propensity")
    return parts(names, given, USUAL, needed=needed, instead={"propensity": "log_propensity"})


def _taken(
    opened: Source, named: Sequence[str], frames: Mapping[str, pl.DataFrame], where: str | None
) -> tuple[pl.DataFrame, Door]:
    """The columns named, and those on which the policies' tables depend."""
    keys = sorted({key for frame in frames.values() for key in frame.columns if key in opened.names})
    frame = take(opened, tuple(dict.fromkeys(name for name in (*named, *keys) if name)), where)
    return frame, Door.at(frame, list(opened.findings), several=opened.several)


def _pairs(names: Sequence[str], steps: Steps) -> dict[str, str]:
    """Columns before the step -> columns after it, empty where the next row tells."""
    pairs: dict[str, str] = {}
    for part in ("state", "features"):
        before, after = as_names(getattr(steps, part)), as_names(getattr(steps, f"next_{part}"))
        if after and len(after) != len(before):
            raise AdjudgeError(
                f"Steps names {len(before)} columns of {part} and {len(after)} of next_{part}.",
                "One after the step for each before it.",
                f"Name as many, or leave next_{part} out.",
            )
        for name in (*before, *after):
            require(names, name, option(part))
        pairs |= dict(zip(before, after or [""] * len(before), strict=True))
    return pairs


def _features(frame: pl.DataFrame, after: pl.DataFrame, steps: Steps, door: Door) -> tuple[FloatArray, FloatArray]:
    """[n, d] features before and after each step; what is missing is the mean of both."""
    n, names = frame.height, tuple(steps.features)
    if not names:
        return np.zeros((n, 0)), np.zeros((n, 0))
    both = numbers.covariates(
        pl.concat([frame.select(names), after.select(names)], how="vertical_relaxed"), names, door
    )
    return both[:n], both[n:]


def _states(
    frame: pl.DataFrame, after: pl.DataFrame, steps: Steps, door: Door
) -> tuple[IntArray, IntArray, tuple[str, ...]]:
    """[n] codes of the states before and after each step, and their names; one state where no column tells."""
    n, columns = frame.height, as_names(steps.state)
    if not columns:
        return np.zeros(n, np.int64), np.zeros(n, np.int64), () if steps.features else ("any",)
    parts = []
    for name in columns:
        both = pl.concat([frame[name].to_frame(), after[name].to_frame()], how="vertical_relaxed").to_series()
        parts.append(coding.ids(both).cast(pl.String).alias(name))
    for part in parts:
        whole(part[:n], "state", door)
        whole(part[n:], "next_state", door)
    code, names = coding.encode(pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=" · ")).to_series())
    return code[:n], code[n:], tuple(names)


def _policies(
    given: Mapping[str, object],
    frames: Mapping[str, pl.DataFrame],
    frame: pl.DataFrame,
    features: FloatArray,
    column: str,
    actions: tuple[str, ...],
    door: Door,
) -> tuple[Probabilities, ...]:
    """Each policy's probabilities of all actions at each row of a frame."""
    found = []
    for name, one in given.items():
        if name in frames:
            found.append(targets(frame, frames[name], name, column, actions, door))
            continue
        if not features.shape[1] or not actions:
            raise AdjudgeError(
                f"target {name}: a function of the features, and no {'actions' if features.shape[1] else 'features'}.",
                "The columns that the policy looks at, in its own order, and the one of actions.",
                "Name them in Steps(features=[…], action=…).",
            )
        found.append(modelled(one, features, actions, name))
    return tuple(found)
