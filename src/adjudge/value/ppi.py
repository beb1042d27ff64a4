"""Judge scores on every row, labels on a few: the mean that trusts the judge by a weight fixed in advance.

    θ_p = λ·mean f_unlabelled + mean(Y − λ·f)_labelled        λ = 1 unless told otherwise

The labelled and unlabelled rows are two samples of one population. Where labels have recorded, unequal propensities the
labelled rows are no sample of it by themselves, and the forecast is averaged over all rows: θ = Ȳ + λ(f̄_all − f̄_lab).

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023), Prediction-powered inference, Science 382.
Limits: λ = 0, or no unlabelled row, is `value.labels_only`; a score that equals the label is the mean over all rows.
Variances divide by n − 1 (`ppi-python` divides by n); points agree with it to rounding.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference
from ..stats.assemble import weighted
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, correcting the mean judge score by the judge's mean error on the labels?",
    equation="θ_p = λ·mean f_unlabelled + mean(Y − λ·f)_labelled",
    papers=(
        Paper(
            "Prediction-powered inference",
            "Angelopoulos, Bates, Fannjiang, et al.",
            2023,
            "Science 382",
            "https://doi.org/10.1126/science.adi6000",
            "Eq. 1",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "Labelled rows were drawn at random within a policy, or with the recorded propensities.",
        "The score is in the unit of the label.",
    ),
    limits=("λ = 0 is value.labels_only.", "A poor judge at λ = 1 is worse than the labels alone."),
    when="To reproduce a published analysis; value.ppi_plus chooses λ from the data.",
)


def estimate(ratings: Ratings, *, judge: str | None = None, lam: float = 1.0) -> Estimate:
    """Prediction-powered means of the policies at a fixed λ.

    Arguments:
        ratings: the table; a policy with fewer than 2 labelled clusters gets NaN and a finding.
        judge: name of the score column; the first by default.
        lam: λ, the weight of the score, by the convention of the paper (two samples).

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).method
    'value.ppi'
    """
    judges = judge_columns(ratings, judge)
    return finish(difference.fold(difference.prepare(ratings, judges=judges), ratings), lam=lam)


def finish(sums: difference.Sums, *, lam: float = 1.0) -> Estimate:
    """The estimate from folded sums with one forecast (`stats.difference`)."""
    pieces = difference.pieces(sums)
    rest = pieces.mass - pieces.label_mass
    apart = (rest > 0) & ~pieces.recorded
    one_sample = np.where(apart, pieces.mass / np.where(apart, rest, 1.0), 1.0)
    return weighted(sums, lam * one_sample[None, :], method="value.ppi")
