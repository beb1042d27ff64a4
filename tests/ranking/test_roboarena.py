"""RoboArena: one bucket is Davidson, derivatives are exact, EM climbs, buckets are found, intervals cover."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import _buckets, roboarena
from adjudge.stats.paired import newton, scale, votes
from adjudge.tables.comparisons import Comparisons, from_arrays

ALPHA = np.array([[1.2, 0.8, 0.0, -0.7, -1.3], [-0.6, 1.0, -1.0, 0.5, 0.1]])
HARD, NU, SHARE = np.array([-0.5, 1.5]), np.array([0.3, 1.4]), np.array([0.6, 0.4])


def world(seed: int, *, n: int = 3001, tasks: int = 211, one: bool = False) -> tuple[Comparisons, np.ndarray]:
    """Votes with progress on tasks of two kinds, or of one."""
    rng = np.random.default_rng(seed)
    kind = np.where(one, 0, rng.choice(2, tasks, p=SHARE))
    item, k = rng.integers(0, tasks, n), ALPHA.shape[1]
    left = rng.integers(0, k, n)
    right = (left + rng.integers(1, k, n)) % k
    z = kind[item]
    win = np.exp((ALPHA[z, left] - ALPHA[z, right]) / 2)
    u = rng.random(n) * (win + NU[z] + 1 / win)
    outcome = np.where(u < win, 1.0, np.where(u < win + NU[z], 0.5, 0.0))
    ends = [rng.random(n) < 1 / (1 + np.exp(HARD[z] - ALPHA[z, side])) for side in (left, right)]
    return from_arrays(left, right, outcome, item=item), np.column_stack(ends).astype(float)


def cells_of(table: Comparisons, progress: np.ndarray | None) -> _buckets.Cells:
    return roboarena._cells(table, np.arange(table.n), np.arange(table.k), progress)[0]


def test_one_bucket_is_davidson() -> None:
    table, _ = world(1)
    result = roboarena.rank(table, buckets=1, draws=11)
    np.testing.assert_allclose(result.value, scale.points(newton.fit(votes.collect(table)).theta), atol=1e-6)


def test_one_bucket_has_the_error_of_the_clustered_sandwich() -> None:
    from adjudge.stats.paired import sandwich

    table, _ = world(2, one=True)
    fit = newton.fit(votes.collect(table))
    expected = np.sqrt(np.diag(sandwich.covariance(fit, table.item[:, None])[0])[:5]) * scale.POINTS
    result = roboarena.rank(table, buckets=1, draws=1000)
    np.testing.assert_allclose(result.stderr, expected, rtol=0.12)


def test_gradient_and_curvature_are_those_of_finite_differences() -> None:
    table, progress = world(3, n=199, tasks=13)
    cells, rng, k, T, h = cells_of(table, progress), np.random.default_rng(0), 5, 2, 1e-5
    chance = rng.dirichlet([1.0, 1.0], cells.task.size).T[None]
    flat = np.concatenate([rng.normal(0, 0.5, T * k), [-0.3, 0.4], [0.2, -0.6], [1.3]])

    def model(at: np.ndarray) -> _buckets.Model:
        return _buckets.Model(np.full((1, T), 0.5), at[:10].reshape(1, T, k), at[None, 10:12], at[None, 12:14], at[14:])

    def value(at: np.ndarray) -> float:
        table = _buckets.log_table(cells, model(at))[0]
        return float((chance[0] * (cells.sums @ table.T).T).sum())

    def slope(at: np.ndarray) -> np.ndarray:
        return _buckets.newton_system(cells, model(at), chance, 1.0, pinned=False)[0][0]

    steps = np.eye(flat.size) * h
    numeric = [(value(flat + step) - value(flat - step)) / (2 * h) for step in steps]
    np.testing.assert_allclose(slope(flat), numeric, rtol=1e-6, atol=1e-6)
    curvature = _buckets.newton_system(cells, model(flat), chance, 1.0, pinned=False)[1][0]
    pure = np.r_[:14]  # without progress' slope c, the curvature is the Hessian itself
    hessian = np.array([-(slope(flat + step) - slope(flat - step)) / (2 * h) for step in steps])
    np.testing.assert_allclose(curvature[np.ix_(pure, pure)], hessian[np.ix_(pure, pure)], rtol=1e-5, atol=1e-5)


def test_em_climbs_and_stands_still_at_its_answer() -> None:
    table, progress = world(4, n=1009, tasks=97)
    cells = cells_of(table, progress)
    model = _buckets.start(cells, 2, 1, np.random.default_rng(1))
    one, values = np.ones((1, cells.task.size)), []
    for _ in range(30):
        value, chance = _buckets.expect(cells, model, one)
        pull = ((model.alpha - model.alpha.mean(axis=1, keepdims=True)) ** 2).sum() / 2
        values.append(value[0] - pull)
        model = _buckets.improve(cells, model, chance, one, 1.0)
    assert np.all(np.diff(values) > -1e-6)
    still, _, settled = _buckets.climb(cells, model, one, 1.0, steps=2000, tolerance=1e-10)
    again, _, _ = _buckets.climb(cells, still, one, 1.0, steps=1, tolerance=0.0)
    assert settled
    np.testing.assert_allclose(again.overall(), still.overall(), atol=1e-8)


@pytest.mark.parametrize("scored", [False, True])
def test_buckets_are_found_and_so_is_what_each_policy_does_in_them(scored: bool) -> None:
    table, progress = world(5, n=9001, tasks=307)
    result = roboarena.rank(table, progress=progress if scored else None, draws=60)
    assert result.figures["buckets"].names == ("bucket 1", "bucket 2")
    np.testing.assert_allclose(result.figures["buckets"].value, SHARE, atol=0.1)
    by_bucket = (result.figures["by_bucket"].value.reshape(2, 5) - 1000) / scale.POINTS
    np.testing.assert_allclose(by_bucket, ALPHA - ALPHA.mean(axis=1, keepdims=True), atol=0.25)
    if scored:
        expected = HARD - ALPHA.mean(axis=1)
        np.testing.assert_allclose(result.figures["difficulty"].value, expected, atol=0.25)


def test_tasks_of_one_kind_make_one_bucket() -> None:
    table, _ = world(6, one=True)
    result = roboarena.rank(table, draws=20)
    assert result.figures["buckets"].names == ("bucket 1",)
    assert np.argmin(result.figures["bic"].value) == 0


def test_swapped_and_shuffled_rows_and_seeds() -> None:
    table, progress = world(7, n=809, tasks=53)
    rng = np.random.default_rng(0)
    expected = roboarena.rank(table, progress=progress, buckets=2, draws=30)
    turn, order = rng.random(table.n) < 0.5, rng.permutation(table.n)
    turned = np.where(turn[:, None], progress[:, ::-1], progress)
    for other, scored in ((table.swapped(turn), turned), (table.take(order), progress[order])):
        result = roboarena.rank(other, progress=scored, buckets=2, draws=30)
        np.testing.assert_allclose(result.value, expected.value, atol=1e-5)
        np.testing.assert_allclose(result.covariance, expected.covariance, rtol=1e-4, atol=1e-4)
    assert np.any(roboarena.rank(table, buckets=1, draws=30, seed=1).stderr != roboarena.rank(table, buckets=1).stderr)


def test_ranks_have_an_error_even_where_no_replicate_changed_them() -> None:
    rng = np.random.default_rng(8)
    left = rng.integers(0, 2, 2003)
    table = from_arrays(left, left + 1, (rng.random(2003) < 0.9).astype(float))
    rank = roboarena.rank(table, buckets=1, draws=50).figures["rank"]
    assert rank.value.tolist() == [1, 2, 3]
    np.testing.assert_allclose(rank.stderr**2, 1 / 51)


def test_input_that_says_nothing() -> None:
    table, progress = world(9, n=101, tasks=7)
    undefeated = from_arrays(np.array([0, 0, 1, 2]), np.array([1, 2, 2, 1]), np.array([1.0, 1.0, 1.0, 1.0]))
    result = roboarena.rank(undefeated, draws=20)
    assert np.isnan(result.value[0])
    assert "policy-undefeated" in {finding.code for finding in result.findings}
    nothing = roboarena.rank(from_arrays(np.array([0]), np.array([1]), np.array([np.nan])), draws=20)
    assert np.isnan(nothing.value).all()
    single = roboarena.rank(table.take(table.item == table.item[0]), buckets=1, draws=20)
    assert np.isnan(single.stderr).all()
    with pytest.raises(AdjudgeError, match="progress"):
        roboarena.rank(table, progress=2 * progress + 1)
    with pytest.raises(AdjudgeError, match="buckets"):
        roboarena.rank(table, buckets=0)


def test_intervals_cover_the_strength_over_the_mix_of_tasks() -> None:
    trials, level, hits = 60, 0.95, 0.0
    mix = SHARE @ ALPHA
    truth = scale.CENTRE + scale.POINTS * (mix - mix.mean())
    for seed in range(trials):
        table, progress = world(100 + seed, n=2003, tasks=151)
        low, high = roboarena.rank(table, progress=progress, buckets=2, draws=100, restarts=2).interval(level).T
        hits += float(np.mean((low <= truth) & (truth <= high)))
    tolerance = 4 * np.sqrt(level * (1 - level) / (trials * 2))
    assert abs(hits / trials - level) < tolerance, hits / trials
