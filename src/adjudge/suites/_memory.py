"""Is a gain in accuracy matched by a gain in debates? A suspect beside its clean version, question by question.

    excess    = Δaccuracy − Δdebate                     Δ = suspect − clean
    shortfall = β·Δaccuracy − Δdebate,                  β = Σ (A_b − Ā)(D_b − D̄) / Σ (A_b − Ā)² over bystanders b

Debates move by less than accuracy where the judge errs: a coin-tossing judge would make every honest gain look like
memory. Bystanders, models under no suspicion, say how far debates move with accuracy here; the suspect is held to that.
Shares of debates are means over cells (opponent, side) that all compared models met, each counted alike, so that
neither easier opponents nor the better side favour one: opponents other than the two for these, the two themselves for
the bystanders. All means share their questions; the shortfall's error is by the delta method.
Limit: β = 1 makes the shortfall the excess; noise in the A_b draws β towards 0, which accuses less.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means

MATTERS = 0.1  # an excess that a powerful probe should see
LEAST, APART = 3, 4.0  # bystanders; variance of their accuracies beside what chance makes of it
GAINS = ("accuracy gain", "debate gain", "excess")
_W = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]])

Rows = tuple[IntArray, IntArray, FloatArray]
"""Question, cell and score of some rows."""


def gains(
    qa: Rows, debates: tuple[IntArray, IntArray, IntArray, FloatArray], of: tuple[int, int], bystanders: tuple[int, ...]
) -> tuple[Estimate, Estimate | None]:
    """Gain in accuracy, gain in debates and excess; and the shortfall, None where bystanders give no measure of it.

    Arguments:
        qa: [m] question, model, correct.
        debates: [n] question, pro, con, outcome; without NaN.
        of: codes of the suspect and of its clean version.
        bystanders: codes of the models that are under no suspicion.
    """
    others = np.setdiff1d(np.union1d(debates[1], debates[2]), of)
    rows = [*_answers(qa, of), *_common([_met(debates, model, others) for model in of])]
    rows += [*_answers(qa, bystanders), *_common([_met(debates, model, np.array(of)) for model in bystanders])]
    item, cell, x = (np.concatenate(column) for column in zip(*rows, strict=True))
    size = [row[0].size for row in rows]
    group = np.repeat(np.arange(len(rows)), size)
    key = group * (int(cell.max(initial=0)) + 1) + cell
    weight = 1.0 / np.bincount(key)[key] if key.size else np.zeros(0)
    names = tuple(f"{group}" for group in range(len(rows)))
    means = scored_means(names, item, group, x, weight, bounds=(0.0, 1.0))
    return means.select(names[:4]).contrast(_W, GAINS), _shortfall(means, len(bystanders))


def _answers(qa: Rows, models: tuple[int, ...]) -> list[Rows]:
    """Each model's answers to the questions, in one cell."""
    found = [np.flatnonzero(qa[1] == model) for model in models]
    return [(qa[0][at], np.zeros(at.size, dtype=np.int64), qa[2][at]) for at in found]


def _met(debates: tuple[IntArray, IntArray, IntArray, FloatArray], model: int, opponents: IntArray) -> Rows:
    """A model's debates against some opponents; a cell is an opponent and a side."""
    item, pro, con, outcome = debates
    side = pro == model
    foe = np.where(side, con, pro)
    at = np.flatnonzero((side | (con == model)) & np.isin(foe, opponents))
    return item[at], (2 * foe + side)[at], np.where(side, outcome, 1 - outcome)[at]


def _common(rows: list[Rows]) -> list[Rows]:
    """The rows of the cells that all have."""
    cells = [np.unique(cell) for _, cell, _ in rows]
    every = [at for at in (cells[0] if cells else ()) if all(at in each for each in cells)]
    kept = [np.isin(cell, every) for _, cell, _ in rows]
    return [(item[on], cell[on], x[on]) for (item, cell, x), on in zip(rows, kept, strict=True)]


def _shortfall(means: Estimate, b: int) -> Estimate | None:
    """β·Δaccuracy − Δdebate from the means of two models and b bystanders; None without a measure of β."""
    gap, A, D = means.value[0] - means.value[1], means.value[4 : 4 + b], means.value[4 + b :]
    variance = means.stderr[4 : 4 + b] ** 2
    if b < LEAST or not np.isfinite(A + D + variance).all() or not np.var(A, ddof=1) > APART * variance.mean():
        return None
    a, d = A - A.mean(), D - D.mean()
    spread = float(a @ a)
    slope = float(a @ d) / spread
    gradient = np.concatenate([[slope, -slope, -1.0, 1.0], gap * (d - 2 * slope * a) / spread, gap * a / spread])
    line = means.contrast(gradient[None, :], ("shortfall",))
    value = np.array([slope * gap - (means.value[2] - means.value[3])])
    parts = tuple(Part(part.name, part.covariance, part.units) for part in line.parts)
    return Estimate(("shortfall",), value, parts, line.df)


def told(found: Estimate, short: Estimate | None, suspect: str, clean: str, level: float) -> list[Finding]:
    """Whether the suspect gained accuracy that debates do not show, or what could not have been seen."""
    subject = (suspect, clean)
    if not np.isfinite(found.value[2] + found.stderr[2]):
        text = f"{suspect} and {clean} share no opponents in debates, or one was not asked the questions themselves."
        remedy = "Hold debates of both against the same opponents, and ask both the questions."
        return [Finding("memory-unknown", Severity.INFO, text, remedy=remedy, subject=subject)]
    accuracy, debate, excess = found.value
    seen = (
        f"{suspect} answers {100 * accuracy:+.1f} % more questions right than {clean} and wins "
        f"{100 * debate:+.1f} % more debates"
    )
    if short is None:
        text = f"{seen}; nothing shows how far debates move with accuracy here, so that the excess accuses nobody."
        remedy = "Take along three models or more whose accuracies differ, each in debates with both."
        return [Finding("memory-unscaled", Severity.INFO, text, float(excess), 0.0, remedy, subject)]
    each = (1 + level) / 2  # two intervals that hold together
    low, value = float(short.interval(each)[0, 0]), float(short.value[0])
    if low > 0 and found.interval(each)[0, 0] > 0:
        text = (
            f"{seen} about them: {100 * value:.1f} % fewer (at least {100 * low:.1f} %) than other models with such a "
            "gain would win."
        )
        remedy = "Look for the questions in its training data; rank it by the debates, or by new questions."
        return [Finding("gain-without-skill", Severity.WARNING, text, value, 0.0, remedy, subject)]
    least = float(detectable(short.stderr[0], short.df[0], level=level, names=2))
    if least <= MATTERS:
        return []
    text = f"{seen}; a shortfall of debates would be seen with {100 * POWER:.0f} % chance from {100 * least:.1f} % on."
    remedy = "Hold more debates, about more questions."
    return [Finding("memory-not-shown", Severity.INFO, text, least, MATTERS, remedy, subject)]
