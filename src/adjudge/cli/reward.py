"""Fit a reward model to preference pairs, with what it is worth on pairs held out; score answers with it."""

from __future__ import annotations

import click

from . import _reward_fit, _reward_score
from ._help import examples


@click.group(
    epilog=examples(
        "adjudge reward fit pairs.jsonl --out out/reward",
        "adjudge reward score responses.jsonl --model out/reward",
        "adjudge judge responses.jsonl --protocol reward_model --set model=out/reward --as pairs",
    )
)
def command() -> None:
    """Reward models: fit one to preference pairs, or score answers with one."""


_reward_fit.command.short_help = "Fit a reward model to preference pairs."
_reward_score.command.short_help = "Score answers with a fitted one."
command.add_command(_reward_fit.command)
command.add_command(_reward_score.command)
