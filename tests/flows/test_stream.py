"""Batches give the numbers of the table in memory."""

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.evaluate import evaluate
from adjudge.flows.made import Setting
from adjudge.flows.stream import evaluate_scan
from adjudge.sim.judging import Judging
from adjudge.tables.stream import scan


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    ratings = Judging(truth=(0.7, 0.6, 0.5), items=503, labels=211, draws=2).draw(1).ratings
    frame = pl.DataFrame(
        {
            "policy": np.array(ratings.policies)[ratings.policy],
            "prompt_id": ratings.item,
            "judge_score": ratings.score[:, 0],
            "gold": ratings.gold,
        }
    ).with_columns(pl.col("gold").fill_nan(None))
    file = tmp_path_factory.mktemp("stream") / "ratings.parquet"
    frame.sample(fraction=1.0, shuffle=True, seed=3).write_parquet(file)
    return file


@pytest.mark.parametrize("rows", [97, 1009, 10**6])
def test_any_batch_size_gives_the_answer_of_the_table_in_memory(path, rows):
    whole = evaluate(path, stream=False)
    parts = evaluate_scan(scan(path), Setting(), rows=rows)
    np.testing.assert_allclose(parts.estimate.value, whole.estimate.value, rtol=1e-12)
    np.testing.assert_allclose(parts.estimate.covariance, whole.estimate.covariance, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(parts.interval, whole.interval, rtol=1e-9)
    assert parts.n_rows.tolist() == whole.n_rows.tolist()


def test_a_named_method_is_the_one_that_is_used(path):
    whole, parts = (evaluate(path, stream=stream, method="calibrated") for stream in (False, True))
    assert parts.estimate.method == "value.calibrated"
    np.testing.assert_allclose(parts.estimate.value, whole.estimate.value, rtol=1e-12)


def test_progress_reaches_the_end(path):
    steps = []
    evaluate(path, stream=True, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (3018, 3018)


def test_a_sampled_table_still_tells_the_same_story(path, monkeypatch):
    monkeypatch.setattr("adjudge.flows.stream.SAMPLE", 500)
    parts = evaluate(path, stream=True)
    assert parts.ratings.n < 900
    assert "3,018 judged responses" in parts.story.facts
    weights = np.bincount(parts.ratings.policy, parts.ratings.weight)
    np.testing.assert_allclose(weights, 1006, rtol=0.2)


def test_what_batches_cannot_do_is_refused(path):
    with pytest.raises(AdjudgeError, match="batches"):
        evaluate(path, stream=True, method="ppi_plus")
    bare = pl.read_parquet(path).with_columns(gold=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(AdjudgeError, match="labelled prompts"):
        evaluate(bare, gold="gold", stream=True)


def test_the_sample_does_not_follow_a_table_made_from_the_same_seed(tmp_path, monkeypatch):
    monkeypatch.setattr("adjudge.flows.stream.SAMPLE", 1000)
    score = np.random.default_rng(0).random(20_011)
    gold = np.where(np.arange(score.size) % 97 == 0, score, np.nan)
    frame = pl.DataFrame({"policy": "a", "prompt_id": np.arange(score.size), "judge_score": score, "gold": gold})
    frame.with_columns(pl.col("gold").fill_nan(None)).write_parquet(tmp_path / "a.parquet")
    ratings = evaluate(tmp_path / "a.parquet", stream=True, seed=0).ratings
    assert abs(np.average(ratings.score[:, 0], weights=ratings.weight) - 0.5) < 0.05
