"""One run a folder at a time: the second one is told, before it overwrites what the first one counts on.

Limits: the lock is the system's own, which a process that dies lets go of; file systems without one are not guarded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import AdjudgeError

FILE = ".lock"


@contextmanager
def alone(folder: Path | None) -> Iterator[None]:
    """Holds a folder for as long as it is entered; None holds nothing. Errors: another process holds it."""
    if folder is None or sys.platform == "win32":
        yield
        return
    import fcntl

    with (folder / FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AdjudgeError(
                f"train: another process is training in {folder}.", "One run a folder.", "Wait for it, or name another."
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
