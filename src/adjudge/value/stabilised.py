"""What would a policy be paid, by weights that a judge's score has made even, and what does their evenness hide?

    V̂ = Σ Ŵ r / Σ Ŵ,    Ŵ the stack of raw weights and of their projections on functions that rise or fall with a score
    error: that of V̂_snips, and V̂ − V̂_snips for what the projection may have moved
    slack: what the policy does and the log never shows, told by the mean raw weight

Even weights have a large effective sample size whether or not logger and policy overlap: projected weights of a policy
that the log does not show at all are nearly 1, and give the value of the logger. So raw weights stay in sight: their
effective sample size and mean stand in a finding beside the stabilised ones, and the sampling error, degrees of
freedom, reserve and slack are those of the raw weights. The projection is made of these and so is as noisy: from draw
to draw V̂ varies as V̂_snips does (to 5 %), whatever the evenness of Ŵ says. Landesberg, Narayan (2025), Causal Judge
Evaluation, SIMCal-W. Limits: a score that orders the weights makes it value.snips; cap 0 or a score that never varies
the mean reward of the log, with an error that says how far that is from value.snips.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.ope.assembled import Parts, assembled
from ..stats.ope.checks import weight_findings
from ..stats.ope.overlap import SHARE, Overlap, overlap, overlap_findings
from ..stats.ope.stabilised import Stabilised, stabilised
from ..stats.ope.weights import by_cluster, worth
from ..tables.decisions import Decisions

METHOD = "value.stabilised"
LEAST = ("error", "variance")

CARD = Card(
    answers="What would each policy be paid, by importance weights that are made monotone in the judge's score?",
    equation="V̂ = Σ Ŵ·r / Σ Ŵ,  Ŵ = stack of w and its projections that rise or fall with the score",
    papers=(
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2512.11150",
            "SIMCal-W",
        ),
    ),
    needs=("reward", "propensity", "target"),
    assumes=("The score tells all of the reward that the weights tell.", "The logger takes all that the policy takes."),
    limits=(
        "Its effective sample size says nothing of overlap; that of the raw weights, beside it, does.",
        "It is no steadier than value.snips: made from the same weights, it varies as much from log to log.",
    ),
    when="As the peer of value.snips for LLM logs; fresh responses and value.calibrated_doubly_robust are better.",
    unit="reward",
    rows=(29,),
)


def estimate(
    table: Decisions,
    *,
    score: FloatArray | None = None,
    length: FloatArray | None = None,
    least: str = "error",
    cap: float = 1.0,
    folds: int = 5,
    seed: int = 0,
) -> Estimate:
    """Value of each target policy.

    Arguments:
        table: logged decisions.
        score: [n] what weights are made monotone in, such as a judge's score; the reward by default.
        length: [n] tokens or characters of each response, for the figure of target typicality; 1 by default.
        least: what the stack makes least: `error`, which counts its distance from value.snips as one, or `variance`,
            as in the paper, which takes weights for the better the more even they are.
        cap: largest variance of the stabilised weights as a share of that of the raw ones, >= 0.
        folds: of clusters, >= 2.
        seed: of the folds.

    Errors: a negative cap; another word than these; a score or length of another size.

    >>> from adjudge.sim.logs import Log
    >>> drawn = Log(n=2003).draw(0)
    >>> low, high = estimate(drawn.decisions).interval()[1]
    >>> bool(low < drawn.truth[1] < high)
    True
    """
    _require(table, score, length, least, cap)
    judged = table.reward if score is None else score
    steady = stabilised(table, judged, least=least, cap=cap, folds=folds, seed=seed)
    nothing = np.zeros_like(table.ratio)
    raw = assembled(table, Parts(table.ratio, nothing, np.zeros(table.n), normalised=True), method=METHOD)
    moved = np.nan_to_num(steady.value - raw.value)
    figures = overlap(table, length=length)
    return replace(
        raw,
        value=steady.value,
        parts=(*raw.parts, Part("stabilised", np.outer(moved, moved), raw.parts[0].units)),
        findings=(*weight_findings(table), *overlap_findings(table, figures), *_shown(table, steady, figures)),
    )


def _require(table: Decisions, score: FloatArray | None, length: FloatArray | None, least: str, cap: float) -> None:
    for name, column in (("score", score), ("length", length)):
        if column is not None and column.shape != (table.n,):
            raise AdjudgeError(f"{METHOD}: {name} is {column.shape}.", f"One of each of {table.n:,} rows.", "Give it.")
    if least not in LEAST:
        raise AdjudgeError(f"{METHOD}: least={least!r}.", f"One of {', '.join(LEAST)}.", "Change it.")
    if not cap >= 0:
        raise AdjudgeError(f"{METHOD}: cap is {cap}.", "A number of at least 0; 1 for the raw variance.", "Change it.")


def _shown(table: Decisions, steady: Stabilised, figures: Overlap) -> tuple[Finding, ...]:
    """The effective sample sizes before and after, of each policy."""
    units = max(int(np.unique(table.cluster[table.known & (table.weight > 0)]).size), 1)
    after = worth(by_cluster(table, steady.weights)) / units
    rows = zip(table.policies, figures.worth.tolist(), after.tolist(), figures.mean.tolist(), strict=True)
    return tuple(
        Finding(
            "weights-stabilised",
            Severity.SEVERE if raw < SHARE[1] else Severity.WARNING if raw < SHARE[0] else Severity.INFO,
            f"The weights of {policy} are worth {100 * raw:.1f} % of the rows raw, with mean {mean:.2g}, and "
            f"{100 * even:.1f} % "
            "stabilised: the second figure says how even they were made, not that the log shows what the policy does.",
            raw,
            SHARE[0],
            "Judge the overlap by the raw weights.",
            (policy,),
        )
        for policy, raw, even, mean in rows
    )
