"""Keeps samples of a policy so that the kept ones follow the optimum of a reward, and pairs those.

    accept y with chance exp((r(y) − r_max)/β)      =>      accepted ~ π_sft(y|x)·exp(r(y)/β)/Z
    P(y₁ ≻ y₂) = σ((r(y₁) − r(y₂))/scale)

Liu, Zhao, Joshi et al. (2024), Theorem 1 and Algorithm 1. Accepted samples are shuffled and labelled in a first round
(1 with 2, 3 with 4, …) or in a tournament, whose winners go on until one is left. r_max is known (`top`) or the highest
score among a prompt's samples; then the highest is accepted for certain, and the law leans towards best of n.
Limits: β → ∞ accepts all; β → 0 the best alone, or with `keep` the best `keep`; equal scores are all accepted.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.paired_samples import PairedSamples
from ..tables.samples import Samples

CARD = Card(
    answers="Which samples look as if the optimal policy had given them, and which of two of them is better?",
    equation="accept y with chance exp((r(y) − r_max)/β),  P(y₁ ≻ y₂) = σ((r(y₁) − r(y₂))/scale)",
    papers=(
        Paper(
            "Statistical Rejection Sampling Improves Preference Optimization",
            "Liu, Zhao, Joshi et al.",
            2024,
            "ICLR",
            "https://arxiv.org/abs/2309.06657",
            "Theorem 1 and Algorithm 1",
        ),
    ),
    needs=("prompt", "score"),
    assumes=(
        "Samples of a prompt were drawn independently from the policy that is the reference of training.",
        "Scores are rewards in the unit that β is in; soft labels need them in logits of a comparison times `scale`.",
    ),
    limits=(
        "With r_max from few samples the accepted lean towards the best of them; a finding says by how much it may.",
        "`keep` draws without replacement and with a falling r_max: the law holds for many samples and few kept.",
        "Accepted samples of near scores say little of what is bad elsewhere: with graded or noisy labels, or a policy "
        "that cannot hold the optimum, pairs of plain samples (beta=inf) can teach more.",
        "Scores are taken as exact: an error is accepted along with the reward it raises.",
    ),
    when="With many samples a prompt and a reward one trusts; pairing.best_worst with few samples or noisy scores.",
    rows=(334,),
)
ROUNDS = ("first", "tournament")
_OWN = 7873


def pairs(
    samples: Samples,
    *,
    beta: float = 0.5,
    top: ArrayLike | None = None,
    keep: int | None = None,
    rounds: str = "first",
    soft: bool = True,
    scale: float = 1.0,
    seed: int = 0,
) -> PairedSamples:
    """Pairs of accepted samples, the one of the higher score chosen.

    Arguments:
        samples: prompt, score.
        beta: β > 0, in the scores' unit; inf accepts all.
        top: r_max, one number or [p] of each prompt in the order of its code; None takes the highest of its samples.
        keep: accepted samples of each prompt, >= 2, in passes with the highest score left as r_max, as in the paper's
            algorithm; None is one pass over all samples.
        rounds: "first" or "tournament".
        soft: whether the preference is the reward model's probability; if not it is 1, and equal scores make no pair.
        scale: > 0, units of score in one logit of a comparison.
        seed: of acceptance and order.

    Errors: β or scale that is not above 0; scores above `top`; `top` and `keep` at once; an unknown round.
    Findings: prompts with fewer than two accepted; r_max told from samples of which few besides it were accepted.

    >>> from adjudge.tables.samples import from_arrays
    >>> made = pairs(from_arrays(["a"] * 3, [0.0, 1.0, -99.0]), beta=1e9, rounds="tournament", seed=1)
    >>> made.accepted.tolist(), made.chosen.tolist(), made.rejected.tolist(), made.preference.round(3).tolist()
    ([0, 1, 2], [1, 1], [2, 0], [1.0, 0.731])
    """
    _require_options(samples, beta, top, keep, rounds, scale)
    rng = np.random.default_rng((seed, _OWN))
    used = np.flatnonzero(samples.usable)
    if keep is None:
        taken = used[rng.random(used.size) < _chance(samples, used, beta, top)]
    else:
        taken = _kept(samples, used, beta, keep, rng)
    chosen, rejected = _matches(samples, rng.permutation(taken), rounds)
    margin = samples.score[chosen] - samples.score[rejected]
    if not soft:
        chosen, rejected, margin = chosen[margin > 0], rejected[margin > 0], margin[margin > 0]
    preference = expit(margin / scale) if soft else np.ones(margin.size)
    findings = _findings(samples, taken, top is None)
    return PairedSamples(samples, chosen, rejected, preference, margin, np.sort(taken), findings)


def _chance(samples: Samples, rows: IntArray, beta: float, top: ArrayLike | None) -> FloatArray:
    """Chance of acceptance of each of some rows."""
    code = samples.prompt[rows]
    high = np.full(samples.weight.size, -np.inf)
    if top is None:
        np.maximum.at(high, code, samples.score[rows])
    else:
        high[:] = np.asarray(top, dtype=float)
    return np.exp((samples.score[rows] - high[code]) / beta)


def _kept(samples: Samples, used: IntArray, beta: float, keep: int, rng: np.random.Generator) -> IntArray:
    """Passes over what is left, until each prompt has `keep` or nothing more; each pass accepts its highest."""
    left, taken = rng.permutation(used), used[:0]
    while left.size:
        passed = rng.random(left.size) < _chance(samples, left, beta, None)
        have = np.bincount(samples.prompt[taken], minlength=samples.weight.size)
        hits = left[passed]
        hits = hits[_place(samples.prompt[hits]) + have[samples.prompt[hits]] < keep]
        taken = np.r_[taken, hits]
        have = np.bincount(samples.prompt[taken], minlength=samples.weight.size)
        left = left[~passed]
        left = left[have[samples.prompt[left]] < keep]
    return taken


def _place(codes: IntArray) -> IntArray:
    """How many rows of the same code stand before each."""
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    place = np.empty(codes.size, dtype=np.int64)
    place[order] = np.arange(codes.size) - np.searchsorted(sorted_codes, sorted_codes)
    return place


def _matches(samples: Samples, players: IntArray, rounds: str) -> tuple[IntArray, IntArray]:
    """Chosen and rejected of each match; of equal scores the first goes on, and who finds no partner too."""
    chosen, rejected = [players[:0]], [players[:0]]
    while True:
        players = players[np.argsort(samples.prompt[players], kind="stable")]
        code = samples.prompt[players]
        meets: BoolArray = (_place(code)[:-1] % 2 == 0) & (code[:-1] == code[1:])
        if not meets.any():
            break
        first, second = players[:-1][meets], players[1:][meets]
        wins = samples.score[first] >= samples.score[second]
        chosen.append(np.where(wins, first, second))
        rejected.append(np.where(wins, second, first))
        if rounds == "first":
            break
        players = players[~np.isin(players, rejected[-1])]
    return np.concatenate(chosen), np.concatenate(rejected)


def _require_options(
    samples: Samples, beta: float, top: ArrayLike | None, keep: int | None, rounds: str, scale: float
) -> None:
    if not beta > 0 or not 0 < scale < np.inf or rounds not in ROUNDS or (keep is not None and keep < 2):
        raise AdjudgeError(
            f"rejection: beta={beta}, scale={scale}, rounds={rounds!r}, keep={keep}.",
            f"beta and scale above 0, one round of {', '.join(ROUNDS)}, and at least 2 kept.",
            "Use beta=0.5, scale=1.0, rounds='first'.",
        )
    if top is None:
        return
    high = np.asarray(top, dtype=float)
    if keep is not None or high.shape not in ((), samples.weight.shape) or not np.isfinite(high).all():
        raise AdjudgeError(
            f"rejection: top of shape {high.shape} with keep={keep}.",
            f"One finite number, or {samples.weight.size}, and one pass only: `keep` lowers r_max as it goes.",
            "Leave out one of the two.",
        )
    over = samples.score[samples.usable] > np.broadcast_to(high, samples.weight.shape)[samples.prompt[samples.usable]]
    if over.any():
        raise AdjudgeError(
            f"rejection: {int(over.sum())} scores are above `top`.",
            "The highest score that any response can have, as a chance above 1 cannot be taken.",
            "Raise top, or leave it out.",
        )


def _findings(samples: Samples, taken: IntArray, guessed: bool) -> tuple[Finding, ...]:
    found = []
    asked = np.flatnonzero(samples.weight > 0)
    count = np.bincount(samples.prompt[taken], minlength=samples.weight.size)
    few = int((count[asked] < 2).sum())
    if few:
        found.append(
            Finding(
                "few-accepted",
                Severity.INFO if few < asked.size else Severity.SEVERE,
                f"{few} of {asked.size} prompts accepted fewer than two samples and make no pair.",
                few,
                0,
                "Draw more samples, or raise beta.",
                ("score",),
            )
        )
    share = float((count[asked] > 0).sum()) / max(taken.size, 1)
    if guessed and taken.size:
        found.append(
            Finding(
                "sampled-maximum",
                Severity.WARNING if share > 0.2 else Severity.INFO,
                f"r_max is the highest of each prompt's samples, which is accepted for certain: {100 * share:.0f} % of "
                "the accepted are these, and at most that share follows the best of n rather than π·exp(r/β).",
                share,
                0.2,
                "Draw more samples of a prompt, or give `top` where the highest possible score is known.",
                ("score",),
            )
        )
    return tuple(found)
