"""Intervals in a known range: closed forms, limits, laws, and exact coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from adjudge.core.estimate import Estimate, Part
from adjudge.core.interval import Reserve, interval, pvalue, t_quantile


def labels(yes: np.ndarray, n: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray, Reserve]:
    """Value, variance, df and reserve of a binary proportion from labels alone."""
    n = np.broadcast_to(np.asarray(n, dtype=float), np.shape(yes))
    mean = np.asarray(yes) / n
    variance = mean * (1 - mean) / (n - 1)
    return mean, variance, n - 1, Reserve(n, mean, np.diag(variance))


def clopper_pearson(yes: np.ndarray, n: float, level: float) -> np.ndarray:
    """From the binomial tails, by SciPy's own test: a derivation that shares nothing with the code under test."""
    found = [stats.binomtest(int(x), int(n)).proportion_ci(level, method="exact") for x in yes]
    return np.array([[each.low, each.high] for each in found])


def unit(value, variance, df, reserve=None, level=0.95, bounds=(0.0, 1.0)):
    one = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (value, variance, df))
    return interval(*one, level=level, bounds=bounds, reserve=reserve)


@pytest.mark.parametrize("n", [2, 11, 53])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_labels_alone_stay_inside_clopper_pearson(n, level):
    yes = np.arange(n + 1)
    value, variance, df, reserve = labels(yes, n)
    ours = interval(value, variance, df, level=level, bounds=(0, 1), reserve=reserve)
    exact = clopper_pearson(yes, n, level)
    assert np.all(np.diff(ours) <= np.diff(exact) + 1e-9)
    assert np.all(ours[[0, -1]] == pytest.approx(exact[[0, -1]], abs=1e-9))  # none or all yes: exactly


@pytest.mark.parametrize(("n", "least", "mean"), [(11, 0.91, 0.95), (53, 0.93, 0.95), (211, 0.93, 0.95)])
def test_exact_coverage_of_a_binary_proportion(n, least, mean):
    """Summed over the binomial distribution, not simulated; Jeffreys' interval dips to 0.88 here."""
    yes = np.arange(n + 1)
    value, variance, df, reserve = labels(yes, n)
    low, high = interval(value, variance, df, level=0.95, bounds=(0, 1), reserve=reserve).T
    truth = np.linspace(0.005, 0.995, 397)[:, None]
    coverage = (stats.binom.pmf(yes, n, truth) * ((low <= truth) & (truth <= high))).sum(axis=1)
    assert coverage.min() >= least
    assert coverage.mean() >= mean


def test_none_yes_has_the_closed_form_upper_end():
    value, variance, df, reserve = labels(np.zeros(1), 10)
    assert unit(value, variance, df, reserve)[0] == pytest.approx([0, 1 - 0.025 ** (1 / 10)], abs=1e-10)


def test_many_labels_are_the_normal_interval():
    n, variance = 1e6, 0.09 / 1e6
    reserve = Reserve(np.array([n]), np.array([0.3]), np.array([[0.21 / n]]))
    half = special.ndtri(0.975) * np.sqrt(variance)
    assert unit(0.3, variance, n - 1, reserve)[0] == pytest.approx([0.3 - half, 0.3 + half], abs=0.01 * half)


def test_no_finite_range_is_the_plain_t_interval():
    half = 2.2281388519649385 * 0.5  # t(0.975; 10)
    for bounds in ((-np.inf, np.inf), (0.0, np.inf)):
        expected = np.clip([0.7 - half, 0.7 + half], *bounds)
        assert unit(0.7, 0.25, 10, bounds=bounds)[0] == pytest.approx(expected, abs=1e-9)


def test_a_method_noisier_than_its_labels_has_a_wider_interval_around_its_own_value():
    """At the labels' own variance their width, and from there as much wider as the method is noisier."""
    _, _, _, reserve = labels(np.array([4.0]), 11)
    exact = np.diff(clopper_pearson(np.array([4]), 11, 0.95))[0, 0]
    steady = (5 / 13) * (8 / 13) / 11
    for noise in (1.0, 1.21, 2.25):
        low, high = unit(0.6, noise * steady, 10, reserve)[0]
        assert low < 0.6 < high
        assert 0.85 * exact < high - low <= exact * np.sqrt(noise) + 1e-9
    reserve = Reserve(np.array([5.0]), np.array([2.0]), np.array([[0.04]]))
    expected = 2.1 + np.array([-1, 1]) * 3 * 2.7764451051977987  # t(0.975; 4)
    assert unit(2.1, 9.0, 4, reserve, bounds=(-np.inf, np.inf))[0] == pytest.approx(expected)


def test_a_noisy_method_is_surprised_on_both_sides_of_its_value():
    """An interval whose end stood on its value would call every null beyond that end impossible, or certain."""
    _, _, _, reserve = labels(np.array([4.0]), 11)
    nulls = np.array([0.3, 0.5, 0.7, 0.9, 0.93, 0.96, 0.99])
    p = [pvalue(lambda level: unit(0.9, 0.04, 10, reserve, level), np.array([0.9]), np.array([x]))[0] for x in nulls]
    assert p[3] == 1
    assert np.all(np.diff(p[:4]) > 0)
    assert np.all(np.diff(p[3:]) <= 0)
    assert 0 < p[-1] < 1


def test_labels_that_all_agree_do_not_make_certainty():
    for mean in (0.0, 0.4, 1.0):
        reserve = Reserve(np.array([7.0]), np.array([mean]), np.zeros((1, 1)))
        low, high = unit(mean, 0.0, 6, reserve)[0]
        assert high - low > 0.05


def test_one_label_counts_as_binary_and_none_leaves_the_bounds():
    one = Reserve(np.array([1.0]), np.array([1.0]), np.full((1, 1), np.nan))
    exact = clopper_pearson(np.array([1]), 1, 0.95)[0]
    assert unit(1.0, 0.22, 0, one)[0] == pytest.approx(exact, abs=1e-9)
    low, high = unit(0.7, 0.01, 30, one)[0]
    assert 0 < low < 0.2
    assert 0.95 < high < 1
    none = Reserve(np.array([0.0]), np.array([np.nan]), np.full((1, 1), np.nan))
    np.testing.assert_array_equal(unit(0.7, 0.01, 30, none), unit(0.7, 0.01, 30))
    for value in (0.0, 1.0):
        low, high = unit(value, 1e-4, 30)[0]
        assert 0.02 < high - low < 0.06  # two to six standard errors, on the side where there is room


def test_a_judge_that_has_not_failed_yet_is_not_trusted_fully():
    """Ten labels on which the judge was right: 0 failures of 10 leave up to 0.31, whatever the residuals say."""
    _, _, _, reserve = labels(np.array([6.0]), 10)
    for df in (9.0, 993.0):  # Satterthwaite's degrees of freedom see only the unlabelled rows when residuals are 0
        low, high = unit(0.675, 0.015**2, df, reserve)[0]
        assert low < 0.5 < 0.8 < high


def test_a_value_that_borrows_does_not_pay_for_its_own_labels():
    one = Reserve(np.array([2.0]), np.array([0.5]), np.array([[0.25]]), share=0.0)
    np.testing.assert_allclose(unit(0.6, 0.02**2, 200, one), unit(0.6, 0.02**2, 200), atol=1e-3)
    assert np.diff(unit(0.6, 0.02**2, 200, Reserve(one.n, one.mean, one.covariance))) > 0.5


def test_nothing_known_is_nan():
    assert np.isnan(unit(0.5, np.nan, 10)).all()
    assert np.isnan(unit(np.nan, 0.1, 10)).all()


ends = st.floats(0.0, 1.0)
cases = st.fixed_dictionaries(
    {
        "n": st.integers(2, 71),
        "yes": ends,
        "spread": st.floats(0.01, 1.2),
        "value": ends,
        "gain": st.floats(0.0, 1.5),
        "df": st.floats(1.0, 211.0),
    }
)


def from_case(case):
    n = float(case["n"])
    mean = round(case["yes"] * n) / n
    variance = case["spread"] * mean * (1 - mean) / (n - 1)
    reserve = Reserve(np.array([n]), np.array([mean]), np.array([[variance]]))
    return case["value"], case["gain"] * max(variance, 1e-5), case["df"], reserve


@settings(max_examples=150, deadline=None)
@given(cases)
def test_the_interval_contains_the_value_stays_inside_and_grows_with_the_level(case):
    value, variance, df, reserve = from_case(case)
    previous = np.array([value, value])
    for level in (1e-6, 0.3, 0.9, 0.95, 0.99, 1 - 1e-7):
        low, high = unit(value, variance, df, reserve, level)[0]
        assert 0 <= low <= previous[0] + 1e-9
        assert previous[1] - 1e-9 <= high <= 1
        previous = np.array([low, high])


@settings(max_examples=150, deadline=None)
@given(cases)
def test_no_wider_than_the_labels_alone_by_more_than_the_method_is_noisier(case):
    value, variance, df, reserve = from_case(case)
    n, mean, steady = reserve.n[0], reserve.mean[0], reserve.steadied((0.0, 1.0))[0, 0]
    tilde = (n * mean + 1) / (n + 2)
    size = tilde * (1 - tilde) / steady  # n/φ labels, fewer as their variance is known by n − 1 degrees of freedom
    size *= min(1, t_quantile(size - 1, 0.95) / t_quantile(n - 1, 0.95)) ** 2
    low = stats.beta.ppf(0.025, size * mean, size * (1 - mean) + 1) if mean > 0 else 0.0
    high = stats.beta.ppf(0.975, size * mean + 1, size * (1 - mean)) if mean < 1 else 1.0
    noisier = max(1, np.sqrt(variance / max(steady, reserve.covariance[0, 0])))
    assert np.diff(unit(value, variance, df, reserve)) <= (high - low) * noisier + 1e-6


@settings(max_examples=100, deadline=None)
@given(cases)
def test_the_other_way_round_and_another_unit_change_nothing(case):
    value, variance, df, reserve = from_case(case)
    low, high = unit(value, variance, df, reserve)[0]
    mirrored = Reserve(reserve.n, 1 - reserve.mean, reserve.covariance)
    assert unit(1 - value, variance, df, mirrored)[0] == pytest.approx([1 - high, 1 - low], abs=1e-8)
    wider = Reserve(reserve.n, reserve.mean * 7 - 3, reserve.covariance * 49)
    there = unit(value * 7 - 3, variance * 49, df, wider, bounds=(-3.0, 4.0))[0]
    assert there == pytest.approx([low * 7 - 3, high * 7 - 3], abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(cases, st.floats(0.02, 0.98))
def test_interval_and_pvalue_agree(case, null):
    value, variance, df, reserve = from_case(case)
    p = pvalue(lambda level: unit(value, variance, df, reserve, level), np.array([value]), np.array([null]))[0]
    if p > 1e-8:
        low, high = unit(value, variance, df, reserve, min(1 - p * (1 - 1e-4), 1 - 1e-10))[0]
        assert low - 1e-9 <= null <= high + 1e-9
    if p < 1 - 1e-6:
        low, high = unit(value, variance, df, reserve, 1 - max(p, 1e-9) * (1 + 1e-4))[0]
        assert null <= low + 1e-9 or null >= high - 1e-9


def test_pvalue_of_a_plain_t_test():
    """t = 2.5 with 11 df: two-sided p = 2·P(T > 2.5)."""
    estimate = Estimate(("a",), np.array([2.5]), (Part("sampling", np.eye(1), 12),), np.array([11.0]))
    assert estimate.pvalue()[0] == pytest.approx(2 * stats.t.sf(2.5, 11), rel=1e-6)
    assert estimate.pvalue(2.5)[0] == 1
    nothing = Estimate(("a",), np.array([np.nan]), (Part("sampling", np.full((1, 1), np.nan), 1),), np.array([1.0]))
    assert np.isnan(nothing.pvalue()).all()


def test_contrasts_carry_the_steadied_labels():
    mean = np.array([0.2, 0.6, 0.9])
    n = np.array([11.0, 13.0, 17.0])
    raw = np.diag(mean * (1 - mean) / (n - 1))
    raw[0, 1] = raw[1, 0] = 0.004
    reserve = Reserve(n, mean, raw)
    W = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    covariance = raw / 3
    carried = reserve.contrast(W, (0.0, 1.0), covariance)
    np.testing.assert_allclose(carried.n, [11, 13])
    np.testing.assert_allclose(carried.mean, [-0.4, -0.3])
    np.testing.assert_allclose(carried.covariance, W @ raw @ W.T)
    np.testing.assert_allclose(carried.steadied((-1.0, 1.0)), W @ reserve.steadied((0.0, 1.0)) @ W.T)
    lean = np.sqrt(4 / (n + 4))
    added = np.outer(lean, lean) * (reserve.steadied((0.0, 1.0)) - covariance)
    np.testing.assert_allclose(carried.added, W @ added @ W.T)
    tilde = (n * mean + 1) / (n + 2)  # binary gold: u = p̃(1 − p̃)/n
    np.testing.assert_allclose(np.diagonal(reserve.steadied((0.0, 1.0))), tilde * (1 - tilde) / n)


def test_a_missing_name_spoils_only_the_contrasts_that_use_it():
    covariance = np.diag([0.01, np.nan, 0.02])
    estimate = Estimate(
        ("a", "b", "c"),
        np.array([0.3, np.nan, 0.8]),
        (Part("sampling", covariance, 31),),
        np.array([30.0, np.nan, 20.0]),
        bounds=(0.0, 1.0),
        reserve=Reserve(np.array([31.0, 0, 21]), np.array([0.3, np.nan, 0.8]), covariance * 2),
    )
    pairs = estimate.differences()
    np.testing.assert_array_equal(np.isnan(pairs.value), [True, False, True])
    np.testing.assert_array_equal(np.isnan(pairs.interval()).any(axis=1), [True, False, True])
    assert pairs.bounds == (-1.0, 1.0)
    assert pairs.interval()[1, 1] < 0


@pytest.mark.parametrize(
    ("name", "n"), [("graded", 11), ("judge", 11), ("judge", 23), ("rare", 23), ("continuous", 11)]
)
def test_coverage_with_a_judge(name, n):
    """Power-tuned prediction-powered means on 997 rows; the count of misses is held against the binomial."""
    trials, rows = 1499, 997
    gold, score, truth = world(name, trials, rows, np.random.default_rng([5, n]))
    y, f = gold[:, :n], score[:, :n]
    slope = ((y - y.mean(1, keepdims=True)) * (f - f.mean(1, keepdims=True))).sum(1) / (n - 1)
    lam = slope / np.maximum(score.var(1, ddof=1), 1e-12) / (1 + n / rows)
    value = y.mean(1) + lam * (score.mean(1) - f.mean(1))
    variance = (y - lam[:, None] * f).var(1, ddof=1) / n + lam**2 * score.var(1, ddof=1) / rows
    reserve = Reserve(np.full(trials, float(n)), y.mean(1), np.diag(y.var(1, ddof=1) / n))
    low, high = interval(value, variance, np.full(trials, n - 1.0), level=0.95, bounds=(0, 1), reserve=reserve).T
    covered = np.sum((low <= truth) & (truth <= high))
    assert covered >= stats.binom.ppf(0.001, trials, 0.94)


def world(name, trials, rows, rng):
    shape = (trials, rows)
    if name == "continuous":
        gold = rng.beta(2, 3, shape)
        return gold, np.clip(gold + rng.normal(0, 0.12, shape), 0, 1), 0.4
    if name == "graded":
        chance = rng.beta(1.5, 1.5, shape)
        return (rng.random(shape) < chance) * 1.0, np.clip(chance + rng.normal(0, 0.1, shape), 0, 1), 0.5
    if name == "judge":
        gold = (rng.random(shape) < 0.5) * 1.0
        return gold, np.where(gold == 1, rng.random(shape) < 0.95, rng.random(shape) < 0.4) * 1.0, 0.5
    gold = (rng.random(shape) < 0.05) * 1.0
    return gold, special.expit(-2 + 2 * gold + rng.normal(0, 1, shape)), 0.05


def test_t_quantile_of_few_and_of_endless_degrees_of_freedom():
    found = t_quantile(np.array([0.5, 1.0, 10.0, np.inf]), 0.95)
    np.testing.assert_allclose(found, [12.7062, 12.7062, 2.2281, 1.9600], atol=1e-4)


def test_paired_labels_whose_variances_are_steadied_keep_their_correlation():
    """Six prompts labelled for both: the steady variance of the difference is no smaller than its parts allow."""
    rng = np.random.default_rng(31)
    for _ in range(53):
        shared = rng.normal(0.5, 0.2, 6)
        gold = np.clip(shared + rng.normal(0, 0.05, (2, 6)), 0, 1)
        reserve = Reserve(np.full(2, 6.0), gold.mean(axis=1), np.cov(gold) / 6)
        steady = reserve.steadied((0.0, 1.0))
        raw = np.sqrt(np.diagonal(reserve.covariance))
        assert np.all(np.linalg.eigvalsh(steady) > 0)
        correlation = reserve.covariance / np.outer(raw, raw)
        size = np.sqrt(np.diagonal(steady))
        assert np.all(np.abs(steady / np.outer(size, size)) <= np.abs(correlation) + 1e-9)
    W = np.array([[1.0, -1.0]])
    agreed = Reserve(np.full(2, 6.0), np.full(2, 0.5), np.full((2, 2), 0.1))  # a copy of a policy
    assert agreed.contrast(W, (0.0, 1.0), agreed.covariance).steady[0, 0] == pytest.approx(0, abs=1e-12)


def test_coverage_of_paired_differences_with_few_labels():
    """Labels-only differences of six prompts labelled for both policies; counted against the binomial."""
    trials, rng = 1499, np.random.default_rng(37)
    taste = rng.normal(0, 0.9, (trials, 6, 1)) + rng.normal(0, 0.4, (trials, 6, 2))
    missed = 0
    for gold in special.ndtr(0.35 + taste):
        spread = np.cov(gold.T) / 6
        estimate = Estimate(
            ("a", "b"),
            gold.mean(axis=0),
            (Part("sampling", spread, 6),),
            np.full(2, 5.0),
            bounds=(0.0, 1.0),
            reserve=Reserve(np.full(2, 6.0), gold.mean(axis=0), spread),
        )
        low, high = estimate.difference("a", "b").interval()[0]
        missed += not low <= 0 <= high
    assert missed <= stats.binom.ppf(0.999, trials, 0.06)


def test_a_difference_on_one_degree_of_freedom_has_a_pvalue():
    """Next to level 1 Student's t is in the billions, and two labelled clusters count for no label at all."""
    mean, covariance = np.array([0.48, 0.5]), np.eye(2) * 1e-4
    reserve = Reserve(np.full(2, 2.0), mean, covariance)
    one = Estimate(("a", "b"), mean, (Part("sampling", covariance, 2),), np.ones(2), (0.0, 1.0), reserve)
    difference = one.difference("a", "b")
    for level in (0.95, 1 - 1e-6, 1 - 2e-10, 1 - 1.1e-10):
        low, high = difference.interval(level)[0]
        assert low < -0.5
        assert high > 0.5
    assert difference.pvalue(0.0)[0] > 0.5
