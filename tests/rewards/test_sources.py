"""Several sources: one alone is Bradley-Terry, the balance hurts none, and the shared taste is found among tastes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.rewards import bradley_terry, sources
from adjudge.stats import held_pairs
from adjudge.tables.preferences import Preferences, from_arrays
from rewards.pairs_worlds import pairs

SHARED = np.array([0.7, 0.7, 0.7, 0, 0, 0, 0])


def drawn(n: int, taste: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    left, right = rng.normal(size=(2, n, 7))
    return left, right, (rng.random(n) < 1 / (1 + np.exp(-(left - right) @ taste))).astype(float)


def tastes(sizes: tuple[int, ...], seed: int, *, apart: float = 1.0) -> Preferences:
    """Sources that share three features' weights and differ in the four others'."""
    rng = np.random.default_rng((seed, 94))
    own = np.pad(rng.normal(size=(len(sizes), 4)), ((0, 0), (3, 0))) * apart
    parts = [drawn(n, SHARED + taste, rng) for n, taste in zip(sizes, own, strict=True)]
    whole = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    return from_arrays(*whole, source=np.repeat(np.arange(len(sizes)), sizes))


def test_one_source_or_weights_by_rows_are_bradley_terry() -> None:
    table = tastes((211, 101), 0)
    plain = bradley_terry.fit(table)
    for same in (sources.fit(table, weights="rows"), sources.fit(replace(table, source=np.zeros(312, int)))):
        np.testing.assert_allclose(same.parameters, plain.parameters, rtol=1e-9)
        np.testing.assert_allclose(same.covariance, plain.covariance, rtol=1e-9)


def test_equal_weights_do_not_see_how_large_a_source_is() -> None:
    table = tastes((211, 101), 1)
    twice = np.concatenate([np.arange(312), np.arange(211)])
    one, other = (sources.fit(each, weights="equal", ridge=1e-7, folds=0) for each in (table, table.take(twice)))
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-4)


def test_the_balance_is_a_point_from_which_no_step_helps_all() -> None:
    table = tastes((401, 307, 211), 2)
    model = sources.fit(table, ridge=0.01, folds=0)
    share = np.array([model.figures[f"weight of s{code}"] for code in range(3)])
    slopes = []
    for code in range(3):
        part = table.take(table.source == code)
        lead = part.difference @ model.parameters
        slopes.append(part.difference.T @ (1 / (1 + np.exp(-lead)) - part.outcome) / part.n)
    assert share.sum() == pytest.approx(1)
    assert (share >= 0).all()
    whole = np.linalg.norm(share @ slopes)
    assert whole < 1e-3 * np.linalg.norm(slopes, axis=1)[share > 0].min()


def test_a_large_source_does_not_drown_the_shared_taste() -> None:
    better = []
    for seed in range(5):
        table = tastes((1500, 300, 300), seed)
        fresh = from_arrays(*drawn(5003, SHARED, np.random.default_rng((seed, 95))))
        told = [held_pairs.held(fresh, sources.fit(table, weights=how, folds=0).difference(fresh.left, fresh.right)[0])
                for how in ("adaptive", "rows")]  # fmt: skip
        better.append([told[0].ece < told[1].ece, told[0].accuracy > told[1].accuracy])
    assert np.sum(better) >= 8  # a chance start may spoil one world of five


def test_accuracy_and_calibration_are_told_by_source() -> None:
    model = sources.fit(tastes((311, 307), 3))
    assert list(model.report) == ["all", "s0", "s1"]
    assert model.report["s0"].n == 311


def test_a_source_that_decides_alone_is_told_and_other_weights_refused() -> None:
    one, other = pairs(307, 0), pairs(307, 1)
    # A source that says nothing (every label a tie) is at its optimum at once: nothing helps both.
    table = from_arrays(
        np.concatenate([one.left, other.left]), np.concatenate([one.right, other.right]),
        np.concatenate([one.outcome, np.full(307, 0.5)]), source=np.repeat([0, 1], 307),
    )  # fmt: skip
    model = sources.fit(table, folds=0)
    assert "rewards-one-source-decides" in [finding.code for finding in model.findings]
    assert model.figures["weight of s1"] == pytest.approx(1.0)
    with pytest.raises(AdjudgeError, match="weights"):
        sources.fit(table, weights="best")


def spread(table: Preferences, weights: str) -> np.ndarray:
    """Variances by leaving out each cluster in turn."""
    found = [sources.fit(table.take(table.cluster != code), weights=weights, ridge=0.1, folds=0).parameters
             for code in range(table.units)]  # fmt: skip
    return np.var(found, axis=0) * (table.units - 1)


def test_the_error_counts_that_of_adaptive_weights() -> None:
    table = tastes((201, 149), 4, apart=1.5)
    table = replace(table, cluster=np.arange(350) // 7)
    model = sources.fit(table, ridge=0.1, folds=0)
    assert np.diag(model.covariance).sum() == pytest.approx(spread(table, "adaptive").sum(), rel=0.35)


def test_few_clusters_that_weigh_a_lot_are_counted() -> None:
    table = tastes((200, 24), 5, apart=0.3)
    model = sources.fit(table, weights="equal", ridge=0.1, folds=0)
    assert np.diag(model.covariance).sum() == pytest.approx(spread(table, "equal").sum(), rel=0.25)
    assert model.findings == ()
    tiny = sources.fit(tastes((400, 4), 5), weights="equal", folds=0)
    assert [found.code for found in tiny.findings] == ["rewards-rare-source"]
    assert np.isfinite(tiny.covariance).all()
    assert np.isnan(sources.fit(tastes((400, 1), 5), weights="equal", folds=0).covariance).all()


def test_names_and_order_of_sources_do_not_matter() -> None:
    table = tastes((211, 101, 57), 6)
    other = replace(table, source=np.array([2, 0, 1])[table.source])
    one, two = (sources.fit(each, folds=0, ridge=0.1) for each in (table, other))
    np.testing.assert_allclose(two.parameters, one.parameters, atol=1e-5)
    np.testing.assert_allclose(two.covariance, one.covariance, rtol=1e-3, atol=1e-6)


def test_a_source_alone_is_no_warning_and_a_penalty_is_needed() -> None:
    table = replace(tastes((211,), 7), sources=("here", "absent"))
    assert sources.fit(table, folds=0).findings == ()
    for ridge in (0.0, np.nan, np.inf):
        with pytest.raises(AdjudgeError, match="penalty above 0"):
            sources.fit(tastes((57, 31), 8), ridge=ridge)


def test_a_balance_that_is_far_off_after_many_steps_is_told() -> None:
    table = tastes((57, 43), 9)
    far = replace(table, outcome=(table.difference[:, 0] > 0).astype(float))
    assert "rewards-balance-unsettled" in [found.code for found in sources.fit(far, ridge=1e-6, folds=0).findings]
