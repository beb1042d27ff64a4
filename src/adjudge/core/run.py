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
