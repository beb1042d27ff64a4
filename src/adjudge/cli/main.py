"""The front door: finds the commands in this folder and turns every failure into a message that a person can act on.

A module `cli/<command>.py` with a click command named `command` is the command, `demo_loop.py` that of `demo-loop`; its
name does not start with `_`. The first line of its docstring is its line in `adjudge --help`, which is read without
importing it. Exit codes: 0 done, 1 it could not be done, 2 done and a finding is severe, 130 interrupted.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import os
import pkgutil
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from .. import __version__
from ..errors import AdjudgeError
from ._help import examples

HERE = Path(__file__).parent
FAILED, INTERRUPTED, NO_READER = 1, 128 + signal.SIGINT, 128 + 13  # 13: what a shell reports when a pipe closes


class Commands(click.Group):
    """A group whose commands are the modules beside this one, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Names of the commands, in alphabetical order."""
        names = (module.name for module in pkgutil.iter_modules([str(HERE)]))
        return sorted(name.replace("_", "-") for name in names if name != "main" and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The `command` of the module of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = _module(cmd_name)
        found = importlib.import_module(f"{__package__}.{module}").command
        assert isinstance(found, click.Command), f"cli/{module}.py: `command` is not a click command"
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As of click, with the command that was meant where there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as wrong:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"{wrong.message} Did you mean {near[0]!r}?", ctx) from wrong

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, from the first line of its file."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_line(HERE / f"{_module(name)}.py")) for name in self.list_commands(ctx)])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "adjudge evaluate ratings.parquet --judge judge_score --gold oracle_label",
        "adjudge methods value",
        "adjudge show value.ppi",
    ),
)
@click.version_option(__version__, prog_name="adjudge")
@click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of a failure; works after any command."
)
def group() -> None:
    """Which policy is better, how sure you can be, and when the feedback stops tracking the truth."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Arguments:
        argv: the words after `adjudge`; those of the process when None.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = [word for word in words if word != "--debug"]
    try:
        code = group.main(arguments, prog_name="adjudge", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        return 0
    except click.ClickException as wrong:
        wrong.show()
        return FAILED
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return _leave_quietly()
    except SystemExit as leaving:  # click ends the process itself when the reader of a pipe has gone
        return _leave_quietly() if leaving.code == 1 else int(leaving.code or 0)
    except Exception as failure:
        if "--debug" in words:
            traceback.print_exc()
        click.echo(_explain(failure, arguments), err=True)
        return FAILED


def _explain(failure: Exception, arguments: list[str]) -> str:
    if isinstance(failure, AdjudgeError):
        parts = (("Found:   ", failure.found), ("Expected:", failure.expected), ("Do:      ", failure.do))
        return "\n".join(f"{label} {_shown(text)}" for label, text in parts)
    again = shlex.join(["adjudge", *arguments, "--debug"])
    return (
        f"Adjudge stopped at something it did not foresee: {type(failure).__name__}: {_shown(str(failure))}\n"
        f"No input file was changed. To see where, run\n  {again}\nand report what it prints."
    )


def _shown(text: str) -> str:
    """The text without signs that steer a terminal: names in a table are other people's words."""
    return "".join(
        sign if sign.isprintable() else " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def _leave_quietly() -> int:
    """The reader has gone (`adjudge methods | head -1`): stop, and keep the interpreter from complaining as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NO_READER


def _module(name: str) -> str:
    """Name of the module that is a command: `demo-loop` is demo_loop.py."""
    return name.replace("-", "_")


def _first_line(path: Path) -> str:
    """First line of a file's docstring, without importing the file."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
