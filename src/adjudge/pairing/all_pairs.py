"""Pairs every two samples of a prompt that differ in score: all that k samples can teach about order.

    {(i, j): s_i > s_j, both of one prompt},      P(i ≻ j) = Φ((m_i − m_j)/√v)  as in pairing.best_worst

Ouyang, Wu, Jiang et al. (2022) compare all k(k − 1)/2 pairs of k responses, and give each prompt one vote in the loss,
since its pairs are not independent: `weight` of a pair is that of its prompt over the pairs that the prompt made.
Limits: two samples are one pair, as in pairing.best_worst; equal scores make none; `most` draws that many of a prompt.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.paired_samples import PairedSamples
from ..tables.samples import Samples
from ._posterior import chance, within_prompts

CARD = Card(
    answers="Which of every two samples of a prompt is better, and how sure is that?",
    equation="{(i, j): s_i > s_j},  P(i ≻ j) = Φ((m_i − m_j)/√v)",
    papers=(
        Paper(
            "Training Language Models to Follow Instructions with Human Feedback",
            "Ouyang, Wu, Jiang et al.",
            2022,
            "NeurIPS",
            "https://arxiv.org/abs/2203.02155",
            "Section 3.5",
        ),
    ),
    needs=("prompt", "score", "error"),
    assumes=("As pairing.best_worst: errors of scores are normal, independent and as large as they say.",),
    limits=(
        "Pairs of one prompt share responses: they are one cluster, and no m independent comparisons.",
        "Most pairs are near in score and teach little each; k samples make up to k(k − 1)/2 of them.",
    ),
    when="For reward models, or with few samples a prompt; pairing.best_worst where a step of training is dear.",
)
_OWN = 7907


def pairs(samples: Samples, *, most: int | None = None, seed: int = 0) -> PairedSamples:
    """Every pair of two samples of a prompt with unlike scores, by prompt and then by row.

    Arguments:
        samples: prompt, score; error where scores are not exact.
        most: pairs drawn of each prompt at most, >= 1; None keeps all.
        seed: of that draw.

    Errors: `most` below 1. Findings: prompts without a pair.

    >>> from adjudge.tables.samples import from_arrays
    >>> made = pairs(from_arrays(["a", "a", "a", "b"], [1.0, 4.0, 2.0, 9.0]))
    >>> made.chosen.tolist(), made.rejected.tolist(), made.weight.round(2).tolist()
    ([1, 2, 1], [0, 0, 2], [0.33, 0.33, 0.33])
    """
    if most is not None and most < 1:
        raise AdjudgeError(f"all_pairs: most={most}.", "At least 1 pair of a prompt, or None.", "Leave it out.")
    used = np.flatnonzero(samples.usable)
    one, two = _both(samples, used)
    if most is not None:
        kept = _drawn(samples.prompt[one], most, np.random.default_rng((seed, _OWN)))
        one, two = one[kept], two[kept]
    first = samples.score[one] > samples.score[two]
    chosen, rejected = np.where(first, one, two), np.where(first, two, one)
    sure = chance(samples, used, within_prompts(samples, used), chosen, rejected)
    asked = np.flatnonzero(samples.weight > 0)
    bare = asked.size - np.unique(samples.prompt[chosen]).size
    return PairedSamples(
        samples,
        chosen,
        rejected,
        sure,
        samples.score[chosen] - samples.score[rejected],
        np.unique(np.r_[chosen, rejected]),
        _findings(bare, asked.size),
        share=_share(samples.prompt[chosen]),
    )


def _both(samples: Samples, used: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of every pair of a prompt with unlike scores, the earlier row first."""
    order = used[np.argsort(samples.prompt[used], kind="stable")]
    code = samples.prompt[order]
    left: list[IntArray] = [order[:0]]
    right: list[IntArray] = [order[:0]]
    for lag in range(1, int(np.bincount(code).max(initial=0))):
        same = code[lag:] == code[:-lag]
        left.append(order[:-lag][same])
        right.append(order[lag:][same])
    one, two = np.concatenate(left), np.concatenate(right)
    apart = samples.score[one] != samples.score[two]
    one, two = one[apart], two[apart]
    by_row = np.lexsort((two, one, samples.prompt[one]))
    return one[by_row], two[by_row]


def _drawn(code: IntArray, most: int, rng: np.random.Generator) -> IntArray:
    """Positions of at most so many of each code, drawn without replacement, in their order."""
    order = np.lexsort((rng.random(code.size), code))
    place = np.arange(code.size) - np.searchsorted(code[order], code[order])
    return np.sort(order[place < most])


def _share(code: IntArray) -> FloatArray:
    return 1 / np.bincount(code)[code] if code.size else np.ones(0)


def _findings(bare: int, asked: int) -> tuple[Finding, ...]:
    if not bare:
        return ()
    text = f"{bare} of {asked} prompts make no pair: they have one known score, or all scores are equal."
    severity = Severity.INFO if bare < asked else Severity.SEVERE
    remedy = "Draw more samples of these prompts, or score them on a finer scale."
    return (Finding("prompts-without-pair", severity, text, bare, 0, remedy, ("score",)),)
