"""Which rows to label next: those where the judge is expected to be most wrong, with the chance of each recorded.

    π_i ∝ (1 − u)·√(E[r² | f̂_i]) / mean + u,        r = gold − f̂_held_out,      Σ_{i in policy p} π_i = labels for p
    Π_i = π⁰_i + (1 − π⁰_i)·π_i                      chance of being labelled in the old round or in the new one

With weights 1/Π the augmented estimate stays unbiased whatever E[r² | f̂] is; a good guess only narrows it. E[r² | f̂]
is estimated on labelled rows in bins of the forecast, shrunk to the overall mean, so that a few labels cannot send
all the budget to one place. Limits: u = 1 is simple random sampling; equal residuals everywhere are the same.
"""

from __future__ import annotations

import numpy as np

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats.sampling import capped_share
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which rows should get the next gold labels, and with what recorded probability?",
    equation="π_i ∝ (1 − u)·√E[r² | f̂_i] + u;   Π_i = π⁰_i + (1 − π⁰_i)·π_i",
    papers=(
        Paper(
            "Active Statistical Inference", "Zrnic, Candès", 2024, "ICML", "https://arxiv.org/abs/2403.03208", "Eq. 6"
        ),
        Paper(
            "Hybrid Preferences: Learning to Route Instances for Human vs. AI Feedback",
            "Miranda et al.",
            2025,
            "ACL",
            "https://arxiv.org/abs/2410.19133",
        ),
        Paper("On the Theory of Systematic Sampling, II", "Madow", 1949, "Annals of Mathematical Statistics 20"),
    ),
    needs=("score", "gold"),
    assumes=("rows that are chosen do get a label, or are missed at random",),
    limits=("u = 1 is simple random sampling", "with fewer than 10 labels the residuals say nothing: u = 1 is used"),
    when="When labels are dearer than judge calls and some rows are clearly harder for the judge than others.",
)

_PRIOR = 4.0  # pseudo-residuals that pull each bin to the overall mean
_PER_BIN = 15  # labels a bin should hold before it is split


def scores(ratings: Ratings, *, labels: ArrayLike, uniform: float = 0.5) -> FloatArray:
    """[n] probability π of drawing each row for a new label; 0 for rows that have one.

    Arguments:
        ratings: table with a forecast (see `calibration`); without one, or with few labels, draws are uniform.
        labels: [k] labels to buy for each policy, >= 0.
        uniform: u in [0, 1], the share of simple random sampling mixed in; it bounds the weights 1/Π.

    Errors: a policy with fewer unlabelled rows than labels asked for.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(items=101, labels=7, truth=(0.6, 0.5)).draw(1)
    >>> float(scores(world.ratings, labels=[10, 5]).sum().round(9))
    15.0
    """
    wanted = np.asarray(labels, dtype=float)
    open_rows = ~ratings.labelled & (ratings.weight > 0)
    free = np.bincount(ratings.policy[open_rows], minlength=ratings.k)
    if np.any(wanted > free):
        short = int(np.argmax(wanted - free))
        raise AdjudgeError(
            f"plan: {wanted[short]:g} labels are asked for {ratings.policies[short]}, "
            f"which has {free[short]} unlabelled rows.",
            "At most as many labels as there are rows without one.",
            "Ask for fewer, or judge more rows first.",
        )
    size = (1 - uniform) * _hardness(ratings) + uniform
    share = np.zeros(ratings.n)
    for p in np.flatnonzero(wanted > 0):
        rows = open_rows & (ratings.policy == p)
        share[rows] = capped_share(size[rows], wanted[p])
    return share


def combined(ratings: Ratings, share: FloatArray) -> FloatArray:
    """[n] Π: chance that a row is labelled after the new round; the old round's is recorded or the labelled share."""
    total = np.bincount(ratings.policy, minlength=ratings.k)
    done = np.bincount(ratings.policy[ratings.labelled], minlength=ratings.k)
    old = np.where(np.isfinite(ratings.propensity), ratings.propensity, (done / np.maximum(total, 1))[ratings.policy])
    # a labelled row was not offered again: its chance in the new round is that of an open row like it
    new = np.where(ratings.labelled, _like_open(ratings, share), share)
    return old + (1 - old) * new


def _hardness(ratings: Ratings) -> FloatArray:
    """[n] √E[r² | f̂], scaled to mean 1."""
    forecast = ratings.forecast
    if forecast is None:
        return np.ones(ratings.n)
    residual = (ratings.gold - forecast.held_out) ** 2
    known = np.isfinite(residual)
    if known.sum() < 10 or residual[known].mean() == 0:
        return np.ones(ratings.n)
    bins = _bins(forecast.value, known)
    count = np.bincount(bins[known], minlength=bins.max() + 1)
    total = np.bincount(bins[known], residual[known], minlength=bins.max() + 1)
    level = np.sqrt((total + _PRIOR * residual[known].mean()) / (count + _PRIOR))[bins]
    return level / level.mean()


def _bins(value: FloatArray, known: BoolArray) -> IntArray:
    """[n] bin of each row: quantiles of the forecast over labelled rows."""
    pieces = int(np.clip(known.sum() // _PER_BIN, 1, 8))
    edges = np.unique(np.quantile(value[known], np.linspace(0, 1, pieces + 1)[1:-1]))
    return np.searchsorted(edges, value, side="right")


def _like_open(ratings: Ratings, share: FloatArray) -> FloatArray:
    """[n] mean chance of the open rows of the same policy and forecast bin (of the policy where the bin has none)."""
    known = ratings.labelled
    value = np.zeros(ratings.n) if ratings.forecast is None else ratings.forecast.value
    bins = _bins(value, known) if known.any() else np.zeros(ratings.n, dtype=np.int64)
    cell = ratings.policy * (bins.max() + 1) + bins
    open_rows = ~known
    count = np.bincount(cell[open_rows], minlength=cell.max() + 1)
    total = np.bincount(cell[open_rows], share[open_rows], minlength=cell.max() + 1)
    whole_count = np.bincount(ratings.policy[open_rows], minlength=ratings.k)
    whole = np.bincount(ratings.policy[open_rows], share[open_rows], ratings.k) / np.maximum(whole_count, 1)
    return np.where(count[cell] > 0, total[cell] / np.maximum(count[cell], 1), whole[ratings.policy])
