"""How far preferences and rewards follow length: how often the longer response is favoured, and the correlation.

    longer  = Σ w·[len_l > len_r]·p + …/Σ w      over pairs of unlike lengths, p the chance that the longer is better
    ρ       = Σ w·u·δ/√(Σ w·u²·Σ w·δ²),          u the log-odds of the left, δ = log(1 + len_l) − log(1 + len_r)

Sums without a mean taken off, since sides can be exchanged. Errors by cluster, delta method. Limits: pairs of equal
lengths say nothing and are left out; a reward that follows length may do so with reason.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..tables.preferences import Preferences
from .certain import never_certain
from .cluster import group_sums

LABELS = "labels"
FLOOR = 1e-9


def longer(preferences: Preferences, chances: Mapping[str, FloatArray], *, method: str = "") -> Estimate:
    """How often the longer response is better by the labels, and favoured by each model; entries share their error.

    Arguments:
        preferences: with lengths; pairs that a model does not predict (NaN) are left out for all.
        chances: name -> [n] probability that the left is better; its side above ½ is favoured.
        method: address for the estimate.

    >>> from adjudge.tables.preferences import from_arrays
    >>> none = np.zeros((4, 1))
    >>> table = from_arrays(none, none, [1, 1, 0, 1], length=[[2, 1], [2, 1], [1, 2], [1, 2]])
    >>> longer(table, {"m": np.array([0.9, 0.8, 0.2, 0.1])}).value.tolist()
    [0.75, 1.0]
    """
    used, sign, weight, code, units = _rows(preferences, chances)
    columns = [np.where(sign > 0, preferences.target[used], 1 - preferences.target[used])]
    for chance in chances.values():
        lead = sign * (chance[used] - 0.5)
        columns.append(np.where(lead > 0, 1.0, np.where(lead < 0, 0.0, 0.5)))
    table = np.column_stack(columns)
    total = max(float(weight.sum()), 1e-300)
    mean = weight @ table / total if used.size else np.full(table.shape[1], np.nan)
    psi = np.column_stack([group_sums(code, weight * (column - at) / total, units)
                           for column, at in zip(table.T, mean, strict=True)])  # fmt: skip
    return _estimate((LABELS, *chances), mean, psi, (0.0, 1.0), method)


def correlation(preferences: Preferences, chances: Mapping[str, FloatArray], *, method: str = "") -> Estimate:
    """Correlation of each model's log-odds with the difference of log lengths.

    Arguments:
        preferences, chances, method: as of `longer`.

    >>> from adjudge.tables.preferences import from_arrays
    >>> none = np.zeros((3, 1))
    >>> table = from_arrays(none, none, [1, 1, 0], length=[[3, 1], [7, 1], [1, 15]])
    >>> correlation(table, {"m": special.expit(np.array([1.0, 2.0, -3.0]))}).value.round(6).tolist()
    [1.0]
    """
    used, _, weight, code, units = _rows(preferences, chances)
    delta = np.diff(np.log1p(preferences.length[used][:, ::-1]), axis=1)[:, 0]
    values, psi = [], []
    for chance in chances.values():
        lead = special.logit(np.clip(chance[used], FLOOR, 1 - FLOOR))
        size, spread = float(weight @ lead**2), float(weight @ delta**2)
        if size <= 0 or spread <= 0:
            values.append(float("nan"))
            psi.append(np.full(units, np.nan))
            continue
        u, v = lead / np.sqrt(size), delta / np.sqrt(spread)
        rho = float(weight @ (u * v))
        values.append(rho)
        psi.append(group_sums(code, weight * (u * v - rho / 2 * (u**2 + v**2)), units))
    return _estimate(tuple(chances), np.array(values), np.column_stack(psi), (-1.0, 1.0), method)


def _rows(
    preferences: Preferences, chances: Mapping[str, FloatArray]
) -> tuple[IntArray, FloatArray, FloatArray, IntArray, int]:
    """(rows that count, [m] 1 where the left is longer, −1 where the right is, weights, codes, units)."""
    apart = preferences.length[:, 0] - preferences.length[:, 1]
    known = preferences.compared & np.isfinite(apart) & (apart != 0)
    for chance in chances.values():
        known = known & np.isfinite(chance)
    used = np.flatnonzero(known)
    codes = np.unique(preferences.cluster[used], return_inverse=True)[1]
    return used, np.sign(apart[used]), preferences.weight[used], codes, int(codes.max(initial=-1)) + 1


def _estimate(
    names: tuple[str, ...], value: FloatArray, psi: FloatArray, bounds: tuple[float, float], method: str
) -> Estimate:
    part = Part.from_influence("sampling", psi) if len(psi) else Part("sampling", np.full((len(names),) * 2, np.nan), 0)
    return never_certain(
        Estimate(names, value, (part,), df=np.array(max(len(psi) - 1, 1)), bounds=bounds, method=method)
    )
