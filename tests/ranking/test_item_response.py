"""Item response: LSAT-6 as published, derivatives, sufficiency of totals, coverage, and what has no answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import _irt, item_response
from value import small_tables

# Section 6 of the Law School Admission Test, 1,000 candidates, 5 questions: Bock and Lieberman (1970), Psychometrika
# 35, 179-197. Counts of the 32 patterns 00000, 00001 … 11111, as printed there and in the examples of BUGS ("Lsat").
# fmt: off
LSAT = [3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15,
        10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298]
# fmt: on
# Rizopoulos (2006), ltm: An R package for latent variable modelling, J. Stat. Softw. 17(5): rasch and ltm.
RASCH = {"difficulty": [-3.6153, -1.3224, -0.3176, -1.7301, -2.7802], "slope": 0.7551, "loglik": -2466.938}
TWO = {
    "difficulty": [-3.3597, -1.3696, -0.2799, -1.8659, -3.1236],
    "slope": [0.8254, 0.7229, 0.8905, 0.6886, 0.6575],
    "loglik": -2466.653,
}


def lsat() -> np.ndarray:
    patterns = (np.arange(32)[:, None] >> np.arange(4, -1, -1)) & 1
    return np.repeat(patterns, LSAT, axis=0).astype(float)


def table(answers, *, cluster=None):
    """[policies, tasks] answers; NaN where a policy did not try."""
    policy, item = (each.ravel() for each in np.indices(answers.shape))
    there = np.isfinite(answers.ravel())
    made = small_tables.table(
        np.full(there.sum(), np.nan), answers.ravel()[there], policy=policy[there], cluster=item[there]
    )
    made = replace(made, policies=tuple(f"p{p:04d}" for p in range(answers.shape[0])))
    return made if cluster is None else replace(made, cluster=np.asarray(cluster)[made.item])


def drawn(rng, k, t, *, sigma=1.2, tau=0.0, guess=0.0, theta=None):
    theta = np.linspace(-1, 1, k) if theta is None else theta
    b, a = sigma * rng.standard_normal(t), np.exp(tau * rng.standard_normal(t))
    P = guess + (1 - guess) * special.expit(a * (theta[:, None] - b))
    return theta, a, b, (rng.random((k, t)) < P).astype(float)


def test_lsat_questions_as_policies_are_the_published_rasch_model():
    """The Rasch model does not know which side it marginalises: 5 questions rated, 1,000 candidates integrated out."""
    found = item_response.rank(table(lsat().T))
    np.testing.assert_allclose(found.figures["theta"].value, -RASCH["slope"] * np.array(RASCH["difficulty"]), atol=3e-4)
    assert found.figures["spread"].value[0] == pytest.approx(RASCH["slope"], abs=1e-4)
    made = _irt.fit(_irt.Counts(lsat(), np.ones((1000, 5))), slopes=False, guess=0.0, prior=np.inf)
    assert made.loglik == pytest.approx(RASCH["loglik"], abs=1e-3)
    assert made.gradient < 1e-7


def test_lsat_candidates_as_policies_give_the_published_questions():
    ratings = table(lsat())
    one, two = (item_response.rank(ratings, model=model).figures for model in ("1pl", "2pl"))
    np.testing.assert_allclose(one["difficulty"].value, RASCH["difficulty"], atol=2e-4)
    np.testing.assert_allclose(one["discrimination"].value, RASCH["slope"], atol=1e-4)
    np.testing.assert_allclose(two["difficulty"].value, TWO["difficulty"], atol=3e-3)
    np.testing.assert_allclose(two["discrimination"].value, TWO["slope"], atol=1e-3)
    # ltm prints standard errors 0.2581, 0.1867, 0.2326, 0.1853, 0.2100 from the Hessian; ours are of outer products.
    np.testing.assert_allclose(two["discrimination"].stderr, [0.2581, 0.1867, 0.2326, 0.1853, 0.2100], rtol=0.05)


def test_totals_are_all_that_counts_in_the_rasch_model():
    rng = np.random.default_rng(3)
    answers = drawn(rng, 5, 211)[3]
    answers[1] = rng.permutation(answers[0])
    found = item_response.rank(table(answers)).figures["theta"].value
    assert found[0] == pytest.approx(found[1], abs=1e-8)
    order = np.argsort(answers.sum(axis=1), kind="stable")
    assert (np.diff(found[order]) >= -1e-8).all()
    both = item_response.rank(table(answers[:, :101]), model="2pl")
    assert np.isfinite(both.stderr).all()


def test_without_spread_of_discrimination_two_parameters_are_one():
    x = np.array([0.3, -0.5, 1.0, 0.1])
    _, _, _, answers = drawn(np.random.default_rng(5), 3, 53)
    counts = _irt.Counts(answers.T, np.ones((53, 3)))
    one, two = _irt.grid(3, slopes=False), _irt.grid(3, slopes=True)
    flat, bent = _irt._eta(x, 3, one)[0], _irt._eta(np.append(x, -30.0), 3, two)[0]
    np.testing.assert_allclose(
        _irt.posterior(counts, flat, 0.2, one.log_weight)[1], _irt.posterior(counts, bent, 0.2, two.log_weight)[1]
    )


@pytest.mark.parametrize("guess", [0.0, 0.2])
def test_first_and_second_derivatives_are_those_of_the_likelihood(guess):
    _, _, _, answers = drawn(np.random.default_rng(7), 4, 53, tau=0.4, guess=guess)
    counts, nodes = _irt.Counts(answers.T, np.ones((53, 4))), _irt.grid(4, slopes=True)
    x = np.array([0.3, -0.5, 1.0, 0.2, 0.1, -0.7])

    def loglik(x):
        return _irt.posterior(counts, _irt._eta(x, 4, nodes)[0], guess, nodes.log_weight)[1].sum()

    def score(x):
        return _irt._information(counts, x, 4, nodes, guess, np.inf)[1].sum(axis=0)

    steps = 1e-5 * np.eye(6)
    np.testing.assert_allclose([(loglik(x + e) - loglik(x - e)) / 2e-5 for e in steps], score(x), atol=1e-7)
    second = np.array([(score(x + e) - score(x - e)) / 2e-5 for e in steps])
    np.testing.assert_allclose(-second, _irt._information(counts, x, 4, nodes, guess, np.inf)[0], atol=1e-7)


def test_a_weight_of_two_is_the_row_twice():
    _, _, _, answers = drawn(np.random.default_rng(11), 3, 59)
    once = table(answers)
    heavy = replace(once, weight=np.where(once.item % 3 == 0, 2.0, 1.0))
    twice = once.take(np.concatenate([np.arange(once.n), np.flatnonzero(once.item % 3 == 0)]))
    one, other = item_response.rank(heavy), item_response.rank(twice)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-9)
    np.testing.assert_allclose(one.stderr, other.stderr, rtol=1e-7)


def test_abilities_do_not_depend_on_which_tasks_were_drawn():
    """Two weak policies see mostly easy tasks: by their means they would stand above a better one, by ability not."""
    rng = np.random.default_rng(13)
    theta, _, b, answers = drawn(rng, 5, 1009, theta=np.array([-0.6, -0.3, 0.0, 0.3, 0.6]))
    weak_easy = answers.copy()
    weak_easy[:2, (b > -0.3) & (rng.random(1009) < 0.8)] = np.nan
    assert np.nanmean(weak_easy[0]) > np.nanmean(weak_easy[2]) + 0.03
    found = item_response.rank(table(weak_easy))
    truth = 1000 + 400 / np.log(10) * (theta - theta.mean())
    assert np.abs(found.value - truth).max() < 4 * found.stderr.max()


def test_coverage_with_clustered_tasks():
    """200 leagues of 3 policies, 97 clusters of 2 equal tasks: 95 % intervals cover within three standard errors."""
    rng, inside = np.random.default_rng(17), 0
    for _ in range(200):
        b = np.repeat(1.2 * rng.standard_normal(97), 2)
        theta = np.array([-0.5, 0.0, 0.5])
        answers = (rng.random((3, b.size)) < special.expit(theta[:, None] - b)).astype(float)
        answers[:, 1::2] = answers[
            :, ::2
        ]  # the second task of a cluster repeats the first: half of the rows say nothing
        gap = item_response.rank(table(answers, cluster=np.arange(b.size) // 2)).difference("p0000", "p0002")
        low, high = gap.interval()[0]
        inside += low <= -400 / np.log(10) <= high
    assert inside / 200 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


def test_policies_at_the_edge_get_no_number_and_a_prior_gives_one():
    _, _, _, answers = drawn(np.random.default_rng(19), 4, 53)
    answers[3] = 1.0
    found = item_response.rank(table(answers))
    assert np.isnan(found.value[3])
    assert np.isfinite(found.value[:3]).all()
    assert "ability-unbounded" in {finding.code for finding in found.findings}
    held = item_response.rank(table(answers), prior=2.0)
    assert held.value[3] == held.value.max()


def test_islands_are_said():
    _, _, _, answers = drawn(np.random.default_rng(23), 4, 106)
    answers[:2, 53:] = np.nan
    answers[2:, :53] = np.nan
    assert "tasks-not-shared" in {finding.code for finding in item_response.rank(table(answers)).findings}


@pytest.mark.parametrize("answers", [np.ones((1, 1)), np.zeros((2, 3)), np.full((2, 1), 0.5)])
def test_too_little_is_nan_or_said(answers):
    found = item_response.rank(table(answers))
    assert found.findings
    assert np.isnan(found.stderr).all() or (found.stderr > 0).any()


def test_impossible_questions_are_refused():
    with pytest.raises(AdjudgeError, match="not in"):
        item_response.rank(table(np.array([[7.0, 0.0]])))
    with pytest.raises(AdjudgeError, match="model"):
        item_response.rank(table(np.array([[1.0, 0.0]])), model="3pl")


def test_tasks_are_recovered():
    _, a, b, answers = drawn(np.random.default_rng(29), 61, 499, tau=0.5, theta=np.linspace(-2, 2, 61))
    found = item_response.items(table(answers))
    assert np.corrcoef(found.difficulty, b)[0, 1] > 0.93
    assert np.corrcoef(np.log(found.discrimination), np.log(a))[0, 1] > 0.6
    assert np.mean(np.abs(found.difficulty - b) < 2 * found.stderr[:, 0]) > 0.9
