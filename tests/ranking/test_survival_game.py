"""Failure counts: from attempts by hand, exponents that cover, levels, and tails too short to speak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import survival_game
from adjudge.ranking._failures import gathered
from adjudge.stats.power_law import draw
from value import small_tables


def table(counts, **columns):
    """Counts [policies, tasks]."""
    policy, item = (each.ravel() for each in np.indices(np.shape(counts)))
    return small_tables.table(np.full(policy.size, np.nan), np.ravel(counts), policy=policy, cluster=item)


def test_attempts_become_counts_in_any_row_order():
    solved, order = np.array([0, 1, 0, 1, 0, 0, 1.0]), np.array([1, 3, 2, 7, 1, 2, 1.0])
    item = np.array([0, 0, 0, 0, 1, 1, 2])
    made = replace(
        small_tables.table(np.full(7, np.nan), solved, cluster=item),
        covariates=order[:, None],
        covariate_names=("attempt",),
    )
    for rows in (np.arange(7), np.arange(7)[::-1]):
        seen = gathered(made.take(rows), attempts="attempt", cap=np.inf, metric=None)
        np.testing.assert_array_equal(seen.count, [2, 2, 0])
        np.testing.assert_array_equal(seen.censored, [False, True, False])
    seen = gathered(made, attempts="attempt", cap=2, metric=None)
    np.testing.assert_array_equal(seen.censored, [True, True, False])


def test_means_and_first_tries_by_hand():
    found = survival_game.rank(table([[0, 0, 4, 8], [1, 1, 1, 1]]), by="failures")
    np.testing.assert_allclose(found.value, [-3, -1])
    np.testing.assert_allclose(found.figures["failures"].value, [3, 1])
    np.testing.assert_allclose(found.figures["variance"].value, [np.var([0, 0, 4, 8], ddof=1), 0])
    np.testing.assert_allclose(found.figures["first_try"].value, [0.5, 0])
    assert np.isnan(found.figures["exponent"].value).all()
    assert {"tail-too-short"} <= {finding.code for finding in found.findings}


def test_a_heavy_tail_behind_many_first_successes_reverses_the_order():
    rng = np.random.default_rng(3)
    often = np.where(rng.random(2003) < 0.7, 0, draw(1.7, 1.0, (2003,), rng))
    steady = np.where(rng.random(2003) < 0.3, 0, draw(3.8, 1.0, (2003,), rng))
    found = survival_game.rank(table([often, steady]))
    assert found.figures["first_try"].value[0] > found.figures["first_try"].value[1]
    assert found.difference("p0", "p1").interval()[0, 1] < 0
    assert survival_game.levels(found)[0, 0] > 0.9
    assert survival_game.levels(found)[1, 2] > 0.9
    assert "mean-may-be-infinite" in {finding.code for finding in found.findings}


@pytest.mark.parametrize("cap", [np.inf, 30.0])
def test_the_exponent_covers(cap):
    """30 worlds of 3 policies, 401 tasks: 95 % intervals of α = 2.5 cover within three standard errors."""
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(30):
        found = survival_game.rank(table(draw(2.5, 1.0, (3, 401), rng)), cap=cap, draws=39)
        low, high = found.interval().T
        hits += ((low <= 2.5) & (high >= 2.5)).tolist()
    assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(hits))


def test_counts_that_repeat_within_clusters_are_not_twice_the_evidence():
    x = draw(2.5, 1.0, (1, 503), np.random.default_rng(7))
    once = survival_game.rank(table(x), draws=39)
    double = table(np.repeat(x, 2, axis=1))
    twice = survival_game.rank(replace(double, cluster=double.item // 2), draws=39)
    assert twice.value[0] == pytest.approx(once.value[0], abs=1e-6)
    assert twice.parts[0].covariance[0, 0] == pytest.approx(once.parts[0].covariance[0, 0], rel=1e-6)


def test_a_light_tail_never_passes_for_a_heavy_one():
    x = 3 + np.random.default_rng(11).poisson(20, (1, 2003))
    found = survival_game.rank(table(x), draws=99)
    assert found.value[0] > 3
    assert "mean-may-be-infinite" not in {finding.code for finding in found.findings}


def test_impossible_counts_are_refused():
    for wrong in (-1.0, 0.5):
        with pytest.raises(AdjudgeError, match="no counts"):
            survival_game.rank(table([[wrong, 1.0]]))
    with pytest.raises(AdjudgeError, match="by"):
        survival_game.rank(table([[1.0]]), by="luck")


def test_no_rows_say_nothing():
    found = survival_game.rank(table([[1.0, 2.0]]).take(np.zeros(0, dtype=np.int64)))
    assert np.isnan(found.value).all()
    assert np.isnan(found.stderr).all()
