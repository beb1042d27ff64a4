"""The laws that every method of `ranking/` obeys; a new method is found through the catalogue and held to them too."""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adjudge import catalogue
from adjudge.core.estimate import Estimate
from adjudge.errors import AdjudgeError
from adjudge.tables.comparisons import Comparisons
from contracts import leagues, worlds

ARGUMENTS: dict[str, dict[str, Any]] = {}
"""What a method's verb cannot do without, by address."""

WORLDS: dict[str, Any] = {
    "ranking.blind_trials": leagues.scores(binary=True),
    "ranking.survival_game": leagues.failures(),
    "ranking.item_response": leagues.scores(binary=True),
    "ranking.length_controlled": leagues.against(leagues.votes(), baseline=2),
    "ranking.learning_curves": leagues.curves(),
}
"""Tables for methods that need one of their own, by address."""

DRAWS = frozenset(
    f"ranking.{name}"
    for name in (
        *("iqm", "median", "optimality_gap", "performance_profile", "probability_of_improvement"),
        *("copeland", "kemeny", "maximal_lottery", "minimax", "multiwinner", "schulze", "split_cycle"),
        *("task_borda", "task_kemeny", "learning_curves", "mean_win_rate", "roboarena"),
    )
)
"""Methods whose error is drawn by row or code order: their values must agree, their variances nearly."""

DEALS = {"ranking.ppi_bradley_terry": 0.3}
"""Methods that deal clusters to folds by their codes: values move by less than this share of a standard error."""

FIXED = {"ranking.length_controlled": "cat"}
"""Policies whose value is known by definition: a baseline wins half of its comparisons with itself."""

VOTES = leagues.votes()
MIXED = leagues.votes(trusted=0.4)
SCORES = leagues.scores()
ADDRESSES = catalogue.addresses("ranking")


def needs_votes(address: str) -> bool:
    return "left" in catalogue.card(address).needs


def world(address: str) -> Any:
    if address in WORLDS:
        return WORLDS[address]
    if not needs_votes(address):
        return SCORES
    return MIXED if "trusted" in catalogue.card(address).needs else VOTES


def ranked(address: str, table: Any) -> Estimate:
    return catalogue.load(address).rank(table, **ARGUMENTS.get(address, {}))


def assert_same(address: str, one: Estimate, other: Estimate, *, order: np.ndarray | None = None) -> None:
    """Same values and errors; policy i of `one` is policy order[i] of `other`."""
    place = np.arange(len(one.names)) if order is None else order
    moves = DEALS.get(address, 0.0) * one.stderr
    assert (np.abs(other.value[place] - one.value) <= 1e-6 * np.abs(one.value) + 1e-7 + moves).all()
    there, scale = (
        other.covariance[np.ix_(place, place)],
        max(float(np.nanmax(np.abs(one.covariance), initial=0)), 1e-12),
    )
    if address in DRAWS or address in DEALS:
        np.testing.assert_allclose(np.diagonal(there) / scale, np.diagonal(one.covariance) / scale, atol=0.3)
    else:
        np.testing.assert_allclose(there / scale, one.covariance / scale, atol=1e-5)


each_method = pytest.mark.parametrize("address", ADDRESSES)
each_vote_method = pytest.mark.parametrize("address", [each for each in ADDRESSES if needs_votes(each)])


@each_method
def test_it_names_the_policies_and_is_whole(address: str) -> None:
    table = world(address)
    result = ranked(address, table)
    assert result.names == table.policies
    assert result.method.startswith(address)
    assert np.isfinite(result.value).all()
    fixed = np.array([name == FIXED.get(address) for name in result.names])
    assert (result.stderr[~fixed] > 0).all()
    np.testing.assert_allclose(result.covariance, result.covariance.T, atol=1e-9)
    assert np.linalg.eigvalsh(result.covariance).min() > -1e-6 * np.abs(result.covariance).max()
    ends = result.interval()
    assert ((ends[:, 0] <= result.value + 1e-9) & (result.value <= ends[:, 1] + 1e-9)).all()


@each_method
def test_its_card_says_what_its_values_are_in(address: str) -> None:
    assert catalogue.card(address).unit


@each_method
def test_higher_is_better(address: str) -> None:
    value = ranked(address, world(address)).value
    assert value[0] > value[4], "ant is the best and emu the worst by far"


@each_method
def test_row_order_changes_nothing(address: str) -> None:
    table = world(address)
    shuffled = table.take(np.random.default_rng(3).permutation(table.n))
    assert_same(address, ranked(address, table), ranked(address, shuffled))


@each_method
def test_names_of_policies_items_and_clusters_change_nothing(address: str) -> None:
    table, order = world(address), np.array([2, 0, 4, 1, 3])
    assert_same(address, ranked(address, table), ranked(address, leagues.renamed(table, order)), order=order)


@each_vote_method
def test_which_side_is_left_changes_nothing(address: str) -> None:
    table = world(address)
    turned = table.swapped(np.random.default_rng(11).random(table.n) < 0.5)
    assert_same(address, ranked(address, table), ranked(address, turned))


@each_vote_method
def test_rows_of_weight_nought_are_not_there(address: str) -> None:
    table = world(address)
    there = np.random.default_rng(13).random(table.n) < 0.95
    assert_same(
        address, ranked(address, replace(table, weight=there.astype(float))), ranked(address, table.take(there))
    )


@each_method
def test_the_same_seed_gives_the_same_answer_and_inputs_stay_untouched(address: str) -> None:
    table = leagues.frozen(copy.deepcopy(world(address)))
    state = worlds.global_generator()
    one, other = ranked(address, table), ranked(address, table)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert worlds.global_generator() == state


@each_method
def test_too_little_data_is_never_certainty(address: str) -> None:
    table = world(address)
    cases = leagues.too_little(table) if isinstance(table, Comparisons) else leagues.too_few_scores(table)
    for name, little in cases.items():
        try:
            result = ranked(address, little)
        except AdjudgeError:
            continue
        fixed = np.array([policy == FIXED.get(address) for policy in result.names])
        unknown = ~np.isfinite(result.value) | ~np.isfinite(result.stderr) | (result.stderr > 0) | fixed
        assert unknown.all(), f"{name}: stderr {result.stderr} of {result.value}"
        if not np.isfinite(result.value).all():
            assert result.findings, f"{name}: an answer is missing and no finding says why"
        ends = result.interval()
        assert not np.any((ends[:, 1] == ends[:, 0]) & ~fixed), f"{name}: {ends}"


@each_method
def test_the_verb_takes_a_table_first_and_the_rest_by_name(address: str) -> None:
    parameters = list(inspect.signature(catalogue.load(address).rank).parameters.values())
    assert all(
        parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters if parameter.default is not parameter.empty
    )
