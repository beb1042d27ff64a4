"""Regressions: by hand, nothing beyond noise when nothing changed, and found when something did."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.audit.backward_compatibility import check
from adjudge.errors import AdjudgeError
from value import small_tables


def table(old, new):
    """Scores [items, runs] of two versions."""
    score = np.concatenate([np.ravel(old), np.ravel(new)]).astype(float)
    item = np.concatenate([np.repeat(np.arange(len(x)), np.shape(x)[1]) for x in (old, new)])
    policy = np.repeat([0, 1], [np.size(old), np.size(new)])
    return small_tables.table(np.full(score.size, np.nan), score, policy=policy, cluster=item)


def drawn(p, q, runs, rng):
    return table(*(rng.random((x.size, runs)) < x[:, None] for x in (p, q)))


def test_by_hand():
    audit = check(table([[1, 1], [1, 0], [0, 0]], [[0, 0], [1, 1], [0, 1]]), old="p0", new="p1")
    figures = audit.figures
    assert figures["regressed"].value[0] == pytest.approx((1 + 0 + 0) / 3)
    assert figures["of_right"].value[0] == pytest.approx(1 / 1.5)
    assert figures["floor"].value[0] == pytest.approx((0 + 0.5 + 0) / 3)
    # p²(1 − q) − p[(1 − q) − (1 − q)²] by task: 1·1 − 1·(1 − 1), 0·0 − ½·0, 0·½ − 0
    assert figures["beyond_noise"].value[0] == pytest.approx(1 / 3)


def test_versions_that_repeat_themselves_have_no_floor_and_a_constant_is_no_certainty():
    rng = np.random.default_rng(3)
    old, new = (np.repeat(rng.random((101, 1)) < 0.6, 3, axis=1) for _ in range(2))
    figures = check(table(old, new), old="p0", new="p1").figures
    assert figures["beyond_noise"].value[0] == pytest.approx(figures["regressed"].value[0])
    same = check(table(old, old), old="p0", new="p1")
    assert same.figures["regressed"].value[0] == 0
    assert same.figures["regressed"].interval()[0, 1] > 0
    assert same.findings == ()


def test_the_same_version_run_again_breaks_tasks_but_nothing_beyond_noise():
    """200 worlds of one version twice, 3 runs of 101 tasks: the 95 % test errs in at most 5 % + 3.3 standard errors."""
    rng = np.random.default_rng(5)
    called, breaks = 0, []
    for _ in range(200):
        p = rng.beta(1, 1, 101)
        audit = check(drawn(p, p, 3, rng), old="p0", new="p1")
        called += bool(audit.findings)
        breaks.append(audit.figures["beyond_noise"].value[0])
        assert audit.figures["regressed"].value[0] > 0.05
    assert called / 200 <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 200)
    assert abs(np.mean(breaks)) < 5 * np.std(breaks) / np.sqrt(200)


def test_a_better_mean_that_breaks_tasks_is_called():
    rng = np.random.default_rng(7)
    p = np.where(np.arange(307) % 3 == 0, 0.95, 0.3)
    q = np.where(np.arange(307) % 3 == 0, 0.3, 0.95)
    ratings = drawn(p, q, 3, rng)
    assert ratings.score[ratings.policy == 1].mean() > ratings.score[ratings.policy == 0].mean()
    (finding,) = check(ratings, old="p0", new="p1").findings
    assert finding.code == "backward-incompatible"
    truth = np.mean((p * (1 - q)) ** 2 * (p - q))
    assert truth <= np.mean(np.maximum(p - q, 0))
    assert finding.number == pytest.approx(truth, abs=0.06)


def test_single_runs_leave_the_floor_unknown():
    audit = check(table([[1], [1], [0], [1]], [[0], [1], [1], [1]]), old="p0", new="p1")
    assert audit.figures["regressed"].value[0] == 0.25
    assert np.isnan(audit.figures["beyond_noise"].value[0])
    assert [finding.code for finding in audit.findings] == ["noise-floor-unknown"]


def test_impossible_questions_are_refused():
    with pytest.raises(AdjudgeError, match="no policy"):
        check(table([[1]], [[0]]), old="p9")
    with pytest.raises(AdjudgeError, match="right"):
        check(table([[7]], [[0]]))


@pytest.mark.parametrize("runs", [2, 3, 5])
def test_what_is_lost_is_estimated_without_bias_and_gains_do_not_hide_it(runs):
    """150 worlds: the mean of S is its truth within four standard errors, although most tasks have gained."""
    rng = np.random.default_rng(11)
    p = rng.beta(2, 2, 101)
    q = np.where(np.arange(101) % 8 == 0, 0.2 * p, p + 0.3 * (1 - p))
    a = min(runs, 3) - 1
    truth = np.mean((p * (1 - q)) ** a * (p - q))
    found = [check(drawn(p, q, runs, rng), old="p0", new="p1").figures["beyond_noise"].value[0] for _ in range(150)]
    assert abs(np.mean(found) - truth) < 4 * np.std(found) / np.sqrt(150)
