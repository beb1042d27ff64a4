"""How often a policy beats another, averaged over scenarios: the order of HELM's leaderboards, and what it hangs on.

    win_ps = 1/(k_s − 1) Σ_{q≠p} [1[x̄_ps > x̄_qs] + ½ 1[x̄_ps = x̄_qs]]      k_s policies with a score on scenario s
    value_p = mean of win_ps over the scenarios (and metrics) that p has

Scenarios are the strata of the table, or its items where there is one stratum; the error redraws the clusters of items
within each scenario, and speaks of the win rate to be expected on other items, as many as these: where two policies lie
a hair apart, endless items would decide what these leave to chance. A win rate hangs on who else is in the table, too:
the figures `lowest without one` and `highest without one` say how far it moves when any one other policy leaves, and
`coverage` which share of the cells is there.

Liang, Bommasani, Lee, et al. (2023), Holistic Evaluation of Language Models.
Limits: two policies have the share of scenarios won; a margin counts as much as a hair's breadth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.judges import judge_columns
from ..stats.means import clustered_means
from ..tables.ratings import Ratings
from . import _scenarios

COPIES = ("mean", "worst")
MOST_TURNED = 50_000_000  # cells times policies beyond which nobody is left out one by one

CARD = Card(
    answers="How often does each policy beat another one, averaged over scenarios?",
    equation="value_p = mean_s 1/(k_s − 1) Σ_{q≠p} [1[x̄_ps > x̄_qs] + ½ 1[x̄_ps = x̄_qs]]",
    papers=(
        Paper(
            "Holistic Evaluation of Language Models",
            "Liang, Bommasani, Lee, et al.",
            2023,
            "Transactions on Machine Learning Research",
            "https://arxiv.org/abs/2211.09110",
            "§8.1",
        ),
    ),
    needs=("policy", "item", "score", "stratum"),
    assumes=("Scenarios are the ones that matter; their items are samples.",),
    limits=(
        "Adding or removing a policy, even a copy, can turn the order of two others.",
        "Near ties pull win rates towards one half; with endless items the good would win more than the interval says.",
        "Policies that lack scenarios are compared on those they have.",
        "Where five policies are truly equal everywhere the standard error is some 13 % too small.",
    ),
    when="Scenarios whose metrics share no unit; ranking.task_mean where they do.",
    unit="share of the others beaten, mean over scenarios",
    rows=(97,),
)


def rank(
    ratings: Ratings,
    *,
    metric: str | Sequence[str] | None = None,
    lower: Sequence[str] = (),
    copies: str = "mean",
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Mean win rates of the policies.

    Arguments:
        ratings: the table; `stratum` is the scenario (the item where there is one stratum only), rows of one policy
            and item its copies, such as perturbed ones.
        metric: name of the score column, or several: every scenario then counts once for each; the first by default.
        lower: metrics of which less is better, such as a calibration error or a cost.
        copies: `mean` over the rows of an item, or the `worst` of them (robustness).
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: an unknown metric or way with copies; fewer than two policies.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "b", "a", "b"], item=[0, 0, 1, 1], score=[0.2, 0.5, 0.6, 0.7])
    >>> rank(table).value
    array([0., 1.])
    """
    if copies not in COPIES:
        raise AdjudgeError(f"copies is {copies!r}.", f"One of {', '.join(COPIES)}.", "Name one of them.")
    if ratings.k < 2:
        raise AdjudgeError(
            "mean_win_rate: the table has one policy.", "A win needs another policy.", "Use ranking.task_mean."
        )
    named = (metric,) if isinstance(metric, str) or metric is None else tuple(metric)
    columns = [judge_columns(ratings, name)[0] for name in named]
    less = [judge_columns(ratings, name)[0] for name in lower]
    grid = _scenarios.grid(ratings, columns, lower=less, worst=copies == "worst")
    means = grid.means()
    value = _scenarios.average(_scenarios.wins(means))
    part, df = _by_item(grid, ratings.policies) if grid.singles else _by_scenario(grid, draws, seed)
    few = ~np.isfinite(np.diagonal(part.covariance))
    figures, turned = _figures(ratings.policies, means, value)
    return Estimate(
        ratings.policies,
        value,
        (part,),
        df,
        (0.0, 1.0),
        method="ranking.mean_win_rate",
        findings=_findings(ratings.policies, means, turned, few),
        figures=figures,
    )


def _by_item(grid: _scenarios.Grid, names: tuple[str, ...]) -> tuple[Part, FloatArray]:
    """The error of a mean over items, each a scenario of its own."""
    rate = _scenarios.wins(grid.means())
    s, p = np.nonzero(np.isfinite(rate))
    found = clustered_means(names, grid.cluster[s], p, rate[s, p], np.ones(s.size))
    spread = found.covariance + np.diag(grid.step() ** 2 / (np.maximum(found.df, 0.0) + 1))
    return Part("items", spread, found.parts[0].units), np.maximum(found.df, 0.0)


def _by_scenario(grid: _scenarios.Grid, draws: int, seed: int) -> tuple[Part, FloatArray]:
    """The error of a mean over scenarios, from the clusters of items in each.

    Gaps in data are wider than true gaps, so replicates flip less often than new data would; the spread about the value
    instead of their mean makes up for it: exactly for two equal policies, all but 13 % of the standard error for five.
    Win rates move in steps, and replicates that never differ do not say that the truth cannot: 1/(B + 1) of the square
    of half a win in one scenario is added.
    """
    blocks = grid.replicates(draws=draws, seed=seed)
    drawn = np.concatenate([_scenarios.average(_scenarios.wins(block)) for block in blocks])
    centred = np.nan_to_num(drawn - _scenarios.average(_scenarios.wins(grid.means())))
    spread = centred.T @ centred / max(draws, 1) + np.diag(grid.step() ** 2 / (draws + 1))
    units = grid.units()
    alone = (units < 2) | np.isnan(drawn).all(axis=0)
    spread[alone, :] = spread[:, alone] = np.nan
    return Part("items", spread, int(units.min(initial=np.inf))), np.maximum(units - 1.0, 0.0)


def _exact(names: tuple[str, ...], value: FloatArray) -> Estimate:
    """A figure that describes the table and has no sampling error."""
    k = len(names)
    return Estimate(
        names,
        value,
        (Part("none", np.zeros((k, k)), 0),),
        np.full(k, np.inf),
        (0.0, 1.0),
        method="ranking.mean_win_rate",
    )


def _figures(names: tuple[str, ...], means: FloatArray, value: FloatArray) -> tuple[dict[str, Estimate], int]:
    """What the win rates hang on: the cells that are there, and the other policies; pairs whose order turns."""
    coverage = {"coverage": _exact(names, np.isfinite(means).mean(axis=0))}
    if means.shape[0] * len(names) ** 2 > MOST_TURNED or len(names) < 3:
        return coverage, 0
    without = _scenarios.without_one(means)
    low = np.nan_to_num(without, nan=np.inf).min(axis=0)
    high = np.nan_to_num(without, nan=-np.inf).max(axis=0)
    ends = {"lowest without one": low, "highest without one": high}
    turned = _scenarios.turned(without, value)
    return coverage | {
        name: _exact(names, np.where(np.isfinite(end), end, np.nan)) for name, end in ends.items()
    }, turned


def _findings(names: tuple[str, ...], means: FloatArray, turned: int, alone: BoolArray) -> tuple[Finding, ...]:
    found = []
    missing = int(np.isnan(means).sum())
    if missing:
        found.append(
            Finding(
                "cells-missing",
                Severity.WARNING,
                f"{missing} of {means.size} scenario cells are missing: the order hangs on who was run where.",
                missing,
                0,
                "Run every policy on every scenario, or leave out those that were run on few.",
            )
        )
    if turned:
        found.append(
            Finding(
                "order-depends-on-field",
                Severity.WARNING,
                f"{turned} pairs of policies change places when some other policy leaves the table.",
                turned,
                0,
                "Read these pairs as undecided, or rank by ranking.task_mean.",
            )
        )
    few = tuple(name for name, short in zip(names, alone, strict=True) if short)
    if few:
        found.append(
            Finding(
                "items-too-few",
                Severity.SEVERE,
                f"{len(few)} policies have a scenario of one item at most, or none that others have: their win rate "
                "has no error that could be known.",
                len(few),
                0,
                "Score more items of each scenario.",
                few,
            )
        )
    return tuple(found)
