"""A file of several raters' labels becomes gold labels with their noise, before `evaluate` joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.soft_gold import soft_gold
from ..tables import read as door
from ..tables import read_annotations
from ..tables.annotations import Consensus
from ..tables.columns import FILE, guess, listing, require
from ..tables.join import VARIANCE
from ..tables.ratings import Ratings
from ..tables.sources import open_source
from .methods import method_at

KEY, LABEL = "(answer)", "(consensus)"


def read_with_crowd(
    source: object,
    labels: object,
    method: str,
    given: Mapping[str, Any],
    *,
    gold: Sequence[str],
    bounds: tuple[float, float] | None,
) -> Ratings:
    """Ratings whose gold labels are the consensus of a file's raters.

    Arguments:
        source: of the ratings.
        labels, method: as in `crowd_gold`.
        given: further arguments of `tables.read.read`.
        gold: name of the label column, or none.
        bounds: range of the label, if given; labels made unbiased may pass its ends.

    Errors: as `crowd_gold` and `tables.read.read`; several label columns.
    """
    if len(gold) > 1:
        raise AdjudgeError(
            f"{len(gold)} gold columns were named together with --aggregate.",
            "One column of the label file holds what every rater said.",
            "Name that one with --gold.",
        )
    if labels is None:
        raise AdjudgeError(
            f"aggregate is {method!r}, and there are no labels to aggregate.",
            "A long table of prompt, rater and label.",
            "Name it with --gold-file.",
        )
    label = gold[0] if gold else None
    keys = {part: given.get(part) for part in ("policy", "item", "draw")}
    made, worth, told = crowd_gold(labels, method, **keys, label=label)
    ratings = door.read(source, **given, gold=(LABEL,), labels=made)
    if bounds is None and worth[0] >= 0 and worth[1] <= 1:
        bounds = (0.0, 1.0)
    kept = tuple(finding for finding in ratings.findings if bounds is None or finding.code != "range-unknown")
    return replace(ratings, bounds=bounds or ratings.bounds, findings=(*kept, *told))


def crowd_gold(
    labels: object,
    method: str,
    *,
    policy: str | None = None,
    item: str | None = None,
    draw: str | None = None,
    label: str | None = None,
) -> tuple[pl.DataFrame, tuple[float, float], tuple[Finding, ...]]:
    """One row for each answer that was labelled: policy, prompt, perhaps draw, `(consensus)` and `gold_variance`.

    With it, the smallest and the largest label, and what is doubtful.

    Arguments:
        labels: a long table: policy and prompt as in the ratings, the rater, and what the rater said, a number.
        method: of the family `aggregation`, such as `one_coin`.
        policy, item, draw: columns of the ratings; None takes usual names.
        label: column of the label; None takes a usual name such as `label`.

    Errors: no column to join on, labels that are no numbers or tell too little, a method that is not there.

    >>> said = {"a": [1, 0, 1, 0, 1, 0], "b": [1, 0, 1, 1, 1, 0], "c": [0, 0, 1, 0, 1, 1]}
    >>> rows = [{"prompt_id": i, "rater": who, "label": x} for who, given in said.items() for i, x in enumerate(given)]
    >>> made, worth, _ = crowd_gold(rows, "one_coin")
    >>> made.columns, made.height, worth
    (['prompt_id', '(consensus)', 'gold_variance'], 6, (0.0, 1.0))
    """
    verb = method_at("aggregation", method).aggregate
    opened = open_source(labels)
    keys = _keys(opened.names, {"policy": policy, "item": item, "draw": draw}, opened.label)
    frame = opened.take(tuple(name for name in opened.names if name != FILE))
    answers = frame.select(keys).unique(maintain_order=True).with_row_index(KEY)
    coded = frame.join(answers, on=keys, how="left", maintain_order="left", nulls_equal=True)
    rater = next((name for name in read_annotations.USUAL["rater"] if name in opened.names), None)
    table = read_annotations.read(coded.drop(keys), item=KEY, rater=rater, label=label)
    consensus: Consensus = verb(table)
    gold, variance = soft_gold(consensus.probability, table.value)
    place = np.array([int(name) for name in table.items])
    made = answers[place].drop(KEY).with_columns(pl.Series(LABEL, gold), pl.Series(VARIANCE, variance))
    worth = float(table.value.min()), float(table.value.max())
    return made, worth, (*table.findings, *consensus.findings, _told(consensus, gold, variance))


def _keys(names: tuple[str, ...], wanted: dict[str, str | None], where: str) -> list[str]:
    """The columns that say which answer a label is of. Errors: no prompt."""
    found = {}
    for part, name in wanted.items():
        usual = name if name in names else guess(names, part)[0]
        if usual and usual != FILE:
            found[part] = usual
    if "item" not in found:
        raise AdjudgeError(
            f"{where} has no column of the prompt.",
            f"Its columns are: {listing([name for name in names if name != FILE])}.",
            "Name it as in the ratings, or with --item.",
        )
    return [require(names, name, f"--{part}") for part, name in found.items()]


def _told(consensus: Consensus, gold: np.ndarray, variance: np.ndarray) -> Finding:
    """How many labels there are, and how much of their spread is noise."""
    known = np.isfinite(gold)
    spread = float(gold[known].var())
    share = float(variance[known].mean()) / spread if spread > 0 else 0.0
    raters = len(consensus.raters.names)
    message = (
        f"{int(known.sum()):,} gold labels are the consensus of {raters:,} raters by {consensus.method}; "
        f"{100 * share:.0f} % of their variance is the raters' noise."
    )
    remedy = "Have some items labelled by an expert: raters who share an error look right together."
    return Finding("gold-by-consensus", Severity.INFO, message, share, remedy=remedy)
