"""What to distrust in effects read from a log: overlap, confounding that fooled the naive reading, fragile effects."""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats import moments
from ..tables.observations import Observations


def plain(names: tuple[str, ...], value: FloatArray, units: int, method: str) -> Estimate:
    """Figures that describe the sample, without an error of their own."""
    k = len(names)
    return Estimate(
        names, value, (Part("sampling", np.full((k, k), np.nan), units),), np.full(k, np.nan), method=method
    )


def too_few(table: Observations, units: int, method: str) -> Estimate:
    """NaN for every feature, and why."""
    d = len(table.features)
    finding = Finding(
        "rows-too-few",
        Severity.SEVERE,
        f"{units} clusters with whole rows cannot carry {d} effects, their confounders and their error.",
        units,
        10 * d,
        "Collect more rows, or fill the holes in them.",
        table.features,
    )
    made = plain(table.features, np.full(d, np.nan), units, method)
    return Estimate(made.names, made.value, made.parts, made.df, method=method, findings=(finding,))


def findings(
    table: Observations, found: Estimate, figures: dict[str, Estimate], *, left: float, units: int, level: float
) -> tuple[Finding, ...]:
    """All that is doubtful about a fit."""
    said = [*_holes(table), *moments.few_clusters(units, len(table.features))]
    if not table.confounders and not table.groups:
        said.append(_bare())
    else:
        said += _fooled(found, figures, level)
    said += [_overlap(n, float(v), left) for n, v in _pairs(figures["overlap"]) if v < left]
    said += _fragile(found, figures, level)
    return tuple(said)


def _pairs(figure: Estimate) -> list[tuple[str, float]]:
    return list(zip(figure.names, figure.value.tolist(), strict=True))


def _holes(table: Observations) -> list[Finding]:
    lost = float(1 - table.known.mean())
    if lost == 0:
        return []
    message = f"{100 * lost:.1f} % of the rows lack an outcome, a feature, a confounder or weight, and are left out."
    severity = Severity.WARNING if lost > 0.05 else Severity.INFO
    return [Finding("rows-not-whole", severity, message, lost, 0.05, "Fill them, or ask why they are missing.")]


def _bare() -> Finding:
    return Finding(
        "no-confounders",
        Severity.SEVERE,
        "No confounder was given: the effects are those of the naive regression.",
        0,
        1,
        "Name what decided who got which text, and what moved the outcome by itself.",
    )


def _overlap(name: str, share: float, left: float) -> Finding:
    gone = share < 1e-6
    return Finding(
        "feature-determined" if gone else "overlap-poor",
        Severity.SEVERE if gone else Severity.WARNING,
        f"The confounders leave {100 * share:.1f} % of the variance of {name}"
        + (": nothing in the log tells its effect from theirs." if gone else ": its effect rests on a few odd rows."),
        share,
        left,
        "Vary the feature where the confounders alone would have decided it.",
        (name,),
    )


def _fooled(found: Estimate, figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Features whose naive effect is another one than the deconfounded."""
    gap = figures["confounding"]
    said = []
    for j, (name, p) in enumerate(zip(gap.names, gap.stepdown(), strict=True)):
        if not p <= 1 - level:
            continue
        raw, own = float(figures["naive"].value[j]), float(found.value[j])
        low, high = found.interval(level)[j]
        vanish = low <= 0 <= high
        said.append(
            Finding(
                "effect-spurious" if vanish else "effect-confounded",
                Severity.WARNING,
                f"{name} seems to earn {raw:.3g} a unit, and earns {own:.3g} [{low:.3g}, {high:.3g}] once the "
                f"confounders are taken out (p = {p:.2g}).",
                float(gap.value[j]),
                0.0,
                "Train on stats.deconfound.reward rather than on the outcome as it stands.",
                (name,),
            )
        )
    return said


def _fragile(found: Estimate, figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Effects that one more confounder like the strongest recorded one could undo."""
    moves = {name.removeprefix("without: "): each for name, each in figures.items() if name.startswith("without: ")}
    if not moves:
        return []
    shift = np.nan_to_num(np.array([each.value for each in moves.values()]))
    interval, names = found.interval(level), tuple(moves)
    said = []
    for j, name in enumerate(found.names):
        low, high = interval[j]
        worst = int(np.abs(shift[:, j]).argmax())
        margin = max(float(low), float(-high))
        if margin > 0 and abs(shift[worst, j]) >= margin:
            said.append(
                Finding(
                    "effect-fragile",
                    Severity.INFO,
                    f"Leaving out {names[worst]} moves the effect of {name} by {shift[worst, j]:.3g}; one more "
                    "confounder of that size, unrecorded, could undo it.",
                    abs(float(shift[worst, j])),
                    margin,
                    "Say by `unmeasured` how strong such a confounder may be, or randomise the feature.",
                    (name,),
                )
            )
    return said
