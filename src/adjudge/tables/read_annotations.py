"""The door for labels: a long table of item, rater and label becomes checked, coded `Annotations`, or an error that
says what to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding, numbers
from .annotations import Annotations
from .columns import listing, require
from .numbers import ROW, Door
from .parts import parts
from .read import take, whole
from .sources import open_source

USUAL = {
    "item": ("item", "item_id", "task", "task_id", "prompt_id", "question_id", "example_id", "unit", "id"),
    "rater": ("rater", "worker", "annotator", "rater_id", "worker_id", "annotator_id", "judge", "coder", "observer"),
    "label": ("label", "annotation", "answer", "response", "class", "category", "grade", "rating"),
    "gold": ("gold", "gold_label", "truth", "true_label"),
}


def read(
    source: object,
    *,
    item: str | None = None,
    rater: str | None = None,
    label: str | None = None,
    gold: str | None = None,
    weight: str | None = None,
    classes: Sequence[object] = (),
    where: str | None = None,
) -> Annotations:
    """Reads, checks and codes a long table of labels: one row is one rater's label of one item.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        item, rater, label: columns; None takes a usual name such as `item`, `worker` and `label`.
        gold: column of the true class of the row's item, empty where unknown; None takes a usual name if there is one.
        weight: column of how many equal labels the row stands for, >= 0.
        classes: the classes in order, such as ("G", "P", "R", "X"); none means those seen, sorted, in order only where
            they are numbers.
        where: SQL condition on any column.

    Errors: `AdjudgeError` for a table that cannot be read, columns or ids that are missing, no label at all, a class
    outside `classes`, an item with two true classes, weights below 0. Doubtful input is told in `findings`.

    >>> table = read({"worker": ["a", "b", "a"], "item": [1, 1, 2], "label": ["G", "X", "G"], "gold": ["G", "G", None]})
    >>> table.items, table.raters, table.classes, table.label.tolist(), table.gold.tolist()
    (('1', '2'), ('a', 'b'), ('G', 'X'), [0, 1, 0], [0, -1])
    """
    opened = open_source(source)
    given = {"item": item, "rater": rater, "label": label, "gold": gold}
    used = parts(opened.names, given, USUAL, needed=("item", "rater", "label"))
    _refuse_shared(used)
    if weight is not None:
        require(opened.names, weight, "--weight")
    needed = tuple(dict.fromkeys(name for name in (*used.values(), weight) if name))
    frame = take(opened, needed, where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    return _build(frame, used, weight, tuple(_name(each) for each in classes), door)


def _refuse_shared(used: dict[str, str]) -> None:
    """Errors: one column in two taken."""
    taken: dict[str, str] = {}
    for part, name in used.items():
        if name and name in taken:
            raise AdjudgeError(
                f"Column {name!r} is both the {taken[name]} and the {part}.",
                "Each part has a column of its own.",
                f"Name another with --{part}.",
            )
        taken[name] = part


def _name(value: object) -> str:
    """One class in the form that `coding.ids` gives it."""
    return str(coding.ids(pl.Series([value], strict=False)).cast(pl.String)[0])


def _build(
    frame: pl.DataFrame, used: dict[str, str], weight: str | None, order: tuple[str, ...], door: Door
) -> Annotations:
    item, items = coding.encode(whole(coding.ids(frame[used["item"]]), "item", door))
    rater, raters = coding.encode(whole(coding.ids(frame[used["rater"]]), "rater", door))
    said, true = _texts(frame[used["label"]]), _texts(frame[used["gold"]]) if used["gold"] else None
    classes = _classes(said, true, order, used)
    label = _coded(said, classes, door)
    gold = np.full(items.len(), -1) if true is None else _gold(_coded(true, classes, door), item, items, door)
    counted = numbers.weights(frame[weight] if weight else None, frame.height, door)
    keep = label >= 0
    _tell_empty(used["label"], keep, door)
    value = _values(classes)
    table = Annotations(
        items=tuple(items.cast(pl.String).to_list()),
        raters=tuple(str(each) for each in raters),
        classes=classes,
        item=item,
        rater=rater,
        label=label,
        gold=gold,
        weight=counted,
        value=value,
        ordinal=bool(order) or bool(np.isfinite(value).all()),
        row=frame[ROW].cast(pl.Int64).to_numpy(),
    )
    table = table if keep.all() else table.take(keep)
    _tell_repeats(table, door)
    return replace(table, findings=tuple(door.findings))


def _texts(series: pl.Series) -> pl.Series:
    """Labels as text, whole numbers without a point; empty text is no label."""
    text = coding.ids(series).cast(pl.String).str.strip_chars()
    return text.set(text == "", None).alias(series.name)


def _classes(said: pl.Series, true: pl.Series | None, order: tuple[str, ...], used: dict[str, str]) -> tuple[str, ...]:
    """The classes: as ordered by the user, or those seen, numbers by size. Errors: none at all, one given twice."""
    if said.null_count() == said.len():
        raise AdjudgeError(
            f"{used['label']}: all {said.len():,} labels are missing.",
            "At least one row carries a label.",
            "Name another column with --label.",
        )
    if order:
        if len(set(order)) < len(order):
            raise AdjudgeError(f"classes: {listing(list(order))}.", "Each class once.", "Drop the repeated one.")
        return order
    seen = sorted({*said.drop_nulls().unique(), *(() if true is None else true.drop_nulls().unique())})
    worth = _values(tuple(seen))
    return tuple(seen[i] for i in np.argsort(worth, kind="stable")) if np.isfinite(worth).all() else tuple(seen)


def _values(classes: tuple[str, ...]) -> FloatArray:
    """[C] what each class is worth; NaN where some class is no number."""
    worth = pl.Series(list(classes), dtype=pl.String).cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    return worth if np.isfinite(worth).all() else np.full(len(classes), np.nan)


def _coded(texts: pl.Series, classes: tuple[str, ...], door: Door) -> IntArray:
    """[n] positions in the classes, −1 where empty. Errors: a class that is not among them."""
    code = texts.replace_strict(list(classes), list(range(len(classes))), default=-2, return_dtype=pl.Int64)
    coded = np.where(texts.is_null().to_numpy(), -1, code.fill_null(-1).to_numpy())
    strange = coded == -2
    if strange.any():
        first = int(np.argmax(strange))
        raise AdjudgeError(
            f"{texts.name}: {int(strange.sum()):,} of {coded.size:,} values are none of the classes (first: "
            f"{door.place(first)}, {str(texts[first])[:40]!r}).",
            f"Classes: {listing(list(classes))}.",
            "Add the class, or drop the rows with --where.",
        )
    return np.asarray(coded, dtype=np.int64)


def _gold(true: IntArray, item: IntArray, items: pl.Series, door: Door) -> IntArray:
    """[m] true class of each item. Errors: an item with two."""
    gold = np.full(items.len(), -1)
    known = true >= 0
    gold[item[known]] = true[known]
    clash = known & (gold[item] != true)
    if clash.any():
        first = int(np.argmax(clash))
        raise AdjudgeError(
            f"gold: {np.unique(item[clash]).size:,} items have two true classes (first: "
            f"item {items[int(item[first])]}, {door.place(first)}).",
            "An item has one true class.",
            "Correct the gold column, or empty it there.",
        )
    return gold


def _tell_empty(column: str, keep: BoolArray, door: Door) -> None:
    if not keep.all():
        door.note(
            "labels-missing",
            Severity.INFO,
            f"{int((~keep).sum()):,} of {keep.size:,} rows have no {column} (first: "
            f"{door.place(int(np.argmin(keep)))}); they were left out.",
            number=float((~keep).sum()),
            remedy="Nothing, if these raters passed on the item.",
        )


def _tell_repeats(table: Annotations, door: Door) -> None:
    """One rater's further labels of one item."""
    pair = np.sort(table.item * len(table.raters) + table.rater)  # np.unique hashes, which is ten times as slow
    again = int((np.diff(pair) == 0).sum())
    if again:
        door.note(
            "labels-repeated",
            Severity.INFO,
            f"{again:,} of {table.n:,} labels are a rater's further labels of the same item; each counts.",
            number=float(again),
            remedy="Name who labelled with --rater, if that column names a group of people.",
        )
