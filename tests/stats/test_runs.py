"""Statistics of a few runs: each is the mean over all subsets, counted one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from adjudge.stats.runs import Runs, runs
from value import small_tables


def cells(*scores: list[float]) -> Runs:
    flat = [value for cell in scores for value in cell]
    item = [place for place, cell in enumerate(scores) for _ in cell]
    return runs(small_tables.table(np.full(len(flat), np.nan), flat, cluster=item))


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_best_worst_and_majority_are_means_over_all_subsets(m: int) -> None:
    graded, binary = [0.3, 0.9, 0.1, 0.3, 0.7], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    made = cells(graded, binary)
    for place, cell in enumerate((graded, binary)):
        subsets = list(combinations(cell, m))
        assert made.best_of(m)[place] == pytest.approx(np.mean([max(s) for s in subsets]))
        assert made.worst_of(m)[place] == pytest.approx(np.mean([min(s) for s in subsets]))
        right = [np.mean([x >= 0.5 for x in s]) for s in subsets]
        assert made.majority_of(m)[place] == pytest.approx(
            np.mean([1.0 if r > 0.5 else r if r == 0.5 else 0 for r in right])
        )


def test_agreement_entropy_and_variance_by_hand() -> None:
    made = cells([0, 0, 1, 2], [1, 1, 1], [5])
    np.testing.assert_allclose(made.agreement(), [2 / 12, 1, np.nan])
    np.testing.assert_allclose(made.entropy(), [1.5 + 2 / 8 / np.log(2), 0, np.nan])
    np.testing.assert_allclose(made.variance(), [np.var([0, 0, 1, 2], ddof=1), 0, np.nan])


def test_too_few_runs_give_nan_and_rows_of_no_weight_or_score_are_no_runs() -> None:
    table = small_tables.table(
        np.full(5, np.nan), [1, 0, 1, np.nan, 1], cluster=[0, 0, 0, 0, 1], weight=[1, 1, 0, 1, 3]
    )
    made = runs(table)
    np.testing.assert_array_equal(made.size, [2, 1])
    np.testing.assert_array_equal(made.weight, [1, 3])
    np.testing.assert_array_equal(made.best_of(2), [1, np.nan])
    assert runs(table.take(np.zeros(0, dtype=np.int64))).size.size == 0


def test_best_of_two_is_unbiased() -> None:
    """3 runs of each of 20,011 tasks of known p: the mean of best-of-2 is E[1 − (1−p)²] within five standard errors."""
    rng = np.random.default_rng(17)
    p = rng.beta(2, 2, 20_011)
    score = (rng.random((p.size, 3)) < p[:, None]).astype(float)
    made = runs(small_tables.table(np.full(score.size, np.nan), score.ravel(), cluster=np.repeat(np.arange(p.size), 3)))
    off = made.best_of(2) - (1 - (1 - p) ** 2)
    assert abs(off.mean()) < 5 * off.std() / np.sqrt(p.size)
