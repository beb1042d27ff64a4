"""Loads and saves models of Hugging Face in one voice: without bars of their own, and in words that the version knows.

A model of a folder is there in no time, and what draws a bar is the command. A download keeps its bar, since it may
take minutes. A list of weights that the asked part of a model has no use for is not shown, nor is each new try to reach
the hub, which ends in a message. Whatever was set before is set again afterwards. Limits: what else transformers has to
say is left alone, such as weights that are missing.
"""

from __future__ import annotations

import importlib
import logging
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import AdjudgeError

RENAMED = (4, 56)  # from this version on `torch_dtype` is `dtype`

SPEAKERS = ("transformers.modeling_utils", "huggingface_hub.utils._http")
LACKING = ("MISSING", "MISMATCH", "CONVERSION")  # in a report of weights: worth a look


def require_folder(model: str | Path) -> None:
    """Tells a folder that is not there at once, where a name on the hub would be asked for over the network.

    A name is a folder where its start is one, or where it is written as a path.

    Errors: there is no such folder.
    """
    place = Path(model).expanduser()
    near = place.parent
    if place.exists() or not (place.is_absolute() or str(model).startswith((".", "~")) or near != Path()):
        return
    if str(model).startswith((".", "~", "/")) or near.is_dir():
        held = sorted(path.name for path in near.iterdir() if path.is_dir()) if near.is_dir() else []
        raise AdjudgeError(
            f"model {model}: there is no such folder.",
            f"A folder with a transformer. {near} holds: {', '.join(held[:10]) or 'no folder'}.",
            "Correct the path.",
        )


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
    speakers = [logging.getLogger(name) for name in SPEAKERS]
    shown, downloads = bars.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
    with warnings.catch_warnings(action="ignore"):  # said where a variable of the shell has decided
        bars.disable_progress_bar()
        if downloads:
            hub.enable_progress_bars()
    for speaker in speakers:
        speaker.addFilter(_worth_hearing)
    try:
        yield
    finally:
        for speaker in speakers:
            speaker.removeFilter(_worth_hearing)
        with warnings.catch_warnings(action="ignore"):
            if shown:
                bars.enable_progress_bar()
            if not downloads:
                hub.disable_progress_bars()


@contextmanager
def loading(model: str | Path, expected: str, do: str) -> Iterator[None]:
    """`unheard`, with whatever goes wrong in three parts.

    Arguments:
        model: name or folder, for the message.
        expected, do: of the message, where files are not there.

    Errors: files that are not there, cut short, or of other sizes than their configuration says.
    """
    from safetensors import SafetensorError

    try:
        with unheard():
            yield
    except AdjudgeError:
        raise
    except (SafetensorError, EOFError, pickle.UnpicklingError) as problem:
        raise AdjudgeError(
            f"model {model}: its weights cannot be read ({_short(problem)}).",
            "Whole files, as save_pretrained writes them.",
            "Were they cut short, or still being written? Copy, download or save them again.",
        ) from None
    except RuntimeError as problem:  # what torch raises, and transformers, at weights of another shape
        sizes = "size" in str(problem) or "shape" in str(problem)
        raise AdjudgeError(
            f"model {model}: " + ("its weights are of other sizes than its config.json." if sizes else _short(problem)),
            "Weights and a config.json that were saved together.",
            "Put the config.json that was saved with these weights back into the folder, or save the model again.",
        ) from None
    except (OSError, ValueError) as problem:
        raise AdjudgeError(f"model {model}: {_short(problem)}", expected, do) from None


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]


def _worth_hearing(record: logging.LogRecord) -> bool:
    """Whether a line of the log tells of something that no message of ours does."""
    said = record.getMessage()
    if "LOAD REPORT" in said:
        return any(word in said for word in LACKING)
    return "thrown while requesting" not in said and not said.startswith("Retrying in")
