"""Audit judges: accuracy, biases, agreement, drift, and what could not have been seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.audit import check
from ._help import examples
from ._output import SEVERE, output, written
from ._source import of_source

MANY = ("machines", "rater", "gold", "judge", "outcome", "missing", "checks", "covariates")


@click.command(
    epilog=examples(
        "adjudge audit llmbar --rater judge --rater prompt --gold gold --covariate length=chars_1,chars_2",
        "adjudge audit verdicts.parquet --gold gold",
        "adjudge audit votes.csv --left model_a --right model_b --outcome winner --rater judge --first shown_first",
        "adjudge audit pairs.csv --outcome gpt --outcome llama --gold annotator1 --covariate chars",
        "adjudge audit scores.parquet --judge score --rater judge --policy model --item task_id --covariate chars",
        "adjudge audit labels.parquet --rater worker --label label --gold gold --class G,P,R,X",
        "adjudge audit trials.parquet --check injected_bias --format json --no-report",
    )
)
@of_source()
@click.option("--rater", multiple=True, metavar="COLUMN", help="Who judged; repeat to name a rater by several columns.")
@click.option("--gold", multiple=True, metavar="NAME", help="Trusted raters, or columns of right verdicts or labels.")
@click.option("--item", metavar="COLUMN", help="The prompt or task.  [default: item …]")
@click.option("--policy", metavar="COLUMN", help="Scores: whose answer it is.  [default: policy, model …]")
@click.option("--judge", multiple=True, metavar="COLUMN", help="Scores: the score column, one for each judge.")
@click.option("--left", metavar="COLUMN", help="Verdicts: one policy of the pair.  [default: left, model_a …]")
@click.option("--right", metavar="COLUMN", help="Verdicts: the other.")
@click.option("--outcome", multiple=True, metavar="COLUMN", help="Verdicts: who won; repeat for several raters.")
@click.option("--first", metavar="COLUMN", help="Verdicts: which side was shown first.  [default: left]")
@click.option("--swapped", metavar="COLUMN", help="Verdicts: true where the second answer was shown first.")
@click.option("--label", metavar="COLUMN", help="Labels: what a rater said of an item.")
@click.option("--class", "classes", metavar="A,B,C", help="Labels: the classes in order.")
@click.option("--condition", metavar="COLUMN", help="Trials: which bias was planted; `clean` for none.")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    metavar="NAME[=LEFT,RIGHT]",
    help="Style that may sway a judge, such as length=chars_a,chars_b; repeatable.",
)
@click.option(
    "--families", type=click.Path(), metavar="FILE", help="name,family of policies and raters: self-preference."
)
@click.option("--cluster", metavar="COLUMN", help="Independent unit.  [default: the item]")
@click.option("--missing", multiple=True, metavar="WORD", help="Verdicts: a word that means no verdict.")
@click.option("--versions", nargs=2, metavar="OLD NEW", help="Two judges: what changed from one to the other.")
@click.option(
    "--machine", "machines", multiple=True, metavar="RATER", help="Labels: raters who are judges, not people."
)
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@click.option("--check", "checks", multiple=True, metavar="NAME", help="Only this check of `adjudge methods audit`.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage; 1 − chance of a false finding.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@output
def command(source: str | list[str], form: str, out: Path, no_report: bool, classes: str | None, **options: Any) -> int:
    """Say how far judges can be believed, and where they cannot.

    SOURCE is a file, folder, pattern or several files of verdicts on pairs, of scores, of raters' labels, or of
    verdicts under planted biases; or a bundled table: `llmbar` (six judges, up to twelve prompts, both orders, gold).
    Every check that the table can answer is made. A page and tables for programs go to --out. Exit code 2 means that a
    finding is severe.
    """
    given: dict[str, Any] = {name: (value or None) if name in MANY else value for name, value in options.items()}
    for name in ("checks", "covariates", "machines"):
        given[name] = given[name] or ()
    words = tuple(word.strip() for word in classes.split(",")) if classes else ()
    answer = check(source, classes=words, **given)
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
