"""Wins seen beside predicted, and forests that do not rank: what the page and the exports say of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adjudge.reports import export, svg_wins, terminal
from adjudge.reports.page import page
from adjudge.reports.pairs import Wins
from adjudge.reports.story import Forest, ForestRow, Story

NAN = np.nan


def wins(k: int) -> Wins:
    share = np.clip(0.5 + 0.02 * (np.arange(k)[None, :] - np.arange(k)[:, None]), 0, 1)
    games = np.full((k, k), 17.0)
    seen = share.copy()
    seen[0, 1] = seen[1, 0] = NAN
    games[0, 1] = games[1, 0] = 0
    return Wins(tuple(f"m<{i}>" for i in range(k)), seen, share, games)


def test_words_of_a_cell() -> None:
    block = wins(3)
    assert (
        svg_wins.words(block, 0, 2)
        == "m<0> against m<2>: won 54\N{NO-BREAK SPACE}% of 17; predicted 54\N{NO-BREAK SPACE}%"
    )
    assert svg_wins.words(block, 0, 1) == "m<0> against m<1>: never met; predicted 52\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.5, ("better", 0.12)), (1.0, ("better", 1.0)), (0.0, ("worse", 1.0)), (NAN, ("unknown", 1.0))],
)
def test_tint_grows_with_the_distance_from_even(share, expected) -> None:
    assert svg_wins.tint(share) == expected


@pytest.mark.parametrize("k", [3, 17, 71])
def test_few_names_are_figures_and_many_a_field(k) -> None:
    text = page(Story("Who?", "Nobody.", (wins(k),)))
    assert "m&lt;0&gt;" in text
    assert "m<0>" not in text
    assert ("Row wins, %" in text) is (k <= 12)
    assert text.count("<rect") == (0 if k <= 12 else min(k, 60) * (min(k, 60) - 1))


def two_forests() -> Story:
    ratings = Forest(
        (ForestRow("ant", 1012.0, 5.0, 1002.0, 1022.0, rank_low=1, rank_high=1, n_rows=41),), count_name="Votes"
    )
    effects = Forest((ForestRow("length", 31.0, 4.0, 23.0, 39.0),), title="Effects", subject="Effect", ranked=False)
    return Story("Who?", "ant.", (ratings, effects))


def test_figures_beside_the_answer_have_no_rank_and_stay_out_of_the_exported_policies() -> None:
    story = two_forests()
    told = json.loads(export.to_json(story))
    assert [row["policy"] for row in told["policies"]] == ["ant"]
    assert told["figures"]["Effects"] == [{"policy": "length", "value": 31.0, "stderr": 4.0, "low": 23.0, "high": 39.0}]
    lines = terminal.table(story, width=100, ascii_only=True).splitlines()
    assert lines[0].split()[-1] == "Votes"
    assert lines[1].split()[-1] == "41"
    effect = next(line for line in lines if line.startswith("length"))
    assert "P(best)" not in effect
    assert "Rank" not in lines[lines.index(effect) - 1]


def test_the_page_names_what_the_last_column_counts() -> None:
    text = page(two_forests())
    assert text.count(">Votes</th>") == 1
    assert text.count(">P(best)</th>") == 1


def test_a_forest_without_any_rank_has_no_column_for_it() -> None:
    told = Forest((ForestRow("ant", 0.7, 0.1, 0.5, 0.9, n_rows=41),), count_name="Runs")
    text = page(Story("Who?", "ant.", (told,)))
    assert ">P(best)</th>" not in text
    assert ">Runs</th>" in text
    assert terminal.table(Story("", "", (told,)), width=90, ascii_only=True).splitlines()[0].split()[-1] == "Runs"
