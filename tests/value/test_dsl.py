"""Design-based supervised learning: ordinary regression when all is labelled, unbiased whatever the surrogate says."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import neyman, pseudo, surrogate
from adjudge.value import dsl

ROW = np.arange(23.0)
X = np.column_stack([np.ones(23), np.sin(1.7 * ROW), ROW % 3 == 0])
Y = np.round(1 + 0.5 * X[:, 1] - 0.3 * X[:, 2] + 0.4 * np.cos(2.3 * ROW * ROW), 3)
B = (np.median(Y) < Y).astype(float)
GROUP = (ROW // 3).astype(int)


def test_all_labelled_is_ordinary_least_squares_with_hc1_errors():
    """statsmodels 0.15.0, NumPy 2.4.6: OLS(Y, X).fit().get_robustcov_results("HC1")."""
    found = pseudo.regress(pseudo.problem(Y, X, ROW, 1.0))
    np.testing.assert_allclose(found.value, [0.98447579062508, 0.484580896579789, -0.388249721115965], atol=1e-12)
    np.testing.assert_allclose(found.stderr, [0.0720789602055, 0.072902058541927, 0.118240596451811], rtol=1e-10)


def test_all_labelled_with_clusters_is_cr0_times_g_over_g_minus_d():
    """statsmodels: get_robustcov_results("cluster", groups=GROUP), whose factor is G/(G−1)·(n−1)/(n−d); G = 8."""
    found = pseudo.regress(pseudo.problem(Y, X, ROW, 1.0, cluster=GROUP))
    theirs = np.array([0.073037832561448, 0.087795230130427, 0.140257441495309])
    factor = (8 / 5) / (8 / 7 * 22 / 20)
    np.testing.assert_allclose(found.stderr**2, theirs**2 * factor, rtol=1e-10)
    np.testing.assert_allclose(found.covariance[0, 1], -0.000606856342316 * factor, rtol=1e-9)


def test_all_labelled_is_maximum_likelihood():
    """statsmodels: Logit(B, X).fit(tol=1e-14)."""
    found = pseudo.regress(pseudo.problem(B, X, ROW, 1.0), model="logistic")
    np.testing.assert_allclose(found.value, [0.409002197185348, 2.337800116768773, -1.616174902186496], atol=1e-9)


def test_fixed_effects_are_those_of_indicators():
    """statsmodels: OLS(Y, [x, z, indicators of GROUP]).fit() with HC0 errors; here HC0 · n/(n − 2)."""
    found = pseudo.regress(pseudo.problem(Y, X[:, 1:], ROW, 1.0), within=GROUP)
    np.testing.assert_allclose(found.value, [0.477369275751893, -0.387689224875409], atol=1e-12)
    hc0 = np.array([0.066636094345659, 0.099246604519178])
    np.testing.assert_allclose(found.stderr, hc0 * np.sqrt(23 / 21), rtol=1e-9)


def test_the_pseudo_outcome_by_hand():
    """Four rows, the surrogate as it stands: ỹ = (1 + (2 − 1)/½, 2, 3 + (1 − 3)/½, 2) = (3, 2, −1, 2), mean 1.5."""
    data = pseudo.problem([2.0, np.nan, 1.0, np.nan], np.ones((4, 1)), [1.0, 2.0, 3.0, 2.0], 0.5)
    found = pseudo.regress(data, learner="none")
    assert found.value[0] == pytest.approx(1.5)
    assert found.stderr[0] == pytest.approx(np.sqrt(np.var([3, 2, -1, 2], ddof=1) / 4))


def world(rng, n=2003, rate=0.2):
    """A binary concept that surrogates miss where x is high, and an outcome that depends on both."""
    x = rng.standard_normal(n)
    concept = (rng.random(n) < 1 / (1 + np.exp(-0.5 * x))).astype(float)
    wrong = rng.random(n) < np.where(x > 0, 0.3, 0.05)
    hint = np.where(wrong, 1 - concept, concept)
    chance = np.clip(rate * (0.5 + (x > 0)), 0, 1)
    return x, concept, hint, chance, rng.random(n) < chance


@pytest.mark.parametrize("role", ["outcome", "covariate"])
def test_intervals_cover_where_naive_ones_do_not(role):
    rng = np.random.default_rng(7)
    trials, hits, naive = 120, 0, 0
    for _ in range(trials):
        x, concept, hint, chance, known = world(rng)
        gold = np.where(known, concept, np.nan)
        one = np.ones(x.size)
        if role == "outcome":  # slope of the linear projection of the concept on x > 0
            truth = 0.5 * 2 * 0.1909  # E[σ(x/2) | x > 0] − E[σ(x/2) | x < 0]
            data = pseudo.problem(gold, np.column_stack([one, x > 0]), hint, chance)
            plain = np.cov(x > 0, hint)[0, 1] / np.var(x > 0, ddof=1)
        else:
            truth = 0.8
            y = 0.3 + 0.8 * concept - 0.5 * x + rng.standard_normal(x.size)
            data = pseudo.problem(y, np.column_stack([one, gold, x]), hint, chance)
            plain = np.linalg.lstsq(np.column_stack([one, hint, x]), y, rcond=None)[0][1]
        low, high = pseudo.regress(data, splits=2).interval()[1]
        hits += low <= truth <= high
        naive += abs(plain - truth) < 0.044  # 1.96 naive standard errors of the slope on x > 0, or less
    assert hits / trials > 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / trials)
    assert naive / trials < 0.5


def test_the_truth_of_the_outcome_world_is_as_written():
    x = np.abs(np.random.default_rng(1).standard_normal(400_009))
    assert np.mean(2 / (1 + np.exp(-0.5 * x)) - 1) == pytest.approx(0.1909, abs=1e-3)


def test_a_good_surrogate_narrows_and_a_useless_one_costs_little():
    rng = np.random.default_rng(11)
    x, concept, hint, _, _ = world(rng, n=5003)
    known = rng.random(x.size) < 0.1
    gold, one = np.where(known, concept, np.nan), np.ones((x.size, 1))
    alone = np.std(concept[known], ddof=1) / np.sqrt(known.sum())
    good = pseudo.regress(pseudo.problem(gold, one, np.column_stack([hint, x]), 0.1)).stderr[0]
    useless = pseudo.regress(pseudo.problem(gold, one, rng.standard_normal(x.size), 0.1)).stderr[0]
    assert good < 0.85 * alone
    assert useless < 1.1 * alone


def test_more_splits_carry_their_spread_and_medians_resist():
    rng = np.random.default_rng(13)
    x, concept, hint, chance, known = world(rng, n=509)
    data = pseudo.problem(np.where(known, concept, np.nan), np.column_stack([np.ones(509), x]), hint, chance)
    mean, median = (pseudo.regress(data, combine=how, splits=7) for how in ("mean", "median"))
    assert [part.name for part in mean.parts] == ["sampling", "splits"]
    assert (np.diagonal(mean.parts[1].covariance) > 0).all()
    assert np.abs(mean.value - median.value).max() < mean.stderr.min()
    again = pseudo.regress(data, combine="mean", splits=7)
    np.testing.assert_array_equal(mean.value, again.value)


def test_predictions_never_see_their_own_cluster():
    rng = np.random.default_rng(17)
    cluster = np.repeat(np.arange(41), 3)
    target, known = rng.standard_normal(123), np.ones(123, dtype=bool)
    Z = surrogate.basis(rng.standard_normal((123, 2)), np.ones(123))
    fold = surrogate.deal(cluster, known, np.arange(41), 5, np.random.default_rng(0))
    first = surrogate.predict(Z, target, known, fold, np.ones(123), learner="spline")
    moved = target + 100.0 * (cluster == 7)
    second = surrogate.predict(Z, moved, known, fold, np.ones(123), learner="spline")
    np.testing.assert_allclose(first[cluster == 7], second[cluster == 7], atol=1e-9)
    assert not np.allclose(first, second)


def test_means_of_policies_agree_with_the_truth_and_name_what_is_missing():
    drawn = Judging(truth=(0.7, 0.5, 0.4), items=1009, labels=401, unequal=3.0, labelled=(0, 1)).draw(3)
    found = dsl.estimate(replace(drawn.ratings, propensity=np.maximum(drawn.ratings.propensity, 1e-9)))
    assert (np.abs(found.value - drawn.truth)[:2] < 3.5 * found.stderr[:2]).all()
    assert np.isnan(found.value[2])
    assert {"labels-missing"} <= {finding.code for finding in found.findings}


def test_ratings_entry_for_regressions():
    ratings = Judging(truth=(0.7, 0.5), items=503, labels=211).draw(1).ratings
    length = np.random.default_rng(2).standard_normal(ratings.n)
    ratings = replace(ratings, covariates=length[:, None], covariate_names=("length",))
    assert dsl.estimate(ratings, model="linear").names == ("policy=p00", "policy=p01", "length")
    within = dsl.estimate(ratings, model="linear", columns=("policy",), within="item")
    assert within.names == ("policy=p01",)
    assert abs(within.value[0] + 0.2) < 4 * within.stderr[0]
    inside = dsl.estimate(ratings, model="linear", outcome="length", columns=("gold",))
    assert inside.names == ("intercept", "gold")
    assert abs(inside.value[1]) < 4 * inside.stderr[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "cubic", "columns": ("policy",)}, "model is 'cubic'"),
        ({"model": "linear", "columns": ("gold",)}, "both sides"),
        ({"model": "linear", "columns": ("mood",)}, "no covariate is named 'mood'"),
        ({"model": "logistic", "columns": ("policy",), "within": "item"}, "fixed effects with a logistic"),
        ({"model": "linear", "columns": ("policy",), "within": "moon"}, "within is 'moon'"),
        ({"learner": "oracle"}, "learner is 'oracle'"),
        ({"combine": "mode"}, "combine is 'mode'"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, message):
    ratings = Judging(truth=(0.7, 0.5), items=101, labels=53).draw(1).ratings
    with pytest.raises(AdjudgeError, match=message):
        dsl.estimate(ratings, **arguments)


def test_bad_designs_are_told():
    with pytest.raises(AdjudgeError, match="outside \\(0, 1\\]"):
        pseudo.problem(Y, X, ROW, np.where(ROW == 4, 0.0, 0.5))
    with pytest.raises(AdjudgeError, match="follows from the other columns"):
        pseudo.regress(pseudo.problem(Y, np.column_stack([X, X[:, 1]]), ROW, 1.0))
    with pytest.raises(AdjudgeError, match="separate"):
        pseudo.regress(pseudo.problem((X[:, 1] > 0).astype(float), X, ROW, 1.0), model="logistic")
    gap = np.column_stack([X[:, 0], np.where(ROW < 17, X[:, 1], np.nan)])
    with pytest.raises(AdjudgeError, match="labelled covariate"):
        pseudo.regress(pseudo.problem(Y, gap[:, 1:], ROW, 0.5), within=GROUP)
    few = pseudo.regress(pseudo.problem(np.where(ROW < 3, Y, np.nan), X, ROW, 0.5))
    assert np.isnan(few.value).all()
    assert np.isnan(few.stderr).all()
    assert few.findings[0].code == "labels-too-few"
    same = pseudo.regress(pseudo.problem(np.ones(23), X, ROW, 1.0))
    assert np.isnan(same.stderr).all()
    assert same.findings[0].code == "labels-constant"


def test_propensities_near_nought_are_told():
    rng = np.random.default_rng(19)
    chance = np.where(np.arange(997) < 5, 0.001, 0.2)
    known = (rng.random(997) < chance) | (np.arange(997) < 2)
    found = pseudo.regress(
        pseudo.problem(np.where(known, rng.random(997), np.nan), np.ones((997, 1)), rng.random(997), chance)
    )
    assert "propensity-uneven" in {finding.code for finding in found.findings}


def test_suggested_propensities_follow_the_error_of_the_judge_and_spend_the_budget():
    rng = np.random.default_rng(23)
    x, _, _, _, known = world(rng)
    y = x + rng.standard_normal(x.size) * np.where(x > 0, 2.0, 0.2)
    data = pseudo.problem(np.where(known, y, np.nan), np.ones((x.size, 1)), x, 0.2)
    chance = neyman.propensities(data, 100.0)
    assert chance.sum() == pytest.approx(100.0)
    assert chance.min() > 0
    assert chance[x > 0.5].mean() > 2 * chance[x < -0.5].mean()
    with pytest.raises(AdjudgeError, match="budget"):
        neyman.propensities(data, 1e9)
