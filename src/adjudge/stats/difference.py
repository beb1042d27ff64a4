"""The difference estimator: a mean over few labels, corrected by a forecast that is known on every row.

    θ_p = Ȳ_p + λ_p·(f̄_p − h̄_p)        Ȳ, h̄ over labelled rows (weights d),  f̄ over all rows (weights w)
    ψ_gp = Σ_{i∈g} [ d_i(Y_i − Ȳ_p)/D_p − λ_p d_i(h_i − h̄_p)/D_p + λ_p w_i(f_i − f̄_p)/W_p ]

h is the forecast of a labelled row (held out, where the forecast was fitted on labels), f that of any row. The sums are
taken once, by (cluster, policy), and can be folded over files larger than memory: `prepare` on the labelled rows,
`fold` for every batch of all rows, then the method's `finish`. Clusters with labels and those without are two samples,
each with its n/(n−1).

Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, §6.4; Angelopoulos, Duchi, Zrnic (2023), PPI++.
Limits: λ = 0 is the mean of the labels; a forecast that equals the label gives the mean of the forecast over all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings
from .cluster import Cells, from_rows, group_sums, push, total
from .design import effective_clusters, label_weight, recorded_groups


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Mergeable sums behind a difference estimator over k groups with J forecasts.

    Arguments:
        names: [k] what the groups are, usually policies.
        bounds: range of the gold label.
        judges: score columns used as forecasts; () with `forecast` for the calibrated one.
        forecast: whether the forecast is `ratings.forecast`.
        fill: [J] what stands in for a missing score: its mean over the labelled rows.
        label: over labelled rows: w, d, dY, and d·h for each forecast.
        recorded: [k] whether the label propensities were recorded (the number of labels is then random).
        seen: lowest and highest gold label; NaN without labels.
        every: over all rows, as a stack of batches: w, and w·f for each forecast.
    """

    names: tuple[str, ...]
    bounds: tuple[float, float]
    judges: tuple[int, ...]
    forecast: bool
    fill: FloatArray
    label: Cells
    recorded: BoolArray
    seen: tuple[float, float]
    every: tuple[Cells, ...] = ()

    @property
    def possible(self) -> tuple[float, float]:
        """The range in which values may lie: the declared bounds, or the range of the labels where there is none."""
        low, high = self.bounds
        return (low if np.isfinite(low) else self.seen[0]), (high if np.isfinite(high) else self.seen[1])


def prepare(labelled: Ratings, *, judges: Sequence[int] = (), forecast: bool = False) -> Sums:
    """The labelled half of the sums; rows without a label are passed over.

    Arguments:
        labelled: the labelled rows of the table, or all of it (then label shares can be estimated where a policy has
            recorded propensities for some of its labels only).
        judges: positions of the score columns to use as forecasts.
        forecast: use `labelled.forecast` instead (its held-out values).
    """
    rows = np.flatnonzero(labelled.labelled & (labelled.weight > 0))
    raw = _forecasts(labelled, judges, forecast, held_out=True)[:, rows]
    weight = labelled.weight[rows]
    d = label_weight(labelled)[rows]
    known = np.isfinite(raw)
    mass = np.maximum((known * weight).sum(axis=1), np.finfo(float).tiny)
    fill = (np.where(known, raw, 0.0) * weight).sum(axis=1) / mass
    h = np.where(known, raw, fill[:, None])
    gold = labelled.gold[rows]
    columns = [weight, d, d * gold, *(d * h)]
    return Sums(
        names=labelled.policies,
        bounds=labelled.bounds,
        judges=tuple(judges),
        forecast=forecast,
        fill=fill,
        label=from_rows(labelled.cluster[rows], labelled.policy[rows], columns, k=labelled.k),
        recorded=recorded_groups(labelled),
        seen=(float(gold.min()), float(gold.max())) if gold.size else (np.nan, np.nan),
    )


def fold(sums: Sums, batch: Ratings) -> Sums:
    """The sums with one more batch of all rows (labelled ones included) in them."""
    raw = _forecasts(batch, sums.judges, sums.forecast, held_out=False)
    f = np.where(np.isfinite(raw), raw, sums.fill[:, None])
    cluster, policy, weight = batch.cluster, batch.policy, batch.weight
    if not np.all(weight > 0):  # rows of weight 0 are not there, and do not count as clusters
        there = weight > 0
        cluster, policy, weight, f = cluster[there], policy[there], weight[there], f[:, there]
    cells = from_rows(cluster, policy, [weight, *(weight * f)], k=batch.k)
    return replace(sums, every=push(sums.every, cells))


def _forecasts(ratings: Ratings, judges: Sequence[int], forecast: bool, *, held_out: bool) -> FloatArray:
    """[J, n] forecasts."""
    if forecast and ratings.forecast is not None:
        value, held = ratings.forecast.value, ratings.forecast.held_out
        return (np.where(np.isfinite(held), held, value) if held_out else value)[None, :]
    return ratings.score[:, list(judges)].T


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What each (cluster, group) pair adds to the three means, centred; c pairs, J forecasts, k groups.

    Arguments:
        cells: the pairs (of all rows); `sums` as in `Sums.every`.
        group: [c] group of each pair.
        has_label: [c] whether the pair has a label.
        gold: [k] Ȳ.
        held: [J, k] h̄.
        mean: [J, k] f̄.
        e: [c] contribution to Ȳ.
        h: [J, c] contributions to h̄.
        a: [J, c] contributions to f̄.
        n: [k] labelled clusters.
        n_eff: [k] the same where their label weights differ: as many as steady the variance, (Σd²)²/Σd⁴.
        unlabelled: [k] clusters without a label.
        mass: [k] weight of all rows.
        label_mass: [k] row weight of the labelled rows.
        recorded: [k] as in `Sums`.
    """

    cells: Cells
    group: IntArray
    has_label: BoolArray
    gold: FloatArray
    held: FloatArray
    mean: FloatArray
    e: FloatArray
    h: FloatArray
    a: FloatArray
    n: FloatArray
    n_eff: FloatArray
    unlabelled: FloatArray
    mass: FloatArray
    label_mass: FloatArray
    recorded: BoolArray

    @property
    def enough(self) -> BoolArray:
        """[k] whether the group has the two labelled clusters without which nothing is known of the error."""
        return self.n >= 2

    def influence(self, residual: FloatArray, forecast: FloatArray, *, spent: FloatArray | float = 0.0) -> FloatArray:
        """[c] ψ from label contributions and forecast contributions, with n/(n−1−spent) and N/(N−1) in them.

        `spent` are the degrees of freedom that a fitted λ has used up.
        """
        left = np.maximum(self.n - 1 - spent, np.finfo(float).tiny)
        up = np.where(self.n >= 2, np.sqrt(self.n / left), 1.0)
        rest = np.where(self.unlabelled >= 2, np.sqrt(self.unlabelled / np.maximum(self.unlabelled - 1, 1)), 1.0)
        return (residual + forecast) * np.where(self.has_label, up[self.group], rest[self.group])

    def variances(self, psi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """([k] from clusters with labels, [k] from clusters without)."""
        squares = psi**2
        both = self.cells.by_group(squares)
        labelled = self.cells.by_group(np.where(self.has_label, squares, 0.0))
        return labelled, np.maximum(both - labelled, 0.0)

    def df(self, psi: FloatArray, *, spent: FloatArray | float = 0.0) -> FloatArray:
        """[k] Satterthwaite degrees of freedom: labelled part n_eff − 1 − spent, unlabelled part N − 1."""
        labelled, rest = self.variances(psi)
        return satterthwaite(
            np.array([labelled, rest]), np.array([self.n_eff - 1 - spent, np.maximum(self.unlabelled - 1, 1)])
        )


def pieces(sums: Sums) -> Pieces:
    """Aligns the sums over labelled rows with those over all rows, and centres them."""
    cells = total(sums.every)
    k, group = cells.k, cells.group
    w_label, d, dy, *dh_rows = sums.label.at(cells.key)
    w, *wf_rows = cells.sums
    shape = (len(wf_rows), cells.key.size)
    dh, wf = np.array(dh_rows).reshape(shape), np.array(wf_rows).reshape(shape)
    has_label = d > 0
    mass, d_mass = cells.by_group(w), cells.by_group(d)
    with np.errstate(invalid="ignore", divide="ignore"):
        gold = cells.by_group(dy) / d_mass
        held = cells.by_group(dh) / d_mass
        mean = cells.by_group(wf) / mass
        e = np.where(has_label, (dy - gold[group] * d) / d_mass[group], 0.0)
        h = np.where(has_label, (dh - held[:, group] * d) / d_mass[group], 0.0)
        a = (wf - mean[:, group] * w) / mass[group]
    e, h, a = (np.nan_to_num(piece) for piece in (e, h, a))
    n = cells.by_group(has_label.astype(float))
    rest = cells.by_group((~has_label).astype(float))
    a = _centred(a, group, has_label, n, rest, sums.recorded)
    n_eff = np.minimum(effective_clusters(group, d**2, k), n)  # of a variance, Σ d²e², not of a mean
    return Pieces(
        cells, group, has_label, gold, held, mean, e, h, a, n, n_eff, rest, mass, cells.by_group(w_label), sums.recorded
    )


def _centred(
    a: FloatArray, group: IntArray, has_label: BoolArray, n: FloatArray, rest: FloatArray, recorded: BoolArray
) -> FloatArray:
    """Takes the number of labelled clusters as given where nobody recorded how they were drawn: two samples."""
    k = n.size
    code = 2 * group + has_label
    size = np.column_stack([rest, n]).ravel()
    free = (size < 2) | np.repeat(recorded, 2)
    shift = np.where(free, 0.0, group_sums(code, a, 2 * k) / np.maximum(size, 1))
    return a - shift[:, code]


def satterthwaite(variance: FloatArray, df: FloatArray) -> FloatArray:
    """[k] degrees of freedom of a sum of independent variances [s, k] with df [s, k]; at least 1.

    >>> satterthwaite(np.array([[4.0], [0.0]]), np.array([[9.0], [99.0]]))
    array([9.])
    """
    df = np.maximum(df, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        both = variance.sum(axis=0) ** 2 / (variance**2 / df).sum(axis=0)
    return np.where(np.isfinite(both), both, df[0])


def too_few(names: Sequence[str], enough: BoolArray, n: FloatArray) -> tuple[Finding, ...]:
    """A finding for the policies about which nothing can be said."""
    subject = tuple(name for name, fine in zip(names, enough, strict=True) if not fine)
    if not subject:
        return ()
    shown = ", ".join(subject[:5]) + (f" and {len(subject) - 5} more" if len(subject) > 5 else "")
    return (
        Finding(
            "labels-missing",
            Severity.SEVERE,
            f"No value for {shown}: fewer than 2 labelled clusters.",
            float(n[~enough].min()),
            2.0,
            "Label at least 2 prompts of each (20 or more to be useful), or use value.calibrated.",
            subject,
        ),
    )
