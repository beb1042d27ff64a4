"""Leaked gold and twin policies."""

import dataclasses

import numpy as np

from adjudge.audit.leakage import check
from adjudge.sim.judging import Judging


def _ratings():
    return Judging(items=101, labels=59, truth=(0.6, 0.5, 0.4)).draw(1).ratings


def test_a_judge_that_repeats_the_label_is_severe():
    ratings = _ratings()
    leaked = np.where(ratings.labelled, ratings.gold, ratings.score[:, 0])
    (finding,) = check(dataclasses.replace(ratings, score=leaked[:, None])).findings
    assert finding.code == "gold-leaked"
    assert finding.number == 1.0


def test_a_covariate_that_repeats_the_label_is_severe():
    ratings = _ratings()
    column = np.where(ratings.labelled, ratings.gold, 0.5)[:, None]
    (finding,) = check(dataclasses.replace(ratings, covariates=column, covariate_names=("hint",))).findings
    assert finding.subject == ("hint",)


def test_binary_gold_repeated_by_an_honest_judge_is_no_leak():
    ratings = Judging(items=101, labels=59, outcome="binary", sensitivity=1.0, specificity=1.0).draw(1).ratings
    assert check(ratings).findings == ()


def test_twin_policies_are_named():
    ratings = _ratings()
    score = ratings.score.copy()
    score[ratings.policy == 2] = score[ratings.policy == 0]
    (finding,) = check(dataclasses.replace(ratings, score=score)).findings
    assert finding.code == "policies-identical"
    assert finding.subject == ("p00", "p02")


def test_an_honest_table_is_silent():
    assert check(_ratings()).findings == ()
    few = dataclasses.replace(_ratings(), gold=np.full(303, np.nan))
    assert check(few).findings == ()
