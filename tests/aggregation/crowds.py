"""Crowds whose quality is known, for the tests of the family."""

from __future__ import annotations

import numpy as np

from adjudge.tables.annotations import Annotations


def table(item, rater, label, *, m=None, J=None, C=None, weight=None) -> Annotations:
    """Annotations from codes."""
    item, rater, label = (np.asarray(codes, dtype=np.int64) for codes in (item, rater, label))
    m, J, C = m or item.max() + 1, J or rater.max() + 1, C or label.max() + 1
    names = [
        tuple(f"{letter}{number:05d}" for number in range(size)) for letter, size in zip("irc", (m, J, C), strict=True)
    ]
    weight = np.ones(item.size) if weight is None else np.asarray(weight, dtype=float)
    return Annotations(*names, item, rater, label, np.full(m, -1), weight, np.full(C, np.nan))


def drawn(seed, confusion, *, m, each, share=None):
    """Labels of `each` raters on each of m items, by their [J, C, C] confusion matrices; and the true classes."""
    rng = np.random.default_rng(seed)
    J, C, _ = confusion.shape
    truth = rng.choice(C, size=m, p=share)
    rater = rng.permuted(np.tile(np.arange(J), (m, 1)), axis=1)[:, :each].ravel()
    item = np.repeat(np.arange(m), each)
    below = confusion[rater, truth[item]].cumsum(axis=1)
    label = np.minimum((rng.random(item.size)[:, None] > below).sum(axis=1), C - 1)
    return table(item, rater, label, m=m, J=J, C=C), truth


def coins(accuracy, C):
    """[J, C, C] confusion matrices of raters with one accuracy."""
    a = np.asarray(accuracy)[:, None, None]
    return np.where(np.eye(C, dtype=bool), a, (1 - a) / (C - 1))
