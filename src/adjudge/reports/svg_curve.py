"""A curve with its band, dots on top, and the policies' histograms below on the same axis.

It is drawn for a given width in pixels and never scaled, so that its text is as large on a phone as on a desk: the
page holds a wide and a narrow drawing and shows the one that fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup

from .._typing import FloatArray
from .numbers import count, number
from .story import Curve, Histogram, Line
from .svg_scale import Scale, path, span, tag

_TOP, _RIGHT, _BOTTOM = 30, 14, 30
_STRIP = 40
STRIPS = 8
"""Histograms shown; a page with forty would show none of them well."""


def curve(block: Curve, width: int, *, key: str) -> Markup:
    """The drawing.

    Arguments:
        width: in pixels.
        key: makes the ids of this drawing unique in the page.
    """
    x, y = scales(block, width)
    strips = block.histograms[:STRIPS]
    height = y.start + _BOTTOM + 14 + _STRIP * len(strips)
    parts: list[Markup] = [
        tag("title", {"id": f"{key}-t"}, block.title),
        tag("desc", {"id": f"{key}-d"}, description(block)),
        *_grid(block, x, y, width),
        *_support(block, x, y),
        *_guides(block, x, y, width),
    ]
    spots = _spots(block.lines)
    parts += [mark for index, line in enumerate(block.lines) for mark in _line(line, x, y, index, spots[index])]
    parts += _dots(block, x, y)
    parts += [mark for index, strip in enumerate(strips) for mark in _strip(strip, x, y, index)]
    attributes = {
        "class": "curve",
        "viewBox": f"0 0 {width} {height:.0f}",
        "width": width,
        "height": f"{height:.0f}",
        "role": "img",
        "aria-labelledby": f"{key}-t {key}-d",
    }
    return tag("svg", attributes, Markup("").join(parts))


def scales(block: Curve, width: int) -> tuple[Scale, Scale]:
    """The two axes: x to the right, y upwards."""
    dots_x = block.dots.x if block.dots else ()
    dots_y = [*block.dots.y, *block.dots.low, *block.dots.high] if block.dots else ()
    xs = _finite(*(line.x for line in block.lines), dots_x, *(strip.edges for strip in block.histograms), [block.mark])
    bands = [end for line in block.lines for end in (line.y, line.low, line.high)]
    x_low, x_high = span(xs, bounds=(min(xs), max(xs))) if xs and min(xs) < max(xs) else span(xs)
    # The identity only means something when both axes are in one unit: then they show the same range.
    also = [0.0] * block.zero + [x_low, x_high] * block.identity
    ys = _finite(*bands, dots_y, [block.target], also)
    y_low, y_high = span(ys, bounds=(x_low, x_high)) if block.identity else span(ys)
    y_low = max(y_low, 0.0) if ys and min(ys) >= 0 else y_low
    y = Scale(y_low, y_high, _TOP + min(round(width * 0.56), 370), _TOP)
    left = 14 + 7 * max((len(text) for _, text in y.labels(4)), default=0)
    return Scale(x_low, x_high, left, width - _RIGHT), y


def description(block: Curve) -> str:
    """The drawing in words, for those who do not see it."""
    words = []
    for line in block.lines:
        if line.x.size:
            ends = f"from {number(float(line.x[0]))} to {number(float(line.x[-1]))}"
            rise = f"{number(float(line.y[0]))} to {number(float(line.y[-1]))}"
            words.append(f"{line.name or block.y_name or 'The line'} goes from {rise} as {block.x_name} goes {ends}.")
    return " ".join(words)


def _finite(*groups: Iterable[float]) -> list[float]:
    return [float(value) for group in groups for value in group if math.isfinite(value)]


def _grid(block: Curve, x: Scale, y: Scale, width: int) -> list[Markup]:
    parts = []
    for tick, text in y.labels(4):
        parts.append(tag("line", {"class": "grid", "x1": x.start, "x2": x.stop, "y1": y(tick), "y2": y(tick)}))
        parts.append(tag("text", {"x": x.start - 8, "y": y(tick) + 4, "text-anchor": "end"}, text))
    for tick, text in x.labels(5 if width > 480 else 4):
        parts.append(tag("line", {"class": "tick", "x1": x(tick), "x2": x(tick), "y1": y.start, "y2": y.start + 4}))
        parts.append(tag("text", {"x": x(tick), "y": y.start + 18, "text-anchor": "middle"}, text))
    parts.append(tag("line", {"class": "axis", "x1": x.start, "x2": x.stop, "y1": y.start, "y2": y.start}))
    parts.append(tag("text", {"class": "name", "x": 0, "y": 14}, f"↑ {block.y_name}" if block.y_name else ""))
    name = f"{block.x_name} →" if block.x_name else ""
    parts.append(tag("text", {"class": "name", "x": x.stop, "y": y.start + 36, "text-anchor": "end"}, name))
    return parts


def _support(block: Curve, x: Scale, y: Scale) -> list[Markup]:
    """Shade where no label reaches."""
    if block.support is None:
        return []
    low, high = (x(end) for end in block.support)
    sides = [(x.start, low), (high, x.stop)]
    return [
        tag("rect", {"class": "outside", "x": a, "y": y.stop, "width": b - a, "height": y.start - y.stop})
        for a, b in sides
        if b - a > 0.5
    ]


def _guides(block: Curve, x: Scale, y: Scale, width: int) -> list[Markup]:
    parts = []
    if block.identity:
        low, high = max(x.low, y.low), min(x.high, y.high)
        if low < high:
            parts.append(tag("path", {"class": "identity", "d": path([(x(low), y(low)), (x(high), y(high))])}))
    if math.isfinite(block.target):
        place = y(block.target)
        parts.append(tag("line", {"class": "target", "x1": x.start, "x2": x.stop, "y1": place, "y2": place}))
        parts.append(_target_name(block, x, y))
    if math.isfinite(block.mark):
        place = x(block.mark)
        anchor = "start" if place < width / 2 else "end"
        shift = 6 if anchor == "start" else -6
        parts.append(tag("line", {"class": "target", "x1": place, "x2": place, "y1": y.start, "y2": y.stop}))
        parts.append(
            tag("text", {"class": "said", "x": place + shift, "y": y.stop + 10, "text-anchor": anchor}, block.mark_name)
        )
    return parts


def _target_name(block: Curve, x: Scale, y: Scale) -> Markup:
    """The target's name at the first of four spots along it that no line crosses."""
    place, size = y(block.target), 7.0 * len(block.target_name)
    for left, base in ((x.stop - size, -6), (x.stop - size, 16), (x.start + 8, -6), (x.start + 8, 16)):
        across = np.linspace(left, left + size, 9)
        inside = y.stop < place + base - 11 and place + base < y.start
        if inside and not any(_meets(line, x, y, across, place + base) for line in block.lines):
            break
    else:
        left, base = x.stop - size, -6
    anchor = {"x": left, "text-anchor": "start"} if left < x.stop - size else {"x": x.stop, "text-anchor": "end"}
    return tag("text", {"class": "said", "y": place + base, **anchor}, block.target_name)


def _meets(line: Line, x: Scale, y: Scale, across: FloatArray, base: float) -> bool:
    """Whether a line runs through a text of usual height that stands on `base`."""
    if line.x.size < 2:
        return False
    low, high = (y.low + (y.start - edge) / (y.start - y.stop) * (y.high - y.low) for edge in (base + 4, base - 13))
    values = np.interp(x.low + (across - x.start) / (x.stop - x.start) * (x.high - x.low), line.x, line.y)
    return bool(((values > low) & (values < high)).any())


def _spots(lines: Sequence[Line]) -> list[int | None]:
    """Which point of each line carries its name: the last; among three lines or more the one furthest from the rest.

    None where a single line needs no name.
    """
    if len(lines) < 2:
        return [None] * len(lines)
    last = [max((i for i, value in enumerate(line.y) if math.isfinite(value)), default=-1) for line in lines]
    shared = all(np.array_equal(line.x, lines[0].x) for line in lines)
    if len(lines) == 2 or not shared or not all(np.isfinite(line.y).all() for line in lines):
        return [spot if spot >= 0 else None for spot in last]
    height = np.array([line.y for line in lines])
    apart = np.abs(height[:, None] - height[None]) + np.where(np.eye(len(lines), dtype=bool), np.inf, 0)[:, :, None]
    return [int(np.argmax(nearest)) for nearest in apart.min(axis=1)]


def _line(line: Line, x: Scale, y: Scale, index: int, spot: int | None) -> list[Markup]:
    series = f"series-{index % 6}"
    parts = []
    if line.low.size:
        edge = [*zip(line.x, line.high, strict=True), *zip(line.x[::-1], line.low[::-1], strict=True)]
        inside = [(x(a), y(b)) for a, b in edge if math.isfinite(b)]
        parts.append(tag("path", {"class": f"band {series}", "d": path(inside, close=True)}))
    places = [(x(a), y(b)) for a, b in zip(line.x, line.y, strict=True)]
    parts.append(tag("path", {"class": f"line {series}", "d": path(places)}))
    if spot is not None:
        right, base = places[spot]
        at = {"class": f"said {series}", "x": right - 4, "y": base - 7, "text-anchor": "end"}
        if right < x.start + 60:
            at |= {"x": right + 4, "text-anchor": "start"}
        parts.append(tag("text", at, line.name))
    return parts


def _dots(block: Curve, x: Scale, y: Scale) -> list[Markup]:
    if block.dots is None or not block.dots.n.size:
        return []
    dots = block.dots
    largest = float(np.nanmax(dots.n)) or 1.0
    parts = []
    for a, low, high in zip(dots.x, dots.low, dots.high, strict=True) if dots.low.size else ():
        if math.isfinite(low + high):
            ends = {"x1": x(float(a)), "x2": x(float(a)), "y1": y(float(low)), "y2": y(float(high))}
            parts.append(tag("line", {"class": "whisker", **ends}))
    for a, b, n in zip(dots.x, dots.y, dots.n, strict=True):
        if math.isfinite(a) and math.isfinite(b):
            words = f"{block.x_name} {number(float(a))}: {number(float(b))} from {count(float(n))}"
            place = {"class": "dot", "cx": x(float(a)), "cy": y(float(b)), "r": 2.5 + 5 * math.sqrt(n / largest)}
            parts.append(tag("circle", place, tag("title", {}, words)))
    return parts


def _strip(strip: Histogram, x: Scale, y: Scale, index: int) -> list[Markup]:
    """One histogram with its name above; each is scaled to its own highest bar."""
    base = y.start + _BOTTOM + 14 + _STRIP * (index + 1) - 6
    highest = float(strip.counts.max(initial=0.0)) or 1.0
    tall = _STRIP - 20
    steps = [(x(float(strip.edges[0])), base)]
    for left, right, n in zip(strip.edges[:-1], strip.edges[1:], strip.counts, strict=True):
        top = base - tall * float(n) / highest
        steps += [(x(float(left)), top), (x(float(right)), top)]
    steps.append((x(float(strip.edges[-1])), base))
    return [
        tag("path", {"class": "histogram", "d": path(steps, close=True)}),
        tag("line", {"class": "grid", "x1": x.start, "x2": x.stop, "y1": base, "y2": base}),
        tag("text", {"class": "strip", "x": 0, "y": base - tall - 3}, strip.name),
    ]
