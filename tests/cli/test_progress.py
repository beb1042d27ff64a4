"""Bars on a terminal of 80 columns: the count and the time left are never what is cut."""

from __future__ import annotations

import io
import re
import sys

import pytest

from adjudge.cli._progress import FIRST, progress_bar, training_bar


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def _terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stands in for the error stream; called within the test, since pytest puts its own there as one begins."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    return stream


def _lines(stream: Terminal) -> list[str]:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    return [line.rstrip() for line in re.split(r"[\r\n]", text) if line.strip()]


FIGURES = {"loss": 1e-9, "accuracy": 0.5, "reward": -5.512, "kl": 1.84e-06, "tokens_per_second": 24345.2}


def test_count_and_time_survive_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    with training_bar("Training") as move:
        move(1, 507, FIGURES)
        move(507, 507, FIGURES)
    shown = [line for line in _lines(terminal) if line.startswith("Training")]
    assert re.search(r"507/507\s+0:00:0\d", shown[-1])
    assert "reward -5.51" in shown[-1]
    assert "loss" not in shown[-1]  # a surrogate's 0 would say nothing
    assert all(len(line) <= 80 for line in _lines(terminal))


def test_a_figure_reads_as_people_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    with training_bar("Training") as move:
        move(2, 2, {"loss": 0.693147, "tokens_per_second": 24345.2})
    assert _lines(terminal)[-1].endswith("loss 0.693  24,345 tokens/s")


def test_something_is_said_before_the_first_update(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    with training_bar("Training") as move:
        move(1, 2, {})
        move(1, 2, FIGURES)
    said = _lines(terminal)
    assert said[0].startswith(FIRST)
    assert any(line.startswith("Reference") for line in said)
    assert not said[-1].startswith(FIRST)


def test_a_failure_before_the_first_update_leaves_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    with pytest.raises(ValueError, match="no such model"), training_bar("Training"):
        raise ValueError("no such model")
    left = re.split(r"\x1b\[2K", terminal.getvalue())[-1]  # what stands after the line was wiped for the last time
    assert FIRST not in left


def test_work_that_counts_nothing_is_seen_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    with progress_bar("Fitting"):
        pass
    assert any(line.startswith("Fitting") for line in _lines(terminal))


def test_a_pipe_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with training_bar("Training") as move:
        move(1, 1, FIGURES)
    assert not stream.getvalue()
