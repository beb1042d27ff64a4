"""Opens one file by its suffix and its content, and turns every way in which that fails into the three-part error."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from ..errors import AdjudgeError
from . import detect

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather", ".ipc", ".eval")

#: What readers raise at a file that is not what its suffix says. A log of another shape than documented gives the last
#: four; a `PanicException` is what becomes of an assertion in Polars.
_BROKEN = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    EOFError,
    MemoryError,
    RecursionError,
    NotImplementedError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    TypeError,
    AttributeError,
)

_COMPRESSIBLE = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")

#: First bytes of files that are no text, what they are, and the suffix that says so.
_MARKS = (
    (b"PAR1", "Parquet", ".parquet"),
    (b"\x1f\x8b", "gzip", ".gz"),
    (b"ARROW1", "Arrow", ".arrow"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet", ".zip"),
)


def suffix(path: Path) -> str:
    """The suffix that says how to read the file, in lower case and without `.gz`."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def stem(path: Path) -> str:
    """The file name without its suffix, and without `.gz`."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def known(path: Path) -> bool:
    """Whether the suffix is one that can be read."""
    return suffix(path) in (_COMPRESSIBLE if path.suffix.lower() == ".gz" else SUFFIXES)


def require_readable(path: Path) -> None:
    """Refuses a file that is not there, may not be read, is empty or has an unknown suffix."""
    if not path.exists():
        near = sorted(child.name for child in path.parent.iterdir()) if path.parent.is_dir() else []
        raise AdjudgeError(
            f"There is no file {path}.",
            f"Its folder holds: {', '.join(near[:10]) or 'nothing, or does not exist'}.",
            "Correct the path.",
        )
    if not known(path):
        raise AdjudgeError(
            f"{path.name}: the suffix {path.suffix or '(none)'} is not known.",
            f"Files end in one of {', '.join(SUFFIXES)}; text files may be gzipped (.gz).",
            "Rename the file to what it is, or convert it.",
        )
    if not os.access(path, os.R_OK):
        raise AdjudgeError(f"{path} may not be read.", "You need permission to read it.", f"Try: chmod u+r {path}")
    if path.stat().st_size == 0:
        raise AdjudgeError(f"{path.name} is empty (0 bytes).", "A table has at least one row.", "Write the file again.")
    require_text(path)


def require_text(path: Path) -> None:
    """Refuses a file whose suffix says text and whose first bytes say otherwise."""
    if path.suffix.lower() not in _COMPRESSIBLE or not path.is_file() or not os.access(path, os.R_OK):
        return
    with path.open("rb") as stream:
        first = stream.read(6)
    for mark, kind, ending in _MARKS:
        if first.startswith(mark):
            name = f"{path.name}{ending}" if ending == ".gz" else path.with_suffix(ending).name
            raise AdjudgeError(
                f"{path.name}: its suffix says {suffix(path).lstrip('.').upper()}, its first bytes that it is {kind}.",
                "A suffix that says what the file is.",
                f"Rename it to {name}." if ending != ".zip" else "Unpack it, or export the sheet as CSV.",
            )


def tables_in(folder: Path, besides: Sequence[str]) -> str:
    """What to name in the place of a folder: the table that it holds, or all of them where they are of one kind.

    Arguments:
        folder: where to look.
        besides: names of files that are no such tables.
    """
    found = [name for name in held(folder) if known(Path(name)) and name not in besides]
    kinds = {suffix(Path(name)) for name in found}
    if len(found) > 1 and len(kinds) == 1:
        return f'its tables: "{folder / f"*{kinds.pop()}"}"'
    return f"a table itself: {' or '.join(str(folder / name) for name in found[:3])}" if found else "a table"


def held(folder: Path) -> list[str]:
    """Names of what a folder holds."""
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns whatever a reader raises into an `AdjudgeError` that names the file."""
    try:
        yield
    except AdjudgeError:
        raise
    except _BROKEN as problem:
        raise _unreadable(path, (str(problem) or type(problem).__name__).splitlines()[0]) from None


def _unreadable(path: Path, why: str) -> AdjudgeError:
    if "utf" in why.lower() and (bad := _first_bad_byte(path)):
        return AdjudgeError(
            f"{path.name}: {bad} is not UTF-8.",
            "Text files are read as UTF-8.",
            f"Convert it: iconv -f latin1 -t utf-8 {path.name} > utf8-{path.name}",
        )
    return AdjudgeError(
        f"{path.name} cannot be read as {suffix(path).lstrip('.').upper()}: {why}.",
        "The file must be whole and of the format that its suffix says.",
        "Was it cut short, or still being written? Write or download it again.",
    )


def _first_bad_byte(path: Path) -> str:
    try:
        _bytes(path).decode("utf-8")
    except UnicodeDecodeError as problem:
        line = problem.object.count(b"\n", 0, problem.start) + 1
        return f"byte 0x{problem.object[problem.start]:02x} in line {line:,}"
    except (OSError, EOFError):
        return ""
    return ""


def _bytes(path: Path) -> bytes:
    """The whole content, unzipped."""
    return gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()


@dataclass(frozen=True, slots=True)
class Log:
    """The log of another tool, already tidy. Arguments: frame: the table. tool: who wrote it."""

    frame: pl.DataFrame
    tool: str


def open_table(path: Path) -> Any:
    """A lazy frame for what can be read by column; else a frame, a `Log`, or the objects that a JSON file holds."""
    require_readable(path)
    openers: dict[str, Callable[[Path], Any]] = {
        ".csv": _csv,
        ".tsv": _csv,
        ".jsonl": _jsonl,
        ".ndjson": _jsonl,
        ".json": _json,
        ".parquet": pl.scan_parquet,
        ".arrow": _ipc,
        ".feather": _ipc,
        ".ipc": _ipc,
        ".eval": lambda archive: Log(*detect.archive(archive)),
    }
    with reading(path):
        return openers[suffix(path)](path)


def _csv(path: Path) -> pl.LazyFrame:
    """All columns as text: ids keep their zeros, and the first odd number can be named by row."""
    source: Path | io.BytesIO = io.BytesIO(_bytes(path)) if path.suffix.lower() == ".gz" else path
    return pl.scan_csv(source, separator=separator(path), infer_schema=False)


@contextmanager
def unzipped(path: Path) -> Iterator[IO[bytes]]:
    """The open file, unzipped on the way."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        yield stream  # type: ignore[misc]


def separator(path: Path) -> str:
    """What separates the columns, by the header."""
    if suffix(path) == ".tsv":
        return "\t"
    with unzipped(path) as stream:
        header = stream.readline(1_000_000).decode("utf-8", errors="replace")
    return max(",;\t|", key=header.count)


def _ipc(path: Path) -> pl.LazyFrame | pl.DataFrame:
    """The Arrow file format, or the stream format that shares its suffixes."""
    with path.open("rb") as stream:
        is_file = stream.read(6) == b"ARROW1"
    return pl.scan_ipc(path) if is_file else _ipc_stream(path)


def _ipc_stream(path: Path) -> pl.DataFrame:
    """Through Arrow, which checks the stream: Polars trusts its lengths and dies of a broken one.

    Imported here because Arrow takes 0.1 s to load and nothing else in this file needs it.
    """
    from pyarrow import ipc  # type: ignore[import-untyped]

    with ipc.open_stream(path) as reader:
        table = reader.read_all()
    table.validate(full=True)
    frame = pl.from_arrow(table)
    return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


def _jsonl(path: Path) -> pl.DataFrame | list[Any] | Log:
    content = _bytes(path)
    if (log := detect.lines(content, path)) is not None:
        return Log(*log)
    try:
        return pl.read_ndjson(content, infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return json_rows(path, content)


def json_rows(path: Path, content: bytes) -> list[Any]:
    """Line by line: slower, but it takes what the standard library takes (NaN, changing types) and names a bad line."""
    rows = []
    for number, line in enumerate(content.decode("utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as problem:
            raise AdjudgeError(
                f"{path.name}: line {number:,} is not JSON ({problem.msg} at column {problem.colno}).",
                "Each line is one whole JSON object.",
                "Was the file cut short? Write it again, or delete that line.",
            ) from None
    return rows


def document(path: Path) -> Any:
    """What a file holds that is one JSON document. Errors: it cannot be read, or is no JSON."""
    require_readable(path)
    with reading(path):
        return json.loads(_bytes(path).decode("utf-8-sig"))


def _json(path: Path) -> Any:
    """The objects of a JSON document: a known log, rows, columns, or rows by policy."""
    content = document(path)
    if (log := detect.document(content, path)) is not None:
        return Log(*log)
    if isinstance(content, dict):
        inner = [value for value in content.values() if isinstance(value, list) and value]
        if len(inner) == 1 and len(content) > 1 and all(isinstance(row, dict) for row in inner[0]):
            return inner[0]
        return content["data"] if list(content) == ["data"] and isinstance(content["data"], list) else content
    return content
