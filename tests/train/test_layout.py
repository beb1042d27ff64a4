from __future__ import annotations

import pytest
import torch

from adjudge.train._layout import rows
from adjudge.train.policy import Exchange

SAID = [Exchange((1, 2, 3), (4, 5, 6)), Exchange((1, 2, 3), (7, 8)), Exchange((9,), (10,)), Exchange((9, 9), ())]


def read(exchanges: list[Exchange], layout: str, pack_to: int = 1024) -> list[list[tuple[int, ...]]]:
    """For each code of each response: all that is seen where it is foretold, in order of position."""
    laid = rows(exchanges, layout, pack_to=pack_to)
    seen: list[list[tuple[int, ...]]] = [[()] * len(one.response) for one in exchanges]
    for row, column, target, exchange, step in zip(
        laid.row.tolist(),
        laid.column.tolist(),
        laid.target.tolist(),
        laid.exchange.tolist(),
        laid.step.tolist(),
        strict=True,
    ):
        width = laid.codes.shape[1]
        looks = torch.arange(width) <= column if laid.attends is None else laid.attends[row, column]
        at = laid.positions[row][looks]
        assert sorted(at.tolist()) == list(range(int(looks.sum())))  # every position once, none missing
        assert laid.positions[row, column] == at.max()
        assert target == exchanges[exchange].response[step]
        seen[exchange][step] = tuple(laid.codes[row][looks][at.argsort()].tolist())
    return seen


@pytest.mark.parametrize(("layout", "shape"), [("padded", (4, 5)), ("shared", (3, 6)), ("packed", (2, 7))])
def test_each_code_is_foretold_by_its_prompt_and_its_own_response_alone(layout: str, shape: tuple[int, int]) -> None:
    assert rows(SAID, layout, pack_to=7).codes.shape == shape
    for one, seen in zip(SAID, read(SAID, layout, 7), strict=True):
        assert seen == [one.prompt + one.response[:step] for step in range(len(one.response))]


def test_prompts_that_nobody_shares_need_no_mask() -> None:
    apart = [SAID[0], SAID[2], SAID[1]]  # one prompt twice, but not side by side
    laid = rows(apart, "shared")
    assert laid.attends is None
    assert laid.codes.shape[0] == 3
    assert rows(SAID, "shared").attends is not None


def test_a_shared_prompt_stands_once() -> None:
    laid = rows(SAID[:2], "shared")
    assert laid.codes.tolist() == [[1, 2, 3, 4, 5, 7]]  # the last code of each response is read and never written
    assert laid.positions.tolist() == [[0, 1, 2, 3, 4, 3]]
    assert laid.column.tolist() == [2, 3, 4, 2, 5]


def test_rows_are_filled_and_a_long_group_stands_alone() -> None:
    said = [Exchange((number,) * size, (1,)) for number, size in enumerate([3, 9, 2, 5, 1])]
    laid = rows(said, "packed", pack_to=6)
    held = [sorted({int(code) for code in row if code}) for row in laid.codes]
    assert laid.codes.shape == (3, 9)
    assert held == [[1], [3, 4], [2]]  # number 0 fills up with zeros, unseen here
    assert len(laid.target) == 5


def test_nothing_to_read_is_no_row_of_answers() -> None:
    laid = rows([Exchange((1, 2), ())], "shared")
    assert laid.target.shape == (0,)
    assert laid.size == (1, 0)


def test_what_fills_a_row_up_looks_at_something() -> None:
    laid = rows(SAID, "shared")
    assert laid.attends is not None
    assert bool(laid.attends.any(2).all())
