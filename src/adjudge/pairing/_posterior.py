"""How sure it is that one of two samples truly is better, when scores have errors and the two were picked by score.

true score of i given all ~ N(m_i, V_i),  m_i = B_i·s_i + (1 − B_i)·μ_x,  B_i = τ²/(τ² + e_i²),  V_i = B_i·e_i²
P(i ≻ j) = Φ((m_i − m_j)/√v),      v = V_i + V_j + (B_i − B_j)²·Var(μ_x)
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .._typing import FloatArray, IntArray
from ..tables.samples import Samples

_TINY = 1e-100


def within_prompts(samples: Samples, used: IntArray) -> float:
    """τ²: variance of scores within prompts less what their errors explain, at least 0; used: rows that count."""
    code, score, noise = samples.prompt[used], samples.score[used], samples.error[used] ** 2
    size = np.bincount(code, minlength=samples.weight.size)
    filled = np.maximum(size, 1)
    centred = score - (np.bincount(code, score, size.size) / filled)[code]
    by_error = (noise * (1 - 1 / filled[code]) * samples.weight[code]).sum()
    freedom = samples.weight @ np.maximum(size - 1, 0)
    return max(float(samples.weight[code] @ centred**2 - by_error) / float(freedom), 0.0) if freedom else 0.0


def chance(samples: Samples, used: IntArray, spread: float, chosen: IntArray, rejected: IntArray) -> FloatArray:
    """[m] probability that each chosen sample is truly better than the rejected one of its prompt.

    Arguments:
        samples: scores with their errors.
        used: rows that count.
        spread: τ² ≥ 0.
        chosen, rejected: [m] rows.
    """
    noise = samples.error**2
    precision = 1 / np.maximum(spread + noise, _TINY)
    code, size = samples.prompt[used], samples.weight.size
    total = np.bincount(code, precision[used], size)
    middle = np.bincount(code, precision[used] * samples.score[used], size) / np.where(total > 0, total, 1.0)
    kept = np.where(noise > 0, spread * precision, 1.0)
    at = samples.prompt[chosen]
    mean = [kept[i] * samples.score[i] + (1 - kept[i]) * middle[at] for i in (chosen, rejected)]
    variance = (kept * noise)[chosen] + (kept * noise)[rejected] + (kept[chosen] - kept[rejected]) ** 2 / total[at]
    gap = mean[0] - mean[1]
    sure = np.where(gap == 0, 0.5, (gap > 0).astype(float))
    return np.where(variance > 0, ndtr(gap / np.sqrt(np.where(variance > 0, variance, 1.0))), sure)
