"""`adjudge.compare` under bad input: plans that make no sense, files twice or changed, spoilt states."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge import compare
from adjudge.errors import AdjudgeError

BLOCK = {"ant": [9.1, 8.2, 9.3, 8.4, 9.5], "bee": [9.0, 8.1, 9.6, 8.8, 9.2]}
LATER = {"ant": [9.4, 8.7, 9.9, 8.3, 9.8], "bee": [1.0, 1.1, 1.6, 1.8, 1.2]}
WINS = {"ant": [1, 1, 1, 0, 1], "bee": [0, 1, 0, 0, 0]}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, block: dict[str, list[float]]) -> str:
    pl.DataFrame(block).write_csv(name)
    return name


def codes(answer: object) -> set[str]:
    return {finding.code for finding in answer.findings}


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--level", {"level": 0.0}),
        ("--level", {"level": 95}),
        ("--runs-per-interim", {"runs": 0}),
        ("--interims", {"interims": 0}),
        ("--interims", {"interims": 2.5}),
        ("--trials", {"trials": 0}),
        ("--trials", {"trials": -3}),
        ("--trials", {"trials": 10_000}),
        ("--early", {"early": 2.0}),
        ("--seed", {"seed": -1}),
    ],
)
@pytest.mark.parametrize("block", [BLOCK, WINS])
def test_a_plan_that_makes_no_sense_is_refused_by_the_option_that_gave_it(
    option: str, given: dict[str, float], block: dict[str, list[float]]
) -> None:
    with pytest.raises(AdjudgeError) as caught:
        compare(block, **given)
    assert option in caught.value.found
    assert option in caught.value.do


def test_an_unknown_reference_names_its_option() -> None:
    with pytest.raises(AdjudgeError, match="--reference"):
        compare(BLOCK, reference="cat")


def test_options_of_the_other_method_are_told() -> None:
    assert "option-unused" in codes(compare(WINS, reference="ant"))
    assert "option-unused" in codes(compare(BLOCK, trials=20))
    assert "option-unused" not in codes(compare(BLOCK, reference="ant"))


def test_more_successes_than_a_rule_can_be_made_for_are_compared_as_far_as_it_goes() -> None:
    rng = np.random.default_rng(2)
    many = {"ant": (rng.random(510) < 0.9).astype(int), "bee": (rng.random(510) < 0.1).astype(int)}
    answer = compare(many)
    assert answer.found.trials == 500
    assert answer.decision.tolist() == [1.0]
    assert {"horizon-from-data", "trials-beyond-horizon"} <= codes(answer)


def test_a_policy_with_more_trials_than_planned_is_not_asked_for_fewer() -> None:
    answer = compare({"ant": [1, 0] * 15, "bee": [1, 0, 1]}, trials=10)
    assert answer.wanted == (("bee", "all", 7),)


def test_unequal_runs_need_no_filling_from_python() -> None:
    answer = compare({"ant": LATER["ant"], "bee": np.array(LATER["bee"][:3])})
    assert answer.runs.counts.tolist() == [[5, 3]]
    assert answer.wanted == (("bee", "all", 2),)
    with pytest.raises(AdjudgeError, match="differ in length"):
        compare({"agent": ["ant", "bee"], "score": [1.0]})


def test_columns_of_one_name_are_refused() -> None:
    Path("twice.csv").write_text("ant,ant,bee\n1,2,3\n", encoding="utf-8")
    with pytest.raises(AdjudgeError, match="Several columns are named 'ant'"):
        compare("twice.csv")


def test_files_of_one_call_may_hold_an_agent_each() -> None:
    files = [write(f"{name}.csv", {name: runs}) for name, runs in LATER.items()]
    answer = compare(files, state="study.json")
    assert answer.decision.tolist() == [1.0]
    assert compare(files, state="study.json").runs.counts.tolist() == [[5, 5]]


def test_returns_in_a_study_of_successes_are_refused_with_a_way_out() -> None:
    compare(WINS, state="study.json")
    with pytest.raises(AdjudgeError, match=r"begun with successes.*--method adastop and another --state"):
        compare(BLOCK, state="study.json")
    with pytest.raises(AdjudgeError, match="--score, or compare returns with --method adastop"):
        compare(BLOCK, method="blind_trials")


def test_an_environment_that_comes_late_would_change_what_was_decided() -> None:
    rows = [{"agent": a, "env": "hill", "score": x} for a, xs in LATER.items() for x in xs]
    compare(rows, state="study.json")
    late = [{**row, "env": "lake"} for row in rows]
    with pytest.raises(AdjudgeError, match="agent 'ant' was not in the study in 'lake' when it began"):
        compare(late, state="study.json")
    wins = [{"agent": a, "env": "hill", "score": x} for a, xs in WINS.items() for x in xs]
    compare(wins, state="trials.json")
    answer = compare([{**row, "env": "lake"} for row in wins], state="trials.json")
    assert answer.runs.counts.sum() == 20, "conditions of trials are pooled, and may come when they like"


def test_a_file_that_grows_late_does_not_change_looks_that_were_taken() -> None:
    first, second = write("first.csv", BLOCK), write("second.csv", LATER)
    compare(first, state="study.json", interims=3)
    before = compare(second, state="study.json")
    write(first, {name: [*BLOCK[name], *reversed(LATER[name])] for name in BLOCK})
    after = compare(first, state="study.json")
    for p in range(2):
        np.testing.assert_array_equal(after.runs.values[p][:10], before.runs.values[p])
    assert after.runs.counts.tolist() == [[15, 15]]


@pytest.mark.parametrize("other", ["copy.csv", "./first.csv"])
def test_a_file_that_continues_another_counts_what_follows(other: str) -> None:
    first = write("first.csv", BLOCK)
    compare(first, state="study.json")
    write(other, {name: BLOCK[name] + LATER[name] for name in BLOCK})
    answer = compare(other, state="study.json")
    assert answer.runs.counts.tolist() == [[10, 10]]
    assert ("file-continued" in codes(answer)) == (other == "copy.csv")


def test_successes_that_came_out_alike_count_when_their_runs_are_numbered() -> None:
    first, second = write("first.csv", WINS), write("second.csv", WINS)
    compare(first, state="study.json")
    same = compare(second, state="study.json")
    assert same.runs.counts.tolist() == [[5, 5]]
    assert "a column `run`" in next(f.remedy for f in same.findings if f.code == "already-counted")
    write(second, {"run": [5, 6, 7, 8, 9], **WINS})
    assert compare(second, state="study.json").runs.counts.tolist() == [[10, 10]]


def test_the_plan_may_be_repeated_and_what_was_left_out_may_not_be_added() -> None:
    first, second = write("first.csv", BLOCK), write("second.csv", LATER)
    compare(first, state="study.json")
    compare(second, state="study.json", joint=False, early=0.0, runs=5, interims=5, level=0.95, method="adastop")
    with pytest.raises(AdjudgeError, match="begun without --joint"):
        compare(second, state="study.json", joint=True)
    with pytest.raises(AdjudgeError, match="--runs-per-interim 5, and now it is 4"):
        compare(second, state="study.json", runs=4)


def _spoil(change: Callable[[dict], object]) -> None:
    body = json.loads(Path("study.json").read_text(encoding="utf-8"))
    change(body)
    Path("study.json").write_text(json.dumps(body), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b["batches"][0]["runs"][0]["score"].__setitem__(0, "x"),
        lambda b: b["batches"][0]["runs"][0]["score"].__setitem__(0, None),
        lambda b: b["batches"][0]["runs"][0]["score"].__setitem__(0, float("inf")),
        lambda b: b["batches"][0]["runs"][0]["score"].__setitem__(0, float("nan")),
        lambda b: b["batches"][0]["runs"][0]["place"].__setitem__(0, 0.5),
        lambda b: b["batches"][0]["runs"][0]["score"].pop(),
        lambda b: b["batches"].append(3),
        lambda b: b["plan"].update(runs="five"),
        lambda b: b["plan"].update(level="high"),
        lambda b: b["plan"].update(method="oracle"),
        lambda b: b["plan"].update(runs=0),
        lambda b: b["plan"].update(soul=1),
        lambda b: b.update(version=7),
        lambda b: b.pop("plan"),
    ],
)
def test_a_spoilt_state_is_refused_and_left_as_it_is(change: Callable[[dict], object]) -> None:
    compare(BLOCK, state="study.json")
    _spoil(change)
    spoilt = Path("study.json").read_bytes()
    with pytest.raises(AdjudgeError, match="cannot be read as a study"):
        compare(LATER, state="study.json")
    assert Path("study.json").read_bytes() == spoilt


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"{}", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_file_that_is_no_state_is_refused(content: bytes) -> None:
    Path("study.json").write_bytes(content)
    with pytest.raises(AdjudgeError, match="cannot be read as a study"):
        compare(BLOCK, state="study.json")
    assert Path("study.json").read_bytes() == content


def test_a_state_that_cannot_be_written_names_its_option() -> None:
    with pytest.raises(AdjudgeError) as caught:
        compare(BLOCK, state="nowhere/study.json")
    assert caught.value.found.startswith("state nowhere")
    assert "--state" in caught.value.do
    with pytest.raises(AdjudgeError):
        compare(BLOCK, state=".")


def test_a_look_that_fails_leaves_the_study_as_it_was() -> None:
    compare(BLOCK, state="study.json")
    before = Path("study.json").read_bytes()
    with pytest.raises(AdjudgeError, match="'cat' was not in the study"):
        compare({"cat": [1.0], "bee": [2.0]}, state="study.json")
    assert Path("study.json").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["study.json"]


def test_many_agents_are_asked_for_in_a_word_and_silent_environments_stay_unnamed() -> None:
    rng = np.random.default_rng(4)
    answer = compare({f"agent {i}": rng.normal(0, 1, 5) for i in range(8)})
    assert answer.story.verdict == "Go on: run 5 more of each agent."
    rows = [{"agent": a, "env": e, "score": x} for e in ("hill", "lake") for a, xs in BLOCK.items() for x in xs]
    assert compare(rows).story.verdict.endswith("bee in lake.")


def test_a_study_remembers_its_columns() -> None:
    first = [{"agent": a, "score": 0.1 * i, "raw": x} for a, xs in BLOCK.items() for i, x in enumerate(xs)]
    later = [{"agent": a, "score": 0.1 * i, "raw": x} for a, xs in LATER.items() for i, x in enumerate(xs)]
    compare(first, state="study.json", score="raw")
    answer = compare(later, state="study.json")
    assert answer.runs.values[0].tolist() == BLOCK["ant"] + LATER["ant"]
    with pytest.raises(AdjudgeError, match="no column 'raw'"):
        compare([{"agent": "ant", "score": 1.0}], state="study.json")


def test_pairs_of_trials_show_the_posterior_chance_of_a_higher_rate() -> None:
    table = next(b for b in compare(WINS).story.blocks if getattr(b, "title", "") == "Every pair")
    assert table.columns[-1] == "Chance of a higher rate"
    assert 90 < float(table.rows[0][-1].rstrip("%")) < 100
