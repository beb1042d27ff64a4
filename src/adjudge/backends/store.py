"""Remembers every answer as it comes, on disk: what was paid for once is never asked again, whatever happens between.

One SQLite file; a row for each call, by the hash of the call and its model. Written in a transaction of its own when
the answer arrives, so that a run that is killed loses the calls in flight and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from ..errors import AdjudgeError
from .call import Call, Reply

_MAKE = """
create table if not exists replies (
    key text primary key, model text not null, call text not null, reply text not null,
    at text default current_timestamp
) without rowid
"""


class Store:
    """Answers by call. Arguments: path: of the file, made when it is not there; `:memory:` forgets at the end.

    >>> store = Store(":memory:")
    >>> store.put("m", Call((("user", "1+1?"),)), Reply("2"))
    >>> store.get("m", Call((("user", "1+1?"),))).text, store.get("other", Call((("user", "1+1?"),)))
    ('2', None)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        try:
            self._file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._file.execute("pragma journal_mode = wal")
            self._file.execute("pragma synchronous = normal")
            self._file.execute(_MAKE)
        except sqlite3.DatabaseError as problem:
            raise AdjudgeError(
                f"store {self.path}: {problem}.",
                "A file written by an earlier run, or a place where one can be made.",
                "Name another with --store.",
            ) from None
        self._known: dict[str, str] = dict(self._file.execute("select key, reply from replies"))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, model: str, call: Call) -> Reply | None:
        """The answer to a call, if it was ever given."""
        found = self._known.get(call.key(model))
        return None if found is None else Reply.from_json(found)

    def put(self, model: str, call: Call, reply: Reply) -> None:
        """Keeps an answer; the first one to a call stays."""
        key, text = call.key(model), reply.to_json()
        self._file.execute(
            "insert or ignore into replies values (?, ?, ?, ?, current_timestamp)", (key, model, call.text, text)
        )
        self._known.setdefault(key, text)

    def missing(self, model: str, calls: Iterable[Call]) -> int:
        """How many of some calls have no answer yet."""
        return sum(call.key(model) not in self._known for call in calls)

    def close(self) -> None:
        """Ends the work on the file."""
        self._file.close()
