"""By how much each policy beats each other, how sure that is, and what any rule makes of a thousand such tables.

    m_ij = Σ_r w_r y_r / Σ_r w_r − ½          y = 1 where i beats j, ½ a tie, over the votes of the pair;  m_ji = −m_ij
    ψ_g  = Σ_{r in g} w_r (y_r − ½ − m_ij) / Σ_r w_r          what cluster g adds to the error of m_ij
    m*_b = Σ_r V_r w_r y_r / Σ_r V_r w_r − ½                  V ~ Exp(1), one a cluster (two ways: multiplied)

A pair that never met is unknown (NaN), which is not a tie. Each pair has two imaginary half votes in the replicates and
in the variance, one for each side, as in Jeffreys' interval: five wins out of five are not certainty.

Rubin (1981), The Bayesian bootstrap; Owen (2007), The pigeonhole bootstrap; Liang, Zeger (1986), Eq. 13.
Limits: one vote a cluster is the binomial error; many votes make the imaginary ones vanish; one cluster has no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ..._typing import BoolArray, FloatArray, IntArray
from ...core.estimate import Part
from ...core.finding import Finding
from ...tables.comparisons import Comparisons
from ..cluster import group_sums
from . import told
from .steps import reaching

BLOCK = 1 << 22  # numbers held at once
STREAM = 30011  # margins draw from a stream of their own

Rule = Callable[[FloatArray], FloatArray]
"""[b, m] scores from [b, j, j] antisymmetric margins of the j policies that can be compared; 0 where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """The table of margins; k policies, j of them inside, E pairs that met, c cells of like votes.

    Arguments:
        policies: [k] names.
        inside: [k] policies of the largest connected part, the only ones that can be compared.
        left, right: [E] positions of each pair among the j policies inside, left < right.
        value: [E] m of the left policy.
        mass: [E] weight of its votes.
        edge, outcome, weight, count: [c] of cells of like votes, told from the left policy's side.
        unit: [c, ways] codes of the independent units, without gaps; no columns where each vote is one.
        units: independent units; of the way that has fewest.
        findings: what to distrust.
    """

    policies: tuple[str, ...]
    inside: BoolArray
    left: IntArray
    right: IntArray
    value: FloatArray
    mass: FloatArray
    edge: IntArray
    outcome: FloatArray
    weight: FloatArray
    count: FloatArray
    unit: IntArray
    units: int
    findings: tuple[Finding, ...]

    @property
    def j(self) -> int:
        """Policies that can be compared."""
        return int(self.inside.sum())

    @property
    def names(self) -> tuple[str, ...]:
        """[j] names of the policies inside."""
        return tuple(name for name, on in zip(self.policies, self.inside, strict=True) if on)

    def table(self, value: FloatArray | None = None) -> FloatArray:
        """[…, j, j] antisymmetric margins of pair values […, E] (the margins themselves); 0 where unknown."""
        value = self.value if value is None else value
        out = np.zeros((*value.shape[:-1], self.j, self.j))
        out[..., self.left, self.right], out[..., self.right, self.left] = value, -value
        return out

    def met(self) -> FloatArray:
        """[j, j] weight of the votes of each pair."""
        out = np.zeros((self.j, self.j))
        out[self.left, self.right] = out[self.right, self.left] = self.mass
        return out

    @property
    def unknown(self) -> IntArray:
        """[j] how many of the others a policy never met."""
        return np.asarray(self.j - 1 - (self.met() > 0).sum(axis=1), dtype=np.int64)

    @property
    def vote(self) -> FloatArray:
        """[E] mass of a typical vote of the pair."""
        square = group_sums(self.edge, self.count * self.weight**2, self.left.size)
        return np.asarray(square / np.maximum(self.mass, 1e-300))

    @property
    def imaginary(self) -> FloatArray:
        """[E] mass of one imaginary vote: what a typical independent unit puts on the pair."""
        out = self.vote
        for column in self.unit.T:
            sums = sparse.coo_array((self.count * self.weight, (column, self.edge))).tocsr()
            square = group_sums(sums.indices.astype(np.int64), sums.data**2, self.left.size)
            out = np.maximum(out, square / np.maximum(self.mass, 1e-300))
        return out

    def covariance(self, W: FloatArray) -> FloatArray:
        """[q, q] of the linear functions W [q, E] of the margins, clustered; NaN with fewer than two units."""
        if self.units < 2:
            return np.full((W.shape[0],) * 2, np.nan)
        residual = (self.outcome - 0.5 - self.value[self.edge]) * self.weight / self.mass[self.edge]
        if not self.unit.shape[1]:
            total = float(self.count.sum())
            own = group_sums(self.edge, self.count * residual**2, self.left.size) * total / (total - 1)
            meat = (W * own) @ W.T
        else:
            meat = self._clustered(W, residual * self.count, self.unit[:, 0])
            if self.unit.shape[1] == 2:
                both = self.unit[:, 0] * (int(self.unit[:, 1].max()) + 1) + self.unit[:, 1]
                meat += self._clustered(W, residual * self.count, self.unit[:, 1])
                meat = _proper(
                    meat - self._clustered(W, residual * self.count, np.unique(both, return_inverse=True)[1])
                )
        return np.asarray(meat + (W * (0.25 * (self.imaginary / self.mass) ** 2)) @ W.T)

    def stderr(self) -> FloatArray:
        """[E] standard error of each margin, as in `covariance`; NaN with fewer than two units."""
        E = self.left.size
        if self.units < 2:
            return np.full(E, np.nan)
        residual = (self.outcome - 0.5 - self.value[self.edge]) * self.weight / self.mass[self.edge]
        own = 0.25 * (self.imaginary / self.mass) ** 2
        if not self.unit.shape[1]:
            return np.asarray(np.sqrt(own + group_sums(self.edge, self.count * residual**2, E)))
        for column in self.unit.T:  # two ways: their sum, which is not too small
            sums = sparse.coo_array((residual * self.count, (column, self.edge))).tocsr()
            own = own + group_sums(sums.indices.astype(np.int64), sums.data**2, E)
        return np.asarray(np.sqrt(own))

    def _clustered(self, W: FloatArray, psi: FloatArray, unit: IntArray) -> FloatArray:
        units = int(unit.max()) + 1
        rows = sparse.coo_array((psi, (unit, self.edge)), shape=(units, self.left.size)).tocsr() @ W.T
        return np.asarray(rows.T @ rows * (units / max(units - 1, 1)))

    def draws(self, draws: int, seed: int) -> Iterator[FloatArray]:
        """Blocks [b, E] of the margins in replicates that add up to `draws`."""
        rng = np.random.default_rng((seed, STREAM))
        E, cells = self.left.size, self.edge.size
        base = self.count * self.weight if self.unit.shape[1] else self.weight
        lanes = [np.bincount(column).size for column in self.unit.T]
        width = max(E, *lanes, 1) if len(lanes) == 1 else max(E, cells, 1)
        spread, half = self._spread(base), self.imaginary
        for start in range(0, draws, step := max(1, BLOCK // max(width, self.j**2))):
            b = min(step, draws - start)
            if len(lanes) == 0:
                V = rng.standard_gamma(np.broadcast_to(self.count, (b, cells)))
            elif len(lanes) == 1:
                V = rng.standard_exponential((b, lanes[0]))
            else:
                one, two = (rng.standard_exponential((b, lane)) for lane in lanes)
                V = one[:, self.unit[:, 0]] * two[:, self.unit[:, 1]]
            sums = np.asarray(spread @ V.T).T
            extra = rng.standard_gamma(0.5, (2, b, E)) * half
            yield (sums[:, :E] + extra[0]) / (sums[:, E:] + extra[0] + extra[1]) - 0.5

    def _spread(self, base: FloatArray) -> sparse.csr_array:
        """[2E, units] what each unit adds to the wins and to the mass of each pair."""
        E, cells = self.left.size, self.edge.size
        unit = self.unit[:, 0] if self.unit.shape[1] == 1 else np.arange(cells)
        width = int(unit.max(initial=-1)) + 1
        value = np.concatenate([base * self.outcome, base])
        return sparse.coo_array(
            (value, (np.concatenate([self.edge, self.edge + E]), np.tile(unit, 2))), shape=(2 * E, width)
        ).tocsr()

    def replicates(self, rule: Rule, *, draws: int, seed: int) -> FloatArray:
        """[B, …] what a rule makes of each replicate."""
        return np.concatenate([rule(self.table(block)) for block in self.draws(draws, seed)])

    def part(self, drawn: FloatArray, *, step: float, value: FloatArray | None = None) -> Part:
        """The sampling error of [B, j] replicates; `step` is the least amount by which a value can change.

        Where the `value` [j] of the votes themselves is given, the error reaches across steps (`steps`).
        A discrete value whose replicates never differ is not certain: step²/(B + 1) is added to each variance.
        """
        j = drawn.shape[1]
        if self.units < 2 or drawn.shape[0] < 2:
            return Part("sampling", np.full((j, j), np.nan), self.units)
        centred = drawn - drawn.mean(axis=0)
        small = (
            (self.units + 1) / (self.units - 1) if self.unit.shape[1] else 1.0
        )  # Exp(1) weights spread a little less
        spread = centred.T @ centred / (drawn.shape[0] - 1) * small
        if value is not None:
            spread = reaching(spread, drawn, value)
        return Part("sampling", spread + np.eye(j) * step**2 / (drawn.shape[0] + 1), self.units)


def margins(table: Comparisons) -> Margins:
    """The margins of a table of votes, and what is not known about them.

    Arguments:
        table: votes; a probability p counts p for left and 1 − p for right. Rows without a verdict add nothing.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> found = margins(from_arrays(np.array([0, 1, 1]), np.array([1, 0, 2]), np.array([1.0, 0.5, 0.0])))
    >>> found.table().tolist()
    [[0.0, 0.25, 0.0], [-0.25, 0.0, -0.5], [0.0, 0.5, 0.0]]
    >>> found.unknown.tolist()  # 0 and 2 never met
    [1, 0, 1]
    """
    rows = np.flatnonzero(table.known)
    inside = _largest(table, rows)
    rows = rows[inside[table.left[rows]]]
    turned = table.left[rows] > table.right[rows]
    low = np.where(turned, table.right[rows], table.left[rows])
    high = np.where(turned, table.left[rows], table.right[rows])
    outcome = np.where(turned, 1.0 - table.outcome[rows], table.outcome[rows])
    code, edge = np.unique(low * max(table.k, 1) + high, return_inverse=True)
    unit = np.column_stack(
        [np.zeros(rows.size), *(np.unique(c, return_inverse=True)[1] for c in table.cluster[rows].T)]
    )
    edge, outcome, weight, count, unit = _cells(edge, outcome, table.weight[rows], table.count[rows], unit[:, 1:])
    place = np.cumsum(inside) - 1
    mass = group_sums(edge, weight * count, code.size)
    with np.errstate(invalid="ignore"):
        value = group_sums(edge, weight * count * outcome, code.size) / mass - 0.5
    unit = unit.astype(np.int64)
    units = min((int(c.max(initial=-1)) + 1 for c in unit.T), default=round(float(count.sum())))
    result = Margins(
        policies=table.policies, inside=inside, left=place[code // max(table.k, 1)],
        right=place[code % max(table.k, 1)],
        value=value, mass=mass, edge=edge, outcome=outcome, weight=weight, count=count, unit=unit, units=units,
        findings=(),
    )  # fmt: skip
    played = np.zeros(table.k, dtype=bool)
    played[table.left[table.known]] = played[table.right[table.known]] = True
    unknown = int(result.unknown.sum()) // 2
    return replace(result, findings=told.about(table, inside, played, unknown, units))


def _cells(
    edge: IntArray, outcome: FloatArray, weight: FloatArray, count: FloatArray, unit: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Rows that differ by nothing summed, in an order that does not depend on theirs."""
    keys = [*unit.T, weight, outcome, edge]
    order = np.lexsort(keys)
    sorted_keys = np.column_stack([key[order] for key in keys])
    new = np.ones(order.size, dtype=bool)
    new[1:] = (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)
    first = order[new]
    total = np.add.reduceat(count[order], np.flatnonzero(new)) if order.size else count
    return edge[first], outcome[first], weight[first].astype(float), total.astype(float), unit[first]


def _largest(table: Comparisons, rows: IntArray) -> BoolArray:
    """[k] policies of the connected part with most votes."""
    k, left, right = table.k, table.left[rows], table.right[rows]
    if not rows.size:
        return np.zeros(k, dtype=bool)
    graph = sparse.coo_array((np.ones(rows.size), (left, right)), shape=(k, k))
    label = csgraph.connected_components(graph, directed=False)[1]
    return np.asarray(label == np.argmax(group_sums(label[left].astype(np.int64), table.count[rows], k)))


def _proper(matrix: FloatArray) -> FloatArray:
    """The nearest matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)
