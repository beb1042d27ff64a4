"""Figures beside the ratings: curves with an axis, tables with intervals, units, and wins predicted by their law."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.core.estimate import Estimate, Part
from adjudge.flows.figure_blocks import MOST_ROWS, figure_blocks
from adjudge.flows.rank import rank_table
from adjudge.flows.win_block import predicted
from adjudge.reports.story import Curve, Table
from contracts import leagues


def figure(names, value, stderr=0.1) -> Estimate:
    size = len(names)
    part = Part("sampling", stderr**2 * np.eye(size), 31)
    return Estimate(tuple(names), np.asarray(value, dtype=float), (part,), np.full(size, 30.0), method="test.figure")


def rated(**figures: Estimate) -> Estimate:
    plain = figure(["a", "b"], [1.0, 2.0])
    return Estimate(plain.names, plain.value, plain.parts, plain.df, method="ranking.iqm", figures=figures)


def blocks(**figures: Estimate):
    return figure_blocks(rated(**figures), np.array([1, 0]), level=0.9)


def test_a_line_for_each_policy_is_one_picture_the_best_first() -> None:
    marks = ["0.1", "0.5", "2"]
    (curve,) = blocks(**{"profile: a": figure(marks, [0.9, 0.5, 0.1]), "profile: b": figure(marks, [1, 0.7, 0.2])})
    assert isinstance(curve, Curve)
    assert [line.name for line in curve.lines] == ["b", "a"]
    np.testing.assert_array_equal(curve.lines[0].x, [0.1, 0.5, 2.0])
    assert (curve.lines[0].low < curve.lines[0].y).all()


def test_an_entry_for_each_policy_is_a_column_in_the_order_of_the_ranking() -> None:
    (table,) = blocks(coverage=figure(["a", "b"], [0.25, 0.75]), best_share=figure(["a", "b"], [0.0, 1.0], 0.0))
    assert isinstance(table, Table)
    assert table.columns == ("Policy", "Coverage", "Best share")
    assert [row[0] for row in table.rows] == ["b", "a"]
    assert table.rows[0][1].startswith("0.75 (")
    assert "(" not in table.rows[0][2]


def test_long_figures_are_cut_small_ones_share_a_table_and_the_same_things_too() -> None:
    items = [f"item {i}" for i in range(MOST_ROWS + 3)]
    small, long = blocks(
        spread=figure(["s"], [1.0]),
        difficulty=figure(items, np.arange(len(items))),
        loading=figure(items, np.arange(len(items))),
        raters=figure(["r"], [1.0]),
    )
    assert [row[:2] for row in small.rows] == [("Spread", "s")]
    assert long.title == "Difficulty, loading"
    assert len(long.rows) == MOST_ROWS
    assert long.rows[0][0] == items[-1]
    assert f"of {len(items)}" in long.caption


@pytest.mark.parametrize("method", ["copeland", "top_two", "performance_profile", "task_borda", "roboarena"])
def test_real_figures_show_in_the_report(method) -> None:
    scored = method in ("performance_profile", "task_borda")
    answer = rank_table(leagues.scores() if scored else leagues.votes(), method=method)
    shown = figure_blocks(answer.estimate, answer.order, level=0.95)
    assert shown
    assert {block.title for block in shown} <= {block.title for block in answer.story.blocks}


def test_units_say_what_is_counted() -> None:
    def unit(method: str) -> str:
        return rank_table(leagues.votes(), method=method).story.blocks[0].unit

    assert unit("copeland") == "share of the others beaten by a majority, ties half"
    assert unit("auto") == "rating points; 400 are odds of ten to one"
    assert unit("glicko") == "Glicko points"


def test_predicted_wins_follow_the_law_of_ties_that_was_fitted() -> None:
    """Davidson and Newman are one law written in two ways; PPI writes log ν; no law of the half-win has ties."""
    table = leagues.votes()
    by = {
        ties: predicted(rank_table(table, method="bradley_terry", arguments={"ties": ties}).estimate)
        for ties in ("davidson", "newman", "rao-kupper", "half")
    }
    np.testing.assert_allclose(by["davidson"], by["newman"], atol=1e-9)
    np.testing.assert_allclose(by["davidson"], by["rao-kupper"], atol=0.02)
    np.testing.assert_allclose(by["davidson"], by["half"], atol=0.02)
    for share in by.values():
        np.testing.assert_allclose(share + share.T, 1.0)
    some = leagues.votes(trusted=0.5)
    both = [predicted(rank_table(some, method=name).estimate) for name in ("ppi_bradley_terry", "bradley_terry")]
    np.testing.assert_allclose(*both, atol=0.1)
    assert np.isnan(predicted(rank_table(table, method="roboarena").estimate)).all()
