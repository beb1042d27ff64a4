"""A blended distribution is the distribution of all its points."""

import numpy as np
import pytest

from adjudge.stats.blended import blend
from adjudge.stats.quantiles import distribution


@pytest.mark.parametrize("digits", [6, 1])
@pytest.mark.parametrize("seed", range(7))
def test_quantiles_are_those_of_all_points_sorted_together(seed, digits):
    rng = np.random.default_rng(seed)
    many, y, f = (np.sort(rng.standard_normal(size).round(digits)) for size in (211, 23, 23))
    weights = np.full(211, 0.7 / 211)
    few, jumps = np.r_[y, f], np.r_[np.full(23, 1 / 23), np.full(23, -0.7 / 23)]
    law = blend(many, np.r_[0.0, np.cumsum(weights)], few, jumps)
    plain = distribution(np.r_[many, few], np.r_[weights, jumps])
    for q in np.linspace(0.013, 0.987, 53):
        assert law.quantile(q) == plain.quantile(q)
    for t in (y[11], many[0], many[-1], f[5]):
        assert law.neighbours(t, (-9.0, 9.0)) == plain.neighbours(t, (-9.0, 9.0))


def test_without_many_or_few_points_it_is_the_plain_one():
    y = np.array([3.0, 1.0, 2.0, 5.0])
    alone = blend(np.empty(0), np.zeros(1), y, np.full(4, 0.25))
    assert [alone.quantile(q) for q in (0.25, 0.5, 0.51, 1.0)] == [1.0, 2.0, 3.0, 5.0]
    many = blend(np.sort(y), np.linspace(0, 1, 5), np.empty(0), np.empty(0))
    assert [many.quantile(q) for q in (0.25, 0.5, 0.51, 1.0)] == [1.0, 2.0, 3.0, 5.0]
