"""Blind trials: hand-worked rates, families of pairs, letters, conditions, progress, and the order of the trials."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from adjudge.errors import AdjudgeError
from adjudge.ranking import blind_trials
from adjudge.stats.sequential import barnard
from adjudge.stats.sequential.runs import Runs
from adjudge.stats.sequential.trials import judge
from adjudge.tables.ratings import Ratings
from adjudge.tables.read import from_arrays, read


def trials(rates: dict[str, float], n: int, seed: int) -> Ratings:
    rng = np.random.default_rng(seed)
    policy = np.tile(list(rates), n)
    success = rng.random(policy.size) < np.tile(list(rates.values()), n)
    return from_arrays(policy=policy, item=np.repeat(np.arange(n), len(rates)), score=success.astype(float))


def series(counts: list[tuple[int, int]]) -> Runs:
    rng = np.random.default_rng(1)
    values = tuple(rng.permutation(np.repeat([1.0, 0.0], [s, n - s])) for s, n in counts)
    return Runs(tuple("abcdefg"[: len(counts)]), ("all",), values, tuple(np.arange(n) for _, n in counts))


def test_rates_and_posteriors_by_hand() -> None:
    table = from_arrays(policy=["a"] * 10 + ["b"] * 10, item=np.arange(20), score=[1] * 7 + [0] * 3 + [1] * 2 + [0] * 8)
    found = blind_trials.rank(table, prior="uniform")
    np.testing.assert_allclose(found.value, [0.7, 0.2])
    np.testing.assert_allclose(found.stderr, np.sqrt(stats.beta.var([8, 3], [4, 9])))
    np.testing.assert_allclose(found.figures["credible_low"].value, stats.beta.ppf(0.025, [8, 3], [4, 9]))
    np.testing.assert_allclose(found.figures["credible_high"].value, stats.beta.ppf(0.975, [8, 3], [4, 9]))
    assert found.figures["superiority"].value[0] == pytest.approx(0.98, abs=0.01)
    np.testing.assert_allclose(found.figures["gaps"].value, [0.5])
    np.testing.assert_allclose(found.figures["gaps"].stderr, np.sqrt(0.021 + 0.016))


def test_success_in_every_trial_is_no_certainty() -> None:
    found = blind_trials.rank(from_arrays(policy=["a"] * 9 + ["b"] * 7, item=np.arange(16), score=np.ones(16)))
    ends = found.interval()
    assert np.all(ends[:, 1] == 1)
    assert np.all((ends[:, 0] > 0.5) & (ends[:, 0] < 0.95))
    assert np.isnan(found.figures["gaps"].stderr[0])


def test_one_look_is_barnards_test_with_holm() -> None:
    counts = [(19, 23), (11, 23), (4, 23)]
    judged = judge(series(counts), looks=False)
    raw = [barnard.pvalue(*counts[a], *counts[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    order = np.argsort(raw)
    wanted = np.maximum.accumulate(np.array(raw)[order] * [3, 2, 1])
    np.testing.assert_allclose(judged.pairs.pvalue[order], wanted)
    np.testing.assert_array_equal(judged.pairs.decision, np.where(judged.pairs.pvalue <= 0.05, 1, 0))
    more = judge(series(counts), looks=False, correction="bonferroni")
    np.testing.assert_allclose(more.pairs.pvalue, np.minimum(1, 3 * np.array(raw)))


def test_letters_follow_the_verdicts() -> None:
    judged = judge(series([(3, 41), (39, 41), (37, 41)]), trials=41)
    assert judged.letters == ("b", "a", "a")
    np.testing.assert_array_equal(judged.pairs.decision, [-1, -1, 0])


def test_a_pair_stays_decided_when_more_trials_come() -> None:
    early = judge(series([(9, 9), (0, 9)]), trials=50)
    assert early.pairs.decision.tolist() == [1.0]
    runs = series([(9, 9), (0, 9)])
    tail = (np.concatenate([runs.values[0], np.zeros(20)]), np.concatenate([runs.values[1], np.ones(20)]))
    later = judge(Runs(("a", "b"), ("all",), tail, tuple(np.arange(29) for _ in "ab")), trials=50)
    assert later.pairs.decision.tolist() == [1.0]
    assert later.pairs.when.tolist() == early.pairs.when.tolist()


def test_equal_policies_are_told_apart_as_seldom_as_promised() -> None:
    """600 families of four equal policies, 40 trials each, watched after each: at most 5 % + 3 × 0.9 % err once."""
    rng, wrong = np.random.default_rng(17), 0
    order = tuple(np.arange(40) for _ in range(4))
    for rate in (0.3, 0.6, 0.85):
        for _ in range(200):
            values = tuple((rng.random(40) < rate).astype(float) for _ in range(4))
            judged = judge(Runs(("a", "b", "c", "d"), ("all",), values, order), trials=40)
            wrong += bool(np.any(np.abs(judged.pairs.decision) == 1))
    assert wrong / 600 < 0.05 + 3 * 0.009


def test_trials_of_several_conditions_keep_their_order() -> None:
    """The same trials with and without conditions are decided alike; gaps are compared within conditions."""
    rng = np.random.default_rng(19)
    n = 31
    condition = rng.integers(0, 3, n)
    success = {"a": rng.random(n) < 0.9, "b": rng.random(n) < 0.3}
    rows = {
        "policy": np.tile(["a", "b"], n),
        "condition": np.repeat(condition, 2),
        "success": np.column_stack([success["a"], success["b"]]).ravel(),
        "trial": np.repeat(np.arange(n), 2),
    }
    plain = read(rows, judge="success", item="trial")
    split = read(rows, judge="success", item="trial", stratum="condition")
    one, other = blind_trials.rank(plain, trials=50), blind_trials.rank(split, trials=50)
    for name in ("decisions", "pvalues", "trials_used"):
        np.testing.assert_array_equal(one.figures[name].value, other.figures[name].value)
    assert other.figures["gaps"].stderr[0] < one.figures["gaps"].stderr[0]


def test_progress_is_averaged_under_its_own_name() -> None:
    rows = {
        "policy": ["a", "a", "b", "b"],
        "success": [1, 0, 0, 0],
        "progress": [1.0, 0.4, 0.3, 0.1],
        "t": [0, 1, 0, 1],
    }
    found = blind_trials.rank(read(rows, judge=["success", "progress"], item="t"))
    np.testing.assert_allclose(found.figures["progress"].value, [0.7, 0.2])
    np.testing.assert_allclose(found.figures["progress"].stderr, [0.3, 0.1])


def test_what_is_wrong_or_open_is_said() -> None:
    table = trials({"a": 0.6, "b": 0.5}, 30, 1)
    found = blind_trials.rank(table)
    assert {finding.code for finding in found.findings} == {"horizon-assumed", "go-on"}
    over = blind_trials.rank(table, trials=10)
    assert "trials-beyond-horizon" in {finding.code for finding in over.findings}
    with pytest.raises(AdjudgeError, match="neither 0 nor 1"):
        blind_trials.rank(from_arrays(policy=["a", "b"], item=[0, 0], score=[0.5, 1.0]))
    for wrong in ({"correction": "none"}, {"prior": "flat"}, {"level": 1.0}):
        with pytest.raises(AdjudgeError, match="blind_trials"):
            blind_trials.rank(table, **wrong)
    alone = blind_trials.rank(trials({"a": 0.6}, 11, 2))
    assert alone.figures["decisions"].names == ()
