"""Logistic regression with predictions: the limit without unlabelled rows, and another program's errors."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import rectified
from adjudge.value import ppi_logistic

ROW = np.arange(23.0)
X = np.column_stack([np.ones(23), np.sin(1.7 * ROW), ROW % 3 == 0])
Y = np.round(1 + 0.5 * X[:, 1] - 0.3 * X[:, 2] + 0.4 * np.cos(2.3 * ROW * ROW), 3)
B = (np.median(Y) < Y).astype(float)


def test_all_labelled_is_maximum_likelihood_with_hc1_errors():
    """statsmodels 0.15.0: Logit(B, X).fit(tol=1e-14, cov_type="HC0"); HC1 = HC0 · n/(n − d)."""
    found = rectified.regress(B, X, B, model="logistic")
    np.testing.assert_allclose(found.value, [0.409002197185348, 2.337800116768773, -1.616174902186496], atol=1e-9)
    hc0 = np.array([0.688630586154484, 0.749781361608348, 1.241338046578705])
    np.testing.assert_allclose(found.stderr, hc0 * np.sqrt(23 / 20), rtol=1e-9)


def test_clusters_enter_as_in_statsmodels():
    """Same, cov_type="cluster": CR0·G/(G−1)·(n−1)/(n−d) there; CR0·G/(G−d) here, for G = 8."""
    found = rectified.regress(B, X, B, model="logistic", cluster=(ROW // 3).astype(int))
    theirs = np.array([0.7625836709253, 0.673518545076225, 1.339561977162056])
    np.testing.assert_allclose(found.stderr**2, theirs**2 * (8 / 5) / (8 / 7 * 22 / 20), rtol=1e-8)


def test_a_strength_outside_nought_and_one_is_refused():
    ratings = Judging(truth=(0.7, 0.5), items=101, labels=53, outcome="graded").draw(1).ratings
    with pytest.raises(AdjudgeError, match="Between 0 and 1"):
        ppi_logistic.estimate(ratings, strength=1.5)


def test_labels_narrow_with_a_judge():
    ratings = Judging(truth=(0.7, 0.5), items=1009, labels=211, outcome="graded", judge_noise=0.1).draw(1).ratings
    tuned, alone = (ppi_logistic.estimate(ratings, strength=s) for s in (None, 0.0))
    assert (tuned.stderr <= alone.stderr).all()
    assert tuned.method == "value.ppi_logistic"
