"""Committees: against all subsets, within the promised factor of the best, quotas always met."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import multiwinner
from adjudge.stats.voting import committee
from ranking.test_task_borda import table

RULES = committee.RULES
NONE = {"group": np.zeros(7, int), "quota": np.zeros(1, int)}


def scores(seed: int, voters: int = 11, k: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(voters, k))


def best_of_all(U: np.ndarray, rule: str, seats: int, group: np.ndarray, quota: np.ndarray) -> float:
    """Highest total worth of all committees that meet the quotas."""
    allowed = (
        np.array(each)
        for each in itertools.combinations(range(U.shape[1]), seats)
        if (np.bincount(group[list(each)], minlength=quota.size) >= quota).all()
    )
    return max(committee.worth(U, each, rule).sum() for each in allowed)


def test_worth_by_hand() -> None:
    U = committee.utilities(np.array([[4.0, 3, 2, 1], [1.0, 4, 2, 3]]), "borda")
    np.testing.assert_allclose(U * 3, [[3, 2, 1, 0], [0, 3, 1, 2]])
    pair = np.array([0, 3])
    np.testing.assert_allclose(committee.worth(U, pair, "borda") * 3, [3, 2])
    np.testing.assert_allclose(committee.worth(U, pair, "chamberlin_courant") * 3, [3, 2])
    np.testing.assert_allclose(committee.worth(U, np.array([0, 1]), "harmonic") * 3, [3 + 2 / 2, 3 + 0 / 2])
    np.testing.assert_allclose(committee.utilities(np.array([[1.0, 1, 0, np.nan]]), "sntv"), [[0.5, 0.5, 0, 0]])


@pytest.mark.parametrize("rule", RULES)
def test_greedy_is_within_its_promise_and_exact_is_the_best(rule: str) -> None:
    for seed in range(5):
        U = committee.utilities(scores(seed), rule)
        best = best_of_all(U, rule, 3, **NONE)
        greedy = committee.greedy(U, np.ones((1, 11)), seats=3, rule=rule, **NONE)[0]
        exact = committee.exact(U, np.ones(11), seats=3, rule=rule, **NONE)
        assert committee.worth(U, greedy, rule).sum() >= (1 - 1 / np.e) * best - 1e-9
        assert committee.worth(U, exact, rule).sum() == pytest.approx(best)
        if rule in ("sntv", "borda"):
            assert committee.worth(U, greedy, rule).sum() == pytest.approx(best)


@pytest.mark.parametrize("rule", RULES)
def test_quotas_are_met_and_greedy_is_within_a_half(rule: str) -> None:
    group, quota = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 2, 1])
    for seed in range(5):
        U = committee.utilities(scores(seed) - 5 * (group > 0), rule)  # nobody would choose groups 1 and 2
        best = best_of_all(U, rule, 4, group, quota)
        chosen = committee.greedy(
            U, np.random.default_rng(1).random((13, 11)), seats=4, rule=rule, group=group, quota=quota
        )
        for each in chosen:
            assert np.unique(each).size == 4
            assert (np.bincount(group[each], minlength=3) >= quota).all()
        plain = committee.greedy(U, np.ones((1, 11)), seats=4, rule=rule, group=group, quota=quota)[0]
        assert committee.worth(U, plain, rule).sum() >= best / 2 - 1e-9
        exact = committee.exact(U, np.ones(11), seats=4, rule=rule, group=group, quota=quota)
        assert committee.worth(U, exact, rule).sum() == pytest.approx(best)


def test_one_seat_is_the_highest_mean_rank() -> None:
    made = table(scores(3)[:, :, None])
    winners = {rule: int(np.argmax(multiwinner.rank(made, size=1, rule=rule).value)) for rule in RULES[1:]}
    place = np.argsort(np.argsort(scores(3), axis=1), axis=1).mean(axis=0)
    assert set(winners.values()) == {int(place.argmax())}


def test_the_value_is_what_a_seat_hangs_on() -> None:
    score = scores(5)
    result = multiwinner.rank(table(score[:, :, None]), size=3, exact=True)
    U = committee.utilities(score, "chamberlin_courant")
    members = np.flatnonzero(result.value > 0)
    assert members.size == 3
    total = committee.worth(U, members, "chamberlin_courant").mean()
    assert result.figures["score"].value[0] == pytest.approx(total)
    for member in members:
        rest = [m for m in members if m != member]
        swaps = [
            committee.worth(U, np.array([*rest, o]), "chamberlin_courant").mean() for o in set(range(7)) - set(members)
        ]
        assert result.value[member] == pytest.approx(total - max(swaps))


def test_membership_is_likelier_the_more_hangs_on_it() -> None:
    result = multiwinner.rank(table((scores(7, 199) + np.linspace(1, -1, 7))[:, :, None]), size=3, rule="borda")
    chance = result.figures["membership"].value
    assert chance[:2].min() > 0.95
    assert chance[5:].max() < 0.05
    assert chance.sum() == pytest.approx(3)


def test_bias_costs_worth_by_trusted_labels_and_quotas_give_it_back() -> None:
    true = np.random.default_rng(11).random((301, 8))
    unfair = true * np.where(np.arange(8) < 4, 1.0, 0.4)
    made = replace(table(unfair[:, :, None]), gold=true.ravel())
    groups = {name: "one" if i < 4 else "other" for i, name in enumerate(made.policies)}
    options = {"size": 4, "rule": "borda", "groups": groups}
    plain, fair = (multiwinner.rank(made, quotas=quotas, **options) for quotas in (None, {"other": 2}))
    assert (fair.value[4:] > 0).sum() == 2
    assert (plain.value[4:] > 0).sum() == 0
    assert fair.figures["latent"].value[0] >= plain.figures["latent"].value[0] - 0.02


def test_what_cannot_be_is_refused() -> None:
    made = table(scores(1)[:, :, None])
    for wrong, match in (
        ({"rule": "approval"}, "rule"),
        ({"size": 8}, "size is 8"),
        ({"size": 2, "groups": dict.fromkeys(made.policies, "all"), "quotas": {"all": 3}}, "quotas sum to 3"),
        ({"quotas": {"nobody": 1}}, "no policy or group"),
        ({"draws": 1}, "draws is 1"),
    ):
        with pytest.raises(AdjudgeError, match=match):
            multiwinner.rank(made, **wrong)


def test_missing_scores_rank_last_and_are_told() -> None:
    score = scores(2)
    score[3, 1] = np.nan
    result = multiwinner.rank(table(score[:, :, None]), size=2)
    assert "scores-missing" in [finding.code for finding in result.findings]
    assert np.isfinite(result.value).all()
