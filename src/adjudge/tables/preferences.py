"""The table of reward models: one row is a pair of responses to one prompt, as features, and which is better."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.finding import Finding
from ..errors import AdjudgeError

Features = FloatArray | sparse.csr_array
"""[n, d] features of n responses: a dense array, or a SciPy CSR array where most are 0."""


def dense(features: Features) -> FloatArray:
    """The same features as a dense array.

    >>> dense(sparse.csr_array(np.eye(2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    table: Any = features
    return table.toarray() if sparse.issparse(features) else np.asarray(table)


_BY_ROW = ("left", "right", "outcome", "margin", "rating", "source", "cluster", "weight", "flip", "length", "row")
_TEXTS = ("prompt", "turns", "left_text", "right_text")


@dataclass(frozen=True, eq=False)
class Preferences:
    """Plain arrays under one schema, checked once at the door (`from_arrays`, `tables.read_preferences`); n rows.

    Arguments:
        left, right: [n, d] features of the two responses; d = 0 where there are texts alone.
        outcome: [n] probability that the left one is better, in [0, 1]; ½ is a tie. NaN where nobody compared.
        margin: [n] how much better the better one is, >= 0, in any unit; NaN where nobody said.
        rating: [n, 2] what each response was given by itself, in any unit; NaN where it was not rated.
        source: [n] positions in `sources`: who prefers.
        sources: [S] names of the annotators or collections.
        cluster: [n] code of the independent unit, such as the prompt, 0 … units−1.
        weight: [n] how many equal rows the row stands for, >= 0.
        flip: [n] probability, below ½, with which the outcome was turned round before it was written down.
        length: [n, 2] length of each response, >= 0, in words or tokens; NaN where unknown.
        feature_names: [d].
        prompt, left_text, right_text: [n] texts; () where only features are known.
        turns: [n] prompts that are conversations, as (role, text) turns; () where a prompt is a text.
        row: [n] number of the row in the user's file, from 0.
        findings: what the door noticed.
    """

    left: Features
    right: Features
    outcome: FloatArray
    margin: FloatArray
    rating: FloatArray
    source: IntArray
    sources: tuple[str, ...]
    cluster: IntArray
    weight: FloatArray
    flip: FloatArray
    length: FloatArray
    feature_names: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    turns: tuple[tuple[tuple[str, str], ...], ...] = ()
    left_text: tuple[str, ...] = ()
    right_text: tuple[str, ...] = ()
    row: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    findings: tuple[Finding, ...] = ()

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.outcome.size)

    @property
    def d(self) -> int:
        """Features."""
        return int(self.left.shape[1])

    @property
    def compared(self) -> BoolArray:
        """[n] whether somebody compared the two, and the row counts."""
        return np.isfinite(self.outcome) & (self.weight > 0)

    @cached_property
    def units(self) -> int:
        """Independent clusters."""
        return int(self.cluster.max(initial=-1)) + 1

    @cached_property
    def difference(self) -> Features:
        """[n, d] features of the left response less those of the right one."""
        return self.left - self.right

    @property
    def target(self) -> FloatArray:
        """[n] (outcome − flip)/(1 − 2·flip): its mean over flips is the outcome before they came; may leave [0, 1]."""
        return (self.outcome - self.flip) / (1 - 2 * self.flip)

    @property
    def swapped(self) -> Preferences:
        """The same pairs with left and right exchanged."""
        return replace(
            self,
            left=self.right,
            right=self.left,
            outcome=1 - self.outcome,
            rating=self.rating[:, ::-1],
            length=self.length[:, ::-1],
            left_text=self.right_text,
            right_text=self.left_text,
        )

    def take(self, rows: IntArray | BoolArray) -> Preferences:
        """Some of the rows, with the same codes."""
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        columns: dict[str, Any] = {name: getattr(self, name)[at] for name in _BY_ROW}
        for name in _TEXTS:
            texts = getattr(self, name)
            columns[name] = tuple(texts[place] for place in at) if texts else ()
        return replace(self, **columns)


def from_arrays(
    left: Features,
    right: Features,
    outcome: ArrayLike,
    *,
    margin: ArrayLike | None = None,
    rating: ArrayLike | None = None,
    source: ArrayLike | None = None,
    sources: tuple[str, ...] | None = None,
    cluster: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    flip: ArrayLike = 0.0,
    length: ArrayLike | None = None,
    feature_names: tuple[str, ...] | None = None,
    prompt: tuple[str, ...] = (),
    turns: tuple[tuple[tuple[str, str], ...], ...] = (),
    left_text: tuple[str, ...] = (),
    right_text: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> Preferences:
    """A checked table from arrays.

    Arguments:
        as of `Preferences`; each row is a cluster of its own where `cluster` is None, `flip` may be one rate for all.

    Errors: features of unlike shapes or with gaps; outcomes outside [0, 1]; margins that are negative or infinite;
    negative weights; flip rates below 0, or ½ and more; columns of another length; positions of sources or clusters
    below 0; sources that are named twice, or too few.

    >>> made = from_arrays(np.eye(2), np.zeros((2, 2)), [1.0, 0.5], flip=0.25)
    >>> made.n, made.d, made.target.tolist()
    (2, 2, [1.5, 0.5])
    """
    left, right = _features(left), _features(right)
    outcome = np.asarray(outcome, dtype=float)
    n = outcome.size
    given = {"outcome": (outcome, (n,)), "left": (left, (n, right.shape[1])), "right": (right, (n, right.shape[1]))}
    filled: dict[str, Any] = {
        "margin": _filled(margin, np.nan, (n,)),
        "rating": _filled(rating, np.nan, (n, 2)),
        "weight": _filled(weight, 1.0, (n,)),
        "flip": np.broadcast_to(np.asarray(flip, dtype=float), (n,)) if np.ndim(flip) == 0 else np.asarray(flip, float),
        "length": _filled(length, np.nan, (n, 2)),
    }
    codes: dict[str, Any] = {
        "source": np.zeros(n, dtype=np.int64) if source is None else np.asarray(source, dtype=np.int64),
        "cluster": np.arange(n) if cluster is None else np.asarray(cluster, dtype=np.int64),
    }
    shapes = {name: (values, (n, 2) if name in ("rating", "length") else (n,)) for name, values in filled.items()}
    for name, (values, shape) in {**given, **shapes, **{k: (v, (n,)) for k, v in codes.items()}}.items():
        if values.shape != shape:
            raise AdjudgeError(
                f"preferences.{name}: its shape is {values.shape}.",
                f"With {n} outcomes and {right.shape[1]} features it is {shape}.",
                "Give one row for each pair.",
            )
    _check(outcome, {**filled, **codes})
    names = _sources(codes["source"], sources)
    return Preferences(
        left=left,
        right=right,
        outcome=outcome,
        sources=names,
        feature_names=feature_names or tuple(f"x{number}" for number in range(left.shape[1])),
        prompt=prompt,
        turns=turns,
        left_text=left_text,
        right_text=right_text,
        row=np.arange(n),
        findings=findings,
        **filled,
        **codes,
    )


def _sources(code: IntArray, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of the sources; s0, s1 … where none are given. Errors: too few; one that stands twice."""
    needed = int(code.max(initial=0)) + 1
    found = tuple(f"s{number}" for number in range(needed)) if names is None else tuple(names)
    twice = next((name for at, name in enumerate(found) if name in found[:at]), None)
    if twice is not None:
        raise AdjudgeError(
            f"preferences.sources: {twice!r} stands twice.",
            "A name of its own for each source, by which the report tells them apart.",
            "Rename one, or give both the same position in source.",
        )
    if code.size and len(found) < needed:
        raise AdjudgeError(
            f"preferences.sources: {len(found):,} names, and source goes up to {needed - 1:,}.",
            "Positions in sources, which count from 0.",
            "Name every source, or leave sources out.",
        )
    return found


def _features(given: Features) -> Features:
    """Checked features."""
    made = sparse.csr_array(given) if sparse.issparse(given) else np.asarray(given, dtype=float)
    if made.ndim != 2 or not np.isfinite(made.data if sparse.issparse(made) else made).all():
        raise AdjudgeError(
            "preferences: features have gaps, or are no table.",
            "Each response has d finite numbers.",
            "Fill the gaps, or drop those pairs.",
        )
    return made


def _filled(given: ArrayLike | None, usual: float, shape: tuple[int, ...]) -> FloatArray:
    return np.full(shape, usual) if given is None else np.asarray(given, dtype=float)


def _check(outcome: FloatArray, columns: dict[str, Any]) -> None:
    """Errors: numbers outside their range."""
    margin, weight, flip, length = (columns[name] for name in ("margin", "weight", "flip", "length"))
    rules = (
        ("outcome", (outcome < 0) | (outcome > 1), "A probability that the left response is better, in [0, 1]."),
        (
            "margin",
            (margin < 0) | np.isinf(margin),
            "A finite strength >= 0, or NaN where nobody said; which of the two is better stands in outcome.",
        ),
        ("weight", ~((weight >= 0) & np.isfinite(weight)), "A row weight counts repetitions, so it is >= 0."),
        ("flip", ~((flip >= 0) & (flip < 0.5)), "Outcomes are turned round less than half of the time."),
        ("length", length.min(axis=1, initial=np.inf) < 0, "A length is >= 0."),
        ("source", columns["source"] < 0, "A position in sources, which counts from 0."),
        ("cluster", columns["cluster"] < 0, "A code of the independent unit, which counts from 0."),
    )
    for name, wrong, expected in rules:
        if wrong.any():
            raise AdjudgeError(
                f"preferences.{name}: {int(wrong.sum()):,} of {wrong.size:,} rows are outside of their range (first: "
                f"row {int(np.argmax(wrong))}).",
                expected,
                "Correct those rows, or drop them.",
            )
