"""What to distrust in risks of the untested: chains apart, constraints that quarrel with the data, poor fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.selective import LOG, Posterior
from ..tables.selective import SelectiveLabels

APART, FEWEST = 1.05, 100.0
UNMOVED = 0.8  # posterior over prior standard deviation of log σ from which the data are said to be silent


def plain(names: tuple[str, ...], value: Sequence[float] | FloatArray, method: str) -> Estimate:
    """Figures without an error of their own."""
    k = len(names)
    part = Part("posterior", np.full((k, k), np.nan), 0)
    return Estimate(names, np.asarray(value, dtype=float), (part,), np.full(k, np.nan), method=method)


def nothing(table: SelectiveLabels, chosen: float, method: str) -> Estimate:
    """NaN for every group: nobody was tested, or everybody was."""
    what = "Nobody was tested: nothing is known of any outcome." if chosen == 0 else "Everybody was tested."
    finding = Finding(
        "nobody-tested" if chosen == 0 else "nobody-untested",
        Severity.SEVERE if chosen == 0 else Severity.INFO,
        what,
        chosen,
        float(table.weight.sum()),
        "Test some units." if chosen == 0 else "Take the shares of positives as they are.",
    )
    made = plain(table.groups, np.full(len(table.groups), np.nan), method)
    return Estimate(made.names, made.value, made.parts, made.df, method=method, findings=(finding,))


def findings(
    table: SelectiveLabels,
    figures: dict[str, Estimate],
    prevalence: float | None,
    loose: Posterior | None,
    main: Posterior,
    *,
    level: float,
) -> tuple[Finding, ...]:
    """All that is doubtful about a fit; `loose` is the same model without the prevalence."""
    said = [*_chains(figures), *_free(main, table)]
    if prevalence is not None:
        said += _quarrel(table, prevalence, loose)
    return (*said, *_fit(figures, level), *_alone(table))


def _chains(figures: dict[str, Estimate]) -> list[Finding]:
    worst, least = figures["convergence"].value
    said = []
    if worst > APART:
        message = f"The chains have not met: R-hat is {worst:.2f}."
        said.append(
            Finding("chains-apart", Severity.WARNING, message, worst, APART, "Allow more draws and a longer burn.")
        )
    if least < FEWEST:
        message = f"All draws together are worth {least:.0f} independent ones: the ends of intervals are rough."
        said.append(Finding("draws-few", Severity.WARNING, message, least, FEWEST, "Allow more draws."))
    return said


def _free(main: Posterior, table: SelectiveLabels) -> list[Finding]:
    """What testers saw beyond the features may be known from the prior alone."""
    d = len(table.features)
    moved = float(main.theta[:, d + 1].std() / LOG)
    if moved <= UNMOVED:
        return []
    message = (
        f"The data say little of how much testers saw beyond the features: its uncertainty is {100 * moved:.0f} % of "
        "the prior's, and the intervals rest on that prior."
    )
    remedy = "Give the prevalence, or name the features on which testers deviate from risk; or test some at random."
    return [Finding("unseen-risk-unidentified", Severity.INFO, message, moved, UNMOVED, remedy)]


def _quarrel(table: SelectiveLabels, prevalence: float, loose: Posterior | None) -> list[Finding]:
    """A prevalence that the counts exclude, or that the model without it finds far off."""
    w = table.weight
    total, found = float(w.sum()), float(w @ np.nan_to_num(table.outcome))
    low, high = found / total, (found + float(w @ ~table.tested)) / total
    error = float(np.sqrt(max(prevalence * (1 - prevalence), 1e-12) / total))
    if not low - 3 * error <= prevalence <= high + 3 * error:
        message = (
            f"A prevalence of {100 * prevalence:.2f} % cannot be that of these units: {100 * low:.2f} % of all were "
            f"found positive, and {100 * high:.2f} % would be if every untested one were."
        )
        remedy = "Look whether the table is of the population of that prevalence."
        return [Finding("prevalence-impossible", Severity.SEVERE, message, prevalence, low, remedy)]
    if loose is None:
        return []
    eta = loose.theta[:, 0]
    z = float((special.logit(prevalence) - eta.mean()) / eta.std())
    if abs(z) <= 3:
        return []
    message = (
        f"Without it the model puts the prevalence at {100 * special.expit(eta.mean()):.2f} %, {abs(z):.1f} posterior "
        f"standard deviations from the {100 * prevalence:.2f} % given."
    )
    remedy = "One of the two is wrong: the prevalence for these units, or the model of testing."
    return [Finding("prevalence-doubtful", Severity.WARNING, message, z, 3.0, remedy)]


def _fit(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Groups whose tested units the model does not describe."""
    observed, model = figures["observed"], figures["tested"]
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.diagonal(observed.parts[0].covariance)
        p = np.clip(model.value, 1e-6, 1 - 1e-6)
        share = observed.value * (1 - observed.value)
        n = np.where(share > 0, share / np.maximum(size, 1e-300), observed.df + 1)
        z = (observed.value - model.value) / np.sqrt(p * (1 - p) / n + model.stderr**2)
    z = np.nan_to_num(z)
    limit = float(special.ndtri(1 - (1 - level) / (2 * max(z.size, 1))))
    return [
        Finding(
            "model-fits-poorly",
            Severity.WARNING,
            f"Of the tested of {observed.names[g]}, {100 * observed.value[g]:.1f} % are positive; the model says "
            f"{100 * model.value[g]:.1f} % ({abs(z[g]):.1f} standard errors).",
            float(z[g]),
            limit,
            "Add the feature that makes the group differ, or its product with another.",
            (observed.names[g],),
        )
        for g in np.flatnonzero(np.abs(z) > limit)
    ]


def _alone(table: SelectiveLabels) -> list[Finding]:
    found = float(table.weight @ np.nan_to_num(table.outcome))
    least = min(found, float(table.weight @ table.tested) - found)
    if least >= 10:
        return []
    message = f"Of the tested only {least:.0f} are of the rarer outcome: slopes rest on the prior."
    return [Finding("outcomes-too-few", Severity.WARNING, message, least, 10, "Test more units.")]
