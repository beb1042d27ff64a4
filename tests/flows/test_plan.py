"""Plans: enough labels settle the question, the file comes straight back, and weights keep it unbiased."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.evaluate import evaluate
from adjudge.flows.plan import plan
from adjudge.flows.settle import Costs, settle
from adjudge.sim.judging import Judging


def _frame(world, seed):
    """A table as a user would have it, and the gold label of every row."""
    drawn = world.draw(seed)
    ratings = drawn.ratings
    names = np.array(ratings.policies)[ratings.policy]
    frame = pl.DataFrame(
        {"policy": names, "prompt_id": ratings.item, "judge_score": ratings.score[:, 0], "human": ratings.gold}
    ).with_columns(pl.col("human").fill_nan(None))
    return frame, drawn.gold, drawn.truth


@pytest.fixture
def table(tmp_path):
    frame, gold, truth = _frame(Judging(truth=(0.62, 0.58), items=1009, labels=101), 4)
    path = tmp_path / "ratings.csv"
    frame.write_csv(path)
    return path, gold, truth


def test_labels_worked_out_reach_the_target_they_were_worked_out_for():
    world = Judging(truth=(0.62, 0.58), items=4001, labels=200)
    answer = evaluate(world.draw(1).ratings)
    (need,) = settle(answer, Costs(target=0.014)).needs
    assert need.reachable
    more = dataclasses.replace(world, labels=int(need.labels.sum()))
    widths = [
        np.diff(evaluate(more.draw(seed).ratings).estimate.difference("p00", "p01").interval())[0, 0]
        for seed in range(20)
    ]
    assert np.mean(widths) / 2 == pytest.approx(need.target, rel=0.15)


def test_power_is_what_was_asked_for():
    world = Judging(truth=(0.615, 0.585), items=2003, labels=100)
    # plan for the true difference, 0.03, instead of the estimated one: the law is about a difference of that size
    answer = evaluate(world.draw(3).ratings)
    (need,) = settle(answer, Costs(target=0.03 * 1.959964 / (1.959964 + 0.841621))).needs
    more = dataclasses.replace(world, labels=int(need.labels.sum()))
    lows = np.array(
        [evaluate(more.draw(seed).ratings).estimate.difference("p00", "p01").interval()[0, 0] for seed in range(200)]
    )
    found = np.mean(lows > 0)
    assert abs(found - 0.8) < 3 * np.sqrt(0.8 * 0.2 / 200) + 0.03  # the variances were estimated from 100 labels


def test_the_file_comes_straight_back(table, tmp_path):
    path, gold, _ = table
    before = path.read_bytes()
    answer = evaluate(path, gold="human")
    found = plan(answer, labels=150)
    written = found.save(tmp_path / "to_label.csv")
    sheet = pl.read_csv(written)
    assert sheet["gold"].null_count() == 300
    assert "judge_score" not in sheet.columns
    filled = sheet.with_columns(gold=pl.Series(gold[sheet["row"].to_numpy()]))
    filled.write_csv(written)
    again = evaluate(path, gold="human", labels=written)
    assert again.ratings.labelled.sum() == 101 + 300
    labelled = again.ratings.labelled
    np.testing.assert_allclose(again.ratings.gold[labelled], gold[labelled], atol=1e-12)
    assert np.isfinite(again.ratings.propensity[labelled]).all()
    assert np.all(again.ratings.gold_variance[labelled] == 0)  # a label given back is not a second rater
    assert np.diff(again.interval).max() < np.diff(answer.interval).max()
    assert path.read_bytes() == before


def test_two_rounds_with_active_labels_cover_the_truth(tmp_path):
    world = Judging(truth=(0.6, 0.5), items=307, labels=60, judge_noise=0.4)
    trials, held = 120, 0
    for seed in range(trials):
        frame, gold, truth = _frame(world, seed)
        answer = evaluate(frame, gold="human", seed=seed)
        sheet = plan(answer, labels=40).frame
        sheet = sheet.with_columns(gold=pl.Series(gold[sheet["row"].to_numpy()]))
        low, high = evaluate(frame, gold="human", labels=sheet).interval.T
        held += np.sum((low <= truth) & (truth <= high))
    assert held / (2 * trials) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)


def test_a_budget_is_spent_and_not_overspent():
    answer = evaluate(Judging(truth=(0.62, 0.6), items=2003, labels=101).draw(1).ratings)
    found = settle(answer, Costs(gold=2.0, budget=300.0))
    assert 295 <= found.cost <= 302


def test_policies_without_labels_come_first():
    answer = evaluate(Judging(truth=(0.7, 0.4), items=503, labels=101, labelled=(0,)).draw(1).ratings)
    assert settle(answer).extra[1] >= 30
    assert "p01" in repr(plan(answer))


def test_a_pilot_is_drawn_when_there_are_no_labels():
    answer = evaluate(Judging(truth=(0.7, 0.4), items=503, labels=0).draw(1).ratings)
    found = plan(answer)
    assert np.bincount(answer.ratings.policy[found.drawn]).min() >= 30


def test_nonsense_is_refused():
    answer = evaluate(Judging(truth=(0.7, 0.4), items=211, labels=53).draw(1).ratings)
    with pytest.raises(AdjudgeError, match="power"):
        plan(answer, power=80)
    with pytest.raises(AdjudgeError, match="costs something"):
        plan(answer, gold_cost=0)
    with pytest.raises(AdjudgeError, match="no value is named"):
        plan(answer, between=("p00", "p07"))
    with pytest.raises(AdjudgeError, match="unlabelled rows"):
        plan(answer, labels=5000)


def test_one_file_a_policy_comes_back_too(tmp_path):
    frame, _, _ = _frame(Judging(truth=(0.62, 0.58), items=211, labels=53), 4)
    for name, part in frame.group_by("policy"):
        part.drop("policy").write_csv(tmp_path / f"{name[0]}.csv")
    paths = sorted(str(path) for path in tmp_path.iterdir())
    sheet = plan(evaluate(paths, gold="human"), labels=10).frame
    assert set(sheet["policy"]) == {"p00", "p01"}
    assert "(file)" not in sheet.columns
    sheet = sheet.with_columns(gold=pl.lit(0.5))
    assert evaluate(paths, gold="human", labels=sheet).ratings.labelled.sum() == 53 + 20
