"""The door: whatever the user has becomes checked, coded `Ratings`, or an error that says what to change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from .._typing import ArrayLike, IntArray
from ..core.finding import Finding
from ..errors import AdjudgeError
from . import coding, columns, duplicates, labels, numbers
from .columns import FILE, Columns, Names
from .filters import keep_where
from .numbers import Door
from .ratings import Ratings
from .sources import Source, open_source

#: More policies than this are a column named by mistake.
MOST_POLICIES = 2_000
_ROW = "(row)"


def read(
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
    rater: str | None = None,
    where: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Ratings:
    """Reads, checks and codes a table of ratings.

    Arguments:
        source: a path, folder, pattern or several paths (.csv .tsv .jsonl .ndjson .json .parquet .arrow .feather .ipc,
            text also .gz); a pandas, Polars or Arrow frame; a list of dicts; a dict of arrays; or a dict of policy ->
            list of dicts. Without a policy column each file (or key) is one policy.
        policy: column of the policy; None takes `policy`, or the one column with another usual name.
        item: column of the prompt; None takes `prompt_id`, or the one column with another usual name.
        judge: column or columns of judge scores; None takes `judge_score`, or the one with another usual name.
        gold: column of the trusted label, or several for several raters; None takes `gold` or the one with another
            usual name, an empty sequence says that there is none.
        cluster: column of the independent unit; None means the prompt.
        weight: column of row weights, >= 0.
        propensity: column of the probability that a row was chosen for a gold label, in (0, 1].
        stratum: column of the sampling stratum or slice.
        covariates: further numeric columns known for every row.
        draw: column that tells several draws of one policy for one prompt apart.
        rater: column of the judge's name in long format (one row for each judge); scores are then pivoted to columns.
        where: SQL condition on any column, such as `split = 'fresh' AND propensity > 0`.
        bounds: range of the gold label; None takes [0, 1] if all labels lie in it.

    Errors: `AdjudgeError` for a table that cannot be read, columns that are missing or hold no numbers, values outside
    their range, more than 2,000 policies, or no rows. Doubtful input is told in `findings`.

    >>> table = read({"policy": ["b", "a"], "prompt_id": [7, 7], "judge_score": [0.5, 1.0], "gold": [None, 0.9]})
    >>> table.policies, table.policy.tolist(), table.item.tolist(), table.gold.tolist()
    (('a', 'b'), [1, 0], [0, 0], [nan, 0.9])
    """
    opened = open_source(source)
    used, told = columns.resolve(
        opened.names,
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
        rater=rater,
    )
    frame = _take(opened, used, where)
    return build(frame, used, bounds=bounds, several=opened.several, findings=(*opened.findings, *told))


def from_arrays(
    *,
    policy: ArrayLike,
    score: ArrayLike,
    item: ArrayLike | None = None,
    gold: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    propensity: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    draw: ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
) -> Ratings:
    """`read` for arrays that have no names.

    Arguments:
        policy, item, cluster, stratum, draw: [n] ids of any kind.
        score: [n] or [n, J] judge scores.
        gold: [n] or [n, m] trusted labels of m raters, NaN where there is none.
        weight, propensity: [n].
        covariates: [n] or [n, d].
        bounds: range of the gold label.

    Errors: as `read`.

    >>> from_arrays(policy=["a", "b"], item=[0, 0], score=[0.2, 0.4], gold=[1, np.nan]).labelled.tolist()
    [True, False]
    """
    arrays: dict[str, object] = {"policy": policy}
    single = {"prompt_id": item, "cluster": cluster, "weight": weight, "propensity": propensity}
    single |= {"stratum": stratum, "draw": draw}
    arrays |= {name: values for name, values in single.items() if values is not None}
    wide = {"judge_score": score, "gold": gold, "covariate": covariates}
    named = {name: _spread(arrays, name, values) for name, values in wide.items()}
    return read(
        arrays,
        policy="policy",
        judge=named["judge_score"],
        gold=named["gold"],
        covariates=named["covariate"],
        bounds=bounds,
        **{name: name if name in arrays else None for name in ("cluster", "weight", "propensity", "stratum")},
    )


def _spread(arrays: dict[str, object], name: str, values: ArrayLike | None) -> tuple[str, ...]:
    """Adds the columns of a vector or matrix to `arrays`; their names."""
    if values is None:
        return ()
    block = np.asarray(values)
    if block.ndim == 1:
        arrays[name] = block
        return (name,)
    names = tuple(f"{name}_{number}" for number in range(block.shape[1]))
    arrays.update(zip(names, block.T, strict=True))
    return names


def _take(opened: Source, used: Columns, where: str | None) -> pl.DataFrame:
    """The needed rows and columns, with the user's row numbers."""
    names = used.needed()
    if opened.several and FILE not in names:
        names = (*names, FILE)
    condition, extra = keep_where(where, opened.names)
    frame = opened.take(tuple(dict.fromkeys((*names, *extra)))).with_row_index(_ROW)
    if frame.height == 0:
        raise AdjudgeError(f"{opened.label} has no rows.", "A table has at least one.", "Name another file.")
    return condition(frame).select(_ROW, *names)


def build(
    frame: pl.DataFrame,
    used: Columns,
    *,
    bounds: tuple[float, float] | None,
    several: bool,
    findings: tuple[Finding, ...] = (),
) -> Ratings:
    """Checks and codes a frame whose columns are known."""
    door = Door(_placer(frame, several), list(findings))
    policy, policies = _policies(frame, used, door)
    item = _codes(frame, used.item, "item", door)
    score = numbers.scores(frame, used.judges, door)
    gold, gold_variance = labels.gold(frame, used.gold, door)
    edge = labels.bounds(gold, bounds, door)
    weight = numbers.weights(frame[used.weight] if used.weight else None, frame.height, door)
    recorded = frame[used.propensity] if used.propensity else None
    propensity = numbers.propensities(recorded, frame.height, np.isfinite(gold), door)
    draw = _codes(frame, used.draw, "draw", door) if used.draw else None
    answer = policy * (int(item.max()) + 1) + item
    merged = duplicates.merge(answer, draw, score, gold, gold_variance, propensity, door)
    keep = merged.keep
    frame = frame if keep.size == frame.height else frame[keep]
    stratum, strata = _strata(frame, used)
    return Ratings(
        policies=policies,
        judges=used.judges,
        policy=policy[keep],
        item=item[keep],
        cluster=_codes(frame, used.cluster, "cluster", door) if used.cluster else item[keep],
        score=score[keep],
        gold=merged.gold[keep],
        weight=weight[keep],
        propensity=merged.propensity[keep],
        gold_variance=merged.gold_variance[keep],
        covariates=numbers.covariates(frame, used.covariates, Door(_placer(frame, several), door.findings)),
        covariate_names=used.covariates,
        stratum=stratum,
        strata=strata,
        bounds=edge,
        row=frame[_ROW].cast(pl.Int64).to_numpy(),
        findings=(*door.findings, *labels.oddities(merged.gold[keep])),
    )


def _placer(frame: pl.DataFrame, several: bool) -> numbers.Place:
    """How to name the user's row behind a position."""

    def place(position: int) -> str:
        row = int(frame[_ROW][position])
        if not several:
            return f"row {row}"
        stem = frame[FILE][position]
        start = int(frame[_ROW].filter(frame[FILE] == stem)[0])
        return f"row {row - start} of {stem}"

    return place


def _codes(frame: pl.DataFrame, name: str, part: str, door: Door) -> IntArray:
    """[n] codes of the ids in a column; every row its own when there is no column. Errors: missing ids."""
    if not name:
        return np.arange(frame.height)
    return coding.encode(_whole(coding.ids(frame[name]), part, door))[0]


def _whole(ids: pl.Series, part: str, door: Door) -> pl.Series:
    missing = ids.is_null()
    if bool(missing.any()):
        first = int(missing.arg_max() or 0)
        raise AdjudgeError(
            f"{ids.name}: {int(missing.sum()):,} of {ids.len():,} rows have no {part} (first: {door.place(first)}).",
            f"Every row belongs to one {part}.",
            f"Drop the rows with --where '{ids.name} IS NOT NULL', or name another column with --{part}.",
        )
    return ids


def _policies(frame: pl.DataFrame, used: Columns, door: Door) -> tuple[IntArray, tuple[str, ...]]:
    if not used.policy:
        return np.zeros(frame.height, dtype=np.int64), ("policy",)
    code, distinct = coding.encode(_whole(coding.ids(frame[used.policy]), "policy", door))
    if distinct.len() > MOST_POLICIES:
        raise AdjudgeError(
            f"{used.policy}: the policy has {distinct.len():,} distinct values.",
            f"At most {MOST_POLICIES:,} policies can be compared.",
            "Is it the right column? Name another with --policy.",
        )
    return code, tuple(str(name) for name in distinct)


def _strata(frame: pl.DataFrame, used: Columns) -> tuple[IntArray, tuple[str, ...]]:
    if not used.stratum:
        return np.zeros(frame.height, dtype=np.int64), ("all",)
    named = coding.ids(frame[used.stratum]).cast(pl.String).fill_null("(none)")
    code, distinct = coding.encode(named)
    return code, tuple(distinct)
