"""How often a rater agrees with the others: the weighted vote without the rater, on every item that others labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import BoolArray, FloatArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding
from ._cells import Cells, accuracy_estimate, floored, items_of, top


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Each rater against the others.

    Arguments:
        credit: [z] share of the others' top classes that a cell hits; NaN where nobody else labelled the item.
        use: [z] whether anybody else did.
        right, total: [J] weight of the labels that agree, and of those that could.
    """

    credit: FloatArray
    use: BoolArray
    right: FloatArray
    total: FloatArray


def votes(found: Cells, power: FloatArray) -> FloatArray:
    """[m, C] votes of each class; a label of rater j counts power[j]."""
    place = found.item * found.C + found.label
    counted = np.bincount(place, found.weight * power[found.rater], found.m * found.C)
    return np.asarray(counted.reshape(found.m, found.C))


def against_others(found: Cells, power: FloatArray) -> Agreement:
    """Agreement with the vote of the others, whose labels count power[j] each."""
    key = found.item * found.J + found.rater  # in order
    first = np.diff(key, prepend=-1) > 0
    pair, of = key[first], np.cumsum(first) - 1
    item, rater = pair // found.J, pair % found.J
    own = np.zeros((pair.size, found.C))
    np.add.at(own, (of, found.label), found.weight)
    others = votes(found, power)[item] - own * power[rater][:, None]
    company = np.bincount(item, minlength=found.m)[item] > 1
    share = top(others)[of, found.label]
    use = company[of]
    weight = np.where(use, found.weight, 0.0)
    return Agreement(
        np.where(use, share, np.nan),
        use,
        np.asarray(np.bincount(found.rater, weight * share, found.J), dtype=float),
        np.asarray(np.bincount(found.rater, weight, found.J), dtype=float),
    )


def estimate(
    found: Cells, seen: Agreement, *, names: tuple[str, ...], method: str, findings: tuple[Finding, ...] = ()
) -> Estimate:
    """Accuracy against the others, with errors clustered by item: ψ_ij = w_ij (credit_ij − a_j) / Σ w_j."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = seen.right / seen.total
        psi = found.weight * (seen.credit - value[found.rater]) / seen.total[found.rater]
    use = seen.use
    influence = sparse.csr_matrix((psi[use], (found.item[use], found.rater[use])), shape=(found.m, found.J))
    items = items_of(found, use)
    grow = np.sqrt(items / np.maximum(items - 1, 1))
    covariance = (influence.T @ influence).toarray() * np.outer(grow, grow)
    part = Part("sampling", floored(covariance, value, seen.total, items), int(found.labelled.sum()))
    return accuracy_estimate(names, value, part, np.maximum(items - 1.0, 1.0), method, findings)
