"""The main estimator: calibrated judge scores on every row, set right by the labels of the policy itself.

    θ_p = f̂_p + α_p·r_p + (1 − α_p)·μ        f̂_p = mean of the calibrated forecast over all rows of p,
                                              r_p = mean over p's labels of (Y − held-out forecast)
    ψ_gp = Σ_{i∈g} [ w_i(f̂_i − f̂_p)/W_p + α_p d_i(Y_i − f̂ᵒᵒᶠ_i − r_p)/D_p ] + b_p·I_g

α_p = 1 is full augmentation, for a policy with labels enough to stand alone; 0 borrows all; between them, a policy with
few labels keeps the share α = τ²/(τ² + v_p) of its own residual and takes the rest from what the labelled policies have
in common, μ = Σ m_q r_q (`stats.mixing`); the spread τ² of residuals then stays as transport error. b·I is the
calibrator's own error (`stats.leaning`): no refits.

Landesberg, Narayan (2025), Causal Judge Evaluation; Robins, Rotnitzky, Zhao (1994) for the augmentation.
Limits: a constant forecast with α = 1 is `value.labels_only`; one that equals the label the mean over all rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats import difference, leaning, mixing
from ..stats.reserve import reserve
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, from calibrated judge scores and whatever labels it has?",
    equation="θ_p = f̂_p + α_p·r_p + (1 − α_p)·μ,   r_p = mean_lab(Y − f̂ᵒᵒᶠ)",
    papers=(
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv:2512.11150",
            "https://arxiv.org/abs/2512.11150",
        ),
        Paper(
            "Estimation of Regression Coefficients When Some Regressors Are Not Always Observed",
            "Robins, Rotnitzky, Zhao",
            1994,
            "Journal of the American Statistical Association 89",
            "https://doi.org/10.1080/01621459.1994.10476818",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "Labelled rows were drawn at random within a policy, or with the recorded propensities.",
        "For a policy without labels: its residual is drawn from the same distribution as those of the labelled ones.",
    ),
    limits=(
        "A constant forecast is value.labels_only.",
        "With labels on one or two policies only, the others get the whole range that nothing excludes.",
    ),
    when="The default when there is a judge score and at least a few dozen labels.",
    rows=(29,),
)


def estimate(ratings: Ratings, *, few: int = 30, cautious: float = 0.95) -> Estimate:
    """Calibrated values with augmentation by each policy's own labels.

    Arguments:
        ratings: the table with `forecast` filled by a calibrator.
        few: labelled clusters below which a policy's residual is pooled with the others'; 0 never pools.
        cautious: level of the upper confidence limit that stands for τ², so that pooling must be earned.

    Raises `AdjudgeError` when there is no forecast.

    A policy without labels takes the residual that the labelled ones share: with three or more of them, their spread is
    its transport error; with fewer, its slack reaches to both ends of the gold range, and a finding says so.

    >>> from adjudge.calibration import isotonic
    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=200, labels=200).draw(0).ratings
    >>> bool((estimate(isotonic.fit(ratings)(ratings)).stderr < 0.04).all())
    True
    """
    leans = leaning.fold(leaning.prepare(ratings), ratings)
    sums = difference.fold(difference.prepare(ratings, forecast=True), ratings)
    return finish(sums, leans, few=few, cautious=cautious)


def finish(sums: difference.Sums, leans: leaning.Leaning, *, few: int = 30, cautious: float = 0.95) -> Estimate:
    """The estimate from folded sums (`stats.difference`, `stats.leaning`)."""
    pieces = difference.pieces(sums)
    own = pieces.enough
    residual = pieces.influence(pieces.e - pieces.h[0], np.zeros_like(pieces.e))
    shift = np.where(own, pieces.gold - pieces.held[0], 0.0)
    mixed = mixing.mix(shift, pieces.variances(residual)[0], pieces.n_eff, own, few=few, cautious=cautious)
    value = pieces.mean[0] + mixed.matrix @ shift
    matrix, df = _sampling(pieces, residual, mixed, leans)
    seen = np.isfinite(value) & (leans.cluster.size >= 2)
    matrix[~seen] = matrix[:, ~seen] = np.nan
    parts = [Part("sampling", matrix, pieces.cells.start.size)]
    if mixed.transport.any():
        parts.append(Part("transport", mixed.transport, int(own.sum())))
    borrowed = ~own & seen
    slack = _slack(sums, value, borrowed & (own.sum() < mixing.KNOWN_SPREAD))
    return Estimate(
        names=sums.names,
        value=np.where(seen, value, np.nan),
        parts=tuple(parts),
        df=np.where(seen, df, np.nan),
        bounds=sums.bounds,
        reserve=replace(reserve(pieces), share=mixed.share),
        slack=slack,
        method="value.calibrated",
        findings=_borrowed(sums.names, borrowed, slack, mixed.spread)
        + _pooled(sums.names, own & (mixed.share < 1), pieces.n, few)
        + (() if seen.all() else difference.too_few(sums.names, seen, np.zeros(seen.size))),
    )


def _sampling(
    pieces: difference.Pieces, residual: FloatArray, mixed: mixing.Mix, leans: leaning.Leaning
) -> tuple[FloatArray, FloatArray]:
    """([k, k] covariance, [k] degrees of freedom by Satterthwaite over the sources of error)."""
    forecast = pieces.influence(np.zeros_like(pieces.e), pieces.a[0])
    psi = mixed.share[pieces.group] * residual + forecast
    if mixed.alone:
        matrix, leaned = leaning.joint_covariance(pieces.cells, psi, leans, leans.slopes(mixed.share))
    else:
        k = pieces.n.size
        both = pieces.cells.stacked(np.array([forecast, residual]))
        M = np.hstack([np.eye(k), mixed.matrix])
        matrix, leaned = leaning.joint_covariance(both, both.sums[0], leans, leans.slopes(mixed.matrix), mix=M)
    labelled, rest = pieces.variances(psi)
    others = np.maximum(np.diagonal(matrix) - labelled - rest - leaned, 0.0)
    clusters = np.full(labelled.size, leans.cluster.size - 1.0)
    own = np.where(pieces.enough, pieces.n_eff - 1, clusters)
    spread = np.full(labelled.size, pieces.enough.sum() - 1.0)
    variance = np.array([labelled, rest, leaned, others, np.diagonal(mixed.transport)])
    df = np.array([own, np.maximum(pieces.unlabelled - 1, 1), clusters, clusters, spread])
    return matrix, difference.satterthwaite(variance, df)


def _slack(sums: difference.Sums, value: FloatArray, open_ended: BoolArray) -> FloatArray:
    """[k, 2] how far the truth may lie from a borrowed value that no label has checked: to the ends of the range."""
    low, high = sums.possible
    reach = np.maximum(np.column_stack([value - low, high - value]), 0.0)
    return np.where(open_ended[:, None], np.nan_to_num(reach), 0.0)


def _borrowed(names: tuple[str, ...], borrowed: BoolArray, slack: FloatArray, spread: float) -> tuple[Finding, ...]:
    """What to say of policies whose value is borrowed from the labels of others."""
    subject, shown = _listed(names, borrowed)
    if not subject:
        return ()
    bare = bool(slack.any())
    error = (
        "so nothing but the range of the labels bounds it"
        if bare
        else f"so the spread of the other policies' residuals, {spread:.3g}, stands in for its own"
    )
    return (
        Finding(
            "not-verified",
            Severity.SEVERE if bare else Severity.WARNING,
            f"The value of {shown} is borrowed from labels of other policies, {error}.",
            0.0,
            20.0,
            "Label 20 or more random rows of each.",
            subject,
        ),
    )


def _pooled(names: tuple[str, ...], pooled: BoolArray, n: FloatArray, few: int) -> tuple[Finding, ...]:
    """What to say of policies that have some labels, but not enough to stand alone."""
    subject, shown = _listed(names, pooled)
    if not subject:
        return ()
    return (
        Finding(
            "residual-pooled",
            Severity.INFO,
            f"{shown}: few labels, so part of the correction comes from the other policies.",
            float(n[pooled].min()),
            float(few),
            f"Label rows until each has {few} labelled prompts.",
            subject,
        ),
    )


def _listed(names: tuple[str, ...], which: BoolArray) -> tuple[tuple[str, ...], str]:
    """(the names picked, the same as a phrase)."""
    subject = tuple(name for name, picked in zip(names, which, strict=True) if picked)
    return subject, ", ".join(subject[:5]) + (f" and {len(subject) - 5} more" if len(subject) > 5 else "")
