"""Who can be rated at all: every way in which votes fail to place a policy, and the finding that says so."""

import numpy as np
import pytest

from adjudge.core.finding import Severity
from adjudge.stats.paired import graph
from adjudge.stats.paired.votes import collect
from adjudge.tables.comparisons import from_arrays

RING = [(0, 1, 1), (1, 2, 1), (2, 0, 1)]


def examine(votes, k=None, prior=False, **columns):
    left, right, outcome = map(np.array, zip(*votes, strict=True))
    names = tuple("abcdefgh"[: k or int(max(left.max(), right.max())) + 1])
    table = from_arrays(left, right, outcome.astype(float), policies=names, **columns)
    return graph.examine(collect(table), names, prior=prior)


def codes(reach, severity=Severity.SEVERE):
    return {finding.code: set(finding.subject) for finding in reach.findings if finding.severity == severity}


def test_a_ring_of_wins_rates_everybody():
    reach = examine(RING)
    assert reach.keep.all()
    assert codes(reach) == {}


@pytest.mark.parametrize(
    ("more", "code", "subject"),
    [
        ([(3, 0, 1), (3, 1, 1)], "policy-undefeated", {"d"}),
        ([(0, 3, 1), (3, 1, 0)], "policy-winless", {"d"}),
        ([(3, 4, 1), (4, 3, 1), (3, 0, 1)], "policy-undefeated", {"d", "e"}),
        ([(3, 4, 1), (4, 3, 1)], "policies-unconnected", {"d", "e"}),
        ([(3, 0, 1), (3, 4, 1)], "policies-unconnected", {"e"}),
    ],
)
def test_policies_that_no_finite_rating_explains(more, code, subject):
    reach = examine(RING + more)
    assert codes(reach)[code] == subject
    assert reach.keep.tolist() == [True] * 3 + [False] * (reach.keep.size - 3)


def test_a_tie_links_both_ways_and_a_vote_of_weight_nothing_does_not():
    assert examine([*RING, (3, 0, 0.5)]).keep.all()
    assert examine([*RING, (3, 0, 0.99)]).keep.all()
    reach = examine([*RING, (3, 0, 1), (3, 0, 0)], weight=np.array([1.0, 1, 1, 1, 0]))
    assert codes(reach)["policy-undefeated"] == {"d"}


def test_a_policy_without_votes_and_verdicts_that_are_unknown():
    assert codes(examine(RING, k=4))["policy-without-votes"] == {"d"}
    assert codes(examine([*RING, (3, 0, np.nan)]))["policy-without-votes"] == {"d"}


def test_nobody_can_be_rated_when_all_is_tied_or_one_always_wins():
    assert set(codes(examine([(0, 1, 0.5), (1, 2, 0.5)]))) == {"votes-all-tied"}
    assert set(codes(examine([(0, 1, 1), (0, 1, 1)]))) == {"ratings-unbounded"}
    assert not examine([(0, 1, 1), (1, 2, 1), (0, 2, 1)]).keep.any()


def test_a_prior_rates_whoever_played_and_says_what_rests_on_it():
    reach = examine([*RING, (3, 0, 1)], k=5, prior=True)
    assert reach.keep.tolist() == [True, True, True, True, False]
    assert codes(reach) == {"policy-without-votes": {"e"}}
    assert codes(reach, Severity.WARNING)["policy-undefeated"] == {"d"}


def test_one_lost_vote_of_many_is_told_as_near_separation():
    reach = examine([*RING * 5, *[(3, 0, 1)] * 20, (3, 0, 0)])
    assert codes(reach, Severity.WARNING) == {"ratings-hang-on-few-votes": {"d"}}
