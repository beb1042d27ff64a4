"""Features of the smooth calibrators: scores and covariates on one scale, so that one penalty means one thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ._slice import Slice


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """[1, (feature − centre) / scale] of a row.

    Arguments:
        centre: [d] weighted means over the labelled rows.
        scale: [d] weighted standard deviations; 1 for a constant feature.
    """

    centre: FloatArray
    scale: FloatArray

    def __call__(self, score: FloatArray, covariates: FloatArray) -> FloatArray:
        """[n, 1 + d] design matrix."""
        X = np.empty((len(score), 1 + self.centre.size))
        X[:, 0] = 1.0
        X[:, 1 : 1 + score.shape[1]] = score
        X[:, 1 + score.shape[1] :] = covariates
        X[:, 1:] -= self.centre
        X[:, 1:] /= self.scale
        return X

    def penalty(self, ridge: float) -> FloatArray:
        """[1 + d] the ridge on every slope, none on the intercept."""
        return np.concatenate([[0.0], np.full(self.centre.size, ridge)])


def standardise(labelled: Slice) -> Design:
    """The scale on which the labelled rows have mean 0 and deviation 1."""
    table = np.column_stack([labelled.score, labelled.covariates])
    total = labelled.weight.sum()
    centre = labelled.weight @ table / total
    scale = np.sqrt(labelled.weight @ (table - centre) ** 2 / total)
    return Design(centre, np.where(scale > 1e-12 * (1 + np.abs(centre)), scale, 1.0))
