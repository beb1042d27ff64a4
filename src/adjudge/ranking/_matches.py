"""Gathers the votes on each match: what the trusted raters said of it, what each judge said, and how much it counts.

    y_m = mean of the trusted votes on match m as (win, tie, loss),      s_mj = the same of judge j

All votes on a match are told from one side (the policy that stands first in the table), so that it does not matter
which side a rater saw on the left. A match counts as often as its most frequent judge saw it in one order: ten people
who voted on one match are one match, known better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..stats.cluster import group_sums
from ..tables.comparisons import Comparisons

MOST_JUDGES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Votes by match; M matches, J judges.

    Arguments:
        left, right: [M] the two policies, left < right.
        mass: [M] how often the match counts.
        labelled: [M] whether a trusted rater voted on it.
        label: [M, 3] mean trusted verdict as (win, tie, loss); 0 where there is none.
        votes: [M, J, 3] mean verdict of each judge; 0 where it did not vote.
        order: [M] mean of +1/−1 for which side the judges saw first.
        cluster: [M, c] codes of the independent units; c >= 1.
        judges: [J] names.
    """

    left: IntArray
    right: IntArray
    mass: FloatArray
    labelled: BoolArray
    label: FloatArray
    votes: FloatArray
    order: FloatArray
    cluster: IntArray
    judges: tuple[str, ...]

    @property
    def judged(self) -> BoolArray:
        """[M] whether any judge voted."""
        return np.asarray(self.votes.sum(axis=(1, 2)) > 0)

    @property
    def jury(self) -> FloatArray:
        """[M, 3] mean verdict over the judges who voted; 0 where none did."""
        present = self.votes.sum(axis=(1, 2))[:, None]
        return np.divide(self.votes.sum(axis=1), present, out=np.zeros_like(self.label), where=present > 0)


def verdicts(outcome: FloatArray) -> FloatArray:
    """[n, 3] (win, tie, loss): 0.5 is a tie; any other value between is a probability that left won."""
    tie = outcome == 0.5
    return np.column_stack([np.where(tie, 0.0, outcome), tie, np.where(tie, 0.0, 1.0 - outcome)])


def gather(table: Comparisons) -> Matches:
    """The votes of a table by match; rows without a verdict, or of weight 0, are left out."""
    turn = table.left > table.right
    rows = table.swapped(turn).take(table.known)
    k, n = table.k, rows.n
    _, code = np.unique(np.column_stack([rows.match, rows.left * k + rows.right]), axis=0, return_inverse=True)
    code = code.ravel()
    M = int(code.max(initial=-1)) + 1
    first_row = np.zeros(M, dtype=np.int64)
    first_row[code[::-1]] = np.arange(n)[::-1]
    verdict, weight = verdicts(rows.outcome), rows.weight * rows.count
    seen = np.unique(rows.rater[~rows.trusted])
    judge_of = np.searchsorted(seen, rows.rater) if seen.size <= MOST_JUDGES else np.zeros(n, dtype=np.int64)
    judges = tuple(table.raters[r] for r in seen) if seen.size <= MOST_JUDGES else ("jury",)
    J = len(judges)
    label, _ = _means(code, verdict, weight * rows.trusted, M)
    votes = np.zeros((M, J, 3))
    if J:
        place = code * J + np.minimum(judge_of, J - 1)
        votes = _means(place, verdict, weight * ~rows.trusted, M * J)[0].reshape(M, J, 3)
    order, _ = _means(code, rows.first[:, None], weight * ~rows.trusted, M)
    own = np.arange(M)[:, None]
    cluster = own if rows.cluster.shape[1] == 0 else _units(rows, code, M)
    return Matches(
        left=rows.left[first_row],
        right=rows.right[first_row],
        mass=_mass(rows, code, weight, M),
        labelled=group_sums(code, weight * rows.trusted, M) > 0,
        label=label,
        votes=votes,
        order=order[:, 0],
        cluster=cluster,
        judges=judges,
    )


def _means(code: IntArray, values: FloatArray, weight: FloatArray, M: int) -> tuple[FloatArray, FloatArray]:
    """[M, q] weighted means by code, 0 where nothing counts, and [M] the weights' sums."""
    total = group_sums(code, weight, M)
    sums = np.column_stack([group_sums(code, weight * column, M) for column in values.T])
    return np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0), total


def _mass(rows: Comparisons, code: IntArray, weight: FloatArray, M: int) -> FloatArray:
    """[M] the largest total weight that one judge gave the match in one order; a table without judges counts votes.

    Where no judge saw the match it is a person's: ten people on one match are one match.
    """
    if not np.any(~rows.trusted):
        return group_sums(code, weight, M)
    key = np.column_stack([code, rows.rater, rows.first, rows.trusted])
    _, own = np.unique(key, axis=0, return_inverse=True)
    own = own.ravel()
    total = group_sums(own, weight, int(own.max(initial=-1)) + 1)[own]
    by_judge, by_person = np.zeros(M), np.zeros(M)
    np.maximum.at(by_judge, code, np.where(rows.trusted, 0.0, total))
    np.maximum.at(by_person, code, total)
    return np.where(by_judge > 0, by_judge, by_person)


def _units(rows: Comparisons, code: IntArray, M: int) -> IntArray:
    """[M, c] clusters of each match: those of a trusted vote where there is one, the smallest code for certainty."""
    units = np.empty((M, rows.cluster.shape[1]), dtype=np.int64)
    for j, column in enumerate(rows.cluster.T):
        top = int(column.max(initial=0)) + 1
        key = column + top * ~rows.trusted  # trusted votes come first
        least = np.full(M, 2 * top, dtype=np.int64)
        np.minimum.at(least, code, key)
        units[:, j] = least % top
    return units
