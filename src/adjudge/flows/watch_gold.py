"""Who knows the truth of a response: a file of labels, the table itself, or a function that is asked at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .._typing import FloatArray
from ..backends.function import loaded
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables import coding, numbers
from ..tables.columns import listing
from ..tables.files import suffix
from ..tables.numbers import Door
from ..tables.read import take
from ..tables.read_run_log import USUAL, lines
from ..tables.run_log import RunLog
from ..tables.sources import open_source
from .row_functions import each

Score = Callable[[Sequence[str], Sequence[str]], Sequence[float]]
"""Prompts and responses to scores; NaN where there is none to give."""


@dataclass(frozen=True, eq=False)
class Gold:
    """What is known of each row, and whom to ask for the rest.

    Arguments:
        known: [r] labels that are there; NaN where there is none.
        answered: [r] whether somebody has looked at the row, though no label may have come of it.
        asks: gives labels at once; None where people label, and `ask.jsonl` asks them.
        bounds: range in which labels must lie.
        findings: what is doubtful about the labels.
    """

    known: FloatArray
    answered: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    asks: Score | None = None
    bounds: tuple[float, float] = (0.0, 1.0)
    findings: list[Finding] = field(default_factory=list)

    def of(self, table: RunLog, rows: Sequence[int]) -> list[float | None]:
        """Labels of rows: NaN for a row that was looked at in vain, None for one that waits for its label."""
        missing = [row for row in rows if not self.answered[row]]
        if missing and self.asks is not None:
            said = self.asks([table.prompt[row] for row in missing], [table.response[row] for row in missing])
            self._take(missing, [float(one) if one is not None else math.nan for one in said])
        return [float(self.known[row]) if self.answered[row] else None for row in rows]

    def _take(self, rows: Sequence[int], said: Sequence[float]) -> None:
        if len(said) != len(rows):
            raise AdjudgeError(
                f"gold: {len(said)} labels for {len(rows)} responses.", "One each.", "Correct the function."
            )
        for row, one in zip(rows, said, strict=True):
            require_inside(one, self.bounds, "the function")
            self.known[row], self.answered[row] = one, True


def require_range(bounds: tuple[float, float]) -> None:
    """Errors: a range of gold that is none."""
    fits = len(bounds) == 2 and all(isinstance(end, int | float) and math.isfinite(end) for end in bounds)
    if not (fits and bounds[0] < bounds[1]):
        raise AdjudgeError(
            f"watch: the range of gold is {', '.join(map(str, bounds))}.",
            "Two finite numbers, the lower first.",
            "Correct --range LOW,HIGH, or bounds = [LOW, HIGH] under [stop].",
        )


def require_inside(label: float, bounds: tuple[float, float], who: str) -> None:
    """Errors: a label outside its range."""
    low, high = bounds
    if not (math.isnan(label) or low <= label <= high):
        raise AdjudgeError(
            f"gold: {who} gave {label:g}.",
            f"A label from {low:g} to {high:g}: the guarantee rests on the range.",
            "Name the scale with --range LOW,HIGH (bounds under [stop]), or correct the label.",
        )


def gold(source: object, table: RunLog, *, bounds: tuple[float, float], column: str | None = None) -> Gold:
    """Labels of a run.

    Arguments:
        source: None (those of the table alone), `python:FILE.py:F` with F(prompt, response) -> label, a function of
            prompts and responses, or a table of labels with columns item, step and gold.
        table: the run.
        bounds: range of the labels.
        column: of the labels in their table; None takes a usual name.

    Errors: a range that is none; a function without texts to ask about; a table of labels without its columns; a label
    out of range.
    """
    require_range(bounds)
    known = table.gold.copy()
    found = Gold(known, np.isfinite(known), bounds=bounds)
    if source is None:
        pass
    elif callable(source) or (isinstance(source, str) and source.startswith("python:")):
        if not table.prompt or not table.response:
            raise AdjudgeError(
                "gold: a function is asked about prompts and responses, and the run has no such columns.",
                "Columns prompt and response.",
                "Name them with --prompt and --response, or give gold as a file of labels.",
            )
        asks = source if callable(source) else each(loaded(source.removeprefix("python:")), of="gold")
        found = Gold(known, np.isfinite(known), asks, bounds)
    else:
        _labels(source, table, found, column)
    for label in known[np.isfinite(known)]:
        require_inside(float(label), bounds, "a row")
    return found


def _labels(source: object, table: RunLog, found: Gold, column: str | None) -> None:
    """Puts the labels of a table to their rows: one each, several of one response by their mean."""
    is_lines = isinstance(source, (str, Path)) and suffix(Path(source)) in (".jsonl", ".ndjson")
    if is_lines and Path(str(source)).is_file() and not Path(str(source)).stat().st_size:
        return  # nobody has labelled yet
    opened = open_source(
        lines(Path(str(source)), found.findings) if is_lines and Path(str(source)).is_file() else source
    )
    own = {name.strip().lower(): name for name in reversed(opened.names)}
    used = {part: next((own[name] for name in USUAL[part] if name in own), "") for part in ("item", "step", "gold")}
    used["gold"] = column or used["gold"]
    missing = [part for part, name in used.items() if name not in opened.names]
    if missing:
        raise AdjudgeError(
            f"gold: no column holds the {' or the '.join(missing)}.",
            f"A table of labels has item, step and gold. Its columns are: {listing(opened.names)}.",
            "Fill the column gold of ask.jsonl, or rename the columns.",
        )
    sample = own.get("sample", "")
    frame = take(opened, tuple(name for name in (*used.values(), sample) if name), None)
    door = Door.at(frame, found.findings, several=opened.several)
    at, label = (
        numbers.numeric(frame[used["step"]], door, "--step"),
        numbers.numeric(frame[used["gold"]], door, "--gold"),
    )
    number = numbers.numeric(frame[sample], door, "sample") if sample else np.zeros(frame.height)
    ids = [str(one) for one in coding.ids(frame[used["item"]])]
    rows = {
        (table.items[item], table.steps[step], int(which)): row
        for row, (item, step, which) in enumerate(
            zip(table.item.tolist(), table.step.tolist(), table.sample.tolist(), strict=True)
        )
    }
    said: dict[int, list[float]] = {}
    strange = 0
    for key in zip(ids, at.tolist(), np.nan_to_num(number).tolist(), label.tolist(), strict=True):
        row = rows.get((key[0], key[1], int(key[2])))
        if row is None:
            strange += 1
        else:
            said.setdefault(row, []).append(key[3])
    for row, several in said.items():
        real = [one for one in several if not math.isnan(one)]
        if real:  # an empty cell is a label that is still to come
            found.known[row], found.answered[row] = float(np.mean(real)), True
    _told(said, strange, found)


def _told(said: dict[int, list[float]], strange: int, found: Gold) -> None:
    repeated = sum(len(several) > 1 for several in said.values())
    if repeated:
        found.findings.append(
            Finding("labels-repeated", Severity.INFO, f"{repeated:,} responses have several labels: their mean counts.",
                    float(repeated), 0.0)
        )  # fmt: skip
    if strange:
        found.findings.append(
            Finding("labels-of-nobody", Severity.WARNING,
                    f"{strange:,} labels are of an item or step that the run does not have, and are left out.",
                    float(strange), 0.0, "Keep item, step and sample as ask.jsonl has them.")
        )  # fmt: skip
