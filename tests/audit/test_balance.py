"""Balance audit: unbiased at any n, right sign, cluster-robust, and silent about what it cannot judge."""

import dataclasses

import numpy as np

from adjudge.audit.balance import check
from adjudge.tables.ratings import Ratings


def _table(score, gold, cluster=None):
    n = len(score)
    return Ratings(
        ("a",), ("judge",), np.zeros(n, int), np.arange(n), np.arange(n) if cluster is None else cluster,
        np.asarray(score, float)[:, None], np.asarray(gold, float), np.ones(n), np.full(n, np.nan), np.zeros(n),
        np.empty((n, 0)),
    )  # fmt: skip


def _draw(seed, n, stretch):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 2, n)
    return _table(np.clip(0.5 + stretch * (p - 0.5), 0, 1), rng.random(n) < p)


def test_sign_and_finding():
    over, under = check(_draw(1, 997, 1.5)), check(_draw(1, 997, 0.4))
    assert [f.code for f in (*over.findings, *under.findings)] == ["overconfident", "underconfident"]
    assert over.figures["balance"].value[0] < 0 < under.figures["balance"].value[0]


def test_intervals_cover_and_false_alarms_keep_their_level():
    alarms = sum(bool(check(_draw(seed, 101, 1.0)).findings) for seed in range(600))
    assert abs(alarms / 600 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 600)


def test_rows_repeated_within_clusters_say_nothing_new():
    one = _draw(2, 53, 1.2)
    rows = np.repeat(np.arange(53), 3)
    many = _table(one.score[rows, 0], one.gold[rows], cluster=rows)
    first, second = check(one).figures["balance"], check(many).figures["balance"]
    np.testing.assert_allclose(second.value, first.value)
    np.testing.assert_allclose(second.stderr, first.stderr)


def test_recorded_propensities_weigh():
    ratings = _table([0.8, 0.8, 0.8], [1, 0, 0])
    ratings = dataclasses.replace(ratings, propensity=np.array([0.25, 0.5, 1.0]))  # weights 4, 2, 1
    np.testing.assert_allclose(check(ratings).figures["balance"].value, (4 * 0.2 - 3 * 0.8) / 7)


def test_other_units_and_too_few_labels_are_passed_over():
    assert check(_table([3.0, 4.0, 5.0], [0, 1, 1])).figures == {}
    assert check(_table([0.3, 0.4], [1, np.nan])).figures == {}
