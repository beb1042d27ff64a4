"""The door for runs that are watched: a folder of the loop, or a table of any trainer, becomes a `RunLog`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import polars as pl

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import coding, likelihood_curve, numbers
from .columns import listing, require
from .files import held, reading, require_text, suffix, tables_in, unzipped
from .numbers import Door
from .read import take, whole
from .run_log import RunLog
from .sources import Source, open_source
from .words import counted

SAMPLES, METRICS = "samples.jsonl", "metrics.jsonl"
DUELS = "duels.jsonl"  # what was compared on the way
STATE, ASK = "watch.json", "ask.jsonl"  # what a watch remembers, and what it asks people
USUAL = {
    "step": ("step", "global_step", "checkpoint", "update", "iteration", "epoch"),
    "item": ("item", "item_id", "prompt_id", "question_id", "example_id", "id", "prompt", "question", "query"),
    "kl": ("kl", "objective/kl", "kl_divergence", "kl_to_ref", "logratio", "log_ratio"),
    "proxy": ("proxy", "reward", "score", "judge_score", "judge", "rewards", "objective/scores", "reward_score"),
    "gold": ("gold", "gold_label", "oracle_label", "human_label", "gold_score"),
    "weight": ("weight",),
    "prompt": ("prompt", "question", "query", "instruction", "input"),
    "response": ("response", "completion", "answer", "output", "text", "generation"),
}
LIKELY = {
    "chosen": ("chosen_logp", "logps/chosen", "logp_chosen"),
    "rejected": ("rejected_logp", "logps/rejected", "logp_rejected"),
    "entropy": ("entropy", "top_k_entropy"),
    "mass": ("mass", "top_k_mass"),
}


@dataclass(frozen=True, slots=True)
class Logged:
    """Which column plays which part; None takes a usual name, where there is one.

    Arguments:
        step: of training; any number that rises.
        item: id of the prompt; the prompt itself where there is none.
        kl: log π/π_ref of the response, or the step's KL from the start, in nats.
        proxy: what is optimised, such as a reward model's or a judge's score.
        gold: trusted labels that stand in the table itself.
        weight: how many rows each row stands for.
        prompt, response: texts.
    """

    step: str | None = None
    item: str | None = None
    kl: str | None = None
    proxy: str | None = None
    gold: str | None = None
    weight: str | None = None
    prompt: str | None = None
    response: str | None = None


def read(source: object, logged: Logged | None = None, *, where: str | None = None) -> RunLog:
    """Reads and checks a run.

    Arguments:
        source: a folder with `samples.jsonl`, or a path, frame, list of dicts or dict of arrays, as `tables.read.read`
            takes them. A last line of JSONL that is cut is left out: the run may be writing it.
        logged: columns.
        where: SQL condition on any column.

    Errors: `AdjudgeError` for a folder without samples, a table without step or proxy, steps that are no numbers.
    Doubtful input is told in `findings`.

    >>> run = read({"step": [0, 0, 5, 5], "item": ["a", "b"] * 2, "kl": [0, 0, 1.5, 0.5], "reward": [1, 2, 3, 4]})
    >>> run.steps, run.kl.tolist(), run.proxy.tolist()
    ((0.0, 5.0), [0.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    """
    logged, told = logged or Logged(), list[Finding]()
    opened, metrics = _opened(source, told)
    used = _used(opened.names, logged)
    likely = {part: _usual(opened.names, names) for part, names in LIKELY.items()}
    whole_run = "of" if "of" in opened.names else ""  # steps of the whole run, as the loop's samples say
    needed = tuple(dict.fromkeys(name for name in (*used.values(), *likely.values(), whole_run) if name))
    frame = take(opened, needed, where)
    door = Door.at(frame, [*opened.findings, *told], several=opened.several)
    at = numbers.numeric(frame[used["step"]], door, "--step")
    frame, at = _stepped(frame, at, door)
    steps, step = np.unique(at, return_inverse=True)
    code, items = (
        coding.encode(whole(coding.ids(frame[used["item"]]), "item", door))
        if used["item"]
        else (np.arange(frame.height), pl.Series([str(row) for row in range(frame.height)]))
    )
    weight = numbers.weights(frame[used["weight"]] if used["weight"] else None, frame.height, door)
    far = numbers.numeric(frame[used["kl"]], door, "--kl") if used["kl"] else np.full(frame.height, np.nan)
    texts = {part: _texts(frame, used[part]) for part in ("prompt", "response")}
    prompts = texts["prompt"] or (tuple(str(items[one]) for one in code.tolist()) if used["item"] else ())
    table = RunLog(
        steps=tuple(steps.tolist()),
        items=tuple(str(name) for name in items),
        step=step,
        item=code,
        sample=_samples(step, code),
        kl=_distances(steps, step, far, weight, metrics, door),
        proxy=numbers.numeric(frame[used["proxy"]], door, "--proxy"),
        gold=numbers.numeric(frame[used["gold"]], door, "--gold") if used["gold"] else np.full(frame.height, np.nan),
        weight=weight,
        prompt=prompts,
        response=texts["response"],
        ended=bool(whole_run) and bool(steps[-1] >= np.nanmax(numbers.numeric(frame[whole_run], door, "of"))),
        likelihood=_likelihood(frame, likely, step, code, door),
    )
    return _finished(table, door)


def _opened(source: object, told: list[Finding]) -> tuple[Source, Mapping[float, float]]:
    """The samples, and the KL of steps that the metrics beside them know."""
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        folder = Path(source)
        if not (folder / SAMPLES).is_file():
            named = tables_in(folder, (METRICS, STATE, ASK, DUELS))
            raise AdjudgeError(
                f"{folder}: there is no {SAMPLES}.",
                f"A run folder with {SAMPLES}: one response of a checkpoint a line. It holds: {listing(held(folder))}.",
                f"Let the run write samples (its watch callback does), or name {named}.",
            )
        metrics = _metrics(folder / METRICS, told) if (folder / METRICS).is_file() else {}
        return open_source(lines(folder / SAMPLES, told)), metrics
    if isinstance(source, (str, Path)) and suffix(Path(source)) in (".jsonl", ".ndjson") and Path(source).is_file():
        return open_source(lines(Path(source), told)), {}
    return open_source(source), {}


def lines(path: Path, told: list[Finding]) -> list[dict[str, object]]:
    """The objects of a JSONL file that may still be written: a last line that is cut is left out, and told.

    Arguments:
        path: the file; `.gz` is unzipped.
        told: takes the finding.

    Errors: another line that is no JSON object; no whole line at all.
    """
    require_text(path)
    with reading(path), unzipped(path) as stream:
        text = stream.read().decode("utf-8", errors="replace")
    rows, split = [], text.split("\n")
    for number, line in enumerate(split, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            if number == len(split):
                told.append(
                    Finding("last-line-cut", Severity.INFO, f"The last line of {path.name} is not whole, and left out.",
                            remedy="None while the run is writing; else look whether its disk is full.")
                )  # fmt: skip
                continue
            row = None
        if not isinstance(row, dict):
            raise AdjudgeError(
                f"{path.name}: line {number:,} is no JSON object.",
                "One whole object a line; only the last may be cut.",
                "Delete that line, or write the file again.",
            )
        rows.append(row)
    if not rows:
        raise AdjudgeError(f"{path.name} has no whole line.", "At least one.", "Wait until the run has written one.")
    return rows


def _metrics(path: Path, told: list[Finding]) -> dict[float, float]:
    """Step -> KL, of metrics that have both."""
    found = {}
    for row in lines(path, told) if path.stat().st_size else ():
        at = next((row[name] for name in USUAL["step"] if name in row), None)
        far = next((row[name] for name in USUAL["kl"] if name in row), None)
        if isinstance(at, (int, float)) and isinstance(far, (int, float)) and np.isfinite(far):
            found[float(at)] = float(far)
    return found


def _usual(names: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    own = {name.strip().lower(): name for name in reversed(names)}
    return next((own[name] for name in wanted if name in own), "")


def _used(names: tuple[str, ...], logged: Logged) -> dict[str, str]:
    """Part -> column; empty where there is none."""
    used = {}
    for part in (one.name for one in fields(logged)):
        named = getattr(logged, part)
        used[part] = require(names, named, f"--{part}") if named else _usual(names, USUAL[part])
    for part in ("step", "proxy"):
        if not used[part]:
            raise AdjudgeError(
                f"No column holds the {part}.",
                f"The columns are: {listing(names)}.",
                f"Name it with --{part}.",
            )
    return used


def _stepped(frame: pl.DataFrame, at: FloatArray, door: Door) -> tuple[pl.DataFrame, FloatArray]:
    """Rows that have a step; the order of the file does not matter, and is told where it is odd."""
    known = np.isfinite(at)
    if not known.any():
        raise AdjudgeError("step: no row has one.", "A number for each row.", "Name the column with --step.")
    if not known.all():
        text = f"{counted((~known).sum(), 'row has', 'rows have')} no step; only rows with one count."
        door.note("rows-without-step", Severity.WARNING, text,
                  number=float((~known).sum()), remedy="Write the step of each response.")  # fmt: skip
    if (np.diff(at[known]) < 0).any():
        door.note("steps-out-of-order", Severity.INFO, "Rows are not in the order of their steps; they were sorted.")
    return frame.filter(pl.Series(known)), at[known]


def _samples(step: IntArray, item: IntArray) -> IntArray:
    """Number of each response among those of its prompt at its step."""
    cell = step * (int(item.max()) + 1) + item
    order = np.argsort(cell, kind="stable")
    first = np.r_[True, np.diff(cell[order]) != 0]
    number = np.arange(cell.size) - np.maximum.accumulate(np.where(first, np.arange(cell.size), 0))
    found = np.empty(cell.size, dtype=np.int64)
    found[order] = number
    return found


def _distances(
    steps: FloatArray, step: IntArray, far: FloatArray, weight: FloatArray, metrics: Mapping[float, float], door: Door
) -> FloatArray:
    """[J] KL of each step: the mean of its rows, else what the metrics say; below 0 it is 0, and told."""
    known = np.isfinite(far)
    mass = np.bincount(step, weight * known, minlength=steps.size)
    total = np.bincount(step, weight * np.where(known, far, 0.0), minlength=steps.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        kl = total / mass
    kl = np.array([metrics.get(at, np.nan) if np.isnan(one) else one for at, one in zip(steps, kl, strict=True)])
    below = kl < 0
    if below.any():
        many = counted(below.sum(), "step")
        text = f"The KL of {many} is estimated below 0 (lowest {np.nanmin(kl):.3g}), and taken as 0."
        remedy = "Sample more responses a checkpoint, or give an estimate that is never negative."
        door.note("kl-below-zero", Severity.INFO, text, number=float(np.nanmin(kl)), remedy=remedy)
    lost = np.isnan(kl)
    if lost.any():
        text = f"No KL is known of {counted(lost.sum(), 'step')} of {kl.size:,}: curves go by step instead of √KL."
        remedy = "Log the mean log π/π_ref of the sampled responses as `kl`, or name its column with --kl."
        door.note("kl-unknown", Severity.WARNING, text, number=float(lost.sum()), remedy=remedy)
    return np.where(below, 0.0, kl)


def _texts(frame: pl.DataFrame, column: str) -> tuple[str, ...]:
    if not column:
        return ()
    found = frame[column].to_list()
    return tuple(one if isinstance(one, str) else "" if one is None else _json(one) for one in found)


def _json(value: object) -> str:
    """A conversation or another value as text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _likelihood(
    frame: pl.DataFrame, likely: Mapping[str, str], step: IntArray, item: IntArray, door: Door
) -> likelihood_curve.LikelihoodCurve | None:
    if not (likely["entropy"] and likely["mass"]):
        return None
    nothing = np.full(frame.height, np.nan)
    columns = [numbers.numeric(frame[name], door, f"--{part}") if name else nothing for part, name in likely.items()]
    return likelihood_curve.from_arrays(*columns, step=step, prompt=item)


def _finished(table: RunLog, door: Door) -> RunLog:
    """With what can be said of the proxy."""
    known = table.proxy[np.isfinite(table.proxy)]
    if not known.size:
        raise AdjudgeError("proxy: no row has one.", "The score that is optimised.", "Name its column with --proxy.")
    if known.size > 1 and np.ptp(known) == 0:
        door.note(
            "proxy-constant",
            Severity.WARNING,
            f"The proxy is {known[0]:g} in every row: nothing is being optimised, or the wrong column was read.",
            number=float(known[0]),
            remedy="Name another column with --proxy, or look at what scores the responses.",
        )
    return RunLog(**{one.name: getattr(table, one.name) for one in fields(table) if one.name != "findings"},
                  findings=tuple(door.findings))  # fmt: skip
