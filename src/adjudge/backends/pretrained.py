"""Loads and saves models of Hugging Face in one voice: without bars of their own, and in words that the version knows.

A model of a folder is there in no time, and what draws a bar is the command. A download keeps its bar, since it may
take minutes. Whatever was set before is set again afterwards. Limits: what else transformers has to say is left alone.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

RENAMED = (4, 56)  # from this version on `torch_dtype` is `dtype`


def of_type(dtype: Any) -> dict[str, Any]:
    """The argument of `from_pretrained` that asks for a type of numbers."""
    import transformers

    version = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    return {"dtype" if version >= RENAMED else "torch_dtype": dtype}


@contextmanager
def unheard() -> Iterator[None]:
    """No bars of transformers for a while, but those of downloads."""
    bars: Any = importlib.import_module("transformers.utils.logging")
    hub: Any = importlib.import_module("huggingface_hub.utils")
    shown, downloads = bars.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
    with warnings.catch_warnings(action="ignore"):  # said where a variable of the shell has decided
        bars.disable_progress_bar()
        if downloads:
            hub.enable_progress_bars()
    try:
        yield
    finally:
        with warnings.catch_warnings(action="ignore"):
            if shown:
                bars.enable_progress_bar()
            if not downloads:
                hub.disable_progress_bars()
