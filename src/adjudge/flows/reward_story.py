"""Tells a reward model: how often it is right on pairs it did not see, whether its chances hold, what length does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate, Part
from ..reports import numbers
from ..reports.story import Block, Curve, Dots, Findings, Forest, ForestRow, Line, Prose, Story, Table
from ..tables.reward_model import Held
from ..tables.words import counted
from .figure_blocks import cells
from .made import provenance
from .reward_flips import by_source

if TYPE_CHECKING:
    from .reward_fitted import Fitted

BINS = 10


def story(answer: Fitted) -> Story:
    """The report of a fit."""
    blocks: list[Block] = []
    if answer.model.report:
        blocks += [_accuracy(answer), _calibration(answer), _reliability(answer)]
    blocks += _length(answer)
    if answer.flips is not None:
        blocks.append(_flips(answer))
    figures = {**answer.model.figures, **answer.trained}
    if figures:
        blocks.append(
            Table("Of the fit", ("Figure", "Value"), tuple((name, _figure(value)) for name, value in figures.items()))
        )
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [*_honest(answer), provenance(answer.run)]
    table = answer.table
    return Story(
        title=f"What is the reward model worth ({answer.model.method})?",
        verdict=_verdict(answer),
        blocks=tuple(blocks),
        facts=(
            counted(table.compared.sum(), "pair"),
            f"{np.unique(table.cluster[table.compared]).size:,} independent units",
            f"{table.d:,} features",
            f"{len(table.sources):,} source{'s' * (len(table.sources) != 1)}",
        ),
    )


def _figure(value: float) -> str:
    """A count in full, and another figure in three digits, of which none is below the fourth place."""
    if value == np.round(value):
        return f"{value:,.0f}"
    return numbers.number(float(np.round(value, 4)))


def interval(held: Held, level: float, units: int) -> tuple[float, float]:
    """Of an accuracy."""
    part = Part("sampling", np.array([[held.accuracy_stderr**2]]), units)
    found = Estimate(
        ("accuracy",), np.array([held.accuracy]), (part,), df=np.array(max(units - 1, 1)), bounds=(0.0, 1.0)
    )
    low, high = found.interval(level)[0].tolist()
    return low, high


def _units(answer: Fitted, name: str) -> int:
    table = answer.table
    rows = table.compared & np.isfinite(answer.model.held_out)
    if name != "all":
        rows = rows & (table.source == table.sources.index(name))
    return int(np.unique(table.cluster[rows]).size)


def _accuracy(answer: Fitted) -> Forest:
    rows = []
    for name, held in answer.model.report.items():
        low, high = interval(held, answer.level, _units(answer, name))
        rows.append(
            ForestRow(
                "all pairs" if name == "all" else name, held.accuracy, held.accuracy_stderr, low, high,
                n_rows=held.n, method=answer.model.method,
            )
        )  # fmt: skip
    return Forest(
        tuple(rows),
        title="Right on pairs held out",
        caption="Each pair is predicted by a fit without its prompt.",
        unit="chance of naming the better one",
        bounds=(0.0, 1.0),
        level=answer.level,
        reference=0.5,
        reference_name="a coin",
        subject="On",
        count_name="Pairs",
    )


def _calibration(answer: Fitted) -> Table:
    rows = tuple(
        ("all pairs" if name == "all" else name, held.ece, held.balance, held.log_loss, held.brier)
        for name, held in answer.model.report.items()
    )
    return Table(
        "Do its chances hold?",
        ("On", "Calibration error", "Balance", "Log loss", "Brier"),
        rows,
        caption="Calibration error in ten bins, less what chance alone would show; a negative balance is too sure.",
    )


def _reliability(answer: Fitted) -> Curve:
    said, share, mass = reliability(answer)
    return Curve(
        "Said, and what came of it",
        (Line(said, share),),
        dots=Dots(said, share, mass),
        x_name="Chance that was said",
        y_name="Share that was better",
        identity=True,
        caption="Pairs held out, by the chance of the favoured side, in bins of like size.",
    )


def reliability(answer: Fitted) -> tuple[FloatArray, FloatArray, FloatArray]:
    """([b] mean chance of the favoured side, [b] how often it was better, [b] pairs) of pairs held out."""
    table, chance = answer.table, answer.model.held_out
    rows = np.flatnonzero(table.compared & np.isfinite(chance))
    p, target, weight = chance[rows], table.target[rows], table.weight[rows]
    favoured, right = np.maximum(p, 1 - p), np.where(p >= 0.5, target, 1 - target)
    edges = np.unique(np.quantile(favoured, np.linspace(0, 1, BINS + 1)[1:-1]))
    at = np.searchsorted(edges, favoured, side="right")
    total = np.bincount(at, weight)
    kept = total > 0
    said, share = (np.bincount(at, weight * column)[kept] / total[kept] for column in (favoured, right))
    return said, share, np.bincount(at, minlength=total.size)[kept].astype(float)


def _length(answer: Fitted) -> list[Block]:
    """How far labels and rewards follow length."""
    table, known = answer.table, np.isfinite(answer.table.length).all(axis=1)
    if not answer.model.report or not known.any() or (table.length[known, 0] == table.length[known, 1]).all():
        return []
    often, follows = answer.longer, answer.follows_length
    by = dict(zip(follows.names, cells(follows, answer.level), strict=True))
    rows = [(_called(name), cell, by.get(name, numbers.MISSING))
            for name, cell in zip(often.names, cells(often, answer.level), strict=True)]  # fmt: skip
    caption = f"On pairs held out, of unlike lengths in words; with {numbers.coverage(answer.level)} intervals."
    return [Table("What length does", ("By", "Longer one favoured", "Correlation with length"), tuple(rows), caption)]


def _called(name: str) -> str:
    return name.replace("bradley_terry", "Bradley-Terry").replace("_", " ")


def _flips(answer: Fitted) -> Table:
    assert answer.flips is not None  # asked by the caller
    told = answer.flips
    rows: tuple[tuple[str | float, ...], ...] = ()
    if told.estimate is not None:
        rows = tuple((name, rate, low, high) for name, rate, low, high in by_source(told.estimate, answer.level))
    return Table(
        "How often labels are turned round",
        ("Of", "Rate", "Low", "High"),
        (*rows, ("in the fit", told.rate, numbers.MISSING, numbers.MISSING)),
        caption=f"By {told.source or 'nothing: no rate can be told'}.",
    )


def _honest(answer: Fitted) -> list[Block]:
    if not answer.trained:
        return []
    return [
        Prose(
            "What the error holds",
            (
                "The transformer was trained on other prompts; here its last layer is fitted again to prompts that it "
                "never saw. Errors and held-out figures are of this last layer, and take what lies beneath as given.",
            ),
        )
    ]


def _verdict(answer: Fitted) -> str:
    held = answer.model.report.get("all")
    if not answer.table.compared.any():
        return "Learnt from responses that were rated one by one; no pair says what the model is worth."
    if held is None or not np.isfinite(held.accuracy):
        return "Too few independent prompts to say what the model is worth on pairs that it did not see."
    low, high = interval(held, answer.level, _units(answer, "all"))
    sure = "" if np.isnan(low) else f" ({numbers.percent(low)} to {numbers.percent(high)})"
    return (
        f"It names the better response in {numbers.percent(held.accuracy)}{sure} of {held.n:,} pairs that it did not "
        f"see; its chances are off by {max(held.ece, 0):.3f} on average."
    )
