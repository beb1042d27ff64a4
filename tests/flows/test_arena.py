"""The bundled real data: what must come out, with the adversarial policy checked by labels and without."""

import numpy as np
import pytest

from adjudge.core.finding import Severity
from adjudge.flows.evaluate import evaluate


@pytest.fixture(scope="module")
def whole():
    return evaluate("arena", judge="judge_score", gold="oracle_label")


@pytest.fixture(scope="module")
def fresh():
    return evaluate("arena", judge="judge_score", gold="oracle_label", where="split = 'fresh'")


def _of(answer, name):
    p = answer.estimate.index(name)
    return answer.estimate.value[p], *answer.interval[p], p


def test_labels_attach_and_rows_are_not_counted_twice(whole):
    assert whole.ratings.n == 4000
    assert whole.ratings.labelled.sum() == 630
    (found,) = [finding for finding in whole.findings if finding.code == "duplicate-rows"]
    assert found.number == 150


def test_the_adversarial_policy_is_last_with_certainty(whole):
    value, low, high, p = _of(whole, "unhelpful")
    assert high - low < 0.12
    # 50 labels alone say 0.159 ± 0.069; PPI++ worked by hand says 0.130 with standard error 0.022
    assert abs(value - 0.159) < 0.069
    assert abs(value - 0.130) < 0.022
    assert whole.ranks[p].tolist() == [4, 4]
    assert whole.p_best[p] < 1e-3


def test_the_judge_is_found_to_flatter_it(whole):
    shifts = {finding.subject[0]: finding.number for finding in whole.findings if finding.code == "judge-shifts"}
    assert shifts["unhelpful"] > 0.03


def test_without_its_labels_its_interval_is_bounded_and_not_wrong(fresh):
    _, low, high, _ = _of(fresh, "unhelpful")
    assert 0 <= low <= 0.13
    assert 0.16 <= high <= 1
    (found,) = [f for f in fresh.findings if f.code == "not-verified" and f.subject == ("unhelpful",)]
    assert found.severity is Severity.SEVERE
    assert "Label 30 or more" in found.remedy
    assert found.number == pytest.approx(fresh.shift.shift[fresh.estimate.index("unhelpful")])
    assert fresh.severe


def test_the_labelled_policy_keeps_its_interval_without_the_others(fresh, whole):
    np.testing.assert_allclose(_of(fresh, "base")[:3], _of(whole, "base")[:3], atol=0.01)
