"""Shows the demonstration on one page: what each policy is worth, both runs, what they say, and what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..reports.story import Block, Curve, Findings, Forest, ForestRow, Line, Prose, Story, Table
from .demo_ablation_story import blocks as ablation_blocks
from .demo_judged import WAYS
from .demo_words import biased, corrected, verdict, watched
from .demo_world import gold
from .made import provenance

if TYPE_CHECKING:
    from .demo_loop import DemoLoop

SHOWN = 3  # prompts in the table of samples


def story(answer: DemoLoop) -> Story:
    """The page."""
    blocks: list[Block] = [
        _values(answer),
        Prose("What happened", (biased(answer), watched(answer), corrected(answer))),
        *(ablation_blocks(answer.ablation, answer.level) if answer.ablation else ()),
        _curve(answer, "gold", "Gold along both runs", "gold label"),
        _curve(answer, "points", "The judge's points along both runs", "points"),
        _curve(answer, "words", "Length along both runs", "words"),
        _samples(answer),
        _ways(answer),
        _bias(answer),
    ]
    if answer.findings:
        blocks.append(Findings(answer.findings, title="What the audit and the monitor said of the judge"))
    blocks.append(provenance(answer.run))
    size = answer.world.size
    return Story(
        title="Can a policy be improved on a judge who likes length?",
        verdict=verdict(answer),
        blocks=tuple(blocks),
        lede="A small language model, trained here from nothing, describes things in a little language whose truth is "
        "known: a response is worth the facts it names, less what is wrong, and less padding.",
        facts=(
            f"seed {answer.world.seed}",
            f"{len(answer.heard.prompts):,} judged responses",
            f"{int(np.isfinite(answer.heard.gold).sum()):,} gold labels before",
            f"{answer.naive.watching.spent + answer.corrected.watching.spent:,} while watching",
            f"{size.steps:,} updates a run",
            f"{answer.seconds / 60:.1f} minutes this time",
        ),
    )


def _values(answer: DemoLoop) -> Forest:
    values = answer.last.values
    counts = [answer.last.gold[name].size for name in values.names]
    notes = {
        name: f"{answer.last.words[name].mean():.0f} words, {answer.last.points[name].mean():.1f} points"
        for name in values.names
    }
    return Forest(
        tuple(
            ForestRow(row.policy, row.value, row.stderr, row.low, row.high, n_rows=count, n_labels=count,
                      method=values.method, note=notes[row.policy])
            for row, count in zip(_rows(values, answer.level), counts, strict=True)
        ),
        title="What each policy is worth",
        caption=f"Gold on {counts[0]} prompts that nothing has seen before, {answer.world.size.takes} responses each.",
        unit="gold label, 0 to 1",
        bounds=(0.0, 1.0),
        level=answer.level,
        count_name="Prompts",
    )  # fmt: skip


def _rows(values: Estimate, level: float) -> tuple[ForestRow, ...]:
    ends = values.interval(level)
    return tuple(
        ForestRow(name, float(value), float(error), float(low), float(high), method=values.method)
        for name, value, error, (low, high) in zip(values.names, values.value, values.stderr, ends, strict=True)
    )


def _curve(answer: DemoLoop, what: str, title: str, unit: str) -> Curve:
    """A figure of both runs over how far they went."""
    stop = answer.naive.watching.stopped
    runs = {"judge alone": answer.whole, "corrected": answer.corrected.curves}
    return Curve(
        title,
        tuple(_line(name, curves["distance"], curves[what]) for name, curves in runs.items()),
        x_name="√KL",
        y_name=unit,
        mark=float(answer.naive.curves["distance"][-1]) if stop else float("nan"),
        mark_name="STOP" if stop else "",
        caption=f"{answer.world.size.watched} watched prompts at each look.",
        zero=what == "gold",
    )


def _line(name: str, x: FloatArray, y: FloatArray) -> Line:
    order = np.argsort(x, kind="stable")
    return Line(x[order], y[order], name=name)


def _samples(answer: DemoLoop) -> Table:
    """What the policies say to the same prompts."""
    last, rows = answer.last, []
    for at, prompt in enumerate(last.prompts[:SHOWN]):
        for name, said in last.responses.items():
            text = said[at][0]
            (worth,), (points,) = gold([prompt], [text]), answer.world.points([prompt], [text])
            rows.append((prompt, name, text or "(nothing)", round(worth, 2), round(points, 1)))
    return Table("What they say", ("Prompt", "Policy", "Response", "Gold", "Judge"), tuple(rows))


def _ways(answer: DemoLoop) -> Forest:
    evaluation = answer.heard.evaluation
    return Forest(
        _rows(evaluation.estimate, answer.level),
        title="Five ways to speak, before anything is optimised",
        caption=f"Values by {evaluation.estimate.method}: all {len(answer.heard.prompts):,} responses are judged, "
        f"{int(np.isfinite(answer.heard.gold).sum())} have a gold label. The ways: {', '.join(WAYS)}.",
        unit="gold label, 0 to 1",
        bounds=(0.0, 1.0),
        level=answer.level,
        count_name="",
        ranked=False,
    )


def _bias(answer: DemoLoop) -> Forest:
    return Forest(
        _rows(answer.heard.bias, answer.level),
        title="What length does to the judge's score",
        unit="standard deviations of score for one of length, beside gold",
        level=answer.level,
        reference=0.0,
        reference_name="no effect",
        subject="Judge",
        count_name="",
        ranked=False,
    )
