"""Suggests with what probability to label each row, so that given coefficients come out with the smallest variance.

    Var(Lβ̂) ≈ Σ_i w_i² ‖L H⁻¹ x_i‖² v_i (1/π_i − 1) + …     ⇒     π_i ∝ w_i ‖L H⁻¹ x_i‖ √v_i,     Σ π_i = budget

v_i = E[(y − ŷ)²] given what is known of row i, fitted to the squared cross-fitted errors of a pilot. A floor keeps
every chance positive, which the design needs and which guards against a wrong v. Limit: constant v and an intercept
alone is simple random sampling.

Neyman (1934), On the two different aspects of the representative method, JRSS 97; Egami et al. (2023), section 4.
"""

from __future__ import annotations

import numpy as np

from .._typing import ArrayLike, FloatArray
from ..errors import AdjudgeError
from . import moments, surrogate
from .pseudo import Problem
from .sampling import capped_share


def propensities(
    data: Problem,
    budget: float,
    *,
    model: str = "linear",
    contrast: ArrayLike | None = None,
    floor: float = 0.25,
    folds: int = 5,
    seed: int = 0,
) -> FloatArray:
    """[n] suggested labelling probabilities that sum to the budget.

    Arguments:
        data: a pilot whose outcome is labelled on some rows (its recorded design is respected).
        budget: labels to buy, in expectation; below the number of rows.
        model: `linear` or `logistic`.
        contrast: [c, d] combinations of coefficients that matter; all coefficients by default.
        floor: [0, 1] share of the uniform probability below which none falls.
        folds, seed: of the pilot's cross-fit.

    Errors: a budget that is not between 0 and the rows; fewer than 10 pilot labels.
    """
    known, n = data.labelled, data.y.size
    if not 0 < budget <= n:
        raise AdjudgeError(f"budget is {budget:g} labels.", f"More than 0, at most the {n:,} rows.", "Change it.")
    if known.sum() < 10:
        raise AdjudgeError(
            f"the pilot has {int(known.sum())} labels.",
            "At least 10 are needed to see where predictions err.",
            "Label a simple random sample first.",
        )
    Z = surrogate.basis(np.column_stack([data.surrogate, data.X]), data.weight)
    fold = surrogate.deal(data.cluster, known, np.arange(data.cluster.max() + 1), folds, np.random.default_rng(seed))
    guess = surrogate.predict(Z, data.y, known, fold, data.weight, learner="auto")
    error = np.where(known, np.square(data.y - guess), 0.0)
    spread = surrogate.predict(Z, error, known, fold, data.weight, learner="spline")
    spread = np.maximum(spread, 0.05 * error[known].mean())
    pseudo = guess + np.where(known, data.y - guess, 0.0) / data.propensity
    root = moments.solve(data.X, data.weight, data.X.T @ (data.weight * pseudo), model=model, names=data.names)
    lever = data.X @ root.inverse
    if contrast is not None:
        lever = lever @ np.atleast_2d(np.asarray(contrast, dtype=float)).T
    size = data.weight * np.sqrt(np.square(lever).sum(axis=1) * spread)
    size = (1 - floor) * size / max(float(size.mean()), 1e-300) + floor
    return capped_share(size, budget)
