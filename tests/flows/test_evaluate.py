"""The flow: same answer for the same seed, honest in worlds that know the truth, and clear about its choices."""

import json

import numpy as np
import polars as pl
import pytest

import adjudge
from adjudge.errors import AdjudgeError
from adjudge.flows.evaluate import evaluate
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings

CLEAR = Judging(truth=(0.8, 0.65, 0.5, 0.4, 0.3), items=503, labels=211)


@pytest.fixture(scope="module")
def answer():
    return evaluate(CLEAR.draw(1).ratings)


def test_the_best_of_a_clear_field_is_found(answer):
    assert answer.estimate.names[answer.order[0]] == "p00"
    assert answer.reason.startswith("value.ppi_cross")
    assert answer.run.methods[0] == "value.ppi_cross"


def test_same_seed_same_answer(answer):
    again = evaluate(CLEAR.draw(1).ratings)
    np.testing.assert_array_equal(again.interval, answer.interval)
    np.testing.assert_array_equal(again.p_best, answer.p_best)
    assert again.run.data == answer.run.data


def test_intervals_cover_the_truth_together_about_as_often_as_they_say():
    world = Judging(truth=(0.7, 0.6, 0.5), items=307, labels=151)
    trials, held = 200, 0
    for seed in range(trials):
        drawn = world.draw(seed)
        low, high = evaluate(drawn.ratings).interval.T
        held += np.sum((low <= drawn.truth) & (drawn.truth <= high))
    share = held / (3 * trials)
    # policies of one draw share prompts, so the 600 are worth fewer: 200 independent ones at worst
    assert share > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)


def test_every_row_labelled_needs_no_judge():
    answer = evaluate(Judging(items=53, labels=265).draw(2).ratings)
    assert answer.estimate.method == "value.labels_only"
    assert answer.calibrator is None


def test_no_label_at_all_is_severe_and_still_answers():
    answer = evaluate(Judging(items=53, labels=0).draw(2).ratings)
    assert answer.estimate.method == "value.plug_in"
    assert answer.severe


def test_a_named_method_and_calibration_are_used():
    ratings = Judging(items=211, labels=97).draw(3).ratings
    answer = evaluate(ratings, method="ppi_plus", calibration="isotonic")
    assert answer.estimate.method == "value.ppi_plus"
    assert answer.calibrator.method == "calibration.isotonic"
    assert "You asked" in answer.reason


def test_unknown_methods_and_levels_are_refused():
    ratings = Judging(items=53, labels=23).draw(3).ratings
    with pytest.raises(AdjudgeError, match="nothing lives at"):
        evaluate(ratings, method="ppi_pluss")
    with pytest.raises(AdjudgeError, match="between 0 and 1"):
        evaluate(ratings, level=95)


def test_repr_is_the_table_and_files_are_written(answer, tmp_path):
    assert "p00" in repr(answer)
    page = answer.save(tmp_path / "new" / "folder")
    assert page.name == "report.html"
    found = json.loads((page.parent / "results.json").read_text())
    assert {"policy", "value", "stderr", "low", "high", "rank_low", "rank_high", "p_best"} <= found["policies"][
        0
    ].keys()
    assert [row["value"] for row in found["policies"]] == sorted(answer.estimate.value, reverse=True)
    assert pl.read_parquet(page.parent / "results.parquet").height == 5
    assert json.loads((page.parent / "run.json").read_text())["seed"] == 0


def test_many_policies_are_compared_with_the_leader_only():
    rng = np.random.default_rng(5)
    k, items = 41, 59
    ratings = Judging(truth=tuple(rng.uniform(0.3, 0.7, k)), items=items, labels=1200).draw(5).ratings
    answer = evaluate(ratings)
    assert len(answer.differences.names) == k - 1
    assert answer.story.rows[0].p_best >= 0


def test_the_top_level_name_is_the_flow():
    assert adjudge.evaluate is evaluate
    frame = pl.DataFrame(
        {"policy": ["a", "b"] * 30, "prompt_id": np.repeat(np.arange(30), 2), "judge_score": np.tile([0.2, 0.8], 30)}
    )
    rng = np.random.default_rng(1)
    frame = frame.with_columns(gold=pl.Series(np.clip(frame["judge_score"].to_numpy() + rng.normal(0, 0.1, 60), 0, 1)))
    assert isinstance(adjudge.evaluate(frame).ratings, Ratings)
