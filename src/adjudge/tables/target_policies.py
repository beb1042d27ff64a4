"""A table of a policy's probabilities, by action and by whatever columns of the log they depend on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import polars as pl

from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding
from .columns import listing, require
from .decisions import Probabilities
from .numbers import Door

CLOSE = 1e-6  # that a sum of probabilities may be off 1


def require_target(target: object, columns: Collection[str], names: Sequence[str]) -> None:
    """Errors: no policy is named; a named column of its probabilities is not there.

    Arguments:
        target: tables of probabilities, or models.
        columns: of probabilities of the logged action.
        names: columns of the log.
    """
    for column in columns:
        require(names, column, "--target-column or --target-log")
    if not target and not columns:
        raise AdjudgeError(
            "No target policy is named.",
            "A table of probabilities by action, or a column with the probability of the logged action.",
            "Name one with --target NAME=FILE, --target-column or --target-log.",
        )


def targets(
    log: pl.DataFrame, table: pl.DataFrame, policy: str, action: str, actions: tuple[str, ...], door: Door
) -> Probabilities:
    """A policy's probabilities of all actions at every row of the log.

    Arguments:
        log: rows, with the columns on which the probabilities depend.
        table: columns `probability`, that of actions, and any that the log has too.
        policy: its name, for errors.
        action: the column of actions.
        actions: [k] their names.
        door: takes findings and names rows.

    Errors: probabilities that are missing, negative or do not sum to 1; an action listed twice; rows of the log for
    which the table has nothing.
    """
    if not actions:
        raise AdjudgeError(
            f"target {policy}: a table of probabilities by action, and no action in the log.",
            "A column that says which action was taken.",
            "Name it with --action, or give the probability of the logged action with --target-column.",
        )
    keys = [name for name in table.columns if name in log.columns and name not in (action, "probability")]
    group = _together(table, keys)
    distinct = group.unique().sort()
    code = (
        coding.ids(table[action])
        .cast(pl.String)
        .replace_strict(list(actions), list(range(len(actions))), return_dtype=pl.Int64)
    )
    place = group.replace_strict(list(distinct), list(range(distinct.len())), return_dtype=pl.Int64).to_numpy()
    chances = table["probability"].cast(pl.Float64, strict=False).to_numpy()
    _require_chances(chances, policy)
    cell = place * len(actions) + code.to_numpy()
    if np.unique(cell).size < cell.size:
        raise AdjudgeError(
            f"target {policy}: an action is listed twice{f' for one {listing(keys)}' if keys else ''}.",
            "One probability an action.",
            "Drop the repeated rows, or name the column on which probabilities depend as the log names it.",
        )
    flat = np.bincount(cell, chances, distinct.len() * len(actions)).astype(float)
    dense = flat.reshape(distinct.len(), len(actions))
    total = dense.sum(axis=1)
    if np.any(np.abs(total - 1) > CLOSE):
        worst = int(np.argmax(np.abs(total - 1)))
        where = f" where {listing(keys)} is {distinct[worst]!r}" if keys else ""
        raise AdjudgeError(
            f"target {policy}: probabilities sum to {total[worst]:.6g}{where}.",
            "They sum to 1 over the actions.",
            "Add the actions that are missing, or divide by the sum.",
        )
    which = _together(log, keys).replace_strict(list(distinct), list(range(distinct.len())), default=-1)
    rows = which.cast(pl.Int64).to_numpy()
    if np.any(rows < 0):
        first = int(np.argmax(rows < 0))
        raise AdjudgeError(
            f"target {policy}: nothing is listed for {int((rows < 0).sum()):,} rows (first: {door.place(first)}).",
            f"Probabilities for every {listing(keys)} that the log has.",
            "Add them, or drop the rows with --where.",
        )
    _tell_unlogged(log, dense, policy, action, actions, door)
    return Probabilities.listed(dense, rows)


def _together(frame: pl.DataFrame, keys: list[str]) -> pl.Series:
    """One text for the values of the keys of each row."""
    if not keys:
        return pl.repeat("", frame.height, eager=True)
    parts = [coding.ids(frame[name]).cast(pl.String).fill_null("(none)") for name in keys]
    return pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=" · ")).to_series()


def _require_chances(chances: np.ndarray, policy: str) -> None:
    bad = ~np.isfinite(chances) | (chances < 0)
    if bad.any():
        raise AdjudgeError(
            f"target {policy}: {int(bad.sum()):,} of {bad.size:,} probabilities are missing or negative (first: row "
            f"{int(np.argmax(bad))} of its table).",
            "Numbers from 0 to 1.",
            "Correct the table.",
        )


def _tell_unlogged(
    log: pl.DataFrame, dense: np.ndarray, policy: str, action: str, actions: tuple[str, ...], door: Door
) -> None:
    """Actions that the policy takes and the log never shows."""
    seen = set(coding.ids(log[action]).cast(pl.String).unique())
    never = np.array([name not in seen for name in actions])
    mass = float(dense[:, never].sum(axis=1).max()) if never.any() else 0.0
    if mass > 0:
        lost = [name for name, unseen, used in zip(actions, never, dense.max(axis=0), strict=True) if unseen and used]
        many = len(lost) > 1
        door.note(
            "actions-never-logged",
            Severity.SEVERE if mass > 0.05 else Severity.WARNING,
            f"{policy} takes {len(lost)} action{'s' if many else ''} that the log never shows, with up to "
            f"{100 * mass:.1f} % "
            f"of its probability ({listing(lost, 5)}): no weighting can value {'them' if many else 'it'}.",
            number=mass,
            remedy="Log some of them, or read the value as that of the policy without them.",
        )
