"""Run a judge over answers: an endpoint, a local model, rules, code, people; paid once, resumed where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.judge import judge
from ._asking import asking_of, asking_options
from ._columns import assigned
from ._help import examples
from ._output import SEVERE, interrupted, output, paid, written
from ._progress import spending_bar
from ._source import of_source


@click.command(
    epilog=examples(
        "adjudge judge responses.jsonl --protocol pairwise --swap --model gpt-4o-mini --price-in 0.15 --price-out 0.6 "
        "--budget 5",
        "adjudge judge responses.jsonl --protocol rubric --rubric rubric.toml --model tiny@http://localhost:8000/v1",
        "adjudge judge pairs.csv --response output_1 --response output_2 --model hf:models/judge --samples 3",
        "adjudge judge responses.jsonl --swap --model a --model b --model c      # a jury of three",
        "adjudge judge answers.jsonl --protocol rules --set rule=contains",
        "adjudge judge responses.jsonl --model gpt-4o-mini --inject bandwagon --inject verbosity --tokens 2e6",
        "adjudge judge responses.jsonl --protocol people --set sheet=to_fill.csv",
    )
)
@of_source()
@click.option("--protocol", default="pairwise", show_default=True, help="A judge of `adjudge methods judges`.")
@click.option(
    "--model", multiple=True, metavar="WHO", help="[PART=]NAME, NAME@ADDRESS, ADDRESS, hf:FOLDER, python:FILE.py:F."
)
@click.option("--rubric", type=click.Path(), metavar="FILE", help="Criteria as TOML, for protocols with a rubric.")
@click.option("--template", type=click.Path(), metavar="FILE", help="Your own prompt as TOML.")
@click.option("--set", "options", multiple=True, metavar="NAME=VALUE", help="An option of --protocol; repeatable.")
@click.option(
    "--as",
    "takes",
    type=click.Choice(["alone", "pairs", "lists"]),
    help="What a case holds, for protocols that take any.  [default: the protocol's own]",
)
@click.option("--swap", is_flag=True, help="Pairs: ask in both orders.")
@click.option("--samples", type=int, default=1, show_default=True, help="Answers to each question.")
@click.option("--inject", multiple=True, metavar="BIAS", help="Judge again with this bias planted; repeatable.")
@click.option("--item", metavar="COLUMN", help="Id of the prompt.  [default: item … or the prompt]")
@click.option("--prompt", metavar="COLUMN", help="What was asked.  [default: prompt …]")
@click.option("--policy", metavar="COLUMN", help="Who answered.  [default: policy, model …]")
@click.option("--response", multiple=True, metavar="COLUMN", help="The answer; twice for a table of pairs.")
@click.option("--reference", metavar="COLUMN", help="A right answer.  [default: reference …]")
@click.option("--image", metavar="COLUMN", help="A picture that was answered with, or about.")
@click.option("--cluster", metavar="COLUMN", help="Independent unit.  [default: the item]")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Goes into the tables of verdicts; `gold` always does.")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@click.option("--against", default="", metavar="POLICY", help="Pair this policy with each other one alone.")
@click.option("--pairs", type=int, default=0, metavar="N", help="Pairs drawn for each prompt.  [default: all]")
@click.option("--limit", type=int, default=0, metavar="N", help="Judge the first N cases.  [default: all]")
@asking_options
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@output
def command(
    source: str | list[str],
    form: str,
    out: Path,
    no_report: bool,
    options: tuple[str, ...],
    rubric: str | None,
    template: str | None,
    **given: Any,
) -> int:
    """Judge answers, each alone, in pairs or all of a prompt together, as the protocol takes them.

    SOURCE is a table of prompts and answers, one answer or one pair a row. Verdicts go to --out as `verdicts.parquet`
    (and `votes.parquet`, `trials.parquet`), which `adjudge audit`, `rank` and `evaluate` read. Each answer of a model
    is kept as it returns: a run that was stopped goes on when the same command is typed again, and pays nothing twice.
    Keys are read from OPENAI_API_KEY and written nowhere. Exit code 2 means that a finding is severe.
    """
    chosen = assigned(options) | ({"rubric": rubric} if rubric else {}) | ({"prompt": template} if template else {})
    asking = asking_of(given, None if no_report else out)
    given["response"] = given["response"] or None
    given["takes"] = {None: None, "alone": 1, "pairs": 2, "lists": 0}[given["takes"]]
    with spending_bar("Judging") as progress:
        try:
            answer = judge(
                source,
                options=chosen,
                asking=asking,
                progress=progress,
                **given,
            )
        except KeyboardInterrupt:
            return interrupted(paid(asking.store))
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
