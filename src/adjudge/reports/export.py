"""The story for programs and documents: JSON, CSV, Markdown and Parquet, all written from the same rows.

Files are written whole or not at all and never over an input (`core.run.write`). NaN is `null` in JSON, an empty cell
in CSV, null in Parquet. The figures are not rounded, except in Markdown, which people read.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..core.run import plain
from ..errors import AdjudgeError
from . import numbers
from .files import write
from .pairs import Matrix
from .story import Forest, ForestRow, Provenance, Story, Table
from .text import clean

_SCHEMA: dict[str, pl.DataType] = {
    "policy": pl.String(),
    "value": pl.Float64(),
    "stderr": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "simultaneous_low": pl.Float64(),
    "simultaneous_high": pl.Float64(),
    "rank_low": pl.Int64(),
    "rank_high": pl.Int64(),
    "p_best": pl.Float64(),
    "rows": pl.Int64(),
    "labels": pl.Int64(),
    "verified": pl.Boolean(),
    "method": pl.String(),
    "note": pl.String(),
}


def records(story: Story) -> list[dict[str, Any]]:
    """One dictionary for each policy, best first: at least policy, value, stderr, low, high, rank_low, rank_high,
    p_best. What is not estimable is None.
    """
    return [_record(row) for row in story.rows]


def figures(story: Story) -> dict[str, list[dict[str, Any]]]:
    """Title -> rows of the forests beside the answer, such as effects of covariates, without ranks."""
    beside = [block for block in story.blocks if isinstance(block, Forest) and not block.ranked]
    kept = ("policy", "value", "stderr", "low", "high")
    return {
        block.title: [{name: value for name, value in _record(row).items() if name in kept} for row in block.rows]
        for block in beside
    }


def tables(story: Story) -> dict[str, list[dict[str, Any]]]:
    """Title -> rows of the tables beside the answer, by column; words where the page has words."""
    found = [block for block in story.blocks if isinstance(block, Table)]
    return {
        block.title: [{name: plain(cell) for name, cell in zip(block.columns, row, strict=True)} for row in block.rows]
        for block in found
    }


def _record(row: ForestRow) -> dict[str, Any]:
    cells = (
        *(row.policy, row.value, row.stderr, row.low, row.high, row.sim_low, row.sim_high, row.rank_low, row.rank_high),
        *(row.p_best, row.n_rows, row.n_labels, row.verified, row.method, row.note),
    )
    record = dict(zip(_SCHEMA, (plain(cell) for cell in cells), strict=True))
    for name in ("rank_low", "rank_high"):
        record[name] = None if record[name] is None else int(record[name])
    return record


def differences(story: Story) -> list[dict[str, Any]]:
    """Each pair once, earlier name − later name, in the order of the matrix."""
    found = []
    for block in story.blocks:
        if isinstance(block, Matrix):
            for i, left in enumerate(block.names):
                for j in range(i + 1, len(block.names)):
                    figures = (array[i, j] for array in (block.difference, block.low, block.high, block.p_adjusted))
                    names = ("difference", "low", "high", "p_adjusted")
                    pair = {"left": left, "right": block.names[j]}
                    found.append(pair | {name: plain(value) for name, value in zip(names, figures, strict=True)})
    return found


def as_dict(story: Story) -> dict[str, Any]:
    """The whole story in JSON's own types."""
    runs = [block.run.as_dict() for block in story.blocks if isinstance(block, Provenance)]
    return {
        "title": story.title,
        "verdict": story.verdict,
        "policies": records(story),
        "differences": differences(story),
        "figures": figures(story),
        "tables": tables(story),
        "findings": [plain(finding.as_dict()) for finding in story.findings],
        "run": runs[0] if runs else None,
    }


def to_json(story: Story) -> str:
    """JSON text, indented, strictly standard: no NaN, no Infinity."""
    return json.dumps(as_dict(story), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(story: Story) -> str:
    """`frame` as comma-separated text."""
    return frame(story).write_csv()


def to_markdown(story: Story) -> str:
    """Verdict, table and findings for a pull request or a paper."""
    lines = [f"**{_escaped(story.verdict)}**", ""]
    forests = [block for block in story.blocks if isinstance(block, Forest)]
    lines += [_escaped(unknown(block)) for block in forests if unknown(block)] or (
        _answers(story) if story.rows else _beside(story)
    )
    if story.findings:
        lines.append("")
    for finding in story.findings:
        words = _escaped(f"{finding.message} {finding.remedy}".strip())
        lines.append(f"- **{finding.severity}** `{finding.code}` {words}")
    return "\n".join(lines) + "\n"


def unknown(forest: Forest) -> str:
    """A sentence in the place of rows in an order of their own that all have no value; "" where one has."""
    if not forest.in_order or not forest.rows or any(row.value == row.value for row in forest.rows):
        return ""
    return f"{forest.title}: none of {len(forest.rows):,} can be estimated."


def _answers(story: Story) -> list[str]:
    """The table of policies in Markdown."""
    counted = next((block for block in story.blocks if isinstance(block, Forest) and block.with_counts), Forest(()))
    lines = _markdown_row(("Policy", "Value", "Interval", "Rank", "P(best)", counted.count_name))
    lines += ["|:--|--:|--:|--:|--:|--:|"]
    for row in story.rows:
        cells = (
            *_cells(row),
            numbers.ranks(row.rank_low, row.rank_high),
            numbers.percent(row.p_best),
            numbers.count(counted.counted(row)),
        )
        lines += _markdown_row(cells)
    return lines


def _beside(story: Story) -> list[str]:
    """Where no policy is the answer, every figure and table of the page in Markdown."""
    lines: list[str] = []
    for block in story.blocks:
        if isinstance(block, Forest) and block.rows:
            heads: tuple[str, ...] = (block.subject, "Value", "Interval")
            rows = [_cells(row) for row in block.ordered]
        elif isinstance(block, Table):
            heads, rows = block.columns, [tuple(_text(cell) for cell in row) for row in block.rows]
        else:
            continue
        lines += [*([""] if lines else []), f"{_escaped(block.title)}", ""]
        lines += _markdown_row([_escaped(head) for head in heads])
        lines += [f"|:--|{'--:|' * (len(heads) - 1)}"]
        lines += [line for row in rows for line in _markdown_row(row)]
    return lines


def _cells(row: ForestRow) -> tuple[str, ...]:
    return (
        _escaped(row.policy) + ("" if row.verified else " (not verified)"),
        "not estimable" if row.value != row.value else numbers.estimate(row.value, row.error),
        numbers.interval(row.low, row.high, row.stderr),
    )


def _text(cell: str | float | int) -> str:
    return _escaped(cell) if isinstance(cell, str) else numbers.number(float(cell))


def frame(story: Story) -> pl.DataFrame:
    """The policies as a frame with fixed column types, however many rows there are.

    Where no policy is the answer, the figures beside it by the same columns, with the title of each under `note`; of a
    story with tables alone, the first.
    """
    if story.rows or not any(isinstance(block, Forest | Table) and block.rows for block in story.blocks):
        return pl.DataFrame(records(story), schema=_SCHEMA, orient="row")
    forests = [block for block in story.blocks if isinstance(block, Forest)]
    beside = [_record(row) | {"note": row.note or block.title} for block in forests for row in block.ordered]
    if beside:
        return pl.DataFrame(beside, schema=_SCHEMA, orient="row")
    found = next(block for block in story.blocks if isinstance(block, Table) and block.rows)
    return pl.DataFrame({name: _column([row[at] for row in found.rows]) for at, name in enumerate(found.columns)})


def _column(cells: Sequence[str | float | int]) -> list[Any]:
    """Numbers with gaps as numbers, anything else as words."""
    numeric = not any(isinstance(cell, str) and cell != numbers.MISSING for cell in cells)
    said = [None if cell == numbers.MISSING else plain(cell) for cell in cells]
    return [None if one is None else float(one) for one in said] if numeric else [plain(str(one)) for one in cells]


def to_parquet(story: Story) -> bytes:
    """`frame` as a Parquet file."""
    buffer = io.BytesIO()
    frame(story).write_parquet(buffer)
    return buffer.getvalue()


_FORMATS: dict[str, Callable[[Story], str | bytes]] = {
    ".json": to_json,
    ".csv": to_csv,
    ".md": to_markdown,
    ".parquet": to_parquet,
}


def save(story: Story, path: str | os.PathLike[str], *, inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Write the story in the format that the file's ending names.

    Arguments:
        story: what to write.
        path: ends in .json, .csv, .md or .parquet.
        inputs: files that must not be overwritten.

    Raises:
        AdjudgeError: another ending, an input in the way, or a path that cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in _FORMATS:
        raise AdjudgeError(
            f"output {path}: the ending {ending or '(none)'} names no format.",
            f"One of {', '.join(_FORMATS)} (or .html for the page).",
            "Rename the output.",
        )
    return write(path, _FORMATS[ending](story), inputs=inputs)


def _markdown_row(cells: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def _escaped(text: str) -> str:
    """Text that Markdown would read as markup, as itself."""
    special = r"\`*_{}[]<>#|~&"
    return "".join(f"\\{character}" if character in special else character for character in clean(text))
