"""The docs cannot lie: their Python runs, their addresses exist, their commands and options are real."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from adjudge import catalogue
from adjudge.cli.main import group

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
HANDMADE = [path for path in PAGES if path.name not in ("methods.md", "cli.md", "claims.md")]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(rf"\b(?:{'|'.join(catalogue.FAMILIES)})\.[a-z][a-z0-9_]*\b")
MADE_UP = {"value.switch"}  # the method that does not exist yet, in what is said of adding one

each_page = pytest.mark.parametrize("path", HANDMADE, ids=lambda path: path.name)


def blocks(path: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]


@each_page
def test_python_in_the_docs_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
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
    for block in blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] != ["adjudge"]:
                continue
            command = group.get_command(click.Context(group), words[1])
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
