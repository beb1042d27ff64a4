"""Which rows to label next, how many, and what they will cost: written as a file that comes straight back in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from .._typing import BoolArray, FloatArray
from ..data import active_labels
from ..errors import AdjudgeError
from ..reports.files import write
from ..reports.story import LabelPlan
from ..reports.text import clean
from ..stats.sampling import systematic
from ..tables.columns import FILE
from ..tables.ratings import Ratings
from ..tables.sources import open_source
from .answer import Answer
from .plan_block import plan_block
from .settle import Costs, Settlement, settle

_OWN = 104729  # tells these draws from the default_rng(seed) that a simulated table may itself come from


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """The rows to label, with the chance at which each was drawn.

    Arguments:
        answer: what is known today.
        settlement: how many labels each policy needs, and why.
        drawn: [n] rows to label now.
        propensity: [n] chance that a row is labelled, in the earlier round or in this one.
    """

    answer: Answer
    settlement: Settlement
    drawn: BoolArray
    propensity: FloatArray

    @cached_property
    def block(self) -> LabelPlan | None:
        """The plan as a report shows it."""
        return plan_block(self.answer, self.settlement)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows to label and those that are labelled already, in random order, with `gold` to fill in.

        Judge scores are left out, so that raters are not led by them. Rows labelled before carry their label, because
        their chance of being labelled has changed too.
        """
        ratings = self.answer.ratings
        keep = np.flatnonzero(self.drawn | ratings.labelled)
        keep = np.random.default_rng((self.answer.seed, _OWN)).permutation(keep)
        table = _texts(self.answer, ratings, keep)
        gold = ratings.gold[keep]
        return table.with_columns(
            pl.Series("row", ratings.row[keep]),
            pl.Series("propensity", self.propensity[keep]),
            pl.Series("gold", gold).fill_nan(None),
        ).sort(pl.col("gold").is_not_null(), maintain_order=True)

    def save(self, path: str | Path) -> Path:
        """Write the rows to label as CSV; never over an input."""
        inputs = [name for name in self.answer.run.data if Path(name).exists()]
        return write(path, self.frame.write_csv(), inputs=inputs)

    def __repr__(self) -> str:
        if self.block is None:
            return "Nothing to plan: a single policy has no rival. `labels` draws rows of it all the same."
        lines = [clean(self.block.text), ""]
        ratings = self.answer.ratings
        drawn = np.bincount(ratings.policy[self.drawn], minlength=ratings.k)
        if np.any(drawn != self.settlement.extra):
            counts = zip(ratings.policies, drawn, strict=True)
            return "\n".join(lines + [f"  {clean(name)}: {count:,} rows, as asked" for name, count in counts])
        lines += [f"  {clean(name)}: {count:,} more labels" for name, count in self.block.extra]
        lines.append(f"  cost: {self.settlement.cost:,.2f}" if self.block.extra else "  no more labels")
        return "\n".join(lines)


def plan(
    answer: Answer,
    *,
    gold_cost: float = 1.0,
    judge_cost: float = 0.0,
    budget: float = math.nan,
    target: float = math.nan,
    power: float = 0.8,
    between: tuple[str, str] | None = None,
    labels: int | None = None,
    uniform: float = 0.5,
) -> Plan:
    """Chooses how many gold labels to buy for which policy, and draws the rows.

    Arguments:
        answer: of `evaluate`.
        gold_cost: price of one gold label.
        judge_cost: price of judging one response; 0 when no more prompts can be judged.
        budget: money to spend; NaN to spend what settles the question.
        target: half-width of the difference to reach; NaN for the one that settles it with the given power.
        power: chance of settling a difference of today's size, in (0, 1).
        between: the two policies that matter; the leader and its open rivals when None.
        labels: number of labels to draw for each policy, instead of the number worked out.
        uniform: share of simple random sampling mixed into the choice of rows.

    Errors: prices or budgets that make no sense, unknown policies, more labels than rows.

    >>> from adjudge.flows.evaluate import evaluate
    >>> from adjudge.sim.judging import Judging
    >>> answer = evaluate(Judging(items=211, labels=97, truth=(0.62, 0.6)).draw(1).ratings)
    >>> int(plan(answer, labels=20).drawn.sum())
    40
    """
    if not 0 < power < 1:
        raise AdjudgeError(f"plan: power is {power:g}.", "A chance between 0 and 1, such as 0.8.", "Give such a power.")
    if not 0 <= uniform <= 1:
        raise AdjudgeError(f"plan: uniform is {uniform:g}.", "A share between 0 and 1.", "Give such a share.")
    if labels is not None and labels < 1:
        raise AdjudgeError(f"plan: {labels} labels for each policy.", "At least one.", "Give a whole number from 1 on.")
    costs = Costs(gold=gold_cost, judge=judge_cost, budget=budget, target=target, power=power)
    settlement = settle(answer, costs, between=between)
    counts = settlement.extra if labels is None else np.full(answer.ratings.k, labels)
    share = active_labels.scores(answer.ratings, labels=counts, uniform=uniform)
    drawn = systematic(share, rng=np.random.default_rng((answer.seed, _OWN)), group=answer.ratings.policy)
    return Plan(answer, settlement, drawn, active_labels.combined(answer.ratings, share))


def _texts(answer: Answer, ratings: Ratings, keep: np.ndarray) -> pl.DataFrame:
    """The user's own columns for some rows, without judge scores and labels; ids alone for a table of arrays."""
    if answer.source is None or isinstance(answer.source, Ratings):
        names = pl.Series("policy", np.array(ratings.policies)[ratings.policy[keep]])
        return pl.DataFrame([names, pl.Series("prompt_id", ratings.item[keep])])
    opened = open_source(answer.source)
    gold = answer.run.settings.get("gold") or ()
    hidden = {*ratings.judges, *((gold,) if isinstance(gold, str) else gold), "row", "gold", "propensity"}
    table = opened.take([name for name in opened.names if name not in hidden])[ratings.row[keep]]
    if "policy" in table.columns:
        return table.drop(FILE, strict=False)
    return table.rename({FILE: "policy"}, strict=False)  # one file a policy: the file is its name
