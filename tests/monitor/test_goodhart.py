"""Goodhart: a bandit worked by hand, random processes where the stop never lowers gold, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.monitor import goodhart
from adjudge.stats import occupancy_geometry as geometry
from adjudge.tables.reward_process import from_arrays


def world(seed, *, turn=None, S=5, k=3, discount=0.8):
    """Gold is the proxy turned by this angle, within the polytope."""
    rng = np.random.default_rng((seed, 1009))
    moves, initial = rng.dirichlet(np.ones(S), (S, k)), rng.dirichlet(np.ones(S))
    proxy, other = rng.normal(size=(2, S * k))
    bare = from_arrays(moves, initial, proxy.reshape(S, k), discount=discount)
    if turn is None:
        return bare
    inside = geometry.directions(bare)
    one = inside @ proxy / np.linalg.norm(inside @ proxy)
    aside = inside @ other - (inside @ other @ one) * one
    gold = np.cos(turn) * one + np.sin(turn) * aside / np.linalg.norm(aside)
    return from_arrays(moves, initial, proxy.reshape(S, k), gold.reshape(S, k), discount=discount)


def test_a_bandit_by_hand():
    """Rewards 1, .8, 0 from (1, 1, 1)/3: by (.4, .2, −.6) to (5/9, 4/9, 0), then by (1, −1, 0) to (1, 0, 0)."""
    arms = from_arrays(np.ones((1, 3, 1)), [1.0], [[1.0, 0.8, 0.0]], [[0.6, 1.0, 0.0]], discount=0.0)
    seen = goodhart.watch(arms)
    assert seen.figures["proxy"].value == pytest.approx([0.6, 5 / 9 + 3.2 / 9, 1])
    assert seen.figures["gold"].value == pytest.approx([1.6 / 3, 7 / 9, 0.6])
    one, two = np.array([0.4, 0.2, -0.6]), np.array([0.2, 1.4, -1.6]) / 3
    cosine = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert seen.figures["stop"].value == pytest.approx([np.arccos(cosine), 1, 7 / 9 - 0.6, 0])
    assert [finding.code for finding in seen.findings] == ["stop-early", "gold-fell"]


@pytest.mark.parametrize("turn", [0.3, 0.7, 1.2])
def test_gold_never_falls_on_the_way_to_the_stop(turn):
    for seed in range(11):
        seen = goodhart.watch(world(seed, turn=turn))
        angle, safe, drop, lost = seen.figures["stop"].value
        gold = seen.figures["gold"].value
        assert angle == pytest.approx(turn, abs=1e-6)
        assert (np.diff(gold[: int(safe) + 1]) >= -1e-9).all()
        assert drop >= 0
        assert lost >= 0
        assert drop == 0 or safe < gold.size - 1


def test_a_gold_that_is_the_proxy_is_safe_to_the_end():
    seen = goodhart.watch(world(3, turn=0.0), angle=0.0)
    assert [finding.code for finding in seen.findings] == ["safe-to-the-end"]
    assert seen.figures["gold"].value[-1] == pytest.approx(1)


def test_without_gold_the_angle_must_be_given():
    bare = world(3)
    with pytest.raises(AdjudgeError, match="not known"):
        goodhart.watch(bare)
    seen = goodhart.watch(bare, angle=0.7)
    assert [finding.code for finding in seen.findings] == ["stop-early"]
    assert np.isnan(seen.figures["gold"].value).all()


def test_what_has_no_answer_is_refused():
    with pytest.raises(AdjudgeError, match="angle"):
        goodhart.watch(world(3, turn=2.0))
    with pytest.raises(AdjudgeError, match="angle"):
        goodhart.watch(world(3), angle=-0.1)
    flat = from_arrays(np.ones((1, 3, 1)), [1.0], np.ones((1, 3)), discount=0.0)
    with pytest.raises(AdjudgeError, match="0 stretches"):
        goodhart.watch(flat, angle=0.3)
