"""Steps towards the policy that no rival beats, by contests with its own mixture with the reference: for cycles too.

    π_t^μ ∝ π_t^{1−ηβ}·μ^{ηβ},      π_{t+1} ∝ π_t^μ·exp(η·P(y ≻ π_t^μ))
    L = (h − η/2)²,      h = log π/π_t^μ (y_w) − log π/π_t^μ (y_l)

Nash-MD: Munos, Valko, Calandriello et al. (2024), with β for their τ. Drawn from π_t^μ, pairs have the step as the
minimiser of the expected L; at π = π_t^μ its gradient is −4η times that of the win rate against π_t^μ, the paper's
policy gradient there. `stats.self_play.descent` takes the same steps on a table.
Limits: ηβ = 1, or π_t = μ, is objectives.ipo with 1/η for its β; the fixed point is π* ∝ μ·exp(P(y ≻ π*)/β) as η → 0.
"""

from __future__ import annotations

from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats.soft_pairs import Array
from ..tables.pair_batch import PairBatch
from ._steps import towards

CARD = Card(
    rows=(122,),
    answers="How far is a policy from the next step of Nash-MD, towards the one that no rival beats?",
    equation="L = (h − η/2)²,  h = log π/π_t^μ (y_w) − log π/π_t^μ (y_l),  π_t^μ ∝ π_t^{1−ηβ}·μ^{ηβ}",
    papers=(
        Paper(
            "Nash Learning from Human Feedback",
            "Munos, Valko, Calandriello et al.",
            2024,
            "ICML",
            "https://arxiv.org/abs/2312.00886",
            "Nash-MD, Theorem 1",
        ),
    ),
    needs=("chosen", "rejected", "ref_chosen", "ref_rejected"),
    assumes=(
        "Both responses of a pair are drawn from the mixture π_t^μ, afresh for each step.",
        "`old_chosen` and `old_rejected` are those of the policy at the start of the step.",
    ),
    limits=(
        "At a constant step it settles beside the equilibrium, not on it; let η fall as 2/(β(t + 2)).",
        "Responses that the mixture does not draw are not moved.",
    ),
    when="When preferences run in circles and one query a step is what can be paid; objectives.nash_mp is faster.",
)


def loss(batch: PairBatch, *, beta: float = 0.1, eta: float = 1.0) -> Array:
    """[b] loss of each pair.

    Arguments:
        batch: log-probabilities under policy, reference, and the policy of the step's start in `old_*`; without them
            the step starts from the reference.
        beta: β > 0, how dear it is to leave the reference.
        eta: η > 0, the step, at most 1/β.

    Errors: ηβ outside (0, 1]; one half of `old_*` alone.

    >>> import numpy as np
    >>> one = np.ones(1)
    >>> pairs = PairBatch(-1 * one, -3 * one, -2 * one, -2 * one, one, one, old_chosen=-1 * one, old_rejected=-2 * one)
    >>> loss(pairs, beta=0.5, eta=1.0).tolist()  # h = 2 − ½·1, and η/2 = ½
    [1.0]
    """
    share = eta * beta
    if not 0 < share <= 1:
        raise AdjudgeError(
            f"nash_md: eta·beta is {share:g}.",
            "It is the reference's share in the log of the mixture, in (0, 1].",
            "Give eta of at most 1/beta.",
        )
    return towards(batch, keep=1 - share, scale=eta)


def mix(*, beta: float = 0.1, eta: float = 1.0) -> float:
    """Share of the reference in the log of the mixture π_t^μ, from which pairs are drawn.

    Arguments:
        beta, eta: as of `loss`.

    >>> mix(beta=0.5, eta=1.0)
    0.5
    """
    return eta * beta
