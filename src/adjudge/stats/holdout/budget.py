"""How many adaptively chosen questions a holdout of n rows can answer, and how far from the truth the answers may be.

    |answer − E[φ]| <= α + (e^ε − 1) + c + 2d      for all k questions, except with probability β_α/c + δ/d

α: how far answers are from the holdout's own means, with probability 1 − β_α (the noise's tail); (ε, δ): differential
privacy of all k answers together. More noise worsens the first and betters the second; σ, ε, c and d are chosen to
make the sum least. Whoever picks the questions may know every earlier answer. `split` is Hoeffding on n/k rows each.

    gaussian      δ(ε) = Φ(μ/2 − ε/μ) − e^ε·Φ(−μ/2 − ε/μ),   μ = √k/(nσ)
    laplace       k·ε₀ (basic), or ε₀√(2k·log 1/δ) + k·ε₀(e^ε₀ − 1) (advanced),   ε₀ = 1/(nσ)
    thresholdout  the same with B surprises of ε₀ = 2/(nσ) each, however many questions

Dwork, Feldman, Hardt, et al. (2015), STOC: k ~ n² questions where splitting answers k ~ n; constants: Jung, Ligett,
Neel, et al. (2020), A new analysis of differential privacy's generalization guarantees, ITCS, Theorem 3.5.
Limits: small n, where splitting the holdout promises more; `empirical` promises nothing at all.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from ..._typing import FloatArray
from ...errors import AdjudgeError

PROVABLE = ("empirical", "split", "laplace", "gaussian", "thresholdout")
_GRID = 400


def tolerance(
    kind: str,
    rows: int,
    questions: int,
    *,
    chance: float = 0.05,
    scale: float | None = None,
    surprises: int = 0,
    threshold: float = 0.0,
) -> float:
    """How far the worst of all answers may be from the truth, but for a chance; at most 1.

    Arguments:
        kind: one of `PROVABLE`.
        rows: n, independent.
        questions: k, chosen adaptively, of values in [0, 1].
        chance: probability with which the promise may fail.
        scale: σ in use; by default the best one.
        surprises, threshold: B and T of Thresholdout.

    >>> round(tolerance("split", 10_000, 100), 3), round(tolerance("gaussian", 1_000_000, 1000), 3)
    (0.204, 0.044)
    """
    if kind not in PROVABLE or rows < 1 or questions < 1 or not 0 < chance < 1:
        raise AdjudgeError(
            f"holdout: {kind!r} with {rows} rows, {questions} questions, chance {chance:g}.",
            f"One of {', '.join(PROVABLE)}, at least a row and a question, and a chance in (0, 1).",
            "Change them.",
        )
    if kind == "empirical":
        return 1.0
    if kind == "split":
        each = rows // questions
        return min(1.0, math.sqrt(math.log(2 * questions / chance) / (2 * each))) if each else 1.0
    sigmas = np.geomspace(0.1 / rows, 1.0, 120) if scale is None else np.array([max(scale, 1e-12)])
    return min(1.0, min(_of(kind, rows, questions, s, chance, surprises, threshold) for s in sigmas.tolist()))


def questions(kind: str, rows: int, *, within: float, chance: float = 0.05) -> int:
    """The most adaptive questions that can be answered within a tolerance, at the best noise.

    >>> questions("split", 1_000_000, within=0.05), questions("gaussian", 1_000_000, within=0.05)
    (504, 1635)
    """
    low, high = 0, 1
    while high <= rows**2 and tolerance(kind, rows, high, chance=chance) <= within:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fine = tolerance(kind, rows, middle, chance=chance) <= within
        low, high = (middle, high) if fine else (low, middle)
    return low


def _of(kind: str, n: int, k: int, sigma: float, chance: float, B: int, T: float) -> float:
    """α + (e^ε − 1) + c + 2d at its least: half of the chance for the noise's tail, half for the privacy's."""
    x = np.linspace(0, 1, _GRID) ** 2
    with np.errstate(over="ignore"):
        if kind == "gaussian":
            tail, leak = _any(2 * special.ndtr(-x / sigma), k), _gaussian(x, math.sqrt(k) / (n * sigma))
        elif kind == "laplace":
            tail, leak = _any(np.exp(-x / sigma), k), _composed(x, 1 / (n * sigma), k)
        else:
            rare = (k + B + 1) * np.exp(-x / (6 * sigma)) / 2 + B * np.exp(-x / sigma)
            tail, leak = np.minimum(rare, 1.0), _composed(x, 2 / (n * sigma), max(B, 1))
    noise = T + float(np.min(x + 2 * tail / chance))
    return noise + float(np.min(np.expm1(x) + 4 * leak / chance))


def _any(one: FloatArray, k: int) -> FloatArray:
    """Probability that any of k independent noises exceeds."""
    return -np.expm1(k * np.log1p(-np.minimum(one, 1 - 1e-16)))


def _gaussian(epsilon: FloatArray, mu: float) -> FloatArray:
    """δ(ε) of k Gaussian answers together."""
    return np.maximum(
        special.ndtr(mu / 2 - epsilon / mu) - np.exp(epsilon + special.log_ndtr(-mu / 2 - epsilon / mu)), 0
    )


def _composed(epsilon: FloatArray, each: float, k: int) -> FloatArray:
    """δ(ε) of k answers of privacy ε₀ each: basic composition where it suffices, else advanced."""
    if each > 1:
        return np.where(epsilon >= k * each, 0.0, 1.0)
    room = np.maximum(epsilon - k * each * math.expm1(each), 0.0)
    return np.where(epsilon >= k * each, 0.0, np.exp(-(room**2) / (2 * k * each**2)))
