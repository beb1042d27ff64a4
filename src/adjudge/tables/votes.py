"""From verdict columns to votes: one column, one for each rater, a rater column, or counted outcomes."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding, numbers
from .columns import listing
from .comparison_columns import PairColumns
from .comparisons import same
from .filters import quoted
from .numbers import Door
from .outcomes import outcomes

SOLE = "rater"


@dataclass(frozen=True, slots=True)
class Votes:
    """m votes on the comparisons of a frame.

    Arguments:
        at: [m] position of the comparison in the frame.
        outcome: [m] as in `Comparisons`, none missing.
        rater: [m] position in `raters`.
        trusted: [m] whether the rater is gold.
        count: [m] how often the outcome occurred; None when each row is one vote.
    """

    at: IntArray
    outcome: FloatArray
    rater: IntArray
    raters: tuple[str, ...]
    trusted: BoolArray
    count: FloatArray | None = None

    def kept(self, rows: BoolArray) -> Votes:
        """Some of the votes."""
        if rows.all():
            return self
        count = None if self.count is None else self.count[rows]
        return replace(
            self,
            at=self.at[rows],
            outcome=self.outcome[rows],
            rater=self.rater[rows],
            trusted=self.trusted[rows],
            count=count,
        )


def collect(
    frame: pl.DataFrame, used: PairColumns, trusted: Sequence[str], door: Door, *, missing: Sequence[str] = ()
) -> Votes:
    """All votes of a frame, those without a verdict left out with a finding.

    Arguments:
        frame: with the columns of `used`.
        used: as resolved.
        trusted: names of raters whose votes are gold.
        door: takes the findings.
        missing: further words that mean that there is no verdict.

    Errors: a trusted rater who is not there; a vote without a rater.
    """
    if used.counts:
        return _counted(frame, used, door)
    columns = (*used.outcomes, *used.gold)
    verdicts = [outcomes(frame[name], frame[used.left], frame[used.right], door, missing=missing) for name in columns]
    if not used.rater and len(columns) == 1:
        names, nobody = (columns[0] if used.gold else SOLE,), same(frame.height, np.int64(0))
        sole = Votes(np.arange(frame.height), verdicts[0], nobody, names, same(frame.height, np.bool_(bool(used.gold))))
        return _with_verdict(sole, door)
    if used.rater:
        names_of = coding.ids(frame[used.rater]).cast(pl.String)
        if bool(names_of.is_null().any()):
            condition = shlex.quote(f"{quoted(used.rater)} IS NOT NULL")
            raise AdjudgeError(
                f"{used.rater}: {names_of.null_count():,} of {frame.height:,} votes have no rater (first: "
                f"{door.place(int(names_of.is_null().arg_max() or 0))}).",
                "Every vote is somebody's.",
                f"Fill the cells, drop the rows with --where {condition}, or leave --rater out.",
            )
        code, distinct = coding.encode(names_of)
        raters = tuple(str(name) for name in distinct)
        for name in trusted:
            _require_rater(raters, name, used.rater)
        who = [code] * len(used.outcomes)
    else:
        raters, who = used.outcomes, [np.full(frame.height, c) for c in range(len(used.outcomes))]
    who += [np.full(frame.height, len(raters) + g) for g in range(len(used.gold))]
    gold = np.array([name in trusted for name in raters] + [True] * len(used.gold))
    rater = np.concatenate(who)
    votes = Votes(
        np.tile(np.arange(frame.height), len(columns)),
        np.concatenate(verdicts),
        rater,
        (*raters, *used.gold),
        gold[rater],
    )
    return _with_verdict(votes, door, several=len(columns) > 1)


def _require_rater(raters: Sequence[str], name: str, column: str) -> None:
    """Errors: nobody of that name voted."""
    if name in raters:
        return
    near = difflib.get_close_matches(name, raters, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(repr(one) for one in near)}? " if near else ""
    raise AdjudgeError(
        f"No rater is called {name!r}.",
        f"The raters in column {column!r} are: {listing(raters)}.",
        f"{hint}Name a rater, or a column of trusted verdicts, with --gold.",
    )


def _with_verdict(votes: Votes, door: Door, *, several: bool = False) -> Votes:
    known = np.isfinite(votes.outcome)
    lost = int((~known & ~votes.trusted).sum())
    if lost:
        share = lost / max(int((~votes.trusted).sum()), 1)
        first = door.place(int(votes.at[np.argmin(known)]))
        door.note(
            "verdict-missing",
            Severity.INFO if several and share < 0.01 else Severity.WARNING,
            f"{lost:,} of {votes.at.size:,} votes have no verdict (first: {first}); they are left out.",
            number=share,
            remedy="Judge these pairs again, unless verdicts are missing by chance alone.",
        )
    return votes.kept(known)


def _counted(frame: pl.DataFrame, used: PairColumns, door: Door) -> Votes:
    """Counted outcomes as weighted rows: the votes of a pair are taken as independent of each other."""
    n = frame.height
    counts = [numbers.numeric(frame[name], door, "--outcome") for name, _ in used.counts]
    for (name, _), values in zip(used.counts, counts, strict=True):
        bad = (values < 0) | (values != np.round(values)) & ~np.isnan(values)
        if bad.any():
            first = int(np.argmax(bad))
            raise AdjudgeError(
                f"{name}: {int(bad.sum()):,} of {n:,} counts are negative or no whole numbers (first: "
                f"{door.place(first)}, {values[first]:g}).",
                "A count says how often the outcome occurred.",
                "Correct it, or name the column of single verdicts with --outcome.",
            )
    count = np.nan_to_num(np.concatenate(counts))
    value = np.repeat([value for _, value in used.counts], n)
    zeros = np.zeros(count.size, dtype=np.int64)
    votes = Votes(np.tile(np.arange(n), len(counts)), value, zeros, (SOLE,), zeros.astype(bool), count)
    door.note(
        "counts-taken",
        Severity.WARNING,
        f"The table counts outcomes ({', '.join(name for name, _ in used.counts)}): its {count.sum():,.0f} votes are "
        "taken as independent, since nothing says which share a prompt or a rater.",
        number=float(count.sum()),
        remedy="Rank the single votes with --cluster: on real data that has doubled the standard errors.",
    )
    return votes.kept(count > 0)
