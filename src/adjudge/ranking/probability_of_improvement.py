"""How likely a run of one policy is to beat a run of another on the same task: a question of order, not of size.

    P_pq = 1/T Σ_t P(X_pt > X_qt) + ½ P(X_pt = X_qt),      value_p = mean of P_pq over the other policies q

Every pair is in the figure `pairs`. The error of the Mann-Whitney statistic is its U-statistic's projection: the share
of the other's runs that each run beats, by run (stratified by task) or, where cells hold a single run, by cluster of
tasks; or a bootstrap of the same units.

Agarwal, Schwarzer, Castro, et al. (2021), §4.3; Mann, Whitney (1947). Limits: two policies have P and 1 − P; a policy
against its twin has ½; any increasing change of scores changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.ratings import Ratings
from . import _order, _runs
from ._shares import opened

ERRORS = ("analytic", "bootstrap")
MOST_PAIRED = 45  # policies whose pairs are shown one by one: 990 pairs

CARD = Card(
    answers="How likely is a run of each policy to beat a run of another on the same task?",
    equation="P_pq = 1/T Σ_t [P(X_pt > X_qt) + ½ P(X_pt = X_qt)]",
    papers=(
        Paper(
            "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
            "Agarwal, Schwarzer, Castro, et al.",
            2021,
            "NeurIPS",
            "https://arxiv.org/abs/2108.13264",
            "§4.3",
        ),
        Paper(
            "On a test of whether one of two random variables is stochastically larger than the other",
            "Mann, Whitney",
            1947,
            "Annals of Mathematical Statistics 18(1)",
            "https://doi.org/10.1214/aoms/1177730491",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=("Runs of a policy on a task are independent.",),
    limits=(
        "Says how often, never by how much: a policy may win most runs and lose the mean.",
        "The value hangs on who else is in the table; the pairs do not.",
    ),
    when="Scores of tasks are on scales that nobody can compare; ranking.iqm where sizes matter.",
    unit="chance that a run beats another policy's",
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    resample: str = "auto",
    error: str = "analytic",
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Mean probabilities of improvement of the policies over the others; each pair in the figure `pairs`.

    Arguments:
        ratings: the table; `item` is the task, and rows of one policy and item are its runs.
        metric: name of the score column; the first by default.
        resample: `runs`, `tasks`, or `auto`: runs where every cell has two.
        error: `analytic`, or `bootstrap` with replicates.
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: an unknown metric, error or way to resample.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "a", "b", "b"], item=[0] * 4, score=[1.0, 3.0, 0.0, 1.0], draw=range(4))
    >>> result = rank(table)
    >>> result.value, result.figures["pairs"].names
    (array([0.875, 0.125]), ('a > b',))
    """
    if error not in ERRORS:
        raise AdjudgeError(f"error is {error!r}.", f"One of {', '.join(ERRORS)}.", "Name one of them.")
    runs = _runs.prepare(ratings, metric=metric, resample=resample)
    order = _order.pairs(runs, keep=runs.k <= MOST_PAIRED)
    W = _order.average(runs.k)
    value = order.matrix.sum(axis=1) / max(runs.k - 1, 1) if runs.k > 1 else np.full(runs.k, np.nan)
    among, spread = order.pair_covariance, order.covariance
    if error == "bootstrap" and runs.k > 1 and runs.tasks:
        drawn = _order.replicates(runs, draws=draws, seed=seed)
        among, spread = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (drawn, drawn @ W.T))
    count = np.full(runs.k, float(runs.units))
    spread, labels = opened(count, value, spread)
    figures: dict[str, Estimate] = {}
    found: tuple[Finding, ...] = ()
    if 1 < runs.k <= MOST_PAIRED:
        pairs, found = _pairs(runs, order, among)
        figures, spread = {"pairs": pairs}, spread.copy()
        lost = (np.diagonal(order.covariance) < 1e-15) & (np.abs(W) @ np.isnan(pairs.stderr) > 0)
        spread[lost, :] = spread[:, lost] = np.nan
        if pairs.reserve is not None:  # a value in the middle may rest on pairs that never differed
            labels = replace(pairs.reserve.contrast(W, pairs.bounds, pairs.covariance), n=count, mean=value)
    return Estimate(
        runs.names,
        value,
        (Part("sampling", spread, runs.units),),
        np.full(runs.k, _freedom(runs)),
        (0.0, 1.0),
        labels,
        method="ranking.probability_of_improvement",
        findings=(*runs.findings, *found),
        figures=figures,
    )


def _freedom(runs: _runs.Runs) -> float:
    """Degrees of freedom: units less one for each stratum, of the policy that has fewest."""
    if runs.over == "tasks" or not runs.tasks:
        return max(runs.units - 1.0, 0.0)
    return float(np.maximum(runs.sizes - 1, 0).reshape(runs.k, -1).sum(axis=1).min())


def _pairs(runs: _runs.Runs, order: _order.Pairs, spread: FloatArray) -> tuple[Estimate, tuple[Finding, ...]]:
    """P of every pair, earlier name over later name; a pair whose runs all tie has no error that anybody could know."""
    left, right = np.triu_indices(runs.k, 1)
    value, spread = order.matrix[left, right], spread.copy()
    names = tuple(f"{runs.names[i]} > {runs.names[j]}" for i, j in zip(left, right, strict=True))
    still = (np.diagonal(spread) < 1e-15) & (value > 1e-9) & (value < 1 - 1e-9)
    spread[still, :] = spread[:, still] = np.nan
    spread, labels = opened(np.full(left.size, float(runs.units)), value, spread)
    told = Finding(
        "runs-all-tie",
        Severity.WARNING,
        f"In {int(still.sum())} pairs of policies no run differs from another: nothing can be said of their error.",
        int(still.sum()),
        0,
        "Check that scores are not rounded or copied, or use tasks that tell policies apart.",
        tuple(name for name, flat in zip(names, still, strict=True) if flat),
    )
    pairs = Estimate(
        names,
        value,
        (Part("sampling", spread, runs.units),),
        np.full(left.size, _freedom(runs)),
        (0.0, 1.0),
        labels,
        method="ranking.probability_of_improvement",
    )
    return pairs, ((told,) if still.any() else ())
