"""Switches dropout off for a while, so that what is asked is the model and not a draw of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_dropout(module: Any) -> Iterator[None]:
    """While it is entered, every part of a torch module is as in evaluation; afterwards each is as it was."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
