"""The docs cannot lie: their Python runs, their addresses exist, their commands and options are real."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import polars as pl
import pytest

from adjudge import catalogue
from adjudge.cli.main import group, main

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
HANDMADE = [path for path in PAGES if path.name not in ("methods.md", "cli.md", "claims.md")]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(rf"\b(?:{'|'.join(catalogue.FAMILIES)})\.[a-z][a-z0-9_]*\b")
MADE_UP = {"value.switch"}  # the method that does not exist yet, in what is said of adding one

each_page = pytest.mark.parametrize("path", HANDMADE, ids=lambda path: path.name)


def blocks(path: Path, *languages: str) -> list[str]:
    return [text for name, text in BLOCK.findall(path.read_text(encoding="utf-8")) if name in languages]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the reader's tables, in which the examples are run."""
    arena = pl.read_parquet(ROOT / "src" / "adjudge" / "data_files" / "arena.parquet")
    table = arena.with_columns(gold="oracle_label")
    table.write_parquet(tmp_path / "ratings.parquet")
    table.write_csv(tmp_path / "ratings.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@each_page
@pytest.mark.usefixtures("folder")
def test_python_in_the_docs_runs(path: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks(path, "python"):
        exec(compile(block, str(path), "exec"), names)


@each_page
def test_every_address_in_the_docs_exists(path: Path) -> None:
    quoted = re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8"))
    named = {address for text in quoted for address in ADDRESS.findall(text)}
    assert named - set(catalogue.addresses()) - MADE_UP == set()


@each_page
def test_every_command_in_the_docs_has_the_options_that_it_shows(path: Path) -> None:
    for block in blocks(path, "sh", "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] != ["adjudge"]:
                continue
            command: click.Command | None = group
            for word in words[1:]:
                if isinstance(command, click.Group):
                    command = command.get_command(click.Context(command), word)
            assert command is not None, line
            options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_make_help_names_every_target_of_the_docs() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        name
        for path in HANDMADE
        for name in re.findall(r"\bmake ([a-z]+)\b(?=`|\s+#|\n| BENCH| NAME)", path.read_text())
    }
    assert named <= targets | {"PYTHON"}


def test_getting_started_works_from_the_first_command_to_the_last(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its commands on the bundled data, in order: evaluate, plan, label, evaluate."""
    lines = [line for block in blocks(ROOT / "docs" / "getting-started.md", "sh") for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("adjudge") and " arena " in line]
    assert [words[0] for words in commands] == ["evaluate", "plan", "evaluate"]
    for words in commands:
        assert main(words) in (0, 2), capsys.readouterr().err
        if words[0] == "plan":
            plan = pl.read_csv(folder / "to_label.csv")
            plan.with_columns(gold=pl.lit(0.5)).write_csv(folder / "to_label.csv")
    assert (folder / "out" / "arena" / "report.html").is_file()
