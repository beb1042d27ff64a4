"""Performance from counts: exact recovery, leave-one-out error by brute force, and honesty about noise."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats import count_regression as cr


@pytest.mark.parametrize("form", cr.FORMS)
def test_noiseless_forms_are_recovered(form):
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 30, (101, 3)).astype(float)
    truth = counts @ [0.3, -0.1, 0.0]
    truth = truth + (0 if form == "linear" else 0.01 * counts[:, 1] ** 2)
    truth = truth + (0.02 * counts[:, 0] * counts[:, 2] if form == "interactions" else 0)
    model = cr.fit(counts, truth, form=form)
    np.testing.assert_allclose(model(counts), truth, atol=2e-3 * np.ptp(truth))
    assert model.explained > 0.999


def test_linear_gain_is_the_slope_wherever_the_mix_stands():
    counts = np.random.default_rng(2).integers(0, 30, (53, 2)).astype(float)
    model = cr.fit(counts, counts @ [2.0, -1.0])
    for at in (np.zeros(2), np.array([7.0, 11.0])):
        np.testing.assert_allclose(model.gain(np.eye(2), at=at), [2.0, -1.0], rtol=1e-3)


def test_leave_one_out_error_by_brute_force():
    rng = np.random.default_rng(3)
    counts, seen = rng.normal(size=(23, 2)), rng.normal(size=23)
    model = cr.fit(counts, seen)
    z = np.hstack([np.ones((23, 1)), (counts - model.centre) / model.scale])
    errors = []
    for strength in cr.GRID:
        ridge = np.diag([0.0, strength, strength])
        left = [
            seen[i] - z[i] @ np.linalg.solve(np.delete(z, i, 0).T @ np.delete(z, i, 0) + ridge,
                                             np.delete(z, i, 0).T @ np.delete(seen, i))
            for i in range(23)
        ]  # fmt: skip
        errors.append(np.sqrt(np.mean(np.square(left))))
    np.testing.assert_allclose(model.error, min(errors), rtol=1e-8)
    assert model.explained < 0.2


def test_two_mixes_are_too_few():
    with pytest.raises(AdjudgeError, match="three mixes"):
        cr.fit(np.zeros((2, 1)), np.zeros(2))
