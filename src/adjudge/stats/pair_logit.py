"""Fits a linear reward to pairs by penalised maximum likelihood, and says how sure it is by independent cluster.

    L(β) = Σ_i [a_i·log(1 + e^{m_i − x_iβ}) + b_i·log(1 + e^{m_i + x_iβ})] + ½λ‖β − c‖²,      x = left − right
    Cov β̂ = A⁻¹ (Σ_g s_g s_gᵀ) A⁻¹·g/(g − q̂),      A = ∇²L,  s_g = Σ_{i in g} ∂L_i/∂β,  q̂ = tr A⁻¹(A − λI)

a = w·p̃ and b = w·(1 − p̃) for a target p̃ freed of flips. Where m = 0 the loss is convex even when p̃ leaves [0, 1],
since a and b then enter by their sum alone but for a term that is linear in β. Exact Newton steps: the matrix of second
derivatives is one blocked product of the pairs with themselves. Liang, Zeger (1986), Eq. 13.
Limits: λ = 0 and hard outcomes are logistic regression without an intercept; one row a cluster is the Huber-White
error; few clusters for the parameters make it wide by g/(g − q̂).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, special

from .._typing import FloatArray, IntArray
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..tables.preferences import Features, dense
from .pair_doubts import doubts, one_sided
from .row_products import RUN, Runs, gram, solve, squared, turned

STEPS, HALVINGS = 100, 40
LONG, THIN, ROWS = 20_000, 16, 20  # rows of a table that starts from a part of it; how small; rows by feature of a part
READ = 1 << 21  # bytes of a dense table that are read at once
DEAR = 1e8  # products in a matrix of second derivatives above which it is rough, and kept
FAST = 0.1  # a step that gains more than this share of the one before asks for a fresh matrix
PART = 0.05  # of the loss that a part leaves by chance: as far as its own optimum is worth seeking
ACCURACY, LAST = 1e-10, 1e-11  # of the Newton decrement, and of the loss that is left, by unit of weight
ROUGH, SLACK = 1e-6, (1e-12, 1e-8)  # loss expected to be left, above which sums are of single precision; their noise
SPARE = 1e-5  # of the loss that a long table leaves by chance, d/2n, which is not worth another visit to it
MOST_FEATURES = 20_000
STIFF = 1e6  # condition number from which a product of three matrices would lose digits that a sum of squares keeps


@dataclass(frozen=True, slots=True)
class Pairs:
    """What the loss of a linear reward is made of.

    Arguments:
        x: [n, d] features of the left response less those of the right.
        better, worse: [n] a = w·p̃ and b = w·(1 − p̃).
        margin: [n] m >= 0, or None for 0.
    """

    x: Features
    better: FloatArray
    worse: FloatArray
    margin: FloatArray | None = None

    def every(self, step: int) -> Pairs:
        """Each step-th run of a few rows, from all over the table; a dense table is not copied."""
        at = Runs.of(self.better.size, step)
        x: Any = self.x[at] if sparse.issparse(self.x) else Runs(self.x, step)
        return Pairs(x, self.better[at], self.worse[at], None if self.margin is None else self.margin[at])

    def rows(self, at: slice | IntArray) -> Pairs:
        """Some of them."""
        margin = None if self.margin is None else self.margin[at]
        return Pairs(self.x[at], self.better[at], self.worse[at], margin)

    def loss(self, lead: FloatArray) -> float:
        """The sum over pairs at log-odds [n]."""
        return self.valued(lead)[0]

    def valued(self, lead: FloatArray) -> tuple[float, FloatArray]:
        """(the loss, [n] its first derivatives by the log-odds), from the same exponentials."""
        if self.margin is None:
            mass = self.better + self.worse
            value, chance = _softplus(lead)
            return float(mass @ value - self.better @ lead), mass * chance - self.better
        (ahead, first), (behind, second) = _softplus(self.margin - lead), _softplus(self.margin + lead)
        return float(self.better @ ahead + self.worse @ behind), self.worse * second - self.better * first

    def slopes(self, lead: FloatArray) -> tuple[FloatArray, FloatArray]:
        """([n] first, [n] second) derivatives of the loss of each pair by its log-odds."""
        if self.margin is None:
            chance = special.expit(lead)
            mass = self.better + self.worse
            return mass * chance - self.better, mass * chance * (1 - chance)
        ahead, behind = special.expit(self.margin - lead), special.expit(self.margin + lead)
        bend = self.better * ahead * (1 - ahead) + self.worse * behind * (1 - behind)
        return self.worse * behind - self.better * ahead, bend


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A minimiser.

    Arguments:
        coefficients: [d] β̂.
        covariance: [d, d]; NaN below two clusters.
        bread: [d, d] A⁻¹.
        units: [g] the clusters' codes.
        influence: makes [g, d] −A⁻¹ s_g·√(g/(g − q̂)), what each cluster adds to the error of β̂.
        effective: q̂, how many parameters the penalty leaves free.
        findings: what to distrust.
    """

    coefficients: FloatArray
    covariance: FloatArray
    bread: FloatArray
    units: IntArray
    influence: Callable[[], FloatArray]
    effective: float
    findings: tuple[Finding, ...]


def _softplus(lead: FloatArray) -> tuple[FloatArray, FloatArray]:
    """([n] log(1 + e^lead), [n] its derivative); log1p would be exact where the value is nothing, and slow."""
    small = np.exp(-np.abs(lead))
    rest = 1 + small
    return np.maximum(lead, 0.0) + np.log(rest), np.where(lead > 0, 1.0, small) / rest


def minimise(pairs: Pairs, *, ridge: float, centre: FloatArray | None = None) -> FloatArray:
    """[d] the coefficients; from `centre`, to which the penalty pulls (0 when None).

    Long tables start from the optimum of a sixteenth of the rows, whose matrix of second derivatives then serves for
    all of them while its steps gain enough: slopes are exact, so that the end is the same to 1e-5 of chance's loss.

    Errors: a penalty that is not above 0 or a loss without a minimum; more features than Newton's steps can hold.
    """
    d = pairs.x.shape[1]
    if not (np.isfinite(ridge) and ridge > 0) or d > MOST_FEATURES:
        raise AdjudgeError(
            f"rewards: ridge = {ridge:g} with {d:,} features.",
            f"A penalty above 0 (separable pairs have no other optimum), and at most {MOST_FEATURES:,} features.",
            "Give a small penalty such as 1e-6 for almost none, or hash the texts into fewer slots.",
        )
    origin = np.zeros(d) if centre is None else centre
    n = pairs.better.size
    if n <= max(LONG, THIN * ROWS * d):
        return _descended(pairs, ridge, origin, origin, None, LAST)[0]
    part, pull = pairs.every(THIN), ridge / THIN
    few = pairs.every(THIN**2) if part.better.size > THIN * ROWS * d else None
    start = origin if few is None else _descended(few, pull / THIN, origin, origin, None, THIN * PART * d / n)[0]
    start, bend = _descended(part, pull, origin, start, None, PART * d / n)
    return _descended(pairs, ridge, origin, start, THIN * bend, max(LAST, SPARE * d / (2 * n)))[0]


def _descended(
    pairs: Pairs, ridge: float, origin: FloatArray, beta: FloatArray, bend: FloatArray | None, close: float
) -> tuple[FloatArray, FloatArray]:
    """(the optimum, the matrix of second derivatives that led to it), from `beta`.

    A kept matrix serves while gains shrink by enough; the step whose own gain, shrunk as gains shrank so far, leaves
    less than `close` by unit of weight is the last one, and is not looked at. Far from the end rows are read in single
    precision, whose noise is a millionth of that of chance.
    """
    dear = pairs.x.shape[0] * beta.size**2 > DEAR
    size = max(float(np.abs(pairs.better + pairs.worse).sum()), 1e-300)
    rough = dear
    value, slope = _valued(pairs, beta, ridge, origin, rough)
    last, step = np.inf, beta
    seen: list[tuple[FloatArray, FloatArray]] = []
    for _ in range(STEPS):
        gain = np.inf
        if bend is not None and dear:
            step = -turned(bend, ridge, slope, seen)
            gain = -float(slope @ step)
        if bend is None or not dear or gain > FAST * last:
            # A margin beside an outcome beyond [0, 1] can bend the loss down; the step then takes the bend for none.
            second = pairs.slopes(pairs.x @ beta)[1].clip(0)
            bend, seen = gram(pairs.x, second, rough=dear), []
            step = -solve(bend, ridge, slope)
            gain = -float(slope @ step)
        if gain <= ACCURACY**2 * size:
            return beta, bend
        if gain <= FAST * last < np.inf and gain * gain / last <= close * size:
            return beta + step, bend
        scale, slack = 1.0, SLACK[rough] * size
        rough = rough and gain * (gain / last if np.isfinite(last) else 1.0) > ROUGH * size
        for _ in range(HALVINGS):
            trial = beta + scale * step
            new, new_slope = _valued(pairs, trial, ridge, origin, rough)
            if new <= value - 1e-4 * scale * gain + slack:
                break
            scale /= 2
        else:
            return beta, bend
        if float((trial - beta) @ (new_slope - slope)) > 0:
            seen.append((trial - beta, new_slope - slope))
        beta, value, slope, last = trial, new, new_slope, gain
    assert bend is not None  # some step was made
    return beta, bend


def _valued(pairs: Pairs, beta: FloatArray, ridge: float, origin: FloatArray, rough: bool) -> tuple[float, FloatArray]:
    """(loss, slope) with the penalty; a dense table is read once, block by block, in single precision where `rough`."""
    apart = beta - origin
    value, slope = 0.5 * ridge * float(apart @ apart), ridge * apart
    if sparse.issparse(pairs.x):
        more, first = pairs.valued(pairs.x @ beta)
        return value + more, slope + pairs.x.T @ first
    kind: Any = np.float32 if rough else np.float64
    size, at = max(READ // (np.dtype(kind).itemsize * beta.size), RUN), beta.astype(kind)
    held = np.empty((size, beta.size), dtype=kind)  # memory is read in one stream; both products are of the cache
    for start in range(0, pairs.x.shape[0], size):
        part = pairs.rows(slice(start, start + size))
        rows = held[: len(part.x)]
        np.copyto(rows, dense(part.x), casting="same_kind")
        more, first = part.valued(rows @ at)
        value += more
        slope += np.asarray(first.astype(kind, copy=False) @ rows, dtype=float)
    return value, slope


def fit(pairs: Pairs, cluster: IntArray, *, ridge: float, centre: FloatArray | None = None, error: bool = True) -> Fit:
    """The coefficients with their covariance.

    Arguments:
        pairs: n of them.
        cluster: [n] code of the independent unit.
        ridge: λ > 0, in pairs; the covariance is about the penalised optimum.
        centre: [d] where the penalty pulls to; 0 when None.
        error: whether the covariance is wanted; without it there are coefficients alone.

    >>> x = np.array([[1.0], [1.0], [1.0], [1.0]])
    >>> found = fit(Pairs(x, np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0])), np.arange(4), ridge=1e-9)
    >>> found.coefficients.round(4).tolist(), round(float(np.exp(found.coefficients[0])), 4)
    ([1.0986], 3.0)
    """
    beta = minimise(pairs, ridge=ridge, centre=centre)
    if not error:
        none = np.zeros((0, 0))
        return Fit(beta, none, none, np.zeros(0, dtype=np.int64), lambda: none, np.nan, ())
    first, second = pairs.slopes(lead := pairs.x @ beta)
    bend, apart = gram(pairs.x, second), beta - (0.0 if centre is None else centre)
    beta = beta - solve(bend, ridge, first @ pairs.x + ridge * apart)
    return sandwich(pairs.x, first, bend, beta, cluster, ridge=ridge, lead=lead)


def sandwich(
    x: Features,
    first: FloatArray,
    bend: FloatArray,
    beta: FloatArray,
    cluster: IntArray,
    *,
    ridge: FloatArray | float,
    lead: FloatArray | None = None,
) -> Fit:
    """The fit at an optimum, from the first derivative of each row by its linear part and the matrix of second ones.

    Arguments:
        x: [n, d] rows.
        first: [n] slopes.
        bend: [d, d] Σ second derivatives, without the penalty.
        beta: [d] the optimum.
        cluster: [n] codes.
        ridge: λ, one for all coefficients or [d].
        lead: [n] log-odds, where the optimum may lie far out.
    """
    units, code = np.unique(cluster, return_inverse=True)
    g, d = units.size, beta.size
    penalised, bread = bend + np.diag(np.broadcast_to(ridge, d)), solve(bend, ridge, np.eye(d))
    effective = float(np.einsum("ij,ji->", bread, bend))
    factor = g / max(g - effective, 1.0) if g > 1 else np.nan
    stiff = np.linalg.norm(penalised, 1) * np.linalg.norm(bread, 1) > STIFF
    meat = squared(x, first, code, bread if stiff else None)
    covariance = factor * (meat if stiff else bread @ meat @ bread)

    def influence() -> FloatArray:
        picker = sparse.csr_array((first, (code, np.arange(first.size))), shape=(g, first.size))
        summed: Any = picker @ x
        return -dense(summed) @ bread * np.sqrt(factor)

    even = (covariance + covariance.T) / 2
    told = (*doubts(g, effective, lead), *one_sided(np.diag(bread), np.diag(even), ridge))
    return Fit(beta, even, bread, units, influence, effective, told)
