"""Circles: counted by hand, as rare as announced where there are none, and found where there are."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from adjudge.audit import cycles
from adjudge.errors import AdjudgeError
from adjudge.sim.leagues import League
from adjudge.stats.voting import circles
from adjudge.stats.voting.margins import margins
from adjudge.tables.comparisons import from_arrays


def codes(audit) -> list[str]:
    return [finding.code for finding in audit.findings]


def pvalues(league: League, repeats: int) -> np.ndarray:
    found = [cycles.check(league.draw(seed).comparisons, draws=99, seed=seed) for seed in range(repeats)]
    return np.array([audit.figures["chance"].value[0] for audit in found])


def test_shares_by_trying_all_triples() -> None:
    for seed in range(5):
        A = np.random.default_rng(seed).normal(size=(7, 7))
        M = np.triu(A, 1) - np.triu(A, 1).T
        around = sum((M[i, j] > 0) == (M[j, m] > 0) == (M[m, i] > 0) for i, j, m in itertools.combinations(range(7), 3))
        assert circles.counts(M[None], 35.0)[0, 0] == pytest.approx(around / 35)


def test_policies_in_a_longer_circle_are_seen() -> None:
    M = np.zeros((1, 5, 5))
    for i in range(4):  # 0 > 1 > 2 > 3 > 0, and nobody meets 4
        M[0, i, (i + 1) % 4], M[0, (i + 1) % 4, i] = 0.1, -0.1
    assert circles.looped(M > 0)[0].tolist() == [True] * 4 + [False]
    assert circles.counts(M, 1.0)[0, 0] == 0


def test_triples_are_those_whose_pairs_all_met() -> None:
    met = np.ones((5, 5)) - np.eye(5)
    met[0, 1] = met[1, 0] = 0
    assert circles.triples(met) == 7


@pytest.mark.parametrize(
    "league",
    [
        League(policies=7, votes=400, spread=0.2, tie=0.2, clusters=()),
        League(policies=7, votes=400, spread=0.1, tie=0.2, raters=37),
        League(policies=7, votes=400, spread=0.2, raters=37, taste=0.5),
    ],
    ids=["votes", "clusters", "tastes"],
)
def test_the_p_value_keeps_its_promise_where_all_is_consistent(league: League) -> None:
    repeats = 150
    p = pvalues(league, repeats)
    for level in (0.05, 0.1, 0.25, 0.5):
        assert (p <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / repeats)
    assert (p <= 0.5).mean() > 0.3  # and is no idle promise


def test_circles_are_found_and_named() -> None:
    league = League(ability=(0.0, 0.0, 0.0), votes=600, cycle=1.0, raters=41)
    p = pvalues(league, 20)
    audit = cycles.check(league.draw(1).comparisons)
    assert (p <= 0.3).mean() > 0.9  # one triple: by noise it runs in a circle one time in four
    assert "circle-sure" in codes(audit)
    more = League(policies=9, votes=2000, spread=0.1, cycle=1.0, clusters=())
    assert (pvalues(more, 20) <= 0.05).mean() > 0.8


def test_sure_circles_are_rare_where_one_majority_is_even() -> None:
    """The hardest null: two majorities beyond doubt and the third a coin; at most 5 % may be named."""
    repeats, named = 200, 0
    rng = np.random.default_rng(3)
    left, right = np.repeat([0, 1, 2], 41), np.repeat([1, 2, 0], 41)
    for seed in range(repeats):
        won = np.concatenate([np.ones(82), rng.random(41) < 0.5]).astype(float)
        won[[0, 41]] = 0.0
        named += "circle-sure" in codes(cycles.check(from_arrays(left, right, won), draws=20, seed=seed))
    assert named / repeats <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)


def test_what_could_have_been_seen_is_said() -> None:
    audit = cycles.check(League(policies=5, votes=300, spread=2.0).draw(0).comparisons, draws=99)
    assert codes(audit) == ["circles-not-shown"]
    assert "%" in audit.findings[0].message


def test_consistent_margins_are_those_of_the_ratings_when_votes_are_many() -> None:
    theta = np.array([0.7, 0.2, -0.3, -0.6])
    left, right = np.triu_indices(4, 1)
    chance = 1 / (1 + np.exp(-(theta[left] - theta[right])))
    n = 1e6
    table = from_arrays(
        np.tile(left, 2),
        np.tile(right, 2),
        np.repeat([1.0, 0.0], 6),
        count=n * np.concatenate([chance, 1 - chance]),
    )
    found = margins(table)
    np.testing.assert_allclose(circles.consistent(found), chance - 0.5, atol=1e-4)


def test_row_order_and_names_change_nothing() -> None:
    table = League(policies=5, votes=300, spread=0.2, clusters=()).draw(4).comparisons
    one = cycles.check(table, draws=99)
    shuffled = cycles.check(table.take(np.random.default_rng(0).permutation(table.n)), draws=99)
    turned = cycles.check(table.swapped(), draws=99)
    for other in (shuffled, turned):
        for name, figure in one.figures.items():
            np.testing.assert_allclose(figure.value, other.figures[name].value)


def test_too_little_is_said_to_be_too_little() -> None:
    table = League(policies=5, votes=300, spread=0.2).draw(4).comparisons
    assert codes(cycles.check(table.take(table.left == 0))) == ["circles-unknown"]
    assert codes(cycles.check(table.take(np.zeros(0, int)))) == ["circles-unknown"]
    alone = cycles.check(replace(table, cluster=np.zeros((table.n, 1), int)), draws=20)
    assert np.isnan(alone.figures["chance"].value).all()
    with pytest.raises(AdjudgeError, match="level"):
        cycles.check(table, level=1.0)
