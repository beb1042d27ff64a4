"""The laws: chances that add up, derivatives that are derivatives, limits, and numbers that do not overflow."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.paired import links

LAWS = ("davidson", "rao-kupper", "bradley-terry")


def votes(law, seed=0):
    rng = np.random.default_rng(seed)
    eta, (win, tie, loss) = rng.normal(scale=3, size=11), rng.uniform(0.1, 5, size=(3, 11))
    tie = tie * (law != "bradley-terry")
    return eta, win + tie + loss, (win - loss) / 2, tie


@pytest.mark.parametrize("law", LAWS)
def test_first_derivatives_are_differences_of_the_value_and_second_ones_of_the_first(law):
    (eta, n, lean, ties), t, h = votes(law), 0.43, 1e-5
    at, up, down = (links.slopes(law, eta + shift, t, n, lean, ties) for shift in (0, h, -h))
    np.testing.assert_allclose((up.value - down.value) / (2 * h), at.eta, atol=1e-7)
    np.testing.assert_allclose(-(up.eta - down.eta) / (2 * h), at.eta2, atol=1e-7)
    np.testing.assert_allclose(-(up.tie - down.tie) / (2 * h), at.cross, atol=1e-7)
    up, down = (links.slopes(law, eta, t + shift, n, lean, ties) for shift in (h, -h))
    np.testing.assert_allclose((up.value - down.value) / (2 * h), at.tie, atol=1e-7)
    np.testing.assert_allclose(-(up.tie - down.tie) / (2 * h), at.tie2, atol=1e-6)


@pytest.mark.parametrize("law", LAWS)
def test_the_value_is_the_log_chance_of_what_happened(law):
    eta, t = np.array([-2.0, 0.3, 4.0]), 0.43
    win, tie, loss = links.probabilities(law, eta, t)
    np.testing.assert_allclose(win + tie + loss, 1.0)
    one, none = np.ones(3), np.zeros(3)
    np.testing.assert_allclose(links.slopes(law, eta, t, one, one / 2, none).value, np.log(win))
    np.testing.assert_allclose(links.slopes(law, eta, t, one, -one / 2, none).value, np.log(loss))
    if law != "bradley-terry":
        np.testing.assert_allclose(links.slopes(law, eta, t, one, none, one).value, np.log(tie))


def test_davidson_and_rao_kupper_are_their_authors_formulas():
    eta, t = np.array([0.8]), 0.25
    p, q, nu, theta = np.exp(0.8), 1.0, np.exp(t), np.exp(t)
    win, tie, loss = links.probabilities("davidson", eta, t)
    total = p + q + nu * np.sqrt(p * q)
    np.testing.assert_allclose([win[0], tie[0], loss[0]], [p / total, nu * np.sqrt(p * q) / total, q / total])
    win, tie, loss = links.probabilities("rao-kupper", eta, t)
    drawn = (theta**2 - 1) * p * q / ((p + theta * q) * (q + theta * p))
    np.testing.assert_allclose([win[0], tie[0], loss[0]], [p / (p + theta * q), drawn, q / (q + theta * p)])


@pytest.mark.parametrize("law", ["davidson", "rao-kupper"])
def test_without_ties_the_law_is_bradley_terry(law):
    eta, n, lean, ties = votes("bradley-terry")
    plain = links.slopes("bradley-terry", eta, 0.0, n, lean, ties)
    none = links.slopes(law, eta, np.full(eta.size, -np.inf if law == "davidson" else 0.0), n, lean, ties)
    np.testing.assert_allclose(none.eta, plain.eta, atol=1e-12)
    np.testing.assert_allclose(none.eta2, plain.eta2, atol=1e-12)
    np.testing.assert_array_equal(none.tie, 0.0)


@pytest.mark.parametrize("law", LAWS)
def test_log_odds_of_hundreds_neither_overflow_nor_vanish_too_early(law):
    eta = np.array([-700.0, -300.0, 300.0, 700.0])
    one, none = np.ones(4), np.zeros(4)
    at = links.slopes(law, eta, 0.5, one, one / 2, none)
    assert all(np.isfinite(getattr(at, name)).all() for name in at.__slots__)
    assert (at.eta2 >= 0).all()
    np.testing.assert_allclose(at.eta[:2], 1.0)
    np.testing.assert_allclose(at.value[:2], eta[:2], rtol=0.01)


@pytest.mark.parametrize("law", LAWS)
def test_many_votes_are_worked_out_in_pieces_without_a_seam(law):
    rng = np.random.default_rng(1)
    n = 2 * links.BLOCK + 17
    eta, ties = rng.normal(size=n), rng.uniform(size=n) * (law != "bradley-terry")
    whole = links.slopes(law, eta, 0.3, 1 + ties, eta / 9, ties)
    some = slice(links.BLOCK - 5, links.BLOCK + 5)
    part = links.slopes(law, eta[some], 0.3, 1 + ties[some], eta[some] / 9, ties[some])
    for name in whole.__slots__:
        np.testing.assert_array_equal(getattr(whole, name)[some], getattr(part, name))


@pytest.mark.parametrize("law", LAWS)
def test_the_quick_gradient_is_the_gradient(law):
    eta, n, lean, ties = votes(law)
    full, quick = links.slopes(law, eta, 0.3, n, lean, ties), links.pulls(law, eta, 0.3, n.copy(), lean, ties)
    np.testing.assert_allclose(quick[0], full.eta, atol=1e-12)
    np.testing.assert_allclose(quick[1], full.tie, atol=1e-12)


def test_newman_is_davidsons_law_and_nonsense_is_refused():
    assert links.canonical("newman") == "davidson"
    with pytest.raises(AdjudgeError, match="ties is 'elo'"):
        links.canonical("elo")
