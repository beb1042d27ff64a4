"""A run remembers how it was made, and files are written whole, and never over an input."""

import hashlib
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest

from adjudge.core import run as runs
from adjudge.core.run import Run, array_fingerprint, file_fingerprint, plain, write
from adjudge.errors import AdjudgeError


def test_a_run_survives_json() -> None:
    run = Run.now(
        "adjudge evaluate a.csv",
        seed=7,
        data={"a.csv": "sha256:00"},
        settings={"level": 0.95, "folds": np.int64(5), "bounds": (0.0, math.inf), "judges": np.array(["x", "y"])},
        methods=("value.ppi", "value.labels", "value.ppi"),
    )
    again = Run.from_json(run.to_json())
    assert again == run
    assert run.methods == ("value.ppi", "value.labels")
    assert run.settings == {"level": 0.95, "folds": 5, "bounds": [0.0, None], "judges": ["x", "y"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run.created)
    assert {"adjudge", "python", "numpy", "scipy", "polars"} <= set(run.versions)
    assert run.versions["numpy"] == np.__version__


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command": 1, "methods": [], "surprise": 2}', "{"])
def test_what_is_not_a_run_is_refused_in_three_parts(text: str) -> None:
    with pytest.raises(AdjudgeError, match=r"run\.json"):
        Run.from_json(text)


def test_json_is_strict() -> None:
    text = Run("c", "now", settings=plain({"a": math.nan, "b": [math.inf, np.float32(0.5)], "p": Path("x")})).to_json()
    assert json.loads(text, parse_constant=pytest.fail)["settings"] == {"a": None, "b": [None, 0.5], "p": "x"}


def test_a_file_has_the_fingerprint_that_sha256sum_prints(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1: the message "abc".
    assert file_fingerprint(path) == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_arrays_are_known_by_their_values() -> None:
    score = np.arange(7.0)
    table = {"score": score, "policy": np.array(["a", "b"])}
    print_ = array_fingerprint(table)
    assert print_ == array_fingerprint({"policy": ["a", "b"], "score": np.repeat(score, 2)[::2]})
    assert print_ != array_fingerprint({**table, "score": score + 1e-12})
    assert print_ != array_fingerprint({"policy": score, "score": table["policy"]})
    assert array_fingerprint({"a": np.zeros((2, 3))}) != array_fingerprint({"a": np.zeros((3, 2))})
    assert array_fingerprint({"a": np.zeros(0)}).startswith("sha256:")
    assert array_fingerprint({"a": np.array(["x", None], dtype=object)}) != array_fingerprint({"a": ["x", "y"]})


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    Run("c", "now").save(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs.os, "fdopen", full)
    with pytest.raises(AdjudgeError, match="No space left"):
        write(path, "half")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert write(tmp_path / "a", b"x").stat().st_mode == ordinary.stat().st_mode


@pytest.mark.parametrize("way", ["same", "relative", "symbolic", "hard"])
def test_an_input_is_never_overwritten(tmp_path: Path, way: str) -> None:
    source = tmp_path / "ratings.csv"
    source.write_text("policy,score\n")
    output = {"same": source, "relative": tmp_path / "." / "sub" / ".." / "ratings.csv"}.get(way, tmp_path / "link")
    (tmp_path / "sub").mkdir()
    if way == "symbolic":
        output.symlink_to(source)
    if way == "hard":
        output.hardlink_to(source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(AdjudgeError) as caught:
        write(output, "gone", inputs=[tmp_path / "other.csv", source])
    assert caught.value.found
    assert caught.value.expected
    assert caught.value.do
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest


def test_a_link_is_written_through_and_a_pipe_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write(tmp_path / "pipe", "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "link", "pipe"]


def test_a_missing_folder_is_an_error_in_three_parts(tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError, match="cannot be written"):
        write(tmp_path / "no" / "where.json", "x")
