"""Every failure is a message that a person can act on, and the exit code says which kind it was."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from adjudge import __version__
from adjudge.cli import main as door
from adjudge.errors import AdjudgeError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException]:
    """Makes the command `methods` raise what the test puts in."""
    raised: dict[str, BaseException] = {}

    @click.command()
    @click.argument("rest", nargs=-1)
    def command(rest: tuple[str, ...]) -> None:
        raise raised["it"]

    monkeypatch.setattr("adjudge.cli.methods.command", command)
    return raised


def test_help_lists_every_command_with_the_first_line_of_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in ("cite", "methods", "show"):
        assert f"\n  {name} " in shown
    assert "Print the BibTeX of the papers behind methods." in shown
    assert "adjudge evaluate ratings.parquet" in shown


def test_no_words_is_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_help_imports_no_command_and_no_library() -> None:
    code = (
        "import sys; from adjudge.cli.main import main; main(['--help'])\n"
        "print('LOADED', *(name for name in sys.modules if name.startswith('adjudge.')"
        " or name in ('numpy', 'polars', 'rich', 'jinja2')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.partition("LOADED")[2].split())
    assert loaded == {"adjudge.errors", "adjudge.cli", "adjudge.cli.main", "adjudge.cli._help"}


def test_an_error_of_ours_is_printed_as_its_three_parts(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["it"] = AdjudgeError("ratings.gold: 3 of 7 are 2.0.", "Gold lies in [0, 1].", "Divide by 2.")
    assert door.main(["methods"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "Found:    ratings.gold: 3 of 7 are 2.0.",
        "Expected: Gold lies in [0, 1].",
        "Do:       Divide by 2.",
    ]


def test_a_surprise_is_one_paragraph_with_the_line_to_type(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["it"] = ZeroDivisionError("by nought")
    assert door.main(["methods", "my file.csv"]) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: by nought" in shown
    assert "adjudge methods 'my file.csv' --debug" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("words", [["--debug", "methods"], ["methods", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(
    words: list[str], failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["it"] = ZeroDivisionError("by nought")
    assert door.main(words) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(32, "Broken pipe"), 141),
        (click.exceptions.Exit(2), 2),
        (click.UsageError("no such thing"), 1),
    ],
)
def test_exit_codes(
    raised: BaseException, code: int, failing: dict[str, BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_leave_quietly", lambda: 141)
    failing["it"] = raised
    assert door.main(["methods"]) == code


def test_a_misspelt_option_does_not_look_like_a_severe_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["methods", "--fromat", "json"]) == 1
    assert "--format" in capsys.readouterr().err


def test_a_reader_who_leaves_is_not_an_error() -> None:
    code = (
        "import sys; from adjudge.cli.main import main\n"
        "sys.stdout.close(); import io, os\n"
        "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)\n"
        "sys.stdout = io.TextIOWrapper(os.fdopen(1, 'wb'), write_through=True)\n"
        "sys.exit(main(['methods']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 141
    assert done.stderr == ""


def test_python_dash_m(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adjudge", "methods", "--format", "json"], capture_output=True, text=True, check=True
    )
    assert {row["address"] for row in json.loads(done.stdout)} >= {"audit.leakage"}


def test_a_misspelt_command_is_told_what_was_meant(capsys):
    assert door.main(["optimize", "recipe.toml"]) == 1
    assert "Did you mean 'optimise'?" in capsys.readouterr().err
    assert door.main(["zzz"]) == 1
    assert "Did you mean" not in capsys.readouterr().err
