"""`adjudge reward fit`: a reward model from preference pairs, with what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import AdjudgeError
from ..flows.reward import fit
from ..flows.reward_features import PairColumns, Training
from ._columns import assigned
from ._help import examples
from ._output import SEVERE, output, written
from ._progress import progress_bar
from ._source import of_source

LENGTH = "disentangled"
PLAIN = ("bradley-terry", "bradley_terry", LENGTH)
COLUMNS = ("prompt", "left", "right", "outcome", "strength", "rating", "annotator", "cluster", "weight", "where")
TRAINING = ("epochs", "lr", "batch", "context", "share", "width", "layers", "vocabulary")


@click.command(
    name="fit",
    epilog=examples(
        "adjudge reward fit pairs.jsonl --model bradley-terry",
        "adjudge reward fit pairs.jsonl --disentangle length --out out/reward",
        "adjudge reward fit pairs.jsonl --model ensemble --set how=min --set members=7",
        "adjudge reward fit votes.csv --left answer_a --right answer_b --outcome winner --flip auto",
        "adjudge reward fit pairs.jsonl --transformer tiny --epochs 3        # from scratch, needs adjudge[torch]",
        "adjudge reward fit pairs.jsonl --features embedding:models/small    # frozen states of a transformer",
    ),
)
@of_source("PAIRS...")
@click.option("--model", default="bradley-terry", show_default=True, help="A model of `adjudge methods rewards`.")
@click.option("--features", default="text", show_default=True, help="text, text:SIZE or embedding:FOLDER.")
@click.option("--transformer", metavar="tiny|FOLDER", help="Train a transformer beneath the model.")
@click.option("--epochs", type=float, default=2.0, show_default=True, help="Of the transformer.")
@click.option("--lr", type=float, help="Its learning rate.  [default: 1e-3 from scratch, else 2e-5]")
@click.option("--batch", type=int, default=16, show_default=True, help="Pairs of an update.")
@click.option("--context", type=int, default=0, help="Codes read at the most.  [default: 256 from scratch]")
@click.option("--share", type=float, default=0.3, show_default=True, help="Of the prompts, kept for the last layer.")
@click.option("--width", type=int, default=64, show_default=True, help="Of a transformer from scratch.")
@click.option("--layers", type=int, default=2, show_default=True, help="The same.")
@click.option("--vocabulary", type=int, default=4096, show_default=True, help="The same.")
@click.option("--disentangle", type=click.Choice(["length"]), help="Take length out of the reward.")
@click.option("--flip", metavar="auto|RATE|COLUMN", help="How often labels are turned round; auto estimates it.")
@click.option("--set", "options", multiple=True, metavar="NAME=VALUE", help="An option of --model; repeatable.")
@click.option("--prompt", metavar="COLUMN", help="What was asked.  [default: prompt …]")
@click.option("--left", metavar="COLUMN", help="One response.  [default: chosen, response_a …]")
@click.option("--right", metavar="COLUMN", help="The other one.  [default: rejected, response_b …]")
@click.option("--outcome", metavar="COLUMN", help="Who is better, or the chance of the left.  [default: winner …]")
@click.option("--strength", metavar="COLUMN", help="By how much.  [default: margin …]")
@click.option("--rating", type=(str, str), metavar="LEFT RIGHT", help="What each was given by itself.")
@click.option("--annotator", metavar="COLUMN", help="Who prefers.  [default: annotator, source …]")
@click.option("--cluster", metavar="COLUMN", help="Independent unit.  [default: the prompt]")
@click.option("--weight", metavar="COLUMN", help="How many rows each row stands for.")
@click.option("--where", metavar="SQL", help="Keep rows only where this holds.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random draw.")
@output
def command(
    source: str | list[str],
    form: str,
    out: Path,
    no_report: bool,
    options: tuple[str, ...],
    model: str,
    transformer: str | None,
    disentangle: str | None,
    flip: str | None,
    features: str,
    level: float,
    seed: int,
    **given: Any,
) -> int:
    """Fit a reward model to PAIRS: which of two responses to a prompt is better.

    All column conventions are read: prompt/chosen/rejected, conversations, two responses with a verdict, ranked lists,
    labelled responses. Printed are the share of held-out pairs that it gets right, its calibration and what length
    does. The model, which `adjudge judge --protocol reward_model` takes, goes to --out with a page. Exit code 2 means
    that a finding is severe.
    """
    training = {name: given.pop(name) for name in TRAINING}
    with progress_bar("Training") as progress:
        answer = fit(
            source,
            PairColumns(**{name: given[name] for name in COLUMNS}),
            model=_model(model, disentangle),
            features=features,
            training=Training(transformer, **training) if transformer else None,
            flip=_flip(flip),
            options=assigned(options),
            folder=None if no_report else out,
            level=level,
            seed=seed,
            progress=progress,
        )
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0


def _model(model: str, disentangle: str | None) -> str:
    """The model that two options name together. Errors: another one that knows no length."""
    if disentangle is None:
        return model
    if model not in PLAIN:
        raise AdjudgeError(
            f"--disentangle {disentangle} with --model {model}.",
            "Length is taken out of a plain reward: rewards.disentangled.",
            "Leave one of them out.",
        )
    return LENGTH


def _flip(word: str | None) -> float | str | None:
    """A rate, `auto` or a column."""
    try:
        return word if word is None else float(word)
    except ValueError:
        return word
