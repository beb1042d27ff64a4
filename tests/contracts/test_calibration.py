"""The laws that every method of `calibration/` obeys; a new method is found through the catalogue."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adjudge import catalogue
from adjudge.errors import AdjudgeError
from adjudge.tables.ratings import Forecast, Ratings
from contracts import worlds

ARGUMENTS: dict[str, dict[str, Any]] = {"calibration.quantile_aggregation": {"folds": 2}}
"""What a method's verb cannot do without, or needs to be quick, by address."""

WEIGHTS_ASIDE = {
    "calibration.tweedie": "its bandwidth narrows with the number of rows, and repeated rows are more rows",
    "calibration.split_point": "its smoothing is chosen by out-of-fold error, which counts rows",
    "calibration.quantile_aggregation": "its conformal step counts labels, and repeated labels are more labels",
}
CODES_ASIDE = {
    "calibration.quantile_aggregation": "two folds here, to be quick: scores that tie are dealt by item code"
}
HELD_OUT_ASIDE = {
    "calibration.quantile_aggregation": "its weights are learnt on forecasts by models that saw the other folds",
    "calibration.split_point": "one smoothing for all folds, chosen on all labels",
}
JACKKNIFE_ASIDE = {"calibration.quantile_aggregation": "too slow to be refitted once for each label"}

WORLDS = {
    "continuous": worlds.small(),
    "binary": worlds.small("binary"),
    "unequal": worlds.small(unequal=3.0),
}
LITTLE = worlds.too_little(worlds.small())


def bound(aside: Mapping[str, str]) -> pytest.MarkDecorator:
    """Every method of the family, except those that are set aside for a stated reason."""
    return pytest.mark.parametrize(
        "address", [each for each in catalogue.addresses("calibration") if each not in aside]
    )


each_method = bound({})
each_world = pytest.mark.parametrize("world", WORLDS)


def forecast(address: str, ratings: Ratings) -> Forecast:
    fit = catalogue.load(address).fit
    arguments = dict(ARGUMENTS.get(address, {}))
    if "folds" in inspect.signature(fit).parameters:
        arguments.setdefault("folds", worlds.ITEMS)  # each cluster its own: the deal depends on codes where scores tie
    calibrated = fit(ratings, **arguments)(ratings).forecast
    assert calibrated is not None
    return calibrated


def spread(made: Forecast, ratings: Ratings) -> np.ndarray:
    """[k] calibration standard error of each policy's mean forecast, by labelled row."""
    mean = np.array([made.gradient[ratings.policy == p].mean(axis=0) for p in range(ratings.k)])
    return np.sqrt(((mean @ made.influence.T) ** 2).sum(axis=1))


@each_world
@each_method
def test_a_forecast_is_whole(address: str, world: str) -> None:
    ratings = WORLDS[world]
    made = forecast(address, ratings)
    assert made.calibrator.startswith(address if address != "calibration.auto" else "calibration.")
    assert made.value.shape == made.held_out.shape == (ratings.n,)
    q = made.gradient.shape[1]
    assert made.gradient.shape == (ratings.n, q)
    assert made.influence.shape == (ratings.labelled.sum(), q)
    assert np.isfinite(made.value).all()
    assert np.isfinite(made.gradient).all()
    assert np.isfinite(made.influence).all()
    np.testing.assert_array_equal(np.isfinite(made.held_out), ratings.labelled)
    assert np.all(spread(made, ratings) > 0), "a fitted curve is never known exactly"


@each_world
@each_method
def test_row_order_changes_nothing(address: str, world: str) -> None:
    ratings = WORLDS[world]
    order = np.random.default_rng(3).permutation(ratings.n)
    one, other = forecast(address, ratings), forecast(address, worlds.take(ratings, order))
    np.testing.assert_allclose(other.value, one.value[order], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other.held_out, one.held_out[order], rtol=1e-6, atol=1e-8)


@each_world
@bound(CODES_ASIDE)
def test_names_of_policies_items_and_clusters_change_nothing(address: str, world: str) -> None:
    ratings = WORLDS[world]
    one, other = forecast(address, ratings), forecast(address, worlds.renamed(ratings, np.array([2, 0, 1])))
    np.testing.assert_allclose(other.value, one.value, rtol=1e-6, atol=1e-8)


@each_world
@bound(WEIGHTS_ASIDE)
def test_weight_k_is_k_repetitions(address: str, world: str) -> None:
    ratings = WORLDS[world]
    times = np.random.default_rng(7).integers(1, 4, ratings.n)
    rows = np.repeat(np.arange(ratings.n), times)
    one = forecast(address, replace(ratings, weight=times.astype(float)))
    other = forecast(address, worlds.take(ratings, rows))
    np.testing.assert_allclose(other.value, one.value[rows], rtol=1e-5, atol=1e-7)


@each_world
@each_method
def test_the_same_seed_gives_the_same_answer_and_inputs_stay_untouched(address: str, world: str) -> None:
    ratings = worlds.frozen(copy.deepcopy(WORLDS[world]))
    state = worlds.global_generator()
    one, other = forecast(address, ratings), forecast(address, ratings)
    for name in ("value", "held_out", "gradient", "influence"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert worlds.global_generator() == state


@each_world
@bound(HELD_OUT_ASIDE)
def test_a_held_out_forecast_never_saw_its_own_cluster(address: str, world: str) -> None:
    """Other labels in one cluster move the held-out forecasts of other clusters and leave its own alone."""
    ratings = WORLDS[world]
    labels = np.flatnonzero(ratings.labelled)
    mine = labels[ratings.cluster[labels] == ratings.cluster[labels[0]]]
    gold = ratings.gold.copy()
    gold[mine] = 1 - gold[mine]
    one, other = forecast(address, ratings), forecast(address, replace(ratings, gold=gold))
    if one.calibrator == other.calibrator:  # an automatic choice may take another curve for other labels
        np.testing.assert_allclose(other.held_out[mine], one.held_out[mine], rtol=1e-6, atol=1e-8)
    others = np.setdiff1d(labels, mine)
    assert np.abs(other.held_out[others] - one.held_out[others]).max() > 0


@each_method
@pytest.mark.parametrize("little", LITTLE)
def test_too_little_data_is_an_error_or_a_finite_forecast(address: str, little: str) -> None:
    ratings = LITTLE[little]
    try:
        made = forecast(address, ratings)
    except AdjudgeError:
        return
    assert np.isfinite(made.value).all()
    assert made.influence.shape[0] == ratings.labelled.sum()


@each_method
def test_rows_without_a_score_are_forecast_all_the_same(address: str) -> None:
    ratings = WORLDS["continuous"]
    score = ratings.score.copy()
    score[::7] = np.nan
    made = forecast(address, replace(ratings, score=score))
    assert np.isfinite(made.value).all()


@each_method
def test_no_label_is_an_error_with_a_remedy(address: str) -> None:
    with pytest.raises(AdjudgeError) as caught:
        forecast(address, LITTLE["no label"])
    assert caught.value.do


@bound(JACKKNIFE_ASIDE)
@pytest.mark.parametrize("world", ["continuous", "binary"])
def test_the_calibration_error_is_that_of_the_jackknife(address: str, world: str) -> None:
    """The analytic standard error of a policy's mean forecast is within a factor of three of deleting each label."""
    ratings = worlds.small("continuous" if world == "continuous" else "binary", seed=29)
    labels = np.flatnonzero(ratings.labelled)
    policy_mean = np.eye(ratings.k)[:, ratings.policy] / np.bincount(ratings.policy)[:, None]
    left_out = []
    for row in labels:
        gold = ratings.gold.copy()
        gold[row] = np.nan
        left_out.append(policy_mean @ forecast(address, replace(ratings, gold=gold)).value)
    jackknife = np.std(left_out, axis=0) * np.sqrt(labels.size - 1)
    ratio = spread(forecast(address, ratings), ratings) / jackknife
    assert np.all((ratio > 1 / 3) & (ratio < 3)), ratio
