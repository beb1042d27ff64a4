"""Where along an optimisation is gold highest, has the run passed it, and how far has the proxy left gold behind?

    best_of_n:        R(d) = c + d·(α − β·d)          d* = α/(2β)
    policy_gradient:  R(d) = c + d·(α − β·log d)      d* = exp(α/β − 1)         d = √KL

A policy that is optimised against a proxy first gains gold and then loses it, while its proxy goes on rising. The law
is fitted to the gold of a few steps (`stats.overoptimisation`); the interval of d* says whether the run is before it,
past it, or too near to tell. Beside the law, what the steps show by themselves: proxy up and gold down since the peak.

Gao, Schulman, Hilton (2023), Section 3. Limits: β = 0 is a proxy without a peak; a law fitted to steps before the
peak is an extrapolation.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import overoptimisation as laws
from ..tables.proxy_curve import ProxyCurve

FITS = 0.9  # share of the variance between steps below which a law is doubted
WAYS = ("fieller", "bootstrap")

CARD = Card(
    answers="Where is gold highest along an optimisation of its proxy, and has the run passed it?",
    equation=(
        "best_of_n: R(d) = c + d·(α − β·d), d* = α/(2β);\n"
        "policy_gradient: R(d) = c + d·(α − β·log d), d* = exp(α/β − 1);   d = √KL"
    ),
    papers=(
        Paper(
            "Scaling Laws for Reward Model Overoptimization",
            "Gao, Schulman, Hilton",
            2023,
            "International Conference on Machine Learning",
            "https://arxiv.org/abs/2210.10760",
            "Section 3",
        ),
    ),
    needs=("step", "kl", "proxy", "gold", "prompt"),
    assumes=(
        "Prompts are independent, and those with gold are like the others.",
        "One of the two laws holds, nearly.",
        "KL from the start is known well, compared with the distance between steps.",
    ),
    limits=(
        "Before the peak its place is an extrapolation by the law: trust it no further than the law.",
        "Which law fits better is not settled by a few steps; where it matters, a finding says so.",
        "It tells of a peak after gold was labelled, and gives no warning without gold.",
    ),
    when="While a policy climbs a reward model or a judge, with gold for a few dozen prompts at four steps or more.",
    rows=(190,),
)


def watch(
    table: ProxyCurve, *, law: str = "auto", level: float = 0.95, interval: str = "fieller", seed: int = 0
) -> Audit:
    """Findings on where the peak of gold lies, and the figures that they rest on.

    Arguments:
        table: the curve, with gold at some rows.
        law: `best_of_n`, `policy_gradient`, or `auto`, the one that explains more; the interval is then that of both
            where noise does not refute the other.
        level: coverage of the intervals, in (0, 1).
        interval: of the peak: `fieller`, or `bootstrap` by prompt.
        seed: of the bootstrap.

    Errors: a level outside (0, 1); a law or interval of another name.

    Returns findings, and the figures `proxy` and `gold` (mean of each step), `gap` (rise of the proxy less rise of
    gold since the first step; means something where both have one unit), `law` (start, alpha, beta), `peak` (d* and
    the ends of its interval at this level, in √nats) and `change` (gold from the peak to the last step, by the law).

    >>> rng = np.random.default_rng(0)
    >>> d, (prompt, step) = np.arange(7) / 2, np.divmod(np.arange(7 * 101), 7)
    >>> gold = 2 * d[step] - 0.7 * d[step] ** 2 + rng.normal(size=step.size)
    >>> curve = ProxyCurve(step, d[step] ** 2, 2 * d[step], gold, np.ones(step.size), prompt)
    >>> [finding.code for finding in watch(curve, law="best_of_n").findings]
    ['peak-passed', 'proxy-gold-apart']
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"overoptimisation: level {level}.", "0 < level < 1.", "Change it.")
    for found, known in ((law, (*laws.LAWS, "auto")), (interval, WAYS)):
        if found not in known:
            raise AdjudgeError(f"overoptimisation: {found!r}.", f"One of {', '.join(known)}.", "Name one of them.")
    proxy, gold, gap = _means(table)
    figures = {"proxy": proxy, "gold": gold, "gap": gap}
    try:
        fits = [laws.fit(table, law=name) for name in laws.LAWS if law in (name, "auto")]
    except AdjudgeError as few:
        text = "Where gold is highest cannot be told: at least four steps at different KL need the gold of two prompts."
        return Audit((Finding("curve-too-short", Severity.WARNING, text, remedy=few.do),), figures)
    fits.sort(key=lambda fitted: -np.nan_to_num(fitted.r2, nan=-np.inf))
    places = [laws.bootstrap(table, each, level=level, seed=seed) if interval == "bootstrap" else each.fieller(level)
              for each in fits]  # fmt: skip
    here = _last(table, gold)
    best, (low, high) = fits[0], _hull(fits, places, level)
    figures["law"] = best.coefficients
    figures["peak"] = _numbers(("peak", "low", "high"), (best.peak, low, high))
    figures["change"] = best.change(min(best.peak, here), here)
    findings = [_place(best, low, high, here, figures["change"], level)]
    if best.r2 < FITS and best.misfit < 1 - level:
        findings.append(_doubted(best))
    if len(fits) > 1 and _verdict(*places[1], here) != _verdict(low, high, here):
        findings.append(_undecided(fits, places, here))
    return Audit((*findings, *_apart(table, proxy, gold, best.peak, level)), figures)


def _means(table: ProxyCurve) -> tuple[Estimate, Estimate, Estimate]:
    """Proxy, gold and gap of each step."""
    proxy, gold = (laws.means(table, score, method="monitor.overoptimisation") for score in (table.proxy, table.gold))
    both = np.isfinite(table.proxy) & np.isfinite(table.gold)  # the gap is of rows that have both
    gap = laws.means(table, np.where(both, table.proxy - table.gold, np.nan), method="monitor.overoptimisation")
    since = np.eye(table.steps)
    since[:, 0] -= 1
    return proxy, gold, gap.contrast(since, gap.names)


def _last(table: ProxyCurve, gold: Estimate) -> float:
    """d of the last step that has gold of two prompts."""
    known = np.isfinite(gold.stderr) & np.isfinite(laws.distances(table))
    return float(laws.distances(table)[known][-1])


def _numbers(names: tuple[str, ...], value: tuple[float, ...]) -> Estimate:
    """Numbers whose uncertainty is told by each other: they have no standard error of their own."""
    nothing = Part("sampling", np.full((len(names),) * 2, np.nan), 0)
    return Estimate(names, np.array(value), (nothing,), np.ones(len(names)), method="monitor.overoptimisation")


def _hull(fits: list[laws.Fit], places: list[tuple[float, float]], level: float) -> tuple[float, float]:
    """Interval of the peak by the law that explains more, and by another that noise does not refute either."""
    told = [place for fit, place in zip(fits, places, strict=True) if fit is fits[0] or not fit.misfit < 1 - level]
    return float(np.min(told)), float(np.max(told))


def _verdict(low: float, high: float, here: float) -> str:
    """Where this d is, of a peak between low and high."""
    return "passed" if high < here else "ahead" if here < low else "undecided"


def _place(best: laws.Fit, low: float, high: float, here: float, change: Estimate, level: float) -> Finding:
    """What the interval of the peak says about the last step."""
    upper = "no end" if np.isinf(high) else f"{high:.2f}"
    found = "no peak" if np.isinf(best.peak) else f"a peak at √KL {best.peak:.2f}"
    seen = (
        f"The law {best.law} has {found} ({100 * level:.0f} % interval {low:.2f} to {upper}); the run is at {here:.2f}"
    )
    verdict = _verdict(low, high, here)
    if verdict == "passed":
        (start, end), lost = change.interval(level)[0], change.value.item()
        text = f"{seen}, past it: gold has changed by {lost:.3g} since ({start:.3g} to {end:.3g})."
        remedy = f"Go back to the checkpoint nearest √KL {best.peak:.2f} (KL {best.peak**2:.2f}), or mend the proxy."
        return Finding("peak-passed", Severity.SEVERE, text, here, high, remedy)
    if verdict == "ahead":
        remedy = f"Go on, and label gold again before √KL {low:.2f}."
        if np.isinf(low):
            remedy = "Go on, and label gold again at later steps."
        return Finding("peak-ahead", Severity.INFO, f"{seen}, before it.", here, low, remedy)
    severity = Severity.WARNING if best.peak <= here else Severity.INFO
    text = f"{seen}: whether it is past the peak cannot be told."
    remedy = "Label more prompts at the last steps before the run goes on."
    return Finding("peak-undecided", severity, text, here, best.peak, remedy)


def _doubted(best: laws.Fit) -> Finding:
    """The law explains little of what the steps show."""
    return Finding(
        "law-fits-badly",
        Severity.WARNING,
        f"The law {best.law} explains {100 * best.r2:.0f} % of the variance between steps, "
        f"and noise does not explain the rest (p = {best.misfit:.2g}).",
        best.r2,
        FITS,
        "Read gold step by step instead: the peak of this law is not the peak of the run.",
    )


def _undecided(fits: list[laws.Fit], places: list[tuple[float, float]], here: float) -> Finding:
    """The two laws disagree on whether the peak is passed."""
    told = [
        f"{fit.law} says {_verdict(*place, here)} (R² {fit.r2:.3f})" for fit, place in zip(fits, places, strict=True)
    ]
    return Finding(
        "laws-disagree",
        Severity.WARNING,
        f"Where the peak lies depends on the law: {' and '.join(told)}.",
        fits[0].r2 - fits[1].r2,
        remedy="Name the law: best_of_n for best of n and tilting, policy_gradient for trained policies.",
    )


def _apart(table: ProxyCurve, proxy: Estimate, gold: Estimate, peak: float, level: float) -> list[Finding]:
    """The proxy rose and gold fell between the step nearest the peak and the last, whatever the law."""
    d = laws.distances(table)
    known = np.flatnonzero(np.isfinite(gold.stderr) & np.isfinite(proxy.stderr) & np.isfinite(d))
    if not known.size or not d[known].min() <= peak < d[known[-1]]:
        return []
    nearest, last = known[np.argmin(np.abs(d[known] - peak))], known[-1]
    rise, fall = (each.difference(f"step {last}", f"step {nearest}") for each in (proxy, gold))
    (least, _), (_, most) = rise.interval(level)[0], fall.interval(level)[0]
    if not (least > 0 and most < 0):
        return []
    text = (
        f"From step {nearest} to step {last} the proxy rose by {rise.value.item():.3g} while gold fell by "
        f"{-fall.value.item():.3g} (at least {-most:.3g} at {100 * level:.0f} %)."
    )
    remedy = "Stop optimising this proxy; look at responses of both steps for what it rewards and gold does not."
    return [Finding("proxy-gold-apart", Severity.SEVERE, text, fall.value.item(), 0.0, remedy)]
