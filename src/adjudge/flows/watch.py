"""Is a run that climbs a proxy still climbing gold? Spend a few labels, say stop or go on, name what to keep."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from ..reports.files import write
from ..tables import read_run_log
from ..tables.read_run_log import ASK, STATE, Logged
from ..tables.run_log import RunLog
from .made import Setting, fingerprints, worst_first
from .watch_findings import told
from .watch_gold import Gold
from .watch_gold import gold as gold_of
from .watch_judge import judged
from .watch_monitors import monitors
from .watch_state import Saved, load
from .watch_walk import Walked, walk
from .watching import Watching


def watch(
    source: object,
    logged: Logged | None = None,
    *,
    gold: object = None,
    labels: int = 200,
    bounds: tuple[float, float] = (0.0, 1.0),
    state: str | Path | None = None,
    final: bool | None = None,
    where: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Watching:
    """Looks at a run as it stands: fits the laws, stakes labels on a fall of gold, says stop or go on.

    Arguments:
        source: a run folder, or a table of any trainer, as `tables.read_run_log.read` takes it.
        logged: its columns.
        gold: file of labels (item, step, gold), `python:FILE.py:F` with F(prompt, response), a function of prompts and
            responses, or `judge:MODEL`, asked by a rubric; None for labels that stand in the table.
        labels: that may be spent in the whole watch.
        bounds: range of gold; labels outside are refused.
        state: file that remembers the watch between calls; `watch.json` of a run folder when None. Responses to label
            next are written beside it, to `ask.jsonl`.
        final: whether the run is over, so that labels left go to which checkpoint to keep; None: as the samples say,
            and yes for a table that no folder holds.
        where: SQL condition on the samples.
        level: 1 − the probability of a false STOP in the whole run; coverage of intervals.
        seed: of the choice of prompts.

    Errors: `AdjudgeError` for a run that cannot be read; a state begun with other options; labels out of range, or of
    another run.

    >>> step = np.repeat(np.arange(5), 60)
    >>> gold = np.array([0.2, 0.6, 0.8, 0.4, 0.1])[step]
    >>> run = {"step": step, "item": np.tile(np.arange(60), 5), "kl": step**2, "proxy": step + 0.0, "gold": gold}
    >>> seen = watch(run)
    >>> seen.stopped, seen.keep
    (True, 2.0)
    """
    if labels < 0:
        raise AdjudgeError(f"watch: {labels} labels.", "A number from 0 on.", "Correct --labels.")
    folder = Path(source) if isinstance(source, (str, Path)) and Path(source).is_dir() else None
    table = read_run_log.read(source, logged, where=where)
    place = Path(state) if state is not None else folder / STATE if folder else None
    options: dict[str, object] = {"labels": labels, "bounds": bounds, "final": final, "where": where}
    options["gold"] = gold if isinstance(gold, str) else None
    files = [*(([folder / read_run_log.SAMPLES]) if folder else [source]), gold]
    prints = {path: text for one in files for path, text in fingerprints(one).items()}
    setting = Setting(level, seed, prints, {name: value for name, value in options.items() if value}, source)
    column = logged.gold if logged and gold is not None else None
    if isinstance(gold, str) and gold.startswith("judge:"):
        gold = judged(gold.removeprefix("judge:"))
    found = gold_of(gold, table, bounds=bounds, column=column)
    _somebodys(found, table)
    over = final if final is not None else table.ended or folder is None
    return watch_table(table, found, setting, labels=labels, state=place, final=over, folder=folder)


def watch_table(
    table: RunLog,
    gold: Gold,
    setting: Setting,
    *,
    labels: int = 200,
    state: Path | None = None,
    final: bool = False,
    folder: Path | None = None,
    before: Saved | None = None,
) -> Watching:
    """`watch` for a run that has been read.

    Arguments:
        table: the run.
        gold: who knows the truth.
        setting: level, seed, and what is to be remembered of the source.
        labels: budget of the whole watch.
        state: file that remembers it; None for no memory.
        final: whether the run is over.
        folder: of the run, where monitors look for `pairs.jsonl`.
        before: the watch so far, where no file remembers it.
    """
    begun = before or Saved(gold.bounds, setting.level, setting.seed)
    saved = load(state, begun) if state else begun
    walked = walk(table, gold, saved, labels=labels, final=final, keep=None if state is None else _kept(state))
    known = _labels(table, gold, walked)
    seen, noted = monitors(table, known, folder, level=setting.level, stopped=walked.watched.stopped >= 0)
    asking = None
    if state is not None:
        walked.saved.save(state)
        asking = _ask(state.parent / ASK, table, walked, known)
    answer = Watching(
        table=table,
        walked=walked,
        gold=known,
        seen=seen,
        findings=(),
        run=setting.run("adjudge.watch(…)", seen),
        labels=labels,
        ask=asking,
        level=setting.level,
        seed=setting.seed,
    )
    return replace(answer, findings=worst_first((*told(answer), *noted, *table.findings, *gold.findings)))


def _somebodys(gold: Gold, table: RunLog) -> None:
    """Errors: labels of which none is of this run. It would be watched for ever on nothing, and a pipeline be green."""
    strange = next((one.number for one in gold.findings if one.code == "labels-of-nobody"), 0.0)
    if strange and not np.isfinite(gold.known).any():
        raise AdjudgeError(
            f"gold: none of {strange:,.0f} labels is of an item and step of this run.",
            f"Items such as {table.items[0]!r}, at steps such as {table.steps[-1]:g}.",
            "Give the labels of this run; name the run's columns with --item and --step.",
        )


def _kept(path: Path) -> Callable[[Saved], object]:
    return lambda saved: saved.save(path)


def _labels(table: RunLog, gold: Gold, walked: Walked) -> FloatArray:
    """[r] what is known: labels given, and those of earlier calls."""
    known = gold.known.copy()
    said = {
        (at, pair.item): label
        for pair in walked.saved.pairs
        for at, label in zip((pair.earlier, pair.later), pair.gold or (), strict=False)
    }
    if said:
        for row in np.flatnonzero((table.sample == 0) & np.isnan(known)).tolist():
            known[row] = said.get((table.steps[table.step[row]], table.items[table.item[row]]), math.nan)
    return known


def _ask(path: Path, table: RunLog, walked: Walked, known: FloatArray) -> Path | None:
    """Writes the responses that wait for labels; an older list of them goes when none do."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _waiting(table, walked, known))
    if lines:
        return write(path, lines)
    path.unlink(missing_ok=True)
    return None


def _waiting(table: RunLog, walked: Walked, known: FloatArray) -> Iterator[dict[str, object]]:
    wanted = {(at, pair.item) for pair in walked.open for at in (pair.earlier, pair.later)}
    for row in np.flatnonzero(table.sample == 0).tolist():
        at, item = table.steps[table.step[row]], table.items[table.item[row]]
        if (at, item) in wanted:
            shown: dict[str, object] = {"item": item, "step": int(at) if at == int(at) else at}
            if table.prompt:
                shown["prompt"] = table.prompt[row]
            if table.response:
                shown["response"] = table.response[row]
            yield {**shown, "gold": None if math.isnan(known[row]) else float(known[row])}
