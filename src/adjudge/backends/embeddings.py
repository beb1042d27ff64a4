"""Turns responses into the hidden states of a transformer: features for any fit of a reward model.

    x = h_T (the last code's state)      or  x = mean_t h_t,      h = the model's last layer on prompt and response
    x = (10·r_1 … 10·r_k, h)             where reward heads r were trained on it: `train.reward_head`

A ridge that holds all coefficients alike hardly holds those of the heads, so that a fit on x begins where training
ended. Limits: what does not fit into the context is cut off at the beginning; rows of one batch are padded on the
right, which moves numbers by rounding alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from .codes import ends_of, parted, read
from .dropout import without_dropout
from .pretrained import loading, require_folder

POOLS = ("last", "mean")
LOOSE = 10.0  # how much larger the heads' outputs stand among the features
HEADS = "heads.npz"


class Embedding:
    """A map from prompts and responses to features.

    Arguments:
        folder: of a model of Hugging Face with its tokenizer, or its name on the hub; `heads.npz` in it holds heads.
        pool: `last` or `mean`.
        context: codes read at the most; that of the model when 0.
        batch: texts that go through the model at once.

    Errors: without torch and transformers, and for what cannot be loaded.
    """

    def __init__(self, folder: str | Path, *, pool: str = "last", context: int = 0, batch: int = 32) -> None:
        if pool not in POOLS or context < 0 or batch < 1:
            raise AdjudgeError(
                f"embedding: pool = {pool!r}, context = {context}, batch = {batch}.",
                f"A pool among {', '.join(POOLS)}, a context from 0 on, a batch from 1 on.",
                "Correct the argument.",
            )
        self.folder, self.pool, self.batch = str(folder), pool, batch
        self.model, self.tokenizer = opened(folder)
        self.context = context or limit(self.model)
        held = Path(folder) / HEADS
        self.heads = np.load(held, allow_pickle=False)["heads"] if held.is_file() else np.zeros((0, 0))

    @property
    def names(self) -> tuple[str, ...]:
        """[d] names of the features."""
        size = int(self.model.config.hidden_size)
        return (*(f"head {at}" for at in range(len(self.heads))), *(f"hidden {at}" for at in range(size)))

    def __call__(self, prompts: Sequence[str], responses: Sequence[str]) -> FloatArray:
        """[n, d] features."""
        found = features(
            self.model, self.tokenizer, prompts, responses, pool=self.pool, context=self.context, batch=self.batch
        )
        return beside(found, self.heads)


def beside(hidden: FloatArray, heads: FloatArray) -> FloatArray:
    """[n, k + h] outputs of heads, made large, beside the states that they read.

    Arguments:
        hidden: [n, h].
        heads: [k, h + 1] weights and intercept of each; [0, 0] for none.

    >>> beside(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 0.5]])).tolist()
    [[15.0, 1.0, 2.0]]
    """
    if not heads.size:
        return hidden
    return np.column_stack([LOOSE * (hidden @ heads[:, :-1].T + heads[:, -1]), hidden])


def features(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    responses: Sequence[str],
    *,
    pool: str = "last",
    context: int = 0,
    batch: int = 32,
) -> FloatArray:
    """[n, h] states of the last layer, in float64.

    Arguments:
        model: of Hugging Face, whose output has `last_hidden_state`.
        tokenizer: its own.
        prompts, responses: [n] texts.
        pool: `last` or `mean`.
        context: codes read at the most; that of the model when 0.
        batch: texts at once; those of like length go together.
    """
    import torch

    texts = zip(prompts, responses, strict=True)
    rows = [codes(tokenizer, prompt, response, context or limit(model)) for prompt, response in texts]
    found = np.zeros((len(rows), int(model.config.hidden_size)))
    order = np.argsort([len(row) for row in rows], kind="stable")
    with torch.inference_mode(), without_dropout(model):
        for start in range(0, len(rows), batch):
            at = order[start : start + batch]
            found[at] = pooled(model, [rows[place] for place in at], pool).double().cpu().numpy()
    return found


def codes(tokenizer: Any, prompt: str, response: str, context: int) -> list[int]:
    """Prompt and response as the model reads them, in its own chat form where it has one, with an end mark; the
    beginning is cut off where they are longer than the context."""
    ends = ends_of(tokenizer)
    if tokenizer.chat_template:
        head, said = parted(tokenizer, (("user", prompt),), response, ends)
        found = [*head, *said]
    else:
        text = prompt + (" " if prompt and not prompt[-1].isspace() else "") + response
        found = [*read(tokenizer, text, ends)]
        found += ends[:1] if not found or found[-1] not in ends else ()
    return (found or [0])[-context:]


def pooled(model: Any, rows: Sequence[Sequence[int]], pool: str) -> Any:
    """[b, h] one state of each row, as a tensor that keeps its gradient where torch records one."""
    import torch

    width = max(len(row) for row in rows)
    device = next(model.parameters()).device
    table = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for at, row in enumerate(rows):
        table[at, : len(row)] = torch.tensor(list(row))
        mask[at, : len(row)] = 1
    table, mask = table.to(device), mask.to(device)
    states = model(input_ids=table, attention_mask=mask).last_hidden_state
    if pool == "last":
        return states[torch.arange(len(rows), device=device), mask.sum(1) - 1]
    share = mask.to(states.dtype)
    return (states * share[:, :, None]).sum(1) / share.sum(1, keepdim=True)


def limit(model: Any) -> int:
    """Codes that a model reads at the most."""
    own = getattr(model.config, "max_position_embeddings", None)
    return int(own) if own else 2048


def opened(folder: str | Path) -> tuple[Any, Any]:
    """(model, tokenizer). Errors: the packages are missing, or it cannot be loaded."""
    try:
        import transformers
    except ModuleNotFoundError as problem:
        raise AdjudgeError(
            f"The package `{problem.name}` is not installed.",
            "Hidden states come from torch and transformers.",
            "pip install 'adjudge[torch]'",
        ) from None
    require_folder(folder)
    expected = "A folder with a transformer and its tokenizer, or a name on the hub."
    with loading(folder, expected, "Check the name and the connection."):
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
        model: Any = transformers.AutoModel.from_pretrained(str(folder))
    return model.eval(), tokenizer
