"""Bradley-Terry ratings: what is shown, what is withheld, laws of the table, and coverage under rater tastes."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.ranking import bradley_terry
from adjudge.sim.leagues import League
from adjudge.stats.paired import newton, scale
from adjudge.stats.paired.scale import POINTS
from adjudge.stats.paired.votes import collect
from adjudge.tables.comparisons import from_arrays
from stats.paired.worlds import season

rank = bradley_terry.rank


def pair(wins, ties, losses, **columns):
    outcome = np.repeat([1.0, 0.5, 0.0], [wins, ties, losses])
    return from_arrays(np.zeros(outcome.size, int), np.ones(outcome.size, int), outcome, **columns)


def codes(estimate):
    return {finding.code for finding in estimate.findings}


def test_two_policies_by_hand():
    found = rank(pair(30, 10, 12))
    np.testing.assert_allclose(found.value, 1000 + POINTS * np.log(30 / 12) / 2 * np.array([1, -1]))
    error = POINTS * np.sqrt((1 / 30 + 1 / 12) * 52 / 51) / 2  # delta method on log(wins/losses), and n/(n − 1)
    np.testing.assert_allclose(found.stderr, error)
    tie = found.figures["tie"]
    nu = 10 / np.sqrt(30 * 12)
    np.testing.assert_allclose(tie.value, [nu, nu / (2 + nu)])
    spread = nu * np.sqrt((1 / 10 + 1 / 120 + 1 / 48) * 52 / 51)  # var of log T − ½ log W − ½ log L
    np.testing.assert_allclose(tie.stderr[0], spread)
    np.testing.assert_allclose(rank(pair(30, 10, 12), ties="newman").figures["tie"].value[0], nu / 2)


def test_without_ties_every_law_is_bradley_terry():
    table = season(seed=1)
    table = table.take(table.outcome != 0.5)
    plain = rank(table, ties="half")
    for ties in ("davidson", "rao-kupper", "newman"):
        found = rank(table, ties=ties)
        np.testing.assert_allclose(found.value, plain.value, atol=1e-8)
        np.testing.assert_allclose(found.covariance, plain.covariance, atol=1e-7)
        assert "tie" not in found.figures
    assert codes(plain) == set()


def test_half_wins_draw_the_scale_together_and_say_so():
    table = season(seed=2, n=4001)
    half, davidson = rank(table, ties="half"), rank(table)
    assert np.ptp(half.value) < 0.9 * np.ptp(davidson.value)
    (told,) = half.findings
    assert (told.code, told.number) == ("half-win", float((table.outcome == 0.5).sum()))


@pytest.mark.parametrize("how", [{}, {"order": "rater", "prior": 200.0}, {"ties": "rao-kupper", "order": True}])
def test_sides_rows_and_names_change_nothing(how):
    table = season(seed=3, d=2, ragged=True)
    before = {name: getattr(table, name).copy() for name in ("left", "outcome", "covariates", "cluster", "first")}
    one = rank(table, **how)
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(table, name), array)
    rng = np.random.default_rng(0)
    turned = rank(table.swapped(rng.uniform(size=table.n) < 0.5), **how)
    shuffled = rank(table.take(rng.permutation(table.n)), **how)
    place = rng.permutation(7)
    renamed = replace(
        table,
        left=place[table.left],
        right=place[table.right],
        policies=tuple(np.array(table.policies)[np.argsort(place)]),
    )
    for other in (turned, shuffled, rank(renamed, **how).select(one.names)):
        np.testing.assert_allclose(other.value, one.value, atol=1e-7)
        np.testing.assert_allclose(other.covariance, one.covariance, atol=1e-6)
    np.testing.assert_allclose(turned.figures["effects"].value, one.figures["effects"].value, atol=1e-7)


def test_effects_in_points_for_a_unit_and_for_a_standard_deviation():
    league = League(policies=5, votes=6007, raters=61, taste=0.3, order=0.4, length=0.25, tie=0.2)
    season_ = league.draw(1)
    found = rank(season_.comparisons, order=True)
    effects = found.figures["effects"]
    assert effects.names[-1] == "first"
    truth = POINTS * np.array([season_.target.effects["length"], season_.target.effects["order"]])
    assert (np.abs(effects.value - truth) < 4 * effects.stderr).all()
    assert (effects.stderr > 0).all()
    per = found.figures["effects per sd"]
    spread = season_.comparisons.covariates[:, 0].std()
    np.testing.assert_allclose(per.value, effects.value[:1] * spread)
    np.testing.assert_allclose(per.stderr, effects.stderr[:1] * spread)
    assert "effects" not in rank(season_.comparisons, covariates=False).figures


def test_one_order_effect_for_each_rater_finds_the_rater_who_looks_at_the_first():
    table = season(seed=4, n=3001, k=5)
    rng = np.random.default_rng(1)
    rater, first = rng.integers(3, size=table.n), rng.choice([-1.0, 1.0], size=table.n)
    outcome = np.where((rater == 1) & (rng.uniform(size=table.n) < 0.5), (1 + first) / 2, table.outcome)
    table = replace(table, rater=rater, raters=("u", "v", "w"), first=first, outcome=outcome)
    effects = rank(table, order="rater").figures["effects"]
    assert effects.names == ("first, u", "first, v", "first, w")
    assert effects.pvalue()[1] < 1e-6
    assert effects.value[1] > 100
    assert (np.abs(effects.value[[0, 2]]) < 3 * effects.stderr[[0, 2]]).all()


def test_a_rater_who_always_takes_the_first_says_nothing_about_policies():
    table = season(seed=13, n=1009)
    first = np.random.default_rng(2).choice([-1.0, 1.0], size=table.n)
    rater = np.where(np.arange(table.n) < 50, 0, 1)
    outcome = np.where(rater == 0, (1 + first) / 2, table.outcome)
    table = replace(table, rater=rater, raters=("stuck", "fair"), first=first, outcome=outcome)
    found, without = rank(table, order="rater"), rank(table.take(rater == 1), order="rater")
    assert next(each for each in found.findings if each.code == "order-one-sided").subject == ("first, stuck",)
    np.testing.assert_allclose(found.value, without.value, atol=1e-8)
    np.testing.assert_allclose(found.figures["effects"].value[1], without.figures["effects"].value[1], atol=1e-8)
    assert np.isnan(found.figures["effects"].value[0])


def test_effects_that_cannot_be_told_apart_are_left_out_and_named():
    table = season(seed=5, d=1)
    twin = replace(table, covariates=np.repeat(table.covariates, 2, axis=1), covariate_names=("x", "again"))
    found, alone = rank(twin), rank(replace(table, covariate_names=("x",)))
    told = next(finding for finding in found.findings if finding.code == "effect-confounded")
    assert (told.subject, told.severity) == (("again",), Severity.SEVERE)
    np.testing.assert_allclose(found.value, alone.value, atol=1e-8)
    np.testing.assert_allclose(found.figures["effects"].value, [alone.figures["effects"].value[0], np.nan])
    assert np.isnan(found.figures["effects"].stderr[1])


def test_a_prior_rates_the_undefeated_and_fades_for_the_others():
    votes = [(0, 1, 1), (1, 2, 1), (2, 0, 1), (3, 0, 1), (3, 1, 1)] * 3
    left, right, outcome = map(np.array, zip(*votes, strict=True))
    table = from_arrays(left, right, outcome.astype(float))
    free, held = rank(table), rank(table, prior=200.0)
    assert np.isnan(free.value[3])
    assert np.isnan(free.interval()[3]).all()
    assert np.isnan(free.ranks()[3]).all()
    assert np.isnan(free.p_best()[3])
    np.testing.assert_allclose(free.value[:3].mean(), 1000.0)
    assert held.value[3] == held.value.max()
    assert (held.stderr > 20).all()
    assert [part.name for part in held.parts] == ["sampling", "prior"]
    long = season(seed=6, n=2003)
    np.testing.assert_allclose(rank(long, prior=1e6).value, rank(long).value, atol=1e-4)
    np.testing.assert_allclose(rank(long, prior=1e6).stderr, rank(long).stderr, rtol=1e-4)


def test_a_prior_gives_the_laplace_posterior_where_the_law_is_true():
    table = season(seed=7, n=40_009, k=3, clusters=0)
    found = rank(table, prior=30.0)
    fit = newton.fit(collect(table), prior=30.0 / POINTS)
    posterior = scale.covariance_points(fit.theta, fit.inverse[:3, :3])
    np.testing.assert_allclose(found.stderr, np.sqrt(np.diagonal(posterior)), rtol=0.02)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (pair(5, 0, 0), "ratings-unbounded"),
        (pair(0, 7, 0), "votes-all-tied"),
        (pair(3, 4, 0), "fit-not-converged"),
        (replace(pair(2, 1, 2), outcome=np.full(5, np.nan)), "policy-without-votes"),
        (replace(pair(2, 1, 2), weight=np.zeros(5)), "policy-without-votes"),
        (from_arrays(np.empty(0, int), np.empty(0, int), np.empty(0), policies=("a",)), "policy-without-votes"),
    ],
)
def test_votes_that_rate_nobody(table, code):
    found = rank(table)
    assert np.isnan(found.value).all()
    assert np.isnan(found.interval()).all()
    assert any(finding.code == code and finding.severity == Severity.SEVERE for finding in found.findings)
    assert np.isnan(found.ranks()).all()
    assert np.isnan(found.p_best()).all()


def test_values_without_an_error_that_nothing_shows():
    one = rank(pair(8, 2, 4, cluster=np.zeros(14, int)))
    assert np.isfinite(one.value).all()
    assert np.isnan(one.stderr).all()
    assert "clusters-too-few" in codes(one)
    both = np.repeat(np.arange(9), 2)  # every prompt in both orders, and the judge takes what comes first
    stuck = rank(from_arrays(np.zeros(18, int), np.ones(18, int), np.tile([1.0, 0.0], 9), cluster=both))
    assert np.isnan(stuck.stderr).all()
    assert "spread-unknown" in codes(stuck)
    table = season(seed=8, n=701, clusters=0)
    lonely = np.where((table.left == 2) | (table.right == 2), 0, 1 + np.arange(701) % 30)
    found = rank(replace(table, cluster=lonely[:, None]))
    assert np.isnan(found.stderr).tolist() == [False, False, True, False, False, False, False]
    assert np.isfinite(found.value).all()
    told = next(finding for finding in found.findings if finding.code == "policy-in-one-cluster")
    assert told.subject == ("c",)


def test_soft_outcomes_say_who_wins_and_nothing_about_ties():
    table = season(seed=9)
    some = replace(table, outcome=np.where(np.arange(table.n) % 9 == 0, 0.8 * table.outcome + 0.1, table.outcome))
    found = rank(some)
    assert "soft-outcomes" in codes(found)
    assert np.isfinite(found.stderr).all()
    judged = replace(table, outcome=0.8 * table.outcome + 0.1)  # a ½ among probabilities is one of them
    assert "tie" not in rank(judged).figures
    np.testing.assert_allclose(rank(judged).value, rank(judged, ties="half").value)
    many = replace(table, outcome=np.random.default_rng(0).uniform(size=table.n))
    assert np.isfinite(rank(many).stderr).all()
    assert "tie" not in rank(many).figures


def test_the_bootstrap_is_seeded_and_agrees_with_the_sandwich():
    table = season(seed=10, n=3001, clusters=101)
    one, again = (rank(table, covariance="bootstrap", draws=300, seed=1) for _ in range(2))
    np.testing.assert_array_equal(one.covariance, again.covariance)
    np.testing.assert_allclose(one.stderr / rank(table).stderr, 1.0, atol=0.25)
    np.testing.assert_allclose(one.value, rank(table).value)
    thin = rank(pair(4, 0, 1), covariance="bootstrap", draws=200)
    assert "replicates-unbounded" in codes(thin)
    assert np.isnan(thin.stderr).all()


@pytest.mark.parametrize("wrong", [{"ties": "elo"}, {"order": "left"}, {"covariance": "naive"}, {"prior": 0.0}])
def test_options_that_mean_nothing_are_refused(wrong):
    with pytest.raises(AdjudgeError, match=next(iter(wrong))):
        rank(season(seed=11), **wrong)


def test_the_certificate_stands_beside_every_fit():
    certificate = rank(season(seed=12, d=1), order=True).figures["certificate"]
    assert certificate.names == ("gradient norm", "steps", "log-likelihood")
    assert certificate.value[0] < 1e-8
    assert np.isnan(certificate.stderr).all()


LEAGUES = {
    "even": (League(policies=11, votes=2003, raters=31, taste=0.7, tie=0.2), 0.05),
    "uneven raters": (League(policies=7, votes=2003, raters=31, taste=0.7, tie=0.2, uneven=0.8, layout=3), 0.10),
    "sparse": (League(policies=13, votes=1009, raters=43, taste=0.5, graph="swiss", degree=3), 0.0),
    "two ways": (
        League(
            policies=7, votes=2003, raters=41, taste=0.6, prompts=67, prompt_taste=0.6, clusters=("rater", "prompt")
        ),
        0.05,
    ),
}


@pytest.mark.parametrize("name", LEAGUES)
def test_clustered_intervals_cover_and_votes_taken_as_independent_do_not(name):
    league, gap = LEAGUES[name]
    trials, inside, naive = 120, [], []
    for seed in range(trials):
        drawn = league.draw(seed)
        alone = replace(drawn.comparisons, cluster=np.empty((league.votes, 0), dtype=int))
        for table, hits in ((drawn.comparisons, inside), (alone, naive)):
            low, high = rank(table).interval().T
            hits.append(((low < drawn.truth) & (drawn.truth < high)).mean())
    slack = 3 * np.std(inside) / np.sqrt(trials)  # the ratings of one season hang together
    assert abs(np.mean(inside) - 0.95) < slack + 0.005
    assert np.mean(naive) < np.mean(inside) - gap
