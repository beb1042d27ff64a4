"""Coefficients of agreement: published worked examples, what they become at their limits, and coverage, counted."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.core.estimate import Estimate, Part
from adjudge.errors import AdjudgeError
from adjudge.stats.agreement import cohen, icc, krippendorff, pooled
from adjudge.stats.agreement.coefficient import Coefficient
from adjudge.stats.agreement.weights import agreement

# Krippendorff (2011), Computing Krippendorff's alpha-reliability, Section C: four observers, twelve units, gaps.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
# https://en.wikipedia.org/wiki/Fleiss%27_kappa, worked example: 10 subjects, 14 raters, 5 categories.
SUBJECTS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ],
    dtype=float,
)
# Shrout, Fleiss (1979), Intraclass correlations, Table 2: six targets, four judges; results in Table 4.
TARGETS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def counted(labels: np.ndarray, classes: int) -> np.ndarray:
    """[m, C] counts of labels 1 … C in a raters-by-items table, 0 for a gap."""
    return np.array([np.bincount(column, minlength=classes + 1)[1:] for column in labels.T], dtype=float)


def two_raters(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """[m, C] one-hot labels of both raters from their table of joint counts."""
    joint = np.array(table)
    first, second = np.repeat(np.indices(joint.shape).reshape(2, -1), joint.ravel(), axis=1)
    return np.eye(len(joint))[first], np.eye(len(joint))[second]


def panel(rng: np.random.Generator, items: int, raters: int = 5, right: float = 0.7, classes: int = 3) -> np.ndarray:
    """[items, classes] counts of raters who know the class with chance `right` and guess otherwise."""
    truth = rng.choice(classes, size=(items, 1), p=[0.5, 0.3, 0.2])
    said = np.where(rng.random((items, raters)) < right, truth, rng.integers(classes, size=(items, raters)))
    return np.eye(classes)[said].sum(axis=1)


def test_alpha_of_krippendorffs_own_example() -> None:
    counts = counted(OBSERVERS, 5)
    rater, item = np.nonzero(OBSERVERS)
    numbers = krippendorff.interval(item, OBSERVERS[rater, item].astype(float), np.ones(item.size), items=12)
    assert krippendorff.nominal(counts).value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff.ordinal(counts).value == pytest.approx(0.815, abs=5e-4)
    assert numbers.value == pytest.approx(0.849, abs=5e-4)


def test_percent_and_gwet_of_the_same_example() -> None:
    """irrCAC, reference manual, `gwet.ac1.raw(cac.raw4raters)` on the same table: pa 0.818, AC1 0.775, Fleiss 0.761."""
    counts = counted(OBSERVERS, 5)
    assert pooled.percent(counts).value == pytest.approx(0.81818, abs=5e-6)
    assert pooled.gwet(counts).value == pytest.approx(0.77544, abs=5e-6)
    assert pooled.fleiss(counts).value == pytest.approx(0.76117, abs=5e-6)


def test_fleiss_kappa_of_the_worked_example() -> None:
    assert pooled.fleiss(SUBJECTS).value == pytest.approx(0.210, abs=5e-4)


def test_cohens_kappa_of_the_grant_proposals() -> None:
    """https://en.wikipedia.org/wiki/Cohen%27s_kappa: 20, 5, 10, 15; and 45, 15, 25, 15; and 25, 35, 5, 35."""
    assert cohen.kappa(*two_raters([[20, 5], [10, 15]])).value == pytest.approx(0.4)
    assert cohen.kappa(*two_raters([[45, 15], [25, 15]])).value == pytest.approx(0.1304, abs=5e-5)
    assert cohen.kappa(*two_raters([[25, 35], [5, 35]])).value == pytest.approx(0.2593, abs=5e-5)


@pytest.mark.parametrize(("kind", "printed"), [("ICC(1)", 0.17), ("ICC(2,1)", 0.29), ("ICC(3,1)", 0.71)])
def test_intraclass_correlations_of_shrout_and_fleiss(kind: str, printed: float) -> None:
    assert icc.icc(TARGETS, kind).value == pytest.approx(printed, abs=5e-3)


def test_quadratic_kappa_with_equal_margins_is_the_correlation() -> None:
    left, right = two_raters([[7, 2, 1], [1, 5, 2], [2, 1, 3]])
    grade = np.arange(3.0)
    kappa = cohen.kappa(left, right, weights=agreement(grade, "quadratic")).value
    assert kappa == pytest.approx(np.corrcoef(left @ grade, right @ grade)[0, 1])


def test_limits_between_coefficients() -> None:
    left, right = two_raters([[20, 5], [10, 15]])
    both = left + right
    share = both.sum(axis=0) / both.sum()
    scott = (0.7 - share @ share) / (1 - share @ share)
    assert pooled.fleiss(both).value == pytest.approx(scott)  # two raters: Scott's pi, by hand
    alpha = krippendorff.nominal(both).value
    assert 1 - alpha == pytest.approx((1 - scott) * (1 - 1 / 100))  # alpha corrects for 100 labels
    for weight in ("linear", "quadratic"):
        a = agreement(np.array([0.0, 1.0]), weight)
        assert cohen.kappa(left, right, weights=a).value == pytest.approx(0.4)
        assert pooled.gwet(both, weights=a).value == pytest.approx(pooled.gwet(both).value)
    assert krippendorff.ordinal(both).value == pytest.approx(alpha)


def all_of(counts: np.ndarray) -> list[Coefficient]:
    made = [pooled.percent(counts), pooled.fleiss(counts), pooled.gwet(counts)]
    return [*made, krippendorff.nominal(counts), krippendorff.ordinal(counts)]


def test_influence_is_the_jackknife_and_replicates_agree_with_it() -> None:
    counts = panel(np.random.default_rng(1), 307)
    for at, coefficient in enumerate(all_of(counts)):
        left_out = np.array([all_of(np.delete(counts, i, axis=0))[at].value for i in (0, 5, 301)])
        psi = coefficient.influence()
        np.testing.assert_allclose(psi[[0, 5, 301]], (coefficient.value - left_out) * 306 / 307, atol=1e-12)
        spread = coefficient.replicates(draws=2000, seed=3).std()
        assert spread == pytest.approx(float(np.sqrt(Part.from_influence("", psi[:, None]).covariance[0, 0])), rel=0.08)


def test_replicates_of_distinct_items_are_replicates_too() -> None:
    table = np.random.default_rng(2).normal(size=(101, 1)) + np.random.default_rng(3).normal(size=(101, 3))
    coefficient = icc.icc(table, "ICC(1)")
    assert coefficient.sums.shape[0] == 101  # no two items alike: drawn by number
    error = np.sqrt(Part.from_influence("", coefficient.influence()[:, None]).covariance[0, 0])
    assert coefficient.replicates(draws=2000).std() == pytest.approx(float(error), rel=0.12)
    np.testing.assert_array_equal(coefficient.replicates(draws=7, seed=1), coefficient.replicates(draws=7, seed=1))


def test_intervals_cover() -> None:
    """Item-clustered 90 % intervals on 61 items; the truth is the value on 400,000 items."""
    trials, truth = 400, [c.value for c in all_of(panel(np.random.default_rng(11), 400_000))]
    inside = np.zeros(len(truth))
    for seed in range(trials):
        for at, coefficient in enumerate(all_of(panel(np.random.default_rng((5, seed)), 61))):
            part = Part.from_influence("sampling", coefficient.influence()[:, None])
            low, high = Estimate(("",), np.array([coefficient.value]), (part,), 60, (-1.0, 1.0)).interval(0.9)[0]
            inside[at] += low <= truth[at] <= high
    assert (np.abs(inside / trials - 0.9) < 3 * np.sqrt(0.9 * 0.1 / trials) + 0.01).all()


def test_alike_labels_few_items_and_wrong_words() -> None:
    alike = np.tile([3.0, 0.0], (5, 1))
    assert np.isnan([pooled.fleiss(alike).value, krippendorff.nominal(alike).value]).all()
    assert pooled.gwet(alike).value == pooled.percent(alike).value == 1.0
    assert np.isnan(krippendorff.interval(np.arange(4) // 2, np.full(4, 0.1), np.ones(4), items=2).value)
    assert np.isnan(icc.icc(np.full((5, 3), 7.0)).value)
    assert np.isnan(icc.icc(np.full((5, 3), np.nan)).value)
    single = pooled.percent(np.array([[2.0, 1.0]]))
    assert np.isnan(single.influence()).all()
    assert np.isnan(krippendorff.nominal(np.eye(3)).value)  # one label an item: nothing to compare
    assert np.isnan(krippendorff.nominal(np.zeros((0, 2))).replicates(draws=3)).all()
    with pytest.raises(AdjudgeError, match="cubic"):
        agreement(np.arange(3.0), "cubic")
    with pytest.raises(AdjudgeError, match="no numbers"):
        agreement(np.array([1.0, np.nan]), "linear")
    with pytest.raises(AdjudgeError, match="ICC"):
        icc.icc(TARGETS, "ICC(4)")
