"""The table of aggregators: a planted crowd of clickers, coverage of what is known, and too little gold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.flows import consensus_table
from adjudge.flows.consensus_table import accuracies, consensus_blocks, consensuses
from aggregation.crowds import coins, drawn, table


def clickers(seed, m=401, known=211):
    """Four raters who look and seven who nearly always say the first class; gold on some items."""
    always = np.zeros((7, 3, 3))
    always[:, :, 0], always[:, :, 1:] = 0.9, 0.05
    labels, truth = drawn(seed, np.concatenate([coins([0.9, 0.9, 0.85, 0.8], 3), always]), m=m, each=7)
    return replace(labels, gold=np.where(np.arange(m) < known, truth, -1)), truth


def test_the_method_for_clickers_beats_the_majority_on_clickers() -> None:
    labels, truth = clickers(1)
    forest, pairs, sure = consensus_blocks(labels)
    value = {row.policy: row for row in forest.rows}
    assert list(value) == ["majority", "weighted", "one_coin", "dawid_skene", "mace", "glad", "bayesian"]
    assert value["mace"].low > value["majority"].high
    row = next(row for row in pairs.rows if row[:2] == ("majority", "mace"))
    assert row[2].startswith("-")
    assert float(row[4]) < 0.01
    made = consensuses(labels, seed=0)
    assert np.mean(made["mace"].label[:211] == truth[:211]) == pytest.approx(value["mace"].value)
    assert [row[0] for row in sure.rows] == list(value)
    assert sure.rows[0][2] == f"{100 * value['majority'].value:.1f} %"


def test_a_tie_counts_by_its_shares() -> None:
    labels = replace(table([0, 0, 1, 1, 2, 2], [0, 1] * 3, [0, 1, 0, 0, 1, 1], C=2), gold=np.array([0, 0, 0]))
    seen = accuracies(labels, {"majority": consensuses(labels, seed=0)["majority"]})
    assert seen.value.tolist() == [0.5]
    assert seen.stderr[0] == pytest.approx(np.std([0.5, 1, 0], ddof=1) / np.sqrt(3))


def test_without_gold_there_is_nothing_to_show() -> None:
    labels, _ = clickers(2)
    assert consensus_blocks(replace(labels, gold=np.full(401, -1))) == []
    assert consensus_blocks(replace(labels, gold=np.where(np.arange(401) == 3, 0, -1))) == []


def test_large_tables_are_spared_the_slow_methods(monkeypatch) -> None:
    labels, _ = clickers(3, m=101, known=97)
    monkeypatch.setattr(consensus_table, "LARGE", labels.n - 1)
    assert list(consensuses(labels, seed=0)) == ["majority", "weighted", "one_coin", "dawid_skene", "mace"]


def test_methods_that_are_always_right_have_no_error_to_show() -> None:
    labels, truth = drawn(4, coins([1.0, 1.0, 1.0], 2), m=31, each=3)
    forest, pairs, _ = consensus_blocks(replace(labels, gold=truth))
    assert all(row.value == 1 and np.isnan(row.stderr) for row in forest.rows)
    assert pairs.rows == ()
