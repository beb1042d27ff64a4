"""Risk profiles: hand-worked, additive, joint, and with errors by two roads."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats import tails
from adjudge.tables.ratings import Ratings
from adjudge.value import sharp

DIMENSIONS = ("bias", "ethics", "facts")


def table(harm, policy, cluster=None):
    harm = np.asarray(harm, dtype=float)
    n = harm.shape[0]
    return Ratings(
        policies=tuple(f"p{index}" for index in range(int(np.max(policy)) + 1)),
        judges=DIMENSIONS[: harm.shape[1]],
        policy=np.asarray(policy, dtype=np.int64),
        item=np.arange(n),
        cluster=np.arange(n) if cluster is None else np.asarray(cluster, dtype=np.int64),
        score=harm,
        gold=np.full(n, np.nan),
        weight=np.ones(n),
        propensity=np.full(n, np.nan),
        gold_variance=np.zeros(n),
        covariates=np.empty((n, 0)),
    )


def profile(seed=1, items=307):
    """Two policies on the same prompts: p0 is always a little bad, p1 seldom and then very."""
    rng = np.random.default_rng(seed)
    steady = rng.uniform(0.02, 0.12, (items, 3))
    wild = np.where(rng.random((items, 1)) < 0.07, rng.uniform(0.6, 0.95, (items, 3)), 0.01 * rng.random((items, 3)))
    return table(np.vstack([steady, wild]), np.repeat([0, 1], items), np.tile(np.arange(items), 2))


def test_union_and_log_risk_by_hand():
    ratings = table([[0.5, 0.2, 0.0], [0.0, 0.0, 0.0]], [0, 0])
    assert sharp.estimate(ratings, statistics=("mean",)).value[0] == pytest.approx((1 - 0.5 * 0.8) / 2)
    log = sharp.estimate(ratings, statistics=("mean",), risk="log").value[0]
    assert log == pytest.approx(-np.log(0.5 * 0.8) / 2)


def test_figures_by_hand():
    """1 … 10 at τ = 0.8: VaR is the 8th value, CVaR the mean of 9 and 10."""
    np.testing.assert_allclose(tails.figures(np.arange(1.0, 11), np.ones(10), 0.8), [5.5, np.sqrt(8.25), 8.0, 9.5])


def test_log_risk_adds_up_over_dimensions_and_is_the_union_on_another_scale():
    ratings = profile()
    whole = sharp.estimate(ratings, statistics=("mean",), risk="log").value
    logs = replace(ratings, score=np.minimum(-np.log1p(-ratings.score), 1.0))
    parts = [
        np.array([-np.log1p(-ratings.score[ratings.policy == p, d]).mean() for d in range(3)]).sum() for p in range(2)
    ]
    np.testing.assert_allclose(whole, parts, rtol=1e-12)
    assert logs.n == ratings.n


def test_names_and_choices():
    ratings = profile()
    every = sharp.estimate(ratings, statistics=("mean", "sd", "var", "cvar"))
    assert every.names[:4] == ("p0 · mean", "p0 · sd", "p0 · var", "p0 · cvar")
    assert sharp.estimate(ratings, risk="each").names[:3] == ("p0 · bias", "p0 · ethics", "p0 · facts")
    joint = sharp.estimate(ratings, risk="joint", threshold=0.5)
    assert joint.names[:4] == ("p0 · bias", "p0 · ethics", "p0 · facts", "p0 · bias & ethics")
    both = (ratings.score[ratings.policy == 1][:, :2] > 0.5).all(axis=1).mean()
    assert joint.value[joint.index("p1 · bias & ethics")] == pytest.approx(both)


def test_analytic_and_bootstrap_errors_agree():
    ratings = profile(items=1009)
    wanted = ("mean", "sd", "cvar")
    analytic = sharp.estimate(ratings, statistics=wanted, tail=0.9)
    drawn = sharp.estimate(ratings, statistics=wanted, tail=0.9, bootstrap=1000, seed=3)
    np.testing.assert_allclose(drawn.stderr, analytic.stderr, rtol=0.15)
    again = sharp.estimate(ratings, statistics=wanted, tail=0.9, bootstrap=1000, seed=3)
    np.testing.assert_array_equal(drawn.covariance, again.covariance)


def test_influence_is_the_derivative_by_weights():
    rng = np.random.default_rng(5)
    x, w, units = rng.random(101), np.ones(101), np.arange(101)
    psi, _, _ = tails.influence(x, w, units, 101, 0.9, (0.0, 1.0))
    for row in (3, int(np.argmax(x)), int(np.argmin(x))):
        h = 1e-6 * (units == row)
        slope = (tails.figures(x, w + h, 0.9) - tails.figures(x, w - h, 0.9)) / 2e-6
        np.testing.assert_allclose(psi[row, [0, 1]], slope[[0, 1]], atol=1e-7)
        assert psi[row, 3] == pytest.approx(slope[3], abs=1e-4)


def test_intervals_of_cvar_cover():
    """R uniform on [0, 1]: CVaR at 0.9 is 0.95."""
    rng = np.random.default_rng(7)
    trials, hits = 500, 0
    for _ in range(trials):
        low, high = sharp.estimate(table(rng.random((503, 1)), np.zeros(503)), tail=0.9).interval()[0]
        hits += low <= 0.95 <= high
    assert hits / trials > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)


def test_the_safest_by_mean_need_not_be_the_safest_by_tail():
    found = sharp.estimate(profile())
    mean = sharp.estimate(profile(), statistics=("mean",))
    assert mean.value[1] < mean.value[0]
    assert found.value[1] > 2 * found.value[0]
    told = {finding.code: finding for finding in found.findings}
    assert told["tail-reorders"].number > 2


def test_failures_are_told():
    ratings = profile()
    certain = replace(ratings, score=np.where(ratings.score > 0.9, 1.0, ratings.score))
    told = sharp.estimate(certain, risk="log")
    assert "log-risk-capped" in {finding.code for finding in told.findings}
    assert np.isfinite(told.value).all()
    few = table(np.random.default_rng(1).random((53, 2)), np.zeros(53))
    assert "tail-rows-too-few" in {finding.code for finding in sharp.estimate(few).findings}
    gaps = replace(ratings, score=np.where(np.arange(ratings.n)[:, None] == 3, np.nan, ratings.score))
    assert "judge-abstained" in {finding.code for finding in sharp.estimate(gaps).findings}
    flat = sharp.estimate(table(np.full((101, 2), 0.3), np.zeros(101)))
    assert flat.value[0] == pytest.approx(1 - 0.49)
    assert flat.stderr[0] > 0
    assert np.isnan(sharp.estimate(table([[0.1, 0.2]], [0])).stderr[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"statistics": ("median",)}, "statistics is"),
        ({"risk": "sum"}, "risk is 'sum'"),
        ({"tail": 1.0}, "tail is 1"),
        ({"bootstrap": 1}, "draws is 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, message):
    with pytest.raises(AdjudgeError, match=message):
        sharp.estimate(profile(items=53), **arguments)
    with pytest.raises(AdjudgeError, match="outside"):
        sharp.estimate(table([[1.5], [0.2]], [0, 0]))


def test_a_gap_at_the_threshold_is_part_of_the_error():
    """About 5 % of prompts fail badly: whether VaR lies below or in them is a toss-up, and a bootstrap knows."""
    rng = np.random.default_rng(11)
    harm = np.where(np.arange(997) < 53, 0.9, 0.01) * (0.9 + 0.1 * rng.random(997))
    ratings = table(harm[:, None], np.zeros(997))
    found, drawn = sharp.estimate(ratings), sharp.estimate(ratings, bootstrap=500)
    plain = np.sqrt(found.parts[0].covariance[0, 0])
    assert plain < 0.3 * drawn.stderr[0]
    assert 0.8 * drawn.stderr[0] < found.stderr[0] < 2 * drawn.stderr[0]
