"""What the peers answer on the same table, where they install: one judge, one policy, 95 %.

`make bench` installs them in `.venv-peers`, apart from our own dependencies; that folder is looked at last.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adjudge.tables.ratings import Ratings

Answer = tuple[float, float]
NOTHING: Answer = (np.nan, np.nan)

for folder in sorted(Path(__file__).parent.parent.glob(".venv-peers/lib/python*/site-packages")):
    sys.path.append(str(folder))


def _ppi_python() -> Callable[[Ratings], Answer]:
    with warnings.catch_warnings():  # it silences every warning of its host on import
        import ppi_py

    def answer(ratings: Ratings) -> Answer:
        score, known = ratings.score[:, 0], ratings.labelled
        low, high = ppi_py.ppi_mean_ci(ratings.gold[known], score[known], score[~known], alpha=0.05)
        return float(np.ravel(low)[0]), float(np.ravel(high)[0])

    return answer


def _truescore() -> Callable[[Ratings], Answer]:
    import truescore

    def answer(ratings: Ratings) -> Answer:
        rows = np.flatnonzero(ratings.labelled)
        found = truescore.ppi_estimate(ratings.score[:, 0], ratings.gold[rows], rows, alpha=0.05)
        return found.low, found.high

    return answer


def installed() -> dict[str, Callable[[Ratings], Answer]]:
    """The peers that can be imported, by name."""
    found = {}
    for name, load in (("ppi-python 0.2.3", _ppi_python), ("truescore 0.7.4", _truescore)):
        try:
            found[name] = load()
        except ImportError:
            continue
    return found


def ask(peer: Callable[[Ratings], Answer], ratings: Ratings) -> Answer:
    """The peer's interval; NaN where it raises or answers nothing."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return peer(ratings)
        except (ValueError, ZeroDivisionError, FloatingPointError):
            return NOTHING
