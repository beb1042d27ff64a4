"""Copies are merged, draws are kept, and labels find the first row."""

import numpy as np
import pytest

from adjudge.tables.read import read


def table(rows, **options):
    names = ("policy", "prompt_id", "draw", "judge_score", "gold")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    if all(value is None for value in columns["draw"]):
        del columns["draw"]
    return read(columns, **options)


def codes(ratings):
    return {finding.code: finding for finding in ratings.findings}


def test_label_rows_attach_to_the_first_row():
    ratings = table(
        [
            ("a", 1, 0, 0.5, None),
            ("a", 2, 0, 0.7, None),
            ("b", 1, 0, 0.5, 0.1),
            ("a", 1, 0, 0.5, 0.9),
            ("a", 2, 0, 0.7, None),
        ]
    )
    assert ratings.row.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(ratings.gold, [0.9, np.nan, 0.1])
    assert codes(ratings)["duplicate-rows"].number == 2
    assert "1 gold labels were attached" in codes(ratings)["duplicate-rows"].message


def test_without_a_draw_column_label_rows_attach_if_nothing_looks_like_draws():
    ratings = table([("a", 1, None, 0.5, None), ("a", 2, None, 0.7, 0.2), ("a", 1, None, 0.5, 0.9)])
    assert ratings.row.tolist() == [0, 1]
    assert ratings.gold.tolist() == [0.9, 0.2]


@pytest.mark.parametrize(
    "sign_of_draws",
    [[("a", 3, None, 0.1, None), ("a", 3, None, 0.2, None)], [("a", 3, None, 0.1, None), ("a", 3, None, 0.1, None)]],
)
def test_without_a_draw_column_nothing_merges_if_anything_looks_like_draws(sign_of_draws):
    ratings = table([("a", 1, None, 0.5, None), ("a", 1, None, 0.5, 0.9), ("a", 2, None, 0.5, 0.1), *sign_of_draws])
    assert ratings.n == 5
    assert "draws-ambiguous" in codes(ratings)
    assert "duplicate-rows" not in codes(ratings)


def test_draws_are_kept():
    rows = [("a", 1, draw, 0.5, None) for draw in range(5)] + [("a", 2, 0, 0.1, 1.0), ("a", 2, 0, 0.2, 0.0)]
    ratings = table(rows)
    assert ratings.n == 7
    assert ratings.units == 2
    assert "duplicate-rows" not in codes(ratings)


def test_missing_scores_count_as_equal():
    ratings = table([("a", 1, 0, None, None), ("a", 1, 0, None, 0.9), ("a", 2, 0, 0.3, 0.1)])
    assert ratings.gold.tolist() == [0.9, 0.1]


def test_contradictory_labels_are_several_raters():
    ratings = table([("a", 1, 0, 0.5, 1.0), ("a", 1, 0, 0.5, 0.0), ("a", 1, 0, 0.5, 0.5), ("a", 2, 0, 0.7, 0.25)])
    assert ratings.gold.tolist() == [0.5, 0.25]
    # s² of (1, 0, ½) is ¼, over three raters 1/12; the row with one rater takes the pooled s² = ¼
    np.testing.assert_allclose(ratings.gold_variance, [1 / 12, 1 / 4])
    assert codes(ratings)["gold-contradictory"].number == 1


def test_rounding_is_no_contradiction():
    ratings = table([("a", 1, 0, 0.5, 0.1)] * 3 + [("a", 2, 0, 0.5, 0.7)] * 7)
    assert ratings.n == 2
    assert "gold-contradictory" not in codes(ratings)


def test_equal_labels_of_copies_are_one_label():
    ratings = table([("a", 1, 0, 0.5, 1.0), ("a", 1, 0, 0.5, 1.0), ("a", 2, 0, 0.7, 0.25)])
    assert ratings.gold.tolist() == [1.0, 0.25]
    assert ratings.gold_variance.tolist() == [0.0, 0.0]
    assert "gold-contradictory" not in codes(ratings)


def test_propensity_follows_its_label_and_the_cluster_codes_stay_dense():
    source = {
        "policy": ["a", "a", "a"],
        "prompt_id": [1, 1, 2],
        "draw": [0, 0, 0],
        "judge_score": [0.5, 0.5, 0.7],
        "gold": [None, 1.0, 0.0],
        "pi": [None, 0.25, 0.5],
        "user": ["u", "only in the copy", "w"],
    }
    ratings = read(source, propensity="pi", cluster="user")
    assert ratings.propensity.tolist() == [0.25, 0.5]
    assert ratings.cluster.tolist() == [0, 1]
    assert ratings.units == 2


def test_the_arena_pattern():
    """Three policies of seven prompts, of which a second slice repeats some rows with the label added."""
    rng = np.random.default_rng(3)
    fresh = [(policy, item, 0, float(rng.integers(0, 5)) / 4, None) for policy in "abc" for item in range(7)]
    probe = [(*fresh[position][:4], 0.5 + position / 100) for position in (2, 9, 11, 20)]
    ratings = table([*fresh, *probe])
    assert ratings.n == 21
    assert np.flatnonzero(ratings.labelled).tolist() == [2, 9, 11, 20]
    np.testing.assert_allclose(ratings.gold[[2, 9, 11, 20]], [0.52, 0.59, 0.61, 0.70])
