"""Steps straight to the policy that no rival beats, each after a look ahead: converges linearly, for cycles too.

    S(ρ) = argmax P(π ≻ ρ) − β·KL(π‖μ) − (β/η)·KL(π‖π_t) ∝ (μ^η·π_t·exp(η/β·P(y ≻ ρ)))^{1/(1+η)}
    π_{t+½} = S(π_t),      π_{t+1} = S(π_{t+½})
    L = (h − s/2)²,      h = log π/a (y_w) − log π/a (y_l),      a = (μ^η·π_t)^{1/(1+η)},      s = η/(β(1 + η))

Nash-MP: Tiapkin, Calandriello, Belomestny et al. (2025). Both half-steps have the one loss and the one start π_t; what
differs is who draws the pairs: π_t for the first, π_{t+½} for the second. A slow copy of the weights may stand for π_t,
as in the paper's form for networks. `stats.self_play.prox` takes the same steps on a table.
Limits: from π_t = μ it is objectives.ipo with 1/s for its β; η → ∞ is objectives.ipo with β itself.
"""

from __future__ import annotations

from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats.soft_pairs import Array
from ..tables.pair_batch import PairBatch
from ._steps import towards

CARD = Card(
    rows=(351,),
    answers="How far is a policy from the next half-step of mirror prox, towards the one that no rival beats?",
    equation="L = (h − s/2)²,  h = log π/a (y_w) − log π/a (y_l),  a = (μ^η·π_t)^{1/(1+η)},  s = η/(β(1 + η))",
    papers=(
        Paper(
            "Accelerating Nash Learning from Human Feedback via Mirror Prox",
            "Tiapkin, Calandriello, Belomestny et al.",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2505.19731",
        ),
    ),
    needs=("chosen", "rejected", "ref_chosen", "ref_rejected"),
    assumes=(
        "Both responses of a pair are drawn from π_t in the first half-step, and from its outcome in the second.",
        "`old_chosen` and `old_rejected` are those of π_t in both.",
    ),
    limits=(
        "The linear rate is that of exact half-steps; sampled ones stop where their noise is as large as the step.",
        "Responses that are not drawn are not moved.",
    ),
    when="When preferences run in circles and the last policy, not an average, is to be unbeaten.",
)

SLOW = 0.9  # share of itself that a slow copy of the weights keeps at each step, where it stands for π_t


def loss(batch: PairBatch, *, beta: float = 0.1, eta: float | None = None) -> Array:
    """[b] loss of each pair, for either half-step.

    Arguments:
        batch: log-probabilities under policy, reference, and π_t in `old_*`; without them π_t is the reference.
        beta: β > 0, how dear it is to leave the reference.
        eta: η > 0, the step; None is 2β, the longest for which convergence is proved.

    Errors: β or η not above 0; one half of `old_*` alone.

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> pairs = PairBatch(-1 * one, -3 * one, -2 * one, -2 * one, one, one, old_chosen=-1 * one, old_rejected=-2 * one)
    >>> loss(pairs, beta=0.5).tolist()  # η = 1: h = 2 − ½·1, s = 1
    [1.0]
    """
    eta = 2 * beta if eta is None else eta
    if not (beta > 0 and eta > 0):
        raise AdjudgeError(
            f"nash_mp: beta is {beta:g} and eta {eta:g}.",
            "Both the reference's pull and the step are above 0.",
            "Give beta > 0, and eta > 0 or None for 2·beta.",
        )
    return towards(batch, keep=1 / (1 + eta), scale=eta / (beta * (1 + eta)))
