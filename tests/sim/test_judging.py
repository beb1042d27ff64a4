"""The worlds are what they say: means, tables and designs."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging


@pytest.mark.parametrize("outcome", ["continuous", "graded", "binary"])
def test_truth_is_the_mean_of_gold_over_many_draws(outcome):
    world = Judging(truth=(0.05, 0.5, 0.83), items=40_009, labels=101, outcome=outcome).draw(3)
    rows = world.ratings
    for index, truth in enumerate(world.truth):
        gold = world.gold[rows.policy == index]
        assert abs(gold.mean() - truth) < 4 * gold.std() / np.sqrt(gold.size)


def test_labels_fall_only_where_they_may_and_as_many_as_asked():
    ratings = Judging(items=211, labels=97, labelled=(1, 3)).draw(5).ratings
    assert ratings.labelled.sum() == 97
    assert set(ratings.policy[ratings.labelled]) == {1, 3}


def test_recorded_propensities_are_the_chances_of_a_label():
    world = Judging(items=5003, labels=2003, unequal=4.0)
    ratings = world.draw(7).ratings
    expected = ratings.propensity.sum()
    assert abs(ratings.labelled.sum() - expected) < 4 * np.sqrt(expected)
    weighted = (ratings.labelled / ratings.propensity).sum()
    assert abs(weighted / ratings.n - 1) < 0.05


def test_binary_judge_has_its_sensitivity_and_specificity():
    world = Judging(items=30_011, labels=11, outcome="binary", truth=(0.5,)).draw(11)
    positive = world.gold == 1
    assert world.ratings.score[positive, 0].mean() == pytest.approx(0.95, abs=0.01)
    assert world.ratings.score[~positive, 0].mean() == pytest.approx(0.40, abs=0.02)


def test_adversarial_policy_looks_like_the_best():
    world = Judging(truth=(0.8, 0.2), adversarial=(1,), items=5003).draw(13)
    score = world.ratings.score[:, 0]
    assert abs(score[world.ratings.policy == 0].mean() - score[world.ratings.policy == 1].mean()) < 0.02
    assert world.gold[world.ratings.policy == 1].mean() < 0.25


def test_rater_noise_is_reported_as_variance():
    ratings = Judging(items=3001, labels=2003, raters=3, rater_sd=0.2).draw(17).ratings
    assert ratings.gold_variance[ratings.labelled].mean() == pytest.approx(0.2**2 / 3, rel=0.1)


def test_same_seed_same_world():
    first, second = (Judging(items=53, labels=17).draw(19).ratings for _ in range(2))
    np.testing.assert_array_equal(first.score, second.score)
    np.testing.assert_array_equal(first.gold, second.gold)


def test_impossible_worlds_are_refused():
    with pytest.raises(AdjudgeError, match="inside"):
        Judging(truth=(1.2,))
    with pytest.raises(AdjudgeError, match="outcome"):
        Judging(outcome="ordinal")
