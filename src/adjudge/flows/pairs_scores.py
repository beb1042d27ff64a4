"""Scores of a policy's samples: columns that are there, or a judge of `judges/` that is run over them now."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from .._typing import FloatArray
from ..errors import AdjudgeError
from ..tables.columns import Names
from ..tables.read_samples import SampledTexts
from .asking import Asking
from .judge import Progress, judge
from .judged import Judged


def judged_scores(
    samples: SampledTexts,
    *,
    protocol: str,
    model: Names,
    options: Mapping[str, object] | None,
    compare: bool,
    comparisons: int,
    swap: bool,
    asking: Asking | None,
    seed: int,
    progress: Progress | None,
) -> tuple[FloatArray, Judged]:
    """([n] score of each sample, the run of the judge). Of comparisons the score is the share that a sample won.

    Arguments:
        samples: what is judged.
        protocol, model, options, swap, asking, progress: as in `flows.judge`.
        compare: two answers at a time, for protocols that take any number.
        comparisons: drawn for each prompt at most, for protocols on pairs; 0 for all.
        seed: of draws.

    Errors: as `flows.judge`; messages where a judge reads texts; no verdict at all.
    """
    if not all(isinstance(each, str) for each in (*samples.prompt, *samples.response)):
        raise AdjudgeError(
            "samples: prompts or responses are lists of messages.",
            "Texts, for a judge that is run here.",
            "Score them with `adjudge judge` first, and name the column with --judge.",
        )
    place = _place(samples)
    rows = {"item": [f"{code}" for code in samples.item], "policy": [f"sample {number}" for number in place]}
    rows |= {"prompt": list(samples.prompt), "response": list(samples.response)}  # type: ignore[arg-type]
    answer = judge(
        rows,
        protocol=protocol,
        model=model,
        options=options,
        takes=2 if compare else None,
        swap=swap,
        pairs=comparisons,
        asking=asking,
        seed=seed,
        progress=progress,
    )
    score = _won(answer.frame) if answer.paired else answer.frame.group_by("item", "policy").agg(pl.col("score").mean())
    table = pl.DataFrame({"item": rows["item"], "policy": rows["policy"]})
    joined = table.join(score, on=["item", "policy"], how="left", maintain_order="left")
    found = joined["score"].fill_null(np.nan).to_numpy()
    if np.isnan(found).all():
        raise AdjudgeError(
            f"{protocol}: no response was given a score.", "At least some verdicts.", "Look at the judge's answers."
        )
    return found, answer


def _place(samples: SampledTexts) -> list[int]:
    """The number of each sample among those to its prompt, from 1."""
    seen: dict[int, int] = {}
    out = []
    for code in samples.item.tolist():
        seen[code] = seen.get(code, 0) + 1
        out.append(seen[code])
    return out


def _won(frame: pl.DataFrame) -> pl.DataFrame:
    """Share of comparisons that each answer to a prompt won."""
    given = frame.filter(pl.col("outcome").is_not_nan())
    sides = [
        given.select("item", policy=pl.col(side), score=won)
        for side, won in (("left", pl.col("outcome")), ("right", 1 - pl.col("outcome")))
    ]
    return pl.concat(sides).group_by("item", "policy").agg(pl.col("score").mean())
