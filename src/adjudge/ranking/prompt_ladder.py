"""How much help does a policy need? The lowest rung of a ladder of prompts on which it solves each task.

    h_pi = min{ l : solved at rung l },     h_pi = L + penalty where no rung helps
    value_p = −mean_i h_pi                  (the HP-score with the sign turned: higher is better)

Rungs are score columns in order of load, such as role, zero-shot chain of thought, three-shot chain of thought,
least-to-most, generated knowledge. Rungs above the first success need not be run (NaN): climbing stops there, and the
figures say what that saves. Data sets are strata; their HP-scores measure complexity. Tasks pair the policies and
carry the clusters.

Budagam, Kumar, Khoshnoodi, et al. (2024), Hierarchical Prompting Taxonomy.
Limits: one rung is the failure rate times the penalty plus one; penalty 0 counts a failure as the last rung.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.judges import judge_columns
from ..stats.scored_means import scored_means, unknown
from ..tables.ratings import Ratings

CARD = Card(
    answers="How far up a ladder of ever heavier prompts must each policy climb to solve its tasks?",
    equation="value_p = −mean_i min{l : solved at rung l},  L + penalty where none is",
    papers=(
        Paper(
            "Hierarchical Prompting Taxonomy: A Universal Evaluation Framework for Large Language Models",
            "Budagam, Kumar, Khoshnoodi, et al.",
            2024,
            "arXiv:2406.12644",
            "https://arxiv.org/abs/2406.12644",
            "HP-score, HPI",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=("the rungs are in order of load", "tasks (or their clusters) are independent"),
    limits=(
        "rungs are counted, not measured: from 1 to 2 is as far as from 4 to 5",
        "unsolved tasks hang on the penalty",
    ),
    when="When prompts of different load are compared; with one prompt, a mean says the same.",
    unit="minus the rung needed; higher is easier",
    rows=(105,),
)


@dataclass(frozen=True, slots=True)
class Climb:
    """How one climb went.

    Arguments:
        rung: number of the rung that solved the task, from 1; L + penalty where none did.
        tried: rungs tried.
        cost: sum of their costs.
    """

    rung: float
    tried: int
    cost: float


def climb(solve: Callable[[int], bool], *, costs: Sequence[float] = (1, 1, 1, 1, 1), penalty: float = 1.0) -> Climb:
    """Tries rung after rung until the task is solved; whoever solves it is called with the number of the rung.

    Arguments:
        solve: number of a rung, from 1 -> whether it solved the task.
        costs: of each rung, in any unit; as many as there are rungs.
        penalty: rungs above the last that an unsolved task counts.

    >>> climb(lambda rung: rung >= 3, costs=(1, 2, 4, 8, 16))
    Climb(rung=3.0, tried=3, cost=7.0)
    """
    cost = 0.0
    for rung, price in enumerate(costs, start=1):
        cost += price
        if solve(rung):
            return Climb(float(rung), rung, cost)
    return Climb(len(costs) + penalty, len(costs), cost)


def rank(
    ratings: Ratings,
    *,
    rungs: Sequence[str] = (),
    solved: float = 0.5,
    penalty: float = 1.0,
    costs: Sequence[float] = (),
) -> Estimate:
    """Policies by the rungs they need, with the sign turned.

    Arguments:
        ratings: one score column for each rung; NaN where a rung was not run.
        rungs: names of the columns in order of load; all columns in their order by default.
        solved: score from which on a task is solved.
        penalty: >= 0, rungs above the last that an unsolved task counts; people's judgement of the data set, in the
            paper.
        costs: of each rung, for the figures `cost` and `saved`; 1 each by default.

    Figures: `hp_score` (mean rung, lower is better), `unsolved` (share), `cost` of climbing to the first success,
    `saved` (share of the cost of running every rung that climbing saves), `data_sets` (mean rung by stratum over the
    policies) and `by_data_set` (`policy · stratum`) where there are several strata.

    Errors: unknown or repeated columns; a negative penalty; costs of another number than rungs.

    >>> from adjudge.sim.judging import Judging
    >>> import dataclasses
    >>> table = Judging(truth=(0.7, 0.5), items=199, labels=11, outcome="binary").draw(1).ratings
    >>> both = np.column_stack([table.score[:, 0], np.ones(table.n)])
    >>> found = rank(dataclasses.replace(table, score=both, judges=("plain", "hint")))
    >>> found.figures["unsolved"].value.tolist(), bool(np.all((found.value > -2) & (found.value < -1)))
    ([0.0, 0.0], True)
    """
    names = tuple(rungs) or ratings.judges
    columns = [judge_columns(ratings, name)[0] for name in names]
    price = np.ones(len(names)) if not costs else np.asarray(costs, dtype=float)
    if len(set(columns)) < len(columns) or penalty < 0 or price.size != len(names) or (price < 0).any():
        raise AdjudgeError(
            f"ranking.prompt_ladder: {len(names)} rungs, {price.size} costs, penalty {penalty:g}.",
            "Different columns, a cost >= 0 for each, and a penalty >= 0.",
            "Correct the one that is not.",
        )
    level, tried, known = _climbed(ratings.score[:, columns], solved, penalty)
    keep = known & (ratings.weight > 0)
    spent = np.concatenate([[0.0], np.cumsum(price)])[tried]
    full = float(price.sum())
    figures = {
        "hp_score": _means(ratings, keep, level, (1.0, len(names) + penalty)),
        "unsolved": _means(ratings, keep, _failed(ratings, columns, solved).astype(float), (0.0, 1.0)),
        "cost": _means(ratings, keep, spent, (0.0, full)),
        "saved": _means(ratings, keep, 1 - spent / full if full > 0 else 0 * spent, (0.0, 1.0)),
    }
    if len(ratings.strata) > 1:
        figures |= _data_sets(ratings, keep, level, (1.0, len(names) + penalty))
    chosen = figures["hp_score"].contrast(-np.eye(ratings.k), ratings.policies)
    return replace(
        chosen,
        method="ranking.prompt_ladder",
        findings=(*_said(ratings, columns, known, figures["unsolved"]), *unknown(chosen)),
        figures=figures,
    )


def _climbed(score: FloatArray, solved: float, penalty: float) -> tuple[FloatArray, np.ndarray, BoolArray]:
    """[n] rung, rungs tried, and whether the rung is known: every rung below it was run and failed."""
    L = score.shape[1]
    with np.errstate(invalid="ignore"):
        up = score >= solved
    first = np.where(up.any(axis=1), up.argmax(axis=1), L)
    gaps = np.isnan(score) & (np.arange(L) < first[:, None])
    level = np.where(first < L, first + 1.0, L + penalty)
    return level, np.minimum(first + 1, L), ~gaps.any(axis=1)


def _failed(ratings: Ratings, columns: Sequence[int], solved: float) -> BoolArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(~(ratings.score[:, list(columns)] >= solved).any(axis=1))


def _means(ratings: Ratings, keep: BoolArray, x: FloatArray, bounds: tuple[float, float]) -> Estimate:
    return scored_means(
        ratings.policies,
        ratings.cluster[keep],
        ratings.policy[keep],
        np.asarray(x, dtype=float)[keep],
        ratings.weight[keep],
        bounds=bounds,
    )


def _data_sets(
    ratings: Ratings, keep: BoolArray, level: FloatArray, bounds: tuple[float, float]
) -> dict[str, Estimate]:
    """Mean rung by policy and stratum, and by stratum with every policy counted alike."""
    s = len(ratings.strata)
    names = tuple(f"{policy} · {stratum}" for policy in ratings.policies for stratum in ratings.strata)
    both = scored_means(
        names,
        ratings.cluster[keep],
        (ratings.policy * s + ratings.stratum)[keep],
        level[keep],
        ratings.weight[keep],
        bounds=bounds,
    )
    known = np.isfinite(both.value).reshape(-1, s)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(known, 1.0, 0.0) / known.sum(axis=0)
    W = (share[:, :, None] * np.eye(s)[None]).reshape(-1, s).T
    W[np.isnan(W)] = 0.0
    whole = both.contrast(W, ratings.strata)
    whole.value[~known.any(axis=0)] = np.nan
    return {"by_data_set": both, "data_sets": whole}


def _said(ratings: Ratings, columns: Sequence[int], known: BoolArray, unsolved: Estimate) -> list[Finding]:
    found = []
    tried = np.isfinite(ratings.score[:, list(columns)]).any(axis=1)
    gaps = int((tried & ~known).sum())
    if gaps:
        found.append(
            Finding(
                "ladder-gaps",
                Severity.WARNING,
                f"{gaps:,} rows skip a rung below their first success, so the rung they need is unknown; left out.",
                gaps,
                0,
                "Run the rungs in order up to the first success.",
            )
        )
    heavy = np.flatnonzero(unsolved.value > 0.5)
    if heavy.size:
        found.append(
            Finding(
                "penalty-decides",
                Severity.WARNING,
                f"{heavy.size} policies solve less than half of their tasks: the penalty decides their score.",
                float(np.nanmax(unsolved.value)),
                0.5,
                "Try other penalties and see whether the order stands.",
                tuple(unsolved.names[p] for p in heavy),
            )
        )
    return found
