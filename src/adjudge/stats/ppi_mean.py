"""The prediction-powered mean of one policy from three arrays of independent rows, in one pass over each.

    θ = λ·mean f_unlabelled + mean(y − λ·f_labelled)
    Var θ = λ²·s²(f_unlabelled)/N + s²(y − λ·f_labelled)/n            s² with divisor n − 1

λ counts the two samples apart, as in the papers; λ = None tunes and shrinks it as `value.ppi_plus` does.
Variances divide by n − 1; `ppi-python` divides by n, so its variances are (n − 1)/n and (N − 1)/N of these two terms.

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023), Prediction-powered inference, Science 382; PPI++ (2023).
Limits: λ = 0 is the mean of y with s²/n; fewer than 2 labels give NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._typing import ArrayLike, FloatArray
from .power_tuning import james_stein


class PoweredMean(NamedTuple):
    """A mean with its error.

    Arguments:
        value: θ.
        variance: Var θ.
        df: degrees of freedom (Satterthwaite over the two samples).
        lam: λ that was used.
    """

    value: float
    variance: float
    df: float
    lam: float


def ppi_mean(y: ArrayLike, f_labelled: ArrayLike, f_unlabelled: ArrayLike, *, lam: float | None = None) -> PoweredMean:
    """The mean of y over the population of both samples.

    Arguments:
        y: [n] gold labels.
        f_labelled: [n] forecasts of the same rows.
        f_unlabelled: [N] forecasts of the other rows.
        lam: weight of the forecast; None tunes it.

    >>> ppi_mean([1.0, 0.0, 1.0], [0.9, 0.2, 0.7], [0.5, 0.7], lam=1.0).value
    0.6666666666666666
    """
    y, h, f = (np.asarray(array, dtype=float) for array in (y, f_labelled, f_unlabelled))
    n, N = y.size, f.size
    if n < 2:
        return PoweredMean(np.nan, np.nan, np.nan, np.nan)
    y_mean, h_mean = float(y.mean()), float(h.mean())
    y_off, h_off = y - y_mean, h - h_mean
    f_off = f - h_mean
    gap = float(f_off.mean()) if N else 0.0
    rest = float(f_off @ f_off) - N * gap**2  # squares of f around its own mean, free of cancellation
    lever, spent = 0.0, 0.0
    if lam is None:
        lam, lever, spent = _tuned(y_off, h_off, gap, N)
    lam = lam if N else 0.0
    shrunk = lam * (n + N) / N if N else 0.0  # λ of the one-sample form, Ȳ + λ(f̄_all − h̄)
    residual = y_off - shrunk * h_off
    if lever:
        residual *= 1.0 + lever * h_off
    residual += (shrunk - lam) * h_off
    labelled = float(residual @ residual) / n / (n - 1 - spent)
    unlabelled = lam**2 * rest / N / (N - 1) if N > 1 else 0.0
    both = labelled + unlabelled
    df = both**2 / (labelled**2 / (n - 1 - spent) + unlabelled**2 / max(N - 1, 1)) if both > 0 else n - 1 - spent
    return PoweredMean(y_mean + lam * gap, both, df, lam)


def _tuned(y_off: FloatArray, h_off: FloatArray, gap: float, N: int) -> tuple[float, float, float]:
    """(λ, lever of a residual on λ, degrees of freedom spent), as `stats.power_tuning` for one forecast."""
    n = y_off.size
    hh, yh, yy = float(h_off @ h_off), float(h_off @ y_off), float(y_off @ y_off)
    if hh <= 1e-24 * n:
        return 0.0, 0.0, 0.0
    one = np.ones(1)
    s = float(james_stein(one * yh**2 / hh, one * yy, one * (n - 2), one)[0])
    return s * yh / hh * N / (n + N), s * gap * N / (n + N) * n / hh, s
