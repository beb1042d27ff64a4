"""How a result was made: enough to repeat it, and to notice that the data have changed since.

`run.json` holds the command, the seed, the versions, the settings, the methods and a fingerprint of every input.
A file's fingerprint is its plain SHA-256, so `sha256sum ratings.parquet` checks it without Adjudge.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import os
import platform
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import AdjudgeError

_LIBRARIES = ("numpy", "scipy", "polars")


@dataclass(frozen=True, slots=True)
class Run:
    """What was run, on what, with what.

    Arguments:
        command: the line that was typed, or the Python call.
        created: UTC time in ISO 8601, such as `2026-01-31T09:30:00Z`.
        seed: of every random draw; None when nothing was drawn.
        versions: name -> version of Adjudge, Python and the numerical libraries.
        data: name of each input -> its fingerprint.
        settings: every option that could change the answer, JSON-ready.
        methods: addresses of the methods used, such as `value.calibrated`.
    """

    command: str
    created: str
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    methods: tuple[str, ...] = ()

    @classmethod
    def now(
        cls,
        command: str,
        *,
        seed: int | None = None,
        data: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        methods: Iterable[str] = (),
    ) -> Run:
        """A run that starts now, on the versions that are installed here."""
        return cls(
            command=command,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            seed=seed,
            versions=versions(),
            data=dict(data or {}),
            settings=plain(settings or {}),
            methods=tuple(dict.fromkeys(methods)),
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields; NaN and infinities become None."""
        return {entry.name: plain(getattr(self, entry.name)) for entry in fields(self)}

    def to_json(self) -> str:
        """The text of `run.json`."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Read back what `to_json` wrote.

        Raises:
            AdjudgeError: the text is not a run, or a run of another shape.
        """
        try:
            found = json.loads(text)
            return cls(**{**found, "methods": tuple(found["methods"])})
        except (ValueError, TypeError, KeyError) as error:
            raise AdjudgeError(
                f"run.json: cannot be read ({error}).",
                f"A JSON object with the fields {', '.join(entry.name for entry in fields(cls))}.",
                "Point to a run.json that Adjudge wrote, or run the command again to make one.",
            ) from None

    def save(self, path: str | os.PathLike[str], *, inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
        """Write `run.json`, whole or not at all, and never over an input."""
        return write(path, self.to_json(), inputs=inputs)


def versions() -> dict[str, str]:
    """Versions of Adjudge, Python and the numerical libraries, read without importing them."""
    found = {"adjudge": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def file_fingerprint(path: str | os.PathLike[str]) -> str:
    """`sha256:…` of a file's bytes, read as a stream: memory does not grow with the file."""
    with Path(path).open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def array_fingerprint(arrays: Mapping[str, Any]) -> str:
    """`sha256:…` of named arrays: their names, types, shapes and values; the order of the names is nothing.

    Equal tables have equal fingerprints wherever their arrays lie in memory. Text and object arrays are hashed by
    their `str`.

    >>> array_fingerprint({"a": [1.0, 2.0]}) == array_fingerprint({"a": np.array([1.0, 0.0, 2.0])[::2]})
    True
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        if array.dtype.kind in "OUSM":
            array = np.char.encode(array.astype(str), "utf-8")
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return f"sha256:{digest.hexdigest()}"


def plain(value: Any) -> Any:
    """The same value in JSON's own types: NaN and infinities become None, arrays lists, anything unknown its `str`."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | np.floating():
            return float(value) if math.isfinite(value) else None
        case np.bool_() | np.integer() | np.ndarray():
            return plain(value.tolist())
        case Mapping():
            return {str(key): plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [plain(entry) for entry in value]
        case set() | frozenset():
            return sorted(plain(entry) for entry in value)
        case _:
            return str(value)


def write(path: str | os.PathLike[str], content: str | bytes, *, inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Write a file whole or not at all: into a temporary neighbour, then renamed.

    Arguments:
        path: where to; the folder must exist.
        content: text (written as UTF-8) or bytes.
        inputs: files that must not be overwritten, whatever name or link leads to them.

    Raises:
        AdjudgeError: `path` is one of the inputs, or cannot be written.
    """
    target = Path(path)
    for source in map(Path, inputs):
        if source.exists() and (source.resolve() == target.resolve() or (target.exists() and target.samefile(source))):
            raise AdjudgeError(
                f"output {target}: it is the input file {source}.",
                "Adjudge never changes its inputs.",
                "Give another name with --out.",
            )
    data = content.encode() if isinstance(content, str) else content
    try:
        if target.exists() and not (target.is_file() or target.is_dir()):
            target.write_bytes(data)  # a pipe or a device such as /dev/stdout: nothing to rename
        else:
            _write_beside(target.resolve(), data)
    except OSError as error:
        raise AdjudgeError(
            f"output {target}: cannot be written ({error.strerror or error}).",
            "A path in an existing folder that may be written to, on a disk with room left.",
            "Make the folder, free some room, or give another path with --out.",
        ) from None
    return target


def _write_beside(target: Path, data: bytes) -> None:
    """Into a new neighbour with the permissions that any new file gets here, then renamed; no neighbour is left."""
    neighbour = target.with_name(f".{target.name[:80]}.{secrets.token_hex(8)}.part")
    try:
        handle = os.open(neighbour, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        neighbour.replace(target)
    except OSError:
        neighbour.unlink(missing_ok=True)
        raise


def new_folder(path: str | os.PathLike[str]) -> Path:
    """The folder at a path, made with its parents when it is not there.

    Raises:
        AdjudgeError: a file stands in the way, or the folder cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AdjudgeError(
            f"output {folder}: the folder cannot be made ({error.strerror or error}).",
            "A path where a folder is or can be.",
            "Give another with --out.",
        ) from None
    return folder
