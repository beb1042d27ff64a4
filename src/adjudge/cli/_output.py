"""The options that say what is printed and what is written; every command with a report has the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..flows.made import Shown

Command = TypeVar("Command", bound=Callable[..., Any])

SEVERE = 2  # exit code when a finding is severe, so that a pipeline can stop on it
INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it

_OPTIONS = (
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv", "md"]),
        default="table",
        show_default=True,
        help="What is printed.",
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        default="adjudge-report",
        show_default=True,
        metavar="FOLDER",
        help="Where the page and the tables go.",
    ),
    click.option("--no-report", is_flag=True, help="Print only; write no page and no files."),
)


def output(command: Command) -> Command:
    """Adds --format, --out and --no-report to a command; `written` carries them out."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def interrupted(remark: str = "") -> int:
    """Says after Ctrl-C what was kept, and gives the exit code.

    Arguments:
        remark: how to go on; empty where nothing was kept.
    """
    click.echo(f"Interrupted. {remark}".rstrip(), err=True)
    return INTERRUPTED


def paid(store: str | Path | None) -> str:
    """The remark for commands that ask models, whose answers are in a store; empty where there is none."""
    return f"What was answered is kept in {store}: type the same command to go on." if store else ""


def written(answer: Shown, form: str, out: Path, no_report: bool) -> None:
    """Prints the answer and, unless told not to, writes its page and tables and says where."""
    click.echo(answer.text(form).rstrip("\n"))
    if not no_report:
        page = answer.save(out)
        click.echo(f"\nReport: {page}", err=form != "table")
