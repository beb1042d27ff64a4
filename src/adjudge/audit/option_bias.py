"""Does a scorer of multiple-choice questions choose by the letter, and does it hold to its answer in other orders?

    letter_p   = share of choices that fall on place p − share of right options that stand there      0 without bias
    accuracy   = share of rows whose right option was chosen
    permuted   = share of questions, shown in two orders or more, that are right in all of them
    order cost = accuracy on those questions − permuted

A scorer that knows all answers has no letter bias however the right ones are placed. Errors are by question.
Zheng, Zhou, Meng et al. (2024), §2 (letters); Gupta, Pantoja, Ross et al. (2024) and Tulchinskii, Kushnareva, Kuznetsov
et al. (2024), §4 (permutation accuracy). Limits: one order of each question leaves `permuted` out; with random choices
among c options permuted falls to c^−orders, so that it is compared between scorers shown the same orders alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.choices import Choices

METHOD = "audit.option_bias"
SMALL = 0.05  # a lean towards a letter that a powerful audit should see
COSTLY = 0.1  # accuracy lost to the order that is worth a warning
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

CARD = Card(
    answers="Does a scorer of multiple-choice questions choose by the letter or by the order of the options?",
    equation="letter_p = P(choice at p) − P(right at p);   permuted = share of questions right in every order",
    papers=(
        Paper(
            "Large Language Models Are Not Robust Multiple Choice Selectors",
            "Zheng, Zhou, Meng et al.",
            2024,
            "ICLR",
            "https://arxiv.org/abs/2309.03882",
            "§2",
        ),
        Paper(
            "Changing Answer Order Can Decrease MMLU Accuracy",
            "Gupta, Pantoja, Ross et al.",
            2024,
            "arXiv:2406.19470",
            "https://arxiv.org/abs/2406.19470",
        ),
        Paper(
            "Listening to the Wise Few: Select-and-Copy Attention Heads for Multiple-Choice QA",
            "Tulchinskii, Kushnareva, Kuznetsov et al.",
            2024,
            "arXiv:2410.02343",
            "https://arxiv.org/abs/2410.02343",
            "§4",
        ),
    ),
    needs=("question", "scorer", "options", "chosen", "gold"),
    assumes=("Questions are independent.",),
    limits=(
        "A letter bias of a scorer that knows most answers is small whatever it does with the others.",
        "Permutation accuracy falls with the number of orders: compare scorers on the same ones.",
    ),
    when="Before multiple-choice accuracies of models or of judges.option_scores are compared.",
    unit="share of questions",
)


def check(table: Choices, *, level: float = 0.95) -> Audit:
    """Accuracy, letter bias and what the order costs, by scorer.

    Arguments:
        table: choices; rows without one count as wrong, and not at any letter.
        level: 1 − the chance of false findings of each kind, in (0, 1).

    Errors: a level outside (0, 1).

    Returns findings and the figures `accuracy` (by scorer), `letters` (`SCORER · A`), and where questions were shown in
    two orders or more `permuted` and `order cost`.

    >>> from adjudge.tables.choices import choices
    >>> asked = [f"q{at // 2}" for at in range(40)]
    >>> found = check(choices(asked, ["likes A"] * 40, [0] * 40, [0, 1] * 20, options=2))
    >>> found.figures["letters"].value.tolist(), found.figures["permuted"].value.tolist()
    ([0.5, -0.5], [0.0])
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"option_bias: level {level}.", "0 < level < 1.", "Say level=0.95.")
    if not table.chosen.size:
        text = "There is no choice: nothing can be said of letters or orders."
        return Audit((Finding("choices-absent", Severity.INFO, text, 0.0, 1.0, "Ask some questions."),), {})
    right = (table.chosen == table.gold).astype(float)
    figures = {"accuracy": _means(table, table.scorers, table.scorer, right), "letters": _letters(table)}
    figures |= _orders(table, right)
    found = [*_silent(table), *_leaning(figures["letters"], level), *_costly(figures.get("order cost"), level)]
    return Audit(tuple(found), figures)


def _means(table: Choices, names: tuple[str, ...], group: IntArray, x: FloatArray) -> Estimate:
    made = scored_means(names, table.question, group, x, np.ones(x.size), bounds=(0.0, 1.0))
    return replace(made, method=METHOD)


def _letters(table: Choices) -> Estimate:
    """Choices at each place less right options there, over the rows with a choice."""
    on = np.flatnonzero(table.chosen >= 0)
    c = int(table.options.max())
    x = (table.chosen[on, None] == np.arange(c)) * 1.0 - (table.gold[on, None] == np.arange(c))
    group = table.scorer[on, None] * c + np.arange(c)
    names = tuple(f"{scorer} · {LETTERS[at] if c <= 26 else at + 1}" for scorer in table.scorers for at in range(c))
    made = scored_means(names, np.repeat(table.question[on], c), group.ravel(), x.ravel(), np.ones(x.size))
    return replace(made, method=METHOD)


def _orders(table: Choices, right: FloatArray) -> dict[str, Estimate]:
    """Permutation accuracy and what it lies below the accuracy, of questions shown in two orders or more."""
    k = len(table.scorers)
    cell, inverse, count = np.unique(table.question * k + table.scorer, return_inverse=True, return_counts=True)
    every, total = np.ones(cell.size), np.bincount(inverse.ravel(), right)
    np.minimum.at(every, inverse.ravel(), right)
    on = np.flatnonzero(count > 1)
    if not on.size:
        return {}
    question, scorer, mean = cell[on] // k, cell[on] % k, total[on] / count[on]
    ones = np.ones(on.size)
    permuted = scored_means(table.scorers, question, scorer, every[on], ones, bounds=(0.0, 1.0))
    cost = scored_means(table.scorers, question, scorer, mean - every[on], ones, bounds=(0.0, 1.0))
    return {"permuted": replace(permuted, method=METHOD), "order cost": replace(cost, method=METHOD)}


def _silent(table: Choices) -> list[Finding]:
    lost = int((table.chosen < 0).sum())
    if not lost:
        return []
    text = f"{lost:,} of {table.chosen.size:,} times nothing was chosen; that counts as wrong."
    return [Finding("choices-missing", Severity.WARNING, text, lost / table.chosen.size, 0.0, "Ask these again.")]


def _leaning(letters: Estimate, level: float) -> list[Finding]:
    """Scorers that like or avoid a letter, and what could not have been seen."""
    found, k = [], len(letters.names)
    bounds = letters.interval(1 - (1 - level) / k)
    least = detectable(letters.stderr, letters.df, level=level, names=k)
    scorers = tuple(dict.fromkeys(name.rpartition(" · ")[0] for name in letters.names))
    for scorer in scorers:
        own = [at for at, name in enumerate(letters.names) if name.rpartition(" · ")[0] == scorer]
        sure = [at for at in own if bounds[at, 0] > 0 or bounds[at, 1] < 0]
        if sure:
            at = max(sure, key=lambda each: abs(letters.value[each]))
            value, letter = float(letters.value[at]), letters.names[at].rpartition(" · ")[2]
            text = f"{scorer} chooses {letter} {100 * value:+.1f} % more often than it is right"
            text += f" ({100 * bounds[at, 0]:+.1f} % to {100 * bounds[at, 1]:+.1f} %)."
            remedy = "Ask in every cyclic order and average the scores (judges.option_scores, orders=…)."
            found.append(Finding("letter-bias", Severity.WARNING, text, value, 0.0, remedy, (scorer,)))
        elif np.nanmax(np.append(least[own], 0.0)) > SMALL:
            reach = float(np.nanmax(least[own]))
            text = (
                f"A lean of {scorer} towards a letter would be seen with {100 * POWER:.0f} % chance from "
                f"{100 * reach:.1f} % on."
            )
            remedy = "Ask more questions."
            found.append(Finding("letters-underpowered", Severity.INFO, text, reach, SMALL, remedy, (scorer,)))
    return found


def _costly(cost: Estimate | None, level: float) -> list[Finding]:
    """Scorers whose answer hangs on the order."""
    if cost is None:
        return []
    low = cost.interval(1 - (1 - level) / max(len(cost.names), 1))[:, 0]
    return [
        Finding(
            "order-driven",
            Severity.WARNING,
            f"{name} loses {100 * value:.1f} % of its accuracy where it must be right in every order (at least "
            f"{100 * least:.1f} %).",
            float(value),
            COSTLY,
            "Trust the answers that hold in every order, or average over orders.",
            (name,),
        )
        for name, value, least in zip(cost.names, cost.value, low, strict=True)
        if least > COSTLY
    ]
