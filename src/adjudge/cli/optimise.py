"""Improve a policy on feedback: data, objective, feedback and stop rule in one file; resumed where it stopped."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..flows.optimise import optimise
from ..flows.optimise_recipe import read
from ._help import examples
from ._output import SEVERE, interrupted, output, written
from ._progress import training_bar

RECIPE = """
\b
A recipe, with what is most often said in it:
  seed = 0
  [data]
  path = "pairs.jsonl"              # prompt, chosen, rejected; ranked lists; prompts alone for credit rules
  held_out = 0.1                    # share of the prompts that the policy does not learn from
  [policy]
  model = "models/tiny"             # folder, or name on the hub
  lora = { rank = 16 }              # left out: every weight is trained
  [objective]
  method = "objectives.rdpo"        # of `adjudge methods objectives` or `adjudge methods credit`
  beta = 0.1
  [feedback]
  flip = "auto"                     # how often labels are turned round: measured, or a rate
  [train]
  batch = 16
  lr = 1e-6
  checkpoint_every = 100
\b
For a credit rule, such as "credit.rloo", and to stop when gold falls:
  [feedback]
  reward = "out/reward"             # or "python:reward.py:score", or { protocol = "rubric", model = "gpt-4o-mini" }
  samples = 8
  kl = 0.05
  [stop]
  gold = "python:gold.py:score"     # who knows the truth, or a file of labels
  labels = 200
  every = 50
\b
To have pairs of the policy's own responses compared, with any objective on pairs and prompts alone as data:
  [objective]
  method = "objectives.nash_md"
  [feedback]
  prefer = { protocol = "pairwise", model = "gpt-4o-mini" }    # or "out/reward", or "python:prefer.py:better"
  samples = 2                       # responses to a prompt; all pairs are compared
"""


@click.command(
    epilog=examples(
        "adjudge optimise recipe.toml --out run",
        "adjudge optimise recipe.toml --out run             # again: goes on from the last checkpoint",
        "adjudge optimise recipe.toml --out run --fresh     # begins anew",
        "adjudge watch run --gold gold.jsonl                # has gold risen?",
        "torchrun --nproc-per-node 4 -m adjudge optimise recipe.toml --out run     # on four accelerators",
    )
    + RECIPE
)
@click.argument("recipe", type=click.Path(path_type=Path), metavar="RECIPE.toml")
@click.option("--fresh", is_flag=True, help="Begin anew, and remove what --out holds of an earlier run.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Coverage of the intervals.")
@output
def command(recipe: Path, fresh: bool, level: float, form: str, out: Path, no_report: bool) -> int:
    """Carry out RECIPE: train its policy by its objective on its feedback, and stop when its stop rule says so.

    Metrics, checkpoints, samples and the policy at the end (`policy/`) go to --out, with a page. A run that was stopped
    or killed goes on exactly where its last checkpoint was when the same command is typed again. Exit code 2 means that
    a finding is severe: gold has fallen, for one.
    """
    asked = read(recipe)
    with training_bar("Training") as progress:
        try:
            answer = optimise(asked, out=out, resume=not fresh, level=level, progress=progress)
        except KeyboardInterrupt as stopped:
            return interrupted(str(stopped))
    if int(os.environ.get("RANK", "0")):  # one of several processes: the first tells
        return 0
    written(answer, form, out, no_report)
    return SEVERE if answer.severe else 0
