"""How wrong would the judge have to be about one policy before the winner changes?

    w = argmax value;      shift_p = value_w − value_p   (p ≠ w, upwards);      shift_w = value_w − max_{p≠w} value_p
    safe_p = max(0, low end of the simultaneous interval of value_w − value_p)

shift_p is the change in policy p's mean residual (gold − forecast), all else fixed, that makes p win (for w: lose).
safe_p is the part of it that survives sampling error: up to that bias the win over p is still significant at the
level. It is the mean-difference analogue of a robustness value. Limit: a tie has shift 0 and safe 0.

Sources: Cinelli and Hazlett (2020), J. R. Stat. Soc. B 82 (robustness values); Rosenbaum (2002), Observational Studies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class WinnerShift:
    """The winner and what it would take to dethrone it.

    Arguments:
        winner: position of the highest value.
        shift: [k] change of the policy's own value that changes the winner, in the value's unit; NaN where unknown.
        safe: [k] change that still leaves the difference significant; for the winner, the smallest of the others'.
    """

    winner: int
    shift: FloatArray
    safe: FloatArray


def winner_shift(estimate: Estimate, *, level: float = 0.95, seed: int = 0) -> WinnerShift | None:
    """Shifts that change the winner; None when fewer than two values are known.

    The interval is of sampling error alone: slack is the very bias that the shift measures, so it is left out.

    >>> from adjudge.core.estimate import Part
    >>> e = Estimate(("a", "b"), np.array([0.7, 0.6]), (Part("sampling", np.eye(2) * 1e-8, 100),), 99.0)
    >>> winner_shift(e).shift.round(6).tolist()
    [0.1, 0.1]
    """
    known = np.flatnonzero(np.isfinite(estimate.value))
    if known.size < 2:
        return None
    winner = int(known[np.argmax(estimate.value[known])])
    others = known[known != winner]
    weights = np.zeros((others.size, estimate.value.size))
    weights[np.arange(others.size), others] = -1.0
    weights[:, winner] = 1.0
    lead = replace(estimate, slack=np.zeros((estimate.value.size, 2))).contrast(
        weights, [estimate.names[p] for p in others]
    )
    low = lead.simultaneous(level, seed=seed)[:, 0]
    shift, safe = np.full((2, estimate.value.size), np.nan)
    shift[others], safe[others] = lead.value, np.maximum(low, 0.0)
    shift[winner], safe[winner] = lead.value.min(), np.nanmin(safe[others]) if np.isfinite(low).any() else np.nan
    return WinnerShift(winner, shift, safe)
