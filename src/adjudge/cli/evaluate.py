"""Rank policies from judge scores and a few gold labels, with honest intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.evaluate import evaluate
from ._columns import assigned, columns, given
from ._help import examples
from ._output import SEVERE, output, written
from ._progress import progress_bar
from ._source import of_source


@click.command(
    epilog=examples(
        "adjudge evaluate arena --judge judge_score --gold oracle_label",
        "adjudge evaluate ratings.parquet --judge judge_score --gold oracle_label",
        "adjudge evaluate gpt.jsonl claude.jsonl --judge score --gold human --item task",
        "adjudge evaluate ratings.csv --judge j1 --judge j2 --gold label --range 1,5 --cluster user",
        "adjudge evaluate ratings.csv --gold-file to_label.csv --format json --no-report",
        "adjudge evaluate ratings.parquet --gold-file crowd.parquet --aggregate one_coin",
        "adjudge evaluate ratings.csv --by language --method cvar --set tail=0.05",
    )
)
@of_source()
@columns
@click.option("--method", default="auto", show_default=True, help="A method of `adjudge methods value`.")
@click.option("--set", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument of --method; repeatable.")
@click.option("--aggregate", metavar="METHOD", help="Of `adjudge methods aggregation`: --gold-file has several raters.")
@click.option("--by", metavar="COLUMN", help="Value each policy on each of these groups too.")
@click.option("--calibration", default="auto", show_default=True, help="A method of `adjudge methods calibration`.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@click.option("--stream/--no-stream", default=None, help="Read in batches.  [default: from 1 GB on]")
@output
def command(
    source: str | list[str], form: str, out: Path, no_report: bool, arguments: tuple[str, ...], **options: Any
) -> int:
    """Say which policy is best, how sure that is, what to distrust and what would settle it.

    SOURCE is a file, folder, pattern, several files (one a policy), or the bundled table `arena`. A page and tables
    for programs go to --out. Exit code 2 means that a finding is severe.
    """
    with progress_bar("Reading") as progress:
        answer = evaluate(
            source,
            progress=progress,
            arguments=assigned(arguments),
            **given(options),
        )
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
