"""The automatic choice: the right one where one is right, the simpler one where they tie."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import auto
from adjudge.sim.judging import Judging


def world(seed=0, **kw):
    return Judging(**{"items": 607, "labels": 503, **kw}).draw(seed).ratings


def relabelled(ratings, gold):
    return replace(ratings, gold=np.where(ratings.labelled, gold, np.nan))


def test_takes_the_line_when_it_is_a_line():
    ratings = world()
    noise = 0.05 * np.random.default_rng(0).standard_normal(ratings.n)
    chosen = auto.fit(relabelled(ratings, (0.2 + 0.5 * ratings.score[:, 0] + noise).clip(0, 1)))
    assert chosen.method == "calibration.linear"


def test_takes_the_curve_when_it_bends():
    ratings = world()
    step = np.where(ratings.score[:, 0] > 0.7, 0.9, 0.1)
    noise = 0.02 * np.random.default_rng(0).standard_normal(ratings.n)
    assert auto.fit(relabelled(ratings, step + noise)).method == "calibration.isotonic"


def test_takes_two_stages_when_the_judge_turns():
    ratings = world()
    assert auto.fit(relabelled(ratings, 1 - 4 * (ratings.score[:, 0] - 0.5) ** 2)).method == "calibration.two_stage"


def test_takes_the_mean_when_the_judge_is_deaf_and_says_so():
    ratings = world()
    chosen = auto.fit(relabelled(ratings, np.random.default_rng(1).random(ratings.n)))
    assert chosen.method == "calibration.mean"
    assert "judge-uninformative" in {finding.code for finding in chosen.findings}


def test_takes_platt_for_yes_no_gold():
    chosen = auto.fit(world(outcome="graded", labels=97))
    assert "calibration.platt" in {trial.method for trial in chosen.trials}


@pytest.mark.parametrize(("labels", "tried"), [(11, 2), (29, 2), (211, 4)])
def test_few_labels_try_only_the_simple_ones(labels, tried):
    assert len(auto.fit(world(labels=labels)).trials) == tried


def test_trials_are_the_errors_on_unseen_labels():
    ratings = world(3)
    chosen = auto.fit(ratings)
    forecast, labelled = chosen(ratings).forecast, ratings.labelled
    mine = next(trial for trial in chosen.trials if trial.method == chosen.method)
    assert mine.error == pytest.approx(((forecast.held_out - ratings.gold)[labelled] ** 2).mean())
    assert min(trial.excess for trial in chosen.trials) == 0
    assert "calibrator-chosen" in {finding.code for finding in chosen.findings}


def test_one_cluster_leaves_nothing_to_test():
    chosen = auto.fit(world(labels=1))
    assert chosen.method == "calibration.mean"
    assert "calibrator-untested" in {finding.code for finding in chosen.findings}


def test_no_score_on_any_label_is_the_mean():
    ratings = world(labels=31)
    score = ratings.score.copy()
    score[ratings.labelled] = np.nan
    assert auto.fit(replace(ratings, score=score)).method == "calibration.mean"


def test_costs_little():
    """About 12 ms for 1,250 labels; the bound leaves room for a slow machine."""
    ratings = Judging(items=5000, labels=1250).draw(0).ratings
    auto.fit(ratings)
    start = time.process_time()
    auto.fit(ratings)
    assert time.process_time() - start < 0.06
