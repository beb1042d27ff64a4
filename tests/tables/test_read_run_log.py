"""The door of watched runs: folders and tables, lines that are still being written, KL below zero, odd rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read_run_log import METRICS, Logged, read

ROWS = [
    {"step": step, "prompt_id": item, "prompt": f"Q {item}", "response": f"A {step}", "reward": step + 0.5, "kl": step}
    for step in (0, 10, 20)
    for item in ("a", "b")
]


def written(path: Path, rows: list[dict[str, object]], tail: str = "") -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + tail)
    return path


def codes(table) -> list[str]:
    return [finding.code for finding in table.findings]


def test_a_folder_a_file_and_a_frame_are_the_same_run(tmp_path: Path) -> None:
    written(tmp_path / "samples.jsonl", ROWS)
    pl.DataFrame(ROWS).write_parquet(tmp_path / "log.parquet")
    pl.DataFrame(ROWS).write_csv(tmp_path / "log.csv")
    for source in (tmp_path, tmp_path / "samples.jsonl", tmp_path / "log.parquet", tmp_path / "log.csv", ROWS):
        table = read(source)
        assert table.steps == (0, 10, 20)
        assert table.items == ("a", "b")
        assert table.kl.tolist() == [0, 10, 20]
        assert table.proxy.tolist() == [0.5, 0.5, 10.5, 10.5, 20.5, 20.5]
        assert table.prompt[1] == "Q b"
        assert table.response[5] == "A 20"
        assert codes(table) == []


def test_a_last_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    whole = read(written(tmp_path / "one.jsonl", ROWS))
    cut = read(written(tmp_path / "two.jsonl", ROWS, '{"step": 30, "prompt_id": "a", "rew'))
    assert cut.steps == whole.steps
    assert codes(cut) == ["last-line-cut"]
    with pytest.raises(AdjudgeError, match="line 2 is no JSON object"):
        read(written(tmp_path / "three.jsonl", ROWS[:1], '{"step": \n{"step": 1}\n'))
    with pytest.raises(AdjudgeError, match="no whole line"):
        read(written(tmp_path / "four.jsonl", [], '{"st'))


def test_the_order_of_rows_does_not_matter_and_is_told() -> None:
    table = read([ROWS[place] for place in (4, 1, 5, 0, 2, 3)])
    assert table.steps == (0, 10, 20)
    assert codes(table) == ["steps-out-of-order"]
    assert sorted(zip(table.step.tolist(), table.proxy.tolist(), strict=True))[0] == (0, 0.5)


def test_a_kl_estimated_below_zero_is_zero_and_told() -> None:
    table = read([{**row, "kl": -0.1 if row["step"] == 0 else row["kl"]} for row in ROWS])
    assert table.kl.tolist() == [0, 10, 20]
    assert table.findings[0].code == "kl-below-zero"
    assert table.findings[0].number == pytest.approx(-0.1)
    assert table.findings[0].message.startswith("The KL of 1 step is estimated below 0")
    two = read([{**row, "kl": -0.1 if row["step"] else None} for row in ROWS])
    assert [each.message.partition(":")[0] for each in two.findings] == [
        "The KL of 2 steps is estimated below 0 (lowest -0.1), and taken as 0.", "No KL is known of 1 step of 3",
    ]  # fmt: skip


def test_kl_comes_from_the_metrics_where_samples_have_none(tmp_path: Path) -> None:
    written(tmp_path / "samples.jsonl", [{k: v for k, v in row.items() if k != "kl"} for row in ROWS])
    lost = read(tmp_path)
    assert codes(lost) == ["kl-unknown"]
    assert lost.distance.tolist() == [0, 0.5, 1]
    metrics = [{"step": step, "loss": 0.1, "objective/kl": step / 10} for step in (0, 10, 20)]
    written(tmp_path / "metrics.jsonl", metrics, '{"st')
    assert read(tmp_path).kl.tolist() == [0, 1, 2]


def test_logs_of_other_trainers_are_read_by_their_usual_names() -> None:
    table = read({"global_step": [1, 1, 2], "prompt": ["x", "y", "x"], "completion": ["a", "b", "c"],
                  "rewards": [0, 1, 2], "objective/kl": [0, 0, 0.5]})  # fmt: skip
    assert table.items == ("x", "y")
    assert table.response == ("a", "b", "c")
    other = read({"t": [1, 2], "who": [7, 7], "mine": [0.1, 0.2], "far": [0, 1]},
                 Logged(step="t", item="who", proxy="mine", kl="far"))  # fmt: skip
    assert other.items == ("7",)
    chats = read([{"step": 0, "prompt": [{"role": "user", "content": "hé"}], "reward": 1.0, "kl": 0.0}] * 2)
    assert chats.prompt[0] == '[{"role": "user", "content": "hé"}]'
    assert chats.sample.tolist() == [0, 1]


def test_samples_of_a_prompt_are_numbered_and_weights_count() -> None:
    table = read({"step": [0, 0, 1, 1], "item": ["a"] * 4, "proxy": [1, 2, 3, 4], "kl": [0, 0, 1, 4], "weight": [1, 1, 3, 1]})  # fmt: skip  # noqa: E501
    assert table.sample.tolist() == [0, 1, 0, 1]
    assert table.kl.tolist() == [0, 1.75]


def test_a_run_that_says_its_length_knows_its_end() -> None:
    assert read([{**row, "of": 20} for row in ROWS]).ended
    assert not read([{**row, "of": 30} for row in ROWS]).ended
    assert not read(ROWS).ended


def test_likelihoods_make_a_curve_of_their_own() -> None:
    table = read([{**row, "entropy": 1.0, "mass": 0.9, "chosen_logp": -1.0} for row in ROWS])
    assert table.likelihood is not None
    assert table.likelihood.steps == 3
    assert np.isnan(table.likelihood.rejected).all()
    assert read(ROWS).likelihood is None


def test_doubtful_input_is_told_and_bad_input_named(tmp_path: Path) -> None:
    assert codes(read([{**row, "reward": 1.0} for row in ROWS])) == ["proxy-constant"]
    assert codes(read([*ROWS, {**ROWS[0], "step": None}])) == ["rows-without-step"]
    for rows, words in (
        ([{"step": 0, "item": "a"}], "No column holds the proxy"),
        ([{"reward": 0, "item": "a"}], "No column holds the step"),
        ([{**ROWS[0], "step": "first"}], "not numbers"),
        ([{**ROWS[0], "step": None}], "no row has one"),
        ([{**row, "reward": None} for row in ROWS], "proxy: no row"),
    ):
        with pytest.raises(AdjudgeError, match=words):
            read(rows)
    with pytest.raises(AdjudgeError, match=r"no samples.jsonl"):
        read(tmp_path)
    with pytest.raises(AdjudgeError, match="no column 'rewardd'"):
        read(ROWS, Logged(proxy="rewardd"))


def test_a_folder_without_samples_names_the_table_that_it_holds(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").write_text('{"log_history": [{"step": 1, "loss": 2.0}]}', encoding="utf-8")
    (tmp_path / METRICS).write_text('{"step": 1}\n', encoding="utf-8")
    with pytest.raises(AdjudgeError) as told:
        read(tmp_path)
    assert f"name a table itself: {tmp_path / 'trainer_state.json'}." in told.value.do
    (tmp_path / "trainer_state.json").unlink()
    for name in ("a.parquet", "b.parquet"):
        pl.DataFrame({"step": [0], "reward": [1.0]}).write_parquet(tmp_path / name)
    with pytest.raises(AdjudgeError) as told:
        read(tmp_path)
    assert f'name its tables: "{tmp_path}/*.parquet".' in told.value.do


@pytest.mark.parametrize("name", ["run.csv", "run.jsonl", "run.json"])
def test_a_file_of_another_kind_than_its_suffix_says_is_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    pl.DataFrame({"step": [0], "reward": [1.0]}).write_parquet(path)
    with pytest.raises(AdjudgeError, match="its first bytes that it is Parquet") as told:
        read(path)
    assert told.value.do == "Rename it to run.parquet."
    path.write_bytes(gzip.compress(b"step,reward\n0,1\n"))
    with pytest.raises(AdjudgeError, match="its first bytes that it is gzip") as told:
        read(path)
    assert told.value.do == f"Rename it to {name}.gz."


def test_one_is_not_told_as_several() -> None:
    run = read({"step": [0, 1, None], "kl": [-1.0, 1.0, 2.0], "reward": [1, 2, 3]})
    said = {one.code: one.message for one in run.findings}
    assert said["kl-below-zero"].startswith("The KL of 1 step is estimated below 0")
    assert said["rows-without-step"].startswith("1 row has no step")
