"""Compare agents on few runs: stop as soon as it is decided, or say what to run next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.compare import METHODS, compare
from ._help import examples
from ._output import SEVERE, output, written
from ._source import of_source


@click.command(
    epilog=examples(
        "adjudge compare walker",
        "adjudge compare runs.csv",
        "adjudge compare first.csv --state study.json --runs-per-interim 5 --interims 5",
        "adjudge compare second.csv --state study.json",
        "adjudge compare trials.csv --agent policy --score success --trials 50",
        "adjudge compare walker.csv hopper.csv --each-file environment --reference PPO",
    )
)
@of_source()
@click.option("--agent", metavar="COLUMN", help="Who made the run.  [default: a usual name, else a column each]")
@click.option("--score", metavar="COLUMN", help="What the run scored, or 1 and 0.  [default: a usual name]")
@click.option("--env", "environment", metavar="COLUMN", help="Environment or initial condition.")
@click.option("--run", metavar="COLUMN", help="Tells the runs of an agent apart; rows of one run are averaged.")
@click.option(
    "--each-file",
    type=click.Choice(["runs", "environment"]),
    default="runs",
    show_default=True,
    help="What several files are: further runs, or an environment each.",
)
@click.option("--where", metavar="SQL", help="Keep rows only where this holds, such as \"split = 'test'\".")
@click.option("--method", type=click.Choice(METHODS), default="auto", show_default=True, help="How to compare.")
@click.option("--level", type=float, help="1 minus the family-wise error.  [default: 0.95]")
@click.option("--runs-per-interim", "runs", type=int, help="Runs of each agent between two looks.  [default: 5]")
@click.option("--interims", type=int, help="Looks at most.  [default: 5]")
@click.option("--trials", type=int, help="Trials of each policy at most, for successes.  [default: 50]")
@click.option("--early", type=float, help="Power to spend on calling agents equal early.  [default: 0]")
@click.option("--reference", metavar="AGENT", help="Compare all others with this one only.")
@click.option("--joint", is_flag=True, default=None, help="The paper's step-down over the largest difference.")
@click.option("--seed", type=int, help="Of every random draw.  [default: 0]")
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE", help="Remembers the runs between looks.")
@output
def command(source: str | list[str], form: str, out: Path, no_report: bool, **options: Any) -> int:
    """Say who is better, how many runs that took, and whether to stop or which agents to run again.

    SOURCE is a file with a column for each agent, or a row for each run; several files are further runs in their
    order; `walker` is bundled. Returns are compared by AdaStop, successes and failures by a test after each trial.
    Exit code 2 means that a finding is severe.
    """
    answer = compare(source, **options)
    if form == "table" and answer.pairs:
        click.echo(f"{answer.grid}\n")
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
