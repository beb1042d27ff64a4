"""All pairs at a glance when there are too many for figures: a field of tinted cells."""

from __future__ import annotations

import math

from markupsafe import Markup

from .numbers import error, interval, pvalue, signed
from .pairs import Matrix
from .svg_scale import tag

READABLE = 12
"""Names up to which a table of figures reads better than a picture."""
MOST = 60
"""Names shown in the picture; the rest is in the exported files."""


def verdict(block: Matrix, i: int, j: int) -> str:
    """Class of one cell: better, worse, or open (not told apart at the block's level)."""
    p, difference = float(block.p_adjusted[i, j]), float(block.difference[i, j])
    if math.isnan(p) or math.isnan(difference):
        return "unknown"
    if p > 1 - block.level:
        return "open"
    return "better" if difference > 0 else "worse"


def words(block: Matrix, i: int, j: int) -> str:
    """One cell in words."""
    gap, ends = figures(block, i, j)
    return f"{block.names[i]} − {block.names[j]}: {gap}, {ends}, p {pvalue(float(block.p_adjusted[i, j]))}"


def figures(block: Matrix, i: int, j: int) -> tuple[str, str]:
    """The difference and its interval, rounded alike."""
    low, high = float(block.low[i, j]), float(block.high[i, j])
    rounding = error(float(block.stderr[i, j]) if block.stderr.size else math.nan, low, high)
    return signed(float(block.difference[i, j]), rounding), interval(low, high, rounding)


def field_axes(k: int) -> tuple[int, int, list[Markup]]:
    """Size of a cell, room for the numbers at its left and top, and these numbers, of a field of k names."""
    cell, left = max(9, min(24, 640 // max(k, 1))), 34
    parts = []
    for i in range(k):
        middle = left + cell * (i + 0.5)
        if k <= 24 or i % 5 == 4 or i == 0:
            parts.append(tag("text", {"x": left - 5, "y": middle + 4, "text-anchor": "end"}, str(i + 1)))
            parts.append(tag("text", {"x": middle, "y": left - 6, "text-anchor": "middle"}, str(i + 1)))
    return cell, left, parts


def matrix(block: Matrix, *, key: str) -> Markup:
    """The field: rows and columns carry numbers that the legend names."""
    k = min(len(block.names), MOST)
    cell, left, axes = field_axes(k)
    size = left + cell * k
    parts = [tag("title", {"id": f"{key}-t"}, block.title), *axes]
    for i in range(k):
        for j in range(k):
            if i != j:
                place = {"x": left + cell * j, "y": left + cell * i, "width": cell - 1, "height": cell - 1}
                parts.append(
                    tag("rect", {"class": verdict(block, i, j), **place}, tag("title", {}, words(block, i, j)))
                )
    attributes = {"class": "field", "viewBox": f"0 0 {size + 8} {size}", "width": size + 8, "role": "img"}
    return tag("svg", {**attributes, "aria-labelledby": f"{key}-t"}, Markup("").join(parts))
