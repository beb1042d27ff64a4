"""Rank policies from votes on pairs or scores over tasks, with rank intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.rank import rank
from ._columns import assigned
from ._help import examples
from ._output import SEVERE, output, written
from ._source import of_source

MANY = ("outcome", "score", "cluster", "gold", "missing")


@click.command(
    epilog=examples(
        "adjudge rank battles",
        "adjudge rank votes --rater rater_kind --gold crowd --task prompt",
        "adjudge rank comparisons.parquet --left model_a --right model_b --outcome winner --cluster prompt",
        "adjudge rank comparisons.csv --covariate length=chars_a,chars_b --set order=True --cluster user",
        "adjudge rank scores.parquet --by model --task task_id --score score",
        "adjudge rank verdicts.parquet --by judge --task item --score verdict --answer gold",
        "adjudge rank scores.csv --by model --task task --method iqm --format json --no-report",
    )
)
@of_source()
@click.option("--left", metavar="COLUMN", help="One policy of the pair.  [default: left, model_a …]")
@click.option("--right", metavar="COLUMN", help="The other.  [default: right, model_b …]")
@click.option("--outcome", multiple=True, metavar="COLUMN", help="Who won; repeat for several raters.")
@click.option("--by", metavar="COLUMN", help="Scores: what is ranked, such as the model.")
@click.option("--score", multiple=True, metavar="COLUMN", help="Scores: how well it did; repeat for metrics.")
@click.option("--answer", metavar="COLUMN", help="Scores: the right answer; the score is 1 where both agree.")
@click.option("--task", "--item", "task", metavar="COLUMN", help="Prompt or task; what answers the same one is paired.")
@click.option("--cluster", multiple=True, metavar="COLUMN", help="Independent unit; twice for two-way clusters.")
@click.option("--gold", multiple=True, metavar="RATER", help="Whose votes are trusted: a rater, or a verdict column.")
@click.option("--rater", metavar="COLUMN", help="Votes: who voted.")
@click.option("--weight", metavar="COLUMN", help="Importance of each row.")
@click.option("--count", metavar="COLUMN", help="Votes: how many equal comparisons a row stands for.")
@click.option("--first", metavar="COLUMN", help="Votes: which side was shown first.  [default: left]")
@click.option("--time", metavar="COLUMN", help="Votes: when; orders them.  [default: order of the file]")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    metavar="NAME[=LEFT,RIGHT]",
    help="Style held apart from quality, such as length=chars_a,chars_b; repeatable.",
)
@click.option(
    "--families", type=click.Path(), metavar="FILE", help="name,family of policies and raters: self-preference."
)
@click.option("--stratum", metavar="COLUMN", help="Scores: group of tasks, such as the environment.")
@click.option("--draw", metavar="COLUMN", help="Scores: which of several runs.")
@click.option("--missing", multiple=True, metavar="WORD", help="Votes: a word that means no verdict.")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@click.option("--method", default="auto", show_default=True, help="A method of `adjudge methods ranking`.")
@click.option("--set", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument of --method; repeatable.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@output
def command(
    source: str | list[str], form: str, out: Path, no_report: bool, arguments: tuple[str, ...], **options: Any
) -> int:
    """Say who is best, how sure that is, and what to distrust.

    SOURCE is a file, folder, pattern or several files of votes on pairs or of scores over tasks, or a bundled table:
    `battles` (1.67 million votes, counted), `votes` (people and two judges on the same pairs). A page and tables for
    programs go to --out. Exit code 2 means that a finding is severe.
    """
    given: dict[str, Any] = {name: (value or None) if name in MANY else value for name, value in options.items()}
    answer = rank(source, arguments=assigned(arguments), **given)
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
