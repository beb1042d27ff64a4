"""Watch a run that climbs a proxy: spend a few gold labels, say stop or go on, name the checkpoint to keep."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..flows.watch import watch
from ..flows.watch_follow import follow
from ..flows.watching import Watching
from ..tables.read_run_log import Logged
from ._columns import Range
from ._help import examples
from ._output import INTERRUPTED, SEVERE, output, written
from ._progress import told_line


@click.command(
    epilog=examples(
        "adjudge watch run/ --gold gold.jsonl",
        "adjudge watch run/ --proxy judge --gold gold.jsonl --labels 200",
        "adjudge watch run/ --gold python:gold.py:score --follow",
        "adjudge watch completions.parquet --item prompt --proxy reward --kl logratio --gold labels.csv",
        "adjudge watch run/ --gold run/ask.jsonl",
        "adjudge watch run/ --gold judge:gpt-4o --range 1,5",
    )
)
@click.argument("source", metavar="RUN")
@click.option(
    "--gold", metavar="FILE", help="Labels (item, step, gold); python:FILE.py:F(prompt, response); judge:MODEL."
)
@click.option("--labels", type=int, default=200, show_default=True, help="Gold labels that may be spent in all.")
@click.option("--range", "bounds", type=Range(), default="0,1", show_default=True, help="Range of gold.")
@click.option("--step", metavar="COLUMN", help="Step of training.  [default: step, global_step …]")
@click.option("--item", metavar="COLUMN", help="Id of the prompt.  [default: item, prompt_id …, prompt]")
@click.option("--kl", metavar="COLUMN", help="log π/π_ref of the response, or the step's KL.  [default: kl …]")
@click.option("--proxy", metavar="COLUMN", help="The score that is optimised.  [default: proxy, reward, score …]")
@click.option("--gold-column", metavar="COLUMN", help="Of the labels, in their file or the run's.  [default: gold …]")
@click.option("--prompt", metavar="COLUMN", help="Text of the prompt.  [default: prompt …]")
@click.option("--response", metavar="COLUMN", help="Text of the response.  [default: response, completion …]")
@click.option("--weight", metavar="COLUMN", help="How many rows each row stands for.")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="FILE", help="Remembers it.  [default: RUN/watch.json]"
)
@click.option("--final/--running", default=None, help="Is the run over?  [default: as its samples say]")
@click.option("--follow", "following", is_flag=True, help="Look again until the run ends or STOP is said.")
@click.option("--every", type=float, default=10.0, show_default=True, help="Seconds between two looks of --follow.")
@click.option("--patience", type=float, default=3600.0, show_default=True, help="Seconds without news that end it.")
@click.option("--level", type=float, default=0.95, show_default=True, help="1 minus the chance of a false stop.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of prompts.")
@output
def command(
    source: str,
    form: str,
    out: Path,
    no_report: bool,
    following: bool,
    every: float,
    patience: float,
    gold_column: str | None,
    step: str | None,
    item: str | None,
    kl: str | None,
    proxy: str | None,
    prompt: str | None,
    response: str | None,
    weight: str | None,
    **options: Any,
) -> int:
    """Say whether gold still rises where a proxy is optimised, and which checkpoint to keep.

    RUN is the folder of a run with samples.jsonl, or a table with a response a row: its step, prompt, KL and proxy.
    Labels come from --gold; where one is missing, RUN/ask.jsonl says which responses to label next, and the same
    command goes on from there. A page and tables for programs go to --out. Exit code 2 means STOP.
    """
    logged = Logged(step, item, kl, proxy, gold_column, weight, prompt, response)
    code = 0
    if following:
        with told_line() as tell:
            files = [source, *([options["gold"]] if options["gold"] else [])]
            look = partial(_look, source, logged, options)
            answer, interrupted = follow(look, files, every=every, patience=patience, tell=tell)
        code = INTERRUPTED if interrupted else 0
    else:
        answer = watch(source, logged, **options)
    written(answer, form, out, no_report)
    return _code(answer) or code


def _look(source: str, logged: Logged, options: dict[str, Any], over: bool) -> Watching:
    """A look at the run, which is over where it is said to be, or has written its last."""
    final = over if options["final"] is None else options["final"]
    return watch(source, logged, **{**options, "final": final})


def _code(answer: Watching) -> int:
    return SEVERE if answer.severe else 0
