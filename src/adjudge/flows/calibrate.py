"""Finds and fits the calibrator that was asked for."""

from __future__ import annotations

import numpy as np

from ..calibration import auto
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from .methods import method_at

FEWEST = 4  # labelled clusters below which no calibration is tried


def calibrate(ratings: Ratings, calibration: str, *, seed: int) -> tuple[Ratings, Calibrator | None]:
    """The ratings with a forecast of gold for every row; without one when labels do not allow it, or need none."""
    clusters = np.unique(ratings.cluster[ratings.labelled]).size
    if ratings.forecast is not None or clusters < FEWEST or ratings.labelled.all():
        return ratings, None
    calibrator = calibrator_for(ratings, calibration, seed=seed)
    return calibrator(ratings), calibrator


def calibrator_for(ratings: Ratings, calibration: str, *, seed: int) -> Calibrator:
    """The calibrator asked for, fitted to the labelled rows."""
    chosen = auto if calibration == "auto" else method_at("calibration", calibration)
    fitted: Calibrator = chosen.fit(ratings, seed=seed)
    return fitted
