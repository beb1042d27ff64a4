"""HELM runs: recognised by content, one row for each instance and copy, folders of runs read as one table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import mean_win_rate
from adjudge.tables.adapters import helm
from adjudge.tables.read import read

DATA = Path(__file__).parents[1] / "data" / "adapters" / "helm"


def test_instances_of_a_run() -> None:
    frame = helm.read(DATA / "sums-small" / "per_instance_stats.json")
    assert frame.columns == ["policy", "task", "prompt_id", "draw", "exact_match", "num_output_tokens"]
    assert frame["policy"].unique().to_list() == ["example/small"]
    assert frame["task"].unique().to_list() == ["sums:digits=2"]
    assert frame["prompt_id"].to_list() == [f"sums:digits=2/id{i}" for i in (0, 0, 1, 1)]
    assert frame["draw"].to_list() == ["0/original", "0/misspellings"] * 2
    assert frame["exact_match"].to_list() == [1.0, 0.0, 0.0, 0.0]  # HELM's worst of the copies is not one of them


def test_sums_of_a_run() -> None:
    frame = helm.read(DATA / "sums-large" / "stats.json")
    assert frame["draw"].to_list() == ["original", "misspellings"]
    assert frame["exact_match"].to_list() == [1.0, 0.5]
    assert frame["exact_match,valid"].to_list() == [1.0, None]
    assert frame["prompt_id"].unique().to_list() == ["sums:digits=2"]


def test_a_run_and_a_suite_of_runs_are_tables() -> None:
    one = read(DATA / "sums-small", judge="exact_match")
    assert (one.n, one.policies) == (4, ("example/small",))
    suite = read(DATA, judge="exact_match", stratum="task")
    assert (suite.n, suite.k, suite.units) == (8, 2, 2)
    assert suite.strata == ("sums:digits=2",)
    assert [finding.code for finding in suite.findings].count("log-recognised") == 2
    assert mean_win_rate.rank(suite).value.tolist() == [0.75 + 0.25, 0.0]
    worst = mean_win_rate.rank(suite, copies="worst")  # on id0 large is right on both copies, on id1 neither is
    assert worst.value.tolist() == [0.75, 0.25]


def test_without_a_specification_the_folder_tells(tmp_path: Path) -> None:
    folder = tmp_path / "mmlu:subject=law,model=example_small"
    folder.mkdir()
    path = folder / "per_instance_stats.json"
    path.write_text((DATA / "sums-small" / "per_instance_stats.json").read_text("utf-8"))
    frame = helm.read(path)
    assert frame["policy"][0] == "example/small"
    assert frame["task"][0] == "mmlu:subject=law"
    (folder / "run_spec.json").write_text("{")
    assert helm.read(path)["policy"][0] == "example/small"


def test_a_run_that_scored_nothing(tmp_path: Path) -> None:
    path = tmp_path / "per_instance_stats.json"
    path.write_text(json.dumps([{"instance_id": "id1", "train_trial_index": 0, "stats": []}]))
    with pytest.raises(AdjudgeError, match="no statistic with a value"):
        read(path)


@pytest.mark.parametrize("content", [None, [], {}, [1], [{}], [{"name": "a", "count": 1, "sum": 2}], "text"])
def test_other_documents_are_not_taken_for_runs(content: object) -> None:
    assert not helm.recognises(content)
