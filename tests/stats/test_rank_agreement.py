"""Agreement with an oracle: hand-worked violations, and errors that follow the ratings'."""

from __future__ import annotations

import numpy as np

from adjudge.core.estimate import Estimate, Part
from adjudge.stats.rank_agreement import agreement, mmrv, pearson


def test_mmrv_by_hand() -> None:
    oracle = [0.1, 0.4, 0.8]
    assert mmrv([1.0, 2.0, 3.0], oracle) == 0
    np.testing.assert_allclose(mmrv([2.0, 1.0, 3.0], oracle), (0.3 + 0.3 + 0) / 3)
    np.testing.assert_allclose(mmrv([3.0, 2.0, 1.0], oracle), (0.7 + 0.4 + 0.7) / 3)
    np.testing.assert_allclose(mmrv(np.array([[1.0, 2, 3], [3, 2, 1]]), oracle), [0, 0.6])


def test_pearson_is_numpys_and_knows_when_there_is_none() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 11))
    np.testing.assert_allclose(pearson(x, y), np.corrcoef(x, y)[0, 1])
    np.testing.assert_allclose(pearson(np.append(x, np.nan), np.append(y, 3.0)), np.corrcoef(x, y)[0, 1])
    assert np.isnan(pearson([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))
    assert np.isnan(pearson([1.0, 2.0], [1.0, 2.0]))


def test_agreement_is_as_sure_as_the_ratings() -> None:
    oracle = np.array([0.1, 0.3, 0.4, 0.8, 0.9])
    results = [
        agreement(Estimate(tuple("abcde"), oracle, (Part("s", s**2 * np.eye(5), 97),), np.array(96.0)), oracle)
        for s in (0.01, 0.1)
    ]
    for result in results:
        np.testing.assert_allclose(result.value, [1, 0], atol=1e-12)
    assert np.all(results[0].stderr < results[1].stderr)
    assert np.all(results[0].stderr > 0)
