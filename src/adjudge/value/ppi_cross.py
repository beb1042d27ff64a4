"""Labels both train the forecast and correct it, by turns: prediction-powered means without a label held back.

    θ_p = λ·mean f̂ over all rows + mean over labelled rows of (Y − λ·f̂ᵒᵒᶠ)

f̂ᵒᵒᶠ of a labelled row comes from a fit that never saw its cluster, so the correction is honest; f̂ on the other rows is
the full fit. To first order the fit's own error cancels between the two means (`stats.leaning`); what is left of it
widens the held-out residuals, and so the interval.

Zrnic, Candès (2024), Cross-prediction-powered inference, PNAS 121(15).
Limits: λ = 0 is `value.labels_only`; λ = 1 is `value.calibrated` without pooling; a forecast that was not trained on
these labels gives `value.ppi` on that forecast, averaged over all rows.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference, leaning
from ..stats.assemble import powered, weighted
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, when the same few labels must train the forecast and correct it?",
    equation="θ_p = λ·mean f̂ + mean_lab(Y − λ·f̂ᵒᵒᶠ)",
    papers=(
        Paper(
            "Cross-prediction-powered inference",
            "Zrnic, Candès",
            2024,
            "PNAS 121(15)",
            "https://doi.org/10.1073/pnas.2322083121",
            "Eq. 3",
        ),
    ),
    needs=("score", "gold"),
    assumes=("Labelled rows were drawn at random within a policy, or with the recorded propensities.",),
    limits=("λ = 0 is value.labels_only.", "A policy without labels of its own gets NaN."),
    when="When every policy has labels and a fitted forecast is wanted; value.calibrated also pools policies.",
)


def estimate(ratings: Ratings, *, lam: float | None = 1.0) -> Estimate:
    """Cross-fitted prediction-powered means of the policies.

    Arguments:
        ratings: the table with `forecast` filled by a calibrator; fewer than 2 labelled clusters give NaN.
        lam: weight of the forecast averaged over all rows; None tunes it for each policy.

    Raises `AdjudgeError` when there is no forecast.

    >>> from adjudge.calibration import isotonic
    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=200, labels=200).draw(0).ratings
    >>> estimate(isotonic.fit(ratings)(ratings)).value.round(2)
    array([0.71, 0.66, 0.61, 0.49, 0.41])
    """
    leaning.require_forecast(ratings)
    return finish(difference.fold(difference.prepare(ratings, forecast=True), ratings), lam=lam)


def finish(sums: difference.Sums, *, lam: float | None = 1.0) -> Estimate:
    """The estimate from folded sums (`stats.difference`)."""
    if lam is None:
        return powered(sums, method="value.ppi_cross")
    return weighted(sums, np.full((1, len(sums.names)), lam), method="value.ppi_cross")
