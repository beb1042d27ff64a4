"""Drawings: places rise with values, marks stay on the paper, text is escaped."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.reports import svg_curve, svg_forest, svg_matrix
from adjudge.reports.pairs import Matrix
from adjudge.reports.story import Curve, Forest, ForestRow, Line
from adjudge.reports.svg_scale import Scale, path, span, tag
from reports import stories


def points(forest: Forest) -> list[float]:
    scale = svg_forest.scale(forest)
    found = []
    for row in forest.ordered:
        drawing = ElementTree.fromstring(svg_forest.bar(forest, row, scale))
        found += [
            float(mark.attrib["cx"].rstrip("%")) for mark in drawing.iter("circle") if "point" in mark.attrib["class"]
        ]
    return found


def test_points_stand_in_the_order_of_their_values() -> None:
    rows = tuple(ForestRow(str(v), v, 0.01, v - 0.02, v + 0.02) for v in (0.31, 0.11, 0.83, 0.53, 0.29))
    places = points(Forest(rows))
    assert places == sorted(places, reverse=True)
    assert len(set(places)) == 5
    assert all(0 <= place <= 100 for place in places)
    given = Forest(rows, in_order=True)
    assert given.ordered == rows
    assert points(given) != sorted(points(given), reverse=True)


def test_every_mark_of_a_forest_lies_on_the_axis_even_if_labels_alone_run_off_it() -> None:
    row = ForestRow("a", 0.5, 0.01, 0.48, 0.52, labels_low=-9.0, labels_value=0.5, labels_high=9.0)
    forest = Forest((row,))
    drawing = ElementTree.fromstring(svg_forest.bar(forest, row, svg_forest.scale(forest)))
    for mark in drawing.iter():
        for key in ("x1", "x2", "cx"):
            if key in mark.attrib:
                assert 0 <= float(mark.attrib[key].rstrip("%")) <= 100


def test_an_interval_is_as_long_as_it_is_wide() -> None:
    rows = (ForestRow("a", 0.2, 0.1, 0.1, 0.3), ForestRow("b", 0.7, 0.2, 0.5, 0.9))
    forest = Forest(rows, bounds=(0.0, 1.0))
    scale = svg_forest.scale(forest)
    lengths = []
    for row in rows:
        drawing = ElementTree.fromstring(svg_forest.bar(forest, row, scale))
        line = next(mark for mark in drawing.iter("line") if mark.attrib["class"] == "interval")
        lengths.append(float(line.attrib["x2"].rstrip("%")) - float(line.attrib["x1"].rstrip("%")))
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=0.02)


def test_a_rising_curve_rises_on_paper() -> None:
    x = np.linspace(0, 1, 13)
    drawing = ElementTree.fromstring(svg_curve.curve(Curve("t", (Line(x, x**2),)), 700, key="k"))
    d = next(mark.attrib["d"] for mark in drawing.iter("path") if mark.attrib["class"].startswith("line"))
    places = [(float(a), float(b)) for a, b in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", d)]
    assert len(places) == 13
    assert all(b[0] > a[0] and b[1] < a[1] for a, b in pairwise(places))


@pytest.mark.parametrize("width", [330, 700])
def test_nothing_is_drawn_outside_the_paper(width: int) -> None:
    drawing = ElementTree.fromstring(svg_curve.curve(stories.calibration(), width, key="k"))
    height = float(drawing.attrib["height"])
    for mark in drawing.iter():
        for key, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("cy", height)):
            if key in mark.attrib:
                assert 0 <= float(mark.attrib[key]) <= most
        for a, b in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", mark.attrib.get("d", "")):
            assert 0 <= float(a) <= width
            assert 0 <= float(b) <= height


@pytest.mark.parametrize("end", [0.0105, 0.0125, 0.0145, 0.03])
def test_the_name_of_a_target_stands_clear_of_the_line(end: float) -> None:
    x = np.linspace(0, 800, 101)
    y = end + 0.05 * np.exp(-x / 100)
    block = Curve("t", (Line(x, y),), target=0.0129, target_name="settled", zero=True)
    scale_x, scale_y = svg_curve.scales(block, 700)
    drawing = ElementTree.fromstring(svg_curve.curve(block, 700, key="k"))
    name = next(mark for mark in drawing.iter("text") if mark.text == "settled")
    left = float(name.attrib["x"]) - (49 if name.attrib["text-anchor"] == "end" else 0)
    base = float(name.attrib["y"])
    over = [scale_y(b) for a, b in zip(x, y, strict=True) if left <= scale_x(a) <= left + 49]
    assert over
    assert all(place < base - 11 or place > base + 2 for place in over)


def test_a_line_with_gaps_is_broken_and_not_bridged() -> None:
    assert path([(0, 0), (1, 1), (2, math.nan), (3, 3)]) == "M0.0 0.0L1.0 1.0M3.0 3.0"


def test_a_curve_of_nothing_can_be_drawn() -> None:
    empty = np.zeros(0)
    ElementTree.fromstring(svg_curve.curve(Curve("t", (Line(empty, empty),)), 330, key="k"))
    ElementTree.fromstring(svg_curve.curve(Curve("t", (Line(np.ones(1), np.full(1, math.nan)),)), 330, key="k"))


def test_cells_of_the_field_are_told_apart_by_p_and_sign() -> None:
    difference = np.array([[0.0, 0.2, 0.1], [-0.2, 0.0, math.nan], [-0.1, math.nan, 0.0]])
    p = np.array([[1.0, 0.01, 0.2], [0.01, 1.0, math.nan], [0.2, math.nan, 1.0]])
    block = Matrix(("a", "b", "c"), difference, difference - 0.1, difference + 0.1, p)
    assert svg_matrix.verdict(block, 0, 1) == "better"
    assert svg_matrix.verdict(block, 1, 0) == "worse"
    assert svg_matrix.verdict(block, 0, 2) == "open"
    assert svg_matrix.verdict(block, 1, 2) == "unknown"
    drawing = ElementTree.fromstring(svg_matrix.matrix(block, key="k"))
    assert len(list(drawing.iter("rect"))) == 6


def test_tags_escape_text_and_attributes() -> None:
    text = tag("text", {"x": '"><script>'}, "<b>&\x1b", tag("tspan", {}, "ok"))
    assert (
        str(text) == '<text x="&#34;&gt;&lt;script&gt;">&lt;b&gt;&amp;\N{REPLACEMENT CHARACTER}<tspan>ok</tspan></text>'
    )


@settings(derandomize=True, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 7))
def test_ticks_are_few_round_and_inside(low: float, width: float, wanted: int) -> None:
    scale = Scale(low, low + width, 0, 100)
    if scale.high - scale.low < 1e-9 * abs(low):
        return
    ticks = scale.ticks(wanted)
    slack = 1e-6 * width + 1e-9 * abs(low)
    assert len(ticks) <= 2 * wanted + 1
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks)
    assert len({text for _, text in scale.labels(wanted)}) == len(ticks)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=7))
def test_the_range_shown_is_always_a_range(values: list[float]) -> None:
    low, high = span(v for v in values if not math.isfinite(v) or abs(v) < 1e300)
    assert low < high
