"""Who is best over the mix of tasks that evaluators choose, where a policy may shine on some tasks only?

    task j ∈ bucket t with chance π_t,     P(left wins) : P(tie) : P(right wins) = e^{d/2} : ν_t : e^{−d/2}
    d = (θ_l + ψ_lt) − (θ_r + ψ_rt),       E[progress of i] = 1/(1 + e^{τ_t − c·(θ_i + ψ_it)}),       Σ_t π_t·ψ_it = 0

The log is pairwise and double-blind: an evaluator picks a task, runs two policies without knowing which, says which did
better and, if asked, how far each came. All votes (and progress) on one task share its latent bucket. EM from several
random starts; the number of buckets by BIC; the error by a bootstrap of whole clusters (sessions, evaluators), each
replicate an EM that starts from the answer.

Atreya, Pertsch, Lee, et al. (2025), RoboArena. Their buckets are of single battles and their tie term is unnormalised;
here a bucket is of a task, and the three chances add up to one.
Limits: one bucket is Davidson's model, whatever the tasks; σ → 0 is one ranking for all tasks with buckets that differ
in ties and difficulty only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import ArrayLike, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.bootstrap import cluster_weights
from ..stats.design import equal_clusters
from ..stats.paired import graph, scale
from ..stats.paired.votes import collect
from ..tables.comparisons import Comparisons
from . import _buckets
from ._matches import verdicts

CARD = Card(
    answers="Which policy is best over evaluator-chosen tasks, when the difficulty of tasks is mixed and unknown?",
    equation="P(win : tie : loss | bucket t) = e^{d/2} : ν_t : e^{−d/2},  d = (θ_l + ψ_lt) − (θ_r + ψ_rt)",
    papers=(
        Paper(
            "RoboArena: Distributed Real-World Evaluation of Generalist Robot Policies",
            "Atreya, Pertsch, Lee, et al.",
            2025,
            "arXiv:2506.18123",
            "https://arxiv.org/abs/2506.18123",
            "§4",
        ),
        Paper(
            "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments",
            "Davidson",
            1970,
            "Journal of the American Statistical Association 65(329)",
            "https://doi.org/10.1080/01621459.1970.10481082",
            "Eq. 2.3",
        ),
    ),
    needs=("left", "right", "outcome", "item"),
    assumes=(
        "Evaluators do not know which policy is which, and the pair is drawn without regard to the task.",
        "Clusters (sessions, evaluators, else tasks) are independent.",
    ),
    limits=(
        "One bucket is the Davidson fit.",
        "Tasks with one vote each hardly show buckets: BIC then chooses one.",
        "An undefeated or unconnected policy gets NaN.",
    ),
    when="When tasks differ and recur, above all with progress scores; ranking.bradley_terry otherwise.",
    unit="rating points; 400 are odds of ten to one",
    rows=(1,),
)
MOST = 3
"""Buckets tried when their number is to be chosen."""
BLOCK = 3_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """The fit with its number of buckets, its BIC, and whether it settled."""

    model: _buckets.Model
    bic: float
    settled: bool


def rank(
    table: Comparisons,
    *,
    progress: ArrayLike | None = None,
    buckets: int | None = None,
    offset: float = 1.0,
    draws: int = 500,
    restarts: int = 6,
    seed: int = 0,
) -> Estimate:
    """Ratings in points, centred on 1000, over the mix of tasks in the log.

    Arguments:
        table: votes; `item` is the task, `cluster` the session or evaluator (the task where there is none).
        progress: [n, 2] how far left and right came, in [0, 1]; NaN where not scored.
        buckets: T; chosen from 1 to 3 by BIC when None.
        offset: σ of a policy's deviations from bucket to bucket, in log-odds.
        draws: bootstrap replicates.
        restarts: random starts of EM when T > 1.
        seed: of the starts and the replicates.

    Figures: `rank`, 1 for the best, with the bootstrap's error; `buckets`, their shares π; `tie`, log ν of each;
    `difficulty`, τ of each (with progress); `by_bucket`, ratings in each when T > 1; `bic` of each number tried.

    Raises AdjudgeError: progress of another shape or outside [0, 1]; fewer than one bucket or two draws; σ <= 0.

    >>> import numpy as np
    >>> from adjudge.tables.comparisons import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> left = rng.integers(0, 2, 200)
    >>> log = from_arrays(left, left + 1, (rng.random(200) < 0.7).astype(float))
    >>> rank(log, buckets=1, draws=100).value.argmax()
    np.int64(0)
    """
    scored = _check(table, progress, buckets, offset, draws, restarts)
    reach = graph.examine(collect(table), table.policies)
    used = np.flatnonzero(table.known & reach.keep[table.left] & reach.keep[table.right])
    if not used.size:
        nothing = np.full(table.k, np.nan)
        return scale.to_points(
            table.policies,
            nothing,
            covariance=np.outer(nothing, nothing),
            units=0,
            method="ranking.roboarena",
            findings=(*table.findings, *reach.findings),
        )
    cells, units = _cells(table, used, np.cumsum(reach.keep) - 1, scored)
    tried = {T: _fit(cells, T, offset, restarts, seed) for T in ([buckets] if buckets else range(1, MOST + 1))}
    T = min(tried, key=lambda each: tried[each].bic)
    chosen, fits = tried[T], _replicates(cells, units, tried[T].model, offset, draws, seed)
    theta, drawn = np.full(table.k, np.nan), fits.overall()
    theta[reach.keep] = chosen.model.overall()[0]
    covariance = np.full((table.k, table.k), np.nan)
    mass: FloatArray = np.asarray(cells.sums[:, : 3 * cells.left.size].sum(axis=1), dtype=float).ravel()
    count, even = equal_clusters(units, mass)
    df = max(min(count, even) - 1.0, 0.0)
    covariance[np.ix_(reach.keep, reach.keep)] = np.cov(drawn, rowvar=False) if count > 1 else np.nan
    names = tuple(name for name, kept in zip(table.policies, reach.keep, strict=True) if kept)
    return scale.to_points(
        table.policies,
        theta,
        covariance=covariance,
        units=count,
        df=df,
        method="ranking.roboarena",
        findings=(*table.findings, *reach.findings, *_findings(cells, chosen, count)),
        figures=_figures(cells, names, chosen.model, fits, (count, df))
        | {"bic": _known(tuple(f"{t} buckets" for t in tried), [each.bic for each in tried.values()])},
    )


def _check(
    table: Comparisons, progress: ArrayLike | None, buckets: int | None, offset: float, draws: int, restarts: int
) -> FloatArray | None:
    if (buckets is not None and buckets < 1) or draws < 2 or restarts < 1 or not offset > 0:
        raise AdjudgeError(
            f"buckets={buckets}, draws={draws}, restarts={restarts}, offset={offset}.",
            "At least one bucket, two draws and one start, and σ > 0.",
            "Leave them out for the defaults.",
        )
    if progress is None:
        return None
    scored = np.asarray(progress, dtype=float)
    if scored.shape != (table.n, 2) or np.any((scored < 0) | (scored > 1)):
        raise AdjudgeError(
            f"progress has shape {scored.shape} and runs from {np.nanmin(scored)} to {np.nanmax(scored)}.",
            f"One row for each of the {table.n} comparisons: left's and right's progress in [0, 1].",
            "Divide by the full score, and give NaN where nobody scored.",
        )
    return scored


def _cells(
    table: Comparisons, used: IntArray, code: IntArray, scored: FloatArray | None
) -> tuple[_buckets.Cells, IntArray]:
    """The sums that EM reads, and [J, c] the clusters of its units (tasks within clusters)."""
    rows = table.take(used)
    groups = rows.cluster if rows.cluster.shape[1] else rows.item[:, None]
    keys, unit = np.unique(np.column_stack([rows.item, groups]), axis=0, return_inverse=True)
    _, task = np.unique(keys[:, 0], return_inverse=True)
    turn = rows.left > rows.right
    left, right = (code[np.where(turn, a, b)] for a, b in ((rows.right, rows.left), (rows.left, rows.right)))
    k, mass = int(code.max()) + 1, rows.weight * rows.count
    pairs, pair = np.unique(left * k + right, return_inverse=True)
    P, unit = pairs.size, unit.ravel()
    verdict = verdicts(np.where(turn, 1 - rows.outcome, rows.outcome)) * mass[:, None]
    place = [(unit, pair.ravel() + j * P, verdict[:, j]) for j in range(3)]
    made = np.full((used.size, 2), np.nan) if scored is None else scored[used]
    for y, who in ((made[:, 0], rows.left), (made[:, 1], rows.right)):
        on = np.isfinite(y)
        for j, part in enumerate((y, 1 - y)):
            place.append((unit[on], 3 * P + j * k + code[who[on]], (mass * part)[on]))
    at, column, value = (np.concatenate(each) for each in zip(*place, strict=True))
    sums = sparse.csr_array((value, (at, column)), shape=(keys.shape[0], 3 * P + 2 * k))
    ties, told = bool(verdict[:, 1].any()), bool(np.isfinite(made).any())
    cells = _buckets.Cells(sums, task.ravel(), pairs // k, pairs % k, k, int(task.max()) + 1, ties, told)
    return cells, keys[:, 1:]


def _fit(cells: _buckets.Cells, T: int, offset: float, restarts: int, seed: int) -> _Chosen:
    """The best of several starts, climbed to the top, with BIC = −2·log-likelihood + freedom·log tasks."""
    rng = np.random.default_rng((seed, 104729))
    starts = restarts if T > 1 else 1
    model, one = _buckets.start(cells, T, starts, rng), np.ones((1, cells.task.size))
    if T > 1:
        model, value, _ = _buckets.climb(cells, model, np.repeat(one, starts, axis=0), offset, steps=40, tolerance=1e-3)
        model = model.take(np.array([int(np.argmax(value))]))
    model, _, settled = _buckets.climb(cells, model, one, offset, steps=1000, tolerance=1e-8)
    model = _buckets.ordered(model)
    value, chance = _buckets.expect(cells, model, one)
    whole, plain = (
        _buckets.newton_system(cells, model, chance, offset, pinned=pinned)[1][0] for pinned in (True, False)
    )
    freedom = float(np.trace(np.linalg.solve(whole + 1e-9 * np.eye(len(whole)), plain))) + T - 1
    freedom -= 0 if cells.ties else T  # placeholders of a tie parameter that is not there
    return _Chosen(model, float(-2 * value[0] + freedom * np.log(max(cells.tasks, 2))), settled)


def _replicates(
    cells: _buckets.Cells, units: IntArray, model: _buckets.Model, offset: float, draws: int, seed: int
) -> _buckets.Model:
    """[B] fits to the log with whole clusters weighted by Exp(1); two ways of clustering multiply."""
    rng = np.random.default_rng((seed, 15485863))
    codes = [np.unique(column, return_inverse=True)[1].ravel() for column in units.T]
    T = model.share.shape[1]
    step = max(1, BLOCK // (T * (cells.task.size + cells.sums.shape[1])))
    found = []
    for begin in range(0, draws, step):
        count = min(step, draws - begin)
        weight = np.ones((count, cells.task.size))
        for code in codes:
            weight *= cluster_weights(int(code.max()) + 1, count, rng)[:, code]
        from_here = _buckets.repeated(model, count)
        found.append(_buckets.climb(cells, from_here, weight, offset, steps=40, tolerance=1e-3)[0])
    names = ("share", "alpha", "tie", "hard", "slope")
    return _buckets.Model(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def _figures(
    cells: _buckets.Cells, names: tuple[str, ...], model: _buckets.Model, fits: _buckets.Model, told: tuple[int, float]
) -> dict[str, Estimate]:
    """Everything else that the fit says, with its spread over the replicates; `told` is units and freedom."""
    T = model.share.shape[1]
    labels = tuple(f"bucket {t + 1}" for t in range(T))
    places, drawn = (_ranks(each.overall()) for each in (model, fits))
    more = np.eye(len(names)) / (len(drawn) + 1)  # a rank that never changed may change in the next replicate
    figures = {
        "rank": _spread(names, places[0], drawn, told, more),
        "buckets": _spread(labels, model.share[0], fits.share, told),
    }
    if cells.ties:
        figures["tie"] = _spread(labels, model.tie[0], fits.tie, told)
    if cells.progress:
        figures["difficulty"] = _spread(labels, model.hard[0], fits.hard, told)
    if T > 1:
        where = tuple(f"{name} in {label}" for label in labels for name in names)
        each, many = (scale.CENTRE + scale.POINTS * m.alpha.reshape(m.alpha.shape[0], -1) for m in (model, fits))
        figures["by_bucket"] = _spread(where, each[0], many, told)
    return figures


def _spread(
    names: tuple[str, ...], value: FloatArray, drawn: FloatArray, told: tuple[int, float], more: FloatArray | float = 0
) -> Estimate:
    units, df = told
    covariance = np.atleast_2d(np.cov(drawn, rowvar=False)) + more if units > 1 else np.full((len(names),) * 2, np.nan)
    return Estimate(names, value, (Part("bootstrap", covariance, units),), np.array(max(df, 1.0)))


def _known(names: tuple[str, ...], value: list[float]) -> Estimate:
    """Figures without an error of their own."""
    unknown = Part("not worked out", np.full((len(names),) * 2, np.nan), 0)
    return Estimate(names, np.array(value), (unknown,), np.array(np.inf))


def _ranks(values: FloatArray) -> FloatArray:
    """[B, k] 1 for the highest."""
    return np.asarray(np.argsort(np.argsort(-values, axis=1, kind="stable"), axis=1) + 1.0, dtype=float)


def _findings(cells: _buckets.Cells, chosen: _Chosen, units: int) -> tuple[Finding, ...]:
    found, T = [], chosen.model.share.shape[1]
    if not chosen.settled:
        text = "EM had not settled after 1,000 steps: the buckets are hardly told apart."
        found.append(Finding("em-unsettled", Severity.WARNING, text, remedy="Use fewer buckets."))
    if T > 1 and cells.tasks == cells.task.size and float(cells.sums[:, : 3 * cells.left.size].sum()) == cells.tasks:
        text = "Each task was voted on once: buckets rest on the shape of the model more than on the data."
        found.append(Finding("tasks-not-repeated", Severity.WARNING, text, T, 1, "Use buckets=1, or repeat tasks."))
    if units < 10:
        text = f"Only {units} independent clusters: bootstrap intervals are too narrow."
        found.append(Finding("clusters-few", Severity.WARNING, text, units, 10, "Add sessions or evaluators."))
    return tuple(found)
