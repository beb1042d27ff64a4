"""Which policies are told apart, as letters: two that share a letter are not.

Start with one letter for all. For each pair that differs, split every letter that both carry into one without the
first and one without the second, and drop each letter whose carriers all carry another one together.

Piepho (2004), An algorithm for a letter-based representation of all-pairwise comparisons, J. Comput. Graph. Stat. 13.
Limits: nothing differs is one letter; everything differs is one letter each. Not told apart does not mean equal.
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray


def letters(different: BoolArray) -> tuple[str, ...]:
    """[k] the letters of each policy.

    Arguments:
        different: [k, k] whether two policies are told apart, in the order in which letters are given.

    >>> letters(np.array([[False, False, True], [False, False, False], [True, False, False]]))
    ('a', 'ab', 'b')
    """
    k = different.shape[0]
    groups = [np.ones(k, dtype=bool)] if k else []
    for i, j in zip(*np.nonzero(np.triu(different | different.T, 1)), strict=True):
        both = [group for group in groups if group[i] and group[j]]
        rest = [group for group in groups if not (group[i] and group[j])]
        for group in both:
            for dropped in (i, j):
                part = group.copy()
                part[dropped] = False
                rest.append(part)
        groups = _absorbed(rest)
    groups.sort(key=lambda group: tuple(np.flatnonzero(group)))
    return tuple("".join(_letter(g) for g, group in enumerate(groups) if group[p]) for p in range(k))


def _absorbed(groups: list[BoolArray]) -> list[BoolArray]:
    """The groups that lie in no other; of equal ones the first."""
    if not groups:
        return groups
    table = np.unique(np.array(groups), axis=0)
    inside = np.all(~table[:, None] | table[None], axis=2)
    np.fill_diagonal(inside, False)
    return [group for group, covered in zip(table, inside.any(axis=1), strict=True) if not covered]


def _letter(number: int) -> str:
    """a … z, then aa, ab …: the second round in brackets, so that letters do not run together."""
    round_, place = divmod(number, 26)
    return chr(97 + place) if not round_ else f"({chr(96 + round_)}{chr(97 + place)})"
