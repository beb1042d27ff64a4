"""Rating points: the mean is 1000, ten to one is 400, and NaN policies take no part."""

import numpy as np

from adjudge.stats.paired import scale


def test_odds_of_ten_to_one_are_400_points_around_a_mean_of_1000():
    np.testing.assert_allclose(scale.points([np.log(10), 0.0, np.nan]), [1200.0, 800.0, np.nan])


def test_the_covariance_of_centred_ratings_does_not_hang_on_the_gauge():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(5, 5))
    V, theta = root @ root.T, np.array([0.3, np.nan, 1.0, -1.0, 0.5])
    on = np.flatnonzero(np.isfinite(theta))
    J = scale.centring(np.isfinite(theta))[np.ix_(on, on)]
    C = scale.covariance_points(theta, V)
    np.testing.assert_allclose(C[np.ix_(on, on)], scale.POINTS**2 * J @ V[np.ix_(on, on)] @ J.T)
    shift = rng.normal(size=5)  # θ + c·1 with any c, however it hangs together with θ
    other = V + shift[:, None] + shift[None, :] + 3.0
    np.testing.assert_allclose(scale.covariance_points(theta, other)[on][:, on], C[on][:, on], atol=1e-8)
    assert np.isnan(C[1]).all()
    assert np.isnan(C[:, 1]).all()


def test_influence_and_covariance_give_one_estimate():
    psi = np.random.default_rng(1).normal(size=(29, 3)) / 29
    theta = np.array([0.5, 0.0, -0.5])
    C = (psi - psi.mean(axis=0)).T @ (psi - psi.mean(axis=0)) * 29 / 28
    one = scale.to_points(("a", "b", "c"), theta, influence=psi, units=29)
    other = scale.to_points(("a", "b", "c"), theta, covariance=C, units=29)
    np.testing.assert_allclose(one.covariance, other.covariance)
    np.testing.assert_array_equal(one.df, 28.0)
