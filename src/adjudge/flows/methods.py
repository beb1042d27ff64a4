"""Calls a method that the user named, with the arguments that the user gave it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from types import ModuleType

from .. import catalogue
from ..core.estimate import Estimate
from ..errors import AdjudgeError
from ..tables.ratings import Ratings


def method_at(family: str, name: str) -> ModuleType:
    """The method of a family by its name or address."""
    return catalogue.load(name if name.startswith(f"{family}.") else f"{family}.{name}")


def values(ratings: Ratings, method: str, arguments: Mapping[str, object]) -> Estimate:
    """Values of the policies by a method of the family `value`.

    Arguments:
        ratings: table, with a forecast where there are enough labels.
        method: name or address.
        arguments: of its `estimate`, such as `{"tail": 0.05}`.

    Errors: an argument that the method does not have; a method that values other things than policies.
    """
    module = method_at("value", method)
    known = [name for name in inspect.signature(module.estimate).parameters if name != "ratings"]
    for name in arguments:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise AdjudgeError(
                f"{method} has no argument {name!r}.",
                f"Its arguments: {', '.join(known) or 'none'}.",
                f"Did you mean {near[0]!r}?" if near else "Leave it out.",
            )
    try:
        found: Estimate = module.estimate(ratings, **arguments)
    except TypeError:
        if not arguments:
            raise
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        signature = str(inspect.signature(module.estimate)).partition(" ->")[0]
        raise AdjudgeError(
            f"{method} cannot work with {given}.", f"It is called as estimate{signature}.", "Correct the argument."
        ) from None
    plain = tuple(name.removeprefix("policy=") for name in found.names)
    if plain != ratings.policies:
        raise AdjudgeError(
            f"{found.method} values {', '.join(found.names[:3])} …",
            "Here each value belongs to one policy.",
            f"Call adjudge.{found.method}.estimate from Python for these figures, or use --by for slices.",
        )
    return found
