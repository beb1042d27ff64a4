"""Permutations of runs between two agents, block by block: all of them while they are few, a seeded sample after that.

    T_k(σ) = Σ_{m <= k} ( mean of the block's runs that σ_m deals to the left − mean of those dealt to the right )

A chain is one way to deal every block so far. Chain 0 deals each run to the agent that made it, so T_k(0) is what was
observed; under equal laws it is one of the chains by chance alone, which is all that an exact test needs. As long as
C(2n, n)^k does not exceed the number asked for, the chains are all deals; from then on each goes on with a random deal.

Phipson, Smyth (2010), Permutation P-values should never be zero: the observed deal is counted among the random ones.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..._typing import FloatArray, IntArray

_OWN = 15485863  # tells these draws from the default_rng(seed) that simulated runs may themselves come from


def grown(chains: int, shape: tuple[int, int] | None, most: int) -> tuple[IntArray, bool]:
    """How the chains go on into one more block: [B] the chain that each new one continues, and whether by all deals.

    Arguments:
        chains: number so far; 1 before the first block.
        shape: runs of the left and of the right in the block, when it is the same for all pairs; None when not.
        most: number of chains asked for.

    >>> grown(1, (2, 2), 100)
    (array([0, 0, 0, 0, 0, 0]), True)
    >>> grown(6, (2, 2), 20)[0].size
    24
    """
    deals = math.comb(sum(shape), shape[0]) if shape else most + 1
    if chains * deals <= most:
        return np.repeat(np.arange(chains), deals), True
    return np.repeat(np.arange(chains), max(1, math.ceil(most / chains))), False


def deals(
    parents: IntArray, every: bool, shape: tuple[int, int], *, seed: int, block: int, stream: int = 0
) -> FloatArray:
    """[B, a + b] the deal of one block by each chain: 1/a for a run dealt to the left, −1/b for one to the right.

    Arguments:
        parents, every: of `grown`.
        shape: a runs of the left, then b of the right.
        seed, block, stream: name the draw; the same names give the same deals.
    """
    left, right = shape
    chosen = np.zeros((parents.size, left + right), dtype=bool)
    if every:
        subsets = np.array(list(itertools.combinations(range(left + right), left)))
        picks = np.tile(subsets, (parents.size // len(subsets), 1))
    else:
        rng = np.random.default_rng((seed, _OWN, block, stream, left, right))
        picks = rng.random(chosen.shape).argsort(axis=1)[:, :left]
        picks[0] = np.arange(left)
    np.put_along_axis(chosen, picks, True, axis=1)
    return np.where(chosen, 1.0 / left, -1.0 / right)
