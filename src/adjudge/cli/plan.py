"""Say how many more labels would settle the question, and write the rows to label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.evaluate import evaluate
from ..flows.plan import plan
from ._columns import columns, given
from ._help import examples
from ._source import of_source


@click.command(
    epilog=examples(
        "adjudge plan arena --judge judge_score --gold oracle_label",
        "adjudge plan ratings.csv --gold human --judge-cost 0.002 --gold-cost 1.50 --budget 200 --out to_label.csv",
        "adjudge plan ratings.csv --gold human --between prompt-a prompt-b --target 0.02",
        "# fill in the column `gold`, then",
        "adjudge evaluate ratings.csv --gold human --gold-file to_label.csv",
    )
)
@of_source()
@columns
@click.option("--gold-cost", type=float, default=1.0, show_default=True, help="Price of one gold label.")
@click.option("--judge-cost", type=float, default=0.0, help="Price of judging one response; 0: no more prompts.")
@click.option("--budget", type=float, default=float("nan"), help="Money to spend.  [default: what settles it]")
@click.option("--target", type=float, default=float("nan"), help="Half-width of the difference to reach.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Chance of settling today's difference.")
@click.option("--between", nargs=2, metavar="POLICY POLICY", help="The pair that matters.  [default: the leader's]")
@click.option("--labels", "count", type=int, help="Labels to draw for each policy, instead of the number worked out.")
@click.option("--uniform", type=float, default=0.5, show_default=True, help="Share of simple random sampling mixed in.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@click.option("--out", type=click.Path(path_type=Path), default="to_label.csv", show_default=True, metavar="FILE")
def command(
    source: str | list[str],
    gold_cost: float,
    judge_cost: float,
    budget: float,
    target: float,
    power: float,
    between: tuple[str, str] | None,
    count: int | None,
    uniform: float,
    out: Path,
    **options: Any,
) -> None:
    """Work out how many labels would settle which policy is best, and draw the rows to label.

    The file has an empty column `gold` to fill in; give it back with `adjudge evaluate … --gold-file`. The chance at
    which each row was drawn stands beside it, so the estimate stays unbiased though hard rows are drawn more often.
    """
    answer = evaluate(source, **given(options))
    found = plan(
        answer,
        gold_cost=gold_cost,
        judge_cost=judge_cost,
        budget=budget,
        target=target,
        power=power,
        between=between or None,
        labels=count,
        uniform=uniform,
    )
    click.echo(repr(found))
    if found.drawn.any():
        click.echo(f"\nRows to label: {found.save(out)} ({int(found.drawn.sum()):,} empty in column `gold`)")
