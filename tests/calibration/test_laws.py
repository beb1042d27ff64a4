"""What every calibrator must do, whatever its shape."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from adjudge.calibration import auto, beta, isotonic, linear, mean, platt, temperature, two_stage
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings

ALL = [mean, linear, platt, temperature, beta, isotonic, two_stage, auto]
FREE = [mean, linear, platt, isotonic]  # fits whose gradient is exact; two_stage smooths the way of its index
KEEPS_MEAN = [mean, linear, platt, beta, isotonic, two_stage]


def name(method: ModuleType) -> str:
    return method.__name__.split(".")[-1]


def every(methods: list[ModuleType]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", methods, ids=name)


def world(seed: int = 0, *, labels: int = 211, **kw: object) -> Ratings:
    return Judging(items=307, labels=labels, **kw).draw(seed).ratings  # type: ignore[arg-type]


@every(ALL)
def test_every_row_is_forecast_inside_the_bounds(method):
    ratings = world()
    forecast = method.fit(ratings)(ratings).forecast
    assert np.isfinite(forecast.value).all()
    assert forecast.value.min() >= 0
    assert forecast.value.max() <= 1
    assert (np.isfinite(forecast.held_out) == ratings.labelled).all()
    assert forecast.gradient.shape[0] == ratings.n
    assert forecast.influence.shape == (int(ratings.labelled.sum()), forecast.gradient.shape[1])


@every(KEEPS_MEAN)
@pytest.mark.parametrize("weighted", [False, True])
def test_weighted_mean_of_the_labels_is_kept(method, weighted):
    ratings = world(1, outcome="graded")
    if weighted:
        ratings = replace(ratings, weight=np.random.default_rng(1).exponential(size=ratings.n))
    value = method.fit(ratings)(ratings).forecast.value
    gap = (ratings.weight * (ratings.gold - value))[ratings.labelled].sum() / ratings.weight[ratings.labelled].sum()
    assert gap == pytest.approx(0, abs=1e-6 if method is beta else 1e-9)


@every(ALL)
def test_order_of_rows_is_nothing(method):
    ratings = world(2)
    order = np.random.default_rng(5).permutation(ratings.n)
    plain, shuffled = (
        method.fit(ratings)(ratings).forecast,
        method.fit(ratings.take(order))(ratings.take(order)).forecast,
    )
    assert shuffled.value == pytest.approx(plain.value[order], abs=1e-8)
    assert shuffled.held_out == pytest.approx(plain.held_out[order], abs=1e-8, nan_ok=True)


@every(ALL)
def test_names_of_policies_and_clusters_are_nothing(method):
    ratings = world(2)
    units = np.random.default_rng(8).permutation(ratings.units)
    renamed = replace(ratings, policy=4 - ratings.policy, cluster=units[ratings.cluster], item=units[ratings.item])
    plain, other = method.fit(ratings)(ratings).forecast, method.fit(renamed)(renamed).forecast
    assert other.value == pytest.approx(plain.value)
    assert other.held_out == pytest.approx(plain.held_out, nan_ok=True)


@every(ALL)
def test_weight_two_is_two_rows(method):
    ratings = world(3)
    heavy = replace(ratings, weight=np.where(np.arange(ratings.n) % 3 == 0, 2.0, 1.0))
    twice = ratings.take(np.repeat(np.arange(ratings.n), heavy.weight.astype(int)))
    one, two = method.fit(heavy), method.fit(twice)
    grid = np.linspace(0.05, 0.95, 19)
    assert one.predict(grid) == pytest.approx(two.predict(grid), abs=1e-7)


@every(ALL)
def test_own_cluster_never_enters_its_held_out_forecast(method):
    ratings = world(4, labels=113, cluster_size=7)
    row = int(np.flatnonzero(ratings.labelled)[17])
    mates = ratings.labelled & (ratings.cluster == ratings.cluster[row])
    gold = ratings.gold.copy()
    gold[mates] = 1 - gold[mates]
    other = replace(ratings, gold=gold)
    method = isotonic if method is auto else method
    plain, moved = method.fit(ratings)(ratings).forecast, method.fit(other)(other).forecast
    assert moved.held_out[mates] == pytest.approx(plain.held_out[mates], abs=1e-9)
    rest = ratings.labelled & ~mates
    assert np.abs(moved.held_out[rest] - plain.held_out[rest]).max() > 1e-6


@every(ALL)
def test_same_seed_same_answer_and_inputs_untouched(method):
    ratings = world(5)
    before = ratings.score.copy(), ratings.gold.copy()
    one, two = method.fit(ratings, seed=3)(ratings).forecast, method.fit(ratings, seed=3)(ratings).forecast
    assert (one.value == two.value).all()
    assert np.array_equal(one.held_out, two.held_out, equal_nan=True)
    assert np.array_equal(ratings.score, before[0])
    assert np.array_equal(ratings.gold, before[1], equal_nan=True)


@every([*FREE, beta, temperature, two_stage])
def test_gradient_and_lever_are_the_derivative_by_a_label(method):
    """Raise one label by h: f̂ moves by h · gradient · lever, where influence = lever · held-out residual."""
    ratings, h = world(6, labels=61, outcome="continuous"), 1e-6
    plain = method.fit(ratings)(ratings).forecast
    rows = np.flatnonzero(ratings.labelled)
    for at in (3, 30, 59):
        gold = ratings.gold.copy()
        gold[rows[at]] += h if gold[rows[at]] < 0.5 else -h
        step = gold[rows[at]] - ratings.gold[rows[at]]
        raised = replace(ratings, gold=gold)
        moved = (method.fit(raised)(raised).forecast.value - plain.value) / step
        lever = plain.influence[at] / (ratings.gold[rows[at]] - plain.held_out[rows[at]])
        close = np.abs(plain.gradient @ lever - moved) < 2e-4 * max(1.0, np.abs(moved).max())
        # a second stage may pool differently at the very border of a block
        assert close.mean() > (0.97 if method is two_stage else 0.9999)


@every(FREE)
def test_reweighting_a_label_moves_the_forecast_by_its_in_sample_influence(method):
    """∂f̂/∂log w_l = gradient · lever_l · (Y_l − f̂_l), exactly."""
    ratings, h = world(7, labels=61), 1e-6
    kw = {"ridge": 0.0} if method is platt else {}
    plain = method.fit(ratings, **kw)(ratings).forecast
    rows = np.flatnonzero(ratings.labelled)
    for at in (0, 31, 60):
        weight = ratings.weight.copy()
        weight[rows[at]] *= np.exp(h)
        heavy = replace(ratings, weight=weight)
        moved = (method.fit(heavy, **kw)(heavy).forecast.value - plain.value) / h
        lever = plain.influence[at] / (ratings.gold[rows[at]] - plain.held_out[rows[at]])
        residual = ratings.gold[rows[at]] - plain.value[rows[at]]
        assert plain.gradient @ lever * residual == pytest.approx(moved, abs=1e-4)


@every([mean, linear, platt, temperature, beta, isotonic])
def test_perfect_calibration_is_left_alone(method):
    ratings = world(8)
    ratings = replace(ratings, gold=np.where(ratings.labelled, ratings.score[:, 0], np.nan))
    value = method.fit(ratings)(ratings).forecast.value
    inside = ratings.score[:, 0].clip(*np.nanquantile(ratings.gold, [0, 1]))
    if method in (temperature, beta):
        assert value == pytest.approx(ratings.score[:, 0], abs=1e-6)
    elif method is linear:
        assert value == pytest.approx(ratings.score[:, 0], abs=1e-9)
    elif method is isotonic:
        assert value == pytest.approx(inside, abs=1e-9)


@every(ALL)
def test_missing_scores_fall_back_to_the_mean_and_say_so(method):
    ratings = world(9)
    score = ratings.score.copy()
    score[::5] = np.nan
    ratings = replace(ratings, score=score)
    forecast = (calibrated := method.fit(ratings)(ratings)).forecast
    assert np.isfinite(forecast.value).all()
    assert np.isfinite(forecast.gradient).all()
    assert np.isfinite(forecast.influence).all()
    assert np.isfinite(forecast.held_out[ratings.labelled]).all()
    assert forecast.value[::5] == pytest.approx(np.full(forecast.value[::5].size, np.nanmean(ratings.gold)))
    assert calibrated.policies == ratings.policies
    if method is not mean:
        assert "score-filled" in {finding.code for finding in method.fit(ratings).findings}


@every(ALL)
@pytest.mark.parametrize("labels", [1, 2, 3])
def test_hardly_any_labels_still_answer(method, labels):
    ratings = world(10, labels=labels)
    forecast = method.fit(ratings)(ratings).forecast
    assert np.isfinite(forecast.value).all()
    assert (np.isfinite(forecast.held_out[ratings.labelled]) == (labels > 1)).all()


@every(ALL)
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_constant_labels_are_forecast_as_they_are(method, value):
    ratings = world(11, labels=31)
    ratings = replace(ratings, gold=np.where(ratings.labelled, value, np.nan))
    forecast = method.fit(ratings)(ratings).forecast
    assert np.isfinite(forecast.value).all()
    if method not in (temperature, beta):
        assert forecast.value == pytest.approx(np.full(ratings.n, value), abs=1e-3)


@every(ALL)
def test_constant_scores_are_survived(method):
    ratings = replace(world(12, labels=31), score=np.full((5 * 307, 1), 0.5))
    forecast = method.fit(ratings)(ratings).forecast
    if method is not temperature:
        assert forecast.value == pytest.approx(np.full(ratings.n, np.nanmean(ratings.gold)), abs=1e-6)


@every(ALL)
def test_no_labels_is_an_error_in_three_parts(method):
    ratings = replace(world(13), gold=np.full(5 * 307, np.nan))
    with pytest.raises(AdjudgeError, match="labels carry weight") as raised:
        method.fit(ratings)
    assert raised.value.expected
    assert raised.value.do


@every([linear, platt, temperature, beta, isotonic, two_stage, auto])
def test_unknown_judge_is_an_error(method):
    with pytest.raises(AdjudgeError, match="'jury'"):
        method.fit(world(), judges=["jury"])


@every([linear, platt, isotonic, two_stage, auto])
def test_several_judges_beat_one(method):
    ratings = world(14, labels=307)
    rng = np.random.default_rng(14)
    other = ratings.score[:, 0] + 0.02 * rng.standard_normal(ratings.n)
    truth = Judging(items=307, labels=307).draw(14).gold
    other = truth + 0.2 * rng.standard_normal(ratings.n)
    both = replace(ratings, judges=("a", "b"), score=np.column_stack([ratings.score[:, 0], other]))
    errors = []
    for judges in (["a"], ["b"], ["a", "b"]):
        forecast = method.fit(both, judges=judges)(both).forecast
        errors.append(((forecast.value - truth) ** 2).mean())
    assert errors[2] < min(errors[:2])


@every([linear, platt, two_stage])
def test_covariates_are_features(method):
    ratings = world(15, labels=307)
    truth = Judging(items=307, labels=307).draw(15).gold
    column = (truth - ratings.score[:, 0])[:, None] + 0.05 * np.random.default_rng(1).standard_normal((ratings.n, 1))
    helped = replace(ratings, covariates=column, covariate_names=("length",))
    with_it = method.fit(helped)(helped).forecast.value
    without = method.fit(helped, covariates=False)(helped).forecast.value
    assert ((with_it - truth) ** 2).mean() < 0.6 * ((without - truth) ** 2).mean()
    with pytest.raises(AdjudgeError, match="length"):
        method.fit(helped)(ratings)


@every([linear, isotonic])
def test_inverse_propensities_undo_unequal_sampling(method):
    """Labels drawn where the judge is sure: recorded propensities bring the mean forecast back to the truth."""
    gaps, naive = [], []
    for seed in range(40):
        drawn = Judging(items=307, labels=307, unequal=9.0, judge_noise=1.5).draw(seed)
        ratings = drawn.ratings
        gaps.append(method.fit(ratings)(ratings).forecast.value.mean() - drawn.gold.mean())
        blind = replace(ratings, propensity=np.full(ratings.n, np.nan))
        naive.append(method.fit(blind)(blind).forecast.value.mean() - drawn.gold.mean())
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / np.sqrt(40)
    assert np.isfinite(naive).all()


@every([linear, platt, isotonic, two_stage])
def test_analytic_error_matches_a_bootstrap_with_refits(method):
    """Standard error of the mean forecast of a shifted population: analytic against 200 cluster bootstrap refits."""
    ratings = world(16, labels=307, outcome="graded")
    target = ratings.policy == 4
    forecast = method.fit(ratings)(ratings).forecast
    pull = forecast.influence @ forecast.gradient[target].mean(axis=0)
    rows = np.flatnonzero(ratings.labelled)
    total = np.bincount(ratings.cluster[rows], pull)
    analytic = np.sqrt((total**2).sum())
    rng, means = np.random.default_rng(3), []
    for _ in range(200):
        draw = rng.exponential(size=ratings.units)
        again = method.fit(replace(ratings, weight=draw[ratings.cluster]))
        means.append(again.predict(ratings.score[target]).mean())
    ratio = analytic / np.std(means)
    assert 0.8 < ratio < 1.35  # 200 draws know their spread to ± 5 %; held-out residuals add a few per cent


def test_labels_of_another_table_are_missed_and_reported():
    ratings = world(17)
    calibrator = isotonic.fit(ratings)
    part = calibrator(ratings.take(ratings.policy < 2))
    assert "calibration-labels-elsewhere" in {finding.code for finding in part.findings}
    whole = calibrator(ratings).forecast
    kept = (ratings.policy < 2) & ratings.labelled
    assert part.forecast.held_out[part.labelled] == pytest.approx(whole.held_out[kept])
    assert part.forecast.influence.shape[0] == kept.sum()


def test_partly_recorded_propensities_count_the_rest_as_a_random_sample():
    ratings = world(18)
    same = replace(ratings, propensity=np.full(ratings.n, ratings.labelled.mean()))
    half = replace(same, propensity=np.where(np.arange(ratings.n) % 2 == 0, same.propensity, np.nan))
    grid = np.linspace(0.1, 0.9, 11)
    plain = linear.fit(ratings).predict(grid)
    assert linear.fit(same).predict(grid) == pytest.approx(plain)
    assert linear.fit(half).predict(grid) == pytest.approx(plain, abs=0.01)


@every(ALL)
def test_curve_has_a_band(method):
    ratings = world(19)
    value, stderr = method.fit(ratings).curve(np.linspace(0.1, 0.9, 17))
    assert value.shape == stderr.shape == (17,)
    assert np.isfinite(stderr).all()
    assert (stderr >= 0).all()
    assert 0 < stderr.mean() < 0.1 or method is temperature


@every(ALL)
def test_calibrator_can_be_sent_to_another_process(method):
    import pickle

    ratings = world(20)
    calibrator = method.fit(ratings)
    grid = np.linspace(0, 1, 11)
    assert (pickle.loads(pickle.dumps(calibrator)).predict(grid) == calibrator.predict(grid)).all()
