"""`adjudge methods`: what it prints is what the catalogue says."""

from __future__ import annotations

import json

import pytest

from adjudge import catalogue
from adjudge.cli.main import main


def test_the_table_has_a_line_for_each_method(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "audit"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.addresses("audit"))


def test_json_is_the_listing_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["address"] for row in listed] == list(catalogue.addresses())
    assert set(listed[0]) == {"address", "answers", "rows", "missing"}


def test_a_narrow_terminal_wraps_under_the_question(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["methods", "audit"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_a_misspelt_family_is_answered_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "audits"]) == 1
    assert "`adjudge methods audit`" in capsys.readouterr().err
