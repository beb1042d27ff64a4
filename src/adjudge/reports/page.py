"""One page that a person who decides can read, keep and print: self-contained HTML without network, fonts or scripts
that matter.

Policy names, notes and paths are other people's text: templates escape everything, and drawings build each element
through one escaping function (`svg_scale.tag`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import jinja2
from markupsafe import Markup

from ..core.finding import Finding, Severity
from . import numbers, svg_curve, svg_forest, svg_matrix
from .story import Block, Forest, Story

_TEMPLATES = Path(__file__).parent / "templates"
MOST_ROWS = 200
"""Rows of a forest that a page shows; all are in the exported files."""
FEW = 3
"""Findings of one kind shown open before the rest is folded."""


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
            severe=[finding for finding in story.findings if finding.severity == Severity.SEVERE],
        )
    )


def kind(block: Block) -> str:
    """Name of the template that shows a block."""
    return type(block).__name__.lower()


def grouped(findings: tuple[Finding, ...]) -> Iterator[tuple[list[Finding], list[Finding]]]:
    """Findings by code: those shown open, and those folded away behind "and n more"."""
    order = {code: place for place, code in reversed(list(enumerate(finding.code for finding in findings)))}
    for _, group in groupby(sorted(findings, key=lambda finding: order[finding.code]), key=lambda found: found.code):
        same = list(group)
        open_until = len(same) if len(same) <= FEW + 1 else FEW
        yield same[:open_until], same[open_until:]


def legend(forest: Forest) -> list[tuple[str, str]]:
    """The marks that occur in a forest, with their meaning."""
    rows = forest.rows
    share = numbers.percent(forest.level)
    entries = [
        ("point", "estimate", any(row.verified for row in rows)),
        ("interval", f"{share} interval", True),
        ("simultaneous", f"all rows at once, {share}", any(row.sim_low == row.sim_low for row in rows)),
        ("labels", "trusted labels alone", any(row.labels_value == row.labels_value for row in rows)),
        ("unverified", "not verified by labels of its own", any(not row.verified for row in rows)),
        ("reference", forest.reference_name or "reference", forest.reference == forest.reference),
    ]
    return [(name, text) for name, text, occurs in entries if occurs]


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(
        n=numbers,
        forest=svg_forest,
        curves=svg_curve,
        field=svg_matrix,
        grouped=grouped,
        legend=legend,
        most_rows=MOST_ROWS,
        severities=tuple(reversed(Severity)),
        style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
    )
    return environment
