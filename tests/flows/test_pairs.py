"""adjudge.pairs: the chances come true as often as they say, of scores and of comparisons; files are read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.drawn import drawn
from adjudge.flows.pairs import pairs
from adjudge.flows.pairs_answer import Pairs
from adjudge.tables import read_preferences
from adjudge.train.tabular import Tabular

P, K = 997, 5


def world(seed: int, *, binary: bool, labelled: float, scale: float = 3.0) -> tuple[dict[str, list[Any]], np.ndarray]:
    """Samples whose score is on another scale than gold, and tells of it with noise; and gold of all."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=(P, K)) + 0.5 * rng.normal(size=(P, 1))
    score = scale * (quality + 0.8 * rng.normal(size=(P, K))) + 40
    gold = quality if not binary else (rng.random((P, K)) < 1 / (1 + np.exp(-2 * quality))).astype(float)
    seen = rng.random((P, K)) < labelled
    rows = {
        "prompt": [f"p{at:04d}" for at in range(P) for _ in range(K)],
        "response": [f"r{at}" for at in range(P * K)],
        "score": score.ravel().tolist(),
        "gold": np.where(seen, gold, np.nan).ravel().tolist(),
        "logprob": rng.uniform(-9, -1, P * K).tolist(),
    }
    return rows, gold.ravel()


def came_true(answer: Pairs, gold: np.ndarray) -> np.ndarray:
    better = np.sign(gold[answer.made.chosen] - gold[answer.made.rejected])
    return (1 + better) / 2


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("method", ["best_worst", "all_pairs", "rejection"])
def test_a_chance_comes_true_as_often_as_it_says(binary: bool, method: str) -> None:
    rows, gold = world(3, binary=binary, labelled=0.2)
    answer = pairs(rows, judge="score", method=method)
    true, said = came_true(answer, gold), answer.chance
    prompt = answer.source.item[answer.made.chosen]
    order = np.argsort(said)
    for part in np.array_split(order, 4):
        miss = np.bincount(prompt[part], true[part] - said[part], P)
        tolerance = 4 * np.sqrt((miss**2).sum()) / part.size + 0.02
        assert abs((true[part] - said[part]).mean()) < tolerance
    assert said[order[-99:]].mean() > said[order[:99]].mean() + 0.1
    assert "chances-off" not in {finding.code for finding in answer.findings}


def test_the_raw_score_would_be_too_sure_and_the_calibrated_one_is_told_by_its_error() -> None:
    rows, gold = world(4, binary=False, labelled=0.1)
    answer = pairs(rows, judge="score", gold="gold")
    unknown = np.isnan(answer.source.gold[answer.made.chosen]) & np.isnan(answer.source.gold[answer.made.rejected])
    assert came_true(answer, gold)[unknown].mean() < 0.95
    assert abs(came_true(answer, gold)[unknown].mean() - answer.chance[unknown].mean()) < 0.03
    assert (answer.error[unknown] > 0).all()
    plain = pairs({name: rows[name] for name in ("prompt", "response", "score")}, judge="score")
    assert (plain.made.preference == 1).all()
    assert [finding.code for finding in plain.findings] == ["labels-not-calibrated"]


def test_hard_labels_have_the_flip_rate_that_noise_has(tmp_path: Path) -> None:
    rows, gold = world(5, binary=True, labelled=0.3)
    hard, soft = (pairs(rows, judge="score", labels=labels) for labels in ("hard", "soft"))
    assert (hard.made.preference == 1).all()
    assert abs(hard.flip.mean() - (1 - came_true(hard, gold)).mean()) < 0.04
    assert (soft.flip == 0).all()
    hard.save(tmp_path)
    back = read_preferences.read(tmp_path / "pairs.jsonl")
    np.testing.assert_allclose(back.flip, hard.flip)
    assert (back.outcome == 1).all()


def test_the_file_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    rows, _ = world(6, binary=False, labelled=0.2)
    answer = pairs(rows, judge="score", method="all_pairs", arguments={"most": 3})
    assert answer.save(tmp_path).exists()
    back = read_preferences.read(tmp_path / "pairs.jsonl")
    np.testing.assert_allclose(back.outcome, answer.made.preference)
    np.testing.assert_allclose(back.margin, answer.made.margin)
    np.testing.assert_allclose(back.weight, answer.made.weight)
    np.testing.assert_allclose(back.rating, answer.made.samples.score[np.c_[answer.made.chosen, answer.made.rejected]])
    assert back.left_text == tuple(rows["response"][at] for at in answer.made.chosen)
    assert back.units == np.unique(answer.source.item[answer.made.chosen]).size
    line = json.loads((tmp_path / "pairs.jsonl").read_text().splitlines()[0])
    assert line["log_probability_chosen"] == rows["logprob"][answer.made.chosen[0]]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_judge_that_compares_is_calibrated_by_its_margins(sign: int) -> None:
    rng = np.random.default_rng(7)
    size = np.array([rng.choice(40, 4, replace=False) + 1 for _ in range(151)])
    gold = sign * (size + 12 * rng.normal(size=size.shape)).ravel()
    rows = {
        "prompt": [f"prompt {at}" for at in range(151) for _ in range(4)],
        "response": ["x" * each for each in size.ravel()],
        "gold": np.where(rng.random(gold.size) < 0.5, gold, np.nan).tolist(),
    }
    how = {"function": lambda answer, other: float(len(answer) > len(other))}
    answer = pairs(rows, protocol="function", options=how, compare=True, method="all_pairs")
    assert answer.labels is not None
    assert answer.labels.calibrator.bounds == (0.0, 1.0)
    assert sorted(set(answer.made.samples.score.round(3))) == [0.0, 0.333, 0.667, 1.0]  # shares of three comparisons
    true = came_true(answer, gold)
    for far in np.unique(answer.made.margin.round(6)):
        part = answer.made.margin.round(6) == far
        assert abs(true[part].mean() - answer.chance[part].mean()) < 0.08
    assert answer.severe is (sign < 0)
    assert ("judge-against-gold" in {finding.code for finding in answer.findings}) is (sign < 0)


def test_a_policy_is_sampled_and_its_pairs_keep_its_log_probabilities() -> None:
    policy = Tabular(np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]), names=["a", "bb", "ccc"])
    rows = drawn(policy, ["0", "1", "0"], n=5, batch=2, seed=3)
    assert rows["prompt"] == ["0"] * 5 + ["1"] * 5 + ["0"] * 5
    chance = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    expected = [np.log(chance[int(x), len(y) - 1]) for x, y in zip(rows["prompt"], rows["response"], strict=True)]
    np.testing.assert_allclose(rows["log_probability"], expected, rtol=1e-12)
    assert rows == drawn(policy, ["0", "1", "0"], n=5, batch=2, seed=3)
    answer = pairs(rows | {"score": [len(each) for each in rows["response"]]}, judge="score")
    np.testing.assert_allclose(answer.made.batch(np.array(expected)).log_ratio, 0, atol=1e-12)
    with pytest.raises(AdjudgeError, match="0 prompts"):
        drawn(policy, [])


def test_what_cannot_be_done_is_said() -> None:
    rows, _ = world(8, binary=True, labelled=0.1)
    for given, said in (
        ({}, "neither --judge nor --protocol was given"),
        ({"judge": ()}, "neither --judge nor --protocol was given"),
        ({"judge": ["score"], "protocol": "pairwise"}, "Both --judge score and --protocol pairwise were given"),
        ({"judge": "score", "labels": "firm"}, "Labels 'firm'"),
    ):
        with pytest.raises(AdjudgeError, match=said):
            pairs(rows, **given)
    with pytest.raises(AdjudgeError, match="Gold is known of 1 prompts"):
        pairs(rows | {"gold": [1.0] + [np.nan] * (P * K - 1)}, judge="score")
    with pytest.raises(AdjudgeError, match="no argument 'betta'"):
        pairs(rows, judge="score", method="rejection", arguments={"betta": 1})
    with pytest.raises(AdjudgeError, match="no gold"):
        pairs({name: rows[name] for name in ("prompt", "response", "score", "logprob")}, judge=["score", "logprob"])


def test_scores_the_wrong_way_round_are_turned_by_calibration() -> None:
    rows, gold = world(9, binary=True, labelled=0.3)
    turned = rows | {"score": [-each for each in rows["score"]]}
    one, two = (pairs(each, judge="score", calibration="platt") for each in (rows, turned))
    np.testing.assert_array_equal(one.made.chosen, two.made.chosen)
    np.testing.assert_allclose(one.chance, two.chance, rtol=2e-3)  # folds of the held-out forecasts differ
    assert came_true(two, gold).mean() > 0.7


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("within", [0.0, 0.5])
def test_a_judge_that_knows_prompts_apart_is_not_believed_about_answers(binary: bool, within: float) -> None:
    """Easy and hard prompts make a curve over all samples steep: taken at its word it said 67 % where a coin fell."""
    rng = np.random.default_rng(271)
    level, own = 2 * rng.normal(size=(P, 1)), rng.normal(size=(P, K))
    score = level + within * own + rng.normal(size=(P, K))
    gold = level + own if not binary else (rng.random((P, K)) < 1 / (1 + np.exp(-level - own))) + 0.0
    seen = rng.random((P, 1)) < 0.3
    rows = {
        "prompt": [f"p{at:04d}" for at in range(P) for _ in range(K)],
        "response": [f"r{at}" for at in range(P * K)],
        "score": score.ravel().tolist(),
        "gold": np.where(seen & (np.arange(K) < 2), gold, np.nan).ravel().tolist(),
    }
    answer = pairs(rows, judge="score", method="all_pairs")
    fresh = np.isnan(answer.source.gold[answer.made.chosen]) & np.isnan(answer.source.gold[answer.made.rejected])
    said, true = answer.chance[fresh].mean(), came_true(answer, gold.ravel())[fresh].mean()
    codes = {finding.code for finding in answer.findings}
    if "judge-like-noise" in codes:  # nothing is claimed, and there was little: right in 54 % of fresh pairs at most
        np.testing.assert_allclose(answer.chance[fresh], 0.5)
        assert abs(true - 0.5) < 0.05
    else:
        assert within
        assert abs(said - true) < 0.025
        assert abs(said - true) < 3 * answer.error[fresh].mean() + 0.01
    assert "chances-off" not in codes


def test_a_label_beside_a_forecast_knows_that_its_prompt_was_easy() -> None:
    """Gold against the other's forecast, as if nothing were shared, said 81 % where 72 % came true."""
    rng = np.random.default_rng(272)
    level, own = 2 * rng.normal(size=(P, 1)), rng.normal(size=(P, K))
    gold, seen = level + own, rng.random((P, K)) < 0.25
    rows = {
        "prompt": [f"p{at:04d}" for at in range(P) for _ in range(K)],
        "response": [f"r{at}" for at in range(P * K)],
        "score": (level + 0.3 * own + rng.normal(size=(P, K))).ravel().tolist(),
        "gold": np.where(seen, gold, np.nan).ravel().tolist(),
    }
    answer = pairs(rows, judge="score", method="all_pairs")
    known = np.isfinite(answer.source.gold)
    mixed = known[answer.made.chosen] != known[answer.made.rejected]
    assert abs(answer.chance[mixed].mean() - came_true(answer, gold.ravel())[mixed].mean()) < 0.05


def test_with_gold_the_error_of_a_score_is_not_counted_twice() -> None:
    rows, _ = world(5, binary=False, labelled=0.3)
    plain, told = (
        pairs(each, judge="score", error=error)
        for each, error in (
            (rows, None),
            (rows | {"stderr": [50.0 if at % 3 else 0.0 for at in range(P * K)]}, "stderr"),
        )
    )
    np.testing.assert_array_equal(plain.made.chosen, told.made.chosen)
    np.testing.assert_array_equal(plain.chance, told.chance)
    assert [one.code for one in plain.findings] == [one.code for one in told.findings]
