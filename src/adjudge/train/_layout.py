"""How exchanges stand in the rows that go through a language model, and where the answers about them are read.

    attends(q, k) = k <= q  and  same group  and  (k is of the prompt  or  k is of q's own response)

Responses of one prompt that stand side by side form a group. "padded" gives each exchange its own row, filled up on the
right: plain causal attention never sees what comes after, so that no mask is needed. "shared" writes a prompt once, and
its responses behind it, each blind to the others. "packed" puts several groups into a row. The last code of a response
is read but never stands in a row: nothing follows it.
Limits: the last two need a model that takes a mask of its own and positions; attention costs the square of a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from .._typing import IntArray
from .policy import Exchange, Tensor

LAYOUTS = ("padded", "shared", "packed")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What goes through the model at once.

    Arguments:
        codes: [r, L] 0 behind the end of a row.
        positions: [r, L] of each code in its own exchange, from 0.
        attends: [r, L, L] whether the code of the second place may look at that of the third; None for all before it.
        row: [N] of the code that foretells each code of the responses.
        column: [N] of it.
        target: [N] the code foretold.
        exchange: [N] which exchange that is of.
        step: [N] which code of its response, from 0.
        size: (exchanges, longest response).
    """

    codes: Tensor
    positions: Tensor
    attends: Tensor | None
    row: Tensor
    column: Tensor
    target: Tensor
    exchange: Tensor
    step: Tensor
    size: tuple[int, int]


def rows(exchanges: Sequence[Exchange], layout: str, *, pack_to: int = 1024) -> Rows:
    """Exchanges in a layout.

    Arguments:
        exchanges: b of them; only those side by side share their prompt.
        layout: one of LAYOUTS.
        pack_to: codes in a row at the most, >= 1; a group that is longer has its own. Of "packed" alone.
    """
    groups = _groups(exchanges)
    if layout == "padded" or (layout == "shared" and len(groups) == len(exchanges)):
        return _laid(exchanges, [[[number]] for number in range(len(exchanges))], masked=False)
    shelves = _packed(exchanges, groups, pack_to) if layout == "packed" else [[group] for group in groups]
    return _laid(exchanges, shelves, masked=any(len(shelf) > 1 or len(shelf[0]) > 1 for shelf in shelves))


def _groups(exchanges: Sequence[Exchange]) -> list[list[int]]:
    """Numbers of exchanges with one prompt, side by side."""
    return [list(same) for _, same in groupby(range(len(exchanges)), key=lambda number: exchanges[number].prompt)]


def _length(exchanges: Sequence[Exchange], group: Sequence[int]) -> int:
    return len(exchanges[group[0]].prompt) + sum(max(len(exchanges[one].response) - 1, 0) for one in group)


def _packed(exchanges: Sequence[Exchange], groups: list[list[int]], pack_to: int) -> list[list[list[int]]]:
    """Groups on shelves: the longest first, each on the first shelf that has room."""
    lengths = [_length(exchanges, group) for group in groups]
    shelves: list[list[list[int]]] = []
    room: list[int] = []
    for at in sorted(range(len(groups)), key=lambda at: -lengths[at]):
        shelf = next((number for number, left in enumerate(room) if left >= lengths[at]), len(shelves))
        if shelf == len(shelves):
            shelves.append([])
            room.append(pack_to)
        shelves[shelf].append(groups[at])
        room[shelf] -= lengths[at]
    return shelves


def _laid(exchanges: Sequence[Exchange], shelves: list[list[list[int]]], *, masked: bool) -> Rows:
    width = max(sum(_length(exchanges, group) for group in shelf) for shelf in shelves)
    codes = np.zeros((len(shelves), width), dtype=np.int64)
    positions = np.tile(np.arange(width), (len(shelves), 1)) if not masked else np.zeros_like(codes)
    group_of, branch_of = np.full_like(codes, -1), np.zeros_like(codes)
    reads: list[tuple[IntArray, ...]] = []
    for row, shelf in enumerate(shelves):
        for start, group_number, branch, exchange, columns in _segments(exchanges, shelf):
            one = exchanges[exchange]
            said = one.response[:-1] if branch else one.prompt
            stop = start + len(said)
            codes[row, start:stop] = said
            positions[row, start:stop] = np.arange(stop - start) + (len(one.prompt) if branch else 0)
            group_of[row, start:stop], branch_of[row, start:stop] = group_number, branch
            if branch:
                n = len(one.response)
                filled = (np.full(n, row), columns, np.array(one.response), np.full(n, exchange), np.arange(n))
                reads.append(filled)
    found = [np.concatenate(parts) for parts in zip(*reads, strict=True)] or [np.zeros(0, dtype=np.int64)] * 5
    row_, column, target, exchange_, step = (torch.from_numpy(part.astype(np.int64)) for part in found)
    attends = _attends(torch.from_numpy(group_of), torch.from_numpy(branch_of)) if masked else None
    size = (len(exchanges), max(len(one.response) for one in exchanges))
    laid = torch.from_numpy(codes), torch.from_numpy(positions)
    return Rows(*laid, attends, row_, column, target, exchange_, step, size)


def _segments(exchanges: Sequence[Exchange], shelf: list[list[int]]) -> Iterator[tuple[int, int, int, int, IntArray]]:
    """(first column, group, branch, exchange, columns that foretell its response); branch 0 is the prompt."""
    start = 0
    for number, group in enumerate(shelf):
        last = start + len(exchanges[group[0]].prompt) - 1
        yield start, number, 0, group[0], np.zeros(0, dtype=np.int64)
        start = last + 1
        for branch, exchange in enumerate(group, start=1):
            said = len(exchanges[exchange].response)
            if said:
                yield start, number, branch, exchange, np.concatenate([[last], np.arange(start, start + said - 1)])
                start += said - 1


def _attends(group: Tensor, branch: Tensor) -> Tensor:
    """[r, L, L] from [r, L]; what fills a row up looks at its like, so that no code looks at nothing."""
    same = group[:, :, None] == group[:, None, :]
    own = (branch[:, None, :] == 0) | (branch[:, :, None] == branch[:, None, :])
    return (same & own).tril_()
