"""Rules over repeated runs: by hand, at m = 1, unbiased for few runs, and covered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import repeats
from adjudge.stats.slicing import difficulty, slice_rows
from value import small_tables


def table(score, policy, item, **columns):
    score = np.asarray(score, dtype=float)
    made = small_tables.table(np.full(score.size, np.nan), score, policy=policy, cluster=item)
    return replace(
        made, covariate_names=tuple(columns), covariates=np.column_stack([*columns.values(), np.zeros((score.size, 0))])
    )


def test_the_rules_by_hand():
    """Policy p0: task 0 is 1 1 0, task 1 is 0 0 0; policy p1: 1 0 0 and 1 1 1."""
    score = [1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1]
    ratings = table(score, np.repeat([0, 1], 6), np.tile(np.repeat([0, 1], 3), 2))
    figures = repeats.rank(ratings, draws=2).figures
    np.testing.assert_allclose(figures["average"].value, [1 / 3, 2 / 3])
    np.testing.assert_allclose(figures["best"].value, [1 / 2, (2 / 3 + 1) / 2])
    np.testing.assert_allclose(figures["worst"].value, [1 / 6, 1 / 2])
    np.testing.assert_allclose(figures["repeatability"].value, [2 / 3, 2 / 3])
    np.testing.assert_allclose(repeats.rank(ratings).figures["majority"].value, [1 / 2, 1 / 2])
    np.testing.assert_allclose(figures["gap"].value, figures["best"].value - figures["worst"].value)


def test_with_one_draw_every_rule_is_the_average():
    rng = np.random.default_rng(3)
    ratings = table(rng.random(210) < 0.6, np.arange(210) % 2, np.arange(210) // 6)
    figures = repeats.rank(ratings, draws=1).figures
    for rule in ("best", "worst", "majority"):
        np.testing.assert_allclose(figures[rule].value, figures["average"].value)
        np.testing.assert_allclose(figures[rule].covariance, figures["average"].covariance)


def test_the_majority_of_answers_can_be_right_without_half_of_the_runs():
    answer = [7, 7, 1, 2, 3, 4, 4, 5, 5, 5]
    right = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0]
    ratings = table(right, np.zeros(10, int), np.repeat([0, 1], 5), answer=answer)
    assert repeats.rank(ratings, rule="majority", answer="answer").value[0] == pytest.approx(0.5)
    assert repeats.rank(ratings, rule="majority").value[0] == 0
    tie = table([1, 1, 0, 0], np.zeros(4, int), np.zeros(4, int), answer=[1, 1, 2, 2])
    assert repeats.rank(tie, rule="majority", answer="answer").value[0] == pytest.approx(0.5)


def test_slices_cross_and_difficulty_falls():
    rng = np.random.default_rng(5)
    items, runs = 211, 3
    human = rng.random(items)
    item = np.tile(np.repeat(np.arange(items), runs), 2)
    policy = np.repeat([0, 1], items * runs)
    score = rng.random(item.size) < np.clip(human[item] * 0.8 + 0.1, 0, 1)
    ratings = table(score, policy, item, human=human[item], ability=item % 2, modality=item % 3)
    found = repeats.rank(ratings, by=("ability*modality",), human="human")
    assert len(found.figures["slices"].names) == 2 * 6
    assert found.figures["slices"].names[0] == "p0 · ability=0 · modality=0"
    assert (found.figures["trend"].interval()[:, 1] < 0).all()
    rows = (policy == 1) & (difficulty(human[item]) == 4)
    assert found.figures["difficulty"].value[5 + 3] == pytest.approx(score[rows].mean())
    code, names = slice_rows(ratings, "modality")
    assert (names[2], code[2 * runs]) == ("modality=2", 2)


def test_coverage_of_best_of_two_with_clusters_of_tasks():
    """400 worlds, 61 clusters of 2 tasks, 3 runs: 95 % intervals of best-of-2 cover within 3.2 standard errors."""
    rng = np.random.default_rng(7)
    worlds, clusters, inside = 400, 61, 0
    truth = 0.7  # E[1 − (1 − p)²] for p ~ Beta(2, 2)
    for _ in range(worlds):
        p = np.repeat(rng.beta(2, 2, clusters), 2)
        score = (rng.random((p.size, 3)) < p[:, None]).astype(float).ravel()
        made = small_tables.table(np.full(score.size, np.nan), score, cluster=np.repeat(np.arange(p.size), 3) // 2)
        low, high = repeats.rank(replace(made, item=np.repeat(np.arange(p.size), 3)), rule="best", draws=2).interval()[
            0
        ]
        inside += low <= truth <= high
    assert 0.92 <= inside / worlds <= 0.985


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_too_little_gives_nan_errors_and_findings(rows):
    ratings = (
        table(np.ones(rows), np.zeros(rows, int), np.zeros(rows, int))
        if rows
        else table(np.ones(1), np.zeros(1, int), np.zeros(1, int)).take(np.zeros(0, dtype=np.int64))
    )
    found = repeats.rank(ratings)
    assert np.isnan(found.stderr).all()
    assert found.findings
    if rows == 1:
        assert np.isnan(found.figures["repeatability"].value).all()


def test_impossible_questions_are_refused():
    ratings = table([1.0, 0.0], np.zeros(2, int), np.zeros(2, int))
    with pytest.raises(AdjudgeError, match="rule"):
        repeats.rank(ratings, rule="median")
    with pytest.raises(AdjudgeError, match="human accuracy"):
        difficulty([0.5, 70.0])
