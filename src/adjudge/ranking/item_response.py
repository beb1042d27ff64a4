"""Ability apart from difficulty: policies and tasks on one scale, even where they did not all answer the same tasks.

    P(policy p solves task i) = c + (1 − c)/(1 + e^{−a_i(θ_p − b_i)})      b_i ~ N(0, σ²),   log a_i ~ N(0, τ²)
    value_p = 1000 + 400/ln 10 · (θ_p − mean θ)

Policies are few and tasks many as a rule: then θ are fixed and the tasks are integrated out (`_irt`), with a sandwich
error by cluster of tasks. Where policies outnumber the tasks and are at least 100 (an examination), the tasks have
parameters of their own and the abilities are integrated out (`_irt_persons`); these are pulled toward their mean.
`model="1pl"` sets a = 1 (Rasch: the number of solved tasks is all that counts), "2pl" lets tasks discriminate.

Rasch (1960); Birnbaum (1968); Bock, Aitkin (1981). Errors: White (1982), Liang, Zeger (1986).
Limits: τ = 0 is 1pl; a policy that solved all or nothing has no finite ability (NaN) unless a prior holds it.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.adaptive_items import Items
from ..stats.paired.scale import covariance_points, points
from ..tables.ratings import Ratings
from . import _irt, _irt_persons
from ._irt_table import columns, exam, gathered, said, settled, unbounded

CARD = Card(
    answers="How able is each policy, apart from how difficult its tasks were, and which tasks tell policies apart?",
    equation="P = c + (1 − c)/(1 + e^{−a_i(θ_p − b_i)});   value_p = 1000 + 400/ln 10·(θ_p − mean θ)",
    papers=(
        Paper(
            "Marginal maximum likelihood estimation of item parameters: application of an EM algorithm",
            "Bock, Aitkin",
            1981,
            "Psychometrika 46(4)",
            "https://doi.org/10.1007/BF02293801",
        ),
        Paper(
            "Some latent trait models and their use in inferring an examinee's ability",
            "Birnbaum",
            1968,
            "Statistical Theories of Mental Test Scores",
        ),
        Paper("Probabilistic Models for Some Intelligence and Attainment Tests", "Rasch", 1960, "Copenhagen"),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "scores are right or wrong, or a share in [0, 1]",
        "tasks are drawn from one law, also those that only some policies answered",
        "one ability decides on all tasks",
    ),
    limits=("all a = 1: the Rasch model, where the share solved is sufficient", "all right or all wrong: NaN"),
    when="When policies answered different tasks, or tasks should be chosen; on one full table of one metric the mean "
    "ranks alike and is easier to explain.",
    unit="rating points; 400 are odds of ten to one",
)
SHOWN = 300
"""Tasks up to which difficulties and discriminations are figures."""


def rank(
    ratings: Ratings,
    *,
    model: str = "1pl",
    guess: float = 0.0,
    prior: float = np.inf,
    marginal: str = "auto",
    metric: str | None = None,
) -> Estimate:
    """Abilities in rating points.

    Arguments:
        ratings: scores in [0, 1]; several rows of one policy and item are repeated trials.
        model: `1pl` or `2pl`.
        guess: c, chance of solving a task without ability, in [0, 1).
        prior: standard deviation of a normal prior on abilities, in logits; inf for none. Tasks marginal only.
        marginal: what is integrated out: `items`, `policies`, or `auto` by their numbers.
        metric: name of the score column; the first by default.

    Figures: `theta` (logits above the mean difficulty), `spread` (σ and, for 2pl, τ); `difficulty` and `discrimination`
    where there are at most 300 tasks. `items` gives the tasks' parameters as arrays.

    Errors: scores outside [0, 1]; an unknown model; guess or prior out of range.

    >>> from adjudge.sim.judging import Judging
    >>> found = rank(Judging(truth=(0.7, 0.5, 0.4), items=199, labels=11, outcome="binary").draw(1).ratings)
    >>> found.names[int(found.value.argmax())], round(float(found.value.mean()))
    ('p00', 1000)
    """
    counts, unit, codes, findings = gathered(ratings, model, guess, prior, marginal, metric)
    edge = unbounded(counts, prior)
    if exam(counts, marginal):
        return _examination(ratings, counts, codes, model, guess, findings)
    kept = np.flatnonzero(~edge)
    k, units = ratings.k, int(np.unique(unit).size)
    theta, covariance = np.full(k, np.nan), np.full((k, k), np.nan)
    spread = np.full(2 if model == "2pl" else 1, np.nan)
    figures: dict[str, Estimate] = {}
    if kept.size and counts.trials.size:
        made = _irt.fit(columns(counts, kept), slopes=model == "2pl", guess=guess, prior=prior)
        far = np.abs(made.theta) > _irt.FAR
        psi = np.zeros((int(unit.max()) + 1, kept.size))
        np.add.at(psi, unit, _irt.influence(made))
        theta[kept] = np.where(far, np.nan, made.theta)
        part = Part.from_influence("sampling", psi[np.unique(unit)])
        covariance[np.ix_(kept, kept)] = part.covariance
        edge[kept[far]] = True
        spread[:] = (made.sigma, made.tau)[: spread.size]
        findings = [*findings, *settled(made.gradient)]
        figures = _of_tasks(made.posterior, codes, model)
    if np.isfinite(theta).sum() < 2:  # ratings are relative: one policy alone has none
        covariance[:] = np.nan
    df = float(max(units - 1, 0))
    logits = Part("sampling", covariance, units)
    figures["theta"] = Estimate(ratings.policies, theta, (logits,), np.array(df))
    unknown = Part("sampling", np.full((spread.size, spread.size), np.nan), units)
    figures["spread"] = Estimate(("difficulty", "log discrimination")[: spread.size], spread, (unknown,), np.array(df))
    return Estimate(
        ratings.policies,
        points(theta) if np.isfinite(theta).any() else theta,
        (Part("sampling", covariance_points(theta, covariance), units),),
        np.array(df),
        method="ranking.item_response",
        findings=(*findings, *said(ratings.policies, edge, units)),
        figures=figures,
    )


def items(
    ratings: Ratings, *, model: str = "2pl", guess: float = 0.0, prior: float = np.inf, metric: str | None = None
) -> Items:
    """Difficulty, discrimination and fit of every task, for choosing tasks (`stats.adaptive_items`).

    Arguments:
        as of `rank`; the tasks are integrated out and then read from their posteriors, which pull them together.

    >>> from adjudge.sim.judging import Judging
    >>> items(Judging(truth=(0.7, 0.5, 0.4), items=53, labels=11, outcome="binary").draw(1).ratings).difficulty.size
    53
    """
    counts, _, codes, _ = gathered(ratings, model, guess, prior, "items", metric)
    kept = np.flatnonzero(~unbounded(counts, prior))
    if not kept.size:
        raise AdjudgeError(
            "ratings.score: every policy solved all of its tasks or none.",
            "Tasks are told apart by policies that solve some and not others.",
            "Add policies between those, or give a prior.",
        )
    counts = columns(counts, kept)
    made = _irt.fit(counts, slopes=model == "2pl", guess=guess, prior=prior)
    b, log_a, error = made.posterior[:, 0], made.posterior[:, 1], made.posterior[:, 2:4]
    P = guess + (1 - guess) * special.expit(np.exp(log_a)[:, None] * (made.theta - b[:, None]))
    apart = counts.success - counts.trials * P
    with np.errstate(invalid="ignore", divide="ignore"):
        infit = (apart**2).sum(axis=1) / (counts.trials * P * (1 - P)).sum(axis=1)
    return Items(codes, b, np.exp(log_a), guess, error, infit)


def _examination(
    ratings: Ratings, counts: _irt.Counts, codes: IntArray, model: str, guess: float, findings: list[Finding]
) -> Estimate:
    """Abilities as posterior means, with the error of the tasks' parameters as a part of its own."""
    made = _irt_persons.fit(_irt.Counts(counts.success.T, counts.trials.T), slopes=model == "2pl", guess=guess)
    answered = counts.trials.sum(axis=0) > 0
    scale = float(np.exp(np.log(np.maximum(made.slope, 1e-6)).mean()))  # logits of a task of middling discrimination
    theta = np.where(answered, made.ability * scale, np.nan)
    own = np.diag(np.where(answered, (made.spread * scale) ** 2, np.nan))
    own[~answered], own[:, ~answered] = np.nan, np.nan
    shared = made.lean @ made.covariance @ made.lean.T * scale**2
    t, k = codes.size, ratings.k
    names = tuple(f"item {code}" for code in codes)
    with np.errstate(invalid="ignore", divide="ignore"):
        difficulty = -made.intercept / made.slope
    slopes = made.covariance[t:, t:] if model == "2pl" else np.broadcast_to(made.covariance[-1, -1], (t, t))
    by = np.concatenate([np.diag(-1 / made.slope), np.diag(-difficulty / made.slope)], axis=1)
    if model == "1pl":
        by = np.column_stack([by[:, :t], -difficulty / made.slope])
    parts = (Part("answers", own, t), Part("tasks", shared, k))
    note = Finding(
        "abilities-shrunk",
        Severity.INFO,
        f"{k} policies answered {t} tasks: abilities are posterior means, pulled toward their average.",
        k,
        t,
    )
    return Estimate(
        ratings.policies,
        points(theta),
        tuple(Part(part.name, covariance_points(theta, part.covariance), part.units) for part in parts),
        np.array(np.inf),
        method="ranking.item_response",
        findings=(*findings, note, *settled(made.gradient)),
        figures={
            "theta": Estimate(ratings.policies, theta, parts, np.array(np.inf)),
            "difficulty": Estimate(
                names, difficulty, (Part("sampling", by @ made.covariance @ by.T, k),), np.array(np.inf)
            ),
            "discrimination": Estimate(names, made.slope, (Part("sampling", slopes, k),), np.array(np.inf)),
        },
    )


def _of_tasks(posterior: FloatArray, codes: IntArray, model: str) -> dict[str, Estimate]:
    """Difficulty and log discrimination of every task as posterior means; none where the tasks are many."""
    if codes.size > SHOWN:
        return {}
    names = tuple(f"item {code}" for code in codes)
    shown = {"difficulty": 0} | ({"log_discrimination": 1} if model == "2pl" else {})
    return {
        name: Estimate(
            names, posterior[:, j], (Part("posterior", np.diag(posterior[:, 2 + j] ** 2), 1),), np.array(np.inf)
        )
        for name, j in shown.items()
    }
