"""Tells an optimisation as a story: what moved, what held-out pairs and gold say of it, and when to distrust it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.estimate import Estimate
from ..reports.story import Block, Curve, Findings, Forest, ForestRow, Line, Prose, Story, Table
from ..tables.words import counted
from . import watch_story
from .made import provenance

if TYPE_CHECKING:
    from .optimise import Optimised

MOST = 400  # points of a line; of longer runs evenly many
AXES = {
    "loss": "loss",
    "accuracy": "share of pairs in the labels' order",
    "reward": "reward",
    "kl": "nats",
    "length": "tokens",
}
TITLES = {
    "loss": "Loss",
    "accuracy": "Pairs of the step that the policy orders as people did",
    "reward": "Reward of its own samples",
    "kl": "KL from where it began",
    "length": "Length of its own samples",
}
FIGURES = ("loss", "accuracy", "reward", "gold", "kl", "length", "silent", "unfinished", "logp_chosen", "logp_rejected",
           "log_ratio_chosen", "log_ratio_rejected", "grad_norm", "tokens_per_second")  # fmt: skip

HELD = (
    ("accuracy", "Held-out pairs in the labels' order", "share, 0 to 1", 0.5, "a coin"),
    ("moved", "How far held-out responses moved", "nats a token, since the reference", 0.0, "unmoved"),
)
"""Figure, title, unit, and what it is compared with."""
ALL = "All of them, update by update, stand in metrics.jsonl, and in tensorboard/ for TensorBoard."


def story(answer: Optimised) -> Story:
    """The report of an optimisation."""
    blocks: list[Block] = []
    if answer.watched is not None:
        blocks += watch_story.curves(answer.watched)
    blocks += [*_held(answer), *_curves(answer), _table(answer)]
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [*_prose(answer), provenance(answer.run)]
    return Story(
        title=f"What did {answer.recipe.method} make of the policy?",
        verdict=verdict(answer),
        blocks=tuple(blocks),
        facts=_facts(answer),
    )


def verdict(answer: Optimised) -> str:
    """The answer in a sentence."""
    done = counted(answer.trained.steps, "update")
    if answer.watched is not None:
        return f"After {done}. {watch_story.verdict(answer.watched)}"
    if "accuracy" in answer.held:
        figure = answer.held["accuracy"]
        (low, high), value = figure.interval(answer.level)[0], figure.value[0]
        said = f"on pairs it did not learn from, the policy prefers what people chose in {100 * value:.0f} %"
        return f"After {done}, {said} ({100 * low:.0f} % to {100 * high:.0f} %)."
    first, last = _ends(answer, "reward" if _has(answer, "reward") else "loss")
    named = "reward of its own samples" if _has(answer, "reward") else "loss"
    return f"After {done}, the {named} went from {first:.3g} to {last:.3g}; nobody has asked gold."


def _facts(answer: Optimised) -> tuple[str, ...]:
    tokens = answer.trained.history[-1].get("tokens", 0.0) if answer.trained.history else 0.0
    facts = [counted(answer.trained.steps, "update"), answer.trained.stopped.rstrip(".")]
    if tokens:
        facts.append(f"{tokens:,.0f} tokens")
    if answer.flips is not None:
        known = f"{100 * answer.flips.rate:.1f} % of labels taken as turned round"
        facts.append(known if answer.flips.source else "labels taken as they are")
    return tuple(facts)


def _held(answer: Optimised) -> list[Block]:
    """What pairs that were kept back say."""
    made: list[Block] = []
    for name, title, unit, reference, said in HELD:
        if name in answer.held:
            figure = answer.held[name]
            made.append(
                Forest(
                    _rows(figure, answer.level), title, unit=unit, bounds=figure.bounds, level=answer.level,
                    reference=reference, reference_name=said, subject="", count_name="", ranked=False,
                )
            )  # fmt: skip
    return made


def _rows(figure: Estimate, level: float) -> tuple[ForestRow, ...]:
    ends = figure.interval(level)
    return tuple(
        ForestRow(name, float(value), float(error), float(low), float(high))
        for name, value, error, (low, high) in zip(figure.names, figure.value, figure.stderr, ends, strict=True)
    )


def _curves(answer: Optimised) -> list[Block]:
    """Figures along the updates, those that the run has."""
    history = answer.trained.history
    rows = np.unique(np.linspace(0, len(history) - 1, min(len(history), MOST)).round().astype(int))
    made: list[Block] = []
    for name, title in TITLES.items():
        if not _has(answer, name) or len(rows) < 2 or (name == "loss" and _has(answer, "reward")):
            continue  # the surrogate loss of policy gradients is 0 by construction
        step = np.array([history[row]["step"] for row in rows], dtype=float)
        value = np.array([history[row].get(name, np.nan) for row in rows], dtype=float)
        error = np.array([history[row].get(f"{name}_stderr", np.nan) for row in rows], dtype=float)
        kept = np.isfinite(value)
        wide = 1.96 * error[kept]
        band = np.isfinite(wide).all() and kept.sum() > 1
        empty = np.zeros(0)
        line = Line(
            step[kept], value[kept], value[kept] - wide if band else empty, value[kept] + wide if band else empty
        )
        caption = "The band is ±1.96 standard errors of the step's own prompts." if band else ""
        made.append(Curve(title, (line,), x_name="update", y_name=AXES[name], caption=caption))
    return made


def _table(answer: Optimised) -> Table:
    """First and last logged figures."""
    ends = {name: _ends(answer, name) for name in FIGURES if _has(answer, name)}
    rows = tuple((name, *pair) for name, pair in ends.items())
    return Table("Figures of the first and the last update", ("figure", "first", "last"), rows, ALL)


def _prose(answer: Optimised) -> list[Block]:
    """What to do next, where nobody has asked gold."""
    if answer.watched is not None:
        return []
    text = (
        "Every figure above is of the feedback that was optimised on. Whether the policy became better in truth is "
        "told by a few trusted labels: add [stop] to the recipe, or label samples of checkpoints and run `adjudge "
        "watch`."
    )
    return [Prose("What this does not say", (text,))]


def _has(answer: Optimised, name: str) -> bool:
    return any(name in line for line in answer.trained.history)


def _ends(answer: Optimised, name: str) -> tuple[float, float]:
    """First and last value of a figure."""
    found = [line[name] for line in answer.trained.history if name in line] or [float("nan")]
    return float(found[0]), float(found[-1])
