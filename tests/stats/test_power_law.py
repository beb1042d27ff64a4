"""Tails: the likelihood at its maximum, known exponents, censoring, and what is no power law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from adjudge.stats.power_law import Counts, curvature, draw, fit, fit_pvalue


def counted(x: np.ndarray, cap: float = np.inf) -> Counts:
    value, count = np.unique(np.minimum(x, cap), return_counts=True)
    high = value >= cap
    return Counts(value, (count * ~high)[None].astype(float), (count * high)[None].astype(float))


@pytest.mark.parametrize("cap", [np.inf, 12.0])
def test_the_exponent_is_the_maximum_of_the_written_out_likelihood(cap: float) -> None:
    x = draw(2.3, 2.0, (307,), np.random.default_rng(3))
    low = x[x < cap]

    def minus(alpha: float) -> float:
        return (
            alpha * np.log(low).sum()
            + x.size * np.log(special.zeta(alpha, 2.0))
            - (x.size - low.size) * np.log(special.zeta(alpha, cap if np.isfinite(cap) else 2.0))
        )

    found = optimize.minimize_scalar(minus, bounds=(1.1, 6), method="bounded", options={"xatol": 1e-9}).x
    assert fit(counted(x, cap), start=2.0).alpha[0] == pytest.approx(found, abs=2e-4)


def test_the_exponent_agrees_with_the_published_approximation() -> None:
    """Clauset et al., Eq. 3.7: α ≈ 1 + n/Σ log(x/(m − ½)), good to a per cent from m = 6 on."""
    x = draw(2.5, 6.0, (5003,), np.random.default_rng(5))
    rough = 1 + x.size / np.log(x / 5.5).sum()
    assert fit(counted(x), start=6.0).alpha[0] == pytest.approx(rough, rel=0.01)


def test_the_draws_follow_their_law() -> None:
    x = draw(2.2, 3.0, (200_003,), np.random.default_rng(7))
    for at in (3.0, 4.0, 10.0, 100.0, 30_000.0):
        chance = special.zeta(2.2, at + 1) / special.zeta(2.2, 3.0)
        assert np.mean(x > at) == pytest.approx(chance, abs=5 * np.sqrt(chance / x.size))


def test_the_threshold_is_found_where_the_law_begins() -> None:
    rng = np.random.default_rng(11)
    x = np.concatenate([rng.integers(1, 10, 2003).astype(float), draw(2.5, 10.0, (1009,), rng)])
    made = fit(counted(x))
    assert 8 <= made.start[0] <= 14
    assert made.alpha[0] == pytest.approx(2.5, abs=0.2)


def test_censoring_costs_little_and_ignoring_it_would_cost_much() -> None:
    x = draw(2.0, 1.0, (4001,), np.random.default_rng(13))
    assert fit(counted(x, 20.0), start=1.0).alpha[0] == pytest.approx(2.0, abs=0.08)
    assert fit(counted(np.minimum(x, 20.0)), start=1.0).alpha[0] > fit(counted(x, 20.0), start=1.0).alpha[0]


def test_curvature_is_the_variance_of_the_log() -> None:
    x = np.arange(2.0, 400_000)
    p = x**-3.5 / special.zeta(3.5, 2.0)
    mean = p @ np.log(x)
    first, second = curvature(3.5, 2.0)
    assert first == pytest.approx(-mean, rel=1e-4)
    assert second == pytest.approx(p @ np.log(x) ** 2 - mean**2, rel=1e-3)


def test_a_power_law_passes_and_a_poisson_law_fails() -> None:
    rng = np.random.default_rng(17)
    for x, low, high in ((draw(2.5, 1.0, (503,), rng), 0.05, 1), (1.0 + rng.poisson(5, 503), 0, 0.05)):
        made = fit(counted(x), start=1.0)
        p = fit_pvalue(made.alpha[0], 1.0, x.size, made.distance[0], cap=np.inf, samples=99, seed=0)
        assert low <= p <= high


def test_no_tail_no_exponent() -> None:
    assert np.isnan(fit(counted(np.ones(100))).alpha[0])
    assert np.isnan(fit(counted(np.array([1.0, 2, 3]))).alpha[0])
    assert np.isnan(fit(Counts(np.zeros(0), np.zeros((1, 0)), np.zeros((1, 0)))).alpha[0])
