"""Whether a language model can be told which codes see which: what its settings say, and what it does.

Rows that share a prompt, or hold several, need a mask of their own and positions. A model that takes neither, or minds
them in part (a window of attention, a recurrent state), would give wrong log-probabilities without a word. So its
settings are read, and a few exchanges are asked about both ways. Limits: half precision is held to rounding only.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch

from ..core.finding import Finding, Severity
from .policy import Exchange


def unfit(model: Any, context: int) -> str:
    """Why the settings of a model rule a mask of its own out for exchanges of up to `context` codes; "" if not."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    wide = window is None or window >= context
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    if kinds - ({"sliding_attention"} if wide else set()):
        return f"it has layers of {', '.join(sorted(kinds))}"
    if not wide:
        return f"it sees {window} codes back"
    if attention(model) not in ("sdpa", "eager"):
        return f"its attention ({attention(model)}) takes no mask of its own"
    return "" if takes_positions(model) else "it takes no positions"


def by_batch(model: Any, context: int) -> tuple[Finding, ...]:
    """Whether a code's place is reckoned by the longest row beside it, in a context of so many codes."""
    config = model.config.get_text_config()
    given = getattr(config, "rope_parameters", None) or {}
    short = int(given.get("original_max_position_embeddings") or context)
    if given.get("rope_type") != "longrope" or short >= context:
        return ()
    return (
        Finding(
            "positions-by-batch", Severity.WARNING,
            f"The model reckons places otherwise in rows of more than {short:,} codes: the log-probability of a "
            "response hangs on how long the rows beside it are.", context, short,
            f"Say context = {short}, where no exchange is longer.",
        ),
    )  # fmt: skip


def attention(model: Any) -> str:
    """Which code computes attention."""
    return str(getattr(model.config, "_attn_implementation", None) or "eager")


def takes_positions(model: Any) -> bool:
    """Whether positions can be given."""
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "position_ids" in inspect.signature(bare.forward).parameters


def asked(model: Any) -> list[Exchange]:
    """Two prompts with two responses each, of codes that the model knows."""
    size = int(model.config.get_text_config().vocab_size)
    codes = tuple((7 * number * number + 3 * number) % size for number in range(16))
    return [
        Exchange(codes[:4], codes[4:8]),
        Exchange(codes[:4], codes[7:11]),
        Exchange(codes[5:8], codes[9:14]),
        Exchange(codes[5:8], codes[2:7]),
    ]


def tolerance(model: Any) -> float:
    """How far log-probabilities may move by rounding."""
    wide = next(model.parameters()).dtype in (torch.float32, torch.float64)
    return 1e-4 if wide else 0.2


def told(reason: str, apart: float, most: float) -> Finding:
    """That each exchange has a row of its own, and why."""
    return Finding(
        "layout-unsafe",
        Severity.INFO,
        f"The model cannot share rows between responses: {reason}; each exchange has a row of its own.",
        apart,
        most,
        'Say layout="padded", or load the model with attn_implementation="sdpa".',
    )
