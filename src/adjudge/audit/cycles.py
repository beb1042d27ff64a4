"""Do preferences run in circles, more than noise alone would make them, and which ones surely do?

    T = #{i > j > l > i}/#{triples that all met},      p = (1 + #{b: T*_b ≥ T})/(B + 1)
    T* from votes on one scale: the best Bradley-Terry ratings, with noise of the same counts and clusters
    i > j > l > i is sure  ⇔  the largest of its three one-sided p-values · 2·#triples ≤ 1 − level

A share of circular triples says nothing alone: close policies make a quarter by noise. The test asks for more than a
consistent order explains; a circle is named only if all three of its majorities stand together, over all triples.

Kendall, Babington Smith (1940), On the method of paired comparisons; Cameron, Gelbach, Miller (2008).
Limits: three policies are one triple; the share itself lies too high where votes are few, `noise` says by how much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.voting import circles
from ..stats.voting.margins import Margins, margins
from ..tables.comparisons import Comparisons

NAMED = 5  # circles that are spelt out
POWER = 0.8

CARD = Card(
    answers="Do preferences run in circles, more than noise alone would make them?",
    equation="T = share of circular triples;   p = (1 + #{T* ≥ T})/(B + 1),  T* from consistent ratings + noise",
    papers=(
        Paper(
            "On the method of paired comparisons",
            "Kendall, Babington Smith",
            1940,
            "Biometrika 31(3/4)",
            "https://doi.org/10.1093/biomet/31.3-4.324",
            "Section 4",
        ),
        Paper(
            "Bootstrap-based improvements for inference with clustered errors",
            "Cameron, Gelbach, Miller",
            2008,
            "Review of Economics and Statistics 90(3)",
            "https://doi.org/10.1162/rest.90.3.414",
            "Section 3",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "A consistent order is one on the Bradley-Terry scale; other consistent orders make fewer circles by noise.",
    ),
    limits=(
        "Three policies make one triple: the share is 0 or 1.",
        "Circles among pairs that never met cannot be seen.",
    ),
    when="Before ratings are read as an order; if circles are sure, use ranking.maximal_lottery or ranking.schulze.",
)


def check(table: Comparisons, *, level: float = 0.95, draws: int = 1000, seed: int = 0) -> Audit:
    """Tests votes for circles.

    Arguments:
        table: votes.
        level: 1 − the chance of naming anything where all is consistent, in (0, 1).
        draws: replicates under the consistent order, and of the votes themselves.
        seed: of the draws.

    Errors: a level outside (0, 1) or fewer than 2 draws.

    Returns findings, and the figures `triples` and `looped` (policies in a circle of any length) with the bootstrap
    error of the votes, `noise` (the mean share that noise alone makes) and `chance` (p-values of both).

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> left, right = np.repeat([0, 1, 2], 99), np.repeat([1, 2, 0], 99)
    >>> told = check(from_arrays(left, right, np.tile([1.0, 1.0, 0.0], 99)))
    >>> [finding.code for finding in told.findings]
    ['preferences-cyclic', 'circle-sure']
    """
    if not 0 < level < 1 or draws < 2:
        raise AdjudgeError(f"cycles: level {level}, draws {draws}.", "0 < level < 1, draws >= 2.", "Change them.")
    found = margins(table)
    possible = circles.triples(found.met())
    if possible < 1:
        return Audit((_nothing(found),), {})
    figures = _figures(found, possible, draws, seed)
    return Audit(tuple(_told(found, figures, possible, level)), figures)


def _figures(found: Margins, possible: float, draws: int, seed: int) -> dict[str, Estimate]:
    """Shares, what noise makes of them, and p-values."""
    M = found.table()
    seen = np.append(circles.counts(M[None], possible)[0], circles.strength(M[None], possible))
    by_noise = np.concatenate(
        [
            np.column_stack([circles.counts(table, possible), circles.strength(table, possible)])
            for table in map(found.table, circles.by_noise(found, circles.consistent(found), draws=draws, seed=seed))
        ]
    )
    drawn = found.replicates(lambda table: circles.counts(table, possible), draws=draws, seed=seed)
    error = found.part(drawn, step=1.0 / found.j).covariance
    tail = (1 + (by_noise[:, [2, 1]] >= seen[[2, 1]] - 1e-12).sum(axis=0)) / (draws + 1.0)
    if found.units < 2:
        tail = np.full(2, np.nan)
    df = max(found.units - 1.0, 1.0)

    def figure(names: Sequence[str], value: FloatArray, covariance: FloatArray, part: str) -> Estimate:
        one = Part(part, np.atleast_2d(covariance), found.units)
        return Estimate(tuple(names), value, (one,), np.array(df), bounds=(0.0, 1.0), method="audit.cycles")

    mean = by_noise[:, :2].mean(axis=0)
    around = by_noise[:, :2].var(axis=0) / draws + 1 / (draws + 1.0) ** 2
    chance = np.diag(tail * (1 - tail) / draws + 1 / (draws + 1.0) ** 2)
    return {
        "triples": figure(["triples that run in a circle"], seen[:1], error[:1, :1], "sampling"),
        "looped": figure(["policies in a circle of any length"], seen[1:2], error[1:, 1:], "sampling"),
        "noise": figure(["triples, by noise alone", "policies, by noise alone"], mean, np.diag(around), "replicates"),
        "chance": figure(["p-value of the triples", "p-value of the policies"], tail, chance, "replicates"),
    }


def _told(found: Margins, figures: dict[str, Estimate], possible: float, level: float) -> list[Finding]:
    """Whether there are more circles than noise makes, which are sure, and what could have been seen."""
    p, share, noise = (float(figures[name].value[0]) for name in ("chance", "triples", "noise"))
    said = []
    if p <= 1 - level:
        said.append(
            Finding(
                "preferences-cyclic",
                Severity.WARNING,
                f"{100 * share:.1f} % of {possible:,.0f} triples run in a circle; noise alone makes {100 * noise:.1f} "
                f"% ({p_text(p)}).",
                p,
                1 - level,
                "Do not read one rating as an order of all: use ranking.maximal_lottery or ranking.schulze.",
            )
        )
    said += _sure(found, possible, level)
    if not said:
        said.append(_power(found, p, share, noise, possible, level))
    return said


def _sure(found: Margins, possible: float, level: float) -> list[Finding]:
    """The circles whose three majorities stand at once, over all triples."""
    at, pvalue = _surest(found, (1 - level) / (2 * possible))
    if not at.size:
        return []
    names = found.names
    spelt = [" > ".join([*(names[i] for i in row), names[row[0]]]) for row in at[:NAMED].tolist()]
    return [
        Finding(
            "circle-sure",
            Severity.WARNING,
            f"{at.shape[0]:,} circles are sure, each of their majorities tested over all triples: "
            f"{'; '.join(spelt)}{' …' if at.shape[0] > NAMED else ''}.",
            float(min(pvalue[0] * 2 * possible, 1.0)),
            1 - level,
            "Look at the prompts of these pairs: the policies may be good at different things.",
            tuple(dict.fromkeys(names[i] for i in at[:NAMED].ravel().tolist())),
        )
    ]


def _surest(found: Margins, threshold: float) -> tuple[IntArray, FloatArray]:
    """[c, 3] circles whose largest one-sided p-value is at most `threshold`, and those p-values; surest first."""
    with np.errstate(invalid="ignore", divide="ignore"):
        z = found.value / found.stderr()
    p = np.ones((found.j, found.j))
    up, down = (special.stdtr(max(found.units - 1.0, 1.0), -sign * z) for sign in (1.0, -1.0))
    p[found.left, found.right], p[found.right, found.left] = np.nan_to_num(up, nan=1.0), np.nan_to_num(down, nan=1.0)
    A = p <= threshold
    i, j, m = np.nonzero(A[:, :, None] & A[None, :, :] & A.T[:, None, :])
    once = (i < j) & (i < m)
    circle = np.column_stack([i, j, m])[once]
    worst = np.max([p[i, j], p[j, m], p[m, i]], axis=0)[once]
    order = np.lexsort((*circle.T[::-1], worst))
    return circle[order], worst[order]


def _power(found: Margins, p: float, share: float, noise: float, possible: float, level: float) -> Finding:
    """What a circle would have had to be like to be named."""
    df = max(found.units - 1.0, 1.0)
    reach = special.stdtrit(df, 1 - (1 - level) / (2 * possible)) + special.ndtri(POWER ** (1 / 3))
    least = float(np.median(found.stderr()) * reach)
    seen = f"would be named with {100 * POWER:.0f} % chance if its majorities were {100 * (0.5 + least):.0f} % or more"
    return Finding(
        "circles-not-shown",
        Severity.INFO,
        f"{100 * share:.1f} % of {possible:,.0f} triples run in a circle and noise alone makes {100 * noise:.1f} % "
        f"({p_text(p)}); "
        "a circle " + (seen if least < 0.5 else "of any strength would hardly be named with so few votes") + ".",
        p,
        1 - level,
        "" if least < 0.15 else "For weaker circles collect more votes on each pair.",
    )


def _nothing(found: Margins) -> Finding:
    return Finding(
        "circles-unknown",
        Severity.INFO,
        f"No three of {found.j} connected policies have all met: nothing can be said about circles.",
        0,
        1,
        "Compare three policies in all three pairs.",
    )
