"""The door for experiments on judges: verdicts on the same cases, clean and changed, become checked, coded `Trials`.

A row is one judge's verdict on one case under one condition; the clean verdict on a case is a row of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from .._typing import FloatArray, IntArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding, numbers
from .columns import Names, as_names, listing, require
from .numbers import ROW, Door
from .outcomes import WORDS
from .parts import parts
from .read import codes, take, whole
from .sources import open_source
from .trials import CLEAN, Trials

_USUAL = {
    "item": ("item", "item_id", "prompt_id", "question_id", "task_id", "example_id", "id"),
    "judge": ("judge", "rater", "judge_model", "rater_id", "evaluator"),
    "condition": ("condition", "bias", "injection", "perturbation", "variant"),
    "verdict": ("verdict", "outcome", "score", "judge_score", "winner", "preference", "rating"),
    "push": ("push", "favours", "favors", "direction"),
    "gold": ("gold", "gold_label", "truth", "label"),
}
_CASE = ("case", "case_id", "match", "pair", "pair_id")
_CLEAN = (CLEAN, "none", "original", "baseline", "control", "unchanged")
_NEEDED = ("item", "condition", "verdict")


def read(
    source: object,
    *,
    item: str | None = None,
    case: Names = None,
    judge: str | None = None,
    condition: str | None = None,
    verdict: str | None = None,
    push: str | None = None,
    gold: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    clean: str | None = None,
    scored: bool | None = None,
    where: str | None = None,
) -> Trials:
    """Reads, checks and codes a long table of verdicts under several conditions.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        item: column of the prompt; None takes a usual name.
        case: column or columns that together name what was judged: where an item has several pairs or both orders, all
            that tells them apart. None takes a usual name such as `case`, or the item.
        judge: column of who judged; None takes a usual name, or one judge.
        condition: column of what was done to the case; empty cells are clean.
        verdict: column of the verdict: a word for the winner (first, second, tie, A, B …), a chance, or a score.
        push: column of what the condition favours: +1 or first, −1 or second, 0 or empty where nobody knows.
        gold: column of the right verdict, empty where unknown.
        cluster: column of the independent unit; None means the item.
        weight: column of how many equal rows the row stands for, >= 0.
        clean: the value of `condition` that is clean; None takes a usual one such as `clean` or `none`.
        scored: whether verdicts are scores of one answer; None takes them for that when any lies outside [0, 1].
        where: SQL condition on any column.

    Errors: `AdjudgeError` for a table that cannot be read, columns or ids that are missing, no clean row, verdicts
    that cannot be read, a push that is none. Doubtful input is told in `findings`.

    >>> table = read({"item": [7, 7], "bias": ["none", "length"], "verdict": ["A", "B"], "favours": ["", "second"]})
    >>> table.conditions, table.condition.tolist(), table.verdict.tolist(), table.push.tolist()
    (('clean', 'length'), [0, 1], [1.0, 0.0], [0.0, -1.0])
    """
    opened = open_source(source)
    given = {"item": item, "judge": judge, "condition": condition, "verdict": verdict, "push": push, "gold": gold}
    used = parts(opened.names, given, _USUAL, needed=_NEEDED)
    cases = [require(opened.names, name, "--case") for name in as_names(case)]
    cases = cases or [name for name in _CASE if name in opened.names][:1]
    more = {part: require(opened.names, name, f"--{part}") for part, name in (("cluster", cluster), ("weight", weight))
            if name is not None}  # fmt: skip
    frame = take(opened, tuple(dict.fromkeys(name for name in (*used.values(), *cases, *more.values()) if name)), where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    return _build(frame, used, cases, more, clean, scored, door)


def _build(
    frame: pl.DataFrame,
    used: dict[str, str],
    cases: Sequence[str],
    more: dict[str, str],
    clean: str | None,
    scored: bool | None,
    door: Door,
) -> Trials:
    n = frame.height
    item = codes(frame, used["item"], "item", door)
    judge: IntArray = np.zeros(n, dtype=np.int64)
    judges: tuple[str, ...] = ("judge",)
    if used["judge"]:
        judge, distinct = coding.encode(whole(coding.ids(frame[used["judge"]]), "judge", door))
        judges = tuple(str(each) for each in distinct)
    condition, conditions = _conditions(frame[used["condition"]], clean)
    verdict = _verdicts(frame[used["verdict"]], door, "--verdict")
    gold = _verdicts(frame[used["gold"]], door, "--gold") if used["gold"] else np.full(n, np.nan)
    known = verdict[np.isfinite(verdict)]
    if not known.size:
        raise AdjudgeError(
            f"{used['verdict']}: all {n:,} verdicts are missing.",
            "At least one row carries a verdict.",
            "Name another column with --verdict.",
        )
    as_score = bool(((known < 0) | (known > 1)).any()) if scored is None else scored
    if not as_score and ((known < 0) | (known > 1)).any():
        raise AdjudgeError(
            f"{used['verdict']}: verdicts go from {known.min():g} to {known.max():g}.",
            "Chances lie in [0, 1].",
            "Say scored=True if these are scores of single answers.",
        )
    pushed = _push(frame[used["push"]], door) if used["push"] else np.full(n, 1.0 if as_score else 0.0)
    pushed = np.where(condition == 0, 0.0, pushed)
    table = Trials(
        judges=judges,
        conditions=conditions,
        judge=judge,
        case=item if not cases else _cases(frame, [used["item"], *cases], door),
        cluster=codes(frame, more["cluster"], "cluster", door) if "cluster" in more else item,
        condition=condition,
        verdict=verdict,
        push=pushed,
        gold=gold,
        weight=numbers.weights(frame[more["weight"]] if "weight" in more else None, n, door),
        scored=as_score,
        row=frame[ROW].cast(pl.Int64).to_numpy(),
    )
    _tell(table, door)
    return replace(table, findings=tuple(door.findings))


def _conditions(series: pl.Series, clean: str | None) -> tuple[IntArray, tuple[str, ...]]:
    """Codes and names, the clean one first. Errors: no clean row, two clean conditions."""
    text = coding.ids(series).cast(pl.String).str.strip_chars().fill_null("")
    seen = sorted(text.unique().to_list())
    found = [each for each in seen if not each or each == clean or (clean is None and each.lower() in _CLEAN)]
    if not found or (clean is not None and clean not in seen):
        raise AdjudgeError(
            f"{series.name}: no row is clean; conditions here: {listing([each for each in seen if each])}.",
            "The effect of a condition is told against the same judge's verdict on the unchanged case.",
            "Add the clean verdicts, or say which condition they carry with --clean.",
        )
    names = (CLEAN, *(each for each in seen if each not in found))
    place = {**dict.fromkeys(found, 0), **{name: at for at, name in enumerate(names) if at}}
    return text.replace_strict(place, return_dtype=pl.Int64).to_numpy(), names


def _verdicts(series: pl.Series, door: Door, option: str) -> FloatArray:
    """[n] words for the winner as chances that it is the first, numbers as they are; NaN where empty."""
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        text = series.cast(pl.String).str.strip_chars().str.strip_chars("[]()").str.to_lowercase()
        distinct = set(text.drop_nulls().unique().head(len(WORDS) + 1).to_list())
        if distinct <= set(WORDS):
            value = text.replace_strict(WORDS, default=None, return_dtype=pl.Float64)
            return value.fill_null(np.nan).to_numpy()
    return numbers.numeric(series, door, option)


def _push(series: pl.Series, door: Door) -> FloatArray:
    """[n] +1, −1 or 0. Errors: other numbers; 0 and 1 alone under a name that promises positions."""
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        value = _verdicts(series, door, "--push")
        words = series.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).is_null().any()
        value = np.nan_to_num(2 * value - 1 if words else value)
    else:
        value = np.nan_to_num(numbers.numeric(series, door, "--push"))
    positions = "fav" in series.name.lower() and not (value < 0).any() and {0.0, 1.0} <= set(np.unique(value).tolist())
    wrong = ~np.isin(value, (-1.0, 0.0, 1.0))
    if wrong.any() or (positions and series.dtype.is_numeric()):
        at = int(np.argmax(wrong)) if wrong.any() else int(np.argmax(value == 0))
        raise AdjudgeError(
            f"{series.name}: {door.place(at)} holds {value[at]:g}, which may be a position or a direction.",
            "+1 or `first` where the condition favours the first answer, −1 or `second`, 0 or empty where unknown.",
            "Write it so, or name another column with --push.",
        )
    return np.asarray(value, dtype=float)


def _cases(frame: pl.DataFrame, names: Sequence[str], door: Door) -> IntArray:
    """[n] one code for each combination of the columns."""
    code = np.zeros(frame.height, dtype=np.int64)
    for name in dict.fromkeys(names):
        own = codes(frame, name, "case", door)
        code = np.unique(code * (int(own.max(initial=0)) + 1) + own, return_inverse=True)[1].astype(np.int64).ravel()
    return code


def _tell(table: Trials, door: Door) -> None:
    """Rows that cannot take part, and directions that nobody knows."""
    missing = ~np.isfinite(table.verdict)
    if missing.any():
        door.note(
            "verdicts-missing",
            Severity.INFO,
            f"{int(missing.sum()):,} of {table.n:,} rows have no verdict "
            f"(first: {door.place(int(np.argmax(missing)))}).",
            number=float(missing.mean()),
            remedy="Judge them again, or count refusals beside the effects.",
        )
    blind = (table.condition > 0) & (table.push == 0)
    if blind.any():
        door.note(
            "push-unknown",
            Severity.WARNING,
            f"{int(blind.sum()):,} of {int((table.condition > 0).sum()):,} changed rows do not say which answer they "
            "favour: they count for flips, and for no effect.",
            number=float(blind.sum()),
            remedy="Name the column with --push.",
        )
