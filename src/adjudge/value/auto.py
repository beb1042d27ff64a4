"""Picks the estimator that the table allows, and says why.

    every row labelled                    -> value.labels_only   the judge can add nothing
    a forecast, 30 labels on each policy  -> value.ppi_cross     λ tuned: a judge is trusted policy by policy
    a forecast, fewer labels on some      -> value.calibrated    every score is used, and policies lend to each other
    labels, no usable forecast            -> value.labels_only   too few labels to learn from the judge
    no labels                             -> value.plug_in       the judge at face value, not verified

The calibrator has been chosen by out-of-fold error, and a useless judge is calibrated to a constant, at which all of
these *are* value.labels_only: so this choice looks at how many labels there are and never at what they say.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..stats import difference, leaning
from ..tables.ratings import Ratings
from . import calibrated, labels_only, plug_in, ppi_cross

CARD = Card(
    answers="What is each policy worth, by whichever method this table allows?",
    equation="labels_only if all rows are labelled; ppi_cross or calibrated if there is a forecast; else plug_in",
    papers=(
        Paper("Model Assisted Survey Sampling", "Särndal, Swensson, Wretman", 1992, "Springer", equation="chapter 6"),
    ),
    needs=("score", "gold"),
    assumes=("those of the method that it picks",),
    limits=("it never looks at the values when it picks, so picking costs no coverage",),
    when="The default. Name a method yourself when you must compare with a published number.",
)


ENOUGH = 30
"""Labelled clusters of its own from which a policy says by itself how far its forecast can be trusted."""


def estimate(ratings: Ratings) -> Estimate:
    """The estimate of the method picked, with a finding `method-chosen` that says which and why.

    Arguments:
        ratings: table; with a forecast (see `calibration`) where there are enough labels.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=11, labels=55).draw(1).ratings).method
    'value.labels_only'
    """
    labels = int(ratings.labelled.sum())
    if labels == ratings.n:
        return _told(labels_only.estimate(ratings), "every row has a gold label, so the judge has nothing to add.")
    if labels == 0:
        return _told(plug_in.estimate(ratings), "there are no gold labels, so judge scores are taken at face value.")
    if ratings.forecast is None:
        return _told(labels_only.estimate(ratings), f"{labels} gold labels are too few to learn from the judge.")
    sums = difference.fold(difference.prepare(ratings, forecast=True), ratings)
    leans = None if _apart(sums) else leaning.fold(leaning.prepare(ratings), ratings)
    return finish(sums, leans, calibrator=ratings.forecast.calibrator)


def finish(sums: difference.Sums, leans: leaning.Leaning | None, *, calibrator: str) -> Estimate:
    """The choice between the two methods that use a forecast, from folded sums.

    Arguments:
        sums, leans: of `stats.difference` and `stats.leaning`, with the forecast in them; no policy that has labels
            enough leans on the others', so `leans` may be None where all have.
        calibrator: address of what made the forecast, for the finding.
    """
    used = f"{int(sums.label.sums[0].sum()):,} gold labels calibrate the judge ({calibrator})"
    if leans is None or _apart(sums):
        return _told(
            ppi_cross.finish(sums, lam=None),
            f"{used}; each policy has {ENOUGH} or more, and says by itself how far its scores can be trusted.",
        )
    return _told(calibrated.finish(sums, leans), f"{used} and correct it policy by policy; all scores are used.")


def _apart(sums: difference.Sums) -> bool:
    """Whether each policy has labelled clusters enough of its own."""
    labelled = sums.label.group[sums.label.sums[0] > 0]
    return bool(np.all(np.bincount(labelled, minlength=len(sums.names)) >= ENOUGH))


def _told(found: Estimate, reason: str) -> Estimate:
    told = Finding("method-chosen", Severity.INFO, f"{found.method}: {reason}")
    return replace(found, findings=(told, *found.findings))
