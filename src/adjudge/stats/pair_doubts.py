"""What to distrust in a linear reward fitted to pairs: few clusters, pairs that are separable, features of one outcome.

A sandwich error sees noise in residuals alone: where all four pairs with a feature were won, the residuals are almost
nothing, and so is the error, though A⁻¹ says that the coefficient is hardly known. The two agree up to a common factor
(weights, clusters) where the model holds, so that a feature far from the usual ratio tells.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.finding import Finding, Severity

FAR = 7.5  # median log-odds from which the features tell almost every pair apart
ONE_SIDED = 3.0  # times the usual, by which the loss's own error may exceed that of the outcomes


def doubts(g: int, effective: float, lead: FloatArray | None) -> tuple[Finding, ...]:
    """Too few clusters for the parameters; features that tell every pair apart."""
    found = []
    if g < 2 * effective:
        found.append(
            Finding(
                "rewards-few-clusters", Severity.WARNING,
                f"{g:,} independent clusters carry {effective:.1f} free parameters, so the errors are rough.",
                g, 2 * effective, "Collect more prompts, raise the penalty, or use fewer features.",
            )
        )  # fmt: skip
    if lead is not None and lead.size and float(np.median(np.abs(lead))) > FAR:
        found.append(
            Finding(
                "rewards-separable", Severity.WARNING,
                "The features tell almost every pair apart, so the size of the rewards rests on the penalty alone.",
                float(np.median(np.abs(lead))), FAR, "Raise the penalty, or read the order of rewards only.",
            )
        )  # fmt: skip
    return tuple(found)


def one_sided(model: FloatArray, found: FloatArray, ridge: FloatArray | float) -> tuple[Finding, ...]:
    """Features whose outcomes agree so well that their errors vanish, while the loss says that little is known of them.

    Arguments:
        model: [d] the diagonal of A⁻¹.
        found: [d] that of the covariance by cluster.
        ridge: λ.
    """
    free = model * ridge < 0.5  # the others rest on the penalty, and their errors are about that
    ratio = np.sqrt(model[free] / np.maximum(found[free], 1e-300))
    if not free.any() or not np.isfinite(found).all() or (worst := ratio.max() / np.median(ratio)) <= ONE_SIDED:
        return ()
    many = int((ratio > ONE_SIDED * np.median(ratio)).sum())
    said = f"{many:,} of {model.size:,} features met one outcome almost alone, so that their errors are far too small."
    do = "Raise the penalty, collect more pairs in which they differ, or read these features' signs only."
    return (Finding("rewards-one-sided", Severity.WARNING, said, float(worst), ONE_SIDED, do),)
