"""People's ranking from a tenth of their votes and all of two judges': real votes, bundled as `votes`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.core.estimate import Estimate
from adjudge.ranking import bradley_terry, ppi_bradley_terry
from adjudge.tables import bundled
from adjudge.tables.comparisons import Comparisons
from adjudge.tables.read_comparisons import read

TENTHS = 12


@pytest.fixture(scope="module")
def votes() -> Comparisons:
    return read(bundled.path("votes"), rater="rater_kind", gold="crowd", item="prompt")


@pytest.fixture(scope="module")
def crowd(votes: Comparisons) -> Estimate:
    """All people's votes, each match counting once, as the prediction-powered ranking counts them."""
    people = votes.take(votes.trusted)
    once = 1.0 / np.bincount(people.match)[people.match]
    return bradley_terry.rank(replace(people, weight=once))


def tenth(votes: Comparisons, seed: int) -> Comparisons:
    """All judges' votes, and people's on a random tenth of the matches."""
    matches = np.unique(votes.match)
    kept = np.random.default_rng(seed).choice(matches, matches.size // 10, replace=False)
    return votes.take(~votes.trusted | np.isin(votes.match, kept))


def test_a_tenth_of_the_labels_agrees_with_all_of_them_within_its_intervals(votes, crowd) -> None:
    inside, sharper = [], []
    for seed in range(TENTHS):
        part = tenth(votes, seed)
        answer = ppi_bradley_terry.rank(part)
        low, high = answer.interval().T
        known = np.isfinite(low) & np.isfinite(crowd.value)
        assert known.mean() > 0.8
        # both are centred on the policies that have a rating: compare on those
        shift = (crowd.value - answer.value)[known].mean()
        inside.append(((low <= crowd.value - shift) & (crowd.value - shift <= high))[known].mean())
        sharper.append(np.nanmedian(answer.stderr / answer.figures["labels_only"].stderr))
    # 95 % of 59 policies in 12 tenths that share the judges: four standard errors of a tenth's share are 3 points
    assert np.mean(inside) > 0.92, inside
    assert np.median(sharper) < 0.95, sharper
