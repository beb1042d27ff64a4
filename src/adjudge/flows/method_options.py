"""Options of a method by name, checked against what it takes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import AdjudgeError


def known(address: str, verb: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, if the verb has them.

    Arguments:
        address: of the method, for the message.
        verb: a function, whose keyword-only arguments are options, or a class, of which all are.
        options: by name.

    Errors: one that it does not have.

    >>> known("a.method", lambda table, *, beta=0.1: None, {"beta": 2.0})
    {'beta': 2.0}
    """
    kept = inspect.Parameter.KEYWORD_ONLY
    every = inspect.signature(verb).parameters.values()
    names = [each.name for each in every if each.kind == kept or isinstance(verb, type)]
    require_known(address, names, options)
    return dict(options)


def require_known(address: str, names: Sequence[str], options: Iterable[str]) -> None:
    """Errors: an option that is none of the names.

    Arguments:
        address: of the method, for the message.
        names: of its options.
        options: that were given.
    """
    for name in options:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise AdjudgeError(
                f"{address} has no option {name!r}.",
                f"Its options: {', '.join(names) or 'none'}.",
                f"Did you mean {near[0]!r}?" if near else "Leave it out.",
            )
