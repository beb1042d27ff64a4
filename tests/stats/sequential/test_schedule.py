"""The plan of a blind trial: balanced, matched, random and repeatable."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.sequential.schedule import schedule

POLICIES, CONDITIONS = ["ant", "bee", "cat"], ["left", "right"]


def test_every_round_runs_every_policy_once_under_one_condition() -> None:
    slots = schedule(POLICIES, trials=7, conditions=CONDITIONS, seed=2)
    assert len(slots) == 21
    for number in range(1, 8):
        block = [slot for slot in slots if slot.round == number]
        assert sorted(slot.policy for slot in block) == POLICIES
        assert len({slot.condition for slot in block}) == 1
    counts = Counter(slot.condition for slot in slots)
    assert abs(counts["left"] - counts["right"]) <= len(POLICIES)


def test_codes_hide_and_the_order_is_random() -> None:
    orders, codes = [], []
    for seed in range(200):
        slots = schedule(POLICIES, trials=1, seed=seed)
        orders.append([slot.policy for slot in slots].index("ant"))
        codes.append(next(slot.code for slot in slots if slot.policy == "ant"))
    assert np.bincount(orders).min() > 40
    assert min(Counter(codes).values()) > 40
    assert schedule(POLICIES, trials=3, seed=5) == schedule(POLICIES, trials=3, seed=5)


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    for wrong in ({"trials": 0}, {"trials": 2, "conditions": []}):
        with pytest.raises(AdjudgeError, match="At least one of each"):
            schedule(POLICIES, **wrong)
    with pytest.raises(AdjudgeError, match="named once"):
        schedule(["ant", "ant"], trials=1)
