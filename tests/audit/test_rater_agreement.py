"""What is said of raters: chance, low, prevalence, opposition, and silence that owns up to being silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.audit import rater_agreement
from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.stats.agreement import chance, icc, krippendorff
from adjudge.tables.annotations import Annotations


def table(labels: np.ndarray, *, classes: int, ordinal: bool = False, named: bool = True) -> Annotations:
    """From [m, J] labels, −1 for a gap."""
    m, raters = labels.shape
    item, rater = np.nonzero(labels >= 0)
    value = np.full(classes, np.nan) if named else np.arange(float(classes))
    return Annotations(
        tuple(f"item {i:05}" for i in range(m)),
        tuple("abcdefghijklmnopqrstuvwxyz"[:raters]),
        tuple(f"class {c}" for c in range(classes)),
        item,
        rater,
        labels[item, rater],
        np.full(m, -1),
        np.ones(item.size),
        value,
        ordinal,
    )


def drawn(seed: int, *, items: int = 211, raters: int = 3, right: float = 0.9, share: float = 0.5) -> np.ndarray:
    """[m, J] binary labels: the truth with chance `right`, a guess of the same prevalence otherwise."""
    rng = np.random.default_rng(seed)
    truth = rng.random((items, 1)) < share
    guess = rng.random((items, raters)) < share
    return np.where(rng.random((items, raters)) < right, truth, guess).astype(int)


def codes(labels: np.ndarray, **options: float) -> list[str]:
    return [finding.code for finding in rater_agreement.check(table(labels, classes=2), **options).findings]


def test_good_raters_raise_nothing() -> None:
    assert codes(drawn(1, right=0.97)) == []


def test_guessing_is_chance_and_middling_is_low() -> None:
    assert codes(drawn(1, right=0.0)) == ["raters-at-chance"]
    assert codes(drawn(1, right=0.7)) == ["agreement-low"]


def test_the_interval_of_guessing_raters_covers_zero() -> None:
    trials = 200
    covered = 0
    for seed in range(trials):
        audit = rater_agreement.check(table(drawn(seed, items=101, right=0.0), classes=2))
        low, high = audit.figures["agreement"].interval(0.9)[2]
        covered += low <= 0 <= high
    assert abs(covered / trials - 0.9) < 3 * np.sqrt(0.9 * 0.1 / trials)


def test_too_few_items_are_called_too_few() -> None:
    audit = rater_agreement.check(table(drawn(3, items=13, right=0.8), classes=2))
    assert [finding.code for finding in audit.findings] == ["agreement-undecided"]
    assert "instead of 13" in audit.findings[0].remedy
    blind = rater_agreement.check(table(drawn(3, items=11, raters=2, right=0.0), classes=2)).findings[0]
    assert blind.code == "agreement-undecided"  # an interval this wide shows neither chance nor agreement
    assert "from chance" in blind.message
    assert blind.severity is Severity.WARNING


def test_prevalence_is_told_from_disagreement() -> None:
    labels = np.zeros((499, 2), dtype=int)
    labels[:20, 0] = 1  # 36 disagreements and two agreements on the rare class
    labels[18:38, 1] = 1
    audit = rater_agreement.check(table(labels, classes=2))
    found = {finding.code: finding for finding in audit.findings}
    assert "agreement-by-prevalence" in found
    assert "96 % of labels are class 0" in found["agreement-by-prevalence"].message
    assert "agreement-by-prevalence" not in codes(drawn(1, right=0.6))


def test_a_rater_who_reads_the_scale_backwards_is_named() -> None:
    labels = drawn(5, right=0.95)
    labels[:, 2] = 1 - labels[:, 2]
    found = [f for f in rater_agreement.check(table(labels, classes=2)).findings if f.code == "raters-opposed"]
    assert [finding.subject for finding in found] == [("a", "c"), ("b", "c")]


def test_the_scale_decides_which_alpha() -> None:
    labels = np.random.default_rng(2).integers(2, size=(97, 3)) + np.random.default_rng(3).integers(3, size=(97, 1))
    counts = table(labels, classes=4).counts
    alphas = [
        rater_agreement.check(table(labels, classes=4, ordinal=ordinal, named=named)).figures["agreement"].value[2]
        for ordinal, named in ((False, True), (True, True), (True, False))
    ]
    item = np.repeat(np.arange(97), 3)
    numbers = krippendorff.interval(item, labels.ravel().astype(float), np.ones(item.size), items=97)
    expected = [krippendorff.nominal(counts).value, krippendorff.ordinal(counts).value, numbers.value]
    assert alphas == pytest.approx(expected)
    graded = rater_agreement.check(table(labels, classes=4, ordinal=True, named=False)).figures["icc"]
    assert graded.value.tolist() == pytest.approx([icc.icc(labels.astype(float), kind).value for kind in icc.KINDS])


def test_row_order_names_and_weights_change_nothing() -> None:
    plain = table(drawn(4, right=0.7), classes=2)
    rng = np.random.default_rng(0)
    one = rater_agreement.check(plain)
    shuffled = rater_agreement.check(plain.take(rng.permutation(plain.n)))
    turned = rater_agreement.check(replace(plain, label=1 - plain.label))
    renamed = rater_agreement.check(replace(plain, rater=2 - plain.rater, raters=plain.raters[::-1]))
    assert sorted(renamed.figures["pairs"].value) == pytest.approx(sorted(one.figures["pairs"].value))
    for other in (shuffled, turned):
        for name, figure in one.figures.items():
            np.testing.assert_allclose(figure.value, other.figures[name].value)
            np.testing.assert_allclose(figure.stderr, other.figures[name].stderr)
    twice = rater_agreement.check(replace(plain, weight=np.full(plain.n, 2.0)))
    repeated = rater_agreement.check(plain.take(np.repeat(np.arange(plain.n), 2)))
    np.testing.assert_allclose(twice.figures["agreement"].value, repeated.figures["agreement"].value)


def test_the_table_stays_untouched_and_findings_are_whole_sentences() -> None:
    plain = table(drawn(3, items=13, right=0.8), classes=2)
    for array in (plain.item, plain.rater, plain.label, plain.gold, plain.weight, plain.value):
        array.flags.writeable = False
    first, second = (rater_agreement.check(plain).findings for _ in range(2))
    assert first == second
    assert all(f.message.endswith(".") and f.remedy.endswith(".") and " " not in f.code for f in first)


def test_raters_who_never_differ_get_the_rule_of_three() -> None:
    same = np.tile(drawn(1, raters=1), (1, 3))
    graded = table(same, classes=2, ordinal=True, named=False)
    for given in (table(same, classes=2), replace(graded, value=np.array([0.1, 0.7]))):
        audit = rater_agreement.check(given)
        assert [finding.code for finding in audit.findings] == ["agreement-complete"]
    assert (1 - audit.findings[0].number) ** 211 == pytest.approx(0.05)
    assert np.isnan(audit.figures["agreement"].stderr[2])  # and no interval of width 0


def test_nothing_to_compare_is_said_to_be_nothing() -> None:
    alone = np.full((31, 2), -1)
    alone[:, 0] = np.arange(31) % 2
    for labels in (alone, np.zeros((31, 3), dtype=int), np.zeros((0, 2), dtype=int), np.array([[0, 1]])):
        audit = rater_agreement.check(table(labels, classes=2))
        assert [finding.code for finding in audit.findings] == ["agreement-unknown"]
        assert audit.findings[0].severity is Severity.WARNING
    with pytest.raises(AdjudgeError, match="level"):
        rater_agreement.check(table(alone, classes=2), level=1.0)


def test_raters_who_say_yes_once_in_fifty_by_chance_are_not_opposed() -> None:
    """They hardly ever say it together; from items left out alone, 95 % once covered 14 % and 75 % were `opposed`."""
    rng, inside, opposed = np.random.default_rng(29), [], 0
    names, (item, rater) = tuple(f"{i:03}" for i in range(307)), np.divmod(np.arange(614), 2)
    for _ in range(200):
        label = (rng.random(614) < 0.02).astype(int)
        gold, weight = np.full(307, -1), np.ones(614)
        classes = ("a", "b"), ("no", "yes")
        table = Annotations(names, *classes, item, rater, label, gold, weight, np.full(2, np.nan))
        told = rater_agreement.check(table)
        opposed += any(finding.code == "raters-opposed" for finding in told.findings)
        low, high = told.figures["agreement"].interval()[2]
        inside.append(not low > 0 and not high < 0)
    assert opposed / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean(inside) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 200)


def test_variance_by_chance_is_what_chance_makes() -> None:
    rng, r, s = np.random.default_rng(31), np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.4, 0.2])
    apart = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    one, two = rng.choice(3, (3000, 101), p=r), rng.choice(3, (3000, 101), p=s)
    shares = [np.stack([(each == c).mean(axis=1) for c in range(3)], axis=1) for each in (one, two)]
    kappa = 1 - apart[one, two].mean(axis=1) / np.einsum("bc,ck,bk->b", shares[0], apart, shares[1])
    assert chance.variance(apart, r, s, 101.0) == pytest.approx(kappa.var(), rel=0.1)
