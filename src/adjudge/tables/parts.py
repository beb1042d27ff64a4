"""Which column plays which part of a table: the one that is named, or the first of its usual names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import AdjudgeError
from .columns import listing, require


def parts(
    names: Sequence[str],
    given: Mapping[str, str | None],
    usual: Mapping[str, Sequence[str]],
    *,
    needed: Sequence[str] = (),
    instead: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Part -> column; empty where there is none.

    Arguments:
        names: columns of the table.
        given: part -> the column that the user named for it; None where nobody did.
        usual: part -> its usual names, the surest first; a part without any is taken only when named.
        needed: parts that there must be.
        instead: part -> another of `given` that, when named, stands in its place.

    Errors: a named column that is not there; a needed part without a column.

    >>> parts(["y", "click"], {"reward": None, "weight": None}, {"reward": ("reward", "click")}, needed=("reward",))
    {'reward': 'click', 'weight': ''}
    """
    used: dict[str, str] = {}
    for part, named in given.items():
        replaced = given.get((instead or {}).get(part, "")) is not None
        found = _usual(names, usual.get(part, ())) if named is None else require(names, named, option(part))
        used[part] = "" if replaced else found
        if part in needed and not found and not replaced:
            raise AdjudgeError(
                f"No column names the {part}.",
                f"Columns here: {listing(list(names))}.",
                f"Name it with {option(part)}.",
            )
    return used


def option(part: str) -> str:
    """The option of the command line that names the column of a part; features are contexts there.

    >>> option("log_propensity")
    '--log-propensity'
    """
    return f"--{part.replace('features', 'context').replace('_', '-')}"


def _usual(names: Sequence[str], usual: Sequence[str]) -> str:
    return next((name for name in usual if name in names), "")
