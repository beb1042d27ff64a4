"""The main estimator: calibrated judge scores on every row, set right by the labels of the policy itself.

    θ_p = f̂_p + α_p·r_p        f̂_p = mean of the calibrated forecast over all rows of p,
                                r_p = mean over p's labels of (Y − held-out forecast)
    ψ_gp = Σ_{i∈g} [ w_i(f̂_i − f̂_p)/W_p + α_p d_i(Y_i − f̂ᵒᵒᶠ_i − r_p)/D_p ] + b_p·I_g

α_p = 1 is full augmentation; 0 borrows the calibration unverified; between them, the residual is partially pooled over
policies, α = τ²/(τ² + v_p), and (1 − α)²τ² stays as transport error. b·I is the calibrator's own error
(`stats.leaning`): no refits.

Landesberg, Narayan (2025), Causal Judge Evaluation; Robins, Rotnitzky, Zhao (1994) for the augmentation.
Limits: a constant forecast with α = 1 is `value.labels_only`; one that equals the label the mean over all rows.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats import difference, leaning
from ..stats.reserve import reserve
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, from calibrated judge scores and whatever labels it has?",
    equation="θ_p = f̂_p + α_p·mean_lab(Y − f̂ᵒᵒᶠ)",
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

KNOWN_SPREAD = 3  # labelled policies below which the spread of residuals over policies cannot be estimated


def estimate(ratings: Ratings, *, partial: bool = True) -> Estimate:
    """Calibrated values with augmentation by each policy's own labels.

    Arguments:
        ratings: the table with `forecast` filled by a calibrator.
        partial: pool the residuals over policies; False keeps α = 1 wherever a policy has two labelled clusters.

    Raises `AdjudgeError` when there is no forecast.

    A policy without labels has α = 0: with three or more labelled policies, the spread τ² of their residuals is its
    transport error; with fewer, its slack reaches to both ends of the gold range, and a finding says so.
    """
    leans = leaning.fold(leaning.prepare(ratings), ratings)
    return finish(difference.fold(difference.prepare(ratings, forecast=True), ratings), leans, partial=partial)


def finish(sums: difference.Sums, leans: leaning.Leaning, *, partial: bool = True) -> Estimate:
    """The estimate from folded sums (`stats.difference`, `stats.leaning`)."""
    pieces = difference.pieces(sums)
    own = pieces.enough
    shift = np.where(own, pieces.gold - pieces.held[0], 0.0)
    error = pieces.variances(pieces.influence(pieces.e - pieces.h[0], np.zeros_like(pieces.e)))[0]
    share, tau2 = _shares(shift, error, own, partial)
    psi = pieces.influence(share[pieces.group] * (pieces.e - pieces.h[0]), pieces.a[0])
    slopes = leans.slopes(share)
    matrix, leaned = leaning.joint_covariance(pieces.cells, psi, leans, slopes)
    transport = (1 - share) ** 2 * tau2
    value = pieces.mean[0] + share * shift
    seen = np.isfinite(value) & (leans.cluster.size >= 2)
    matrix[~seen] = matrix[:, ~seen] = np.nan
    units = int(np.unique(pieces.cells.cluster).size)
    parts = [Part("sampling", matrix, units)]
    if transport.any():
        parts.append(Part("transport", np.diag(transport), int(own.sum())))
    unverified = ~own & seen
    slack = _slack(sums, value, unverified & (own.sum() < KNOWN_SPREAD))
    return Estimate(
        names=sums.names,
        value=np.where(seen, value, np.nan),
        parts=tuple(parts),
        df=np.where(seen, _df(pieces, psi, leaned, transport, leans.cluster.size), np.nan),
        bounds=sums.bounds,
        reserve=reserve(pieces),
        slack=slack,
        method="value.calibrated",
        findings=_findings(sums.names, unverified, slack, np.sqrt(tau2)) + _nothing(sums.names, seen),
    )


def _shares(shift: FloatArray, error: FloatArray, own: BoolArray, partial: bool) -> tuple[FloatArray, float]:
    """([k] α, τ²): full augmentation, or the random-effects share of each policy's own residual."""
    if own.sum() < KNOWN_SPREAD:
        return own.astype(float), 0.0
    tau2 = _spread(shift[own], error[own])
    share = own.astype(float)
    if partial:
        share[own] = np.divide(tau2, tau2 + error[own], out=np.ones(int(own.sum())), where=tau2 + error[own] > 0)
    return share, tau2


def _spread(shift: FloatArray, error: FloatArray) -> float:
    """τ² by moments around 0: mean squared residual beyond its sampling error."""
    return max(float(np.mean(shift**2 - error)), 0.0)


def _df(
    pieces: difference.Pieces, psi: FloatArray, leaned: FloatArray, transport: FloatArray, clusters: int
) -> FloatArray:
    """[k] Satterthwaite over own labels, unlabelled clusters, the calibrator and the transport between policies."""
    labelled, rest = pieces.variances(psi)
    ones = np.ones(labelled.size)
    own = np.where(pieces.enough, pieces.n_eff - 1, np.inf)  # without labels of its own, these clusters are like others
    spread = ones * (pieces.enough.sum() - 1)
    df = [np.minimum(own, 1e9), np.maximum(pieces.unlabelled - 1, 1), ones * (clusters - 1), spread]
    return difference.satterthwaite(np.array([labelled, rest, leaned, transport]), np.array(df))


def _slack(sums: difference.Sums, value: FloatArray, open_ended: BoolArray) -> FloatArray:
    """[k, 2] how far the truth may lie from a borrowed value that no label has checked: to the ends of the range."""
    low, high = sums.possible
    reach = np.maximum(np.column_stack([value - low, high - value]), 0.0)
    return np.where(open_ended[:, None], np.nan_to_num(reach), 0.0)


def _findings(names: tuple[str, ...], unverified: BoolArray, slack: FloatArray, tau: float) -> tuple[Finding, ...]:
    """What to say of policies whose value is borrowed from the labels of others."""
    subject = tuple(name for name, borrowed in zip(names, unverified, strict=True) if borrowed)
    if not subject:
        return ()
    shown = ", ".join(subject[:5]) + (f" and {len(subject) - 5} more" if len(subject) > 5 else "")
    bare = bool(slack.any())
    error = (
        "so nothing but the range of the labels bounds it"
        if bare
        else f"so the spread of the other policies' residuals, {tau:.3g}, stands in for its own"
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


def _nothing(names: tuple[str, ...], seen: BoolArray) -> tuple[Finding, ...]:
    """A finding for policies without a row, or a table without labels."""
    return () if seen.all() else difference.too_few(names, seen, np.zeros(seen.size))
