"""How likely are a win, a tie and a loss? The laws of paired comparison, with the derivatives that Newton needs.

    bradley-terry    p_win = 1/(1 + e^−η)                                                              no ties
    davidson         p_win, p_tie, p_loss  ∝  e^{η/2}, ν, e^{−η/2}                                    ν = e^t
    rao-kupper       p_win = 1/(1 + e^{τ−η}),   p_loss = 1/(1 + e^{τ+η}),   p_tie = the rest           τ = log θ > 0

    η = how much stronger left is than right, in log-odds. Each log-likelihood is concave in (η, t) or (η, τ) together.

Three sums tell all that these laws can read from votes with one η: their mass n, their lean Σ w(y − ½), and the mass of
ties. `half` gives a tie half a win and half a loss under Bradley-Terry: it needs no third outcome and attenuates the
scale. Newman's (2023) tie law is Davidson's with ν = 2ν_N, so both names give one fit.

Sources: Bradley, Terry (1952); Rao, Kupper (1967); Davidson (1970), Sections 2-3; Newman (2023), Section 3.2.
Limits: ν → 0 and τ → 0 are Bradley-Terry; no derivative overflows for |η| of hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ..._typing import FloatArray
from ...errors import AdjudgeError

BLOCK = 1 << 15  # votes whose derivatives are worked out at once
LAWS = ("davidson", "rao-kupper", "newman", "half")
"""What a tie may be: a third outcome by one of three laws, or half a win for each side."""


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Log-likelihood and derivatives, summed over the votes of each edge; all [..., E].

    Arguments:
        value: ℓ.
        eta, tie: ∂ℓ/∂η and ∂ℓ/∂t (or ∂τ).
        eta2, tie2, cross: −∂²ℓ/∂η², −∂²ℓ/∂t² and −∂²ℓ/∂η∂t: pieces of the information.
    """

    value: FloatArray
    eta: FloatArray
    tie: FloatArray
    eta2: FloatArray
    tie2: FloatArray
    cross: FloatArray


def canonical(ties: str) -> str:
    """The law behind a name: `davidson`, `rao-kupper` or `half`.

    Raises AdjudgeError for an unknown name.

    >>> canonical("newman")
    'davidson'
    """
    if ties not in LAWS:
        raise AdjudgeError(f"ties is {ties!r}.", f"One of {', '.join(LAWS)}.", "Name one of them.")
    return "davidson" if ties == "newman" else ties


def slopes(
    law: str, eta: FloatArray, tie: FloatArray | float, n: FloatArray, lean: FloatArray, ties: FloatArray
) -> Slopes:
    """ℓ and its first and second derivatives for votes that share an η.

    Arguments:
        law: `davidson` or `rao-kupper`; anything else is Bradley-Terry and reads neither `tie` nor `ties`.
        eta: [..., E] left − right, in log-odds.
        tie: t = log ν (Davidson) or τ = log θ (Rao-Kupper); −inf or 0 where no tie can be. Broadcasts with eta.
        n, lean, ties: [..., E] mass of the votes, Σ w(y − ½), and mass of the ties.

    >>> one = np.ones(1)
    >>> float(slopes("davidson", 0 * one, 0.0, 3 * one, 0 * one, one).tie[0])  # one tie of three is what ν = 1 expects
    0.0
    """
    if eta.ndim == 1 and eta.size > BLOCK:  # in pieces that stay in the cache
        out = [np.empty(eta.size) for _ in range(6)]
        for start in range(0, eta.size, BLOCK):
            some = slice(start, start + BLOCK)
            t = tie if np.ndim(tie) == 0 else np.asarray(tie)[some]
            part = slopes(law, eta[some], t, n[some], lean[some], ties[some])
            for whole, name in zip(out, Slopes.__slots__, strict=True):
                whole[some] = getattr(part, name)
        return Slopes(*out)
    if law == "rao-kupper":
        return _rao_kupper(eta, tie, n, lean, ties)
    return _davidson(eta, tie if law == "davidson" else -np.inf, n, lean, ties)


def pulls(
    law: str, eta: FloatArray, tie: FloatArray | float, n: FloatArray, lean: FloatArray, ties: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """∂ℓ/∂η and ∂ℓ/∂tie alone, as of `slopes`, for many weightings at once; |η| must stay below 1,000."""
    if law == "rao-kupper":
        up, down = 0.5 * (n + ties) + lean, 0.5 * (n + ties) - lean
        short, over = up * special.expit(tie - eta), down * special.expit(eta + tie)
        with np.errstate(divide="ignore", invalid="ignore"):
            push = np.where(ties > 0, ties * (2 / -np.expm1(-2 * np.asarray(tie))), 0.0)
        return short - over, np.where(np.asarray(tie) > 0, push - short - over, 0.0)
    up = np.exp(0.5 * eta)
    down = 1.0 / up
    total = up + down
    if law != "davidson":
        return lean - 0.5 * n * (up - down) / total, np.zeros_like(eta)
    nu = np.exp(tie)
    total += nu
    np.divide(n, total, out=total)  # votes by unit of chance
    up -= down
    up *= total
    up *= -0.5
    up += lean
    total *= nu
    return up, ties - total


def probabilities(law: str, eta: FloatArray, tie: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chances of win, tie and loss for left; the tie has none under Bradley-Terry.

    >>> [float(p[0]) for p in probabilities("davidson", np.zeros(1), 0.0)]  # ν = 1: three equal chances
    [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]
    """
    if law == "rao-kupper":
        win, loss = special.expit(eta - tie), special.expit(-eta - tie)
        return win, win * loss * np.expm1(2 * tie), loss
    strong, drawn, weak = _shares(np.abs(eta), tie if law == "davidson" else -np.inf)[:3]
    left = eta >= 0
    return np.where(left, strong, weak), drawn, np.where(left, weak, strong)


def _shares(size: FloatArray, t: FloatArray | float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Chances of the stronger, of a tie and of the weaker at |η|, and what they were divided by."""
    a = np.exp(-0.5 * size)
    drawn = np.exp(t) * a
    total = 1.0 + a * a + drawn
    return 1.0 / total, drawn / total, a * a / total, total


def _davidson(eta: FloatArray, t: FloatArray | float, n: FloatArray, lean: FloatArray, ties: FloatArray) -> Slopes:
    size = np.abs(eta)
    strong, drawn, weak, total = _shares(size, t)
    apart = np.copysign(strong - weak, eta)
    value = lean * eta - n * (0.5 * size + np.log(total))
    eta2 = n * (0.25 * drawn * (strong + weak) + strong * weak)
    if np.isscalar(t) and t == -np.inf:
        nothing = np.zeros_like(eta2)
        return Slopes(value, lean - 0.5 * n * apart, nothing, eta2, nothing, nothing)
    with np.errstate(invalid="ignore"):
        value = value + np.where(ties > 0, ties * t, 0.0)
    held = n * drawn
    return Slopes(value, lean - 0.5 * n * apart, ties - held, eta2, held * (1 - drawn), -0.5 * held * apart)


def _rao_kupper(eta: FloatArray, tau: FloatArray | float, n: FloatArray, lean: FloatArray, ties: FloatArray) -> Slopes:
    up, down = 0.5 * (n + ties) + lean, 0.5 * (n + ties) - lean  # wins and ties, losses and ties
    win, loss = special.expit(eta - tau), special.expit(-eta - tau)
    value = up * special.log_expit(eta - tau) + down * special.log_expit(-eta - tau)
    short, over = up * (1 - win), down * (1 - loss)
    bend_up, bend_down = short * win, over * loss
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        drawn = np.where(ties > 0, ties, 0.0)
        value = value + np.where(drawn > 0, drawn * (2 * tau + np.log(-np.expm1(-2 * tau))), 0.0)
        push = np.where(drawn > 0, drawn * (2 / -np.expm1(-2 * tau)), 0.0)
        stiff = np.where(drawn > 0, drawn / np.sinh(np.minimum(tau, 300.0)) ** 2, 0.0)
    both = bend_up + bend_down
    can_tie = np.asarray(tau) > 0  # a soft vote is read at τ = 0 and says nothing about ties
    return Slopes(
        value,
        short - over,
        np.where(can_tie, push - short - over, 0.0),
        both,
        np.where(can_tie, both + stiff, 0.0),
        np.where(can_tie, bend_down - bend_up, 0.0),
    )
