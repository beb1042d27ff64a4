"""The terminal: fits its width, plain in a pipe, and no name can paint or move the cursor."""

import math
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len

from adjudge.reports.story import Findings, Forest, ForestRow, Story
from adjudge.reports.terminal import MOST_ROWS, table
from reports import stories

EVERY = [stories.ordinary, stories.lonely, stories.empty_handed, stories.hostile, lambda: stories.many(41)]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("tell", EVERY)
def test_no_line_is_wider_than_the_terminal(tell, width: int, ascii_only: bool) -> None:
    lines = table(tell(), width=width, colour=False, ascii_only=ascii_only).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_wide_letters_count_double() -> None:
    rows = [ForestRow("方策" * 20, 0.5, 0.1, 0.4, 0.6), ForestRow("b", 0.25, 0.1, 0.1, 0.3)]
    lines = table(rows, width=60, colour=False).splitlines()
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
    assert cell_len(lines[0]) <= 60


def test_columns_give_way_but_value_and_interval_stay() -> None:
    heads = {width: table(stories.ordinary(), width=width).splitlines()[0] for width in (50, 60, 80, 120)}
    assert heads[120].split() == ["Policy", "Value", "95", "%", "interval", "0.0", "1.0", "Rank", "P(best)", "Labels"]
    assert "Labels" in heads[80]
    assert "Labels" not in heads[60]
    assert heads[50].split() == ["Policy", "Value", "95", "%", "interval", "Rank"]


def test_a_pipe_gets_ascii_and_one_line_for_each_finding() -> None:
    text = table(stories.ordinary())
    assert text.isascii()
    findings = [line for line in text.splitlines() if re.match(r"(severe|warning|info)\s", line)]
    assert len(findings) == len(stories.FINDINGS)
    assert findings[0].startswith("severe  The judge overrates unhelpful")
    assert findings[0].endswith("[transport-failed]")
    assert text.splitlines()[-1] == stories.ordinary().verdict


def test_golden_row() -> None:
    lines = table(stories.ordinary(), width=80, ascii_only=False).splitlines()
    assert lines[1].split() == ["clone", "0.770", "0.741", "to", "0.797", "1–3", ["52", "%"][0], "%", "50"]
    assert lines[4].startswith("premium *")
    assert lines[6].startswith("* not verified")


def test_names_can_neither_paint_nor_move_the_cursor() -> None:
    plain = table(stories.hostile(), width=100, colour=False, ascii_only=False)
    assert "\x1b" not in plain
    assert "\u202e" not in plain
    assert "[bold red]" in plain
    coloured = table(stories.hostile(), width=100, colour=True, ascii_only=False)
    codes = set(re.findall(r"\x1b\[([\d;]*)m", coloured))
    assert "31" not in codes
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_colour_waits_for_a_terminal() -> None:
    assert "\x1b" not in table(stories.ordinary())
    assert "\x1b" in table(stories.ordinary(), colour=True)


def test_bars_stand_in_the_order_of_their_values() -> None:
    lines = table(stories.ordinary(), width=120, ascii_only=True).splitlines()[1:6]
    places = [re.search(r"[o?]", line[45:95]).start() for line in lines]
    assert places == sorted(places, reverse=True)


def test_long_tables_say_how_much_they_leave_out() -> None:
    rows = [ForestRow(f"p{i}", float(-i)) for i in range(MOST_ROWS + 13)]
    assert "and 13 more" in table(rows)


def test_a_story_without_rows_is_its_verdict() -> None:
    assert table(Story("t", "Nothing yet.", (Findings(()),))) == "Nothing yet."
    assert "not estimable" in table([ForestRow("a", math.nan)])
    assert table(Story("t", "Nothing yet.", (Forest(()),))).endswith("Nothing yet.")


def test_the_terminal_loads_no_templates() -> None:
    code = "import sys, adjudge.reports.terminal; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
