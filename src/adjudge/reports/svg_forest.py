"""The picture beside one row of a forest: its intervals and its point, on an axis shared by all rows.

Places are per cent of the width, and pixels above or below the middle of the row, so that a row stretches with the
page while its strokes, dots and text keep their size on any screen.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from .numbers import estimate, interval
from .story import Forest, ForestRow
from .svg_scale import Scale, span, tag

_BELOW = 11
"""Pixels under the middle of the row at which the trusted labels alone are drawn."""


def scale(forest: Forest) -> Scale:
    """The axis of a forest: it shows every interval; what labels alone say may run off it."""
    shown = [forest.reference]
    for row in forest.rows:
        shown += [row.value, row.low, row.high, row.sim_low, row.sim_high]
    return Scale(*span(shown, bounds=forest.bounds), 2.0, 98.0)


def axis(axis_scale: Scale) -> Markup:
    """Tick labels above the rows."""
    texts = [
        tag("text", {"x": f"{axis_scale(tick):.2f}%", "y": 14, "text-anchor": "middle"}, text)
        for tick, text in axis_scale.labels(5)
    ]
    return _svg("axis", 20, "", *texts)


def bar(forest: Forest, row: ForestRow, axis_scale: Scale) -> Markup:
    """One row: grid, simultaneous interval (thin), interval (thick), labels alone (below), and the point."""
    parts = [_upright(axis_scale(tick), "grid") for tick in axis_scale.ticks(5)]
    if math.isfinite(forest.reference):
        parts.append(_upright(axis_scale(forest.reference), "reference"))
    if math.isnan(row.value):
        return _svg("bar", "100%", f"{row.policy}: not estimable", *parts)
    marks = _level(axis_scale, row.sim_low, row.sim_high, "simultaneous", 0)
    marks += _level(axis_scale, row.low, row.high, "interval" if row.verified else "interval unverified", 0)
    if math.isfinite(row.labels_value):
        marks += _level(axis_scale, row.labels_low, row.labels_high, "labels", _BELOW)
        marks.append(_dot(axis_scale(row.labels_value), _BELOW, 2, "labels-point"))
    marks.append(_dot(axis_scale(row.value), 0, 3.75, "point" if row.verified else "point unverified"))
    parts.append(tag("svg", {"y": "50%", "overflow": "visible"}, Markup("").join(marks)))
    words = f"{row.policy}: {estimate(row.value, row.error)}, interval {interval(row.low, row.high, row.stderr)}"
    return _svg("bar", "100%", words, *parts)


def swatch(kind: str) -> Markup:
    """The sample of one mark for the legend."""
    marks = {
        "point": [_dot(50, 7, 3.75, "point")],
        "unverified": [
            *_level(Scale(0, 1, 0, 100), 0, 1, "interval unverified", 7),
            _dot(50, 7, 3.75, "point unverified"),
        ],
        "interval": _level(Scale(0, 1, 0, 100), 0, 1, "interval", 7),
        "simultaneous": _level(Scale(0, 1, 0, 100), 0, 1, "simultaneous", 7),
        "labels": [*_level(Scale(0, 1, 0, 100), 0, 1, "labels", 7), _dot(50, 7, 2, "labels-point")],
        "reference": [_upright(50, "reference")],
    }
    inside = Markup("").join(marks[kind])
    return tag("svg", {"class": "swatch forest-marks", "width": 30, "height": 14, "aria-hidden": "true"}, inside)


def _svg(name: str, height: int | str, words: str, *parts: Markup) -> Markup:
    attributes = {"class": f"{name} forest-marks", "width": "100%", "height": height}
    described = {"role": "img", "aria-label": words} if words else {"aria-hidden": "true"}
    return tag("svg", {**attributes, **described}, Markup("").join(parts))


def _upright(x: float, name: str) -> Markup:
    return tag("line", {"class": name, "x1": f"{x:.2f}%", "x2": f"{x:.2f}%", "y1": 0, "y2": "100%"})


def _level(axis_scale: Scale, low: float, high: float, name: str, y: float) -> list[Markup]:
    if math.isnan(low) or math.isnan(high):
        return []
    ends = {"x1": f"{axis_scale(low):.2f}%", "x2": f"{axis_scale(high):.2f}%", "y1": y, "y2": y}
    return [tag("line", {"class": name, **ends})]


def _dot(x: float, y: float, radius: float, name: str) -> Markup:
    return tag("circle", {"class": name, "cx": f"{x:.2f}%", "cy": y, "r": radius})
