"""`value.auto` is the method that it picks, and it never looks at the values to pick it."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from adjudge.calibration import linear
from adjudge.core.finding import Severity
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings
from adjudge.value import auto, calibrated, labels_only, plug_in

WORLD = Judging(truth=(0.7, 0.5, 0.4), items=53, labels=71).draw(3)
PLAIN = WORLD.ratings
TABLES = {
    "every row has a label": (replace(PLAIN, gold=WORLD.gold), labels_only),
    "no row has a label": (replace(PLAIN, gold=np.full(PLAIN.n, np.nan)), plug_in),
    "no forecast": (PLAIN, labels_only),
    "a forecast": (linear.fit(PLAIN)(PLAIN), calibrated),
}


@pytest.mark.parametrize("table", TABLES)
def test_it_is_the_method_that_it_picks(table: str) -> None:
    ratings, method = TABLES[table]
    picked, alone = auto.estimate(ratings), method.estimate(ratings)
    np.testing.assert_array_equal(picked.value, alone.value)
    np.testing.assert_array_equal(picked.covariance, alone.covariance)
    assert picked.method == alone.method


@pytest.mark.parametrize("table", TABLES)
def test_it_says_what_it_picked_and_why(table: str) -> None:
    ratings, method = TABLES[table]
    told = next(finding for finding in auto.estimate(ratings).findings if finding.code == "method-chosen")
    assert told.severity is Severity.INFO
    assert method.__name__.removeprefix("adjudge.") in told.message


@pytest.mark.parametrize("table", ["no forecast", "a forecast"])
def test_other_labels_do_not_change_the_pick(table: str) -> None:
    ratings, _ = TABLES[table]
    turned: Ratings = replace(ratings, gold=1 - ratings.gold)
    chosen: ModuleType = auto._choose(ratings)[0]
    assert auto._choose(turned)[0] is chosen
