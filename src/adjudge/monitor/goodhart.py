"""How far may a proxy be optimised before gold that is at most so unlike it could fall, and did gold fall?

    θ = ∠(M·proxy, M·gold)                       M: projection on the differences of occupancies
    safe corner = last of the path of steepest ascent with cos ∠(δ, M·proxy) >= sin θ
    drop height = max_i J(η_i) − J(η_end)        J: gold return, from 0 (worst policy) to 1 (best)

On a finite process that is known, policies are points of a polytope and returns are linear on it. Optimising the proxy
walks along faces that turn the path away from the proxy; once the turn exceeds π/2 − θ, some gold at that angle falls,
and up to there none does. The path starts at the uniform policy.

Karwowski, Hayman, Bai et al. (2024), Sections 4 to 6. Limits: θ = 0 is a gold that follows to the end, θ = π/2 stops
before the first step that bends; the stop gives up what a luckier gold would still have won.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import occupancy_geometry as geometry
from ..tables.reward_process import RewardProcess

CARD = Card(
    answers="How far may a proxy reward be optimised in a known finite process before gold could fall?",
    equation="stop before the first stretch δ of steepest ascent with cos ∠(δ, M·proxy) < sin θ",
    papers=(
        Paper(
            "Goodhart's Law in Reinforcement Learning",
            "Karwowski, Hayman, Bai et al.",
            2024,
            "International Conference on Learning Representations",
            "https://arxiv.org/abs/2310.09144",
            "Sections 4 to 6",
        ),
    ),
    needs=("moves", "initial", "proxy_reward", "gold_reward", "discount"),
    assumes=(
        "The process is known, and finite.",
        "Gold is no further from the proxy than the angle.",
        "Policies are optimised by steepest ascent of occupancy, from the uniform policy.",
    ),
    limits=(
        "Another optimiser walks another path; the bound is of this one.",
        "The stop insures against the worst gold of that angle; of random golds it gives up more than it saves.",
    ),
    when="To study how a proxy fails where everything is known; for trained policies use monitor.overoptimisation.",
    rows=(135,),
)


def watch(table: RewardProcess, *, angle: float | None = None) -> Audit:
    """Findings on where to stop and whether gold fell, and the figures behind them.

    Arguments:
        table: the process.
        angle: largest angle between proxy and gold, in [0, π/2]; None to take that of the gold in the table.

    Errors: no angle and no gold; an angle outside [0, π/2], or a gold further from the proxy than that, with no angle
    given; a proxy that orders no two policies.

    Returns findings, and the figures `proxy` and `gold` (return at each corner, from 0 for the worst policy to 1 for
    the best; NaN without gold) and `stop` (angle, safe corner, drop height of gold to the end, gold lost by stopping).

    >>> from ..tables.reward_process import from_arrays
    >>> arms = from_arrays(np.ones((1, 3, 1)), [1.0], [[1.0, 0.8, 0.0]], [[0.6, 1.0, 0.0]], discount=0.0)
    >>> [(finding.code, round(finding.number, 2)) for finding in watch(arms).findings]
    [('stop-early', 1), ('gold-fell', 0.18)]
    """
    known = bool(np.isfinite(table.gold_reward).all())
    start = np.full(table.proxy_reward.shape, 1 / table.proxy_reward.shape[1])
    corners, cosines = geometry.ascend(table, geometry.occupancy(table, start))
    widest = geometry.angle(table, table.proxy_reward, table.gold_reward) if angle is None and known else angle
    if widest is None or not 0 <= widest <= np.pi / 2 or not cosines.size:
        told = "not known" if widest is None or np.isnan(widest) else f"{widest:.3g}"
        raise AdjudgeError(
            f"goodhart: the angle of proxy and gold is {told}, the path has {cosines.size} stretches.",
            "An angle in [0, π/2], and a proxy that prefers one policy to another.",
            "Pass the angle, or a proxy that agrees with gold more than it contradicts it.",
        )
    safe = geometry.safe_corners(cosines, widest)
    proxy = _normalised(table, corners, table.proxy_reward)
    gold = _normalised(table, corners, table.gold_reward) if known else np.full(proxy.size, np.nan)
    drop = geometry.drop_height(gold)
    names = tuple(f"corner {i}" for i in range(proxy.size))
    stop = _exact(("angle", "safe", "drop", "lost"), np.array([widest, safe, drop, gold.max() - gold[safe]]))
    figures = {"proxy": _exact(names, proxy), "gold": _exact(names, gold), "stop": stop}
    findings = [_place(safe, widest, proxy)]
    if drop > geometry.NOTHING:
        findings.append(_fell(drop, gold, safe))
    return Audit(tuple(findings), figures)


def _normalised(table: RewardProcess, corners: FloatArray, reward: FloatArray) -> FloatArray:
    """[c] returns from 0 for the worst policy to 1 for the best; 0 where all are alike."""
    low, high = geometry.extremes(table, reward)
    wide = high - low
    size = max(abs(low), abs(high))
    flat = wide <= geometry.NOTHING * size
    return np.zeros(len(corners)) if flat else np.asarray((corners @ reward.ravel() - low) / wide)


def _exact(names: tuple[str, ...], value: FloatArray) -> Estimate:
    """Numbers without error."""
    nothing = Part("sampling", np.zeros((len(names),) * 2), 0)
    return Estimate(names, value, (nothing,), np.ones(len(names)), method="monitor.goodhart")


def _place(safe: int, widest: float, proxy: FloatArray) -> Finding:
    """Where to stop."""
    last = proxy.size - 1
    told = f"with gold at most {np.degrees(widest):.0f}° from the proxy"
    if safe == last:
        text = f"No such gold falls anywhere on the path of {last} stretches, {told}."
        return Finding("safe-to-the-end", Severity.INFO, text, safe, last, "Optimise to the end.")
    at = f"corner {safe} of {last}, where the proxy is {100 * proxy[safe]:.0f} % of its range"
    text = f"Gold may fall after {at}, {told}."
    return Finding("stop-early", Severity.WARNING, text, safe, last, f"Stop at corner {safe}, or narrow the angle.")


def _fell(drop: float, gold: FloatArray, safe: int) -> Finding:
    """Gold was higher on the way than at the end."""
    text = (
        f"Gold was highest at corner {int(gold.argmax())} ({gold.max():.3g} of its range) and fell by {drop:.3g} to "
        f"the end; the safe corner has {gold[safe]:.3g}."
    )
    return Finding("gold-fell", Severity.SEVERE, text, drop, 0.0, "Stop earlier: the proxy is not worth its optimum.")
