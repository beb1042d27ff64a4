"""The preference table: targets freed of flips, sides, rows, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from adjudge.errors import AdjudgeError
from adjudge.tables.preferences import from_arrays


def test_a_target_has_the_mean_of_the_outcome_before_flips() -> None:
    flip = np.array([0.0, 0.1, 0.49])
    one, zero = (from_arrays(np.eye(3), np.zeros((3, 3)), np.full(3, side), flip=flip).target for side in (1.0, 0.0))
    np.testing.assert_allclose((1 - flip) * one + flip * zero, 1.0)


def test_sides_and_rows() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 5, 3))
    made = from_arrays(
        left, sparse.csr_array(right).toarray(), [1, 0, 0.5, 1, np.nan], rating=rng.normal(size=(5, 2)),
        left_text=tuple("abcde"), right_text=tuple("vwxyz"), cluster=[0, 0, 1, 1, 2],
    )  # fmt: skip
    np.testing.assert_allclose(made.swapped.difference, right - left)
    assert made.swapped.left_text == tuple("vwxyz")
    np.testing.assert_array_equal(made.swapped.rating, made.rating[:, ::-1])
    some = made.take(made.cluster == 1)
    assert (some.n, some.left_text, some.row.tolist()) == (2, ("c", "d"), [2, 3])
    assert made.compared.tolist() == [True, True, True, True, False]
    assert made.units == 3


@pytest.mark.parametrize(
    ("name", "given"),
    [("outcome", [1.1, 0.0]), ("margin", [-1.0, 2.0]), ("weight", [-1.0, 1.0]), ("weight", [np.inf, 1.0]),
     ("flip", [0.5, 0.0]), ("length", [[1.0, -2.0], [1.0, 1.0]]), ("cluster", [0, 1, 2]), ("cluster", [0, -1]),
     ("source", [0, -1]), ("margin", [1.0, np.inf])],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(name: str, given: list[float]) -> None:
    columns = {"outcome": [1.0, 0.0], name: given}
    with pytest.raises(AdjudgeError, match=f"preferences.{name}"):
        from_arrays(np.eye(2), np.zeros((2, 2)), columns.pop("outcome"), **columns)


def test_features_with_gaps_or_of_other_shapes_are_refused() -> None:
    with pytest.raises(AdjudgeError, match="gaps"):
        from_arrays(np.array([[np.nan]]), np.zeros((1, 1)), [1.0])
    with pytest.raises(AdjudgeError, match=r"preferences\.left"):
        from_arrays(np.zeros((2, 3)), np.zeros((2, 2)), [1.0, 0.0])


@pytest.mark.parametrize(("names", "said"), [(("a", "b", "a"), "'a' stands twice"), (("a",), "1 names, and source")])
def test_sources_have_a_name_of_their_own_each(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(AdjudgeError, match=said):
        from_arrays(np.eye(2), np.zeros((2, 2)), [1.0, 0.0], source=[0, 1], sources=names)
    assert from_arrays(np.eye(2), np.zeros((2, 2)), [1.0, 0.0], sources=("a", "b", "c")).sources == ("a", "b", "c")
