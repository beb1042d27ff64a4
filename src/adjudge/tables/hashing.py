"""Ids that mean the same in every batch: 64-bit hashes, and their positions among all distinct ones."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .._typing import IntArray
from ..errors import AdjudgeError
from .columns import Columns
from .numbers import ROW

Hashes = NDArray[np.uint64]

#: Hashes collected before they are merged into the distinct ones: 64 MB.
_PENDING = 8_000_000


def distinct(found: Hashes) -> Hashes:
    """Sorted distinct hashes; by sorting, since NumPy's `unique` takes five times as long on random 64-bit integers."""
    ordered = np.sort(found)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if ordered.size else ordered


class Distinct:
    """Distinct hashes seen so far, in a few times 8 bytes each."""

    def __init__(self) -> None:
        self._seen: Hashes = np.empty(0, dtype=np.uint64)
        self._new: list[Hashes] = []

    def add(self, found: Hashes) -> None:
        """Takes the hashes of a batch."""
        self._new.append(distinct(found))
        if sum(part.size for part in self._new) > max(self._seen.size, _PENDING):
            self.sorted()

    def sorted(self) -> Hashes:
        """All distinct hashes so far."""
        self._seen, self._new = distinct(np.concatenate([self._seen, *self._new])), []
        return self._seen


def _ids(frame: pl.DataFrame, name: str) -> pl.Series:
    """Integers as they are, everything else as text: a rule that needs no other row. Errors: missing ids."""
    series = frame[name]
    if series.null_count():
        row = int(frame[ROW][int(series.is_null().arg_max() or 0)])
        raise AdjudgeError(
            f"{name}: {series.null_count():,} of {series.len():,} ids in one batch are missing (first: row {row}).",
            "Every row has one.",
            f"Drop the rows with --where '{name} IS NOT NULL'.",
        )
    return series.cast(pl.Int64 if series.dtype.is_integer() else pl.String)


def hashes(frame: pl.DataFrame, name: str) -> Hashes:
    """[n] hashes of the ids in a column; of the row number when `name` is empty."""
    return (_ids(frame, name) if name else frame[ROW].cast(pl.Int64)).hash(seed=0).to_numpy()


def responses(frame: pl.DataFrame, used: Columns) -> Hashes:
    """[n] hashes of policy, prompt, draw and scores together."""
    ids = [_ids(frame, name).alias(f"id {name}") for name in (used.policy, used.item, used.draw) if name]
    ids += [] if used.item else [frame[ROW].alias("id row")]
    return pl.DataFrame([*ids, *(frame[name] for name in used.judges)]).hash_rows(seed=0).to_numpy()


def positions(found: Hashes, among: Hashes) -> IntArray:
    """[n] positions among the sorted distinct hashes; searched in sorted order, which the cache likes."""
    order = np.argsort(found)
    position = np.empty(found.size, dtype=np.int64)
    position[order] = np.searchsorted(among, found[order])
    return position


def names_in(frame: pl.DataFrame, name: str) -> set[str]:
    """Distinct names in a column; none when `name` is empty."""
    return set(_ids(frame, name).unique().cast(pl.String).to_list()) if name else set()


def codes_of_names(frame: pl.DataFrame, name: str, names: tuple[str, ...]) -> IntArray:
    """[n] positions in `names`; all 0 when `name` is empty."""
    if not name:
        return np.zeros(frame.height, dtype=np.int64)
    text = _ids(frame, name).cast(pl.String)
    return text.replace_strict(list(names), range(len(names)), return_dtype=pl.Int64).to_numpy()
