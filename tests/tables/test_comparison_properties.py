"""Laws of the door for votes: order, sides and formats mean nothing, and nothing but an AdjudgeError comes out."""

from __future__ import annotations

import io
import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import AdjudgeError
from adjudge.tables.read_comparisons import read

settings.register_profile("votes", deadline=None, derandomize=True, max_examples=60)
LAWS = settings.get_profile("votes")

WORDS = ("left", "right", "tie", None)
row = st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from(WORDS), st.integers(0, 4))
rows = st.lists(row, min_size=1, max_size=23).filter(
    lambda rows: any(left != right and word for left, right, word, _ in rows)
)
SWAPPED = {"left": "right", "right": "left", "tie": "tie", None: None}


def frame(entries) -> pl.DataFrame:
    names = {"left": pl.String, "right": pl.String, "outcome": pl.String, "prompt": pl.Int64}
    return pl.DataFrame(entries, schema=names, orient="row")


def told(table):
    """What the table says, from the side of the policy whose name comes first."""
    turned = table.swapped(table.left > table.right)
    names = np.array(table.policies)
    return sorted(
        zip(names[turned.left], names[turned.right], turned.outcome.tolist(), table.item.tolist(), strict=True)
    )


@given(rows, st.randoms(use_true_random=False))
@LAWS
def test_row_order_means_nothing(entries, random) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    one, other = read(frame(entries), item="prompt"), read(frame(shuffled), item="prompt")
    assert one.policies == other.policies
    assert told(one) == told(other)


@given(rows, st.lists(st.booleans(), min_size=23, max_size=23))
@LAWS
def test_swapping_sides_means_nothing(entries, turn) -> None:
    swapped = [
        (right, left, SWAPPED[word], prompt) if which else (left, right, word, prompt)
        for (left, right, word, prompt), which in zip(entries, turn, strict=False)
    ]
    assert told(read(frame(entries), item="prompt")) == told(read(frame(swapped), item="prompt"))


CODES = st.sampled_from(
    [
        {"left": 1, "tie": 0.5, "right": 0},
        {"left": 1, "tie": 0, "right": -1},
        {"left": 1, "tie": 0, "right": 2},
        {"left": "model_a", "tie": "tie", "right": "model_b"},
        {"left": "[[A]]", "tie": "[[C]]", "right": "[[B]]"},
        {"left": "1-0", "tie": "1/2-1/2", "right": "0-1"},
        {"left": "1", "tie": "tie", "right": "0"},
        {"left": "1", "tie": "draw", "right": "2"},
    ]
)


@given(rows, CODES)
@LAWS
def test_every_coding_says_the_same_in_memory_and_in_a_file(entries, coding) -> None:
    """Where all three outcomes occur, so that the coding is plain."""
    whole = [*entries, *(("a", "b", word, 9) for word in ("left", "tie", "right"))]
    plain = frame(whole)
    coded = plain.with_columns(
        pl.Series("outcome", [None if word is None else coding[word] for word in plain["outcome"]], strict=False)
    )
    there = io.BytesIO()
    coded.write_csv(there)
    as_text = pl.read_csv(there.getvalue(), infer_schema=False)
    expected = told(read(plain, item="prompt"))
    assert told(read(coded, item="prompt")) == expected
    assert told(read(as_text, item="prompt")) == expected


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["left", "right", "a", "A", " a", "b", "tie", "0", "1", "2", "nan", "", "\x00", "🦙", "ａ"]),
    st.text(max_size=5),
)


def mostly(*usual: object) -> st.SearchStrategy[list[object]]:
    """A column of usual values, one odd one among them, or odd ones all over."""
    plain = st.lists(st.sampled_from(usual), min_size=7, max_size=7)
    one_odd = st.tuples(plain, st.integers(0, 6), anything).map(
        lambda it: [*it[0][: it[1]], it[2], *it[0][it[1] + 1 :]]
    )
    return st.one_of(plain, one_odd, st.lists(anything, min_size=7, max_size=7))


name = mostly("a", "b", "c")
verdict = st.one_of(mostly("left", "right", "tie"), mostly("a", "b"), mostly(0, 1), mostly("0", "1", "2"))
other = st.one_of(mostly(1, 2, 3), mostly("u", "v"), mostly("2024-01-01", "2024-02-03"), mostly(0.5, 2.0))


@given(name, name, verdict, other, st.sampled_from(["item", "rater", "weight", "count", "first", "time", "cluster"]))
@settings(LAWS, max_examples=200)
def test_whatever_is_given_a_sound_table_or_a_three_part_error_comes_out(left, right, outcome, other, part) -> None:
    table = {"left": left, "right": right, "outcome": outcome, "other": other}
    try:
        found = read(table, **{part: "other"})
    except AdjudgeError:
        return
    assert (found.left != found.right).all()
    assert set(np.unique(found.left)) | set(np.unique(found.right)) <= set(range(found.k))
    assert ((found.outcome >= 0) & (found.outcome <= 1)).all()
    assert (found.weight >= 0).all()
    assert (found.count == np.round(found.count)).all()
    assert all(name.strip() for name in found.policies)
    assert math.isfinite(float(found.time.sum()))
