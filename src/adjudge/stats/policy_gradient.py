"""One surrogate loss for every policy-gradient method: mask × 1/denominator × advantage × gradient of the policy.

    −∇L = E[ m · (1/π_d) · A' · ∇π ],      A' = A − κ·log π/π_ref,      L = −m·(π/π_d)·A'   (π_d, A', m held fixed)

Lv, Zuo, Sun et al. (2025). What the methods are:

    REINFORCE, RLOO        π_d = the policy itself, no mask          A from credit.reinforce, credit.rloo
    importance-weighted    π_d = the policy that sampled, no mask
    PPO, GRPO              π_d = the policy that sampled, m = 0 where the ratio has left [1 − ε₋, 1 + ε₊] outwards
    SFT                    π_d = the policy itself, A = 1 on demonstrations
    offline, no ratio      π_d = 1

m is PPO's min in another coat: min(ρA, clip(ρ)A) has gradient A∇ρ where A > 0 and ρ ≤ 1 + ε₊, or A < 0 and
ρ ≥ 1 − ε₋, and 0 elsewhere (Schulman, Wolski, Dhariwal et al., 2017, Eq. 7). κ is the price of leaving the reference,
put into the advantage: with π_d the sampler its gradient is exactly that of −κ·KL(π ‖ π_ref), which the gradient of the
usual k3 term is not. Ratios are per token, per response (their product), or geometric (its |y|-th root: Zheng, Liu, Li
et al., 2025). Limits: at π = π_old all ratios are 1, nothing is masked, and PPO is REINFORCE. Per-token ratios off the
policy leave out what earlier tokens did to the chance of getting here; per-response ratios do not, and vary more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from ..tables.rollouts import Array, Rollouts
from .arrays import detached, exp, like, plain, where
from .reward_groups import of

DENOMINATORS = ("policy", "old", "reference", "one")
RATIOS = ("token", "response", "geometric")
MEANS = ("response", "token")


def terms(
    rollouts: Rollouts,
    advantages: Array,
    *,
    denominator: str = "old",
    ratio: str = "token",
    clip: tuple[float, float] | None = (0.2, 0.2),
    kl: float = 0.0,
) -> Array:
    """[b] loss of each response, or [b, T] of each token where the ratios are the tokens'.

    Arguments:
        rollouts: policy [b] or [b, T]; old or reference as the denominator and kl ask; mask.
        advantages: [b], or [b, T] for tokens; held fixed.
        denominator: "policy" (its own value), "old", "reference" or "one".
        ratio: "token", "response" or "geometric"; all three are one where policy is [b].
        clip: (ε₋, ε₊) >= 0, how far π/π_old may go below and above 1; None masks nothing, as does another denominator.
        kl: κ >= 0, in units of reward per nat.

    Errors: an unknown word; a column that is asked for and missing.

    >>> one = Rollouts(np.ones(2), np.zeros(2), policy=np.log([0.5, 0.1]), old=np.log([0.25, 0.1]))
    >>> terms(one, np.array([1.0, -1.0])).round(2).tolist()  # the first ratio, 2, is clipped at 1.2
    [-1.2, 1.0]
    """
    _check(rollouts, denominator, ratio, clip)
    gained = advantages - _like_terms(kl * _from_reference(rollouts), advantages) if kl else advantages
    lead = _lead(rollouts, denominator, ratio)
    gained = detached(_like_terms(gained, lead))
    rho = exp(lead)
    loss = -rho * gained
    if clip is not None and denominator == "old":
        high, low = 1.0 + clip[1], 1.0 - clip[0]
        out = ((gained > 0) & (rho > high)) | ((gained < 0) & (rho < low))
        bound = where(rho > high, _filled(rho, high), _filled(rho, low))
        loss = where(out, -bound * gained, loss)
    return _marked(loss, rollouts) if loss.ndim == 2 else loss


def kl_baseline(rollouts: Rollouts) -> FloatArray:
    """[b] mean of log π_old/π_ref over the prompt's other responses: κ times it, added to an advantage, takes the noise
    out of the price of leaving and changes no expectation, as it does not hang on the response itself.

    At the top, π ∝ π_ref·exp(r/κ), reward and price cancel in every single draw. 0 where there is no other response,
    and for a teacher's. Limits: off the policy, and where responses are divided by their length, it is no longer exact.

    Arguments:
        rollouts: old and reference [b] or [b, T]; mask, prompt, demonstration.

    >>> logs = np.log([0.5, 0.25, 0.25])
    >>> kl_baseline(Rollouts(np.zeros(3), np.zeros(3, int), old=logs, reference=np.zeros(3))).round(3).tolist()
    [-1.386, -1.04, -1.04]
    """
    lead = plain(_from_reference(replace(rollouts, policy=rollouts.old)))
    groups = of(replace(rollouts, reward=lead, policy=None))
    return np.where(groups.known & (groups.size[groups.code] > 1), groups.others, 0.0)


def mean(terms: Array, rollouts: Rollouts, *, over: str = "response") -> Array:
    """The one number to descend: a weighted mean of the terms.

    Arguments:
        terms: [b] or [b, T].
        rollouts: mask, weight.
        over: "response" (each response counts once: long ones' tokens count less) or "token" (each token counts once).

    Errors: an unknown word.
    """
    if over not in MEANS:
        raise _unknown("over", over, MEANS)
    weight = _filled(terms[:, 0] if terms.ndim == 2 else terms, 1.0) if rollouts.weight is None else rollouts.weight
    if terms.ndim == 1:
        return (weight * terms).sum() / weight.sum()
    counts = _counts(rollouts)
    if over == "response":
        return (weight * terms.sum(1) / counts).sum() / weight.sum()
    return (weight * terms.sum(1)).sum() / (weight * counts).sum()


def _lead(rollouts: Rollouts, denominator: str, ratio: str) -> Array:
    """[b] or [b, T] log π/π_d, 0 at tokens that do not count."""
    policy: Array = rollouts.policy
    lead = policy if denominator == "one" else policy - detached(getattr(rollouts, denominator))
    if lead.ndim == 1:
        return lead
    lead = _marked(lead, rollouts)
    if ratio == "token":
        return lead
    return lead.sum(1) / (_counts(rollouts) if ratio == "geometric" else 1.0)


def _from_reference(rollouts: Rollouts) -> Array:
    """[b] log π/π_ref of the whole response, held fixed."""
    if rollouts.reference is None:
        raise AdjudgeError(
            "policy gradient: kl is not 0 and the rollouts have no reference.",
            "Log-probabilities under the reference policy.",
            "Give `reference`, or leave kl at 0.",
        )
    lead = detached(rollouts.policy - rollouts.reference)
    return _marked(lead, rollouts).sum(1) if lead.ndim == 2 else lead


def _counts(rollouts: Rollouts) -> Array:
    """[b] tokens that count, at least 1."""
    counts = _marked(_filled(rollouts.policy, 1.0), rollouts).sum(1)
    return where(counts > 0, counts, _filled(counts, 1.0))


def _marked(values: Array, rollouts: Rollouts) -> Array:
    """[b, T] 0 at tokens that do not count, whatever stands there."""
    return values if rollouts.mask is None else where(rollouts.mask > 0, values, _filled(values, 0.0))


def _filled(values: Array, number: float) -> Array:
    """One number in the shape and kind of an array."""
    return like(np.full(tuple(values.shape), number), detached(values))


def _like_terms(values: Array, terms: Array) -> Array:
    """Numbers of responses beside their tokens."""
    return values[:, None] if values.ndim == 1 and terms.ndim == 2 else values


def _check(rollouts: Rollouts, denominator: str, ratio: str, clip: tuple[float, float] | None) -> None:
    for name, word, words in (("denominator", denominator, DENOMINATORS), ("ratio", ratio, RATIOS)):
        if word not in words:
            raise _unknown(name, word, words)
    needed = ("policy", denominator) if denominator in ("old", "reference") else ("policy",)
    missing = [name for name in needed if getattr(rollouts, name) is None]
    if missing:
        raise AdjudgeError(
            f"policy gradient: the rollouts have no {' and no '.join(missing)}.",
            f"Log-probabilities {' and '.join(needed)} of each response or token.",
            "Record them when sampling, or choose another denominator.",
        )
    if clip is not None and not (0 <= clip[0] <= 1 and clip[1] >= 0):
        raise AdjudgeError(
            f"policy gradient: clip={clip}.", "Two numbers of at least 0, the first at most 1.", "Use (0.2, 0.2)."
        )


def _unknown(name: str, word: str, words: tuple[str, ...]) -> AdjudgeError:
    return AdjudgeError(f"policy gradient: {name}={word!r}.", f"One of {', '.join(words)}.", f"Use {words[0]!r}.")
