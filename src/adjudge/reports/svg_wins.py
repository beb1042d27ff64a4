"""Who won how often, seen beside predicted: figures for a few names, a field of tinted cells for many."""

from __future__ import annotations

import math

from markupsafe import Markup

from .numbers import count, percent
from .pairs import Wins
from .svg_matrix import MOST, field_axes
from .svg_scale import tag


def tint(share: float) -> tuple[str, float]:
    """Class and opacity of a cell: how far from even the share lies, and on which side."""
    if math.isnan(share):
        return "unknown", 1.0
    return ("better" if share >= 0.5 else "worse"), round(0.12 + 0.88 * min(1.0, 2 * abs(share - 0.5)), 2)


def share(value: float) -> str:
    """A share of wins in whole per cent, or a dash."""
    return "–" if math.isnan(value) else f"{100 * value:.0f}"


def words(block: Wins, i: int, j: int) -> str:
    """One cell in words."""
    pair = f"{block.names[i]} against {block.names[j]}"
    predicted = percent(float(block.predicted[i, j]))
    if not block.games[i, j] > 0:
        return f"{pair}: never met; predicted {predicted}"
    seen, games = share(float(block.observed[i, j])), count(int(block.games[i, j]))
    return f"{pair}: won {seen}\N{NO-BREAK SPACE}% of {games}; predicted {predicted}"


def field(block: Wins, *, key: str) -> Markup:
    """Two triangles of one field: above the diagonal what was seen, below it what is predicted of the same pair."""
    k = min(len(block.names), MOST)
    cell, left, axes = field_axes(k)
    parts = [tag("title", {"id": f"{key}-t"}, block.title), *axes]
    for i in range(k):
        for j in range(k):
            if i == j:
                continue
            value = block.observed[i, j] if j > i else block.predicted[i, j]
            name, opacity = tint(float(value))
            place = {"x": left + cell * j, "y": left + cell * i, "width": cell - 1, "height": cell - 1}
            shade = {"class": name, "fill-opacity": opacity}
            parts.append(tag("rect", {**shade, **place}, tag("title", {}, words(block, i, j))))
    size = left + cell * k
    attributes = {"class": "field", "viewBox": f"0 0 {size + 8} {size}", "width": size + 8, "role": "img"}
    return tag("svg", {**attributes, "aria-labelledby": f"{key}-t"}, Markup("").join(parts))
