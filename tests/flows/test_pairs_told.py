"""Whether labels tell a judge from noise: noise passes in one of twenty at most, good judges do, doubt leaves 1/2."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from adjudge.flows.pairs import pairs
from adjudge.flows.pairs_labels import from_scores
from adjudge.flows.pairs_told import doubted
from adjudge.stats.two_labels import chance_of_noise
from adjudge.tables import read_samples

P, K = 31, 3


def rows(score: np.ndarray, gold: np.ndarray) -> dict[str, list[Any]]:
    """[P, K] samples; gold is NaN where nobody labelled."""
    return {
        "prompt": [f"p{at:03d}" for at in range(len(score)) for _ in range(K)],
        "response": [f"r{at}" for at in range(score.size)],
        "score": score.ravel().tolist(),
        "gold": gold.ravel().tolist(),
    }


def drawn(rng: np.random.Generator, twice: int, *, within: float, shared: float = 0.0) -> dict[str, list[Any]]:
    """Samples of which `twice` prompts have two labels; `within` and `shared` is what the judge knows of gold."""
    level, own = rng.normal(size=(P, 1)), rng.normal(size=(P, K))
    score = shared * level + within * own + rng.normal(size=(P, K))
    gold = np.where((np.arange(P)[:, None] < twice) & (np.arange(K) < 2), level + own, np.nan)
    return rows(score, gold)


def test_with_ten_labels_at_most_one_judge_in_twenty_that_knows_nothing_passes() -> None:
    """The least held-out error alone let pass 11 in 100."""
    trials, passed = 200, 0
    for seed in range(trials):
        table = read_samples.read(drawn(np.random.default_rng((10, seed)), 5, within=0.0), judge="score", gold="gold")
        labels = from_scores(table, "auto", seed=seed)
        fresh = np.flatnonzero(np.isnan(table.gold))
        one, two = fresh[:-1], fresh[1:]
        passed += bool((labels.chance(one, two)[0] != 0.5).any())
    assert passed <= 0.05 * trials + 2 * np.sqrt(0.05 * 0.95 * trials)


@pytest.mark.parametrize(("twice", "shared"), [(10, 0.0), (25, 0.0), (25, 3.0)])
def test_noise_passes_at_its_rate_and_so_does_a_judge_that_knows_prompts_apart(twice: int, shared: float) -> None:
    """Of those that know easy prompts from hard ones, and no two answers apart, all passed before."""
    trials, passed = 200, 0
    for seed in range(trials):
        told = drawn(np.random.default_rng((twice, seed)), twice, within=0.0, shared=shared)
        score, gold = np.array(told["score"])[:, None], np.array(told["gold"])
        passed += not doubted(score, gold, np.repeat(np.arange(P), K), "auto", seed=seed)
    assert passed <= 0.05 * trials + 3 * np.sqrt(0.05 * 0.95 * trials)


def test_good_judges_pass() -> None:
    passed = [
        not doubted(np.array(told["score"])[:, None], np.array(told["gold"]), np.repeat(np.arange(P), K), "auto")
        for told in (drawn(np.random.default_rng((5, seed)), 15, within=1.4) for seed in range(60))
    ]  # 1.4: right in eight of ten pairs
    assert np.mean(passed) > 0.75


def test_doubt_leaves_a_half_in_the_order_of_the_judge_and_says_so() -> None:
    answer = pairs(drawn(np.random.default_rng(3), 6, within=0.0), judge="score")
    doubt = next(finding for finding in answer.findings if finding.code == "judge-like-noise")
    assert doubt.number > doubt.threshold == 0.05
    assert "12 labels of 6 prompts do not tell the judge from one that answers at random" in doubt.message
    gold, score = answer.source.gold, answer.source.score[:, 0]
    fresh = np.isnan(gold[answer.made.chosen]) & np.isnan(gold[answer.made.rejected])
    assert fresh.sum() >= P - 6
    assert (answer.chance[fresh] == 0.5).all()
    assert (score[answer.made.chosen] > score[answer.made.rejected])[fresh].all()
    assert "judge-against-gold" not in {finding.code for finding in answer.findings}
    hard = pairs(drawn(np.random.default_rng(3), 6, within=0.0), judge="score", labels="hard")
    assert not (np.isnan(gold[hard.made.chosen]) & np.isnan(gold[hard.made.rejected])).any()
    named = pairs(drawn(np.random.default_rng(3), 6, within=0.0), judge="score", calibration="linear")
    assert "the curve may be luck" in " ".join(finding.message for finding in named.findings)
    assert (named.chance != 0.5).any()


def test_the_order_of_rows_is_no_choice_of_the_judge() -> None:
    """Where the judge prefers neither, the first row stood for its choice: better in 0 % of cases, said the page."""
    gold = np.where((np.arange(P)[:, None] < 6) & (np.arange(K) < 2), np.arange(float(K)), np.nan)
    answer = pairs(rows(np.random.default_rng(1).normal(size=(P, K)), gold), judge="score")
    codes = {finding.code for finding in answer.findings}
    assert "judge-like-noise" in codes
    assert not codes & {"judge-against-gold", "chances-off"}


def test_a_judge_that_compares_is_not_believed_for_five_pairs_that_came_true() -> None:
    """Its chance was the share that came true: 100 %, for one coin in sixteen."""
    score = np.tile(np.arange(float(K)), (P, 1))
    gold = np.where((np.arange(P)[:, None] < 5) & (np.arange(K) < 2), score, np.nan)
    said = rows(score, gold) | {"response": ["x" * (1 + at % K) for at in range(P * K)]}
    longer = {"function": lambda answer, other: float(len(answer) > len(other))}
    answer = pairs(said, protocol="function", options=longer, compare=True, method="all_pairs")
    assert (answer.chance == 0.5).all()
    assert "judge-like-noise" in {finding.code for finding in answer.findings}
    more = np.where((np.arange(P)[:, None] < 7) & (np.arange(K) < 2), score, np.nan)
    sure = pairs(said | {"gold": more.ravel().tolist()}, protocol="function", options=longer, compare=True)
    assert (sure.chance > 0.6).all()  # a coin does as well in one of 64


def test_the_chance_of_noise_is_that_of_its_shuffles() -> None:
    ranks, code = np.arange(5.0), np.arange(5)
    order = chance_of_noise(ranks[:, None], ranks, code, within=False)
    assert order == pytest.approx(2 / 120, abs=0.015)  # one order of five, or its reverse
    pair = np.tile([0.0, 1.0], 6)
    assert chance_of_noise(pair[:, None], pair, np.arange(12) // 2, within=True) == pytest.approx(2 / 64, abs=0.02)
    blocks = np.repeat(np.arange(4.0), 2)  # what a prompt's responses share is told four times, not eight
    assert chance_of_noise(blocks[:, None], blocks, np.arange(8) // 2, within=False) == pytest.approx(2 / 24, abs=0.03)
    assert chance_of_noise(blocks[:, None], blocks, np.arange(8) // 2, within=True) == 1.0
    assert chance_of_noise(np.zeros((8, 1)), blocks, np.arange(8), within=False) == 1.0
    bend = np.abs(np.arange(21.0) - 10)
    plain, bent = (chance_of_noise(np.arange(21.0)[:, None], bend, np.arange(21), within=False, bent=b) for b in (0, 1))
    assert plain > 0.5 > 0.01 > bent
    several = chance_of_noise(np.c_[np.zeros(9), np.arange(9.0)], np.arange(9.0), np.arange(9), within=False)
    assert several < 0.01
    assert all(one < two for one, two in pairwise((bent, order, plain)))
