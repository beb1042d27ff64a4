"""What are critics worth: do their verdicts hold, do their critiques mend answers, do their filters and gates pay?

    accuracy = P(verdict = gold),   balanced = 2·a_w·a_r/(a_w + a_r)   (accuracy on wrong answers and on right ones)
    gain = mean(right after − right before),   spoiled = P(wrong after | right),   mended = P(right after | wrong)
    filter: vote of the answers called right − vote of all;   gate: success with a gate − success without

Tang, Xiang, Yu et al. (2025), RefCritic; Xi, Huang, Guo et al. (2025), Critique-RL; Wanyan, Zhang, Xu et al. (2025),
GUI-Critic-R1. All rows of one item, or cluster, stay together. Limits: verdict and help are two things, and a critic
can have either; a gain holds the author's luck at a second try as well, unless tries without a critique are given.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.power import POWER, detectable
from ..tables.critiques import Critiques
from . import error_detection
from ._critic_figures import any_of, beyond, detected, gates, refinements, verdicts, votes

SMALL = 0.05  # a change of accuracy or success that a powerful audit should see

CARD = Card(
    answers="Do critics' verdicts hold, do their critiques mend answers, and do their filters and gates pay?",
    equation="accuracy;  balanced = 2·a_w·a_r/(a_w + a_r);  gain = mean(right after − right before);  filter;  gate",
    papers=(
        Paper(
            "RefCritic: Training Long Chain-of-Thought Critic Models with Refinement Feedback",
            "Tang, Xiang, Yu et al.",
            2025,
            "arXiv:2507.15024",
            "https://arxiv.org/abs/2507.15024",
            "§4",
        ),
        Paper(
            "Critique-RL: Training Language Models for Critiquing through Two-Stage Reinforcement Learning",
            "Xi, Huang, Guo et al.",
            2025,
            "arXiv:2510.24320",
            "https://arxiv.org/abs/2510.24320",
            "§5",
        ),
        Paper(
            "Look Before You Leap: A GUI-Critic-R1 Model for Pre-Operative Error Diagnosis in GUI Automation",
            "Wanyan, Zhang, Xu et al.",
            2025,
            "arXiv:2506.04614",
            "https://arxiv.org/abs/2506.04614",
            "§5",
        ),
        Paper(
            "Training Language Models to Critique With Multi-agent Feedback",
            "Lan, Zhang, Lyu et al.",
            2024,
            "arXiv:2410.15287",
            "https://arxiv.org/abs/2410.15287",
            "§4",
        ),
    ),
    needs=("item", "critic", "verdict", "correct", "refined"),
    assumes=("Items, or clusters of them, are independent.", "Whether an answer is right is known."),
    limits=(
        "An answer that was called right and not rewritten counts as left as it was.",
        "`spoiled` and `mended` need answers that were right, or wrong, before.",
    ),
    when="Before a critic rewards, filters, mends or stops anything; audit.error_detection for bare detectors.",
    unit="share",
    rows=(269, 270, 277, 280),
)


def check(
    table: Critiques,
    *,
    level: float = 0.95,
    enough: float = 0.8,
    threshold: float = 0.05,
    without: str = "none",
    draws: int = 16,
    seed: int = 0,
) -> Audit:
    """Measures critics by what is known of their verdicts and of what followed.

    Arguments:
        table: critiques.
        level: 1 − the chance of naming any critic without cause, for each kind of finding, in (0, 1).
        enough: share of wrong answers found below which a critic is named, in (0, 1).
        threshold: share of right answers spoiled above which a critic is named, in (0, 1).
        without: critic under whose name stands what happens without one: episodes without a gate, and answers that
            their author wrote again without a critique.
        draws, seed: of the answers that vote.

    Errors: a level or share out of range; draws below 1.

    Figures by critic, as far as the table goes: `accuracy`, `balanced`, those of `audit.error_detection` (`recall`,
    `precision`, `f1`, `alarms`, `told`); `suggestion`; `before`, `refined` (accuracy after refinement), `gain` (and
    `more gain`, beyond `without`), `spoiled`, `mended`, `right to wrong` and `wrong to right` (shares of all answers),
    `right in k`; `majority vote`, `filtered vote`, `gain of the filter` (names `critic · N`); `success`, `steps`,
    `more success`, `extra steps`.

    >>> from adjudge.tables.critiques import critiques
    >>> rng, n = np.random.default_rng(0), 401
    >>> right = rng.random(n) < 0.5
    >>> said = np.where(rng.random(n) < 0.9, right, ~right)
    >>> after = right | (rng.random(n) < 0.02)  # its critiques hardly help
    >>> told = check(critiques([str(at) for at in range(n)], ["c"] * n, correct=right, verdict=said, refined=after))
    >>> [finding.code for finding in told.findings], told.figures["accuracy"].value.round(2).item()
    (['verdict-without-help'], 0.91)
    """
    if not 0 < level < 1 or not 0 < enough < 1 or not 0 < threshold < 1 or draws < 1:
        raise AdjudgeError(
            f"critics: level {level}, enough {enough}, threshold {threshold}, draws {draws}.",
            "Level and shares inside (0, 1), one draw or more.",
            "Change them.",
        )
    table = table.take(table.weight > 0)
    if not any_of(table).any():
        text = "No verdict, refinement or episode stands beside what is known to be right: nothing can be said."
        remedy = "Give `correct` beside `verdict` or `refined`, or `success` of episodes."
        return Audit((Finding("no-critiques", Severity.INFO, text, 0, 1, remedy),), {})
    figures, findings = verdicts(table), list[Finding]()
    if "accuracy" in figures:
        found = error_detection.check(detected(table), level=level, enough=enough)
        figures |= found.figures
        findings += found.findings
    figures |= refinements(table)
    figures |= votes(table, draws=draws, seed=seed)
    figures |= gates(table, without)
    if "gain" in figures and (more := beyond(figures["gain"], without)) is not None:
        figures["more gain"] = more
    findings += _helps(figures, level, threshold)
    if "gain of the filter" in figures:
        curve = figures["gain of the filter"]
        last = list({name.rsplit(" · ", 1)[0]: name for name in curve.names}.values())
        findings += _effect(curve.select(last), "filter", "the vote of answers that it calls right is right", level)
    if "more success" in figures:
        findings += _effect(figures["more success"], "gate", "episodes that it guards succeed", level)
    return Audit(tuple(findings), figures)


def _helps(figures: dict[str, Estimate], level: float, threshold: float) -> list[Finding]:
    """Critics whose critiques harm, spoil, or do not help although their verdicts hold."""
    if "gain" not in figures:
        return []
    gain = figures.get("more gain", figures["gain"])
    spoiled = figures["spoiled"].select(gain.names)
    said = _effect(gain, "critique", "answers are right after its critique", level)
    known = _tells(figures, level)
    for name, value, (_, high) in zip(gain.names, gain.value, gain.simultaneous(level), strict=True):
        if name in known and high < SMALL:
            text = (
                f"{name} tells right from wrong, but its critiques gain {100 * value:+.1f} % (at most "
                f"{100 * high:+.1f} %)."
            )
            remedy = "Reward it for refined answers (`stats.critics.refined_answers`), or use its verdicts alone."
            said.append(Finding("verdict-without-help", Severity.WARNING, text, float(value), SMALL, remedy, (name,)))
    for name, value, low in zip(spoiled.names, spoiled.value, spoiled.simultaneous(level)[:, 0], strict=True):
        if low > threshold:
            text = (
                f"{100 * value:.1f} % of the right answers are wrong after {name}'s critique (at least "
                f"{100 * low:.1f} %)."
            )
            remedy = "Refine only what it calls wrong, and train its verdict first (`stats.critics.two_stages`)."
            said.append(
                Finding("spoils-right-answers", Severity.WARNING, text, float(value), threshold, remedy, (name,))
            )
    return said


def _tells(figures: dict[str, Estimate], level: float) -> set[str]:
    """Critics whose verdicts are better than chance."""
    told = figures.get("told")
    if told is None:
        return set()
    rows = zip(told.names, told.value, told.stepdown(), strict=True)
    return {name for name, value, p in rows if value > 0 and p <= 1 - level}


def _effect(found: Estimate, what: str, happens: str, level: float) -> list[Finding]:
    """Critics for whom an effect is negative, or could not have been seen."""
    least = detectable(found.stderr, found.df, level=level, names=len(found.names))
    said = []
    for name, value, p, seen in zip(found.names, found.value, found.stepdown(), least, strict=True):
        who = name.rsplit(" · ", 1)[0]
        if value < 0 and p <= 1 - level:
            text = f"With {who}, {happens} {100 * -value:.1f} points less often than without (p = {p:.3g})."
            remedy = "Leave it out, or train it on this."
            said.append(Finding(f"{what}-harms", Severity.SEVERE, text, float(value), 0.0, remedy, (who,)))
        elif not p <= 1 - level and not seen <= SMALL and np.isfinite(value):
            reach = f"from {100 * seen:.1f} % on" if np.isfinite(seen) else "at no size"
            text = (
                f"With {who}, {happens} {100 * value:+.1f} % more often; a change is seen with "
                f"{100 * POWER:.0f} % chance {reach}."
            )
            remedy = "Take more items."
            said.append(Finding(f"{what}-not-shown", Severity.INFO, text, float(seen), SMALL, remedy, (who,)))
    return said
