"""Agreement with an oracle: hand-worked violations, and errors that follow the ratings'."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from adjudge.core.estimate import Estimate, Part
from adjudge.stats import rank_agreement
from adjudge.stats.rank_agreement import agreement, mmrv, pearson, spearman


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
    assert np.isnan(pearson([0.1, 0.1, 0.1], [1.0, 2.0, 3.0]))  # whose mean is not 0.1
    assert np.isnan(spearman([0.1, 0.1, 0.1], [1.0, 2.0, 3.0]))
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


def test_batches_on_either_side_are_taken_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 4, (2, 13, 7)).astype(float)
    for figure in (pearson, spearman, mmrv):
        np.testing.assert_allclose(figure(x, y), [figure(a, b) for a, b in zip(x, y, strict=True)])
        np.testing.assert_allclose(figure(x[0], y), [figure(x[0], b) for b in y])
    np.testing.assert_allclose(spearman(x, y), [stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)])
    whole = mmrv(x, y)
    monkeypatch.setattr(rank_agreement, "BLOCK", 100)
    np.testing.assert_array_equal(mmrv(x, y), whole)
    assert np.isnan(spearman([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))
