"""Turns what several raters say together into gold labels whose error is that of a measurement: unbiased, and known.

    M_cd = Σ_i P_ic P_id / Σ_i P_ic              what an item of class c gets on average, P the probabilities of classes
    g_i = P_i M⁻¹ v                              so that E[g | class c] = v_c, what the class is worth
    variance_i = Σ_c P_ic (g_i − v_c)²

The probable class is biased towards common classes, and the expected value P_i v is drawn to the middle: both vary less
than the truth and their means look too sure. g has the mean of P_i v over all items, the right mean in every group of
them, and more variance than the truth, by the mean of `variance`: what `Ratings` calls gold with its noise.

Buonaccorsi (2010), Measurement Error, §2.3 (misclassification matrices). Limits: P of 0 and 1 is v itself, with no
variance. g may pass the ends of v. P must mean what it says: raters who share an error make it too sure, and the error
of the raters' own matrices is not in `variance`.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError

LEAST = 0.05  # share of the spread between classes that the labels must show


def soft_gold(probability: FloatArray, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[m] gold labels and [m] their variance around the truth; NaN and 0 for an item without probabilities.

    Arguments:
        probability: [m, C] of each class; a row of NaN for an item that nobody labelled.
        value: [C] what each class is worth.

    Errors: classes that are no numbers, labels that hardly tell two classes apart.

    >>> P = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])
    >>> [each.round(3).tolist() for each in soft_gold(P, np.array([0.0, 1.0]))]
    [[-0.125, 1.125, -0.125, 1.125], [0.141, 0.141, 0.141, 0.141]]
    """
    if not np.isfinite(value).all():
        raise AdjudgeError(
            "labels: the classes are no numbers.",
            "Gold labels are numbers, such as 0 and 1 or 1 to 5.",
            "Write what each class is worth into the label column.",
        )
    known = np.isfinite(probability).all(axis=1)
    seen = probability[known]
    mass = seen.sum(axis=0)
    used = mass > 1e-9 * max(len(seen), 1)  # a class that nobody is thought to be in
    P, v = seen[:, used], value[used]
    gold, variance = np.full(known.size, np.nan), np.zeros(known.size)
    if not P.size:
        return gold, variance
    mixed = P.T @ P / mass[used][:, None]
    # Similar to a covariance matrix, so that its eigenvalues are shares: how much of a difference the labels show.
    root = np.sqrt(mass[used])
    least = float(np.linalg.eigvalsh(P.T @ P / np.outer(root, root)).min())
    if least < LEAST:
        raise AdjudgeError(
            f"labels: only {100 * least:.1f} % of the difference between some classes shows in the raters' labels.",
            f"At least {100 * LEAST:.0f} %.",
            "Collect more labels an item, merge classes that raters confuse, or aggregate by another method.",
        )
    told = P @ np.linalg.solve(mixed, v)
    gold[known] = told
    variance[known] = (P * (told[:, None] - v) ** 2).sum(axis=1)
    return gold, variance
