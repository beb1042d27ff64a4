"""What explanations that misorder effects are called."""

from __future__ import annotations

import numpy as np

from ..core.estimate import Estimate
from ..core.finding import Finding, Severity

MOST = 0.05  # share of the strongest concept's effect below which a model hardly heeds another


def findings(
    figures: dict[str, Estimate], names: tuple[str, ...], missing: list[float], lost: float, level: float
) -> list[Finding]:
    """All that is doubtful about explainers, and concepts that the model hardly heeds."""
    said = []
    order = figures["order"]
    for name, value, (low, high) in zip(names, order.value, order.simultaneous(level), strict=True):
        if not np.isfinite(value):
            said.append(_silent(name))
        elif high < 0.5:
            said.append(_reversed(name, float(value), float(high)))
        elif not low > 0.5:
            said.append(_guess(name, float(value), float(low)))
    sound = set(names) - {finding.subject[0] for finding in said}
    for name in [each for each in names if each in sound]:
        said += _by_concept(name, figures[f"by_concept: {name}"], 1 - (1 - level) / len(names))
    told = [*zip(names, missing, strict=True), ("the model", lost)]
    said += [_gaps(name, share) for name, share in told if share > 0]
    heed = figures["sensitivity"]
    top = float(np.nanmax(heed.value))
    deaf = tuple(name for name, value in zip(heed.names, heed.value, strict=True) if value < MOST * top)
    if deaf:
        message = (
            f"Changes of {', '.join(deaf)} move the model by less than {100 * MOST:.0f} % of what the strongest does."
        )
        remedy = "Orders among such concepts are orders of next to nothing: raise `tie`, or leave them out."
        least = float(np.nanmin(heed.value))
        said.append(Finding("model-hardly-heeds", Severity.INFO, message, least, MOST * top, remedy, deaf))
    return said


def nothing() -> Finding:
    """No row has both outputs."""
    return Finding(
        "effects-unknown",
        Severity.SEVERE,
        "No row has the model's output before and after the change: there is no reference.",
        0,
        1,
        "Run the model on the counterfactuals.",
    )


def _silent(name: str) -> Finding:
    return Finding(
        "orders-none",
        Severity.SEVERE,
        f"{name} orders nothing: no item has two changes with different effects that it speaks of.",
        0,
        1,
        "Change two concepts or more of each item, or lower `tie`.",
        (name,),
    )


def _reversed(name: str, value: float, high: float) -> Finding:
    return Finding(
        "order-reversed",
        Severity.SEVERE,
        f"{name} keeps {100 * value:.1f} % of the orders (at most {100 * high:.1f} %, all explainers taken together): "
        "worse than guessing.",
        value,
        0.5,
        "Look for a sign that is the wrong way round.",
        (name,),
    )


def _guess(name: str, value: float, low: float) -> Finding:
    return Finding(
        "order-not-shown",
        Severity.WARNING,
        f"{name} keeps {100 * value:.1f} % of the orders (at least {100 * low:.1f} %): not told from guessing.",
        value,
        0.5,
        "Do not read a ranking of concepts out of it; use matching or counterfactuals, or explain more items.",
        (name,),
    )


def _by_concept(name: str, order: Estimate, level: float) -> list[Finding]:
    """Concepts that an explainer puts in the wrong place more often than not."""
    known = np.flatnonzero(np.isfinite(order.value + order.stderr))
    if known.size < 2:
        return []
    kept = order.select([order.names[c] for c in known])
    high = kept.simultaneous(level)[:, 1]
    return [
        Finding(
            "concept-misordered",
            Severity.WARNING,
            f"{name} puts {concept} on the wrong side of other concepts in {100 * (1 - value):.1f} % of the orders.",
            float(value),
            0.5,
            "Ask whether it sees what the concept moves through other concepts.",
            (name, concept),
        )
        for concept, value, top in zip(kept.names, kept.value, high, strict=True)
        if top < 0.5
    ]


def _gaps(name: str, share: float) -> Finding:
    return Finding(
        "explanations-missing",
        Severity.WARNING if share > 0.05 else Severity.INFO,
        f"{name} gives nothing for {100 * share:.1f} % of the changes; the rest is compared.",
        share,
        0.05,
        "Look whether those are the hard ones.",
        (name,),
    )
