"""`adjudge.rank` as a whole: which table it reads, which method it takes, what it tells and how it shows itself."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import adjudge
from adjudge.errors import AdjudgeError
from adjudge.tables.comparisons import Comparisons
from adjudge.tables.ratings import Ratings
from contracts import leagues

NAMES = leagues.NAMES


def votes_frame(seed: int = 5, n: int = 1201) -> pl.DataFrame:
    """Five policies in the order of the alphabet, 300 points apart at the ends, on 97 prompts."""
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 5, n)
    right = (left + rng.integers(1, 5, n)) % 5
    chars = rng.integers(100, 900, (n, 2))
    eta = 0.43 * (right - left) + 0.002 * (chars[:, 0] - chars[:, 1])
    outcome = leagues.drawn(eta, rng)
    words = np.array(["model_b", "tie", "model_a"])[(2 * outcome).astype(int)]
    names = np.array(NAMES)
    return pl.DataFrame(
        {
            "model_a": names[left],
            "model_b": names[right],
            "winner": words,
            "prompt": rng.integers(0, 97, n),
            "chars_a": chars[:, 0],
            "chars_b": chars[:, 1],
        }
    )


def scores_frame() -> pl.DataFrame:
    table = leagues.scores()
    names = np.array(NAMES)[table.policy]
    return pl.DataFrame({"model": names, "task_id": table.item, "score": table.score[:, 0], "env": table.stratum})


def codes(answer) -> set[str]:
    return {finding.code for finding in answer.findings}


def test_votes_are_fitted_and_scores_are_averaged() -> None:
    votes = adjudge.rank(votes_frame(), cluster="prompt")
    assert isinstance(votes.table, Comparisons)
    assert votes.estimate.method == "ranking.bradley_terry"
    assert [NAMES[p] for p in votes.order] == list(NAMES)
    assert "votes-taken-as-true" in codes(votes)
    scores = adjudge.rank(scores_frame(), by="model", task="task_id", score="score")
    assert isinstance(scores.table, Ratings)
    assert scores.estimate.method == "ranking.task_mean"
    assert "gold-absent" not in codes(scores)


def test_trusted_votes_correct_the_judges_and_stand_beside_the_answer() -> None:
    answer = adjudge.rank(leagues.votes(trusted=0.5))
    assert answer.estimate.method == "ranking.ppi_bradley_terry"
    assert answer.alone is not None
    assert answer.alone.method == "ranking.bradley_terry"
    assert "votes-taken-as-true" not in codes(answer)
    row = answer.story.rows[0]
    assert row.labels_low < row.labels_value < row.labels_high


def test_style_is_held_apart_and_shown_before_and_after() -> None:
    answer = adjudge.rank(
        votes_frame(), cluster="prompt", covariates=["length=chars_a,chars_b"], arguments={"order": True}
    )
    effect = answer.estimate.figures["effects"]
    assert effect.names == ("length", "first")
    low, high = effect.interval()[0] / (400 / np.log(10))
    assert low < 0.002 < high
    assert answer.before is not None
    titles = {block.title for block in answer.story.blocks}
    assert {"What moves the votes beside quality", "Before and after control"} <= titles
    beside = json.loads(answer.text("json"))["figures"]["What moves the votes beside quality"]
    assert [row["policy"] for row in beside] == ["length, one standard deviation", "first"]


def test_the_score_may_be_whether_a_verdict_is_right() -> None:
    rows = {
        "judge": ["a"] * 4 + ["b"] * 4,
        "item": [1, 2, 3, 4] * 2,
        "said": [1, 2, 1, 2, 1, 1, 1, 2],
        "gold": [1, 2, 1, 1] * 2,
    }
    answer = adjudge.rank(rows, by="judge", task="item", score="said", answer="gold")
    np.testing.assert_allclose(answer.estimate.value, [0.75, 0.5])
    with pytest.raises(AdjudgeError, match="needs one column to be compared"):
        adjudge.rank(rows, by="judge", task="item", answer="gold")


def test_policies_that_are_not_told_apart_share_a_letter() -> None:
    frame = votes_frame(n=4001)
    answer = adjudge.rank(frame, cluster="prompt")
    assert len(answer.groups) == 5
    assert not set(answer.groups[0]) & set(answer.groups[4])
    coin = leagues.drawn(np.zeros(frame.height), np.random.default_rng(1))
    nobody = adjudge.rank(frame.with_columns(pl.Series("winner", coin)), cluster="prompt")
    assert set(nobody.groups) == {"a"}


def test_a_method_by_name_with_its_arguments() -> None:
    answer = adjudge.rank(votes_frame(), method="bradley_terry", arguments={"ties": "half"})
    assert "tie" not in answer.estimate.figures
    assert answer.reason == "You asked for bradley_terry."
    with pytest.raises(AdjudgeError, match="has no argument 'tie'") as error:
        adjudge.rank(votes_frame(), method="bradley_terry", arguments={"tie": "half"})
    assert "'ties'" in error.value.do


def test_a_method_for_the_other_kind_of_table_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="iqm ranks scores over tasks; the table holds votes on pairs"):
        adjudge.rank(votes_frame(), method="iqm")
    with pytest.raises(AdjudgeError, match="bradley_terry ranks votes on pairs; the table holds scores"):
        adjudge.rank(scores_frame(), by="model", task="task_id", score="score", method="bradley_terry")


def test_an_empty_table_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="no rows"):
        adjudge.rank(leagues.votes().take(np.zeros(0, dtype=np.int64)))


def test_it_is_saved_whole_and_no_input_is_touched(tmp_path) -> None:
    path = tmp_path / "votes.csv"
    votes_frame().write_csv(path)
    before = path.read_bytes()
    answer = adjudge.rank(path, cluster="prompt")
    page = answer.save(tmp_path / "out")
    assert path.read_bytes() == before
    text = page.read_text()
    for word in ("Ratings", "Wins, seen and predicted", "Who beats whom", "How this was made"):
        assert word in text
    told = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {row["policy"] for row in told["policies"]} == set(NAMES)
    assert told["run"]["data"]
    assert pl.read_parquet(tmp_path / "out" / "results.parquet").height == 5


def test_predicted_wins_follow_the_seen_ones() -> None:
    answer = adjudge.rank(votes_frame(n=20_011))
    wins = next(block for block in answer.story.blocks if block.title == "Wins, seen and predicted")
    off = ~np.eye(5, dtype=bool)
    assert np.abs(wins.observed - wins.predicted)[off].max() < 0.05
    np.testing.assert_allclose((wins.predicted + wins.predicted.T)[off], 1.0)
    assert wins.games[off].sum() == 2 * 20_011


def test_cycles_are_tested_and_shown() -> None:
    rng = np.random.default_rng(2)
    left = rng.integers(0, 3, 3001)
    right = (left + rng.integers(1, 3, 3001)) % 3
    beats = (right - left) % 3 == 1
    outcome = np.where(rng.random(3001) < np.where(beats, 0.75, 0.25), 1.0, 0.0)
    names = np.array(["rock", "scissors", "paper"])
    answer = adjudge.rank({"left": names[left], "right": names[right], "outcome": outcome})
    assert answer.cycles is not None
    assert answer.cycles.findings
    assert "audit.cycles" in answer.run.methods


def test_the_same_seed_gives_the_same_answer() -> None:
    one, other = (adjudge.rank(votes_frame(), cluster="prompt", seed=3) for _ in range(2))
    assert one.text("csv") == other.text("csv")
