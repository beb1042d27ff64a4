"""The laws of every rule that makes pairs: one prompt each, the better chosen, order, names, weights, gaps, no side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adjudge import catalogue
from adjudge.tables.paired_samples import PairedSamples
from adjudge.tables.samples import Samples, from_arrays

COLUMNS = {"prompt", "score", "error"}
ADDRESSES = [each for each in catalogue.addresses("pairing") if set(catalogue.card(each).needs) <= COLUMNS]
P, K = 7, 5

each_rule = pytest.mark.parametrize("address", ADDRESSES)


def columns(seed: int = 0) -> dict[str, Any]:
    """Scored samples in no order, of seven prompts with five each; scores are all unlike."""
    rng = np.random.default_rng(seed)
    return {"prompt": rng.permutation(np.repeat(np.arange(P), K)), "score": rng.normal(size=P * K)}


def made(address: str, given: dict[str, Any]) -> PairedSamples:
    found: PairedSamples = catalogue.load(address).pairs(from_arrays(**given))
    return found


def as_set(pairs: PairedSamples) -> set[tuple[float, float]]:
    """The pairs by their scores, which are all unlike."""
    of = pairs.samples.score
    return set(zip(of[pairs.chosen].tolist(), of[pairs.rejected].tolist(), strict=True))


def test_the_rules_are_found() -> None:
    assert {"pairing.all_pairs", "pairing.best_worst", "pairing.rejection"} <= set(ADDRESSES)


@each_rule
def test_both_are_of_one_prompt_and_the_chosen_one_scores_no_less(address: str) -> None:
    pairs = made(address, columns())
    rows: Samples = pairs.samples
    assert pairs.chosen.size
    np.testing.assert_array_equal(rows.prompt[pairs.chosen], rows.prompt[pairs.rejected])
    assert (pairs.chosen != pairs.rejected).all()
    np.testing.assert_allclose(pairs.margin, rows.score[pairs.chosen] - rows.score[pairs.rejected])
    assert (pairs.margin >= 0).all()
    assert ((pairs.preference >= 0.5) & (pairs.preference <= 1)).all()
    assert set(pairs.chosen) | set(pairs.rejected) <= set(pairs.accepted)


@each_rule
def test_the_same_seed_gives_the_same_pairs(address: str) -> None:
    one, two = made(address, columns()), made(address, columns())
    for name in ("chosen", "rejected", "preference", "weight", "accepted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@each_rule
def test_names_of_prompts_in_the_same_order_do_not_matter(address: str) -> None:
    given = columns()
    named = given | {"prompt": np.array(list("abcdefg"))[given["prompt"]]}
    assert as_set(made(address, given)) == as_set(made(address, named))


@each_rule
def test_a_sample_without_a_score_or_weight_is_in_no_pair(address: str) -> None:
    given = columns()
    gap = given | {"score": np.where(np.arange(P * K) % 4 == 0, np.nan, given["score"])}
    pairs = made(address, gap)
    assert np.isfinite(pairs.samples.score[np.r_[pairs.chosen, pairs.rejected]]).all()
    heavy = made(address, given | {"weight": np.where(given["prompt"] == 3, 0.0, 2.0)})
    assert 3 not in heavy.samples.prompt[heavy.chosen]


@each_rule
def test_a_weight_of_two_doubles_what_a_prompt_counts(address: str) -> None:
    one, two = (made(address, columns() | {"weight": weight}) for weight in (1.0, 2.0))
    np.testing.assert_allclose(two.weight, 2 * one.weight)


@each_rule
def test_one_sample_a_prompt_makes_no_pair_and_says_so(address: str) -> None:
    alone = made(address, {"prompt": np.arange(5), "score": np.arange(5.0)})
    assert alone.chosen.size == alone.preference.size == 0
    assert alone.findings


@each_rule
def test_scores_that_are_all_equal_prefer_neither(address: str) -> None:
    pairs = made(address, columns() | {"score": np.ones(P * K)})
    assert (pairs.preference == 0.5).all()


@each_rule
def test_the_samples_are_not_written_to(address: str) -> None:
    given = from_arrays(**columns(), error=0.5)
    before = {name: getattr(given, name).copy() for name in ("prompt", "score", "error", "weight")}
    catalogue.load(address).pairs(given)
    for name, old in before.items():
        np.testing.assert_array_equal(getattr(given, name), old)
