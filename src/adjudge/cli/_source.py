"""The argument that names the table: one path, or several that are read as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def of_source(metavar: str = "SOURCE...") -> Callable[[Command], Command]:
    """Adds the argument `source`: the path as flows take it, or a list of several.

    Arguments:
        metavar: what it is called in the help.
    """
    return click.argument("source", nargs=-1, required=True, metavar=metavar, callback=_given)


def _given(_context: click.Context, _argument: click.Parameter, paths: tuple[str, ...]) -> str | list[str]:
    return paths[0] if len(paths) == 1 else list(paths)
