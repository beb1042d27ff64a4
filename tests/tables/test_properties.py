"""Laws of the door: order, names and formats mean nothing, and nothing but an AdjudgeError ever comes out."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import AdjudgeError
from adjudge.tables.read import read
from adjudge.tables.stream import scan

settings.register_profile("door", deadline=None, derandomize=True, max_examples=60)
LAWS = settings.get_profile("door")

score = st.one_of(st.none(), st.integers(0, 4).map(lambda quarter: quarter / 4))
row = st.tuples(st.sampled_from("abc"), st.integers(0, 6), st.integers(0, 1), score, score)
rows = st.lists(row, min_size=1, max_size=23).filter(lambda rows: any(entry[3] is not None for entry in rows))


def frame(entries):
    return pl.DataFrame(
        entries,
        schema={
            "policy": pl.String,
            "prompt_id": pl.Int64,
            "draw": pl.Int64,
            "judge_score": pl.Float64,
            "gold": pl.Float64,
        },
        orient="row",
    )


def responses(ratings, names=None):
    """What the table says, whatever its order: sorted rows of (policy, prompt code, score, label, label noise)."""
    policies = names or ratings.policies
    return sorted(
        (policies[policy], int(item), *(math.inf if math.isnan(value) else round(value, 9) for value in numbers))
        for policy, item, *numbers in zip(
            ratings.policy, ratings.item, ratings.score[:, 0], ratings.gold, ratings.gold_variance, strict=True
        )
    )


@given(rows, st.randoms(use_true_random=False))
@LAWS
def test_row_order_means_nothing(entries, random):
    shuffled = list(entries)
    random.shuffle(shuffled)
    left, right = read(frame(entries)), read(frame(shuffled))
    assert responses(left) == responses(right)
    assert sorted(finding.code for finding in left.findings) == sorted(finding.code for finding in right.findings)


@given(rows)
@LAWS
def test_relabelling_means_nothing(entries):
    names = {"a": "z", "b": "y", "c": "x"}
    renamed = [(names[policy], 100 - 7 * item, *rest) for policy, item, *rest in entries]
    left, right = read(frame(entries)), read(frame(renamed))
    back = {new: old for old, new in names.items()}
    last = int(left.item.max())  # the new prompt ids run the other way
    assert responses(left) == sorted((back[name], last - item, *rest) for name, item, *rest in responses(right))


@given(rows)
@LAWS
def test_codes_are_dense(entries):
    ratings = read(frame(entries))
    for codes in (ratings.policy, ratings.item, ratings.cluster):
        np.testing.assert_array_equal(np.unique(codes), np.arange(codes.max() + 1))
    assert ratings.n <= len(entries)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json", "parquet", "arrow"])
def test_every_format_tells_the_same(tmp_path, suffix):
    @given(rows)
    @settings(LAWS, max_examples=20)
    def law(entries):
        data, path = frame(entries), tmp_path / f"t.{suffix}"
        match suffix:
            case "csv":
                data.write_csv(path)
            case "tsv":
                data.write_csv(path, separator="\t")
            case "jsonl":
                data.write_ndjson(path)
            case "json":
                data.write_json(path)
            case "parquet":
                data.write_parquet(path)
            case "arrow":
                data.write_ipc(path)
        left, right = read(data), read(path)
        for name in ("policy", "item", "score", "gold", "gold_variance", "row"):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))

    law()


@given(rows, st.integers(1, 7))
@LAWS
def test_streams_tell_the_same_labels(entries, size):
    left, opened = read(frame(entries)), scan(frame(entries))
    batches = list(opened.batches(size))
    assert opened.policies == left.policies
    assert opened.units == left.units
    labelled = opened.labelled()
    assert np.sort(labelled.gold).tolist() == np.sort(left.gold[left.labelled]).tolist()
    streamed = np.concatenate([batch.gold for batch in batches])
    assert np.sort(streamed[np.isfinite(streamed)]).tolist() == np.sort(labelled.gold).tolist()


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["0.5", "1", "pass", "n/a", "", "NaN", "inf", "a"]),
    st.lists(st.integers(), max_size=2),
    st.dates(),
)
NAMES = ("policy", "prompt_id", "judge_score", "gold", "draw", "w", "pi", "x")


@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES), anything), max_size=5),
    st.dictionaries(st.sampled_from(("weight", "propensity", "stratum", "cluster", "rater")), st.sampled_from(NAMES)),
)
@settings(LAWS, max_examples=300)
def test_anything_gives_finite_ratings_or_an_adjudge_error(records, options):
    for source in (records, {name: [record.get(name) for record in records] for name in NAMES}):
        try:
            ratings = read(source, **options)
        except AdjudgeError:
            continue
        assert not np.isinf(ratings.score).any()
        assert not np.isinf(ratings.gold).any()
        assert np.isfinite(ratings.weight).all()
        assert np.isfinite(ratings.gold_variance).all()
        assert ratings.n > 0


@given(st.binary(max_size=60), st.sampled_from(["csv", "tsv", "jsonl", "json", "parquet", "arrow", "csv.gz", "eval"]))
@settings(LAWS, max_examples=200)
def test_any_bytes_give_ratings_or_an_adjudge_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("fuzz") / f"t.{suffix}"
    path.write_bytes(content)
    with pytest.raises(AdjudgeError):
        read(path)
    assert path.read_bytes() == content
