"""The array types that the whole house speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Prompt = str | tuple[tuple[str, str], ...]
"""A text, or a conversation as (role, text) turns."""

__all__ = ["ArrayLike", "BoolArray", "FloatArray", "IntArray", "Prompt"]
