"""Picks the estimator that the table allows, and says why.

    every row labelled         -> value.labels_only      the judge can add nothing
    labels and a forecast      -> value.calibrated       every score is used, and every label corrects
    labels, no usable forecast -> value.labels_only      too few labels to learn from the judge
    no labels                  -> value.plug_in          the judge at face value, not verified

Within value.calibrated the calibrator has been chosen by out-of-fold error, and a useless judge is calibrated to a
constant, at which the estimate *is* value.labels_only: so this choice never has to look at the answer.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings
from . import calibrated, labels_only, plug_in

CARD = Card(
    answers="What is each policy worth, by whichever method this table allows?",
    equation="labels_only if all rows are labelled; calibrated if there is a forecast; else labels_only or plug_in",
    papers=(
        Paper("Model Assisted Survey Sampling", "Särndal, Swensson, Wretman", 1992, "Springer", equation="chapter 6"),
    ),
    needs=("score", "gold"),
    assumes=("those of the method that it picks",),
    limits=("it never looks at the values when it picks, so picking costs no coverage",),
    when="The default. Name a method yourself when you must compare with a published number.",
)


def estimate(ratings: Ratings) -> Estimate:
    """The estimate of the method picked, with a finding `method-chosen` that says which and why.

    Arguments:
        ratings: table; with a forecast (see `calibration`) where there are enough labels.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=11, labels=55).draw(1).ratings).method
    'value.labels_only'
    """
    chosen, reason = _choose(ratings)
    found: Estimate = chosen.estimate(ratings)
    told = Finding("method-chosen", Severity.INFO, f"{found.method}: {reason}")
    return replace(found, findings=(told, *found.findings))


def _choose(ratings: Ratings) -> tuple[ModuleType, str]:
    labels = int(ratings.labelled.sum())
    if labels == ratings.n:
        return labels_only, "every row has a gold label, so the judge has nothing to add."
    if labels == 0:
        return plug_in, "there are no gold labels, so judge scores are taken at face value."
    if ratings.forecast is None:
        return labels_only, f"{labels} gold labels are too few to learn from the judge."
    return calibrated, (
        f"{labels:,} gold labels calibrate the judge ({ratings.forecast.calibrator}) and correct it policy by policy; "
        f"all {ratings.n:,} scores are used."
    )
