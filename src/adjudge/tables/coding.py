"""Ids to integers: the same id gets the same code in every file format, and codes follow the sorted ids.

Sorting makes codes independent of row order, so that everything drawn by code (folds, permutations) is, too.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from .._typing import IntArray


def ids(series: pl.Series) -> pl.Series:
    """Ids in one form: whole numbers as integers however they were written, everything else as text.

    >>> ids(pl.Series(["7", "12"])).to_list(), ids(pl.Series([7.0, None])).to_list(), ids(pl.Series(["07"])).to_list()
    ([7, 12], [7, None], ['07'])
    """
    if series.dtype.is_integer():
        return series.cast(pl.Int64, strict=False) if series.dtype != pl.UInt64 else _from_text(series.cast(pl.String))
    if series.dtype.is_float():
        whole = series.fill_nan(None)
        as_integer = whole.cast(pl.Int64, strict=False)
        if bool((as_integer.cast(pl.Float64) == whole.cast(pl.Float64)).all()):
            return as_integer
        return whole.cast(pl.String)
    if series.dtype in (pl.List, pl.Array, pl.Struct, pl.Object):
        return pl.Series(series.name, [None if value is None else str(value) for value in series], dtype=pl.String)
    return _from_text(series.cast(pl.String))


def _from_text(series: pl.Series) -> pl.Series:
    """Text as integers where every value is one, written plainly ("7", not "07" or "7.0")."""
    first = series.drop_nulls().head(1)
    if first.len() == 0 or not first.str.contains(r"^(0|-?[1-9]\d{0,17})$")[0]:
        return series
    return series.cast(pl.Int64) if bool(series.str.contains(r"^(0|-?[1-9]\d{0,17})$").all()) else series


def encode(series: pl.Series) -> tuple[IntArray, pl.Series]:
    """Codes 0 … u−1 of ids without nulls, and the u sorted ids they stand for."""
    name = series.name
    distinct = series.unique().sort()
    if distinct.len() == series.len() == 1:
        return np.zeros(1, dtype=np.int64), distinct
    table = pl.DataFrame({name: distinct, "code": np.arange(distinct.len(), dtype=np.int64)})
    joined = series.to_frame().join(table, on=name, how="left", maintain_order="left")
    return joined["code"].to_numpy(), distinct
