"""The door for preference data in the column conventions of the ecosystem: texts become checked `Preferences`.

    chosen, rejected (and prompt)               pairs; texts, or lists of {"role", "content"} messages
    response_a, response_b and a verdict        pairs with soft labels, ties or a signed strength
    completions and ranks or scores             a list a row: every pair in it whose ranks are known, of one cluster
    completion and label                        one response a row: a rating without a comparison

Without a prompt it is what both texts begin with, up to the last turn. Features are made by `stats.text_features`, or
read from list columns. Limits: pairs of one prompt are one cluster unless a column says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from .._typing import FloatArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding, numbers
from ._preference_rows import BOTH, USUAL, Row, rows_of
from .columns import listing, require
from .numbers import Door
from .outcomes import outcomes
from .preferences import Preferences, from_arrays
from .read import take, whole
from .sources import open_source


def read(
    source: object,
    *,
    prompt: str | None = None,
    left: str | None = None,
    right: str | None = None,
    outcome: str | None = None,
    strength: str | None = None,
    rating: tuple[str, str] | None = None,
    annotator: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    flip: float | str | None = None,
    where: str | None = None,
) -> Preferences:
    """Reads, checks and codes pairs, ranked lists or labelled responses.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        prompt: column of the prompt; None takes a usual name where there is one.
        left, right: columns of the two responses; None takes `chosen` and `rejected`, or another usual pair.
        outcome: column of who is better, in any form that `tables.outcomes` reads, or the probability of the left;
            not needed where the left one was chosen.
        strength: column of how much better the better one is; signed, it also says which (positive: the right one, as
            in HelpSteer2's `preference_strength`) where there is no outcome.
        rating: two columns of what each response was given by itself.
        annotator: column of who prefers, or of the collection; None takes a usual name where there is one.
        cluster: column of the independent unit; None means the prompt.
        weight: column of how many equal rows a row stands for.
        flip: rate below ½ at which labels were turned round, or the column that has it; None takes the column `flip`
            where there is one, as `adjudge pairs` writes it, else 0.
        where: SQL condition on any column.

    Errors: a table that cannot be read; no two responses; verdicts that cannot be read. Equal or empty responses are
    told in `findings`; equal ones are left out.

    >>> made = read([{"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    ...              {"prompt": "1+1?", "chosen": "2", "rejected": ""}])
    >>> made.outcome.tolist(), made.right_text, made.length.tolist()
    ([1.0, 1.0], ('5', ''), [[1.0, 1.0], [1.0, 0.0]])
    """
    opened = open_source(source)
    given = {"prompt": prompt, "left": left, "right": right, "outcome": outcome, "strength": strength,
             "annotator": annotator, "cluster": cluster, "weight": weight,
             "flip": flip if isinstance(flip, str) else None}  # fmt: skip
    if rating is not None:
        given |= {"left_rating": rating[0], "right_rating": rating[1]}
    used = _columns(given, opened.names)
    if isinstance(flip, (int, float)):
        used.pop("flip", None)
    frame = take(opened, tuple(dict.fromkeys(used.values())), where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    rows = rows_of(frame, used)
    kept = _kept(rows, door)
    return _table(kept, frame, used, flip if isinstance(flip, (int, float)) else 0.0, door)


def _columns(given: dict[str, str | None], names: Sequence[str]) -> dict[str, str]:
    """Part -> column. Errors: a column that is not there; no responses."""
    named = {part: require(names, name, f"--{part}") for part, name in given.items() if name is not None}
    found: dict[str, str] = {}
    for first, second in BOTH:
        if "left" not in named and "right" not in named and first in names and second in names:
            named |= {"left": first, "right": second}
    for part, usual in USUAL.items():
        name = next((each for each in usual if each in names and each not in named.values()), None)
        if part in named or name is not None:
            found[part] = named.get(part) or str(name)
    found |= named
    if "left" in found and "right" in found:
        found = {part: name for part, name in found.items() if part not in ("completion", "completions", "label")}
        for part in ("features", "rating"):
            pair = _beside(found["left"], found["right"], part, names)
            found |= {key: name for key, name in pair.items() if key not in found}
        return found
    if ("completions" in found and {"ranks", "scores"} & set(found)) or {"completion", "label"} <= set(found):
        return found
    raise AdjudgeError(
        f"No two columns hold responses; columns here: {listing(list(names))}.",
        "Pairs have chosen and rejected, lists completions and ranks or scores, single responses completion and label.",
        "Name the columns of the two responses with --left and --right, in a recipe `left` and `right` under [data]; "
        "prompts alone are learnt from by credit rules, or with `prefer` under [feedback].",
    )


def _beside(left: str, right: str, part: str, names: Sequence[str]) -> dict[str, str]:
    """The columns of features or ratings that go with two columns of responses, such as `chosen_score`."""
    words = ("features", "embedding") if part == "features" else ("score", "rating", "reward")
    for word in words:
        for form in ("{0}_{1}", "{1}_{0}", "{0}-{1}"):
            both = form.format(left, word), form.format(right, word)
            if all(name in names for name in both):
                return dict(zip((f"left_{part}", f"right_{part}"), both, strict=True))
    return {}


def _kept(rows: Sequence[Row], door: Door) -> list[Row]:
    """Rows whose two responses differ, with what was noticed. Errors: none is left."""
    same = [row for row in rows if row.right is not None and row.left == row.right]
    empty = sum(not row.left or row.right == "" for row in rows)
    if same:
        door.note(
            "responses-equal", Severity.WARNING,
            f"{len(same):,} of {len(rows):,} pairs have the same response twice and are left out.",
            number=len(same), remedy="Look for where they were made.",
        )  # fmt: skip
    if empty:
        door.note(
            "responses-empty", Severity.WARNING, f"{empty:,} of {len(rows):,} rows have an empty response.",
            number=empty, remedy="Drop them with --where unless an empty answer was meant.",
        )  # fmt: skip
    kept = [row for row in rows if row.right is None or row.left != row.right]
    if not kept:
        raise AdjudgeError(
            "preferences: no pair is left.", "At least one pair of different responses.", "Look at the file."
        )
    return kept


def _table(rows: list[Row], frame: pl.DataFrame, used: dict[str, str], flip: float, door: Door) -> Preferences:
    at = np.array([row.at for row in rows])
    taken = frame[at]
    prompts = tuple(row.prompt for row in rows)
    unit = pl.Series("prompt", prompts) if any(prompts) else pl.Series("row", at)
    if "cluster" in used:
        unit = whole(coding.ids(taken[used["cluster"]]), "cluster", door)
    who = coding.ids(taken[used["annotator"]]).cast(pl.String).fill_null("") if "annotator" in used else None
    source, sources = (np.zeros(at.size, np.int64), pl.Series([""])) if who is None else coding.encode(who)
    outcome, margin = _judged(rows, taken, used, door)
    texts = tuple(row.left for row in rows), tuple(row.right or "" for row in rows)
    features = [_listed(taken[used[f"{side}_features"]]) if f"{side}_features" in used else np.zeros((at.size, 0))
                for side in ("left", "right")]  # fmt: skip
    return from_arrays(
        features[0],
        features[1],
        outcome,
        margin=margin,
        rating=np.array([row.rating for row in rows]),
        source=source,
        sources=tuple(sources.cast(pl.String)),
        cluster=coding.encode(unit)[0],
        weight=numbers.weights(taken[used["weight"]], at.size, door) if "weight" in used else None,
        flip=numbers.numeric(taken[used["flip"]], door, "--flip") if "flip" in used else flip,
        length=np.array([[len(text.split()) for text in side] for side in texts], float).T,
        prompt=prompts,
        turns=tuple(row.turns for row in rows) if any(row.turns for row in rows) else (),
        left_text=texts[0],
        right_text=texts[1],
        findings=tuple(door.findings),
    )


def _judged(rows: list[Row], taken: pl.DataFrame, used: dict[str, str], door: Door) -> tuple[FloatArray, FloatArray]:
    """([n] outcome, [n] margin)."""
    margin = np.array([row.margin for row in rows])
    strength = np.full(len(rows), np.nan)
    if "strength" in used:
        strength = numbers.numeric(taken[used["strength"]], door, "--strength")
        margin = np.abs(strength)
    if "outcome" in used:
        verdict = taken[used["outcome"]]
        if verdict.dtype.is_float() and not set(verdict.drop_nulls().unique()) <= {-1.0, 0.0, 0.5, 1.0, 2.0, 3.0}:
            return numbers.numeric(verdict, door, "--outcome"), margin
        left, right = (pl.Series([used[side]] * len(rows)) for side in ("left", "right"))
        return outcomes(verdict, left, right, door), margin
    outcome = np.array([row.outcome for row in rows])
    if "strength" in used:
        toward = 1.0 if used.get("left") == "chosen" else -1.0  # a margin of the chosen one; or a score from 1 to 2
        signed = 0.5 + 0.5 * toward * np.sign(strength)
        outcome = np.where(np.isnan(strength), outcome if toward > 0 else np.nan, signed)
    return outcome, margin


def _listed(series: pl.Series) -> FloatArray:
    """[n, d] of a column of lists."""
    lists: list[Any] = series.to_list()
    if len({None if row is None else len(row) for row in lists}) > 1:
        raise AdjudgeError(
            f"{series.name}: its lists differ in length.", "One number for each feature.", "Write them again."
        )
    return np.array(lists, dtype=float)
