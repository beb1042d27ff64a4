"""Make preference pairs of a policy's own samples, with the chance that the chosen one truly is better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.pairs import LABELS, pairs
from ._asking import asking_of, asking_options
from ._columns import assigned
from ._help import examples
from ._output import SEVERE, interrupted, output, paid, written
from ._progress import spending_bar
from ._source import of_source


@click.command(
    epilog=examples(
        "adjudge pairs samples.jsonl --judge score --gold gold --method best_worst --out pairs",
        "adjudge pairs samples.jsonl --judge reward --method rejection --set beta=0.5 --set keep=8",
        "adjudge pairs samples.jsonl --protocol pairwise --swap --model gpt-4o-mini --comparisons 6 --gold label",
        "adjudge pairs samples.parquet --judge helpful --judge honest --gold gold --method all_pairs --set most=4",
        "adjudge pairs samples.jsonl --judge score --gold gold --labels hard   # 1 and a flip rate, for robust losses",
    )
)
@of_source()
@click.option("--judge", multiple=True, metavar="COLUMN", help="Scores that are there; repeat for several judges.")
@click.option("--protocol", metavar="JUDGE", help="Or a judge of `adjudge methods judges` that is run now.")
@click.option("--model", multiple=True, metavar="WHO", help="Whom --protocol asks, as in `adjudge judge`.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of --protocol; repeatable.")
@click.option("--compare", is_flag=True, help="Two at a time, for a --protocol that takes any number.")
@click.option("--comparisons", type=int, default=0, metavar="N", help="Comparisons of each prompt.  [default: all]")
@click.option("--swap", is_flag=True, help="Comparisons: ask in both orders.")
@click.option("--gold", metavar="COLUMN", help="Trusted labels of some samples.  [default: gold]")
@click.option("--calibration", default="auto", show_default=True, help="A method of `adjudge methods calibration`.")
@click.option("--method", default="best_worst", show_default=True, help="A method of `adjudge methods pairing`.")
@click.option("--set", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument of --method; repeatable.")
@click.option(
    "--labels",
    type=click.Choice(LABELS),
    default="soft",
    show_default=True,
    help="A probability, or 1 and the rate at which that is wrong.",
)
@click.option("--prompt", metavar="COLUMN", help="What was asked.  [default: prompt …]")
@click.option("--response", metavar="COLUMN", help="What the policy answered.  [default: response, completion …]")
@click.option("--error", metavar="COLUMN", help="Standard error of the score.")
@click.option("--log-probability", metavar="COLUMN", help="Of the response.  [default: log_probability, logprob …]")
@click.option("--weight", metavar="COLUMN", help="How many equal prompts a prompt stands for.")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@asking_options
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@output
def command(
    source: str | list[str],
    form: str,
    out: Path,
    no_report: bool,
    judge: tuple[str, ...],
    options: tuple[str, ...],
    arguments: tuple[str, ...],
    **given: Any,
) -> int:
    """Pair samples of a policy: score them, put the scores on the scale of gold, and match them within each prompt.

    SOURCE is a table of samples, one a row: prompt and response, with scores of a judge (--judge) or to be judged now
    (--protocol), and gold of some. Pairs go to --out as `pairs.jsonl`: prompt, chosen, rejected, preference (the
    chance that the chosen one is better in gold), weight, flip and margin, which trainers read as it is. Exit code 2
    means that a finding is severe.
    """
    asking = asking_of(given, out if given["protocol"] and not no_report else None)
    with spending_bar("Judging") as progress:
        try:
            answer = pairs(
                source,
                judge=judge or None,
                options=assigned(options),
                arguments=assigned(arguments),
                asking=asking,
                progress=progress,
                **given,
            )
        except KeyboardInterrupt:
            return interrupted(paid(asking.store))
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
