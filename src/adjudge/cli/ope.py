"""Value policies from a log of another policy's decisions, with intervals that say how far the log carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..flows.ope import ope
from ._columns import Range, assigned
from ._help import examples
from ._log_columns import columns_of, log_columns, named
from ._output import SEVERE, output, written
from ._source import of_source


@click.command(
    epilog=examples(
        "adjudge ope decisions.parquet --action item_id --reward click --propensity propensity_score "
        "--target probs.parquet",
        "adjudge ope log.csv --target new=new.csv --target old=old.csv --context age --context country",
        "adjudge ope log.parquet --log-propensity logprob --target-log new=logprob_new --reward score --gold label",
        "adjudge ope uniform.parquet --target bts=bts_probabilities.csv --truth bts=bts_log.parquet",
        "adjudge ope log.csv --target probs.csv --method shrunk_doubly_robust --set shrink=5 --format json",
        "adjudge ope rankings.csv --slate page --position rank --target-column new=p_new --reward click",
        "adjudge ope visits.csv --episode patient --step week --state stage --target new=rules.csv --discount 0.95",
        "adjudge ope prices.csv --dose price --density p --target-dose new=price_new --reward sale --context age",
    )
)
@of_source()
@click.option("--target", multiple=True, metavar="[NAME=]FILE", help="Probabilities of a policy by action; repeatable.")
@click.option("--target-column", multiple=True, metavar="[NAME=]COLUMN", help="Its probability of the logged action.")
@click.option("--target-log", multiple=True, metavar="[NAME=]COLUMN", help="The logarithm of that probability.")
@click.option("--target-dose", multiple=True, metavar="[NAME=]COLUMN", help="The dose that it would have given.")
@click.option("--logging", metavar="FILE", help="The logger's own probabilities by action.")
@click.option("--embedding", metavar="FILE", help="Features of each action, where there are many.")
@click.option(
    "--fresh", metavar="FILE", help="The policies' own responses, judged: policy, --cluster, --reward, --gold."
)
@click.option("--truth", multiple=True, metavar="NAME=FILE", help="A log of the policy's own decisions, to compare.")
@log_columns
@click.option("--discount", type=float, default=1.0, show_default=True, help="Episodes: γ per step.")
@click.option("--horizon", type=int, help="Episodes: steps that count.  [default: all, if none is cut]")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@click.option("--range", "bounds", type=Range(), help="Range of the reward.  [default: 0,1 if all lie in it]")
@click.option("--method", default="auto", show_default=True, help="A method of `adjudge methods value` for logs.")
@click.option("--set", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument of --method; repeatable.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@output
def command(
    source: str | list[str],
    form: str,
    out: Path,
    no_report: bool,
    arguments: tuple[str, ...],
    target: tuple[str, ...],
    target_column: tuple[str, ...],
    target_log: tuple[str, ...],
    target_dose: tuple[str, ...],
    truth: tuple[str, ...],
    **options: Any,
) -> int:
    """Say what policies would be paid that were never run, and how sure that is.

    SOURCE is a log: one decision a row, with its reward and the probability with which it was taken; or a slot of a
    slate (--slate), a step of an episode (--episode), a dose (--dose). A policy to value is a table of probabilities
    by action (and by any column of the log, such as the position or the state), or a column with its probability of
    the logged action. A page and tables for programs go to --out. Exit code 2 means that a finding is severe.
    """
    logged = columns_of(options)
    answer = ope(
        source,
        logged,
        target=named(target),
        probability=named(target_column),
        log_probability=named(target_log),
        dose=named(target_dose),
        truth=named(truth),
        arguments=assigned(arguments),
        **options,
    )
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
