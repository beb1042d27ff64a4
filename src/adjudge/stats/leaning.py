"""How far a mean of calibrated forecasts leans on the labels that the calibrator was fitted to.

    f̂_i − f_i ≈ ∇_i · Σ_l I_l        ⇒        f̄_p + Σ_q M_pq·(mean residual of q)  moves by  b_p · I_g  with cluster g,
    b_p = ∇̄_p − Σ_q M_pq ∇̄_q,      ∇̄_p = Σ_i w_i ∇_i / W_p,      I_g = Σ_{labels l in g} I_l

So the calibrator's uncertainty, and its covariance between policies and with the rows themselves, needs no refit. The
gradient of a mean held-out residual is −∇̄: held-out labels are a fresh sample of the policy's rows. (Its in-sample
version counts each label against itself and makes paired differences look too certain: with 55 labels a policy and an
isotonic curve, by 7 % of their error.)

Newey, McFadden (1994), Large sample estimation and hypothesis testing, §6 (two-step estimators); Chernozhukov et al.
(2018), Double/debiased machine learning (orthogonality). Limits: a policy corrected by its own labels alone, M_p = 1_p,
has b = 0, and what is left of the calibrator's error sits in its held-out residuals; M = 0 carries the whole error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.ratings import Forecast, Ratings
from .cluster import Cells, covariance, group_sums, influence_matrix, same_made_equal


@dataclass(frozen=True, slots=True, eq=False)
class Leaning:
    """Mergeable sums of gradients, and the calibrator's influence by cluster; q parameters.

    Arguments:
        cluster: [G] labelled clusters, ascending.
        influence: [G, q] what each adds to the error of the calibrator's parameters.
        every: [k, q] Σ w∇ over all rows.
        mass: [k] Σ w.
    """

    cluster: IntArray
    influence: FloatArray
    every: FloatArray
    mass: FloatArray

    def slopes(self, mix: FloatArray) -> FloatArray:
        """[k, q] b for a mixture M [k, k] of the policies' mean residuals, or for its diagonal [k]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(self.mass > 0, 1.0 / self.mass, 0.0)[:, None] * self.every
        return mean - (mix @ mean if mix.ndim == 2 else mix[:, None] * mean)


def prepare(labelled: Ratings) -> Leaning:
    """The labelled half; rows without a label are passed over."""
    forecast = require_forecast(labelled)
    rows = np.flatnonzero(labelled.labelled & (labelled.weight > 0))
    there = np.flatnonzero(labelled.weight[labelled.labelled] > 0)
    cluster, code = np.unique(labelled.cluster[rows], return_inverse=True)
    influence = group_sums(code, forecast.influence[there].T, cluster.size).T
    if cluster.size >= 2:
        influence = (influence - influence.mean(axis=0)) * np.sqrt(cluster.size / (cluster.size - 1))
    return Leaning(cluster, influence, np.zeros((labelled.k, influence.shape[1])), np.zeros(labelled.k))


def fold(leaning: Leaning, batch: Ratings) -> Leaning:
    """The same with one more batch of all rows."""
    gradient = _grouped(batch.policy, batch.weight, require_forecast(batch).gradient, batch.k)
    # A batch in which some score is missing brings one parameter more (the labels' mean, last).
    width = max(gradient.shape[1], leaning.every.shape[1])
    return replace(
        leaning,
        influence=_widened(leaning.influence, width),
        every=_widened(leaning.every, width) + _widened(gradient, width),
        mass=leaning.mass + group_sums(batch.policy, batch.weight, batch.k),
    )


def joint_covariance(
    cells: Cells, psi: FloatArray, leaning: Leaning, slopes: FloatArray, *, mix: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """([k, k] covariance of Σ_g (M ψ_g + b·I_g), [k] variance of the calibrator's part alone).

    Arguments:
        cells, psi: pairs and their influence [c], on u groups.
        leaning: the calibrator's influence by cluster.
        slopes: [k, q] b.
        mix: [k, u] M; None for the groups themselves.
    """
    own = covariance(cells, psi)
    table = influence_matrix(cells, psi)
    occupied = cells.cluster[cells.start]
    at = np.searchsorted(occupied, leaning.cluster).clip(max=max(occupied.size - 1, 0))
    cross = np.asarray(table[at].T @ leaning.influence)
    if mix is not None:
        own, cross = mix @ own @ mix.T, mix @ cross
    cross = cross @ slopes.T
    square = slopes @ (leaning.influence.T @ leaning.influence) @ slopes.T
    return same_made_equal(own + cross + cross.T + square), np.diagonal(square)


def _grouped(group: IntArray, weight: FloatArray, gradient: FloatArray, k: int) -> FloatArray:
    """[k, q] Σ weight · gradient by group."""
    picker = sparse.csc_array((weight, group, np.arange(group.size + 1)), shape=(k, group.size))
    return np.asarray(picker @ gradient)


def _widened(table: FloatArray, width: int) -> FloatArray:
    return np.pad(table, ((0, 0), (0, width - table.shape[1]))) if table.shape[1] < width else table


def require_forecast(ratings: Ratings) -> Forecast:
    """The forecast, or an error that says how to get one."""
    if ratings.forecast is None:
        raise AdjudgeError(
            "ratings.forecast: there is none.",
            "This method works on calibrated forecasts of the gold label.",
            "Calibrate first: ratings = calibration.isotonic.fit(ratings)(ratings), or use value.ppi_plus.",
        )
    return ratings.forecast
