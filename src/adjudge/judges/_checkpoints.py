"""Loads Hugging Face checkpoints from a folder: a classifier of text pairs, and word vectors. Needs the extra `torch`.

A folder is loaded once. Nothing is downloaded, and code that comes with a checkpoint is not run.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..backends.pretrained import loading
from ..errors import AdjudgeError

BATCH = 16
_ALIGNED = re.compile(r"(?i)^(?!not|un|in|non)\W*(?:entail|align|consistent|support)")


@cache
def pair_classifier(path: str) -> Callable[[Sequence[tuple[str, str]]], FloatArray]:
    """A model of (context, claim) pairs: [n, 3] or [n, 2] logits, or [n] numbers for a regression head.

    With 3 labels the one that means "aligned" comes first, with 2 it comes second; it is known by its name in the
    configuration (entailment, aligned, consistent, supported …), else it is where these heads have it.

    Errors: no such folder; the extra is missing; a head with another number of labels.
    """
    torch, transformers = _libraries()
    tokenizer = _loaded(transformers.AutoTokenizer, path)
    model = _loaded(transformers.AutoModelForSequenceClassification, path).eval()
    labels = int(model.config.num_labels)
    if labels > 3:
        raise AdjudgeError(
            f"{path}: a head of {labels} labels.",
            "3 (aligned, neutral, contradicted), 2 (not, aligned) or 1 (a number).",
            "Use a checkpoint for natural language inference or factual consistency.",
        )
    names = {at: str(name) for at, name in model.config.id2label.items()}
    own = next((at for at, name in names.items() if _ALIGNED.match(name)), None)
    usual = {3: 0, 2: 1, 1: 0}[labels]
    order = list(range(labels))
    if own is not None and own != usual:
        order[usual], order[own] = own, usual
    longest = _longest(tokenizer, model)

    def scores(pairs: Sequence[tuple[str, str]]) -> FloatArray:
        made = [np.empty((0, labels))]
        for at in range(0, len(pairs), BATCH):
            first, second = zip(*pairs[at : at + BATCH], strict=True)
            ready = tokenizer(
                list(first), list(second), truncation=True, max_length=longest, padding=True, return_tensors="pt"
            )
            with torch.inference_mode():
                made.append(model(**ready).logits.double().numpy())
        logits = np.concatenate(made)[:, order]
        return logits[:, 0] if labels == 1 else logits

    return scores


@cache
def word_vectors(path: str) -> Callable[[Sequence[str]], FloatArray]:
    """Vectors of the words of a text in their context: [words, d], means over their pieces; unit length.

    Words beyond what the model can read at once are read in further windows.

    Errors: no such folder; the extra is missing; a tokenizer that does not tell which piece belongs to which word.
    """
    torch, transformers = _libraries()
    tokenizer = _loaded(transformers.AutoTokenizer, path)
    model = _loaded(transformers.AutoModel, path).eval()
    if not tokenizer.is_fast:
        raise AdjudgeError(
            f"{path}: a slow tokenizer.", "One that tells the word of each piece.", "Save it as a fast tokenizer."
        )
    longest = _longest(tokenizer, model)
    width = int(model.config.hidden_size)

    def vectors(words: Sequence[str]) -> FloatArray:
        out, done = np.zeros((len(words), width)), 0
        while done < len(words):
            ready = tokenizer(
                list(words[done:]), is_split_into_words=True, truncation=True, max_length=longest, return_tensors="pt"
            )
            with torch.inference_mode():
                hidden = model(**ready).last_hidden_state[0].double().numpy()
            of = [(piece, word) for piece, word in enumerate(ready.word_ids(0)) if word is not None]
            for piece, word in of:
                out[done + word] += hidden[piece]
            done += max((word for _, word in of), default=0) + 1
        size = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, size, out=np.zeros_like(out), where=size > 0)

    return vectors


def _libraries() -> tuple[Any, Any]:
    try:
        return importlib.import_module("torch"), importlib.import_module("transformers")
    except ImportError as problem:
        raise AdjudgeError(
            f"A checkpoint needs {problem.name}, which is not installed.",
            "The extra `torch`.",
            "pip install 'adjudge[torch]'",
        ) from None


def _loaded(kind: Any, path: str) -> Any:
    if not Path(path).is_dir():
        raise AdjudgeError(
            f"{path}: no such folder.", "A folder with a Hugging Face checkpoint.", "Download it first and name it."
        )
    expected = "A folder with config.json, weights and a tokenizer."
    with loading(path, expected, "Save the model and its tokenizer there with save_pretrained."):
        return kind.from_pretrained(path, local_files_only=True)


def _longest(tokenizer: Any, model: Any) -> int:
    """Pieces that can be read at once."""
    places = int(getattr(model.config, "max_position_embeddings", 512))
    if getattr(model.config, "model_type", "") in ("roberta", "xlm-roberta", "camembert"):
        places -= 2  # their positions begin after the padding's
    return min(int(tokenizer.model_max_length), places)
