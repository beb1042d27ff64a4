"""Scores outside the labelled range are found when they matter, and only then."""

import dataclasses

import numpy as np

from adjudge.audit.support import check
from adjudge.core.finding import Severity
from adjudge.sim.judging import Judging


def test_a_policy_far_below_the_labels_is_severe():
    ratings = (
        Judging(items=501, labels=97, labelled=(0,), truth=(0.8, 0.15), judge_noise=0.2, item_sd=0.3).draw(1).ratings
    )
    (finding,) = check(ratings).findings
    assert finding.subject == ("p01",)
    assert finding.severity is Severity.SEVERE
    seen = ratings.score[ratings.labelled, 0]
    other = ratings.score[ratings.policy == 1, 0]
    assert finding.number == np.mean((other < seen.min()) | (other > seen.max()))


def test_false_alarms_are_rare_when_labels_are_a_random_sample():
    world = Judging(items=211, labels=7, truth=(0.6,))
    alarms = sum(bool(check(world.draw(seed).ratings).findings) for seed in range(400))
    # the law's own 1 % plus the discreteness of 211 rows: Binomial(400, .012) stays below 14 in 99.9 % of cases
    assert alarms <= 14


def test_range_check_at_the_limit_of_many_labels():
    ratings = Judging(items=2003, labels=2003, truth=(0.6,)).draw(2).ratings
    assert check(ratings, threshold=0.0).findings == ()


def test_nothing_to_say_without_labels():
    ratings = Judging(items=53, labels=11).draw(3).ratings
    bare = dataclasses.replace(ratings, gold=np.full(ratings.n, np.nan))
    assert check(bare).findings == ()
