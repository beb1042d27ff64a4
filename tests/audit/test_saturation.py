"""Ceilings and floors are found; verdicts are not scales."""

import dataclasses

import numpy as np

from adjudge.audit.saturation import check
from adjudge.sim.judging import Judging


def _with_score(score):
    ratings = Judging(items=101, labels=11, truth=(0.6, 0.5)).draw(1).ratings
    return dataclasses.replace(ratings, score=score(ratings)[:, None])


def test_ceiling_of_one_policy_is_named_with_its_share():
    ratings = _with_score(lambda r: np.where((r.policy == 0) & (r.item < 80), 1.0, np.minimum(r.score[:, 0], 0.9)))
    (finding,) = check(ratings).findings
    assert finding.subject == ("p00",)
    assert finding.number == 80 / 101
    assert "highest" in finding.message


def test_floor_is_found_too():
    ratings = _with_score(lambda r: np.where(r.item < 90, 0.0, 0.2 + 0.1 * r.score[:, 0]))
    assert {f.subject for f in check(ratings).findings} == {("p00",), ("p01",)}


def test_weights_count_as_repetitions():
    ratings = _with_score(lambda r: np.where(r.item < 30, 1.0, np.minimum(r.score[:, 0], 0.9)))
    assert check(ratings).findings == ()
    heavy = dataclasses.replace(ratings, weight=np.where(ratings.item < 30, 5.0, 1.0))
    assert len(check(heavy).findings) == 2


def test_a_binary_judge_is_left_alone():
    assert check(_with_score(lambda r: (r.item < 95).astype(float))).findings == ()


def test_missing_scores_are_left_out():
    ratings = _with_score(lambda r: np.where(r.item < 90, np.nan, r.score[:, 0]))
    assert check(ratings).findings == ()
