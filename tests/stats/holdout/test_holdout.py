"""Guarded holdouts: the noise is what it says, state survives a restart, and the theorems' numbers are theirs."""

import math

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.holdout import budget, guard, multiplicative


def asked(state, holdout, train=math.nan, times=1):
    told = []
    for _ in range(times):
        answer, state = guard.ask(state, holdout, train)
        told.append(answer)
    return told, state


def test_no_noise_is_the_empirical_mean():
    told, _ = asked(guard.init("gaussian", 101, budget=3, scale=0.0), 0.37, times=3)
    assert [answer.value for answer in told] == [0.37] * 3


@pytest.mark.parametrize(("kind", "variance"), [("gaussian", 0.0004), ("laplace", 0.0008)])
def test_noise_has_the_variance_that_the_answer_reports(kind, variance):
    told, _ = asked(guard.init(kind, 101, budget=4001, scale=0.02, seed=3), 0.5, times=4001)
    values = np.array([answer.value for answer in told])
    assert told[0].variance == pytest.approx(variance)
    assert values.mean() == pytest.approx(0.5, abs=4 * math.sqrt(variance / 4001))
    assert values.var() == pytest.approx(variance, rel=0.15)


def test_thresholdout_repeats_the_training_value_while_it_is_true():
    state = guard.init("thresholdout", 10_007, budget=2, scale=0.001, threshold=0.05)
    told, state = asked(state, 0.50, 0.51, times=11)
    assert [answer.value for answer in told] == [0.51] * 11
    assert state.spent == 0
    told, state = asked(state, 0.50, 0.80, times=3)
    assert all(answer.surprised for answer in told[:2])
    assert told[0].value == pytest.approx(0.50, abs=0.02)
    assert math.isnan(told[2].value)
    assert not state.open


def test_thresholdouts_gate_is_as_noisy_as_the_paper_says():
    """P(answer from the holdout) for a gap of T + 3σ: γ ~ Lap(2σ), η ~ Lap(4σ), by a large draw."""
    rng = np.random.default_rng(5)
    expected = np.mean(rng.laplace(0, 2, 400_009) + rng.laplace(0, 4, 400_009) < 3)
    states = [guard.init("thresholdout", 101, budget=1, scale=0.01, threshold=0.1, seed=s) for s in range(2003)]
    seen = np.mean([guard.ask(state, 0.5, 0.63)[0].surprised for state in states])
    assert seen == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 2003))


def test_the_state_survives_a_restart_and_old_states_stay_what_they_were():
    state = guard.init("thresholdout", 1009, budget=5, seed=11)
    _, after = asked(state, 0.4, 0.9, times=2)
    again = guard.Guard.from_json(after.to_json())
    assert again == after
    assert guard.ask(again, 0.4, 0.9) == guard.ask(after, 0.4, 0.9)
    assert state.asked == 0
    weights = multiplicative.init([3, 4, 5], threshold=0.1, seed=2)
    _, moved = multiplicative.ask(weights, [0.0, 1.0, 1.0])
    assert multiplicative.Weights.from_json(moved.to_json()) == moved


def test_split_folds_part_the_rows():
    state, position, folds = guard.init("split", 13, budget=5), np.arange(13), []
    for _ in range(5):
        folds.append(guard.fold(state, position))
        _, state = guard.ask(state, 0.5)
    assert np.all(np.sum(folds, axis=0) == 1)
    assert {int(f.sum()) for f in folds} == {2, 3}


def test_multiplicative_weights_stay_within_the_threshold_and_the_updates():
    rng, points, T = np.random.default_rng(7), 61, 0.1
    counts = rng.multinomial(5003, rng.dirichlet(np.full(points, 0.2)))
    state = multiplicative.init(counts, threshold=T, scale=0.0)
    for _ in range(503):
        phi = (rng.random(points) < 0.5).astype(float)
        answer, state = multiplicative.ask(state, phi)
        assert abs(answer.value - phi @ counts / 5003) <= T + 1e-12
    assert 0 < state.spent <= multiplicative.updates(points, T)


def test_budgets_of_splitting_are_hoeffdings():
    n, k, chance = 10_007, 13, 0.05
    expected = math.sqrt(math.log(2 * k / chance) / (2 * (n // k)))
    assert budget.tolerance("split", n, k) == pytest.approx(expected)


def test_noise_beats_splitting_for_large_holdouts_and_grows_faster():
    small, large = ([budget.questions(kind, n, within=0.1) for kind in ("split", "gaussian")] for n in (10**4, 10**6))
    assert small[1] < small[0]
    assert large[1] > 10 * large[0]
    growth = budget.questions("gaussian", 4 * 10**6, within=0.1) / large[1]
    assert 12 < growth < 20  # k ~ n²: 16
    assert 3.5 < budget.questions("split", 4 * 10**6, within=0.1) / large[0] < 4.5  # k ~ n: 4


def test_the_promise_holds_for_the_adaptive_attack():
    """Gaussian answers at the best σ for n = 100,000: the vote that the answers suggest is within the promise."""
    n, k = 100_003, 101
    sigma = 0.01
    promise = budget.tolerance("gaussian", n, k, scale=sigma)
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, size=(n, k - 1))
    state = guard.init("gaussian", n, budget=k, scale=sigma, seed=1)
    told = []
    for mean in x.mean(axis=0):
        answer, state = guard.ask(state, float(mean))
        told.append(answer.value)
    vote = ((x - 0.5) @ np.sign(np.array(told) - 0.5) > 0).mean()
    answer, _ = guard.ask(state, float(vote))
    assert promise < 0.25
    assert abs(answer.value - 0.46) < promise  # an even number of voters: ties (8 %) count against


def test_gaussian_privacy_curve_agrees_with_its_integral():
    """δ(ε) = P(L > ε) − e^ε·P(L' < −ε) of the Gaussian mechanism, by quadrature of (p − e^ε q)⁺."""
    mu, epsilon = 0.7, 0.3
    z = np.linspace(-12, 12, 400_001)
    p, q = (np.exp(-((z - m) ** 2) / 2) / math.sqrt(2 * math.pi) for m in (mu, 0.0))
    area = np.sum(np.maximum(p - math.exp(epsilon) * q, 0)) * (z[1] - z[0])
    assert budget._gaussian(np.array([epsilon]), mu)[0] == pytest.approx(area, rel=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: guard.init("x", 5, budget=1),
        lambda: guard.init("laplace", 0, budget=1),
        lambda: guard.ask(guard.init("thresholdout", 5, budget=1), 0.5),
        lambda: multiplicative.init([], threshold=0.1),
        lambda: multiplicative.ask(multiplicative.init([1, 2], threshold=0.1), [0.5]),
        lambda: budget.tolerance("gaussian", 0, 1),
    ],
)
def test_the_impossible_is_refused(wrong):
    with pytest.raises(AdjudgeError):
        wrong()


def test_the_empirical_mean_promises_nothing():
    assert budget.tolerance("empirical", 10**6, 2) == 1.0
