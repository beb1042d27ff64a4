"""Verbosity bias: counted by hand, found within its interval where it is planted, and told apart from quality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.audit import verbosity_bias
from adjudge.errors import AdjudgeError
from adjudge.tables.comparisons import Comparisons, from_arrays


def season(
    seed: int, effect: tuple[float, ...], items: int = 307, quality: float = 0.8, order: float = 0.4
) -> Comparisons:
    """Each judge on each item in both orders: logit P = effect·x/s + 1.2·(2g − 1) + order·first; g leans to length."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(items) * 7
    gold = (rng.random(items) < special.expit(quality * x / 7)).astype(float)
    judges = len(effect)
    judge, item, turn = (g.ravel() for g in np.meshgrid(np.arange(judges), np.arange(items), [1.0, -1.0]))
    lean = np.array(effect)[judge] * (x / np.sqrt((x**2).mean()))[item] + 1.2 * (2 * gold[item] - 1) + order * turn
    every = np.concatenate([item, np.arange(items)])
    left = np.zeros(every.size, dtype=int)
    return from_arrays(
        left,
        left + 1,
        np.concatenate([rng.random(item.size) < special.expit(lean), gold]).astype(float),
        rater=np.concatenate([judge, np.full(items, judges)]),
        raters=(*(f"judge {j}" for j in range(judges)), "gold"),
        trusted=np.arange(every.size) >= item.size,
        match=every,
        item=every,
        first=np.concatenate([turn, np.zeros(items)]),
        covariates=x[every],
        covariate_names=("length",),
    )


def ungolden(table: Comparisons) -> Comparisons:
    return table.take(~table.trusted)


def codes(table: Comparisons) -> list[str]:
    return [finding.code for finding in verbosity_bias.check(table).findings]


def test_figures_counted_by_hand() -> None:
    """Eight matches of lengths ±1: the longer wins six, gold gives it three."""
    x = np.array([1, 1, 1, 1, -1, -1, -1, -1.0])
    won = np.array([1, 1, 1, 0, 0, 0, 0, 1.0])
    gold = np.array([1, 0, 0, 0, 0, 1, 0, 1.0])
    left, match = np.zeros(16, dtype=int), np.tile(np.arange(8), 2)
    table = from_arrays(
        left,
        left + 1,
        np.concatenate([won, gold]),
        rater=np.repeat([0, 1], 8),
        raters=("judge", "gold"),
        trusted=np.repeat([False, True], 8),
        match=match,
        item=match,
        first=np.zeros(16),
        covariates=np.tile(x, 2),
        covariate_names=("length",),
    )
    figures = verbosity_bias.check(table).figures
    assert {name: float(figures[name].value[0]) for name in ("longer", "longer_gold", "excess")} == pytest.approx(
        {"longer": 6 / 8, "longer_gold": 3 / 8, "excess": 3 / 8}
    )
    # Differences are 0, 1, 1, 0, 0, 1, 0, 0 with mean 3/8.
    assert figures["excess"].stderr[0] ** 2 == pytest.approx((3 * (5 / 8) ** 2 + 5 * (3 / 8) ** 2) / 64 * 8 / 7)
    alone = verbosity_bias.check(ungolden(table)).figures
    assert set(alone) == {"effect", "longer"}
    assert alone["effect"].value[0] == pytest.approx(np.log(3), abs=1e-5)  # one covariate of ±1: the log-odds of 6/8
    # Cov = Σ(y − p)² / (Σ p(1 − p))², with m/(m − 1).
    assert alone["effect"].stderr[0] ** 2 == pytest.approx((6 / 16 + 2 * 9 / 16) / 1.5**2 * 8 / 7, rel=1e-4)


def test_a_planted_effect_lies_within_its_interval() -> None:
    repeats, effect = 400, (0.0, 0.5, -0.8)
    inside = np.zeros(3)
    for seed in range(repeats):
        low, high = verbosity_bias.check(season(seed, effect)).figures["effect"].interval().T
        inside += (low <= effect) & (effect <= high)
    assert (np.abs(inside / repeats - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / repeats)).all(), inside / repeats


def test_excess_covers_the_difference_of_the_shares() -> None:
    repeats, inside = 300, 0
    nodes, mass = special.roots_hermitenorm(201)
    mass = mass / mass.sum()
    good = special.expit(0.8 * nodes)
    votes = sum(
        chance * special.expit(0.5 * nodes + 1.2 * side + turn * 0.4) / 2
        for chance, side in ((good, 1), (1 - good, -1))
        for turn in (1, -1)
    )
    up = nodes > 0
    # x ~ N(0, 1) is symmetric and so are the laws: the longer side is the told one for x > 0.
    truth = 2 * (mass[up] @ (votes - good)[up])
    for seed in range(repeats):
        low, high = verbosity_bias.check(season(seed, (0.5,))).figures["excess"].interval()[0]
        inside += low <= truth <= high
    assert abs(inside / repeats - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / repeats)


def test_silence_at_the_nominal_rate_over_all_judges_though_gold_leans_to_length() -> None:
    repeats = 400
    named = np.mean([any("prefers" in c for c in codes(season(s, (0.0,) * 3, items=151))) for s in range(repeats)])
    assert abs(named - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / repeats)


def test_without_gold_quality_passes_for_length_and_it_is_said() -> None:
    table = season(2, (0.0,), items=601)
    assert "prefers-longer" not in codes(table)
    assert codes(ungolden(table)) == ["prefers-longer", "length-confounded"]
    assert "not controlled" in verbosity_bias.check(ungolden(table)).findings[0].message
    half = table.take(~table.trusted | (table.item % 2 == 0))
    told = verbosity_bias.check(half).findings[-1]
    assert (told.code, told.number) == ("length-confounded", pytest.approx(301 / 601))


def test_rows_sides_and_repeats_change_nothing() -> None:
    table = season(3, (0.2, 0.7), items=59)
    one = verbosity_bias.check(table).figures
    rng = np.random.default_rng(1)
    others = (
        table.take(rng.permutation(table.n)),
        table.swapped(rng.random(table.n) < 0.5),
        replace(table, covariates=table.covariates * 1000),
    )
    counted = replace(table, count=np.full(table.n, 3.0)), table.take(np.repeat(np.arange(table.n), 3))
    pairs = [(one, verbosity_bias.check(other).figures) for other in others]
    pairs.append((verbosity_bias.check(counted[0]).figures, verbosity_bias.check(counted[1]).figures))
    for here, there in pairs:
        for name, figure in here.items():
            np.testing.assert_allclose(figure.value, there[name].value)
            np.testing.assert_allclose(figure.covariance, there[name].covariance)


def test_judges_without_error_are_told_apart() -> None:
    """Length alone is named; gold alone and order alone are not, though gold and length go together."""
    table = season(3, (0.2, 0.7), items=41)
    gold = np.zeros(41)
    gold[table.item[table.trusted]] = table.outcome[table.trusted]
    length = (table.covariates[:, 0] > 0).astype(float)
    rules = {"prefers-longer": length, "prefers-shorter": 1 - length}
    for code, rule in rules.items():
        told = verbosity_bias.check(replace(table, outcome=np.where(table.trusted, table.outcome, rule)))
        assert [finding.code for finding in told.findings] == [code, code]
        assert np.isnan(told.figures["effect"].value).all()
        alone = ungolden(replace(table, outcome=rule))
        assert codes(alone) == [code, code, "length-confounded"]
    for rule in (gold[table.item], (table.first > 0).astype(float)):
        judged = replace(table, outcome=np.where(table.trusted, table.outcome, rule))
        assert codes(judged) == ["verbosity-bias-not-shown"] * 2


def test_too_little_is_said_to_be_too_little() -> None:
    table = season(3, (0.2, 0.7), items=41)
    for nothing in (
        table.take(np.zeros(0, int)),
        replace(table, covariates=np.zeros((table.n, 1))),
        replace(table, covariates=np.full((table.n, 1), np.nan)),
        replace(table, outcome=np.full(table.n, np.nan)),
    ):
        assert codes(nothing) == ["length-unknown"]
    single = verbosity_bias.check(table.take(table.item == 0))
    assert np.isnan(single.figures["effect"].stderr).all()
    assert {finding.code for finding in single.findings} == {"verbosity-bias-not-shown"}
    ties = verbosity_bias.check(replace(table, outcome=np.where(table.trusted, table.outcome, 0.5)))
    assert np.isnan(ties.figures["longer"].value).all()
    assert not any("prefers" in finding.code for finding in ties.findings)
    gold = table.item[:, None] * 0 + 1.0
    with pytest.raises(AdjudgeError, match="level"):
        verbosity_bias.check(table, level=1.0)
    with pytest.raises(AdjudgeError, match="none"):
        verbosity_bias.check(table, length="none")
    with pytest.raises(AdjudgeError, match="length"):
        verbosity_bias.check(replace(table, covariates=np.hstack([gold, gold]), covariate_names=("a", "b")))
