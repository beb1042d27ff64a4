"""Logs of other tools: recognised by content, one row for each answer, scores by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.adapters import deepeval, inspect_ai, lm_eval, promptfoo
from adjudge.tables.read import read

DATA = Path(__file__).parents[1] / "data" / "adapters"


def test_inspect_json():
    frame = inspect_ai.read(DATA / "inspect" / "small.json")
    assert frame["policy"].unique().to_list() == ["example/small"]
    assert frame["prompt_id"].to_list() == ["sums/1", "sums/1", "sums/2", "sums/2", "sums/x-3", "sums/x-3"]
    assert frame["draw"].to_list()[:2] == ["run-a/1", "run-a/2"]
    assert frame["match"].to_list() == [1.0, 0.0, 0.5, 1.0, 0.0, 0.0]
    assert frame["rubric/clear"].to_list() == [0.9, 0.4, 0.6, 0.8, 0.1, 0.2]
    assert frame["gold"].to_list() == [1.0, None, 0.5, None, None, 0.0]


def test_inspect_archive_and_folder():
    assert inspect_ai.read(DATA / "inspect" / "large.eval")["match"].to_list() == [1.0] * 6
    table = read(DATA / "inspect", judge="match")
    assert table.policies == ("example/large", "example/small")
    assert table.n == 12
    assert table.units == 3
    assert table.labelled.sum() == 6
    assert [finding.code for finding in table.findings].count("log-recognised") == 2


def test_inspect_without_samples(tmp_path):
    content = json.loads((DATA / "inspect" / "small.json").read_text())
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content | {"samples": None, "status": "started"}))
    with pytest.raises(AdjudgeError, match=r"holds no samples \(status 'started'\)"):
        read(path)


def test_several_scores_must_be_chosen_from():
    with pytest.raises(AdjudgeError, match="score columns are: match, rubric/clear, rubric/correct"):
        read(DATA / "inspect" / "small.json")


def test_lm_eval_samples():
    (path,) = (DATA / "lm_eval" / "example__small").glob("samples*.jsonl")
    frame = lm_eval.read(path)
    assert frame["policy"].to_list() == ["example/small"] * 3
    assert frame["prompt_id"].to_list() == ["gsm8k/0", "gsm8k/1", "gsm8k/2"]
    assert frame["exact_match,strict-match"].to_list() == [1.0, 0.0, 1.0]
    assert frame["judge,flexible-extract"].to_list() == [0.9, 0.2, 0.7]
    assert frame["draw"][0] == "2026-01-05T10-00-00.123456"


def test_lm_eval_older_lines_and_model_from_folder():
    (path,) = (DATA / "lm_eval" / "example__large").glob("samples*.jsonl")
    frame = lm_eval.read(path)
    assert frame["policy"].to_list() == ["example/large"] * 2
    assert frame.columns == ["policy", "task", "prompt_id", "draw", "acc", "acc_norm"]
    assert read(path, judge="acc").score[:, 0].tolist() == [1.0, 0.0]


def test_lm_eval_folder_skips_the_summary():
    assert read(DATA / "lm_eval" / "example__small", judge="judge,strict-match").n == 3


def test_promptfoo():
    frame = promptfoo.read(DATA / "promptfoo" / "out.json")
    assert frame["policy"].to_list() == ["example:small"] * 3 + ["Large"] * 3
    assert frame["draw"].to_list() == [0, 0, 1, 0, 0, 1]  # tests 0 and 2 ask the same
    # the second row was judged by a person: its own score is (3·0.2 + 1·1.0)/4; the last never got an answer
    assert frame["score"].to_list() == pytest.approx([0.75, 0.4, 0.5, 0.9, 0.8, None])
    assert frame["gold"].to_list() == [None, 1.0, None, None, 0.0, None]
    assert frame["Helpful"].to_list() == [0.5] + [None] * 5
    assert frame["llm-rubric 2"].to_list() == [None, None, 1.0, None, None, None]


def test_promptfoo_reads_on_its_own():
    table = read(DATA / "promptfoo" / "out.json")
    assert table.judges == ("score",)
    assert np.isnan(table.score[:, 0]).sum() == 1
    assert table.labelled.sum() == 2


def test_promptfoo_with_several_prompts():
    content = json.loads((DATA / "promptfoo" / "out.json").read_text())
    content["results"]["results"][0]["prompt"]["label"] = "terse"
    assert promptfoo.tidy(content, "x")["policy"][0] == "example:small | terse"


def test_deepeval():
    frame = deepeval.read(DATA / "deepeval" / "run.json")
    assert frame["policy"].to_list() == ["example/small"] * 3
    assert frame["draw"].to_list() == [0, 0, 1]
    assert frame["Answer Relevancy"].to_list() == [0.91, 0.4, 0.7]
    assert frame["Correctness (GEval)"].to_list() == [0.8, None, 0.6]
    assert frame["gold"].to_list() == [1.0, 0.0, None]


def test_deepeval_wrapped_and_nameless(tmp_path):
    content = json.loads((DATA / "deepeval" / "run.json").read_text())
    del content["hyperparameters"]
    path = tmp_path / "candidate.json"
    path.write_text(json.dumps({"testRunData": content}))
    assert read(path, judge="Answer Relevancy").policies == ("candidate",)
    path.write_text(json.dumps(content | {"testCases": []}))
    with pytest.raises(AdjudgeError, match="no single-turn test cases"):
        read(path)


@pytest.mark.parametrize("module", [inspect_ai, promptfoo, deepeval, lm_eval])
@pytest.mark.parametrize("content", [None, [], {}, {"results": {}}, {"eval": {}}, {"testCases": 3}, [1], "text"])
def test_other_documents_are_not_taken_for_logs(module, content):
    assert not module.recognises(content)
