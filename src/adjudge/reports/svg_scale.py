"""What every drawing needs: a scale from numbers to places, round ticks, and tags whose text is always escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from .numbers import number
from .text import clean


def tag(name: str, attributes: Mapping[str, object], *children: str) -> Markup:
    """An element; attributes and text are escaped, other elements (Markup) pass.

    >>> str(tag("text", {"x": 1.5}, "<b>"))
    '<text x="1.5">&lt;b&gt;</text>'
    """
    inside = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items())
    shown = (child if isinstance(child, Markup) else escape(clean(child)) for child in children)
    return Markup(f"<{name}{inside}>{''.join(shown)}</{name}>")


def path(points: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """The `d` of a polyline; points that are not finite break it."""
    steps, pen = [], "M"
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            pen = "M"
            continue
        steps.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(steps) + ("Z" if close and steps else "")


def _attribute(value: object) -> str:
    """Two decimals are enough: a hundredth of a pixel or of a per cent."""
    match value:
        case int():
            return str(value)
        case float():
            return f"{value:.2f}".rstrip("0").rstrip(".")
        case _:
            return escape(clean(str(value)))


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from a range of numbers to a range of places.

    Arguments:
        low, high: numbers at the ends; low < high.
        start, stop: places of the ends, in pixels or per cent.
    """

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Place of a number; NaN for NaN, and the nearest end for what lies outside."""
        if math.isnan(value):
            return math.nan
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round numbers (steps of 1, 2 or 5 times a power of ten) inside the range, about as many as wanted.

        >>> Scale(0.13, 0.82, 0, 100).ticks()
        [0.2, 0.4, 0.6, 0.8]
        """
        step = self._step(wanted)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [float(f"{k * step:.12g}") for k in range(first, last + 1)]

    def labels(self, wanted: int = 5) -> list[tuple[float, str]]:
        """The ticks with their text, all with the same decimals."""
        places = max(0, -math.floor(math.log10(self._step(wanted)) + 1e-9))
        return [(tick, number(tick, places)) for tick in self.ticks(wanted)]

    def _step(self, wanted: int) -> float:
        width = self.high - self.low
        base = 10.0 ** math.floor(math.log10(width / max(wanted, 1)))
        return min((base * step for step in (1, 2, 5, 10)), key=lambda step: abs(width / step - wanted))


def span(values: Iterable[float], *, bounds: tuple[float, float] = (-math.inf, math.inf)) -> tuple[float, float]:
    """The range to show: that of the finite values with a margin, inside the bounds.

    When the values fill most of the bounds anyway, the bounds themselves are shown.

    >>> span([0.2, 0.9], bounds=(0.0, 1.0)), span([3.0]), span([])
    ((0.0, 1.0), (2.7, 3.3), (0.0, 1.0))
    """
    finite = [value for value in values if math.isfinite(value)]
    low_bound, high_bound = bounds
    whole = math.isfinite(low_bound) and math.isfinite(high_bound) and low_bound < high_bound
    if not finite:
        return (low_bound, high_bound) if whole else (0.0, 1.0)
    low, high = min(finite), max(finite)
    if whole and high - low >= 0.6 * (high_bound - low_bound):
        return min(low, low_bound), max(high, high_bound)
    margin = 0.06 * (high - low) or 0.1 * abs(low) or 1.0
    shown = max(low - margin, low_bound), min(high + margin, high_bound)
    return shown if shown[0] < shown[1] else (low - margin, high + margin)
