"""How many independent judges is a panel worth, if its members err together?

    e_ij = 1{judge j is wrong on i}      ρ̄ = mean over pairs of corr(e_j, e_l)
    n_eff = k / (1 + (k − 1) ρ̄)                                   Kish's design effect, turned round
    majority = share of items that most judges get right;   independent = the same if they erred independently,
    Σ_{S: |S| > k/2} Π_{j∈S} p_j Π_{j∉S} (1 − p_j), ties by halves, also those of a judge (Condorcet)

Nine judges of one family can be worth two: their votes agree because they share mistakes, and the majority repeats the
mistake. ψ of a correlation is z_j z_l − ρ (z_j² + z_l²)/2; errors of all figures are summed by item, and that of a
correlation is at least (1 − ρ²)/√n, for a few items without a mistake in common do not show how rare it is.

Kish (1965), §5.4; Kim, Garg, Peng et al. (2025), §3; Condorcet (1785).
Limits: without gold only agreement can be told, which mixes shared mistakes with shared insight. ρ̄ = 0 makes
n_eff = k. Of more than two classes, a majority is more than half of the judges on the right one.
"""

from __future__ import annotations

import itertools

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.certain import never_certain
from ..stats.cluster import group_sums, leveraged
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.annotations import Annotations
from ..tables.comparisons import Comparisons
from ._panel_errors import Panel, independent_majority, of_labels, of_votes

METHOD = "audit.panel"
SMALL = 0.1  # mean correlation that a powerful audit should see
PAIRS = 12  # judges up to which every pair is shown
ALL = "panel"

CARD = Card(
    answers="How many independent judges is a panel worth, if its members err together?",
    equation="n_eff = k/(1 + (k − 1)ρ̄);   majority beside Poisson-binomial majority",
    papers=(
        Paper("Survey Sampling", "Kish", 1965, "Wiley", "", "§5.4"),
        Paper(
            "Correlated Errors in Large Language Models",
            "Kim, Garg, Peng et al.",
            2025,
            "ICML",
            "https://arxiv.org/abs/2506.07962",
            "§3",
        ),
        Paper(
            "Essai sur l'application de l'analyse à la probabilité des décisions rendues à la pluralité des voix",
            "Condorcet",
            1785,
            "Imprimerie Royale, Paris",
        ),
    ),
    needs=("rater", "gold"),
    assumes=("Items, or clusters of them, are independent.", "Gold is right, or its errors are not the judges'."),
    limits=(
        "Without gold nothing is said of errors: agreement is no independence.",
        "Errors that gold shares with the judges are not seen.",
        "n_eff is of this panel on these items: harder items make judges err together.",
    ),
    when="Before a jury's votes are counted as so many opinions; which judge to drop shows in the pairs.",
    unit="judges",
)


def check(table: Comparisons | Annotations, *, level: float = 0.95) -> Audit:
    """Measures how far judges err together, and what that makes of their majority.

    Arguments:
        table: votes on pairs (gold are the trusted raters'), or labels of raters with the true class of some items.
        level: coverage of the intervals, in (0, 1).

    Errors: a level outside (0, 1).

    Returns findings, and the figures `agreement` (of each pair of up to 12 judges: share of equal verdicts), and with
    gold `accuracy` (by judge), `majority` (`majority`, `independent`), `shortfall` (independent − majority), and of
    the judges that have been right and wrong `correlation` (of errors, by pair), `mean_correlation` (ρ̄), `effective`
    (n_eff).

    >>> from adjudge.sim.biased_judges import BiasedJudges
    >>> world = BiasedJudges(items=1009, acuity=(0.5,) * 7, quality=0.0, shared=4.0, orders=1)
    >>> told = check(world.draw(0).comparisons)
    >>> [finding.code for finding in told.findings], bool(told.figures["effective"].value[0] < 2)
    (['panel-correlated'], True)
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"panel: level is {level}.", "0 < level < 1.", "Change it.")
    panel = of_labels(table) if isinstance(table, Annotations) else of_votes(table)
    figures: dict[str, Estimate] = {}
    if 2 <= len(panel.judges) <= PAIRS:
        figures["agreement"] = _agreement(panel)
    if len(panel.judges) < 2 or not np.isfinite(panel.error).any():
        return Audit((_no_gold(panel, figures),), figures)
    figures["accuracy"] = _accuracy(panel)
    erring = panel.erring()  # who never errs, or always, has no mistakes to share
    figures |= _together(erring) | _majority(panel)
    return Audit(tuple(_told(erring, figures, level)), figures)


def _agreement(panel: Panel) -> Estimate:
    """Share of equal verdicts of each pair."""
    names, x, group, at = [], [], [], []
    for number, (j, other) in enumerate(itertools.combinations(range(len(panel.judges)), 2)):
        one, two = panel.said[:, j], panel.said[:, other]
        rows = np.flatnonzero(np.isfinite(one + two) & (panel.weight > 0))
        names.append(f"{panel.judges[j]} · {panel.judges[other]}")
        x.append((one[rows] == two[rows]).astype(float))
        group.append(np.full(rows.size, number))
        at.append(rows)
    rows = np.concatenate(at)
    return scored_means(
        tuple(names),
        panel.cluster[rows],
        np.concatenate(group),
        np.concatenate(x),
        panel.weight[rows],
        bounds=(0.0, 1.0),
    )


def _accuracy(panel: Panel) -> Estimate:
    at, judge = np.nonzero(np.isfinite(panel.error) & (panel.weight > 0)[:, None])
    right = 1 - panel.error[at, judge]
    return scored_means(panel.judges, panel.cluster[at], judge, right, panel.weight[at], bounds=(0.0, 1.0))


def _estimate(panel: Panel, names: list[str], value: FloatArray, psi: FloatArray, mass: FloatArray) -> Estimate:
    """From influence values [u, k] of the units and how much of each value rests on them, summed by cluster."""
    code, cluster = np.unique(panel.cluster, return_inverse=True)
    sums, held = (group_sums(cluster.ravel(), each.T, code.size).T for each in (psi, mass))
    covariance, units, effective = leveraged(sums, held)
    part = Part("sampling", covariance, int(units.max(initial=0)))
    df = np.maximum(effective - 1.0, 1.0)
    return never_certain(Estimate(tuple(names), value, (part,), df, method=METHOD))


def _together(panel: Panel) -> dict[str, Estimate]:
    """ρ of each pair, ρ̄ and n_eff."""
    seen = np.isfinite(panel.error) & (panel.weight > 0)[:, None]
    pairs = list(itertools.combinations(range(len(panel.judges)), 2))
    shown = len(panel.judges) <= PAIRS
    value, total, mass = np.full(len(pairs), np.nan), np.zeros(panel.weight.size), np.zeros(panel.weight.size)
    held = 0.0
    by_pair, of_pair = (np.zeros((panel.weight.size, len(pairs) if shown else 0)) for _ in range(2))
    for number, (j, other) in enumerate(pairs):
        rows = np.flatnonzero(seen[:, j] & seen[:, other])
        z = panel.error[rows][:, [j, other]]
        w = panel.weight[rows] / max(float(panel.weight[rows].sum()), 1e-300)
        z = z - w @ z
        sd = np.sqrt(w @ z**2) if rows.size else np.zeros(2)
        if sd.min() <= 1e-12:
            continue  # one of them never errs here, or always: nothing to go together
        z = z / sd
        value[number] = w @ (z[:, 0] * z[:, 1])
        psi = w * (z[:, 0] * z[:, 1] - value[number] * (z**2).sum(axis=1) / 2)
        total[rows] += psi
        mass[rows] += w
        held += float(w @ w)
        if shown:
            by_pair[rows, number], of_pair[rows, number] = psi * _widened(psi, float(value[number]), float(w @ w)), w
    known = np.isfinite(value)
    if not known.any():
        return {}
    k, rho = len(panel.judges), float(value[known].mean())
    total = total / known.sum()
    total = total[:, None] * _widened(total, rho, held / known.sum() ** 2)
    mean = _estimate(panel, [ALL], np.array([rho]), total, mass[:, None])
    worth, slope = (each.item() for each in _worth(np.array(rho), k))
    figures = {
        "mean_correlation": mean,
        "effective": _estimate(panel, [ALL], np.array([worth]), slope * total, mass[:, None]),
    }
    if shown:
        names = [f"{panel.judges[j]} · {panel.judges[other]}" for j, other in pairs]
        figures["correlation"] = _estimate(panel, names, value, by_pair, of_pair)
    return figures


def _widened(psi: FloatArray, rho: float, share: float) -> float:
    """Factor that keeps the error of a correlation at (1 − ρ²)/√n or above: few mistakes have not shown theirs yet.

    Arguments:
        psi: what each unit adds to the correlation.
        rho: the correlation.
        share: 1/n.
    """
    seen, least = float(psi @ psi), (1 - rho**2) ** 2 * share
    return float(np.sqrt(max(1.0, least / seen))) if seen > 0 else 1.0


def _worth(rho: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    """n_eff at a mean correlation, ∞ where errors cancel, and its derivative."""
    below = 1 + (k - 1) * rho
    with np.errstate(divide="ignore"):
        return np.where(below > 0, k / below, np.inf), np.where(below > 0, -k * (k - 1) / below**2, np.nan)


def _majority(panel: Panel) -> dict[str, Estimate]:
    """How often the majority is right, and would be if errors were independent; on units that all have judged."""
    used = np.isfinite(panel.error).all(axis=1) & (panel.weight > 0)
    if not used.any():
        return {}
    k, side = len(panel.judges), np.sign(0.5 - panel.error[used])  # of each judge: right 1, undecided 0, wrong −1
    w = panel.weight[used] / panel.weight[used].sum()
    won = (1 + np.sign(side.sum(axis=1))) / 2
    each = side[:, :, None] == [-1.0, 0.0, 1.0]
    shares = np.tensordot(w, each, 1)
    alone, slope = independent_majority(shares)
    psi, mass = np.zeros((panel.weight.size, 2)), np.zeros((panel.weight.size, 2))
    psi[used, 0] = w * (won - w @ won)
    psi[used, 1] = w * ((each - shares).reshape(-1, 3 * k) @ slope.ravel())
    mass[used] = w[:, None]
    both = _estimate(panel, ["majority", "independent"], np.array([w @ won, alone]), psi, mass)
    return {"majority": both, "shortfall": both.difference("independent", "majority")}


def _told(panel: Panel, figures: dict[str, Estimate], level: float) -> list[Finding]:
    """What the panel is worth, or why that cannot be told."""
    k, mean = len(panel.judges), figures.get("mean_correlation")
    if mean is None or not np.isfinite(mean.stderr[0]):
        return [_constant(panel)]
    rho, least = float(mean.value[0]), float(detectable(mean.stderr, mean.df, level=level)[0])
    low, high = mean.interval(level)[0]
    worth, most = (float(_worth(np.array(each), k)[0]) for each in (rho, low))
    fewest = float(_worth(np.array(high), k)[0])
    if low > 0:
        severity = Severity.WARNING if most < k / 2 else Severity.INFO
        code = "panel-correlated" if most < k / 2 else "panel-overlap"
        text = (
            f"{k} judges are worth {worth:.1f} independent ones ({100 * level:.0f} % interval {fewest:.1f} to "
            f"{most:.1f}): "
            f"their errors correlate by {rho:.2f} on average{_beside(figures)}."
        )
        remedy = "Replace judges that share mistakes by judges of another family, and trust no error bar that counts k."
        return [Finding(code, severity, text, worth, k / 2, remedy, panel.judges)]
    if least > SMALL:
        text = (
            f"Errors of {k} judges correlate by {rho:.2f} on average; a mean correlation would be seen with "
            f"{100 * POWER:.0f} % chance from {least:.2f} on."
        )
        remedy = "Label more items that all judges have judged."
        return [Finding("panel-overlap-not-shown", Severity.INFO, text, least, SMALL, remedy, panel.judges)]
    return []


def _beside(figures: dict[str, Estimate]) -> str:
    """What that does to the majority."""
    if "majority" not in figures:
        return ""
    both = figures["majority"].value
    return (
        f"; their majority is right in {100 * both[0]:.1f} % of cases, where independent errors would "
        f"make it {100 * both[1]:.1f} %"
    )


def _constant(panel: Panel) -> Finding:
    return Finding(
        "panel-overlap-unknown",
        Severity.INFO,
        "No two judges have both erred and been right on items that they share, or there is one such item: nothing can "
        "be told of errors together.",
        float(len(panel.judges)),
        2.0,
        "Label more items, and harder ones.",
        panel.judges,
    )


def _no_gold(panel: Panel, figures: dict[str, Estimate]) -> Finding:
    seen = figures["agreement"].value if "agreement" in figures else np.zeros(0)
    agree = f" agree on {100 * np.nanmean(seen):.1f} % of verdicts, and" if np.isfinite(seen).any() else ""
    return Finding(
        "panel-without-gold",
        Severity.INFO,
        f"{len(panel.judges)} judges{agree} share no item with gold: agreement cannot tell shared mistakes from shared "
        "insight, so that no effective number of judges is given.",
        float(len(panel.judges)),
        2.0,
        "Label some of the items with trusted votes, and let two judges or more decide them.",
        panel.judges,
    )
