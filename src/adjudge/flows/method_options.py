"""Options of a method by name, checked against what it takes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import AdjudgeError

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "learning_rate": ("train", "lr"),
    "num_train_epochs": ("train", "epochs"),
    "max_steps": ("train", "steps"),
    "per_device_train_batch_size": ("train", "batch", "micro"),  # rows of a step, and rows at once
    "gradient_accumulation_steps": ("train", "batch", "micro"),
    "max_grad_norm": ("train", "clip"),
    "warmup_ratio": ("train", "warmup"),
    "lr_scheduler_type": ("train", "schedule"),
    "bf16": ("train", "precision"),
    "fp16": ("train", "precision"),
    "save_steps": ("train", "checkpoint_every"),
    "save_total_limit": ("train", "keep"),
    "logging_steps": ("train", "log_every"),
    "model_name_or_path": ("policy", "model"),
    "max_length": ("policy", "context"),
    "loss_type": ("objective", "method"),
    "beta": ("objective", "beta"),
    "label_smoothing": ("feedback", "flip"),
    "max_completion_length": ("feedback", "max_tokens"),
    "num_generations": ("feedback", "samples"),
}
"""Option by its name in other trainers -> section of a recipe and names there, only where ours differ."""


def known(address: str, verb: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, if the verb has them.

    Arguments:
        address: of the method, for the message.
        verb: a function, whose keyword-only arguments are options, or a class, of which all are.
        options: by name.

    Errors: one that it does not have.

    >>> known("a.method", lambda table, *, beta=0.1: None, {"beta": 2.0})
    {'beta': 2.0}
    """
    kept = inspect.Parameter.KEYWORD_ONLY
    every = inspect.signature(verb).parameters.values()
    names = [each.name for each in every if each.kind == kept or isinstance(verb, type)]
    require_known(address, names, options)
    return dict(options)


def require_known(address: str, names: Sequence[str], options: Iterable[str]) -> None:
    """Errors: an option that is none of the names.

    Arguments:
        address: of the method, for the message.
        names: of its options.
        options: that were given.
    """
    for name in options:
        if name not in names:
            leave = meant(name, names, "Leave it out.", recipe=address.startswith("["))
            raise AdjudgeError(
                f"{address} has no option {name!r}.", f"Its options: {', '.join(names) or 'none'}.", leave
            )


def meant(name: str, names: Sequence[str], leave: str, *, recipe: bool = True) -> str:
    """What to do about an option that there is not: its name here, where another trainer's was written.

    Arguments:
        name: that was written.
        names: that there are.
        leave: what to say where nothing is near.
        recipe: whether options stand in sections of a recipe, so that another one may have it.

    >>> meant("learning_rate", ["lr", "steps"], "Leave it out.")
    "Here it is called 'lr'."
    >>> meant("num_generations", ["lr", "steps"], "Leave it out.")
    'Write `samples` under [feedback].'
    """
    section, *ours = ELSEWHERE.get(name, ("",))
    if ours and all(one in names for one in ours):
        return f"Here it is called {ours[0]!r}." if len(ours) == 1 else f"Say it by {' and '.join(map(repr, ours))}."
    if ours and recipe:
        return f"Write {' and '.join(f'`{one}`' for one in ours)} {section and f'under [{section}]'}".rstrip() + "."
    near = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]!r}?" if near else leave
