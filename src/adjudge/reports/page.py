"""One page that a person who decides can read, keep and print: self-contained HTML without network, fonts or scripts
that matter.

Policy names, notes and paths are other people's text: templates escape everything, and drawings build each element
through one escaping function (`svg_scale.tag`).
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from ..core.finding import Severity, severe
from . import numbers, svg_curve, svg_forest, svg_matrix, svg_wins
from .digest import grouped
from .story import Block, Forest, Story, Table
from .text import breakable, clean, coded

_TEMPLATES = Path(__file__).parent / "templates"
MOST_ROWS = 200
"""Rows of a forest that a page shows; all are in the exported files."""


def page(story: Story) -> str:
    """The report as one HTML document.

    Arguments:
        story: what to show.

    >>> from adjudge.reports.story import Prose
    >>> text = page(Story("Which is best?", "Nothing can be said yet.", (Prose("Why", ("No rows <came> in.",)),)))
    >>> "No rows &lt;came&gt; in." in text
    True
    """
    blocks = [(f"b{index}", kind(block), block) for index, block in enumerate(story.blocks, 1)]
    return (
        _environment()
        .get_template("page.jinja")
        .render(
            story=story,
            blocks=blocks,
            findings_id=next((key for key, name, _ in blocks if name == "findings"), ""),
            severe=severe(story.findings),
        )
    )


def embedded(story: Story, *, height: int = 720) -> str:
    """The page in a frame of its own, for a notebook: its style stays inside.

    Arguments:
        story: what to show.
        height: of the frame, in pixels.
    """
    frame = '<iframe srcdoc="{}" title="{}" style="width: 100%; height: {}px; border: 0"></iframe>'
    return str(Markup(frame).format(page(story), clean(story.title), height))


def kind(block: Block) -> str:
    """Name of the template that shows a block."""
    return type(block).__name__.lower()


def legend(forest: Forest) -> list[tuple[str, str]]:
    """The marks that occur in a forest, with their meaning."""
    rows = forest.rows
    share = numbers.coverage(forest.level)
    entries = [
        ("point", "estimate", any(row.verified for row in rows)),
        ("interval", f"{share} interval", True),
        ("simultaneous", f"all rows at once, {share}", any(row.sim_low == row.sim_low for row in rows)),
        ("labels", "trusted labels alone", any(row.labels_value == row.labels_value for row in rows)),
        ("unverified", "not verified by labels of its own", any(not row.verified for row in rows)),
        ("reference", forest.reference_name or "reference", forest.reference == forest.reference),
    ]
    return [(name, text) for name, text, occurs in entries if occurs]


def column_places(block: Table) -> list[int]:
    """Decimals for each column of a table, so that its numbers stand under each other."""
    columns = zip(*block.rows, strict=True)
    return [_places([abs(cell) for cell in column if not isinstance(cell, str)]) for column in columns]


def _places(cells: list[float]) -> int:
    """Three digits for the largest number, and up to three more where the smallest would be written as 0."""
    places = numbers.common_places(cells)
    least = min((cell for cell in cells if 0 < cell < math.inf), default=1.0)
    return places if least >= 0.5 * 10.0**-places else min(places + 3, -math.floor(math.log10(least)))


def _finalize(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        optimized=False,  # folding constants costs more than it saves in a page that is made once
    )
    environment.filters.update(breakable=breakable, coded=coded)
    environment.globals.update(
        n=numbers,
        forest=svg_forest,
        curves=svg_curve,
        field=svg_matrix,
        wins=svg_wins,
        column_places=column_places,
        grouped=grouped,
        legend=legend,
        most_rows=MOST_ROWS,
        severities=tuple(reversed(Severity)),
        style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
    )
    return environment
