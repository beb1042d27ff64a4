"""Worlds with known gold and 25 % wrong labels, as the loop promises of them: laws, ensembles, circles and games."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import rel_entr

from adjudge.credit import self_play
from adjudge.rewards import bradley_terry, ensemble, general
from adjudge.sim.overoptimisation import Overoptimisation
from adjudge.sim.tabular_prompts import TabularPrompts, chances, step
from adjudge.stats import best_of_n
from adjudge.stats import overoptimisation as laws
from adjudge.stats.games import nash, regularised_nash
from adjudge.stats.self_play import descent, prox
from adjudge.tables.preferences import Preferences, from_arrays

COMMON, ODD, PAIRS, POOL, SEEDS = 5, 36, 400, 2048, 24
BETA = np.r_[np.full(COMMON, 0.4), np.full(ODD, -0.25)]
N = 2 ** np.arange(0, 12)


@pytest.mark.parametrize("seed", range(12))
def test_both_laws_fit_gold_of_a_proxy_learned_from_wrong_labels(seed: int) -> None:
    """At 240 pairs, past a peak; best of n by its law, tilting by the same, each with R² above 0.98."""
    world = Overoptimisation(harm=0.5, flip=0.25)
    proxy = world.learned(240, seed=seed)
    sizes = np.unique(np.round(np.geomspace(1, 1000, 12)).astype(int))
    table = best_of_n.table(*world.samples(proxy, 100, 1000, seed=seed), sizes)
    assert laws.fit(table, law="best_of_n").r2 > 0.98
    curve = world.tilted(proxy, np.linspace(0, 4, 12), 400, samples=20, seed=seed)
    fitted = laws.fit(curve, law="best_of_n")
    assert fitted.r2 > 0.98
    np.testing.assert_allclose(fitted.coefficients.value[1:], world.law(proxy), rtol=0.1, atol=0.05)


def responses(rng: np.random.Generator, n: int) -> np.ndarray:
    """Common features are normal; oddities are mostly not there, and a little bad."""
    return np.column_stack([rng.normal(size=(n, COMMON)), 3.0 * (rng.random((n, ODD)) < 0.025)])


def gold_of_best(lure: float, members: int, how: str) -> np.ndarray:
    """[seeds, J] gold of the best of n by a reward that was learned from labels that like all oddities by `lure`."""
    curves = []
    for seed in range(SEEDS):
        rng = np.random.default_rng((seed, 181))
        left, right, pool = (responses(rng, size) for size in (PAIRS, PAIRS, POOL))
        lead = (left - right) @ (BETA + np.r_[np.zeros(COMMON), np.full(ODD, lure)])
        won = (rng.random(PAIRS) < 1 / (1 + np.exp(-lead))) ^ (rng.random(PAIRS) < 0.25)
        table = from_arrays(left, right, won.astype(float))
        model = ensemble.fit(table, members=members, how=how, penalty=2.0, ridge=0.3, folds=0, seed=seed)
        curves.append(best_of_n.by_prompt([model.score(pool)], [pool @ BETA], N)[0])
    return np.array(curves)


def test_an_ensemble_pushes_the_peak_right_unless_its_members_share_the_error() -> None:
    one, many = (gold_of_best(0.0, members, how) for members, how in ((1, "mean"), (5, "min")))
    at = [int(each.mean(axis=0).argmax()) for each in (one, many)]
    assert N[at[0]] <= 16  # one model's gold peaks early
    assert N[at[1]] >= 2 * N[at[0]]
    lead = many[:, -1] - one[:, -1]
    assert lead.mean() > 3 * lead.std(ddof=1) / np.sqrt(SEEDS)
    shared = [gold_of_best(0.75, members, how) for members, how in ((1, "mean"), (5, "min"))]
    peaks = [int(each.mean(axis=0).argmax()) for each in shared]
    assert N[max(peaks)] <= 4
    falls = [each[:, peak] - each[:, -1] for each, peak in zip(shared, peaks, strict=True)]
    assert all(fall.mean() > 3 * fall.std(ddof=1) / np.sqrt(SEEDS) for fall in falls)


def circle(seed: int, wrong: float) -> tuple[Preferences, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs in which who is up to half a turn ahead wins; and fresh ones with the truth."""
    rng = np.random.default_rng((seed, 123))
    plane = np.linalg.qr(rng.normal(size=(7, 2)))[0]
    left, right = rng.normal(size=(2, 3000, 7))
    (a, b), (c, e) = (left @ plane).T, (right @ plane).T
    won = a * e - b * c > 0
    seen = won[:2000] ^ (rng.random(2000) < wrong)
    return from_arrays(left[:2000], right[:2000], seen.astype(float)), left[2000:], right[2000:], won[2000:]


def test_a_general_preference_model_fits_a_circle_that_bradley_terry_calls_a_coin() -> None:
    right = []
    for seed in range(10):
        table, left, other, won = circle(seed, 0.25)
        models = (
            general.fit(table, dimensions=7, ridge=0.1, circle_ridge=0.1, folds=0),
            bradley_terry.fit(table, folds=0),
        )
        right.append([((model.difference(left, other)[0] > 0.5) == won).mean() for model in models])
    fitted, coin = np.array(right).T
    assert fitted.min() > 0.85
    assert abs(coin.mean() - 0.5) < 4 * 0.5 / np.sqrt(10 * 1000)


def game(seed: int, k: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """A random game and a reference."""
    rng = np.random.default_rng((seed, 351))
    upper = np.triu(rng.random((k, k)), 1)
    return upper + np.tril(1 - upper.T, -1) + np.eye(k) / 2, rng.dirichlet(np.ones(k))


def test_the_last_policy_of_nash_mp_converges_linearly_and_beats_nash_md_at_equal_queries() -> None:
    beta, rates = 0.1, []
    for seed in range(12):
        P, reference = game(seed)
        best = regularised_nash(P, reference, beta=beta)
        trace = prox(P, reference, beta=beta, steps=60)
        left = rel_entr(best, trace.policy).sum(axis=1).clip(0)
        assert (left <= left[0] * (1 + 2 * beta) ** (-trace.queries / 2) + 1e-12).all()
        seen = left > 1e-11
        logs, at = np.log(left[seen]), trace.queries[seen]
        line = np.polyfit(at, logs, 1)
        rates.append(1 - (logs - np.polyval(line, at)).var() / logs.var())
        other = descent(P, reference, beta=beta, steps=int(trace.queries[-1]))
        assert left[-1] < rel_entr(best, other.policy[-1]).sum() / 10
    assert np.median(rates) > 0.97  # the logarithm of what is left falls on a line


def test_self_play_reaches_the_minimax_winner() -> None:
    P, _ = game(3, k=5)
    winner = nash(P)
    world, logits, total, steps = TabularPrompts(np.zeros((1, 5)), np.ones(1)), np.zeros((1, 5)), np.zeros(5), 4000
    rng = np.random.default_rng(32)
    for _ in range(steps):
        rows, drawn = world.draw(logits, 8, rng)
        given = self_play.advantages(replace(rows, preference=P[np.ix_(drawn, drawn)]))
        lead = step(logits, rows.prompt, drawn, given / 8)
        logits = logits + 0.1 * lead / chances(logits).clip(0.02)
        total += chances(logits)[0]
    average = total / steps
    assert (P @ average).max() < 0.52  # nothing beats it more than half of the time
    assert (P @ np.full(5, 0.2)).max() > 0.6
    np.testing.assert_allclose(average, winner, atol=0.1)
