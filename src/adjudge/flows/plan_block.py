"""The label plan of a report: what is open, what would close it, and how the interval shrinks on the way."""

from __future__ import annotations

import shlex

import numpy as np
from scipy import special

from ..reports.story import Curve, LabelPlan, Line
from .answer import Answer
from .settle import VERIFY, Need, Settlement, settle
from .spread import Spread, spreads

STEPS = 60
_EVALUATE_OPTIONS = ("--out", "--format", "--method", "--set", "--calibration", "--by")  # unknown to `adjudge plan`
_EVALUATE_FLAGS = ("--no-report", "--stream", "--no-stream", "--debug")


def plan_block(
    answer: Answer, settlement: Settlement | None = None, *, path: str = "", command: str = ""
) -> LabelPlan | None:
    """The block for a report; None when there is nothing to compare, or the values are no means.

    Arguments:
        answer: of `evaluate`.
        settlement: of `settle`; worked out here when None.
        path: of the file of rows to label, when one was written.
        command: the line to type next.
    """
    if not answer.of_means or (answer.ratings.k < 2 and not _loose(answer)):
        return None
    found = settlement or settle(answer)
    extra = tuple(
        (name, int(count)) for name, count in zip(answer.estimate.names, found.extra, strict=True) if count > 0
    )
    # while a policy in the race is unverified, a pair of guesses has no width worth planning for
    need = found.needs[0] if found.needs and not _loose(answer) else None
    return LabelPlan(
        text=_text(answer, found),
        half_width=need.half_width if need else np.nan,
        target=need.target if need else np.nan,
        extra=extra,
        curve=None if need is None else _shrinking(answer, spreads(answer), need),
        path=path,
        command=command or (_command(answer) if extra else ""),
    )


def _loose(answer: Answer) -> list[str]:
    """Policies whose value no labels of their own confirm."""
    return [answer.estimate.names[p] for p in np.flatnonzero(~answer.verified)]


def _text(answer: Answer, found: Settlement) -> str:
    loose = _loose(answer)
    if loose:
        which = ", ".join(loose[:4]) + (f" and {len(loose) - 4} more" if len(loose) > 4 else "")
        return (
            f"No label stands behind {which}. Label {VERIFY} or more random rows of each first; no plan holds before."
        )
    if not found.needs:
        return "The leader is settled at this level: more labels would only narrow the values."
    sentences = [_about(answer, found, need) for need in found.needs[:3]]
    if np.isfinite(found.detectable):
        sentences.append(
            f"Today's labels find a difference of {found.detectable:.2g} four times in five; smaller ones can hide."
        )
    return " ".join(sentences)


def _about(answer: Answer, found: Settlement, need: Need) -> str:
    left, right = (answer.estimate.names[p] for p in (need.left, need.right))
    gap = f"{left} and {right} differ by {need.difference:.2g} ± {need.half_width:.2g}"
    if need.reachable:
        pair = [need.left, need.right]
        first, second = np.maximum(np.ceil(need.labels[pair] - found.now[pair] - 1e-6), 0)
        if first + second == 0:
            return f"{gap}, and today's labels ought to show it; label a few more and look again."
        return f"{gap}; about {first:,.0f} more labels on {left} and {second:,.0f} on {right} would settle it."
    return f"{gap}; no number of labels on these rows settles a difference that small, only more prompts would."


def _command(answer: Answer) -> str:
    """The line that writes the rows to label, from the one that was typed."""
    words = shlex.split(answer.run.command)
    if words[:2] != ["adjudge", "evaluate"]:
        return 'adjudge.plan(answer).save("to_label.csv")'
    kept, skip = ["adjudge", "plan"], False
    for word in words[2:]:
        if skip or word in _EVALUATE_FLAGS:
            skip = False
            continue
        name, equals, _ = word.partition("=")
        skip = name in _EVALUATE_OPTIONS and not equals
        if name not in _EVALUATE_OPTIONS:
            kept.append(word)
    return shlex.join([*kept, "--out", "to_label.csv"])


def _shrinking(answer: Answer, spread: Spread, need: Need) -> Curve:
    """Half-width of the interval of a difference by further labels, split evenly in standard-error terms."""
    pair = [need.left, need.right]
    z = float(special.ndtri(0.5 + answer.level / 2))
    room = float((spread.rows[pair] - spread.labels[pair]).sum())
    wanted = float(np.nansum(need.labels[pair] - spread.labels[pair])) if need.reachable else room
    reach = min(room, max(2 * wanted, 50.0))
    x = np.linspace(0, reach, STEPS)
    share = np.sqrt(spread.residual[pair])
    share = share / share.sum() if share.sum() > 0 else np.array([0.5, 0.5])
    labels = np.minimum(np.maximum(spread.labels[pair], 1) + np.outer(x, share), spread.rows[pair])
    stderr = np.sqrt(spread.pair(*pair) + (spread.residual[pair] / labels).sum(axis=1))
    # the formula gives the shape; today's interval, which knows the small sample, gives the scale
    width = z * stderr if not stderr[0] or np.isnan(need.half_width) else need.half_width * stderr / stderr[0]
    left, right = (answer.estimate.names[p] for p in pair)
    return Curve(
        title=f"How sure of {left} against {right}, by further labels",
        lines=(Line(x, width),),
        x_name="further gold labels on the two",
        y_name="half-width of the interval",
        target=need.target,
        target_name="settled",
        zero=True,
    )
