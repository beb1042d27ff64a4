"""How would a policy's returns be spread: their mean, variance, worst share and quartiles, not the mean alone?

    F̂(x) = Σ_i ρ_i 1[G_i <= x] / Σ_i ρ_i,      ρ_i = Π_t π_e/π_b,  G_i = Σ_{t<H} γᵗ r_it
    mean ∫x dF̂,   variance ∫(x − mean)² dF̂ · 1/(1 − Σ ω²),   quantile Q(q) = inf{x : F̂(x) >= q}
    CVaR_τ = Σ ω_i [t − (t − G_i)₊/τ]  at t = Q(τ), the mean of the worst share τ;        ω = ρ/Σρ

Chandak, Niekum, da Silva et al. (2021), universal off-policy evaluation; Huang, Leqi, Lipton et al. (2021) for risk
functionals of F̂. With normalised weights F̂ rises from 0 to 1. Errors are linear in 1[G <= x], by cluster and jointly
over policies; quantiles invert them (Woodruff), CVaR has that of a mean at a threshold which costs nothing to first
order, an optimum's optimism as slack, and what a gap at the threshold costs as a part of its own (as in value.cvar).
An episode cut by the log may have been paid more or less: F̂ may move sideways by as much, which is slack.

Limits: equal weights are the sample's own mean, variance and quantiles; `of="mean"` is value.trajectory_is, normalised;
τ = 1 is the mean. Weights are those of whole paths: long horizons leave few episodes, and the tails fewer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..core.interval import t_quantile
from ..errors import AdjudgeError
from ..stats import quantiles
from ..stats.ope import support
from ..stats.ope.episodes import as_decisions, assembled, returns, unseen, whole
from ..tables.trajectories import Trajectories
from ._return_spread import METHOD, Spread, heights, quantile_ends, variance_at

FIGURES = ("mean", "variance", "cvar", "quantile")
QUARTILES = {"q25": 0.25, "median": 0.5, "q75": 0.75}
ENOUGH = 10.0  # episodes that the weights in a tail should be worth
GRID = 21  # thresholds at which F̂ is shown

CARD = Card(
    answers="How would each policy's returns be spread: mean, variance, worst share, quartiles?",
    equation="F̂(x) = Σ ρ·1[G <= x] / Σ ρ;  ρ = Π_t π_e/π_b,  G = Σ γᵗ r_t",
    papers=(
        Paper(
            "Universal Off-Policy Evaluation",
            "Chandak, Niekum, da Silva et al.",
            2021,
            "NeurIPS",
            "https://arxiv.org/abs/2104.12820",
            "Eq. 5, normalised weights",
        ),
        Paper(
            "Off-Policy Risk Assessment in Contextual Bandits",
            "Huang, Leqi, Lipton et al.",
            2021,
            "NeurIPS",
            "https://arxiv.org/abs/2104.08977",
            "Algorithm 1",
        ),
    ),
    needs=("episode", "reward", "propensity", "target"),
    assumes=("The recorded propensities are those the logger used.", "The logger takes every action the policy takes."),
    limits=("Products over many steps leave few episodes, and fewer in the tails: findings say how many.",),
    when="When risk counts, not the mean alone. For single-step logs, episodes of one step.",
    unit="discounted return",
)


def estimate(table: Trajectories, *, of: str = "mean", tail: float = 0.1, q: float = 0.5) -> Estimate:
    """One figure of each policy's distribution of returns; all of them in `figures`.

    Arguments:
        table: logged episodes.
        of: which figure is the value: `mean`, `variance`, `cvar` or `quantile`.
        tail: (0, 1] share τ of the worst returns, of which `cvar` is the mean.
        q: (0, 1) of `quantile`.

    `figures` hold `mean`, `variance`, `cvar`, `quantile`, `q25`, `median`, `q75` of every policy, and for each policy
    `cdf of NAME`: F̂ at 21 returns, whose `simultaneous()` is a band for the whole of it.

    Errors: a figure that is not one of these; a tail outside (0, 1]; q outside (0, 1).

    >>> from adjudge.sim.episodes import Episodes
    >>> found = estimate(Episodes(sharp=1.0).draw(1).trajectories, of="cvar", tail=0.25)
    >>> bool((found.value < found.figures["q25"].value + 1e-9).all())
    True
    """
    _require(of, tail, q)
    weights, paid = whole(table), returns(table)
    mean = assembled(table, weights, weights * paid[:, None], normalised=True, method=METHOD)
    if not table.m:
        return mean
    view = as_decisions(table, weights)
    spread = Spread(table, view, support.unseen(view), mean, unseen(table).max(axis=0))
    figures = {"mean": mean, "variance": _variance(spread), "cvar": _cvar(spread, tail)}
    figures |= {name: _quantile(spread, at) for name, at in {"quantile": q, **QUARTILES}.items()}
    figures |= {f"cdf of {policy}": _shape(spread, p) for p, policy in enumerate(table.policies)}
    return replace(figures[of], figures=figures)


def _require(of: str, tail: float, q: float) -> None:
    if of not in FIGURES:
        raise AdjudgeError(f"{METHOD}: of is {of!r}.", f"One of {', '.join(FIGURES)}.", "Name one of them.")
    if not 0 < tail <= 1:
        raise AdjudgeError(f"{METHOD}: tail is {tail:g}.", "A share above 0 and at most 1.", "Use tail=0.1, say.")
    if not 0 < q < 1:
        raise AdjudgeError(f"{METHOD}: q is {q:g}.", "A quantile lies between 0 and 1.", "Use q=0.5 for the median.")


def _variance(spread: Spread) -> Estimate:
    rest = 1 - np.square(spread.omega).sum(axis=0)
    scale = np.divide(1.0, rest, out=np.full_like(rest, np.nan), where=rest > 1e-12)
    found = spread.mean_of((spread.paid[:, None] - spread.mean.value) ** 2 * scale)
    low, high = spread.table.value_bounds
    sd, reach = np.sqrt(np.maximum(found.value, 0.0)), float(spread.shift.sum()) / 2
    shifted = np.column_stack([sd**2 - np.maximum(sd - reach, 0.0) ** 2, (sd + reach) ** 2 - sd**2])
    width = (high - low) ** 2
    far = [np.multiply(spread.hidden, one, out=np.zeros(sd.size), where=spread.hidden > 0) for one in (sd**2, width)]
    return replace(found, bounds=(0.0, width / 4), slack=shifted + np.column_stack(far), findings=spread.mean.findings)


def _cvar(spread: Spread, tail: float) -> Estimate:
    paid, bounds, table = spread.paid, spread.table.value_bounds, spread.table
    P = len(table.policies)
    laws = [spread.law(p) for p in range(P)]
    at = np.array([law.quantile(tail) for law in laws])
    found = spread.mean_of(np.column_stack([quantiles.shortfall(paid, t, tail, low=True) for t in at]))
    below = (paid[:, None] <= at).astype(float)
    errors, inside = spread.mean_of(below, (0.0, 1.0)).stderr, spread.worth(below)
    gap, hopeful, blank = np.zeros(P), np.zeros(P), np.zeros(P)
    for p, law in enumerate(laws):
        slope, _ = quantiles.rate(law, tail, errors[p], bounds)
        hopeful[p] = quantiles.optimism(errors[p], slope, tail)
        gap[p] = quantiles.restless(law, tail, errors[p], variance_at(spread, p, tail))
        if found.stderr[p] <= 1e-12 * max(1.0, abs(at[p])):
            blank[p] = quantiles.unseen(_width(spread), float(inside[p]))
    parts = (*found.parts, Part("threshold", np.diag(gap), table.units), Part("unseen", np.diag(blank), table.units))
    slack = spread.slack(found.value, np.minimum(spread.hidden / tail, 1.0), spread.hidden)
    slack[:, 0] += hopeful
    few = tuple(_few(table.policies[p], float(inside[p]), tail) for p in range(P) if inside[p] < ENOUGH)
    return replace(
        found,
        parts=parts,
        df=np.maximum(inside - 1.0, 1.0),
        bounds=bounds,
        slack=slack,
        findings=(*spread.mean.findings, *few),
    )


def _quantile(spread: Spread, q: float) -> Estimate:
    table, P = spread.table, len(spread.table.policies)
    value = np.array([spread.law(p).quantile(q) for p in range(P)])
    below = spread.mean_of((spread.paid[:, None] <= value).astype(float), (0.0, 1.0))
    ends = np.array([quantile_ends(spread, p, q, float(below.stderr[p])) for p in range(P)])
    half = np.diff(ends, axis=1)[:, 0] / 2 / t_quantile(below.df, 0.95)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.sqrt(np.diagonal(below.covariance))
        alike = np.nan_to_num(below.covariance / np.outer(size, size), posinf=0.0)
    np.fill_diagonal(alike, 1.0)
    low, high = table.value_bounds
    found = replace(
        below,
        value=np.where(np.isnan(spread.mean.value), np.nan, value),
        parts=(Part("sampling", alike * np.outer(half, half), below.parts[0].units),),
        bounds=(low, high),
        reserve=None,
        slack=np.zeros((P, 2)),
        findings=(
            *spread.mean.findings,
            *(_edge(table.policies[p], q) for p in range(P) if ends[p, 0] <= low or ends[p, 1] >= high),
        ),
    )
    beyond = np.maximum((ends - found.interval()) * [-1.0, 1.0], 0.0)  # where one side is the longer by far
    return replace(found, slack=spread.shift + np.nan_to_num(beyond, posinf=np.inf))


def _shape(spread: Spread, p: int) -> Estimate:
    """F̂ of one policy at returns that the log shows."""
    at = np.unique(np.quantile(spread.paid, np.linspace(0, 1, GRID), method="nearest"))
    omega, take, add = spread.omega[:, p], *spread.shift
    height = [omega @ (spread.paid[:, None] <= at + by) for by in (-add, 0.0, take)]  # paid more: less lies below
    found = heights(spread, p, at)
    sideways = np.column_stack([height[1] - height[0], height[2] - height[1]])
    return replace(found, slack=found.slack + sideways)


def _width(spread: Spread) -> float:
    low, high = spread.table.value_bounds
    return high - low if np.isfinite(high - low) else float(np.ptp(spread.paid))


def _few(policy: str, inside: float, tail: float) -> Finding:
    return Finding(
        "tail-episodes-too-few",
        Severity.WARNING,
        f"The worst {100 * tail:.0f} % of {policy} rest on weights worth {inside:.1f} episodes, too few for a sure "
        "interval.",
        inside,
        ENOUGH,
        "Log more of what the policy would do, or ask for a larger share.",
        (policy,),
    )


def _edge(policy: str, q: float) -> Finding:
    return Finding(
        "quantile-beyond-episodes",
        Severity.WARNING,
        f"The returns of {policy} cannot bound its {q:.3g}-quantile on one side; the range of returns stands in there.",
        q,
        remedy="Log more of what the policy would do, or ask for a quantile nearer the middle.",
        subject=(policy,),
    )
