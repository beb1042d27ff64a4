"""The error of values in steps: it reaches the other side of a step, and leaves smooth values as they are."""

from __future__ import annotations

import numpy as np

from adjudge.stats.voting.steps import reaching


def test_normal_replicates_keep_their_spread() -> None:
    root = np.array([[1.0, 0.0, 0.0], [-0.5, 0.8, 0.0], [0.2, 0.3, 2.0]])
    drawn = np.random.default_rng(3).normal(size=(40_009, 3)) @ root.T
    found = reaching(np.cov(drawn.T), drawn, np.zeros(3))
    np.testing.assert_allclose(found, root @ root.T, atol=0.2)


def test_a_majority_that_may_fall_either_way_is_reached_from_both_sides() -> None:
    """One majority in three replicates falls the other way: two standard deviations do not reach it."""
    swap = np.random.default_rng(5).random(2003) < 1 / 3
    drawn = np.column_stack([np.where(swap, 1.0, 2.0), np.where(swap, 2.0, 1.0), np.full(2003, 3.0)])
    plain = np.cov(drawn.T)
    value = np.array([2.0, 1.0, 3.0])
    assert 1.96 * np.sqrt(plain[0, 0]) < 1
    found = reaching(plain, drawn, value)
    assert 1.96 * np.sqrt(found[0, 0]) >= 0.999
    assert 1.96 * np.sqrt(found[0, 0] + found[1, 1] - 2 * found[0, 1]) >= 1.999
    assert found[2, 2] < 1e-12
    assert np.linalg.eigvalsh(found).min() > -1e-12


def test_more_policies_than_pairs_are_drawn_out_for_keep_their_correlations() -> None:
    drawn = np.random.default_rng(7).integers(0, 2, (101, 61)).astype(float)
    spread = np.cov(drawn.T)
    found = reaching(spread, drawn, np.ones(61))
    own = np.sqrt(np.diagonal(found) / np.diagonal(spread))
    np.testing.assert_allclose(found, spread * np.outer(own, own), atol=1e-12)
