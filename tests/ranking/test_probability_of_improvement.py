"""Mann-Whitney by task: definition, projection against bootstrap, order alone, coverage, speed.

Golden values: rliable 1.2.0 (google-research/rliable, Apache-2.0), `metrics.probability_of_improvement` on the array of
`world()`, computed with NumPy 2 and pandas 2.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import probability_of_improvement as improvement
from ranking.run_tables import codes, table


def world() -> np.ndarray:
    """[3, 13, 8] scores that anybody can write down again."""
    k, t, r = np.indices((3, 13, 8))
    return (7 * k + 11 * t + 5 * r + t * r * (k + 1)) % 31 / 20


def test_agrees_with_rliable() -> None:
    result = improvement.rank(table(world()))
    pairs = result.figures["pairs"]
    np.testing.assert_allclose(pairs.value, [0.5168269230769231, 0.4495192307692308, 0.4296875], rtol=1e-12)
    assert pairs.names == ("p0 > p1", "p0 > p2", "p1 > p2")
    a, b, c = pairs.value
    np.testing.assert_allclose(result.value, [(a + b) / 2, (1 - a + c) / 2, (2 - b - c) / 2], rtol=1e-12)


def test_values_and_pairs_are_one_error() -> None:
    result = improvement.rank(table(world()))
    W = np.array([[1, 1, 0], [-1, 0, 1], [0, -1, -1]]) / 2
    np.testing.assert_allclose(W @ result.figures["pairs"].covariance @ W.T, result.covariance, atol=1e-15)
    single = improvement.rank(table(world()[:, :, :1]))
    np.testing.assert_allclose(W @ single.figures["pairs"].covariance @ W.T, single.covariance, atol=1e-15)


def test_projection_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.3, 1, 11), rng.normal(size=11)
    result = improvement.rank(table(np.stack([x, y])[:, None]))
    beats = (x[:, None] > y).astype(float)
    expected = beats.mean(axis=1).var(ddof=1) / 11 + beats.mean(axis=0).var(ddof=1) / 11  # DeLong's variance
    assert result.figures["pairs"].stderr[0] ** 2 == pytest.approx(expected)


@pytest.mark.parametrize("repeats", [1, 7])
def test_bootstrap_agrees_with_the_projection(repeats: int) -> None:
    score = np.random.default_rng(5).normal(size=(3, 41, repeats)) + np.arange(3)[:, None, None] / 5
    analytic, drawn = (improvement.rank(table(score), error=error, draws=4001) for error in improvement.ERRORS)
    np.testing.assert_array_equal(analytic.value, drawn.value)
    np.testing.assert_allclose(drawn.stderr, analytic.stderr, rtol=0.12)  # (n/(n − 1))² of the second-order term
    assert np.all(drawn.stderr > 0.95 * analytic.stderr)


def test_only_order_counts() -> None:
    one, other = (improvement.rank(table(score)) for score in (world(), np.exp(world()) ** 3))
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)


def test_a_policy_and_its_twin_are_even() -> None:
    score = np.random.default_rng(7).normal(size=(1, 5, 7))
    twins = improvement.rank(table(np.concatenate([score, score])))
    np.testing.assert_allclose(twins.value, 0.5)
    ties = improvement.rank(table(np.ones((2, 5, 7))))
    np.testing.assert_allclose(ties.value, 0.5)
    assert np.isnan(ties.figures["pairs"].stderr).all()
    assert codes(ties) == ["runs-all-tie"]
    assert np.isnan(ties.interval()).all()


def test_runs_that_never_lose_are_not_certain_to_win() -> None:
    score = np.stack([np.full((1, 5), 2.0) + np.arange(5) / 9, np.arange(5)[None] / 9.0])
    pair = improvement.rank(table(score)).figures["pairs"]
    assert pair.value[0] == 1.0
    assert 0.3 < pair.interval()[0, 0] < 0.8
    uneven = np.full((2, 1, 30), np.nan)  # thirty runs that all lose to ten
    uneven[0, 0], uneven[1, 0, :10] = np.arange(30) / 99, 1 + np.arange(10) / 99
    result = improvement.rank(table(uneven))
    assert codes(result) == []
    assert result.figures["pairs"].value[0] == 0.0
    assert 0.1 < result.figures["pairs"].interval()[0, 1] < 0.5
    between = np.stack([np.arange(5)[None] / 9.0 + shift for shift in (0, 1, 2)])
    low, high = improvement.rank(table(between)).interval()[1]  # always beats one and never the other
    assert high - low > 0.2


def test_too_little_gives_nan() -> None:
    alone = improvement.rank(table(world()[:1]))
    assert np.isnan(alone.value).all()
    nothing = np.ones((2, 3, 2))
    nothing[0] = np.nan
    result = improvement.rank(table(nothing))
    assert np.isnan(result.value).all()
    assert "tasks-not-shared" in codes(result)
    one_task = improvement.rank(table(world()[:, :1, :1]))
    assert np.isnan(one_task.stderr).all()
    with pytest.raises(AdjudgeError):
        improvement.rank(table(world()), error="guess")


def test_intervals_of_pairs_cover() -> None:
    """Normal runs, four of each on five tasks; truth Φ(δ/√2); 500 independent pairs counted together."""
    trials, level, delta = 500, 0.95, 0.5
    truth = special.ndtr(delta / np.sqrt(2))
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(trials):
        score = rng.normal(size=(2, 5, 4)) + np.array([delta, 0.0])[:, None, None]
        low, high = improvement.rank(table(score)).figures["pairs"].interval(level)[0]
        hits += low <= truth <= high
    assert hits / trials > level - 4 * np.sqrt(level * (1 - level) / trials), hits / trials


def test_two_thousand_replicates_of_28_pairs_are_quick() -> None:
    score = np.random.default_rng(13).normal(size=(8, 26, 10))
    start = time.perf_counter()
    improvement.rank(table(score), error="bootstrap", draws=2000)
    assert time.perf_counter() - start < 5  # a quarter of a second on an idle core
