"""`adjudge reward score`: answers scored by a reward model that was fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.reward_scores import score
from ._help import examples
from ._output import SEVERE, output, written
from ._source import of_source


@click.command(
    name="score",
    epilog=examples(
        "adjudge reward score responses.jsonl --model out/reward --out out/scores",
        "adjudge evaluate out/scores/scores.parquet --judge score --item item",
    ),
)
@of_source("ANSWERS...")
@click.option("--model", required=True, type=click.Path(), metavar="FOLDER", help="That `adjudge reward fit` wrote.")
@click.option("--item", metavar="COLUMN", help="Id of the prompt.  [default: item … or the prompt]")
@click.option("--prompt", metavar="COLUMN", help="What was asked.  [default: prompt …]")
@click.option("--policy", metavar="COLUMN", help="Who answered.  [default: policy, model …]")
@click.option("--response", metavar="COLUMN", help="The answer.  [default: response …]")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@output
def command(source: str | list[str], form: str, out: Path, no_report: bool, model: str, **given: Any) -> int:
    """Score ANSWERS with a fitted reward model, each with the error of the fit.

    Scores go to --out as `scores.parquet` (item, policy, score, score_stderr, words), which `adjudge evaluate` reads.
    """
    answer = score(source, model, **given)
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
