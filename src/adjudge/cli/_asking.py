"""The options that say how models are asked: what may be spent, how fast, where answers are kept.

Every command that runs a judge has the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from ..flows.asking import Asking
from ..reports.files import new_folder

Command = TypeVar("Command", bound=Callable[..., Any])

STORE = "replies.sqlite"

_OPTIONS = (
    click.option("--budget", type=float, metavar="MONEY", help="Stop asking when this is spent; needs prices."),
    click.option("--tokens", type=float, metavar="N", help="Stop asking when so many tokens are used."),
    click.option("--price-in", type=float, default=0.0, metavar="MONEY", help="For a million tokens read."),
    click.option("--price-out", type=float, default=0.0, metavar="MONEY", help="For a million tokens written."),
    click.option("--concurrency", type=int, default=16, show_default=True, help="Calls under way at once."),
    click.option("--per-minute", type=float, metavar="N", help="Calls begun in a minute at most."),
    click.option("--tries", type=int, default=6, show_default=True, help="Of one call."),
    click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds until a call is given up."),
    click.option("--store", type=click.Path(), metavar="FILE", help=f"Keeps every answer.  [default: OUT/{STORE}]"),
)


def asking_options(command: Command) -> Command:
    """Adds the options to a command; `asking_of` takes them out again."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asking_of(options: dict[str, Any], folder: Path | None) -> Asking:
    """How models are asked; takes its options out of `options`.

    Arguments:
        options: of the command line.
        folder: of the store that nobody named; None keeps no answers then.
    """
    given = {one.name: options.pop(one.name) for one in fields(Asking)}
    if given["store"] is None and folder is not None:
        given["store"] = str(new_folder(folder) / STORE)
    return Asking(**given)
