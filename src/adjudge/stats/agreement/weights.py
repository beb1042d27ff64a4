"""How much two classes agree: wholly or not at all, or the less the further apart they are.

    nominal a_ck = [c = k],   linear a_ck = 1 − |v_c − v_k|/(v_max − v_min),   quadratic a_ck = 1 − (…)²

Cohen, Weighted kappa (1968). Limit: with two classes all three are the same.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...errors import AdjudgeError

KINDS = ("nominal", "linear", "quadratic")


def agreement(value: FloatArray, kind: str) -> FloatArray:
    """[C, C] agreement between classes, 1 for the same class.

    Arguments:
        value: [C] what each class is worth; only its differences count, and nothing of it when nominal.
        kind: `nominal`, `linear` or `quadratic`.

    Errors: an unknown kind, or classes without numbers where distances are asked for.

    >>> agreement(np.array([1.0, 2.0, 3.0]), "linear")[0].tolist()
    [1.0, 0.5, 0.0]
    """
    if kind not in KINDS:
        raise AdjudgeError(f"agreement weights are {kind!r}.", f"One of {', '.join(KINDS)}.", "Name one of them.")
    if kind == "nominal":
        return np.eye(value.size)
    if not np.isfinite(value).all():
        raise AdjudgeError(
            f"annotations.value: {int((~np.isfinite(value)).sum())} of {value.size} classes are no numbers.",
            f"{kind.capitalize()} weights need to know how far apart classes are.",
            "Use nominal weights, or np.arange(C) where the classes are in order.",
        )
    width = float(np.ptp(value)) if value.size else 0.0
    apart = np.abs(value[:, None] - value) / width if width > 0 else 1.0 - np.eye(value.size)
    return 1.0 - (apart if kind == "linear" else apart**2)
