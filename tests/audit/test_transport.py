"""Transport: the planted shift is measured, its interval covers as often as it says, and silence is nominal."""

import dataclasses

import numpy as np
import pytest

from adjudge.audit.transport import check
from adjudge.calibration import isotonic, linear, mean
from adjudge.sim.judging import Judging
from contracts import worlds

EQUAL = Judging(items=211, labels=101, truth=(0.5, 0.5, 0.5))  # equal policies: one calibration is right for all


def _fitted(ratings, calibration=linear):
    return calibration.fit(ratings)(ratings)


def _shifted(seed, by):
    """A world in which gold of the first policy is `by` higher than its judge says."""
    ratings = EQUAL.draw(seed).ratings
    moved = dataclasses.replace(ratings, gold=ratings.gold + by * (ratings.policy == 0), bounds=(-np.inf, np.inf))
    return _fitted(moved)


def _share_of_labels(ratings):
    first = ratings.policy[ratings.labelled] == 0
    return first.mean()


def test_two_policies_by_hand():
    """The mean label as forecast, four labels: δ_a = 2 − 4 = −2 with every fold's mean held out of its own labels."""
    ratings = Judging(items=11, labels=4, truth=(0.5, 0.5)).draw(1).ratings
    gold, policy = np.full(22, np.nan), ratings.policy
    gold[[0, 1]], gold[[11 + 3, 11 + 4]] = (1.0, 3.0), (5.0, 7.0)
    ratings = _fitted(dataclasses.replace(ratings, gold=gold, bounds=(-np.inf, np.inf)), mean)
    held = np.array([(3 + 5 + 7) / 3, (1 + 5 + 7) / 3, (1 + 3 + 7) / 3, (1 + 3 + 5) / 3])
    np.testing.assert_allclose(np.sort(ratings.forecast.held_out[ratings.labelled]), np.sort(held))
    residual = check(ratings).figures["residual"]
    expected = [(1 - held[0] + 3 - held[1]) / 2, (5 - held[2] + 7 - held[3]) / 2]
    np.testing.assert_allclose(residual.value, expected)
    assert policy[ratings.labelled].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("calibration", [linear, isotonic])
def test_silent_at_its_level_where_one_calibration_is_right_for_all(calibration):
    trials, alarms, held = 240, 0, 0
    for seed in range(trials):
        audit = check(_fitted(EQUAL.draw(seed).ratings, calibration))
        low, high = audit.figures["residual"].interval(0.95).T
        held += np.sum((low <= 0) & (high >= 0))
        alarms += bool(audit.findings)
    assert alarms / trials < 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)
    assert abs(held / (3 * trials) - 0.95) < 3 * np.sqrt(0.05 * 0.95 / trials) + 0.01


def test_the_interval_covers_a_planted_shift():
    """A third of the labels moved by b drags the common curve by b/3: δ_0 = b·(1 − share), δ_others = −b·share."""
    by, trials, held = 0.3, 240, 0
    for seed in range(trials):
        ratings = _shifted(seed, by)
        share = _share_of_labels(ratings)
        low, high = check(ratings).figures["residual"].interval(0.95).T
        truth = by * np.array([1 - share, -share, -share])
        held += np.sum((low <= truth) & (truth <= high))
    assert abs(held / (3 * trials) - 0.95) < 3 * np.sqrt(0.05 * 0.95 / trials) + 0.015


def test_a_planted_shift_is_found_and_told_the_right_way_round():
    found = [check(_shifted(seed, 0.3)).findings for seed in range(20)]
    assert all("p00" in {finding.subject[0] for finding in findings} for findings in found)
    first = next(finding for finding in found[0] if finding.subject == ("p00",))
    assert first.number < 0  # the judge says less than gold
    assert "underrates" in first.message
    others = [finding for finding in found[0] if finding.subject != ("p00",)]
    assert all("flatters" in finding.message for finding in others)


def test_copies_of_a_row_within_its_cluster_say_nothing_new():
    ratings = _shifted(3, 0.1)
    one = check(ratings).figures["residual"]
    many = worlds.take(ratings, np.repeat(np.arange(ratings.n), 3))
    two = check(_fitted(many)).figures["residual"]
    np.testing.assert_allclose(two.value, one.value, atol=1e-9)
    np.testing.assert_allclose(two.stderr, one.stderr, rtol=1e-6)
    np.testing.assert_allclose(two.pvalue(0.0), one.pvalue(0.0), atol=1e-5)


def test_a_weight_is_a_repetition():
    ratings = _shifted(4, 0.1)
    weight = 1.0 + (ratings.item % 3)
    repeated = worlds.take(ratings, np.repeat(np.arange(ratings.n), weight.astype(int)))
    heavy = check(_fitted(dataclasses.replace(ratings, weight=weight, forecast=None))).figures["residual"]
    many = check(_fitted(repeated)).figures["residual"]
    np.testing.assert_allclose(heavy.value, many.value, atol=1e-9)
    np.testing.assert_allclose(heavy.stderr, many.stderr, rtol=1e-6)


def test_with_all_rows_labelled_the_difference_of_residuals_has_the_paired_error():
    """δ_0 − δ_1 is the mean of the paired differences of gold, s_d/√n its error; the mean label cancels."""
    ratings = Judging(items=101, labels=202, truth=(0.5, 0.5), item_sd=1.5, response_sd=0.3).draw(1).ratings
    residual = check(_fitted(ratings, mean)).figures["residual"]
    paired = ratings.gold[:101] - ratings.gold[101:]
    np.testing.assert_allclose(residual.difference("p00", "p01").value, paired.mean(), atol=1e-3)
    error = paired.std(ddof=1) / np.sqrt(101)
    np.testing.assert_allclose(residual.difference("p00", "p01").stderr, error, rtol=0.03)


def test_nothing_to_say_without_forecast_labels_or_a_second_labelled_policy():
    ratings = EQUAL.draw(1).ratings
    assert check(ratings).figures == {}
    fitted = _fitted(ratings)
    assert check(dataclasses.replace(fitted, gold=np.full(ratings.n, np.nan))).figures == {}
    alone = Judging(items=101, labels=53, truth=(0.6, 0.5), labelled=(0,)).draw(1).ratings
    assert check(_fitted(alone)).figures == {}


def test_a_policy_with_one_label_is_left_out_and_the_others_stand():
    ratings = EQUAL.draw(2).ratings
    gold = ratings.gold.copy()
    gold[np.flatnonzero(ratings.labelled & (ratings.policy == 1))[1:]] = np.nan
    residual = check(_fitted(dataclasses.replace(ratings, gold=gold))).figures["residual"]
    assert residual.names == ("p00", "p02")
    assert np.isfinite(residual.stderr).all()


def test_rows_without_a_score_are_no_obstacle():
    ratings = EQUAL.draw(5).ratings
    score = ratings.score.copy()
    score[::7] = np.nan
    residual = check(_fitted(dataclasses.replace(ratings, score=score))).figures["residual"]
    assert np.isfinite(residual.stderr).all()
