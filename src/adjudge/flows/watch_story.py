"""Tells a watched run as a story: stop or go on, gold and proxy over √KL, the law, and what the guarantee is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Audit, Estimate
from ..reports.story import Block, Curve, Dots, Findings, Forest, ForestRow, Line, Prose, Story, Table
from ..stats import overoptimisation as laws
from ..tables.words import counted
from .made import provenance
from .watch_figures import figures
from .watch_findings import guarantee

if TYPE_CHECKING:
    from .watching import Watching

DOWN = ("peak-passed", "proxy-gold-apart")  # what one look shows, without the guarantee of STOP
MARKS = "labelled checkpoints with their intervals"
MOST_ROWS = 60  # checkpoints in the table; of more, evenly many and those that matter


def story(answer: Watching) -> Story:
    """The report of a watch."""
    seen = answer.seen["monitor.overoptimisation"]
    blocks: list[Block] = [*curves(answer), _forest(answer, seen), _table(answer, seen)]
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [figures(answer), Prose("What STOP promises", (guarantee(answer),)), provenance(answer.run)]
    table = answer.table
    facts = (
        counted(len(table.steps), "checkpoint"),
        counted(table.step.size, "response"),
        counted(len(table.items), "prompt"),
        f"{answer.spent:,} of {answer.labels:,} gold labels spent",
    )
    return Story(title="Is it still climbing gold?", verdict=verdict(answer), blocks=tuple(blocks), facts=facts)


def curves(answer: Watching) -> tuple[Curve, Curve]:
    """Gold and proxy along the run."""
    seen = answer.seen["monitor.overoptimisation"]
    return _gold(answer, seen), _proxy(answer, seen)


def verdict(answer: Watching) -> str:
    """The answer in a sentence; the first words carry the news."""
    kept = "" if answer.keep is None else f" Keep the checkpoint of step {answer.keep:g}."
    chance = f"{100 * (1 - answer.level):.0f} %"
    if answer.stopped:
        at, best = (answer.table.name(code) for code in (answer.walked.watched.stopped, answer.walked.watched.best))
        return f"Stop: gold has fallen at {at} below {best}, with at most {chance} chance of a false alarm.{kept}"
    if answer.walked.open:
        return (
            f"Label {2 * len(answer.walked.open):,} responses, and look again: so far no fall of gold is proven at "
            f"{chance} chance of a false alarm."
        )
    if not np.isfinite(answer.gold).any():
        return "Nobody can say: the run has no gold label yet."
    if not answer.spent:
        return "Nobody can say: no prompt has been labelled at two checkpoints, so that no fall of gold could be seen."
    known = f"{answer.spent:,} labels have shown no fall of gold at {chance} chance of a false alarm."
    best = kept and kept.replace("Keep the checkpoint of", "Highest so far, by the law:")
    if any(one.code in DOWN for one in answer.findings):
        return f"Past the peak by a law, but no STOP: {known}{best}"
    return f"Go on: {known}{best}"


def _axis(answer: Watching) -> str:
    return "√KL" if np.isfinite(answer.table.kl).all() else "share of the run"


def _gold(answer: Watching, seen: Audit) -> Curve:
    """Gold by √KL with its error bars, the law with its band, and the interval of the peak."""
    d, gold = answer.table.distance, seen.figures["gold"]
    known = np.isfinite(gold.value)
    ends = np.clip(gold.interval(answer.level), *answer.walked.saved.bounds)
    count = np.bincount(answer.table.step, np.isfinite(answer.gold), len(answer.table.steps)).astype(float)
    dots = (
        Dots(d[known], gold.value[known], count[known], ends[known, 0], ends[known, 1], MARKS) if known.any() else None
    )
    line, support, caption = _law(answer, seen, d)
    keep = d[answer.walked.turn.keep] if answer.keep is not None else np.nan
    return Curve(
        "Gold along the run",
        (line,) if line else (),
        dots=dots,
        x_name=_axis(answer),
        y_name="gold",
        caption=caption,
        support=support,
        support_name=f"where the peak of the law is not ({100 * answer.level:.0f} %)",
        mark=float(keep),
        mark_name="" if answer.keep is None else f"keep: step {answer.keep:g}",
    )


def _law(answer: Watching, seen: Audit, d: FloatArray) -> tuple[Line | None, tuple[float, float] | None, str]:
    """The fitted law as a line, where its peak may lie, and both in words."""
    if "law" not in seen.figures or not np.ptp(d):
        return None, None, "Too few checkpoints are labelled for a law."
    at = np.linspace(d.min(), d.max(), 61)
    best = max(
        (laws.fit(answer.table.curve(answer.gold), law=name) for name in laws.LAWS),
        key=lambda fit: float(np.nan_to_num(fit.r2, nan=-np.inf)),
    )
    X = laws.design(best.law, at)
    fitted = best.coefficients.contrast(X, [f"{one:g}" for one in at])
    ends = fitted.interval(answer.level)
    line = Line(at, fitted.value, ends[:, 0], ends[:, 1], name=best.law)
    peak, low, high = seen.figures["peak"].value.tolist()
    low, high = max(low, float(d.min())), min(high, float(d.max()))
    told = "no peak" if np.isinf(peak) else f"a peak at {peak:.3g}"
    support = (low, high) if low < high else None
    return line, support, f"The line is the law {best.law}, with {told} and its {100 * answer.level:.0f} % band."


def _proxy(answer: Watching, seen: Audit) -> Curve:
    proxy = seen.figures["proxy"]
    known = np.isfinite(proxy.value)
    ends = proxy.interval(answer.level)
    order = np.argsort(answer.table.distance[known], kind="stable")
    x, y = answer.table.distance[known][order], proxy.value[known][order]
    whole = np.isfinite(ends[known]).all()
    band = (ends[known][order, 0], ends[known][order, 1]) if whole else (np.zeros(0), np.zeros(0))
    return Curve("The proxy along the run", (Line(x, y, *band),), x_name=_axis(answer), y_name="proxy")


def _shown(answer: Watching) -> list[int]:
    """Checkpoints that are listed: all, or evenly many with the labelled and the kept among them."""
    steps = len(answer.table.steps)
    if steps <= MOST_ROWS:
        return list(range(steps))
    labelled = np.unique(answer.table.step[np.isfinite(answer.gold)])
    even = np.linspace(0, steps - 1, MOST_ROWS).astype(int)
    return sorted({*even.tolist(), *labelled[:MOST_ROWS].tolist(), answer.walked.turn.keep, answer.walked.last})


def _note(answer: Watching, code: int) -> str:
    said = ["keep"] if answer.keep is not None and code == answer.walked.turn.keep else []
    return ", ".join([*said, *(["STOP"] if code == answer.walked.watched.stopped else [])])


def _forest(answer: Watching, seen: Audit) -> Forest:
    """Gold of each checkpoint, in the order of training: what programs read."""
    gold: Estimate = seen.figures["gold"]
    ends = np.clip(gold.interval(answer.level), *answer.walked.saved.bounds)
    size = len(answer.table.steps)
    rows, labels = np.bincount(answer.table.step, minlength=size), np.isfinite(answer.gold)
    count = np.bincount(answer.table.step, labels, size)
    return Forest(
        tuple(
            ForestRow(
                answer.table.name(code),
                float(gold.value[code]),
                float(gold.stderr[code]),
                float(ends[code, 0]),
                float(ends[code, 1]),
                n_rows=int(rows[code]),
                n_labels=int(count[code]),
                method=gold.method,
                verified=bool(count[code]),
                note=_note(answer, code),
            )
            for code in _shown(answer)
        ),
        title="Gold by checkpoint",
        unit="gold label",
        bounds=answer.walked.saved.bounds,
        level=answer.level,
        subject="Checkpoint",
        in_order=True,
    )


def _table(answer: Watching, seen: Audit) -> Table:
    table, gold, proxy = answer.table, seen.figures["gold"], seen.figures["proxy"]
    count = np.bincount(table.step, np.isfinite(answer.gold), len(table.steps))
    rows = tuple(
        (
            f"{table.steps[code]:g}",
            _cell(table.distance[code]),
            _cell(proxy.value[code]),
            _cell(gold.value[code]),
            int(count[code]),
            _note(answer, code),
        )
        for code in _shown(answer)
    )
    return Table("Checkpoints", ("Step", _axis(answer), "Proxy", "Gold", "Labels", "What"), rows)


def _cell(value: float) -> str | float:
    return float(value) if np.isfinite(value) else "–"
