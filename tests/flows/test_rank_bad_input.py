"""What a hostile or hurried user gives `rank`: a three-part error or a finding, never a confident number in silence."""

from __future__ import annotations

import copy

import numpy as np
import polars as pl
import pytest

import adjudge
from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError

N = 211


def votes(**columns: list) -> dict[str, list]:
    """Four policies, m0 the best, on 41 prompts by seven raters; any column may be replaced."""
    rng = np.random.default_rng(0)
    left = rng.integers(0, 4, N)
    right = (left + rng.integers(1, 4, N)) % 4
    won = rng.random(N) < 1 / (1 + np.exp(-0.5 * (right - left)))
    outcome = np.where(rng.random(N) < 0.2, "tie", np.where(won, "left", "right"))
    table = {
        "left": [f"m{p}" for p in left],
        "right": [f"m{p}" for p in right],
        "outcome": outcome.tolist(),
        "prompt": rng.integers(0, 41, N).tolist(),
        "rater": [f"r{r}" for r in rng.integers(0, 7, N)],
        "x": rng.normal(size=N).tolist(),
    }
    return table | columns


def scores(tasks: int = 31, **columns: list) -> dict[str, list]:
    rng = np.random.default_rng(1)
    model, task = np.repeat(np.arange(4), tasks), np.tile(np.arange(tasks), 4)
    table = {"model": [f"m{p}" for p in model], "task": task.tolist(), "score": (rng.random(4 * tasks)).tolist()}
    return table | columns


BASE = votes()
TWO_COMPONENTS = ["left", "left", "right", "left", "left", "right", "right", "left", "tie", "right"] * 8
BEST = [
    "left" if a == "m0" else "right" if b == "m0" else o
    for a, b, o in zip(BASE["left"], BASE["right"], BASE["outcome"], strict=True)
]
SIGN = [{"left": 1.0, "tie": 0.0, "right": -1.0}[word] for word in BASE["outcome"]]


@pytest.mark.parametrize(
    ("table", "options", "found", "do"),
    [
        ({}, {}, "has no columns", ""),
        ({"text": ["a"]}, {}, "neither votes on pairs nor scores", "--left"),
        (votes(right=BASE["left"]), {}, "two different policies", "--left"),
        (votes(outcome=["lefty", *BASE["outcome"][1:]]), {}, "'lefty'", "--missing lefty"),
        (votes(outcome=["m9", *BASE["left"][1:]]), {}, "did not take part", "--outcome"),
        (votes(outcome=[None] * N), {}, "None of 211 rows", "--outcome"),
        (votes(outcome=["A", "B", "0"] * 70 + ["A"]), {}, "'0'", "--missing 0"),
        (votes(left=["", *BASE["left"][1:]]), {}, "1 of 211 votes have no policy", "LENGTH(TRIM(left)) > 0"),
        (votes(left=["\ud800", *BASE["left"][1:]]), {}, "no text", "UTF-8"),
        (votes(left=[["a"]] * N), {}, "the column holds List", "--left"),
        (votes(left=[f"p{i}" for i in range(N)]), {"left": "prompt", "right": "prompt"}, "both sides", "--right"),
        (votes(), {"gold": "r1"}, "no column says who voted", "--rater"),
        (votes(), {"gold": "r11", "rater": "rater"}, "No rater is called 'r11'", "Did you mean 'r1'"),
        (votes(), {"covariates": ["length"]}, "no column 'length'", "NAME=LEFT_COLUMN,RIGHT_COLUMN"),
        (votes(), {"covariates": ["a=x,x"]}, "'a' has one column twice", "--covariate"),
        (votes(), {"covariates": ["=x"]}, "has no name", "--covariate"),
        (votes(), {"covariates": ["x", "x"]}, "'x' is named twice", "--covariate"),
        (votes(f=["left", "banana"] * 105 + ["left"]), {"first": "f"}, "'banana'", "Drop the rows"),
        (votes(), {"stratum": "rater"}, "read as votes on pairs", "Leave --stratum out"),
        (votes(score=BASE["x"]), {"score": "score", "left": "left", "right": "right"}, "--score is for", "--score out"),
        (votes(score=BASE["x"]), {"score": "score"}, "No column says what is ranked", "--by"),
        (scores(), {"rater": "model", "by": "model"}, "--rater is for votes", "Leave --rater out"),
        (scores(), {"by": "modl"}, "no column 'modl'", "--by"),
        (scores(), {"by": "model", "task": "tsk"}, "no column 'tsk'", "--task"),
        (scores(), {"by": "model", "score": "scor"}, "no column 'scor'", "--score"),
        (scores(score=["great"] * 124), {"by": "model"}, "are not numbers", "--score"),
        (scores(model=[f"m{i % 2_400}" for i in range(124 * 20)][:124]), {"by": "nothing"}, "no column", "--by"),
        (
            scores(said=["left"] * 124, gold=[1] * 124),
            {"by": "model", "score": "said", "answer": "gold"},
            "ever a right",
            "Recode",
        ),
    ],
)
def test_the_impossible_is_an_error_that_names_the_option_typed(table, options, found, do) -> None:
    before = copy.deepcopy(table)
    with pytest.raises(AdjudgeError) as error:
        adjudge.rank(table, **options)
    assert found in error.value.found
    assert do in error.value.do
    assert error.value.expected
    assert not {"--policy", "--judge", "--item"} & set(str(error.value).replace(".", " ").split())
    assert table == before


@pytest.mark.parametrize(
    ("table", "options", "code", "severity"),
    [
        (votes(right=BASE["left"][:5] + BASE["right"][5:]), {}, "self-comparison", Severity.WARNING),
        (votes(left=[" m0", *BASE["left"][1:]]), {}, "policies-alike", Severity.WARNING),
        (votes(left=["M0", *BASE["left"][1:]]), {}, "policies-alike", Severity.WARNING),
        (votes(left=["ｍ0", *BASE["left"][1:]]), {}, "policies-alike", Severity.WARNING),
        (votes(outcome=BEST), {}, "policy-undefeated", Severity.SEVERE),
        (votes(outcome=["tie"] * N), {}, "votes-all-tied", Severity.SEVERE),
        (votes(prompt=[1] * N), {"task": "prompt"}, "clusters-too-few", Severity.SEVERE),
        (votes(x=[0.0] * N), {"weight": "x"}, "policy-without-votes", Severity.SEVERE),
        (votes(x=SIGN), {"covariates": ["x"]}, "fit-not-converged", Severity.SEVERE),
        (votes(), {"rater": "rater", "gold": "r1", "method": "copeland"}, "gold-not-used", Severity.WARNING),
        (votes(), {"left": "prompt"}, "column-guessed", Severity.WARNING),
        (scores(tasks=2), {}, "units-few", Severity.WARNING),
        (scores(score=[1.0] * 124), {}, "score-constant", Severity.WARNING),
        (scores(gold=[0.0, 1.0] * 62), {"gold": "gold"}, "gold-not-used", Severity.WARNING),
        (
            {"left": ["a", "b", "c", "d"] * 20, "right": ["b", "a", "d", "c"] * 20, "outcome": TWO_COMPONENTS},
            {},
            "policies-unconnected",
            Severity.SEVERE,
        ),
    ],
)
def test_the_doubtful_is_told_and_the_report_is_whole(table, options, code, severity) -> None:
    answer = adjudge.rank(table, **options)
    found = {finding.code: finding for finding in answer.findings}
    assert code in found
    assert found[code].severity is severity
    assert found[code].remedy
    for form in ("table", "json", "csv", "md"):
        assert answer.text(form)
    assert "iframe" in answer._repr_html_()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_zero_is_a_win_of_the_right_side_in_every_file(ending, tmp_path) -> None:
    """In a CSV all is text; a 0 beside 1 was once read as a tie, which halves every defeat."""
    table = pl.DataFrame({"left": ["a", "b"] * 20, "right": ["b", "a"] * 20, "outcome": [1, 0, 1, 1] * 10})
    path = tmp_path / f"votes.{ending}"
    {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}[ending](path)
    read = adjudge.rank(path).table
    assert read.outcome.tolist() == [1.0, 0.0, 1.0, 1.0] * 10


def test_one_file_for_each_rater(tmp_path) -> None:
    frame = pl.DataFrame(votes())
    for name, part in (("alice", frame[:101]), ("bob", frame[101:])):
        part.write_csv(tmp_path / f"{name}.csv")
    files = [tmp_path / "alice.csv", tmp_path / "bob.csv"]
    answer = adjudge.rank(files, rater="(file)", gold="alice")
    assert answer.table.raters == ("alice", "bob")
    assert answer.table.trusted.sum() == 101


def test_the_same_cluster_or_outcome_named_twice_counts_once() -> None:
    once = adjudge.rank(votes(), cluster="prompt", outcome="outcome")
    twice = adjudge.rank(votes(), cluster=["prompt", "prompt"], outcome=["outcome", "outcome"])
    np.testing.assert_array_equal(once.estimate.value, twice.estimate.value)
    np.testing.assert_array_equal(once.estimate.stderr, twice.estimate.stderr)
    trusted = adjudge.rank(votes(), outcome="outcome", gold="outcome")
    assert trusted.table.n == N
    assert trusted.table.trusted.all()


def test_an_answer_with_blanks_around_it_is_the_same_answer() -> None:
    table = scores(said=["yes ", "no"] * 62, gold=["yes", None] * 62)
    right = adjudge.rank(table, by="model", score="said", answer="gold")
    known = right.table.score[np.isfinite(right.table.score)]
    assert known.tolist() == [1.0] * 62


def test_counted_outcomes_are_whole_and_have_no_raters() -> None:
    counts = {"left": ["a", "b"], "right": ["b", "a"], "left_wins": [5, 6], "right_wins": [3, 4], "who": ["x", "y"]}
    with pytest.raises(AdjudgeError, match="--rater was given"):
        adjudge.rank(counts, rater="who")
    with pytest.raises(AdjudgeError, match=r"first: row 0, 5\.5"):
        adjudge.rank(counts | {"left_wins": [5.5, 6]})
