"""How far a mean of calibrated forecasts leans on the labels that the calibrator was fitted to.

    f̂_i − f_i ≈ ∇_i · Σ_l I_l        ⇒        f̄_p − α_p h̄_p  moves by  b_p · I_g  with cluster g,
    b_p = Σ_i w_i ∇_i / W_p − α_p Σ_i d_i ∇_i / D_p,      I_g = Σ_{labels l in g} I_l

So the calibrator's uncertainty, and its covariance between policies and with the rows themselves, needs no refit.
Newey, McFadden (1994), Large sample estimation and hypothesis testing, §6 (two-step estimators).
Limits: full augmentation on labels that look like all rows has b ≈ 0 (the residual mean absorbs the calibrator's
error); α = 0 carries the calibrator's whole error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.ratings import Forecast, Ratings
from .cluster import Cells, covariance, group_sums, influence_matrix, same_made_equal
from .design import label_weight


@dataclass(frozen=True, slots=True, eq=False)
class Leaning:
    """Mergeable sums of gradients, and the calibrator's influence by cluster; q parameters.

    Arguments:
        cluster: [G] labelled clusters, ascending.
        influence: [G, q] what each adds to the error of the calibrator's parameters.
        label: [k, q] Σ d∇ over labelled rows.
        label_mass: [k] Σ d.
        every: [k, q] Σ w∇ over all rows.
        mass: [k] Σ w.
    """

    cluster: IntArray
    influence: FloatArray
    label: FloatArray
    label_mass: FloatArray
    every: FloatArray
    mass: FloatArray

    def slopes(self, share: FloatArray, *, borrowed: FloatArray | float = 1.0) -> FloatArray:
        """[k, q] b for residual shares α [k], or for a mixture [k, k] of every policy's mean residual.

        `borrowed` is the weight of the forecast over all rows.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            label = np.where(self.label_mass > 0, 1.0 / self.label_mass, 0.0)[:, None] * self.label
            every = np.where(self.mass > 0, borrowed / self.mass, 0.0)[:, None] * self.every
        return every - (share @ label if share.ndim == 2 else share[:, None] * label)


def prepare(labelled: Ratings) -> Leaning:
    """The labelled half; rows without a label are passed over."""
    forecast = _forecast(labelled)
    rows = np.flatnonzero(labelled.labelled & (labelled.weight > 0))
    there = np.flatnonzero(labelled.weight[labelled.labelled] > 0)
    cluster, code = np.unique(labelled.cluster[rows], return_inverse=True)
    influence = group_sums(code, forecast.influence[there].T, cluster.size).T
    if cluster.size >= 2:
        influence = (influence - influence.mean(axis=0)) * np.sqrt(cluster.size / (cluster.size - 1))
    d = label_weight(labelled)[rows]
    policy = labelled.policy[rows]
    label = _grouped(policy, d, forecast.gradient[rows], labelled.k)
    return Leaning(
        cluster,
        influence,
        label,
        group_sums(policy, d, labelled.k),
        np.zeros((labelled.k, influence.shape[1])),
        np.zeros(labelled.k),
    )


def fold(leaning: Leaning, batch: Ratings) -> Leaning:
    """The same with one more batch of all rows."""
    gradient = _grouped(batch.policy, batch.weight, _forecast(batch).gradient, batch.k)
    # A batch in which some score is missing brings one parameter more (the labels' mean, last).
    width = max(gradient.shape[1], leaning.every.shape[1])
    return replace(
        leaning,
        influence=_widened(leaning.influence, width),
        label=_widened(leaning.label, width),
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
    occupied = np.unique(cells.cluster)
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


def _forecast(ratings: Ratings) -> Forecast:
    if ratings.forecast is None:
        raise AdjudgeError(
            "ratings.forecast: there is none.",
            "This method works on calibrated forecasts of the gold label.",
            "Calibrate first: ratings = calibration.isotonic.fit(ratings)(ratings), or use value.ppi_plus.",
        )
    return ratings.forecast
