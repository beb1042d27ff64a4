"""Repeated runs: figures by hand, silence without repeats, unbiased flips."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.audit.determinism import check
from value import small_tables


def table(score, item, policy=None):
    score = np.asarray(score, dtype=float)
    return small_tables.table(np.full(score.size, np.nan), score, policy=policy, cluster=item)


def test_figures_by_hand():
    audit = check(table([1, 0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 2, 2, 3, 3]))
    assert audit.figures["flip"].value[0] == pytest.approx(1 / 4)
    assert audit.figures["spread"].value[0] == pytest.approx(np.sqrt(0.5 / 4))
    assert audit.figures["entropy"].value[0] == pytest.approx((1 + 1 / 4 / np.log(2)) / 4)
    assert audit.figures["flip"].stderr[0] == pytest.approx(0.25)  # 1, 0, 0, 0: s/√4 = ½/2


def test_without_repeats_nothing_is_known_and_nothing_is_said():
    audit = check(table([1, 0, 1], [0, 1, 2]))
    assert audit.findings == ()
    assert np.isnan(audit.figures["flip"].value).all()


def test_an_unsteady_policy_is_named_and_a_steady_one_is_not():
    rng = np.random.default_rng(3)
    items, runs = 101, 3
    item = np.tile(np.repeat(np.arange(items), runs), 2)
    policy = np.repeat([0, 1], items * runs)
    score = np.where(policy == 1, rng.random(item.size) < 0.7, item % 2)
    (finding,) = check(table(score, item, policy)).findings
    assert finding.subject == ("p1",)
    assert finding.number == pytest.approx(2 * 0.7 * 0.3, abs=0.08)
