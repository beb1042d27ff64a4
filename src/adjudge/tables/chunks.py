"""Reads some columns of a table a number of rows at a time, in file order, without ever holding the whole.

Parquet, Arrow and Polars lazy frames are read by slices, CSV by blocks of bytes. What cannot be read in parts (JSON,
logs, and lists that are in memory anyway) is taken once and cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv

from . import files
from .columns import FILE
from .filters import keep_where
from .numbers import ROW
from .sources import Source, distinct_stems, expand, open_source

Reader = Callable[[Sequence[str], int], Iterator[pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Chunks:
    """A table in parts.

    Arguments:
        source: the same table as a whole, for its column names.
        parts: one reader for each file, with the file's stem.
        where: SQL condition on the rows.
    """

    source: Source
    parts: tuple[tuple[str, Reader], ...]
    where: str | None = None

    def read(self, names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        """Frames of at most `rows` rows with the columns `names` and the user's row numbers; some may be empty."""
        keep, extra = keep_where(self.where, self.source.names, empty=True)
        wanted = tuple(dict.fromkeys((*names, *extra)))
        real = [name for name in wanted if name != FILE]
        start = 0
        for stem, reader in self.parts:
            for frame in reader(real or self.source.names[:1], rows):
                numbered = frame.with_row_index(ROW, offset=start)
                start += frame.height
                if FILE in wanted:
                    numbered = numbered.with_columns(pl.lit(stem).alias(FILE))
                yield keep(numbered).select(ROW, *names)


def open_chunks(source: object, *, where: str | None = None) -> Chunks:
    """The table behind a source, in parts. Errors: as `sources.open_source`."""
    whole = open_source(source)
    if isinstance(source, (str, Path)):
        source = [source]
    if isinstance(source, (list, tuple)) and source and all(isinstance(part, (str, Path)) for part in source):
        paths = [path for part in source for path in expand(part)]
        parts = tuple((stem, _reader(path)) for stem, path in zip(distinct_stems(paths), paths, strict=True))
    elif isinstance(source, (pl.LazyFrame, pl.DataFrame)):
        parts = (("", _slices(source.lazy(), None)),)
    else:
        parts = (("", _cut(whole)),)
    return Chunks(whole, parts, where)


def _reader(path: Path) -> Reader:
    kind = files.suffix(path)
    if kind in (".parquet", ".arrow", ".feather", ".ipc"):
        opened = files.open_table(path)
        if isinstance(opened, pl.LazyFrame):
            return _slices(opened, path)
    if kind in (".csv", ".tsv"):
        return _blocks(path)
    return _cut(open_source(path))


def _cut(source: Source) -> Reader:
    def read(names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        yield from source.take(names).iter_slices(rows)

    return read


def _slices(lazy: pl.LazyFrame, path: Path | None) -> Reader:
    def read(names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        with files.reading(path or Path("frame")):
            height = lazy.select(pl.len()).collect().item()
            for start in range(0, height, rows):
                yield lazy.select(names).slice(start, rows).collect()

    return read


def _blocks(path: Path) -> Reader:
    """CSV through Arrow's streaming reader, all columns as text, as `files` reads it."""

    def read(names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        convert = csv.ConvertOptions(
            include_columns=list(names),
            column_types={name: pa.string() for name in names},
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=False,
        )
        parse = csv.ParseOptions(delimiter=files.separator(path), newlines_in_values=True)
        block = csv.ReadOptions(block_size=1 << 24)
        with (
            files.reading(path),
            files.unzipped(path) as stream,
            csv.open_csv(stream, read_options=block, parse_options=parse, convert_options=convert) as reader,
        ):
            for batch in reader:
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                yield from frame.iter_slices(rows)

    return read
