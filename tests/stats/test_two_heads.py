"""Two parts of a reward: derivatives, and an error that is the derivative of the fit by each cluster's weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.stats import two_heads, two_heads_way
from adjudge.stats.pair_logit import Pairs
from adjudge.tables.preferences import from_arrays
from rewards.test_disentangled import confounded


def test_derivatives_of_the_correlation() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 5))
    lengths = two_heads.Lengths(rng.normal(size=5), root @ root.T, 2.3)
    u, step = rng.normal(size=5), 1e-6
    for axis in np.eye(5):
        up, down = (lengths.correlation(u + sign * step * axis) for sign in (1, -1))
        np.testing.assert_allclose(lengths.slope(u) @ axis, (up - down) / (2 * step), rtol=1e-6, atol=1e-9)
        up2, down2 = (lengths.slope(u + sign * step * axis) for sign in (1, -1))
        np.testing.assert_allclose(lengths.bend(u) @ axis, (up2 - down2) / (2 * step), rtol=1e-5, atol=1e-8)


def test_moments_are_those_of_all_responses() -> None:
    table = replace(confounded(97, 1), weight=np.random.default_rng(2).integers(1, 4, 97).astype(float))
    lengths = two_heads.moments(table)[0]
    x = np.concatenate([table.left, table.right])
    times = np.tile(table.weight, 2).astype(int)
    whole = np.cov(np.column_stack([x, table.length.T.ravel()]).T, fweights=times, ddof=0)
    np.testing.assert_allclose(lengths.S, whole[:-1, :-1], atol=1e-12)
    np.testing.assert_allclose(lengths.c, whole[:-1, -1], atol=1e-12)
    np.testing.assert_allclose(lengths.v, whole[-1, -1])
    u = np.arange(5.0)
    repeated = x.repeat(times, axis=0) @ u, table.length.T.ravel().repeat(times)
    np.testing.assert_allclose(lengths.correlation(u), np.corrcoef(*repeated)[0, 1])


def test_influence_is_the_derivative_by_a_clusters_weight() -> None:
    table = replace(confounded(199, 3), cluster=np.arange(199) // 2)
    ways = {"apart": 0.7, "square": 0.5, "ridge": 2.0}
    base = two_heads.fit(table, **ways)
    factor = np.sqrt(100 / 99)
    step = 1e-3
    for cluster in (0, 41, 99):
        moved = []
        for sign in (1, -1):
            weight = np.where(table.cluster == cluster, 1 + sign * step, 1.0)
            heads = two_heads.fit(replace(table, weight=weight), **ways)
            moved.append(np.concatenate([heads.quality, heads.length]))
        # The penalties' size W·λ moves with the weights, too: a slope of its own, taken off here.
        by_weight = (moved[0] - moved[1]) / (2 * step)
        share = (table.cluster == cluster).sum() / 199
        grown = []
        for sign in (1, -1):
            size = 1 + sign * step * share
            heads = two_heads.fit(table, apart=0.7 * size, square=0.5 * size, ridge=2.0)
            grown.append(np.concatenate([heads.quality, heads.length]))
        by_size = (grown[0] - grown[1]) / (2 * step)
        np.testing.assert_allclose(base.influence[cluster] / factor, by_weight - by_size, rtol=2e-2, atol=2e-4)


@pytest.mark.parametrize(("apart", "square"), [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (30.0, 7.0)])
@pytest.mark.parametrize("d", [5, 127])
def test_no_slope_is_left_where_steps_end_with_few_features_and_with_more_than_pairs(
    d: int, apart: float, square: float
) -> None:
    rng = np.random.default_rng(11)
    left, right = rng.normal(size=(2, 97, d))
    lead = (left - right)[:, :3].sum(axis=1)
    long = np.exp(np.column_stack([left[:, 0], right[:, 0]]) + rng.normal(size=(97, 2)))
    table = from_arrays(left, right, rng.random(97) < 1 / (1 + np.exp(-lead)), length=long)
    found = two_heads.fit(table, apart=apart, square=square, ridge=1.0)
    pairs = Pairs(table.difference, table.target, 1 - table.target)
    task = two_heads_way.Task(pairs, found.lengths, 97.0, apart, square, 1.0)
    u = np.concatenate([found.quality, found.length])
    slope = task.smooth(u)[1] + task.slopes(u).T @ task.pull(u)
    np.testing.assert_allclose(slope, 0, atol=1e-6)
    assert np.linalg.eigvalsh(task.bend(u, task.pull(u))).min() > -1e-8  # a minimum, or a valley, and no saddle
    for axis in np.eye(2 * d)[:: max(d // 3, 1)]:
        up, down = (task.value(u + sign * 1e-5 * axis) for sign in (1, -1))
        assert min(up, down) >= task.value(u) - 1e-9
