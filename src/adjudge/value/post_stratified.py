"""The mean label in each cell of judge score, weighted by how often the cell occurs: no model of the judge at all.

    θ_p = Σ_c (W_pc/W_p)·Ȳ_pc        cells c = judge-score bins within strata, P̂(Y | c) from the policy's own labels

For a binary judge and a binary label this is the classical Ȳ = Σ_s P(s)·P̂(Y = 1 | s), the exact counterpart of
correcting by sensitivity and specificity with labels drawn at random.

Holt, Smith (1979), Post stratification, JRSS A 142(1).
Limits: one cell is `value.labels_only`; a score that tells the label exactly gives the mean over all rows; cells with
too few labels are put together.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference, strata
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, from the mean label at each level of the judge's score?",
    equation="θ_p = Σ_c (W_pc/W_p)·Ȳ_pc",
    papers=(
        Paper(
            "Post Stratification", "Holt, Smith", 1979, "JRSS A 142(1)", "https://doi.org/10.2307/2344652", "Eq. 2.1"
        ),
    ),
    needs=("score", "gold"),
    assumes=("Within a cell of a policy, labelled rows were drawn at random or with recorded propensities.",),
    limits=("One cell is value.labels_only.", "Few bins waste the score; many bins starve for labels."),
    when="With a judge of few levels (yes/no, 1 to 5), when every policy has labels at each level.",
)


def estimate(ratings: Ratings, *, judge: str | None = None, bins: int = 5, least: int = 5) -> Estimate:
    """Post-stratified means of the policies.

    Arguments:
        ratings: the table; its strata are crossed with the bins.
        judge: name of the score column; the first by default. A missing score is a bin of its own.
        bins: bins of the score by quantiles of the labelled rows; a score with no more levels keeps its levels.
        least: labelled clusters below which a cell of a policy is put together with others like it, >= 2.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).method
    'value.post_stratified'
    """
    score = ratings.score[:, judge_columns(ratings, judge)[0]] if ratings.judges else np.zeros(ratings.n)
    edges = bin_edges(score[ratings.labelled], bins, ratings.weight[ratings.labelled])
    cells = len(ratings.strata) * (edges.size + 2)
    fine = strata.refined(ratings, cell_of(score, ratings.stratum, edges), cells)
    sums = difference.fold(difference.prepare(fine), fine)
    return finish(sums, ratings.policies, cells, least=least)


def finish(sums: difference.Sums, names: tuple[str, ...], cells: int, *, least: int = 5) -> Estimate:
    """The estimate from sums folded over `strata.refined` ratings."""
    divided = strata.divided(sums, names, cells, least=max(least, 2))
    pieces = difference.pieces(divided.sums)
    psi = pieces.influence(pieces.e, np.zeros_like(pieces.e))
    return strata.combined(divided, pieces, pieces.gold, psi, method="value.post_stratified", spent=0.0)


def bin_edges(score: FloatArray, bins: int, weight: FloatArray | None = None) -> FloatArray:
    """[b] inner edges: between the levels of a score with at most `bins` levels, else above its weighted quantiles.

    >>> bin_edges(np.array([0.0, 1.0, 1.0]), 5)
    array([0.5])
    """
    known = np.isfinite(score) if weight is None else np.isfinite(score) & (weight > 0)
    levels, code = np.unique(score[known], return_inverse=True)
    between = (levels[1:] + levels[:-1]) / 2
    if levels.size <= bins:
        return between
    height = np.cumsum(np.bincount(code, None if weight is None else weight[known], levels.size))
    cut = np.searchsorted(height, np.arange(1, bins) / bins * height[-1] * (1 - 1e-12))
    return between[np.unique(cut[cut < between.size])]


def cell_of(score: FloatArray, stratum: IntArray, edges: FloatArray) -> IntArray:
    """[n] cell of each row: its bin within its stratum; a missing score is the last bin."""
    bin_code = np.where(np.isfinite(score), np.searchsorted(edges, score, side="right"), edges.size + 1)
    return stratum * (edges.size + 2) + bin_code
