"""Sequential tests of two rates: the error at every rate, nested rules, Boschloo at one look, Barnard by SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from adjudge.errors import AdjudgeError
from adjudge.stats.sequential import barnard, two_rates
from adjudge.stats.sequential.planning import trials_for
from adjudge.stats.sequential.two_rates import chances, judge, ladder, rule


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_no_common_rate_errs_more_than_agreed(level: float) -> None:
    made = rule(31, level)
    worst = [chances(made, p, p)[-1].sum() for p in np.linspace(0.003, 0.997, 143)]
    assert max(worst) <= 1 - level
    assert max(worst) > 0.9 * (1 - level), "most of the error is used"


def test_error_is_spent_no_faster_than_planned() -> None:
    made = rule(29, 0.95)
    for p in (0.1, 0.37, 0.5, 0.81):
        spent = chances(made, p, p).sum(axis=1)
        assert np.all(spent <= 0.05 * np.arange(30) / 29 + 1e-12)


def test_recursion_agrees_with_simulation() -> None:
    """20,000 pairs of series: stopping chances within 4 standard errors of the recursion's."""
    made, rng = rule(17, 0.9), np.random.default_rng(5)
    left, right = rng.random((20_000, 17)) < 0.8, rng.random((20_000, 17)) < 0.45
    a, b = left.cumsum(axis=1), right.cumsum(axis=1)
    over = np.abs(a - b) >= made.least[np.arange(1, 18), a + b]
    wanted = chances(made, 0.8, 0.45)[-1].sum()
    assert over.any(axis=1).mean() == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 20_000))


def test_matched_conditions_only_lower_the_error() -> None:
    """Each trial has its own rate, the same for both: 20,000 studies err no more than with one rate."""
    made, rng = rule(31, 0.95), np.random.default_rng(6)
    p = rng.beta(0.5, 0.5, (20_000, 31))
    a, b = (rng.random(p.shape) < p).cumsum(axis=1), (rng.random(p.shape) < p).cumsum(axis=1)
    wrong = (np.abs(a - b) >= made.least[np.arange(1, 32), a + b]).any(axis=1).mean()
    assert wrong < 0.04


def test_success_and_failure_and_the_two_sides_are_symmetric() -> None:
    made = rule(23, 0.95)
    for n in range(1, 24):
        row = made.least[n, : 2 * n + 1]
        np.testing.assert_array_equal(row, row[::-1])
    rng = np.random.default_rng(8)
    left, right = (rng.random(23) < 0.9).astype(float), (rng.random(23) < 0.3).astype(float)
    one, other, turned = judge(made, left, right), judge(made, right, left), judge(made, 1 - left, 1 - right)
    assert (one.decision, one.when) == (-other.decision, other.when) == (-turned.decision, turned.when)
    assert one.pvalue == pytest.approx(other.pvalue) == pytest.approx(turned.pvalue)


def test_decision_and_pvalue_agree() -> None:
    made, rng = rule(19, 0.9), np.random.default_rng(9)
    for p, q in ((0.5, 0.5), (0.9, 0.4), (0.2, 0.7)):
        for _ in range(60):
            found = judge(made, (rng.random(19) < p).astype(float), (rng.random(19) < q).astype(float))
            if found.decision == 0:
                assert found.pvalue > 0.1 * 0.99
            else:
                assert found.pvalue <= 0.1 / (1 - two_rates.SLACK) + 1e-9


@pytest.mark.parametrize(("trials", "comparisons"), [(17, 3), (31, 10)])
def test_stricter_rules_stop_inside_looser_ones(trials: int, comparisons: int) -> None:
    rules = ladder(trials, 0.95, comparisons)
    assert [r for r, _ in rules] == sorted({r for r, _ in rules}, reverse=True)
    for (_, strict), (r, loose) in itertools.pairwise(rules):
        for n in range(1, trials + 1):
            a, b = np.indices(loose.ways[n].shape)
            stops = np.abs(a - b) >= strict.least[n, a + b]
            assert not np.any(stops & (np.abs(a - b) < loose.least[n, a + b]) & (loose.ways[n] > 0))
        assert max(chances(loose, p, p)[-1].sum() for p in np.linspace(0.02, 0.98, 17)) <= 0.05 / r


def test_series_of_unequal_length_wait_for_each_other() -> None:
    made = rule(11, 0.95)
    assert judge(made, np.ones(4), np.zeros(3)).when == 3
    assert np.isnan(judge(made, np.ones(3), np.zeros(0)).decision)
    assert judge(made, np.ones(11), np.ones(11)).decision == 0
    with pytest.raises(AdjudgeError, match="horizon of 501"):
        rule(501, 0.95)


@pytest.mark.parametrize(("a", "n", "b", "m"), [(7, 15, 12, 15), (8, 15, 3, 14), (2, 11, 9, 13), (0, 7, 5, 7)])
def test_barnard_is_scipys(a: int, n: int, b: int, m: int) -> None:
    """Golden: scipy.stats.barnard_exact (pooled, 256 points); (7, 8; 12, 3) is the table of its documentation."""
    wanted = stats.barnard_exact([[a, b], [n - a, m - b]], n=256).pvalue
    assert barnard.pvalue(a, n, b, m) == pytest.approx(wanted, abs=2e-3)


def test_barnard_holds_its_level_and_knows_its_limits() -> None:
    n, m = 13, 11
    small = np.array([[barnard.pvalue(a, n, b, m) <= 0.05 for b in range(m + 1)] for a in range(n + 1)])
    for p in np.linspace(0.01, 0.99, 41):
        chance = stats.binom.pmf(np.arange(n + 1), n, p) @ small @ stats.binom.pmf(np.arange(m + 1), m, p)
        assert chance <= 0.05 + 1e-6
    assert np.isnan(barnard.pvalue(0, 0, 1, 3))
    assert barnard.pvalue(4, 4, 7, 7) == 1.0


def test_fifty_trials_seldom_see_ten_points() -> None:
    made = rule(50, 0.95)
    assert chances(made, 0.5, 0.4)[-1, 0] < 0.2
    assert chances(made, 0.9, 0.5)[-1, 0] > 0.98


def test_a_plan_has_the_power_it_names() -> None:
    for left, right in ((0.9, 0.5), (0.2, 0.6)):
        plan = trials_for(left, right, power=0.8)
        reached = chances(rule(plan.trials, 0.95), left, right)
        assert reached[-1].max() == pytest.approx(plan.power)
        assert 0.8 <= plan.power < 0.9
        assert plan.expected < plan.trials
    assert trials_for(0.5, 0.5) is None
    assert not trials_for(0.5, 0.49).exact
    assert trials_for(0.9, 0.5, comparisons=3).trials > trials_for(0.9, 0.5).trials
