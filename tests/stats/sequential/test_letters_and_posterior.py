"""Letters say exactly who is told apart; posteriors by hand and by simulation; gaps within conditions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from adjudge.stats.sequential import posterior, stratified
from adjudge.stats.sequential.letters import letters


@pytest.mark.parametrize("seed", range(7))
def test_two_share_a_letter_exactly_when_they_are_not_told_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = 7
    upper = np.triu(rng.random((k, k)) < 0.4, 1)
    different = upper | upper.T
    groups = [set(one) for one in letters(different)]
    for i, j in itertools.combinations(range(k), 2):
        assert bool(groups[i] & groups[j]) == (not different[i, j])


def test_letters_of_piephos_kind() -> None:
    """Best differs from the last two, the second from the last: a, ab, bc, c."""
    different = np.zeros((4, 4), dtype=bool)
    for i, j in ((0, 2), (0, 3), (1, 3)):
        different[i, j] = different[j, i] = True
    assert letters(different) == ("a", "ab", "bc", "c")
    assert letters(np.zeros((3, 3), dtype=bool)) == ("a", "a", "a")
    assert letters(~np.eye(3, dtype=bool)) == ("a", "b", "c")
    assert letters(np.zeros((0, 0), dtype=bool)) == ()
    many = letters(~np.eye(28, dtype=bool))
    assert (many[25], many[26], len(set(many))) == ("z", "(aa)", 28)


def test_posterior_is_the_beta_one() -> None:
    s, n = np.array([3.0, 0.0]), np.array([11.0, 7.0])
    ends = posterior.quantiles(s, n, 0.5, np.array([0.025, 0.975]))
    np.testing.assert_allclose(ends, stats.beta.ppf([0.025, 0.975], s[:, None] + 0.5, (n - s)[:, None] + 0.5))
    mean, variance = posterior.moments(s, n, 1.0)
    np.testing.assert_allclose(mean, stats.beta.mean(s + 1, n - s + 1))
    np.testing.assert_allclose(variance, stats.beta.var(s + 1, n - s + 1))


def test_superiority_is_the_share_of_draws() -> None:
    s, n = np.array([9.0, 5.0, 5.0]), np.array([11.0, 13.0, 13.0])
    rng = np.random.default_rng(4)
    draws = rng.beta(s + 1, n - s + 1, (200_000, 3))
    found = posterior.superiority(s, n, 1.0)
    assert found[0, 1] == pytest.approx((draws[:, 0] > draws[:, 1]).mean(), abs=0.004)
    np.testing.assert_allclose(found + found.T, 1)
    assert found[1, 2] == pytest.approx(0.5, abs=1e-6)


def test_gaps_within_conditions_are_not_fooled_by_their_mix() -> None:
    """Simpson: the left policy is ahead by 0.1 in both conditions, and behind when they are thrown together."""
    a, n = np.array([9.0, 30.0]), np.array([10.0, 100.0])
    b, m = np.array([80.0, 2.0]), np.array([100.0, 10.0])
    gap, variance = stratified.difference(a, n, b, m)
    assert gap == pytest.approx(0.1)
    assert a.sum() / n.sum() < b.sum() / m.sum()
    w = n * m / (n + m)
    assert variance == pytest.approx(((w / w.sum()) ** 2 * (a / n * (1 - a / n) / n + b / m * (1 - b / m) / m)).sum())
    assert np.isnan(stratified.difference(a, n, b, np.zeros(2))[0])
