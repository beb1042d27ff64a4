"""Routing: the greedy set is the best one where that can be enumerated, biased kinds go to people, limits hold."""

import itertools

import numpy as np
import pytest

from adjudge.data.hybrid_routing import random_routings, scores, search
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import count_regression


def test_the_rows_of_a_shifted_policy_go_to_people():
    ratings = Judging(items=211, labels=307, truth=(0.7, 0.6, 0.5), shift=(0.0, 0.9, 0.0)).draw(0).ratings
    routing = scores(ratings, budget=53)
    assert routing.routed.sum() == 53
    assert not (routing.routed & ratings.labelled).any()
    assert np.mean(ratings.policy[routing.routed] == 1) > 0.9
    assert routing.predicted > routing.random[0] + 3 * routing.random[1]
    assert routing.findings == ()


def test_a_measure_of_ones_own_is_maximised():
    ratings = Judging(items=101, labels=11, truth=(0.7, 0.6)).draw(1).ratings
    kind = np.random.default_rng(0).integers(0, 2, (ratings.n, 3)).astype(float)
    worth = kind @ [1.0, 0.0, -1.0]
    routing = scores(ratings, budget=31, measure=lambda routed: worth[routed].sum(), features=kind, form="linear")
    assert worth[routing.routed].sum() == np.sort(worth)[-31:].sum()
    np.testing.assert_allclose(routing.gain, worth, atol=0.02)
    np.testing.assert_allclose(routing.model.explained, 1.0, atol=1e-3)


@pytest.mark.parametrize("form", ["linear", "quadratic"])
def test_search_finds_the_best_set_of_a_small_world(form):
    rng = np.random.default_rng(3)
    features = rng.integers(0, 2, (11, 3)).astype(float)
    counts = rng.integers(0, 5, (101, 3)).astype(float)
    seen = counts @ [1.0, 0.5, -0.3] - (0.2 * (counts[:, 0] - 1) ** 2 if form == "quadratic" else 0.0)
    model = count_regression.fit(counts, seen, form=form)
    sets = [features[list(chosen)].sum(axis=0) for chosen in itertools.combinations(range(11), 5)]
    routed, best, _ = search(model, features, budget=5, rng=rng)
    assert routed.sum() == 5
    np.testing.assert_allclose(best, model(np.array(sets)).max(), rtol=1e-9)
    np.testing.assert_allclose(model(features[routed].sum(axis=0)[None])[0], best, rtol=1e-9)


def test_limits_of_the_budget():
    ratings = Judging(items=53, labels=59, truth=(0.7, 0.6)).draw(2).ratings
    assert scores(ratings, budget=0).routed.sum() == 0
    free = int((~ratings.labelled).sum())
    np.testing.assert_array_equal(scores(ratings, budget=free).routed, ~ratings.labelled)
    with pytest.raises(AdjudgeError, match="budget"):
        scores(ratings, budget=free + 1)


def test_noise_is_not_taken_for_a_pattern():
    ratings = Judging(items=53, labels=59, truth=(0.7, 0.6)).draw(2).ratings
    rng = np.random.default_rng(0)
    routing = scores(ratings, budget=7, measure=lambda _: float(rng.normal()), form="linear")
    assert [finding.code for finding in routing.findings] == ["routing-not-predictable"]


def test_random_routings_have_every_size():
    sizes = random_routings(13, 27, rng=np.random.default_rng(0)).sum(axis=1)
    assert sizes[0] == 0
    assert sizes[-1] == 13
    assert set(sizes) == set(range(14))


def test_too_few_labels_without_a_measure_are_an_error():
    with pytest.raises(AdjudgeError, match="20 rows"):
        scores(Judging(items=53, labels=7).draw(0).ratings, budget=3)
