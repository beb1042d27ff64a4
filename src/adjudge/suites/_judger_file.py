"""Reads JudgerBench results as OpenCompass writes them: what a judge replied, beside what it was held against.

Each file holds one judge's replies to one part, as {"0": {…}, "1": {…}} or a list: `prediction` is the reply, `gold`
tells the part. Arena: `category`, `winner` (`model_a`, `model_b`), `lan`. Benchmark: `dataset_name`, `meta_judge` (the
reference judge's reply) and `others` (`model`, `swap`).

Replies are read by the forms of each benchmark: `[[A]]`, `[[A>>B]]`, `m` or `M`, `"choice": "A++"`,
`'format_correctness': 1`. The published reader takes `B++` for `B+`; here it is what it says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.files import document

ARENA = "judgerbench_A"
_STEPS = {"A>>B": 2.0, "A>B": 1.0, "A=B": 0.0, "B>A": -1.0, "B>>A": -2.0}
_CHOICES = {"A++": 2.0, "A+": 1.0, "A=B": 0.0, "B+": -1.0, "B++": -2.0}


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What judges said, n rows.

    Arguments:
        judges, parts, models: names; the columns below hold positions in them. A part is a category of the arena,
            with its language, or one of the benchmarks.
        judge, part: [n] who replied, to what.
        arena: [n] whether the row is held against people's votes; else against the reference judge.
        model: [n] whose answer the reference judge rated; −1 in the arena.
        question: [n] code of the independent unit: what was asked, or the pair where the file does not tell.
        pair: [n] code of the two answers; both orders share it.
        said: [n] the verdict: 1 A is better, −1 B (steps of 2 where the benchmark has them; 1 or 0 for a check of
            format); NaN where it could not be read.
        gold: [n] the same of people, or of the reference judge.
        swapped: [n] whether the answers were shown the other way round; in the arena, whether B won.
    """

    judges: tuple[str, ...]
    parts: tuple[str, ...]
    models: tuple[str, ...]
    judge: IntArray
    part: IntArray
    arena: BoolArray
    model: IntArray
    question: IntArray
    pair: IntArray
    said: FloatArray
    gold: FloatArray
    swapped: BoolArray


def load(path: str | Path) -> Answers:
    """Results of one judge or several.

    Arguments:
        path: a file (one judge), or a folder whose folders are judges, each with its files; a folder of files alone is
            one judge.

    Errors: no such file; no JSON; a reply without what it is held against; an unknown winner or benchmark. Rows whose
    reference verdict cannot be read are left out, as in the published script.
    """
    where = Path(path)
    files = sorted(where.rglob("*.json")) if where.is_dir() else [where]
    rows = [row for file in files for row in _rows(file, file.stem if file == where else _judge(file, where))]
    if not rows:
        raise AdjudgeError(
            f"{path}: no replies.", "OpenCompass's predictions for JudgerBench, as JSON.", "Correct the path."
        )
    columns = list(zip(*rows, strict=True))
    (judges, judge), (parts, part), (_, question), (_, pair) = (_coded(columns[at]) for at in (0, 1, 4, 5))
    models = tuple(sorted({name for name in columns[3] if name}))
    return Answers(
        judges=judges,
        parts=parts,
        models=models,
        judge=judge,
        part=part,
        arena=np.array(columns[2]),
        model=np.array([models.index(name) if name else -1 for name in columns[3]]),
        question=question,
        pair=pair,
        said=np.array(columns[6], dtype=float),
        gold=np.array(columns[7], dtype=float),
        swapped=np.array(columns[8]),
    )


def verdict(reply: str, benchmark: str) -> float:
    """The verdict in a reply; NaN where there is none.

    >>> verdict("I think [[A>>B]]", "arenahard"), verdict('{"choice": "B++"}', "wildbench"), verdict("A", ARENA)
    (2.0, -2.0, 1.0)
    """
    if benchmark == ARENA:  # as published: an A anywhere, else a B anywhere
        return 1.0 if "A" in reply else -1.0 if "B" in reply else np.nan
    if benchmark == "alignment_bench_v1_1":
        return 1.0 if "[[A]]" in reply else -1.0 if "[[B]]" in reply else np.nan
    if benchmark == "alpaca_eval":
        return {"m": 1.0, "M": -1.0}.get(reply[:1], np.nan)
    if benchmark == "arenahard":
        found = re.search(r"\[\[([AB<>=]+)\]\]", reply)
        return _STEPS.get(found.group(1), np.nan) if found else np.nan
    if benchmark == "wildbench":
        found = re.search(r'"choice": "(.*?)"', reply)
        return _CHOICES.get(found.group(1).strip(), np.nan) if found else np.nan
    found = re.search(r"[\"']format_correctness[\"']:\s*([01])", reply)
    return float(found.group(1)) if found else np.nan


BENCHMARKS = (
    "alignment_bench_v1_1", "alpaca_eval", "arenahard", "wildbench", "fofo_test_prompts", "fofo_test_prompts_cn"
)  # fmt: skip
FORMAT = ("fofo_test_prompts", "fofo_test_prompts_cn")  # a single answer is rated: no order to swap


def _rows(file: Path, judge: str) -> list[tuple[Any, ...]]:
    found = document(file)
    entries = list(found.values()) if isinstance(found, Mapping) else found
    made: list[tuple[Any, ...]] = []
    for number, row in enumerate(entries if isinstance(entries, list) else [entries], start=1):
        one = _row(row, f"{file.name}: reply {number:,}")
        made += [(judge, *one)] if one else []
    return made


def _row(row: Any, where: str) -> tuple[Any, ...] | None:
    """Part, whether of the arena, model, question, pair, verdict, gold and whether swapped; None without a gold."""
    gold = row.get("gold") if isinstance(row, Mapping) else None
    if not isinstance(gold, Mapping) or "prediction" not in row or "dataset_name" not in gold:
        raise AdjudgeError(
            f"{where}: no prediction with a gold that names its dataset.",
            "OpenCompass's predictions for JudgerBench.",
            "Run its configuration eval_judgerbench, and give its folder `predictions`.",
        )
    name, reply = str(gold["dataset_name"]), str(row["prediction"] or "")
    others = gold.get("others")
    others = others if isinstance(others, Mapping) else {}
    model = str(others.get("model", "")) or "model"
    asked = str(gold.get("question") or others.get("question") or "")
    prompt = " ".join(
        sorted(re.findall(r"\w+|[^\w\s]", str(row.get("origin_prompt", where))))
    )  # the same in both orders
    sides = sorted(str(gold.get(side, "")) for side in ("model_a", "model_b")) if name == ARENA else [model]
    pair = f"{name} {' '.join(sides)} {_hash(asked or prompt)}"
    question = f"{name} {_hash(asked)}" if asked else pair
    if name == ARENA:
        held = {"model_a": 1.0, "model_b": -1.0}.get(str(gold.get("winner")), np.nan)
        if np.isnan(held):
            raise _unknown(where, f"winner {gold.get('winner')!r}", "model_a or model_b")
        part = "/".join(str(gold[key]) for key in ("lan", "category") if gold.get(key))
        return part or "arena", True, "", question, pair, verdict(reply, name), held, held < 0
    if name not in BENCHMARKS:
        raise _unknown(where, f"dataset {name!r}", ", ".join((ARENA, *BENCHMARKS)))
    held = verdict(str(gold.get("meta_judge", "")), name)
    swapped = bool(others.get("swap", False))
    return None if np.isnan(held) else (name, False, model, question, pair, verdict(reply, name), held, swapped)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _judge(file: Path, folder: Path) -> str:
    inside = file.relative_to(folder).parts
    return inside[0] if len(inside) > 1 else folder.name


def _coded(names: tuple[Any, ...]) -> tuple[tuple[str, ...], IntArray]:
    known, code = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return tuple(str(name) for name in known), code.astype(np.int64).ravel()


def _unknown(where: str, found: str, expected: str) -> AdjudgeError:
    return AdjudgeError(f"{where}: {found}.", f"One of {expected}.", "Correct the reply's gold.")
