"""tables.parts: names before usual names, the surest first; stand-ins; a wrong or empty name and its option."""

from __future__ import annotations

import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.parts import parts

USUAL = {"reward": ("reward", "click"), "chance": ("chance",)}


def test_names_come_before_usual_names_and_sure_ones_first() -> None:
    names = ["click", "reward", "paid"]
    assert parts(names, {"reward": None, "chance": None}, USUAL) == {"reward": "reward", "chance": ""}
    assert parts(names, {"reward": "paid"}, USUAL) == {"reward": "paid"}


def test_a_part_may_stand_in_for_another_that_is_then_not_needed() -> None:
    given = {"chance": None, "log_chance": "lp"}
    used = parts(["lp", "chance"], given, USUAL, needed=("chance",), instead={"chance": "log_chance"})
    assert used == {"chance": "", "log_chance": "lp"}
    with pytest.raises(AdjudgeError, match="--chance"):
        parts(["lp"], given | {"log_chance": None}, USUAL, needed=("chance",), instead={"chance": "log_chance"})


def test_a_named_column_that_is_not_there_is_an_error_with_its_option() -> None:
    with pytest.raises(AdjudgeError, match="--log-chance"):
        parts(["lp"], {"log_chance": "lpp"}, {})


def test_an_empty_name_is_a_name_that_no_column_has() -> None:
    with pytest.raises(AdjudgeError, match=r"no column ''.*--reward"):
        parts(["click"], {"reward": ""}, USUAL)
    with pytest.raises(AdjudgeError, match=r"no column ''.*--log-chance"):
        parts(["chance"], {"chance": None, "log_chance": ""}, USUAL, instead={"chance": "log_chance"})
