"""AdaStop: published decisions, the environments and episodes of a table, agents in any order, too little data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import adastop
from adjudge.tables.ratings import Ratings
from adjudge.tables.read import from_arrays
from contracts import leagues

WALKER = {
    # examples/walker1.csv … walker5.csv of github.com/TimotheeMathieu/adastop (MIT), rounded to 0.1
    "PPO": [3683.5, 1576.5, 3908.1, 1451.9, 5177.0, 3384.1, 2358.7, 1624.7, 4151.2, 1699.5],
    "SAC": [4291.0, 4551.0, 4669.8, 4697.4, 4074.5, 5453.4, 4988.5, 4617.7, 3955.2, 4135.5],
    "DDPG": [
        *(420.3, 640.1, 2338.0, 879.1, 736.5, 962.3, 1771.1, 545.9, 906.0, 1553.9, 345.9, 857.6, 346.6, 1978.2, 89.1),
        *(705.5, 974.4, 1021.4, 936.3, 517.5, 957.1, 1254.5, 594.5, 586.5, 184.7),
    ],
    "TRPO": [
        *(446.1, 1918.9, 1015.7, 757.0, 1769.3, 1031.3, 961.7, 695.7, 1817.8, 939.6, 450.0, 1125.6, 567.0, 529.3),
        *(1786.1, 998.8, 1631.7, 1517.6, 1873.3, 1906.8, 1909.2, 1671.6, 897.9, 1677.2, 490.0),
    ],
}


def table(runs: dict[str, list[float]], **columns: object) -> Ratings:
    names = [name for name, values in runs.items() for _ in values]
    return from_arrays(policy=names, item=np.arange(len(names)), score=np.concatenate(list(runs.values())), **columns)


def decisions(estimate: object) -> dict[str, float]:
    return dict(zip(estimate.figures["decisions"].names, estimate.figures["decisions"].value.tolist(), strict=True))


def test_the_published_example_is_decided_as_published_and_when() -> None:
    """The package's tutorial: five pairs decided after 10 runs at most, and the last one looked at up to 25.

    The tutorial calls DDPG and TRPO different at the fifth look. Its code holds the unsigned difference against
    quantiles of the signed ones, so that two equal agents differ in 10 % of studies for 5 % (adastop 0.1.3: in 11 % of
    400 studies); held against unsigned ones, p is 0.06.
    """
    found = adastop.rank(table(WALKER))
    assert decisions(found) == {
        "DDPG − PPO": -1,
        "DDPG − SAC": -1,
        "DDPG − TRPO": 0,
        "PPO − SAC": -1,
        "PPO − TRPO": 1,
        "SAC − TRPO": 1,
    }
    np.testing.assert_array_equal(found.figures["runs_used"].value, [25, 10, 10, 25])
    assert found.figures["pvalues"].value[2] == pytest.approx(0.0605, abs=0.006)
    np.testing.assert_allclose(found.value, [884.1, 2901.5, 4543.4, 1215.4], atol=0.1)
    two = adastop.rank(table({name: WALKER[name] for name in ("DDPG", "SAC")}))
    assert decisions(two) == {"DDPG − SAC": -1}
    assert two.figures["looks"].value[0] == 1


def test_any_seed_decides_the_example_alike() -> None:
    answers = [decisions(adastop.rank(table(WALKER), seed=seed)) for seed in (1, 2)]
    assert answers[0] == answers[1] == decisions(adastop.rank(table(WALKER), seed=3))


def test_the_reference_is_all_that_is_compared() -> None:
    found = adastop.rank(table(WALKER), reference="PPO")
    assert decisions(found) == {"PPO − DDPG": 1, "PPO − SAC": -1, "PPO − TRPO": 1}
    with pytest.raises(AdjudgeError, match="no agent is named 'A2C'"):
        adastop.rank(table(WALKER), reference="A2C")


def test_means_and_errors_are_those_of_independent_runs() -> None:
    found = adastop.rank(table({"a": [1.0, 2.0, 6.0], "b": [3.0, 3.5]}))
    np.testing.assert_allclose(found.value, [3.0, 3.25])
    np.testing.assert_allclose(found.stderr, [np.sqrt(7 / 3), 0.25])
    np.testing.assert_allclose(found.df, [2, 1])
    assert np.isnan(found.figures["decisions"].value).all()
    assert [finding.code for finding in found.findings] == ["go-on"]
    assert "Run 3 more of a, b" in found.findings[0].remedy


def test_episodes_of_a_run_are_one_run() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(2, 7, 11)) + rng.normal(size=(2, 7, 1))
    policy, run = np.repeat(["a", "b"], 77), np.repeat(np.arange(14), 11)
    whole = adastop.rank(from_arrays(policy=policy, item=np.arange(154), cluster=run, score=scores.ravel()))
    means = table({"a": scores[0].mean(axis=1).tolist(), "b": scores[1].mean(axis=1).tolist()})
    np.testing.assert_allclose(whole.value, adastop.rank(means).value)
    np.testing.assert_allclose(whole.stderr, adastop.rank(means).stderr)
    assert whole.figures["runs_used"].value.tolist() == [5, 5]


def test_environments_are_compared_each_on_its_own_scale() -> None:
    rng = np.random.default_rng(5)
    rows = [
        (agent, env, scale * (rng.normal() + (9 if agent == "a" and env == "easy" else 0)))
        for env, scale in (("easy", 1.0), ("hard", 1e5))
        for agent in ("a", "b", "c")
        for _ in range(5)
    ]
    policy, env, score = zip(*rows, strict=True)
    found = adastop.rank(from_arrays(policy=policy, item=np.arange(30), stratum=env, score=score), joint=True)
    verdict = decisions(found)
    assert verdict["a − b [easy]"] == verdict["a − c [easy]"] == 1
    assert np.isnan(verdict["a − b [hard]"])
    score = np.array(score)
    np.testing.assert_allclose(
        found.value, [(score[i : i + 5].mean() + score[i + 15 : i + 20].mean()) / 2 for i in (0, 5, 10)]
    )


def test_rows_of_weight_two_are_two_runs_and_of_weight_nought_none() -> None:
    runs = {"a": [1.0, 2.0, 5.0], "b": [0.0, 4.0, 7.0]}
    weighted = replace(table(runs), weight=np.array([2.0, 1, 1, 0, 1, 1]))
    written = table({"a": [1.0, 1.0, 2.0, 5.0], "b": [4.0, 7.0]})
    one, other = adastop.rank(weighted, runs=2), adastop.rank(written, runs=2)
    np.testing.assert_allclose(one.value, other.value)
    np.testing.assert_array_equal(one.figures["pvalues"].value, other.figures["pvalues"].value)
    odd = adastop.rank(replace(table(runs), weight=np.full(6, 0.5)))
    assert "weights-ignored" in [finding.code for finding in odd.findings]


def test_what_cannot_be_decided_is_said() -> None:
    few = adastop.rank(table({"a": [1.0, 2.0], "b": [9.0, 8.0]}), runs=2, interims=1)
    assert "design-cannot-decide" in [finding.code for finding in few.findings]
    constant = adastop.rank(table({"a": [3.0] * 5, "b": [3.0] * 5}))
    assert np.isnan(constant.stderr).all()
    assert "spread-unknown" in [finding.code for finding in constant.findings]
    assert np.isnan(constant.figures["decisions"].value).all()
    alone = adastop.rank(table({"a": [1.0, 2.0, 4.0]}))
    assert alone.figures["decisions"].names == ()
    gone = adastop.rank(
        replace(table({"a": [1.0, 2.0], "b": [2.0, 3.0]}), score=np.array([[1.0], [2.0], [np.nan], [np.nan]]))
    )
    assert {"runs-without-score", "agent-without-runs"} <= {finding.code for finding in gone.findings}
    assert np.isnan(gone.value[1])


def test_the_papers_step_down_is_the_default_for_two_agents() -> None:
    two = table({name: WALKER[name] for name in ("DDPG", "TRPO")})
    joint, exact = adastop.rank(two, joint=True), adastop.rank(two)
    np.testing.assert_allclose(joint.figures["pvalues"].value, exact.figures["pvalues"].value)
    assert decisions(adastop.rank(table(WALKER), joint=True)) == decisions(adastop.rank(table(WALKER)))


def test_tables_of_tasks_are_taken_in_too() -> None:
    found = adastop.rank(leagues.scores())
    np.testing.assert_array_equal(found.figures["runs_used"].value, 45)
    assert len(found.figures["decisions"].names) == 3 * 10
