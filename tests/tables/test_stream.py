"""Batches agree with the whole: same rows, same values, codes that mean the same everywhere."""

import gzip

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read import read
from adjudge.tables.stream import scan

N = 1009


def frame(*, draws=True):
    rng = np.random.default_rng(17)
    gold = np.where(rng.random(N) < 0.1, rng.random(N), np.nan)
    columns = {
        "policy": [f"p{number}" for number in rng.integers(0, 3, N)],
        "prompt_id": [f"q{number}" for number in rng.integers(0, 211, N)],
        "judge_score": rng.integers(0, 5, N) / 4,
        "gold": pl.Series(gold).fill_nan(None),
        "user": rng.integers(0, 53, N),
        "w": rng.random(N),
        "stratum": [("easy", "hard")[number] for number in rng.integers(0, 2, N)],
    }
    return pl.DataFrame(columns | ({"draw": np.arange(N)} if draws else {}))


def gathered(batches):
    parts = list(batches)
    return {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (
            "row",
            "policy",
            "item",
            "cluster",
            "score",
            "gold",
            "weight",
            "gold_variance",
            "propensity",
            "stratum",
        )
    }


def partition(codes):
    """Codes renamed by first appearance: equal for codings that group alike."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def agree(opened, whole, *, rows):
    table = gathered(opened.batches(rows))
    np.testing.assert_array_equal(table["row"], whole.row)
    assert opened.policies == whole.policies
    assert opened.units == whole.units
    assert opened.bounds == whole.bounds
    for name in ("policy", "score", "gold", "weight", "gold_variance", "propensity", "stratum"):
        np.testing.assert_array_equal(table[name], getattr(whole, name), err_msg=name)
    for name in ("item", "cluster"):
        np.testing.assert_array_equal(partition(table[name]), partition(getattr(whole, name)), err_msg=name)
    labelled = opened.labelled()
    at = np.flatnonzero(np.isfinite(table["gold"]))
    for name in ("row", "policy", "item", "cluster", "score", "gold", "weight", "stratum"):
        np.testing.assert_array_equal(getattr(labelled, name), table[name][at], err_msg=name)


@pytest.mark.parametrize(
    "name", ["t.parquet", "t.arrow", "t.csv", "t.tsv", "t.csv.gz", "t.jsonl", "frame", "lazy", "dicts"]
)
def test_batches_agree_with_the_whole(tmp_path, name):
    data = frame()
    source = tmp_path / name
    match name:
        case "t.parquet":
            data.write_parquet(source, row_group_size=97)
        case "t.arrow":
            data.write_ipc(source)
        case "t.csv":
            data.write_csv(source)
        case "t.tsv":
            data.write_csv(source, separator="\t")
        case "t.csv.gz":
            source.write_bytes(gzip.compress(data.write_csv().encode()))
        case "t.jsonl":
            data.write_ndjson(source)
        case "frame":
            source = data
        case "lazy":
            source = data.lazy()
        case "dicts":
            source = data.to_dicts()
    options = {"cluster": "user", "weight": "w", "stratum": "stratum"}
    opened = scan(source, **options)
    assert opened.n == N
    agree(opened, read(source, **options), rows=101)


def test_one_file_for_each_policy(tmp_path):
    for name in ("p0", "p1", "p2"):
        frame().filter(pl.col("policy") == name).drop("policy").write_parquet(tmp_path / f"{name}.parquet")
    agree(scan(tmp_path), read(tmp_path), rows=89)


def test_conditions(tmp_path):
    path = tmp_path / "t.csv"
    frame().write_csv(path)
    where = "stratum = 'hard' AND w > 0.25"
    agree(scan(path, where=where), read(path, where=where), rows=97)


def test_codes_do_not_depend_on_row_order():
    data = frame()
    order = np.random.default_rng(2).permutation(N)
    left, right = gathered(scan(data).batches(103)), gathered(scan(data[order]).batches(107))
    for name in ("policy", "item", "cluster"):
        np.testing.assert_array_equal(left[name][order], right[name])


def test_copies_of_labelled_rows_are_left_out():
    data = frame().with_columns(pl.lit(0).alias("draw")).unique(["policy", "prompt_id"], maintain_order=True)
    fresh = data.with_columns(gold=None)
    probe = data.filter(pl.col("gold").is_not_null())
    both = pl.concat([fresh, probe], how="vertical_relaxed")
    opened = scan(both)
    table = gathered(opened.batches(71))
    whole = read(both)
    assert table["row"].size == whole.n == data.height
    assert np.nansum(table["gold"]) == pytest.approx(np.nansum(whole.gold))
    key = np.lexsort([table["policy"], table["score"][:, 0]])
    assert np.sort(table["score"][key, 0]).sum() == pytest.approx(whole.score.sum())


def test_copies_without_a_draw_column_are_kept_and_told():
    data = frame(draws=False).unique(["policy", "prompt_id"], maintain_order=True)
    probe = data.filter(pl.col("gold").is_not_null())
    both = pl.concat([data.with_columns(pl.lit(None, pl.Float64).alias("gold")), probe])
    batches = list(scan(both).batches())
    assert sum(batch.n for batch in batches) == both.height
    (finding,) = batches[0].findings
    assert finding.code == "draws-ambiguous"
    assert finding.number == probe.height


def test_repeated_labels_count_once():
    data = frame().with_columns(pl.lit(0).alias("draw")).unique(["policy", "prompt_id"], maintain_order=True)
    both = pl.concat([data, data.filter(pl.col("gold").is_not_null())])
    agree(scan(both), read(both), rows=83)


def test_without_labels():
    opened = scan(frame().drop("gold"), bounds=(0, 1))
    assert opened.labelled().n == 0
    assert sum(batch.n for batch in opened.batches(211)) == N
    assert opened.bounds == (0, 1)


def test_without_items():
    opened = scan(frame().drop("prompt_id", "draw"))
    assert opened.units == N


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({"policy": pl.Series([str(number) for number in range(N)] * 1)}, {}, None),
        ({"policy": pl.lit(None, pl.String)}, {}, "missing"),
        ({"judge_score": pl.lit(None, pl.Float64)}, {}, "all 1,009 scores are missing"),
        ({"judge_score": pl.lit("great")}, {}, "'great'"),
        ({"w": pl.lit(-1.0)}, {"weight": "w"}, "negative"),
        ({"w": pl.lit(None, pl.Float64)}, {"covariates": ["w"]}, "missing"),
        ({}, {"where": "w > 9"}, "no rows"),
    ],
)
def test_bad_input(change, options, match):
    data = frame().with_columns(**change)
    if match is None:
        assert len(scan(data, **options).policies) == N
        return
    with pytest.raises(AdjudgeError, match=match):
        list(scan(data, **options).batches())


def test_too_many_policies():
    data = pl.DataFrame({"policy": np.arange(3001), "prompt_id": np.arange(3001), "judge_score": np.ones(3001)})
    with pytest.raises(AdjudgeError, match="3,001 distinct values"):
        scan(data)


def test_missing_scores_are_told():
    (finding,) = (
        finding
        for finding in scan(frame().with_columns(judge_score=pl.when(pl.col("w") > 0.5).then(0.5))).findings
        if finding.code == "score-missing"
    )
    assert 0.4 < finding.number < 0.6
