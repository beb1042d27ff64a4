"""Ratings larger than memory: the labelled rows at once, all rows in batches whose codes agree.

A first pass fixes the codes: policies and strata are sorted by name; a prompt or cluster is known by a 64-bit hash of
its id, and its code is the position of that hash among all sorted hashes (8 bytes for each distinct id). So a code
means the same in every batch and in `labelled()`, whatever the row order. Two of u ids share a hash with probability
u²/2⁶⁵: 3·10⁻⁶ for ten million. One batch is held in memory, the table never is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from .._typing import BoolArray, FloatArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import columns, numbers
from .chunks import Chunks, open_chunks
from .columns import Columns, Names
from .hashing import Distinct, Hashes, codes_of_names, distinct, hashes, names_in, positions, responses
from .numbers import ROW, Door
from .ratings import Ratings
from .read import build, refuse_many

_ROWS = 1_000_000


def scan(
    source: object,
    *,
    policy: str | None = None,
    item: str | None = None,
    judge: Names = None,
    gold: Names = None,
    cluster: str | None = None,
    weight: str | None = None,
    propensity: str | None = None,
    stratum: str | None = None,
    covariates: Sequence[str] = (),
    draw: str | None = None,
    where: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Scan:
    """Opens a table that may be larger than memory and fixes its codes in one pass.

    Arguments: as `tables.read`, without long format and second tables.

    Errors: as `tables.read`; covariates must be complete, since no batch knows the mean of the others.

    >>> rows = {"policy": ["b", "a", "a"], "prompt_id": [7, 7, 8], "judge_score": [0.5, 1, 0], "gold": [None, 1, 0]}
    >>> opened = scan(rows)
    >>> opened.n, opened.policies, opened.units, opened.labelled().n, [batch.n for batch in opened.batches(rows=2)]
    (3, ('a', 'b'), 2, 2, [2, 1])
    """
    chunks = open_chunks(source, where=where)
    used, told = columns.resolve(
        chunks.source.names,
        policy=policy,
        item=item,
        judge=judge,
        gold=gold,
        cluster=cluster,
        weight=weight,
        propensity=propensity,
        stratum=stratum,
        covariates=covariates,
        draw=draw,
        rater=None,
        scores=chunks.source.scores,
    )
    return _survey(chunks, used, bounds, (*chunks.source.findings, *told))


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A table that is read batch by batch.

    Arguments:
        n: rows that pass `where`, copies among them.
        policies: [k] names, sorted.
        judges: [J] names of the score columns.
        strata: names, sorted.
        bounds: range of the gold label.
        items: [·] sorted hashes of the distinct prompts.
        clusters: [units] sorted hashes of the distinct clusters.
        findings: what the first pass noticed.
    """

    n: int
    policies: tuple[str, ...]
    judges: tuple[str, ...]
    strata: tuple[str, ...]
    bounds: tuple[float, float]
    items: Hashes
    clusters: Hashes
    findings: tuple[Finding, ...]
    _chunks: Chunks
    _used: Columns
    _labelled: Ratings
    _responses: Hashes
    _answered: BoolArray

    @property
    def units(self) -> int:
        """Independent clusters in the whole table."""
        return self.clusters.size

    def labelled(self) -> Ratings:
        """All rows that carry a gold label, as one table with the codes of the batches."""
        return self._labelled

    def batches(self, rows: int = _ROWS) -> Iterator[Ratings]:
        """All rows, labelled ones included, at most `rows` at a time; `cluster` codes run over the whole table.

        A row that repeats a labelled response (same policy, prompt, draw and scores) is left out if there is a draw
        column: its label counts where it stands. Without one it cannot be told from a draw and is kept, with a finding.
        """
        for frame in self._chunks.read(self._used.needed(), rows):
            if frame.height:
                yield self._once(frame, self._coded(frame))

    def _coded(self, frame: pl.DataFrame) -> Ratings:
        used, n = self._used, frame.height
        door = Door.at(frame, [], several=False)
        item = positions(hashes(frame, used.item), self.items)
        recorded = frame[used.propensity] if used.propensity else None
        return Ratings(
            policies=self.policies,
            judges=used.judges,
            policy=codes_of_names(frame, used.policy, self.policies),
            item=item,
            cluster=positions(hashes(frame, used.cluster), self.clusters) if used.cluster else item,
            score=np.column_stack([numbers.numeric(frame[name], door, "--judge") for name in used.judges]),
            gold=np.full(n, np.nan),
            weight=numbers.weights(frame[used.weight] if used.weight else None, n, door),
            propensity=numbers.propensities(recorded, n, door),
            gold_variance=np.zeros(n),
            covariates=_complete(frame, used.covariates, door),
            covariate_names=used.covariates,
            stratum=codes_of_names(frame, used.stratum, self.strata),
            strata=self.strata,
            bounds=self.bounds,
            row=frame[ROW].cast(pl.Int64).to_numpy(),
        )

    def _once(self, frame: pl.DataFrame, batch: Ratings) -> Ratings:
        """The batch with its labels, and without rows that repeat a labelled response."""
        home = self._labelled
        if not home.n:
            return batch
        at = np.minimum(np.searchsorted(home.row, batch.row), home.n - 1)
        here = home.row[at] == batch.row
        gold, variance, propensity = batch.gold, batch.gold_variance, batch.propensity
        gold[here], variance[here], propensity = home.gold[at[here]], home.gold_variance[at[here]], propensity.copy()
        propensity[here] = home.propensity[at[here]]
        batch = replace(batch, propensity=propensity)
        near = np.flatnonzero(~here & self._answered[batch.item])
        response = responses(frame[near], self._used)
        seen = self._responses[np.minimum(np.searchsorted(self._responses, response), self._responses.size - 1)]
        copy = np.zeros(batch.n, dtype=bool)
        copy[near] = seen == response
        merged = _any_label(frame, self._used) & ~here
        if self._used.draw or not copy.any():
            return batch.take(~(copy | merged)) if (copy | merged).any() else batch
        told = Finding(
            "draws-ambiguous",
            Severity.WARNING,
            f"{int((copy & ~merged).sum()):,} rows share policy, prompt and scores with a labelled row and no draw "
            "column tells copies from draws; all were counted.",
            number=float((copy & ~merged).sum()),
            remedy="Number the draws in a column and name it with --draw.",
        )
        return replace(batch.take(~merged), findings=(told,) if (copy & ~merged).any() else ())


# -- the first pass --------------------------------------------------------------------------------------------


def _survey(chunks: Chunks, used: Columns, given: tuple[float, float] | None, told: tuple[Finding, ...]) -> Scan:
    policies: set[str] = set()
    strata: set[str] = set()
    items, clusters = Distinct(), Distinct()
    n, missing, slices = 0, np.zeros(len(used.judges)), []
    for frame in chunks.read(used.needed(), _ROWS):
        if not frame.height:
            continue
        n += frame.height
        policies |= names_in(frame, used.policy)
        refuse_many(len(policies), used.policy)
        strata |= names_in(frame, used.stratum)
        items.add(hashes(frame, used.item))
        clusters.add(hashes(frame, used.cluster) if used.cluster else np.empty(0, dtype=np.uint64))
        missing += [_missing(frame[name]) for name in used.judges]
        slices.append(frame.filter(_any_label(frame, used)))
    if not n:
        raise AdjudgeError(f"{chunks.source.label} has no rows to read.", "A table has some.", "Loosen --where.")
    prompts = items.sorted()
    raw = pl.concat(slices, how="vertical_relaxed")
    empty = Scan(
        n=n,
        policies=tuple(sorted(policies)) if used.policy else ("policy",),
        judges=used.judges,
        strata=tuple(sorted(strata)) if used.stratum else ("all",),
        bounds=given or (-np.inf, np.inf),
        items=prompts,
        clusters=clusters.sorted() if used.cluster else prompts,
        findings=(*told, *_tell_missing(used, missing, n)),
        _chunks=chunks,
        _used=used,
        _labelled=_nothing(used),
        _responses=np.empty(0, dtype=np.uint64),
        _answered=np.zeros(0, dtype=bool),
    )
    return empty if not raw.height else _with_labels(empty, raw, given)


def _with_labels(opened: Scan, raw: pl.DataFrame, given: tuple[float, float] | None) -> Scan:
    """The scan with its labelled rows checked by the same door as a table in memory, under the common codes."""
    local = build(raw, opened._used, bounds=given, several=False, part=True)
    kept = raw[np.searchsorted(raw[ROW].cast(pl.Int64).to_numpy(), local.row)]
    common = opened._coded(kept)
    findings = (*opened.findings, *local.findings)
    coded = {name: getattr(common, name) for name in ("policies", "policy", "item", "cluster", "stratum", "strata")}
    return replace(
        opened,
        bounds=local.bounds,
        findings=findings,
        _labelled=replace(local, **coded, findings=findings),
        _responses=distinct(responses(kept, opened._used)),
        _answered=np.bincount(common.item, minlength=opened.items.size) > 0,
    )


def _nothing(used: Columns) -> Ratings:
    none, whole = np.empty(0), np.empty(0, dtype=np.int64)
    return Ratings(
        policies=(),
        judges=used.judges,
        policy=whole,
        item=whole,
        cluster=whole,
        score=np.empty((0, len(used.judges))),
        gold=none,
        weight=none,
        propensity=none,
        gold_variance=none,
        covariates=np.empty((0, len(used.covariates))),
        covariate_names=used.covariates,
    )


# -- checks ----------------------------------------------------------------------------------------------------


def _any_label(frame: pl.DataFrame, used: Columns) -> BoolArray:
    known = np.zeros(frame.height, dtype=bool)
    for name in used.gold:
        series = frame[name]
        known |= (
            series.is_not_nan() & series.is_not_null() if series.dtype.is_float() else series.is_not_null()
        ).to_numpy()
    return known


def _missing(series: pl.Series) -> int:
    return series.null_count() + (int(series.is_nan().sum()) if series.dtype.is_float() else 0)


def _tell_missing(used: Columns, missing: FloatArray, n: int) -> tuple[Finding, ...]:
    for name, count in zip(used.judges, missing, strict=True):
        if count == n:
            raise AdjudgeError(
                f"{name}: all {n:,} scores are missing.", "A judge scores some rows.", "Name another with --judge."
            )
    return tuple(
        Finding(
            "score-missing",
            Severity.WARNING,
            f"Judge {name!r} gave no score for {int(count):,} of {n:,} rows.",
            number=count / n,
            remedy="Score these rows, or drop them with --where if they are missing by chance alone.",
        )
        for name, count in zip(used.judges, missing, strict=True)
        if count
    )


def _complete(frame: pl.DataFrame, names: tuple[str, ...], door: Door) -> FloatArray:
    values = numbers.covariates(frame, names, door)
    if any(finding.code == "covariate-missing" for finding in door.findings):
        raise AdjudgeError(
            f"{door.findings[-1].message}",
            "Covariates of a table that is read in batches are complete.",
            "Fill the gaps, or leave the covariate out.",
        )
    return values
