"""Every kind of source gives the same ratings; broken files are named with the reason; nothing is ever written."""

import contextlib
import gzip
import hashlib
import json

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read import read

N = 37


def frame():
    rng = np.random.default_rng(5)
    gold = [float(value) if label else None for value, label in zip(rng.random(N), rng.random(N) < 0.3, strict=True)]
    return pl.DataFrame(
        {
            "policy": [f"p{number % 3}" for number in range(N)],
            "prompt_id": [number // 3 for number in range(N)],
            "judge_score": rng.random(N),
            "gold": gold,
            "noise": ["text, with a comma"] * N,
        }
    )


def same(left, right):
    assert left.policies == right.policies
    for name in ("policy", "item", "cluster", "score", "gold", "weight", "gold_variance", "row"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
    assert left.bounds == right.bounds


def write(path):
    data = frame()
    name = path.name.removesuffix(".gz")
    raw = path.with_name(name)
    if name.endswith(".csv"):
        data.write_csv(raw)
    elif name.endswith(".tsv"):
        data.write_csv(raw, separator="\t")
    elif name.endswith((".jsonl", ".ndjson")):
        data.write_ndjson(raw)
    elif name.endswith(".json"):
        data.write_json(raw)
    elif name.endswith(".parquet"):
        data.write_parquet(raw)
    elif name.endswith(".ipc"):
        data.write_ipc_stream(raw)
    else:
        data.write_ipc(raw)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(raw.read_bytes()))
        raw.unlink()
    return path


FORMATS = ["t.csv", "t.tsv", "t.jsonl", "t.ndjson", "t.json", "t.parquet", "t.arrow", "t.feather", "t.ipc"]
FORMATS += ["t.csv.gz", "t.tsv.gz", "t.jsonl.gz", "t.json.gz"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_ratings_and_is_left_alone(tmp_path, name):
    path = write(tmp_path / name)
    before = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())
    same(read(path), read(frame()))
    assert before == (
        hashlib.sha256(path.read_bytes()).hexdigest(),
        path.stat().st_mtime_ns,
        sorted(tmp_path.iterdir()),
    )


def test_every_object_gives_the_same_ratings():
    data = frame()
    pandas = data.to_pandas()
    for source in (
        data.lazy(),
        data.to_dicts(),
        data.to_dict(as_series=False),
        {name: data[name].to_numpy() for name in data.columns},
        data.to_arrow(),
        pandas,
        pandas.convert_dtypes(),
        pandas.astype({"policy": "category"}),
        pandas.astype({"policy": object}),
    ):
        same(read(source), read(data))


def test_sources_are_not_modified():
    data = frame()
    arrays = {name: data[name].to_numpy().copy() for name in data.columns}
    copies = {name: values.copy() for name, values in arrays.items()}
    records = data.to_dicts()
    read(arrays)
    read(records)
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, copies[name])
    assert records == data.to_dicts()


def test_semicolons_and_byte_order_mark(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfpolicy;prompt_id;judge_score\na;1;0.5\nb;1;0.25\n")
    assert read(path).score[:, 0].tolist() == [0.5, 0.25]


def test_leading_zeros_are_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("policy,prompt_id,judge_score\na,07,0.5\nb,7,0.25\n")
    assert read(path).item.tolist() == [0, 1]


def test_one_file_for_each_policy(tmp_path):
    for number, name in enumerate(("gpt", "claude")):
        frame().filter(pl.col("policy") == f"p{number}").drop("policy").write_ndjson(tmp_path / f"{name}.jsonl")
    (tmp_path / "notes.txt").write_text("not a table")
    for source in (tmp_path, f"{tmp_path}/*.jsonl", [tmp_path / "claude.jsonl", tmp_path / "gpt.jsonl"]):
        table = read(source)
        assert table.policies == ("claude", "gpt")
        assert "policy-from-file" in [finding.code for finding in table.findings]
        assert np.bincount(table.policy).tolist() == [12, 13]
        assert table.units == 13


def test_rows_of_several_files_are_named_by_file(tmp_path):
    (tmp_path / "a.csv").write_text("prompt_id,judge_score\n1,0.5\n2,0.5\n")
    (tmp_path / "b.csv").write_text("prompt_id,judge_score\n1,0.5\n2,oops\n")
    with pytest.raises(AdjudgeError, match=r"row 1 of b, 'oops'"):
        read(tmp_path)


def test_files_of_one_name_in_two_folders(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "run.csv").write_text("prompt_id,judge_score\n1,0.5\n")
    table = read([tmp_path / "x" / "run.csv", tmp_path / "y" / "run.csv"])
    assert table.policies == ("x/run", "y/run")


def test_rows_by_policy(tmp_path):
    rows = {"new": [{"prompt_id": 1, "judge_score": 0.5}], "old": [{"prompt_id": 1, "judge_score": 1, "gold": 1}]}
    path = tmp_path / "fresh.json"
    path.write_text(json.dumps(rows))
    for source in (rows, path):
        table = read(source)
        assert table.policies == ("new", "old")
        assert table.gold.tolist()[1] == 1.0


def test_rows_inside_a_json_document(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"made": "today", "rows": [{"policy": "a", "prompt_id": 1, "judge_score": 0.5}]}))
    assert read(path).n == 1


def test_jsonl_that_only_the_standard_library_reads(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"policy": "a", "prompt_id": 1, "judge_score": NaN, "extra": 1}\n\n'
        '{"policy": "a", "prompt_id": 2, "judge_score": 0.5, "extra": {"x": [1]}}\n'
    )
    assert np.isnan(read(path).score[:, 0]).tolist() == [True, False]


# -- broken files ----------------------------------------------------------------------------------------------


def refused(path, match):
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(AdjudgeError, match=match):
        read(path)
    if before is not None:
        assert path.read_bytes() == before


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.endswith(".gz")])
def test_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name, "0 bytes")


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.json", "t.csv.gz", "t.jsonl.gz", "t.ipc"])
@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_truncated_file(tmp_path, name, share):
    path = write(tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, "cannot be read|is not JSON")


def test_truncated_lines_are_numbered(tmp_path):
    path = write(tmp_path / "t.jsonl")
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"judge_score")])
    refused(path, f"line {N} is not JSON")


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.csv.gz", "t.ipc", "t.eval"])
def test_garbage(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"this is no table at all" * 9)
    refused(path, "cannot be read")


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json", "t.arrow", "t.ipc", "t.csv.gz", "t.jsonl.gz"])
def test_damaged_bytes_give_ratings_or_an_adjudge_error(tmp_path, name):
    path = write(tmp_path / name)
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    for _ in range(41):
        damaged = bytearray(whole)
        for position in rng.integers(0, len(whole), 3):
            damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with contextlib.suppress(AdjudgeError):
            assert read(path).n > 0


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json"])
def test_other_encodings(tmp_path, name):
    path = write(tmp_path / name)
    path.write_bytes(path.read_bytes().replace(b"comma", "virgül".encode("latin1")))
    refused(path, "line .* is not UTF-8")


def test_ragged_csv(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("policy,prompt_id,judge_score\na,1,0.5\nb,2,0.5,9,9\n")
    refused(path, "cannot be read as CSV")


def test_header_alone(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("policy,prompt_id,judge_score\n")
    refused(path, "has no rows")


def test_paths_that_lead_nowhere(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    refused(tmp_path / "b.csv", "There is no file .*Its folder holds: a.csv")
    refused(tmp_path / "no" / "b.csv", "There is no file")
    (tmp_path / "a.xlsx").write_text("x")
    refused(tmp_path / "a.xlsx", "suffix .xlsx is not known")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no table")
    with pytest.raises(AdjudgeError, match="No file matches"):
        read(f"{tmp_path}/*.parquet")


@pytest.mark.parametrize("name", ["a" * 300 + ".csv", "a\0b.csv", ""])
def test_names_that_cannot_be(tmp_path, name):
    with pytest.raises(AdjudgeError):
        read(str(tmp_path / name))


def test_unreadable_file(tmp_path, monkeypatch):
    path = write(tmp_path / "t.csv")
    monkeypatch.setattr("adjudge.tables.files.os.access", lambda *_: False)
    refused(path, "may not be read")


def test_frame_with_two_columns_of_one_name():
    pandas = frame().to_pandas()
    pandas.columns = ["policy", "policy", "judge_score", "gold", "noise"]
    with pytest.raises(AdjudgeError, match="more than one column named 'policy'"):
        read(pandas)
