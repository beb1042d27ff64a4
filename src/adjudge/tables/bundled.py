"""Tables that come with the package, by name: `arena` is real data to try every command on."""

from __future__ import annotations

from pathlib import Path

_HOME = Path(__file__).parent.parent / "data_files"


def path(source: object) -> object:
    """The file behind a bundled name; anything else, a file of that name included, as it is.

    >>> path("arena").name
    'arena.parquet'
    >>> path("ratings.csv")
    'ratings.csv'
    """
    if isinstance(source, str) and not Path(source).exists():
        found = _HOME / f"{source}.parquet"
        if source.isidentifier() and found.is_file():
            return found
    return source
