"""Laws of over-optimisation: planted coefficients come back, and intervals of them and of the peak cover."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.sim.overoptimisation import Overoptimisation
from adjudge.stats import best_of_n
from adjudge.stats import overoptimisation as laws
from adjudge.tables.proxy_curve import ProxyCurve, from_arrays

D = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
WORLD = Overoptimisation()
PROXY = np.array([1.0, 0.5, 0.0, 0.0, 0.0, 0.0])


def planted(law: str, rise: float, fall: float, *, prompts: int = 47, noise: float = 1.0, seed: int = 0) -> ProxyCurve:
    """A curve of one law, with prompts that differ in level and noise at every step."""
    rng = np.random.default_rng((seed, 5))
    prompt, step = np.divmod(np.arange(prompts * D.size), D.size)
    mean = laws.design(law, D) @ [3.0, rise, fall]
    gold = mean[step] + noise * (rng.normal(size=prompts)[prompt] + rng.normal(size=step.size))
    return from_arrays(D[step] ** 2, D[step], gold, step=step, prompt=prompt)


@pytest.mark.parametrize("law", laws.LAWS)
def test_without_noise_the_law_comes_back(law: str) -> None:
    fitted = laws.fit(planted(law, 2.0, 0.7, noise=0.0), law=law)
    np.testing.assert_allclose(fitted.coefficients.value, [3.0, 2.0, 0.7], atol=1e-9)
    assert fitted.r2 == pytest.approx(1)
    peak = {"best_of_n": 2.0 / 1.4, "policy_gradient": np.exp(2.0 / 0.7 - 1)}[law]
    assert fitted.peak == pytest.approx(peak)
    np.testing.assert_allclose(fitted.fieller(), peak, rtol=1e-6)
    fine = np.linspace(0.01, 12, 100_000)
    assert fine[np.argmax(laws.design(law, fine) @ [3.0, 2.0, 0.7])] == pytest.approx(peak, abs=1e-3)


@pytest.mark.parametrize(("law", "rise", "fall"), [("best_of_n", 2.0, 0.5), ("policy_gradient", 1.0, 0.6)])
def test_intervals_cover(law: str, rise: float, fall: float) -> None:
    peak = {"best_of_n": rise / (2 * fall), "policy_gradient": np.exp(rise / fall - 1)}[law]
    hits, runs = np.zeros(4), 300
    for seed in range(runs):
        table = planted(law, rise, fall, seed=seed)
        fitted = laws.fit(table, law=law)
        inside = fitted.coefficients.interval()[1:]
        ends = (inside[0], inside[1], fitted.fieller(), laws.bootstrap(table, fitted, draws=199))
        hits += [low <= true <= high for (low, high), true in zip(ends, (rise, fall, peak, peak), strict=True)]
    off = 4 * np.sqrt(0.95 * 0.05 / runs)
    assert (hits[:3] / runs > 0.95 - off).all(), hits
    assert (hits[:3] / runs <= 0.995).all(), hits
    assert hits[3] / runs > 0.92 - off, "a bootstrap of 47 prompts covers a little less"


def test_a_tilted_gaussian_world_follows_the_first_law() -> None:
    rise, fall = WORLD.law(PROXY)
    assert (rise, fall) == (pytest.approx(np.sqrt(2 / 1.25)), pytest.approx(0.2))
    hits, runs = np.zeros(3), 200
    for seed in range(runs):
        fitted = laws.fit(WORLD.tilted(PROXY, D, 37, samples=3, seed=seed))
        low, high = fitted.coefficients.interval()[1:].T
        hits[:2] += (low <= [rise, fall]) & ([rise, fall] <= high)
        start, end = fitted.fieller()
        hits[2] += start <= rise / (2 * fall) <= end
    assert (hits / runs > 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)).all(), hits


def test_fieller_agrees_with_the_delta_method_where_both_are_sure() -> None:
    fitted = laws.fit(planted("best_of_n", 2.0, 0.5, prompts=4001))
    _, rise, fall = fitted.coefficients.value
    slope = np.array([0.5 / fall, -0.5 * rise / fall**2])
    spread = np.sqrt(slope @ fitted.coefficients.covariance[1:, 1:] @ slope)
    np.testing.assert_allclose(fitted.fieller(), fitted.peak + 1.96 * spread * np.array([-1, 1]), atol=0.002)


def test_a_rise_that_never_falls_has_no_upper_end() -> None:
    flat = laws.fit(planted("best_of_n", 2.0, 0.0))
    low, high = flat.fieller()
    assert low > 3.0
    assert high == np.inf
    convex = laws.fit(planted("best_of_n", 1.0, -2.0))
    assert (convex.peak, *convex.fieller()) == (np.inf, np.inf, np.inf)
    noise = laws.fit(planted("best_of_n", 0.0, 0.0, noise=50.0, seed=3))
    assert noise.fieller() == (0.0, np.inf)
    down = laws.fit(planted("best_of_n", -1.0, 1.0))
    assert (down.peak, *down.fieller()) == (0.0, 0.0, 0.0)


def test_prompts_without_gold_and_weights_of_0_change_nothing() -> None:
    table = planted("best_of_n", 2.0, 0.5)
    more = from_arrays(
        np.r_[table.kl, table.kl[:14]],
        np.r_[table.proxy, table.proxy[:14]],
        np.r_[table.gold, np.full(7, np.nan), np.full(7, 99.0)],
        step=np.r_[table.step, table.step[:14]],
        prompt=np.r_[table.prompt, np.full(7, 47), np.full(7, 48)],
        weight=np.r_[table.weight, np.ones(7), np.zeros(7)],
    )
    one, other = laws.fit(table), laws.fit(more)
    np.testing.assert_allclose(one.coefficients.value, other.coefficients.value)
    np.testing.assert_allclose(one.coefficients.covariance, other.coefficients.covariance)
    assert laws.bootstrap(table, one, draws=9)[0] > 0


def test_misfit_is_rare_where_the_law_holds_and_sure_where_not() -> None:
    runs = 300
    found = np.array([laws.fit(planted("best_of_n", 2.0, 0.5, prompts=23, seed=seed)).misfit for seed in range(runs)])
    for rate in (0.05, 0.5):
        assert abs(np.mean(found < rate) - rate) < 4 * np.sqrt(rate * (1 - rate) / runs)
    table = planted("best_of_n", 2.0, 0.5, prompts=23)
    bent = table.gold + np.cos(6 * D)[table.step]
    other = from_arrays(table.kl, table.proxy, bent, step=table.step, prompt=table.prompt)
    assert laws.fit(other).misfit < 0.01
    assert np.isnan(laws.fit(only(table, table.prompt < 3)).misfit), "three prompts cannot tell in four directions"


def test_a_step_with_fewer_gold_labels_has_the_error_of_those() -> None:
    table = planted("best_of_n", 2.0, 0.5)
    gold = np.where((table.step == 3) & (table.prompt > 22), np.nan, table.gold)
    seen = laws.means(table, gold)
    some, all_of = gold[(table.step == 3) & (table.prompt <= 22)], gold[table.step == 1]
    np.testing.assert_allclose(seen.stderr[[1, 3]], [all_of.std(ddof=1) / 47**0.5, some.std(ddof=1) / 23**0.5])
    assert seen.df.tolist() == [46, 46, 46, 22, 46, 46, 46]


def test_of_two_labels_that_agree_the_spread_of_the_others_speaks() -> None:
    step, prompt = np.array([0, 0, 1, 1, 1, 1]), np.arange(6)
    gold = np.array([1.0, 1, 0, 1, 0, 1])
    within = (1 / 3) * 3 / 4  # variances 0 and 1/3, with 1 and 3 degrees of freedom
    variance = laws.means(from_arrays(step + 0.0, gold, gold, step=step, prompt=prompt), gold).stderr ** 2
    np.testing.assert_allclose(variance, [8 * within / 2 / 9, 1 / 12], rtol=1e-9)
    sure = laws.means(from_arrays(step + 0.0, gold, gold * 0 + 1, step=step, prompt=prompt), gold * 0 + 1)
    assert not sure.stderr.any(), "where nothing varies, nothing is made up"


def test_intervals_cover_where_a_step_has_few_labels_of_0_or_1() -> None:
    """Two to sixteen labels a step: their own spread alone gave intervals of no width, and 63 % for the peak."""
    trials, steps, law = 400, np.repeat(np.arange(9), [2, 2, 3, 4, 6, 12, 16, 4, 4]), "best_of_n"
    truth, rng = 0.3 + 2 * np.arange(9) / 8 - 2 * (np.arange(9) / 8) ** 2, np.random.default_rng(190)
    mean_covered, peak_covered = [], []
    for _ in range(trials):
        gold = (rng.random(steps.size) < truth[steps]) + 0.0
        table = from_arrays((steps * 3 / 8) ** 2, gold, gold, step=steps, prompt=np.arange(steps.size))
        ends = laws.means(table, gold).interval()
        mean_covered.append((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
        low, high = laws.fit(table, law=law).fieller()
        peak_covered.append(low <= 1.5 <= high)
    tolerance = 3 * (0.05 * 0.95 / trials) ** 0.5
    assert np.mean(mean_covered, axis=0).min() > 0.90 - tolerance
    assert np.mean(mean_covered) > 0.95 - tolerance
    assert np.mean(peak_covered) > 0.93 - tolerance


def test_change_between_two_places() -> None:
    fitted = laws.fit(planted("best_of_n", 2.0, 0.5, noise=0.0))
    assert fitted.change(2.0, 3.0).value.item() == pytest.approx(-0.5)


def test_the_best_of_n_is_exact() -> None:
    proxy, gold = WORLD.samples(PROXY, 400, 64, seed=4)
    seen = best_of_n.curve(proxy, gold, [1, 8, 64])
    truth = [WORLD.best_of_n(PROXY, n) for n in (1, 8, 64)]
    assert (np.abs(seen.value - truth) < 4 * seen.stderr).all()
    assert truth[0] == pytest.approx(0, abs=1e-9)


def test_bad_input_is_named() -> None:
    table = planted("best_of_n", 1.0, 1.0)
    with pytest.raises(AdjudgeError, match="law 'cubic'"):
        laws.fit(table, law="cubic")
    with pytest.raises(AdjudgeError, match="3 steps"):
        laws.fit(only(table, table.step < 3))
    with pytest.raises(AdjudgeError, match="0 steps"):
        laws.fit(only(table, table.prompt == 0))


def only(table: ProxyCurve, rows: np.ndarray) -> ProxyCurve:
    """The table with some of its rows."""
    kl, proxy, gold, step, prompt = (getattr(table, name)[rows] for name in ("kl", "proxy", "gold", "step", "prompt"))
    return from_arrays(kl, proxy, gold, step=step, prompt=prompt)
