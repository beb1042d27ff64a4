"""The choice of a method looks at what the table has, never at the values, and says what it chose."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from adjudge.calibration import linear, mean
from adjudge.sim.judging import Judging
from adjudge.value import auto, calibrated, labels_only, plug_in, ppi_cross
from contracts import worlds

RATINGS = Judging(items=101, labels=97, truth=(0.7, 0.5)).draw(1).ratings
FITTED = linear.fit(RATINGS)(RATINGS)
FEW = Judging(items=101, labels=53, truth=(0.7, 0.5)).draw(1).ratings
LENDING = linear.fit(FEW)(FEW)
BARE = worlds.unlabelled(RATINGS, np.empty(0, int))
FULL = Judging(items=53, labels=106, truth=(0.7, 0.5)).draw(1).ratings


@pytest.mark.parametrize(
    ("ratings", "chosen", "words"),
    [
        (FULL, labels_only.estimate, "every row has a gold label"),
        (FITTED, partial(ppi_cross.estimate, lam=None), "97 gold labels calibrate the judge (calibration.linear)"),
        (LENDING, calibrated.estimate, "53 gold labels calibrate the judge (calibration.linear)"),
        (RATINGS, labels_only.estimate, "97 gold labels are too few"),
        (BARE, plug_in.estimate, "no gold labels"),
    ],
)
def test_the_method_picked_is_the_method_itself(ratings, chosen, words):
    found, plain = auto.estimate(ratings), chosen(ratings)
    assert found.method == plain.method
    np.testing.assert_array_equal(found.value, plain.value)
    np.testing.assert_array_equal(found.covariance, plain.covariance)
    assert found.findings[0].code == "method-chosen"
    assert words in found.findings[0].message
    assert found.findings[1:] == plain.findings


def test_the_choice_never_looks_at_scores_or_labels():
    rng = np.random.default_rng(1)
    for _ in range(5):
        noise = worlds.replace(RATINGS, gold=np.where(RATINGS.labelled, rng.random(RATINGS.n), np.nan))
        assert auto.estimate(linear.fit(noise)(noise)).method == "value.ppi_cross"


def test_a_useless_judge_leaves_what_the_labels_say():
    """Calibrated to a constant, with labels enough to stand alone, the estimate is that of the labels."""
    ratings = mean.fit(RATINGS)(RATINGS)
    found, alone = auto.estimate(ratings), labels_only.estimate(RATINGS)
    np.testing.assert_allclose(found.value, alone.value, atol=0.01)
    np.testing.assert_allclose(found.stderr, alone.stderr, rtol=0.1)


def test_a_policy_that_fools_the_judge_does_not_spoil_the_others():
    """One policy whose scores run backwards bends the shared calibration; the others' own labels straighten it."""
    clean = Judging(items=503, labels=250, truth=(0.7, 0.6, 0.5)).draw(5).ratings
    score = np.where(clean.policy == 2, 1 - clean.score[:, 0], clean.score[:, 0])[:, None]
    bent = replace(clean, score=score)
    error = {name: auto.estimate(linear.fit(table)(table)).stderr for name, table in (("clean", clean), ("bent", bent))}
    np.testing.assert_allclose(error["bent"][:2], error["clean"][:2], rtol=0.05)
