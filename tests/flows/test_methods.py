"""Named methods: their arguments are checked, and what is no value of a policy is refused."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.evaluate import evaluate
from adjudge.reports.story import LabelPlan, Table
from adjudge.sim.judging import Judging
from adjudge.value import cvar


@pytest.fixture(scope="module")
def ratings():
    return Judging(truth=(0.7, 0.5, 0.4), items=307, labels=151).draw(3).ratings


def test_arguments_reach_the_method(ratings):
    answer = evaluate(ratings, method="cvar", arguments={"tail": 0.3})
    np.testing.assert_array_equal(answer.estimate.value, cvar.estimate(answer.ratings, tail=0.3).value)


def test_a_misspelt_argument_is_refused_with_the_right_one(ratings):
    with pytest.raises(AdjudgeError, match="Did you mean 'tail'"):
        evaluate(ratings, method="cvar", arguments={"tial": 0.3})


def test_figures_that_are_no_means_are_not_compared_with_means(ratings):
    story = evaluate(ratings, method="quantile", arguments={"q": 0.25}).story
    assert all(np.isnan(row.labels_value) for row in story.rows)
    assert not any(isinstance(block, LabelPlan) for block in story.blocks)


def test_regressions_on_the_policy_are_values_of_policies(ratings):
    assert evaluate(ratings, method="ppi_ols").estimate.names[0] == "policy=p00"


def test_slices_stand_beside_the_policies():
    frame = {
        "policy": np.repeat(["a", "b"], 200),
        "prompt_id": np.tile(np.arange(200), 2),
        "judge_score": np.tile(np.linspace(0, 1, 200), 2),
        "gold": np.where(np.arange(400) % 3 == 0, np.tile(np.linspace(0, 1, 200) > 0.5, 2).astype(float), np.nan),
        "language": np.tile(["de", "en"], 200),
    }
    (table,) = [block for block in evaluate(frame, by="language").story.blocks if isinstance(block, Table)]
    assert {row[:2] for row in table.rows} == {("a", "de"), ("a", "en"), ("b", "de"), ("b", "en")}
    assert sum(row[4] for row in table.rows) == 400
    with pytest.raises(AdjudgeError, match="use --by for slices"):
        evaluate(frame, by="language", method="slices")
    with pytest.raises(AdjudgeError, match="Name it with --by"):
        evaluate(frame, by="tongue")
    with pytest.raises(AdjudgeError, match="One grouping"):
        evaluate(frame, by="language", stratum="policy")
