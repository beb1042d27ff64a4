"""`adjudge.compare`: studies that go on look by look, their state, what is said, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge import compare
from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.reports.page import page

AGENTS = ("ant", "bee", "cat")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rounds(looks: int, *, means: tuple[float, ...] = (9.0, 0.0, 0.2), seed: int = 3) -> list[dict[str, list[float]]]:
    rng = np.random.default_rng(seed)
    return [{name: rng.normal(m, 1, 5).tolist() for name, m in zip(AGENTS, means, strict=True)} for _ in range(looks)]


def codes(answer: object) -> set[str]:
    return {finding.code for finding in answer.findings}


def write(blocks: list[dict[str, list[float]]]) -> list[str]:
    names = [f"round{i}.csv" for i in range(1, len(blocks) + 1)]
    for name, block in zip(names, blocks, strict=True):
        pl.DataFrame({"": range(5), **block}).write_csv(name)
    return names


def test_a_study_look_by_look_is_the_study_at_once() -> None:
    files = write(rounds(5))
    at_once = compare(files, interims=5, joint=True)
    for name in files:
        by_look = compare(name, state="study.json", interims=5, joint=True)
    np.testing.assert_array_equal(by_look.decision, at_once.decision)
    np.testing.assert_array_equal(by_look.pvalue, at_once.pvalue)
    np.testing.assert_array_equal(by_look.used, at_once.used)
    assert by_look.used[0] < by_look.used[1], "the best agent is decided before the others and not needed any more"


def test_it_says_go_on_with_whom_and_then_stop() -> None:
    files = write(rounds(5))
    first = compare(files[0], state="study.json", joint=True)
    assert not first.decided
    assert first.story.verdict.startswith("Go on: run 5 more of bee and cat. ant beats bee and cat.")
    assert first.wanted == (("bee", "all", 5), ("cat", "all", 5))
    for name in files[1:]:
        second = compare(name, state="study.json")
    assert second.decided
    assert second.story.verdict.startswith("Stop: decided. ant beats bee and cat. Not told apart")
    assert second.letters("all") == ("a", "b", "b")


def test_runs_count_once_and_a_growing_file_counts_what_is_new() -> None:
    blocks = rounds(2)
    files = write(blocks)
    compare(files[0], state="study.json")
    again = compare(files[0], state="study.json")
    assert again.runs.counts.tolist() == [[5, 5, 5]]
    assert "already-counted" in codes(again)
    both = pl.concat([pl.read_csv(name) for name in files])
    both.write_csv(files[0])
    grown = compare(files[0], state="study.json")
    assert grown.runs.counts.tolist() == [[10, 10, 10]]
    both.with_columns(bee=pl.col("bee") + 1).write_csv(files[0])
    with pytest.raises(AdjudgeError, match="has changed: its first 10 runs of 'bee'"):
        compare(files[0], state="study.json")


def test_the_plan_is_fixed_when_the_study_begins() -> None:
    files = write(rounds(2))
    compare(files[0], state="study.json", interims=4, level=0.9)
    kept = compare(files[1], state="study.json")
    assert kept.level == 0.9
    assert kept.found.state.design.interims == 4
    with pytest.raises(AdjudgeError, match="begun with --interims 4, and now it is 6"):
        compare(files[1], state="study.json", interims=6)
    stranger = {"dog": [1.0] * 5, "bee": [2.0] * 5}
    with pytest.raises(AdjudgeError, match="'dog' was not in the study"):
        compare(stranger, state="study.json")


def test_a_state_of_another_kind_is_refused() -> None:
    Path("study.json").write_text(json.dumps({"kind": "something else"}), encoding="utf-8")
    with pytest.raises(AdjudgeError, match="cannot be read as a study"):
        compare(rounds(1)[0], state="study.json")
    Path("study.json").write_text("no json", encoding="utf-8")
    with pytest.raises(AdjudgeError, match="cannot be read as a study"):
        compare(rounds(1)[0], state="study.json")


def test_long_tables_and_frames_in_memory_say_the_same() -> None:
    block = rounds(1)[0]
    rows = [{"agent": name, "seed": s, "return": x} for name, xs in block.items() for s, x in enumerate(xs)]
    answers = [
        compare(source, interims=5) for source in (block, rows, pl.DataFrame(rows), pl.DataFrame(rows).to_pandas())
    ]
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer.pvalue, answers[0].pvalue)


def test_successes_are_taken_for_trials_and_returns_for_runs() -> None:
    rng = np.random.default_rng(5)
    wins = {"ant": (rng.random(20) < 0.95).astype(int).tolist(), "bee": (rng.random(20) < 0.2).astype(int).tolist()}
    answer = compare(wins)
    assert answer.estimate.method == "ranking.blind_trials"
    assert answer.word == "trial"
    assert answer.decided
    assert answer.used.max() < 20, "it would have been decided earlier"
    forced = compare(wins, method="adastop")
    assert forced.estimate.method == "ranking.adastop"
    with pytest.raises(AdjudgeError, match="neither 0 nor 1"):
        compare(rounds(1)[0], method="blind_trials")
    with pytest.raises(AdjudgeError, match="method is 'elo'"):
        compare(wins, method="elo")


def test_files_may_be_environments() -> None:
    easy, hard = rounds(1)[0], rounds(1, means=(0.0, 0.0, 0.0), seed=7)[0]
    for name, block in (("easy", easy), ("hard", hard)):
        pl.DataFrame(block).write_csv(f"{name}.csv")
    answer = compare(["easy.csv", "hard.csv"], each_file="environment", joint=True)
    assert answer.runs.environments == ("easy", "hard")
    assert {where for _, _, where in answer.pairs} == {"easy", "hard"}
    assert "in hard" in answer.story.verdict
    assert answer.letters("easy")[0] == "a"


@pytest.mark.parametrize("kind", ["runs", "trials"])
def test_the_page_shows_it_all(kind: str) -> None:
    if kind == "runs":
        answer = compare(write(rounds(2)))
    else:
        rng = np.random.default_rng(8)
        answer = compare(
            {name: (rng.random(12) < p).astype(int).tolist() for name, p in zip(AGENTS, (0.9, 0.5, 0.4), strict=True)}
        )
    shown = page(answer.story)
    for words in ("Who is better", "The path to the verdicts", "needed", "Every pair", "How this was made"):
        assert words in shown
    assert re.search(r"\bnan\b", shown, re.IGNORECASE) is None
    folder = answer.save("out")
    assert folder.exists()
    assert json.loads(Path("out/results.json").read_text(encoding="utf-8"))["verdict"] == answer.story.verdict


def test_too_little_is_said_and_never_decided() -> None:
    single = compare({"ant": [1.0, 2.0, 3.0]})
    assert single.story.verdict.startswith("Nothing to compare")
    few = compare({"ant": [1.0, 2.0], "bee": [8.0, 9.0]})
    assert not few.decided
    assert few.wanted == (("ant", "all", 3), ("bee", "all", 3))
    assert few.story.verdict.startswith("Go on: run 3 more of ant and bee.")
    short = compare({"ant": [1.0, 2.0], "bee": [8.0, 9.0]}, runs=2, interims=1)
    assert short.severe
    assert next(f for f in short.findings if f.severity is Severity.SEVERE).code == "design-cannot-decide"


def test_an_agent_that_never_ran_is_named() -> None:
    answer = compare({"ant": [1.0, 2.0], "bee": [3.0, 4.5], "cat": [None, None]})
    assert answer.runs.agents == ("ant", "bee")
    told = next(finding for finding in answer.findings if finding.code == "agent-without-runs")
    assert told.subject == ("cat",)
    assert answer.severe


def test_a_plan_made_after_the_runs_is_told() -> None:
    answer = compare(write(rounds(6)))
    assert "horizon-from-data" in codes(answer)
    assert answer.found.state.design.interims == 6
