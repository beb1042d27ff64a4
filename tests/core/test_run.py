"""A run remembers how it was made."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from adjudge.core.run import Run, array_fingerprint, file_fingerprint, plain
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
