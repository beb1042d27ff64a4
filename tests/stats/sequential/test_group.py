"""Group-sequential permutations: exact where all deals are listed, the same whenever the runs come, error held."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from adjudge.errors import AdjudgeError
from adjudge.stats.sequential.chains import deals, grown
from adjudge.stats.sequential.group import Design, advance, start
from adjudge.stats.sequential.planning import runs_power, studies

PAIR = np.array([[0, 1]])
THREE = np.array([[0, 1], [0, 2], [1, 2]])


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.exponential(1.0, shape)


def rejected(found: object) -> np.ndarray:
    return np.abs(found.decision) == 1


def test_one_look_at_two_agents_is_the_exact_permutation_test() -> None:
    """Golden: scipy.stats.permutation_test, all C(7, 3) deals, mean difference, two-sided by the absolute value."""
    left, right = np.array([1.3, 2.9, 0.7]), np.array([3.1, 4.7, 2.2, 5.3])
    state = advance(start(Design(runs=3, interims=1), PAIR), [left, right])
    wanted = stats.permutation_test(
        (left, right), lambda a, b: abs(a.mean() - b.mean()), n_resamples=np.inf, alternative="greater"
    ).pvalue
    assert state.history.shape == (1, 35, 1)
    assert state.pvalue[0] == pytest.approx(wanted)


def test_a_hand_worked_look() -> None:
    """2 against 2 runs: 6 deals; |T| of 10 is reached by 2 of them, so p is 1/3 and nothing smaller decides."""
    block = [np.array([10.0, 11.0]), np.array([0.0, 1.0])]
    state = advance(start(Design(runs=2, interims=1, level=0.66), PAIR), block)
    assert state.pvalue[0] == pytest.approx(1 / 3)
    assert state.decision[0] == 1
    stricter = advance(start(Design(runs=2, interims=1, level=0.67), PAIR), block)
    assert stricter.decision[0] == 0, "at the last look what is open is called not told apart"


def test_the_error_of_a_look_is_what_the_plan_gives_it() -> None:
    """With 5 runs the largest of 252 deals has p 2/252 = 0.0079: decided at the first look of 5 (0.01), not of 7."""
    block = [np.arange(5.0) + 100, np.arange(5.0)]
    for interims, decided in ((5, True), (6, True), (7, False)):
        state = advance(start(Design(runs=5, interims=interims), PAIR), block)
        assert np.isfinite(state.decision[0]) == decided
        assert state.pvalue[0] == pytest.approx(2 / 252 * interims)


def test_all_deals_while_they_are_few_and_a_sample_after_that() -> None:
    parents, every = grown(1, (3, 3), 500)
    assert (parents.size, every) == (20, True)
    parents, every = grown(20, (3, 3), 500)
    assert (parents.size, every) == (400, True)
    later, every = grown(400, (3, 3), 500)
    assert (later.size, every) == (800, False)
    np.testing.assert_array_equal(np.bincount(later), 2)
    signs = deals(parents, True, (3, 3), seed=0, block=0)
    np.testing.assert_allclose(signs.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(signs[0], [1 / 3] * 3 + [-1 / 3] * 3)
    assert len({tuple(row) for row in signs}) == 20
    sampled = deals(later, False, (3, 3), seed=0, block=1)
    np.testing.assert_allclose(sampled[0], signs[0])
    np.testing.assert_allclose(np.abs(sampled.mean(axis=0)), 0, atol=0.05)


def test_history_of_two_listed_blocks_is_every_pair_of_deals() -> None:
    rng = np.random.default_rng(2)
    blocks = [[rng.normal(size=2), rng.normal(size=2)] for _ in range(2)]
    state = start(Design(runs=2, interims=3), PAIR)
    for block in blocks:
        state = advance(state, block)
    found = np.sort(state.history[1, :, 0] * state.scale[0])
    sums = []
    for block in blocks:
        pooled = np.concatenate(block)
        sums.append(
            [pooled[list(c)].mean() - np.delete(pooled, list(c)).mean() for c in itertools.combinations(range(4), 2)]
        )
    np.testing.assert_allclose(found, np.sort(np.add.outer(*sums).ravel()), atol=1e-7)


def test_scale_and_shift_of_all_scores_change_no_decision() -> None:
    rng = np.random.default_rng(7)
    blocks = [[rng.normal(m, 1, 5) for m in (0.0, 1.0, 3.0)] for _ in range(3)]
    answers = []
    for scale, shift in ((1.0, 0.0), (1e4, -3e5)):
        state = start(Design(interims=3), THREE)
        for block in blocks:
            state = advance(state, [scale * one + shift for one in block])
        answers.append((state.decision, state.when, state.pvalue))
    for one, other in zip(*answers, strict=True):
        np.testing.assert_allclose(one, other)


def test_agents_that_are_decided_are_not_waited_for() -> None:
    state = start(Design(interims=4, joint=True), THREE)
    rng = np.random.default_rng(11)
    state = advance(state, [rng.normal(0, 1, 5), rng.normal(0, 1, 5), rng.normal(90, 1, 5)])
    np.testing.assert_array_equal(state.decision, [np.nan, -1, -1])
    np.testing.assert_array_equal(state.wanted, [0, 1])
    after = advance(state, [rng.normal(0, 1, 5), rng.normal(0, 1, 5), np.zeros(0)])
    np.testing.assert_array_equal(after.decision[1:], [-1, -1])
    np.testing.assert_array_equal(after.when[1:], [1, 1])
    with pytest.raises(AdjudgeError, match="no run of agent 1"):
        advance(state, [rng.normal(size=5), np.zeros(0), np.zeros(0)])


def test_no_look_beyond_the_plan_and_no_senseless_plan() -> None:
    state = advance(start(Design(interims=1), PAIR), [np.zeros(5), np.ones(5)])
    assert advance(state, [np.zeros(5), np.ones(5)]) is state
    for wrong in ({"runs": 0}, {"level": 1.0}, {"early": 1.0}, {"interims": 0}, {"permutations": 1}):
        with pytest.raises(AdjudgeError, match="At least 1 run"):
            Design(**wrong)


def test_environments_of_any_unit_weigh_alike() -> None:
    """Cells 0, 1 in one environment and 2, 3 in another whose scores are a million times as large."""
    rng = np.random.default_rng(13)
    block = [rng.normal(9, 1, 5), rng.normal(0, 1, 5), 1e6 * rng.normal(0, 1, 5), 1e6 * rng.normal(0, 1, 5)]
    state = advance(start(Design(joint=True), np.array([[0, 1], [2, 3]])), block, [0, 0, 1, 1])
    assert state.decision[0] == 1
    assert np.isnan(state.decision[1])


@pytest.mark.parametrize("law", [normal, skewed], ids=["normal", "exponential"])
def test_two_equal_agents_are_told_apart_as_seldom_as_promised(law: object) -> None:
    """3,000 studies: 5 % and at most three standard errors (0.4 %) more; t-tests at each look err in 14 %."""
    found = studies([law, law], Design(permutations=504, seed=1), PAIR, replicates=3000)
    assert 0.03 < rejected(found).mean() < 0.05 + 3 * 0.004


def test_with_several_agents_the_pairs_of_equals_stay_together() -> None:
    """400 studies of 4 agents, one of them ahead: exact pair tests err in at most 5 % + 3 × 1.1 %, and find it."""
    laws = [lambda rng, shape: rng.standard_normal(shape) + 3, normal, normal, normal]
    pairs = np.column_stack(np.triu_indices(4, 1))
    found = studies(laws, Design(permutations=1008, seed=2), pairs, replicates=400)
    assert rejected(found)[:, 3:].any(axis=1).mean() < 0.05 + 3 * 0.011
    assert (found.decision[:, :3] == 1).mean() > 0.99
    assert found.runs[:, 0].mean() < 0.6 * found.runs[:, 1].mean()


def test_large_leads_take_few_runs_and_more_power() -> None:
    small, large = (runs_power(lead, Design(), replicates=300) for lead in (0.8, 3.0))
    assert small[0] < 0.85 < large[0]
    assert large[1] < 7 < 15 < small[1]


def test_early_acceptance_saves_runs_of_equals_and_costs_little_power() -> None:
    late, soon = (Design(permutations=504, early=beta, seed=3) for beta in (0.0, 0.3))
    equal = [studies([normal, normal], design, PAIR, replicates=600) for design in (late, soon)]
    assert equal[1].runs.mean() < equal[0].runs.mean() - 2
    assert rejected(equal[1]).mean() < 0.05 + 3 * 0.009
    assert (equal[1].decision[equal[1].when < 5] == 0).mean() == pytest.approx(0.85, abs=0.13)
    power = [runs_power(1.2, design, replicates=400)[0] for design in (late, soon)]
    assert power[1] > power[0] - 0.3
