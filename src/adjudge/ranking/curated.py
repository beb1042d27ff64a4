"""Ranks on the tasks that deserve it: not solved blind, not mislabelled, and telling policies apart.

    kept = { i : blind_i <= b,  doubt_i <= d },  of these the m with the highest item-rest correlation r_i
    value_p = mean of y_pi over the kept tasks

blind_i is the share of policies that solve the task without what it is about (no image, no context), doubt_i a strong
judge's probability that the key is wrong or the task ambiguous. `circular` counts a task as solved only when every
rotation of its options is (repeated rows): guessing c falls to c to the power of the rotations. What choosing by r_i
saves is measured on policies and tasks that had no part in the choice (`_curation`). Policies that had a part in it
get a value and no error: their scores decided which tasks count.

Joshi et al. (2026), DatBench. Lord, Novick (1968).
Limits: no filter and keep=1 is the mean over all tasks. Chosen tasks are not a sample of the benchmark: their means are
about themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.judges import judge_columns
from ..stats.runs import Runs, runs
from ..stats.scored_means import scored_means, unknown
from ..tables.ratings import Ratings
from ..tables.regressors import covariate
from ._curation import HeldOut, above, discrimination, held_out, without_error

CARD = Card(
    answers="Who is best on the tasks that are sound and tell policies apart, and how many tasks does that take?",
    equation="kept = {blind_i <= b, doubt_i <= d, r_i among the m highest};  value_p = mean over kept of y_pi",
    papers=(
        Paper(
            "DatBench: Discriminative, Faithful, and Efficient VLM Evaluations",
            "Joshi et al.",
            2026,
            "arXiv:2601.02316",
            "https://arxiv.org/abs/2601.02316",
        ),
        Paper("Statistical Theories of Mental Test Scores", "Lord, Novick", 1968, "Addison-Wesley", "", "§15.3"),
    ),
    needs=("policy", "item", "score"),
    assumes=("policies to come are like those that chose the tasks", "tasks (or their clusters) are independent"),
    limits=(
        "keep=1 and no filter: the mean over all tasks",
        "few policies: r_i is mostly noise",
        "policies whose scores chose the tasks have no error",
    ),
    when="When a benchmark is too dear to run whole, or known to hold guessable and wrong tasks.",
    unit="mean score on the tasks kept",
    rows=(356,),
)
REASONS = ("kept", "blind", "doubtful", "incomplete", "not chosen")
FEW_POLICIES = 10
OPTIMISTIC = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What became of each task.

    Arguments:
        item: [t] codes.
        reason: [t] position in `REASONS`.
        discrimination: [t] item-rest correlation among the tasks that passed the filters; NaN elsewhere.
    """

    item: IntArray
    reason: IntArray
    discrimination: FloatArray


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    blind: str | None = None,
    blind_most: float = 0.5,
    doubt: str | None = None,
    doubt_most: float = 0.5,
    circular: bool = False,
    keep: float = 1.0,
    chosen_by: Sequence[str] = (),
    seed: int = 0,
) -> Estimate:
    """Means over the chosen tasks.

    Arguments:
        ratings: scores in [0, 1]; several rows of one policy and item are repeated runs, or rotations of the options.
        metric: name of the score column; the first by default.
        blind: name of the column with the score without image or context; a task is dropped when more than
            `blind_most` of it is solved blind, on average over the policies.
        doubt: covariate with the probability that the task is mislabelled or ambiguous; dropped above `doubt_most`.
        circular: whether a task is solved only when all its rows are.
        keep: share (0, 1] or number (above 1) of the sound tasks to keep, by discrimination.
        chosen_by: policies whose scores choose the tasks, and that get no error then; all by default.
        seed: of the splits that measure what the choice is worth.

    Figures: `all` and `sound` (means over all tasks and over those that passed the filters), `agreement` (Kendall's τ
    on held-out policies and tasks by number of tasks, `selected n` and `random n`) and `saved` (how many times more
    random tasks rank as well), where at least 8 policies ran every task. `choose` tells what became of each task.

    Errors: no such column, covariate or policy; keep not above 0.

    >>> from adjudge.sim.judging import Judging
    >>> found = rank(Judging(truth=(0.7, 0.5, 0.3), items=199, labels=11, outcome="binary").draw(1).ratings, keep=50)
    >>> found.names[int(found.value.argmax())], sorted(found.figures)
    ('p00', ['all', 'sound'])
    """
    made = runs(ratings, metric=metric)
    y = made.worst_of(1) if not circular else made.total(made.score * (made.place == 0))
    choice, Y = _choose(ratings, made, y, blind, blind_most, doubt, doubt_most, keep, chosen_by)
    task = np.searchsorted(choice.item, made.item)
    reason = choice.reason[task]
    kept, sound = (_means(ratings, made, y, rows) for rows in (reason == 0, np.isin(reason, (0, 4))))
    if (choice.reason == 4).any():
        kept = without_error(kept, chosen_by)
    figures = {"all": _means(ratings, made, y, reason >= 0), "sound": sound}
    passed = np.isin(choice.reason, (0, 4))
    trial = None
    if ratings.k >= 8 and passed.sum() >= 8 and np.isfinite(Y[:, passed]).all():
        trial = held_out(Y[:, passed], int((choice.reason == 0).sum()), seed=seed)
        figures |= _of_trial(trial)
    return replace(
        kept,
        method="ranking.curated",
        findings=(*_said(ratings, choice, trial, chosen_by), *(() if (choice.reason == 4).any() else unknown(kept))),
        figures=figures,
    )


def choose(
    ratings: Ratings,
    *,
    metric: str | None = None,
    blind: str | None = None,
    blind_most: float = 0.5,
    doubt: str | None = None,
    doubt_most: float = 0.5,
    circular: bool = False,
    keep: float = 1.0,
    chosen_by: Sequence[str] = (),
) -> Choice:
    """What becomes of each task; arguments as of `rank`.

    >>> from adjudge.sim.judging import Judging
    >>> table = Judging(truth=(0.7, 0.5, 0.3), items=53, labels=11, outcome="binary").draw(1).ratings
    >>> int((choose(table, keep=11).reason == 0).sum())
    11
    """
    made = runs(ratings, metric=metric)
    y = made.worst_of(1) if not circular else made.total(made.score * (made.place == 0))
    return _choose(ratings, made, y, blind, blind_most, doubt, doubt_most, keep, chosen_by)[0]


def _choose(
    ratings: Ratings,
    made: Runs,
    y: FloatArray,
    blind: str | None,
    blind_most: float,
    doubt: str | None,
    doubt_most: float,
    keep: float,
    chosen_by: Sequence[str],
) -> tuple[Choice, FloatArray]:
    """The choice, and the table [k, t] of scores."""
    unknown = [name for name in chosen_by if name not in ratings.policies]
    if unknown or not keep > 0:
        raise AdjudgeError(
            f"ranking.curated: keep {keep:g}, chosen by {', '.join(chosen_by) or 'all'}.",
            f"keep > 0, and policies of the table: {', '.join(ratings.policies[:20])}.",
            "Correct the one that is not.",
        )
    items, task = np.unique(made.item, return_inverse=True)
    Y = np.full((ratings.k, items.size), np.nan)
    Y[made.policy, task] = y
    reason = np.zeros(items.size, dtype=np.int64)
    reason[above(ratings, items, None if doubt is None else covariate(ratings, doubt), doubt_most)] = 2
    seen = None if blind is None else ratings.score[:, judge_columns(ratings, blind)[0]]
    reason[above(ratings, items, seen, blind_most)] = 1
    choosers = np.array([ratings.policies.index(name) for name in chosen_by] or range(ratings.k), dtype=np.int64)
    passed = np.flatnonzero(reason == 0)
    r = np.full(items.size, np.nan)
    r[passed] = discrimination(Y[np.ix_(choosers, passed)])
    wanted = int(np.ceil(keep * passed.size - 1e-9)) if keep <= 1 else int(keep)
    if wanted < passed.size:
        worth = np.nan_to_num(r[passed], nan=-2.0)
        solved = np.nan_to_num(np.abs(np.nansum(Y[:, passed], axis=0) / max(ratings.k, 1) - 0.5))
        reason[passed] = 4
        reason[passed[np.lexsort((solved, -worth.round(12)))[:wanted]]] = 0
    return Choice(items.astype(np.int64), reason, r), Y


def _means(ratings: Ratings, made: Runs, y: FloatArray, cells: np.ndarray) -> Estimate:
    inside = bool(y.size) and float(y.min()) >= 0 and float(y.max()) <= 1
    return scored_means(
        ratings.policies,
        made.cluster[cells],
        made.policy[cells],
        y[cells],
        made.weight[cells],
        bounds=(0.0, 1.0) if inside else (-np.inf, np.inf),
    )


def _of_trial(trial: HeldOut) -> dict[str, Estimate]:
    """τ by number of tasks and what is saved; the spread over the splits, which share the table, is their error."""
    both = np.concatenate([trial.selected, trial.random], axis=1)
    both = np.where(np.isfinite(both), both, 0.0)
    names = tuple(f"{kind} {n}" for kind in ("selected", "random") for n in trial.sizes.tolist())
    splits = both.shape[0]
    spread = np.cov(both, rowvar=False)
    return {
        "agreement": Estimate(
            names, both.mean(axis=0), (Part("splits", spread, splits),), np.array(splits - 1.0), (-1, 1)
        ),
        "saved": Estimate(
            ("random tasks for one chosen",),
            np.array([float(np.median(trial.saved))]),
            (Part("splits", np.array([[trial.saved.var(ddof=1)]]), splits),),
            np.array(splits - 1.0),
            (0.0, np.inf),
        ),
    }


def _said(ratings: Ratings, choice: Choice, trial: HeldOut | None, chosen_by: Sequence[str]) -> list[Finding]:
    found = []
    for code, reason, what in (("tasks-blind", 1, "are solved without what they are about"),
                               ("tasks-doubtful", 2, "are mislabelled or ambiguous by the judge's word")):  # fmt: skip
        if count := int((choice.reason == reason).sum()):
            message = f"{count:,} of {choice.item.size:,} tasks {what} and were left out."
            found.append(Finding(code, Severity.INFO, message, count, 0))
    negative = int((choice.discrimination < -0.2).sum())
    if ratings.k >= FEW_POLICIES and negative > 0.1 * max(choice.item.size, 1):
        found.append(
            Finding(
                "tasks-inverted",
                Severity.WARNING,
                f"On {negative:,} of {choice.item.size:,} tasks better policies do worse (r below −0.2).",
                negative,
                0.1 * choice.item.size,
                "Check the keys of these tasks.",
            )
        )
    chose = bool((choice.reason == 4).any())
    if chose and ratings.k < FEW_POLICIES:
        found.append(
            Finding(
                "policies-few",
                Severity.WARNING,
                f"Tasks were chosen by the scores of {ratings.k} policies: discrimination is mostly noise.",
                ratings.k,
                FEW_POLICIES,
                "Choose by the scores of more policies.",
            )
        )
    if chose:
        count = len(chosen_by) or ratings.k
        found.append(
            Finding(
                "chosen-by-the-ranked",
                Severity.WARNING,
                f"{count} of the {ratings.k} policies that are ranked chose the tasks: equal policies would come apart "
                "on them, so no error can be given.",
                count,
                0,
                "Rank by figures sound, or name with chosen_by= policies that are not to be compared.",
                tuple(chosen_by) or ratings.policies,
            )
        )
    if chose and trial is not None and (gap := float(np.nanmedian(trial.optimism))) > OPTIMISTIC:
        found.append(
            Finding(
                "curation-optimistic",
                Severity.WARNING,
                f"The chosen tasks rank the policies that chose them better than others: τ is {gap:.2f} lower on "
                "held-out policies.",
                gap,
                OPTIMISTIC,
                "Keep more tasks, choose by more policies, or name those that choose with chosen_by.",
            )
        )
    return found
