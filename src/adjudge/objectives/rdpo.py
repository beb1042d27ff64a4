"""Learns from labels some of which were turned round, at a known rate, what clean labels would have taught.

    L = [(1 − ε)·ℓ(w, l) − ε·ℓ(l, w)]/(1 − 2ε),      ℓ = −log σ(m),   m = β·h   or   c·tanh(β·h/c)

h = log π(y_w)/π_ref(y_w) − log π(y_l)/π_ref(y_l). Ray Chowdhury, Kini, Natarajan (2024). The mean over turned labels is
DPO's loss on the labels before. The price: L is a difference, and where a pair's corrected share of labels leaves
[0, 1] (one hard label does) it falls without end as h grows; see `unbounded`. The cap c bounds m, hence L, keeps the
mean over turned labels exact, and leaves the m of each pair's minimum where it was if that is below c; its price is a
small gradient far out, and that L, convex in h without a cap, no longer is.
Limits: ε = 0 is DPO; c → ∞ is the plain loss.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.arrays import detached, log_sigmoid, sigmoid
from ..stats.soft_labels import unturned
from ..stats.soft_pairs import Array, expected
from ..tables.pair_batch import PairBatch

CARD = Card(
    answers="How well would a policy prefer chosen responses had no label been turned round?",
    equation="L = −[(1 − ε)·log σ(m) − ε·log σ(−m)]/(1 − 2ε),  m = β·h or c·tanh(β·h/c)",
    papers=(
        Paper(
            "Provably Robust DPO: Aligning Language Models with Noisy Feedback",
            "Ray Chowdhury, Kini, Natarajan",
            2024,
            "ICML",
            "https://arxiv.org/abs/2403.00409",
        ),
        Paper(
            "Learning with Noisy Labels", "Natarajan, Dhillon, Ravikumar et al.", 2013, "NeurIPS", equation="Lemma 1"
        ),
    ),
    needs=("chosen", "rejected", "ref_chosen", "ref_rejected", "flip"),
    assumes=(
        "Preferences follow Bradley-Terry.",
        "The flip rate is right, and a label's turning has nothing to do with what the true label is.",
    ),
    limits=(
        "Its gradient varies at least 1/(1 − 2ε)² times as much as on clean labels: 25 times at ε = 0.4.",
        "Without a cap it has no lower bound where pairs have few labels each: stop early, or set one.",
        "A rate given too high makes margins too large, and one too low leaves some of the bias.",
    ),
    when="When labels are turned round at a known rate and are many; objectives.cdpo as a brake where they are few.",
    rows=(332,),
)


def loss(batch: PairBatch, *, beta: float = 0.1, rate: float | None = None, cap: float | None = None) -> Array:
    """[b] loss of each pair; it may be below 0.

    Arguments:
        batch: log-probabilities under policy and reference, and `flip` by pair unless `rate` is given.
        beta: β > 0, how dear it is to leave the reference.
        rate: ε in [0, ½) of all pairs, where the batch has no `flip`; None is the batch's, and 0 without one.
        cap: c > 0, the largest implicit margin |m|; None is no cap.

    Errors: a flip rate both in the batch and as `rate`; a rate of ½ or more, or below 0.

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> pairs = PairBatch(-1 * one, -4 * one, -2 * one, -3 * one, one, one)
    >>> loss(pairs, beta=0.5).round(4).tolist(), loss(pairs, beta=0.5, rate=0.25).round(4).tolist()
    ([0.3133], [-0.1867])
    """

    def ordered(pairs: PairBatch) -> Array:
        margin = beta * pairs.log_ratio
        return -log_sigmoid(margin if cap is None else cap * (2 * sigmoid(2 * margin / cap) - 1))

    return expected(ordered, _rated(batch, rate))


def unbounded(batch: PairBatch, *, rate: float | None = None, responses: IntArray | None = None) -> Finding | None:
    """Where the plain loss falls without end: pairs whose labels, corrected for flips, are surer than sure; or None.

    Labels of one pair are taken together: 9 of 10 at ε = 0.1 are exactly sure, 10 of 10 are more. Each pair is looked
    at alone: where responses share parameters, others may hold it.

    Arguments:
        batch: with `preference`, `weight` and `flip` where they are known.
        rate: as in `loss`.
        responses: [b, 2] identities of the chosen and the rejected response; None makes each row a pair of its own.
    """
    batch = _rated(batch, rate)
    b = len(batch.chosen)
    sure = unturned(batch.preference, batch.flip)
    chance = np.ones(b) if sure is None else np.asarray(detached(sure), dtype=float)
    weight = np.ones(b) if batch.weight is None else np.asarray(detached(batch.weight), dtype=float)
    if responses is not None:
        turned = responses[:, 0] > responses[:, 1]
        pair = np.unique(np.sort(responses, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
        total = np.bincount(pair, weight)
        first = np.bincount(pair, weight * np.where(turned, 1 - chance, chance))
        chance, weight = first / np.where(total > 0, total, 1.0), total
    outside = weight[(chance < -1e-9) | (chance > 1 + 1e-9)].sum()
    if outside == 0:
        return None
    share = float(outside / weight.sum())
    return Finding(
        "loss-without-a-floor",
        Severity.WARNING,
        f"{100 * share:.0f} % of the pairs have labels that are surer than sure once flips are taken out: their loss "
        "falls without end as their margin grows.",
        share,
        0.0,
        "Set a cap on the margin, ask for more labels of each pair, or stop early.",
    )


def _rated(batch: PairBatch, rate: float | None) -> PairBatch:
    """The batch with one rate for all, if one was given."""
    if rate is None:
        return batch
    if batch.flip is not None:
        raise AdjudgeError(
            "The flip rate stands in the batch and in the argument.", "One of them.", "Leave out `rate`, or batch.flip."
        )
    return replace(batch, flip=0 * batch.ref_chosen + rate)
