"""Writes files whole or not at all, and never over an input."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from ..errors import AdjudgeError


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
