"""Pairs the best and the worst of the samples of each prompt, with the chance that the best one truly is better.

    w = argmax s,  l = argmin s,  margin = s_w − s_l,      P(w ≻ l) = Φ((m_w − m_l)/√v)
    true score of i given all ~ N(m_i, V_i),  m_i = B_i·s_i + (1 − B_i)·μ_x,  B_i = τ²/(τ² + e_i²),  V_i = B_i·e_i²
    v = V_w + V_l + (B_w − B_l)²·Var(μ_x)

e is the score's error and τ² the variance of true scores within a prompt, told from all prompts by moments. A best of n
was picked partly for its luck, so that Φ(gap/√(e_w² + e_l²)) is too sure; shrinking towards the prompt's mean is not.
Best and worst of n: Pace, Mallinson, Malmi et al. (2024); normal shrinkage: Morris (1983). Limits: e = 0 is a hard
preference; τ = 0 is ½: scores that differ by their errors alone say nothing; equal scores make no pair.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..tables.paired_samples import PairedSamples
from ..tables.samples import Samples
from ._posterior import chance, within_prompts

CARD = Card(
    answers="Which two samples of a prompt are furthest apart, and is the better one truly better?",
    equation="w = argmax s,  l = argmin s,  P(w ≻ l) = Φ((m_w − m_l)/√v)",
    papers=(
        Paper(
            "West-of-N: Synthetic Preferences for Self-Improving Reward Models",
            "Pace, Mallinson, Malmi et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2401.12086",
        ),
        Paper(
            "Parametric Empirical Bayes Inference: Theory and Applications",
            "Morris",
            1983,
            "Journal of the American Statistical Association",
            "https://doi.org/10.1080/01621459.1983.10477920",
        ),
    ),
    needs=("prompt", "score", "error"),
    assumes=(
        "Errors of scores are normal, independent and as large as they say.",
        "True scores of a prompt's samples are near normal, with one variance for all prompts.",
    ),
    limits=(
        "A bias that the scores share, such as one for length, is picked along with quality and seen by no error.",
        "Extremes leave the middle of the policy's responses untaught; pairing.rejection covers it.",
    ),
    when="With one clear pair a prompt and scores of known error; pairing.rejection to stay near an optimum's law.",
)


def pairs(samples: Samples) -> PairedSamples:
    """One pair of each prompt whose scores differ; of equal scores the first row is taken.

    Arguments:
        samples: prompt, score; error where scores are not exact.

    Findings: prompts without a pair; scores that differ by no more than their errors.

    >>> from adjudge.tables.samples import from_arrays
    >>> made = pairs(from_arrays(["a", "a", "a", "b"], [1.0, 4.0, 2.0, 9.0]))
    >>> made.chosen.tolist(), made.rejected.tolist(), made.margin.tolist(), made.preference.tolist()
    ([1], [0], [3.0], [1.0])
    """
    used = np.flatnonzero(samples.usable)
    order = used[np.lexsort((used, -samples.score[used], samples.prompt[used]))]
    best = order[_first(samples.prompt[order])]
    order = used[np.lexsort((used, samples.score[used], samples.prompt[used]))]
    worst = order[_first(samples.prompt[order])]
    apart = samples.score[best] > samples.score[worst]
    chosen, rejected = best[apart], worst[apart]
    spread = within_prompts(samples, used)
    return PairedSamples(
        samples,
        chosen,
        rejected,
        chance(samples, used, spread, chosen, rejected),
        samples.score[chosen] - samples.score[rejected],
        np.sort(np.r_[chosen, rejected]),
        _findings(samples, chosen.size, spread),
    )


def _first(sorted_codes: IntArray) -> BoolArray:
    return np.diff(sorted_codes, prepend=-1) != 0


def _findings(samples: Samples, made: int, spread: float) -> tuple[Finding, ...]:
    found = []
    asked = int((samples.weight > 0).sum())
    if made < asked:
        found.append(
            Finding(
                "prompts-without-pair",
                Severity.INFO if made else Severity.SEVERE,
                f"{asked - made} of {asked} prompts make no pair: they have one known score, or all scores are equal.",
                asked - made,
                0,
                "Draw more samples of these prompts, or score them on a finer scale.",
                ("score",),
            )
        )
    if made and spread == 0 and samples.error[samples.usable].any():
        found.append(
            Finding(
                "scores-within-error",
                Severity.WARNING,
                "Scores of one prompt differ by no more than their errors explain, so that best and worst are luck.",
                spread,
                0,
                "Score each sample more often, or with a better judge.",
                ("score", "error"),
            )
        )
    return tuple(found)
