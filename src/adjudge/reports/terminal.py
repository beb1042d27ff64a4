"""The same story for a terminal or a pipe: a table, the findings, the verdict.

On a terminal it is coloured (unless NO_COLOR is set) and drawn with line characters; in a pipe it is plain ASCII with
one line for each finding. Columns give way as the width shrinks: first the bar, then the labels, P(best) and rank.
"""

from __future__ import annotations

import io
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ..core.finding import Severity
from . import numbers, svg_forest
from .digest import grouped
from .export import unknown
from .story import Findings, Forest, ForestRow, Story
from .svg_scale import Scale
from .text import clean

PIPE_WIDTH = 100
"""Columns of a table that goes to a pipe or a file."""
MOST_ROWS = 60
"""Rows shown; all are in the exported files."""
_GAP = "  "
_BAR = range(16, 45)
_STYLE = {Severity.SEVERE: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_YIELD = ("P(best)", "Rank")
"""Columns that give way after the last one, the first to go first; value and interval never do."""


def table(
    story: Story | Sequence[ForestRow],
    *,
    width: int | None = None,
    colour: bool | None = None,
    ascii_only: bool | None = None,
) -> str:
    """The story, or bare rows, as text.

    Arguments:
        story: what to show, or rows alone.
        width: columns; None for those of the terminal, or `PIPE_WIDTH` and unbroken findings in a pipe.
        colour: whether to colour; None for yes on a terminal, unless NO_COLOR is set.
        ascii_only: whether to draw in ASCII; None for yes unless a terminal can show more.

    >>> print(table([ForestRow("clone", 0.7702, 0.0143, 0.741, 0.797)], width=60, ascii_only=True))
    Policy  Value   95 % interval  0.738           0.800  Labels
    clone   0.770  0.741 to 0.797   |--------o--------|        0
    """
    told = story if isinstance(story, Story) else Story("", "", (Forest(tuple(story)),))
    tty = sys.stdout.isatty()
    if colour is None:
        colour = tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if ascii_only is None:
        ascii_only = not (tty and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8")
    if width is None and tty:
        width = shutil.get_terminal_size().columns
    return _printed(list(_lines(told, width, ascii_only)), colour)


def _lines(story: Story, width: int | None, ascii_only: bool) -> Iterator[Text]:
    """Tables, then findings, then the verdict, with empty lines between."""
    parts = [_table(block, width or PIPE_WIDTH, ascii_only) for block in story.blocks if isinstance(block, Forest)]
    parts.append(_findings(story, width, ascii_only))
    if story.verdict:
        parts.append(_wrapped("", story.verdict, "bold", width, ascii_only))
    for index, part in enumerate(part for part in parts if part):
        if index:
            yield Text()
        yield from part


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns are shown, how wide, and on what axis the bar is drawn (None for no bar)."""

    shown: tuple[int, ...]
    sizes: tuple[int, ...]
    axis: Scale | None
    ascii_only: bool


def _table(forest: Forest, width: int, ascii_only: bool) -> list[Text]:
    if unknown(forest):
        return _wrapped("", unknown(forest), "dim", width, ascii_only)
    rows = forest.ordered[:MOST_ROWS]
    heads = [forest.subject, "Value", f"{numbers.coverage(forest.level)} interval"]
    heads += ["Rank", "P(best)"] if forest.with_ranks else []
    heads += [forest.count_name] if forest.with_counts else []
    cells = [[_said(text, ascii_only) for text in texts] for texts in (heads, *(_cells(forest, row) for row in rows))]
    layout = _layout(forest, cells, width, ascii_only)
    lines = [_line(cells[0], layout, "dim", _ends(layout.axis) if layout.axis else "", "dim")]
    for row, texts in zip(rows, cells[1:], strict=True):
        picture = _bar(row, layout.axis, ascii_only) if layout.axis else ""
        lines.append(_line(texts, layout, "", picture, "cyan" if row.verified else "yellow"))
    if len(forest.rows) > MOST_ROWS:
        lines.append(Text(f"and {numbers.count(len(forest.rows) - MOST_ROWS)} more", "dim"))
    if not all(row.verified for row in rows):
        lines += _wrapped(
            "", "* not verified: no trusted labels of its own confirm the value", "dim", width, ascii_only
        )
    return lines


def _layout(forest: Forest, cells: Sequence[Sequence[str]], width: int, ascii_only: bool) -> _Layout:
    sizes = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    heads, shown = list(cells[0]), list(range(len(sizes)))

    def taken(name: int) -> int:
        return name + sum(sizes[column] + len(_GAP) for column in shown[1:])

    for head in (*heads[-1:][: forest.with_counts], *_YIELD) if forest.ranked else ():
        if head in heads and taken(min(sizes[0], 16)) > width:
            shown.remove(heads.index(head))
    sizes[0] = max(6, min(sizes[0], width - taken(0)))
    room = min(width - taken(sizes[0]) - len(_GAP), _BAR.stop - 1)
    scale = svg_forest.scale(forest)
    drawn = room in _BAR and any(math.isfinite(row.low) for row in forest.rows)
    axis = Scale(scale.low, scale.high, 0, room - 1) if drawn else None
    return _Layout(tuple(shown), tuple(sizes), axis, ascii_only)


def _said(text: str, ascii_only: bool) -> str:
    shown = clean(text)
    return numbers.plain_ascii(shown) if ascii_only else shown


def _cells(forest: Forest, row: ForestRow) -> list[str]:
    cells = [
        row.policy + ("" if row.verified else " *"),
        "not estimable" if math.isnan(row.value) else numbers.estimate(row.value, row.error),
        numbers.interval(row.low, row.high, row.stderr),
    ]
    if forest.with_ranks:
        cells += [numbers.ranks(row.rank_low, row.rank_high), numbers.percent(row.p_best)]
    if forest.with_counts:
        cells.append(numbers.count(forest.counted(row)))
    return cells


def _line(cells: Sequence[str], layout: _Layout, style: str, bar: str, bar_style: str) -> Text:
    """One line: the name flush left, the figures flush right, the bar after the interval."""
    line = Text(style=style)
    for column in layout.shown:
        size, text = layout.sizes[column], cells[column]
        if column == 0:
            line.append(_cut(text, size, "~" if layout.ascii_only else "…"))
            continue
        padded = _GAP + " " * (size - cell_len(text)) + text
        line.append(padded, style="bold" if column == 1 and not style else None)
        if column == 2 and bar:
            line.append(_GAP)
            line.append(bar, style=bar_style)
    line.rstrip()
    return line


def _cut(name: str, size: int, gap: str) -> str:
    """The name, its middle given up when it is too long: policies differ at both ends."""
    if cell_len(name) <= size:
        return set_cell_size(name, size)
    head = (size - 1) // 2
    tail = name[-size:]
    while cell_len(tail) > size - 1 - head:
        tail = tail[1:]
    return set_cell_size(set_cell_size(name[:size], head) + gap + tail, size)


def _ends(axis: Scale) -> str:
    """The numbers at both ends of the bar's axis."""
    size = round(axis.stop) + 1
    places = max(0, 1 - math.floor(math.log10(axis.high - axis.low)))
    low, high = (numbers.plain_ascii(numbers.number(end, places)) for end in (axis.low, axis.high))
    return low + high.rjust(size - len(low))


def _bar(row: ForestRow, axis: Scale, ascii_only: bool) -> str:
    """The interval and the point in characters."""
    dash, left, right, point, hollow = "-||o?" if ascii_only else "─├┤●○"
    canvas = [" "] * (round(axis.stop) + 1)
    if math.isnan(row.value):
        return "".join(canvas)
    if not (math.isnan(row.low) or math.isnan(row.high)):
        start, stop = round(axis(row.low)), round(axis(row.high))
        canvas[start : stop + 1] = dash * (stop - start + 1)
        canvas[start], canvas[stop] = left, right
    canvas[round(axis(row.value))] = point if row.verified else hollow
    return "".join(canvas)


def _findings(story: Story, width: int | None, ascii_only: bool) -> list[Text]:
    """The worst first; of many alike, a few and how many more."""
    lines: list[Text] = []
    together = Findings(story.findings)
    for severity in sorted(Severity, reverse=True):
        label, style = str(severity).ljust(8), _STYLE[severity]
        for said, folded in grouped(together.of(severity)):
            for finding in said:
                words = " ".join(part for part in (finding.message, finding.remedy, f"[{finding.code}]") if part)
                lines += _wrapped(label, words, style, width, ascii_only)
            if folded:
                words = f"and {numbers.count(len(folded))} more like this [{folded[0].code}]"
                lines += _wrapped(label, words, style, width, ascii_only)
    return lines


def _wrapped(label: str, words: str, style: str, width: int | None, ascii_only: bool) -> list[Text]:
    """A label and words, broken between words where they can be and indented by the label; one line without a width.

    The style is the label's, or that of the words when there is no label.
    """
    shown = _said(words, ascii_only)
    pieces = textwrap.wrap(shown, max(20, width - len(label)), break_on_hyphens=False) if width else [shown]
    lines = []
    for index, piece in enumerate(pieces):
        line = Text(label if index == 0 else " " * len(label), style)
        line.append(piece, style="not bold not dim default" if label else None)
        lines.append(line)
    return lines


def _printed(lines: Sequence[Text], colour: bool) -> str:
    if not colour:
        return "\n".join(line.plain.rstrip() for line in lines)
    console = Console(file=io.StringIO(), width=10_000, force_terminal=True, color_system="standard", highlight=False)
    with console.capture() as capture:
        for line in lines:
            console.print(line, soft_wrap=True)
    return capture.get().rstrip("\n")
