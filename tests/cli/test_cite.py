"""`adjudge cite`: BibTeX that a bibliography takes as it is."""

from __future__ import annotations

import re

import pytest

from adjudge import catalogue
from adjudge.cli.main import main


def test_every_method_can_be_cited(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", *catalogue.addresses()]) == 0
    text = capsys.readouterr().out
    keys = re.findall(r"@article\{([^,]+),", text)
    assert len(keys) == len(set(keys)) > 0
    assert text.count("{") == text.count("}")


def test_citing_nothing_is_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite"]) == 1
    assert "Missing argument" in capsys.readouterr().err


def test_an_unknown_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", "audit.leak"]) == 1
    assert "audit.leakage" in capsys.readouterr().err
