"""The options that say which column is what; every command that reads ratings has the same."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Range(click.ParamType[tuple[float, float]]):
    """LOW,HIGH as two numbers."""

    name = "LOW,HIGH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Two rising numbers; fails with the form expected."""
        if isinstance(value, tuple):
            return value
        try:
            low, high = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not two numbers such as 1,5.", param, ctx)
        if not low < high:
            self.fail(f"{value!r}: the first number must be the smaller.", param, ctx)
        return low, high


_OPTIONS = (
    click.option("--judge", multiple=True, metavar="COLUMN", help="Judge scores; repeat for several judges."),
    click.option("--gold", multiple=True, metavar="COLUMN", help="Trusted labels; repeat for several raters."),
    click.option("--policy", metavar="COLUMN", help="What is compared: model, prompt, system.  [default: policy]"),
    click.option("--item", metavar="COLUMN", help="The prompt: pairs the policies.  [default: prompt_id]"),
    click.option(
        "--cluster", metavar="COLUMN", help="Independent unit, such as user or document.  [default: the item]"
    ),
    click.option("--draw", metavar="COLUMN", help="Tells several answers of a policy to one prompt apart."),
    click.option("--weight", metavar="COLUMN", help="How many rows each row stands for."),
    click.option("--propensity", metavar="COLUMN", help="Probability with which the row was chosen for a label."),
    click.option("--stratum", metavar="COLUMN", help="Sampling stratum or slice."),
    click.option("--covariate", "covariates", multiple=True, metavar="COLUMN", help="Known of every row; repeatable."),
    click.option("--rater", metavar="COLUMN", help="Judge's name, when each judge has a row of its own."),
    click.option("--where", metavar="SQL", help="Keep rows only where this holds, such as \"split = 'test'\"."),
    click.option("--range", "bounds", type=Range(), help="Range of the gold label.  [default: 0,1 if all lie in it]"),
    click.option("--gold-file", "labels", type=click.Path(), help="File of labels to join, such as a plan filled in."),
)


def columns(command: Command) -> Command:
    """Adds the column options to a command; `given` makes them keyword arguments of `flows.evaluate`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the flow takes them: a repeatable option that was not given is None, not empty."""
    return {name: None if value == () and name in ("judge", "gold") else value for name, value in options.items()}


def assigned(words: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE words as a dictionary; a value that reads as a number, a list or a truth value is one.

    >>> assigned(("tail=0.05", "risk=log", "pool=False"))
    {'tail': 0.05, 'risk': 'log', 'pool': False}
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise click.BadParameter(f"{word!r} is not NAME=VALUE, such as tail=0.05.", param_hint="--set")
        try:
            found[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            found[name] = text
    return found
