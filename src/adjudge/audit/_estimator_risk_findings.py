"""What the risk of estimators says in sentences: ties that risk breaks, portfolios worse than the log, too few logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..tables.estimator_trials import EstimatorTrials

ACCURACY = ("nmse", "rank correlation", "regret@1")
FEW = 10  # clusters of logs below which intervals lean on a normal law that nobody can check
SHARE = 0.1  # of a portfolio: unsafe policies that are worth a word
MOST = 12  # estimators: pairs beyond that are not looked through one by one


def told(
    table: EstimatorTrials, figures: Mapping[str, Estimate], sizes: Sequence[int], level: float, seed: int
) -> list[Finding]:
    """All findings, the most useful first."""
    return [
        *_best(figures, sizes, level, seed),
        *_unlike(figures, sizes, level, seed),
        *_unsafe(figures, sizes, level, seed),
        *_thin(table, figures, sizes),
    ]


def _best(figures: Mapping[str, Estimate], sizes: Sequence[int], level: float, seed: int) -> list[Finding]:
    """Who gains most for the risk, at the largest portfolio that tells."""
    for k in sorted(sizes, reverse=True):
        ratio = figures[f"sharpe@{k}"]
        if len(ratio.names) < 2 or not np.isfinite(ratio.value + ratio.stderr).any():
            continue
        top = int(np.nanargmax(ratio.value))
        tied = [name for j, name in enumerate(ratio.names) if j != top and not ratio.ranks(level, seed=seed)[j, 0] > 1]
        text = f"{ratio.names[top]} gains most for its risk: SharpeRatio@{k} is {ratio.value[top]:.2f}"
        text += f"; {', '.join(tied[:5])} may be as good." if tied else ", surely more than any other."
        remedy = "Add logs to tell the tied ones apart." if tied else "Use it to choose policies for the online test."
        names = (ratio.names[top], *tied)
        return [Finding("sharpe-best", Severity.INFO, text, float(ratio.value[top]), np.nan, remedy, names)]
    return []


def _unlike(figures: Mapping[str, Estimate], sizes: Sequence[int], level: float, seed: int) -> list[Finding]:
    """Pairs that some accuracy figure does not tell apart and SharpeRatio does, at one k or more."""
    names = figures["nmse"].names
    if not 2 <= len(names) <= MOST:
        return []
    pairs = list(combinations(range(len(names)), 2))
    apart = {name: figures[name].differences() for name in (*ACCURACY, *(f"sharpe@{k}" for k in sizes))}
    holds = {name: _whole(each, level, seed) for name, each in apart.items() if name in ACCURACY}
    sure = {k: apart[f"sharpe@{k}"].stepdown(seed=seed) * len(sizes) for k in sizes}
    found = []
    for at, (i, j) in enumerate(pairs):
        tied = [name for name in ACCURACY if not holds[name][at] and np.isfinite(apart[name].value[at])]
        k = min(sizes, key=lambda size: np.nan_to_num(sure[size][at], nan=2.0))
        if tied and sure[k][at] < 1 - level:
            found.append(_pair(figures, (i, j), tied, k, len(tied) == len(ACCURACY)))
    return found


def _whole(apart: Estimate, level: float, seed: int) -> list[bool]:
    """Whether each difference is surely not 0, all of them at once."""
    low_high = apart.simultaneous(level, seed=seed)
    return [bool(low > 0 or high < 0) for low, high in low_high]


def _pair(figures: Mapping[str, Estimate], pair: tuple[int, int], tied: list[str], k: int, all_: bool) -> Finding:
    ratio, worst = figures[f"sharpe@{k}"], figures[f"worst@{k}"]
    i, j = pair if ratio.value[pair[0]] > ratio.value[pair[1]] else pair[::-1]
    one, other = ratio.names[i], ratio.names[j]
    figure = ", ".join(f"{name} {figures[name].value[i]:.2f} and {figures[name].value[j]:.2f}" for name in tied)
    return Finding(
        "alike-but-riskier",
        Severity.WARNING if all_ else Severity.INFO,
        f"{one} and {other} are not told apart by {figure}, and yet SharpeRatio@{k} is {ratio.value[i]:.2f} against "
        f"{ratio.value[j]:.2f}: the worst of the {k} policies that they would deploy is worth {worst.value[i]:.3g} and "
        f"{worst.value[j]:.3g}.",
        float(ratio.value[i] - ratio.value[j]),
        0.0,
        f"Choose policies with {one}, or deploy fewer of those that {other} likes.",
        (one, other),
    )


def _unsafe(figures: Mapping[str, Estimate], sizes: Sequence[int], level: float, seed: int) -> list[Finding]:
    """Estimators whose portfolios surely hold more than a tenth of unsafe policies, at the smallest such k."""
    found = []
    for j, name in enumerate(figures["nmse"].names):
        for k in sizes:
            share = figures[f"safety@{k}"]
            if share.simultaneous(level, seed=seed)[j, 0] > SHARE:
                text = (
                    f"{100 * share.value[j]:.0f} % of the {k} policies that {name} would deploy are below "
                    "the safe value."
                )
                remedy = "Deploy fewer, or take an estimator whose portfolios are safer."
                found.append(
                    Finding("portfolio-unsafe", Severity.WARNING, text, float(share.value[j]), SHARE, remedy, (name,))
                )
                break
    return found


def _thin(table: EstimatorTrials, figures: Mapping[str, Estimate], sizes: Sequence[int]) -> list[Finding]:
    """Few logs; estimates that are missing; logs in which no ratio can be told."""
    found = []
    logs = int(table.cluster.max()) + 1
    if logs < FEW:
        text = f"The figures rest on {logs} independent logs: their intervals are rough."
        found.append(Finding("logs-few", Severity.WARNING, text, logs, FEW, "Add logs, or seeds."))
    missing = ~np.isfinite(table.estimated) & np.isfinite(table.truth)[:, None, :]
    if missing.any():
        gone = np.flatnonzero(missing.any(axis=2).any(axis=0))
        who = tuple(table.estimators[j] for j in gone)
        text = (
            f"{100 * missing.mean():.1f} % of the estimates are missing, of {', '.join(who[:5])}: those policies are "
            "left out "
        )
        text += "of that log for every estimator."
        remedy = "Find out why the estimator fails there."
        found.append(Finding("estimates-missing", Severity.WARNING, text, float(missing.mean()), 0.0, remedy, who))
    untold = [k for k in sizes if not np.isfinite(figures[f"sharpe@{k}"].value).any()]
    if untold:
        text = f"SharpeRatio cannot be told at k = {', '.join(map(str, untold))}: the policies there are all as good, "
        text += "too few, or the value of the logging policy is unknown."
        remedy = "Take k of 2 or more among policies that differ, and give the value of the logging policy."
        found.append(Finding("sharpe-unknown", Severity.INFO, text, len(untold), 0.0, remedy))
    return found
