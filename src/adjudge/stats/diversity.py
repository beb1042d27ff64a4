"""How unlike the responses to one prompt are: the share of different n-grams, as if the texts were of any length.

    EAD_n = d_n/(V_n·(1 − (1 − 1/V_n)^c_n)),      mean over n = 1 … 5

c_n n-grams in all, d_n different ones. Dividing by what c_n draws of V_n equally likely ones would show keeps long
texts from looking less diverse. Liu, Sabour, Zheng et al. (2022); used of policies by Kirk, Mediratta, Nalmpantis et
al. (2024). Limits: one text without a repeat has 1; V → ∞ is the share d/c; texts of one and the same token near 1/c.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from ..errors import AdjudgeError


def distinct(responses: Sequence[Sequence[Hashable]], *, vocabulary: int | None = None, most: int = 5) -> float:
    """Expectation-adjusted share of different n-grams among responses, in (0, 1] as a rule; NaN for no token at all.

    Arguments:
        responses: of one prompt, each a sequence of tokens, such as codes or words.
        vocabulary: V of single tokens, >= 1; that of n-grams is V^n. None is infinite.
        most: n-grams up to this n, >= 1.

    Errors: a vocabulary or n below 1.

    >>> distinct(["ab", "ab"], most=1), distinct(["ab", "cd"], most=2)
    (0.5, 1.0)
    """
    if most < 1 or (vocabulary is not None and vocabulary < 1):
        raise AdjudgeError(f"distinct: most={most}, vocabulary={vocabulary}.", "Both at least 1.", "Change them.")
    shares = []
    for n in range(1, most + 1):
        grams = [tuple(each[at : at + n]) for each in responses for at in range(len(each) - n + 1)]
        if grams:
            due = len(grams) * 1.0
            if vocabulary is not None:
                kinds = float(vocabulary) ** n
                due = float(-kinds * np.expm1(len(grams) * np.log1p(-1 / kinds))) if kinds > 1 else 1.0
            shares.append(len(set(grams)) / due)
    return float(np.mean(shares)) if shares else float("nan")
