"""Learning curves: grids, interpolation, areas and times by hand; IQM as the limit; bands; coverage; odd logs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import iqm, learning_curves
from adjudge.tables import tracked
from ranking.run_tables import codes, table


def log(curves: np.ndarray, steps: np.ndarray | None = None) -> dict:
    """A tracked log of curves [k, T, R, S]."""
    k, t, r, s = (code.ravel() for code in np.indices(curves.shape))
    steps = np.arange(curves.shape[3]) * 10.0 if steps is None else steps
    names = np.array(["ppo", "sac", "td3"])
    return {"algo": names[k], "env_id": t, "seed": r, "global_step": steps[s], "episodic_return": curves.ravel()}


def drawn(seed: int, k: int = 2, tasks: int = 5, repeats: int = 4, points: int = 11) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rise = 1 - np.exp(-np.arange(points) / 4 * (1 + np.arange(k)[:, None, None, None] / 2))
    return rise * rng.gamma(20, 0.05, (k, tasks, repeats, 1)) + 0.02 * rng.normal(size=(k, tasks, repeats, points))


def test_final_is_the_iqm_of_the_last_step() -> None:
    curves = drawn(1)
    result = learning_curves.rank(tracked.read(log(curves)), points=11, draws=997)
    last = iqm.rank(table(curves[..., -1]), draws=997)
    np.testing.assert_allclose(result.value, last.value)
    np.testing.assert_allclose(result.stderr, last.stderr)
    np.testing.assert_allclose(result.df, last.df)
    path = result.figures["curve: sac"]
    assert path.names[0] == "0"
    assert path.names[-1] == "100"
    for at in (0, 3, 10):
        assert path.value[at] == pytest.approx(iqm.rank(table(curves[..., at]), draws=3).value[1])
    assert path.stderr[10] == pytest.approx(result.stderr[1], rel=1e-3)


def test_area_is_the_mean_height_and_can_be_the_value() -> None:
    curves = np.zeros((1, 1, 2, 3))
    curves[0, 0] = [[0.0, 1.0, 2.0], [0.0, 3.0, 2.0]]
    result = learning_curves.rank(tracked.read(log(curves)), value="area", points=3, draws=31, threshold=9.0)
    assert result.value[0] == pytest.approx((0 / 2 + 2 + 2 / 2) / 2)
    assert result.figures["final"].value[0] == 2.0


def test_runs_are_interpolated_on_the_steps_that_all_have() -> None:
    rows = {
        "algo": ["a"] * 5,
        "seed": [1, 1, 2, 2, 2],
        "step": [0.0, 20.0, 10.0, 20.0, 40.0],
        "return": [0.0, 4.0, 1.0, 3.0, 99.0],
    }
    result = learning_curves.rank(tracked.read(rows), points=3, draws=31, threshold=50.0)
    path = result.figures["curve: a"]
    assert path.names == ("10", "15", "20")
    np.testing.assert_allclose(path.value, [1.5, 2.5, 3.5])  # means of 2, 3, 4 and 1, 2, 3
    assert "runs-cut" in codes(result)


def test_time_counts_runs_that_never_arrive_with_all_the_steps() -> None:
    curves = np.zeros((1, 1, 4, 3))
    curves[0, 0] = [[0, 1, 2], [0, 0, 2], [0, 0, 0.5], [3, 0, 0]]
    result = learning_curves.rank(tracked.read(log(curves)), threshold=1.0, points=3, draws=2001)
    time, reached = result.figures["time"], result.figures["reached"]
    each = np.array([10.0, 15.0, 20.0, 0.0])
    assert time.value[0] == pytest.approx(each.mean())
    assert time.stderr[0] == pytest.approx(each.std(ddof=1) / 2, rel=0.06)
    assert reached.value[0] == pytest.approx(0.75)
    assert "threshold-not-reached" in codes(result)


def test_scale_by_task_from_the_final_returns() -> None:
    curves = drawn(3) * 10.0 ** np.arange(5)[:, None, None]
    ratings = tracked.read(log(curves))
    assert "scores-not-normalised" in codes(learning_curves.rank(ratings, draws=3))
    result = learning_curves.rank(ratings, low=0.0, high="highest", value="area", points=11, draws=3)
    best = curves[..., -1].mean(axis=2).max(axis=0)[:, None, None]
    plain = learning_curves.rank(tracked.read(log(curves / best)), value="area", points=11, draws=3)
    np.testing.assert_allclose(result.value, plain.value)


def test_runs_come_in_any_order_and_filters_apply() -> None:
    content = log(drawn(5, k=3))
    shuffle = np.random.default_rng(7).permutation(content["seed"].size)
    one = learning_curves.rank(tracked.read(content), draws=97)
    other = learning_curves.rank(tracked.read({name: each[shuffle] for name, each in content.items()}), draws=97)
    np.testing.assert_allclose(other.value, one.value)
    np.testing.assert_allclose(other.covariance, one.covariance)
    some = tracked.read(content, where="algo <> 'td3' AND seed < 3")
    assert some.policies == ("ppo", "sac")
    assert some.units == 2 * 5 * 3


def test_bands_cover_a_whole_curve_more_widely_than_its_points() -> None:
    path = learning_curves.rank(tracked.read(log(drawn(9)))).figures["curve: ppo"]
    apart, together = (np.diff(each, axis=1)[5:, 0] for each in (path.interval(), path.simultaneous()))
    assert np.all(together > apart)


def test_covers_the_iqm_of_five_seeds() -> None:
    """Skewed returns on seven tasks; the truth is the IQM of the pooled population."""
    trials, level, rng = 150, 0.95, np.random.default_rng(11)
    scale = np.linspace(0.6, 1.5, 7)[:, None]
    pool = np.sort((rng.gamma(4, 0.25, (7, 50_000)) * scale).ravel())
    goal = iqm.interquartile_mean(pool, np.ones((1, pool.size)))[0, 0]
    hits = 0
    for seed in range(trials):
        height = rng.gamma(4, 0.25, (1, 7, 5, 1)) * scale[None, :, :, None]
        result = learning_curves.rank(tracked.read(log(height * [0.0, 1.0])), points=2, draws=300, seed=seed)
        reach = -special.stdtrit(result.df[0], (1 - level) / 2) * result.stderr[0]
        hits += abs(result.value[0] - goal) <= reach
    assert abs(hits / trials - level) < 4 * np.sqrt(level * (1 - level) / trials), hits / trials


def test_odd_logs() -> None:
    single = learning_curves.rank(tracked.read(log(drawn(13, repeats=1))), draws=31)
    assert np.isnan(single.stderr).all()
    assert "spread-unknown" in codes(single)
    curves = drawn(15)
    curves[1, :3], curves[0, 3:] = np.nan, np.nan
    apart = learning_curves.rank(tracked.read(log(curves)), draws=31)
    assert np.isnan(apart.value).all()
    assert "tasks-not-shared" in codes(apart)
    ratings = tracked.read(log(drawn(17)))
    for wrong in ({"step": "hour"}, {"value": "best"}, {"low": 0.0}, {"metric": "loss"}):
        with pytest.raises(AdjudgeError):
            learning_curves.rank(ratings, **wrong)
    early = {"algo": ["a"] * 4, "seed": [1, 1, 2, 2], "step": [0, 1, 5, 6], "return": [0.0, 1.0, 0.0, 1.0]}
    with pytest.raises(AdjudgeError, match="starts at step 5"):
        learning_curves.rank(tracked.read(early))


def test_columns_are_found_or_asked_for() -> None:
    with pytest.raises(AdjudgeError, match="No column of the step"):
        tracked.read({"algo": ["a"], "return": [1.0]})
    renamed = tracked.read(
        {"who": ["a", "a"], "when": [0, 5], "what": [1.0, 2.0]}, policy="who", step="when", score="what"
    )
    assert renamed.covariate_names == ("step",)
    assert renamed.covariates[:, 0].tolist() == [0.0, 5.0]
