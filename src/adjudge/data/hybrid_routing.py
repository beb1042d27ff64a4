"""Which rows are worth a person's label, when the judge labels the rest and performance is what counts in the end?

    R_t          random sets of rows routed to people,  c(R) = Σ_{i in R} x_i  counts of their features
    P̂(c)         regression of the performance seen with R_t on c(R_t)          (`stats.count_regression`)
    gain_i       = P̂(c + x_i) − P̂(c);   routed = best set of `budget` rows found: greedy by gain, and 1,000 random sets

Performance is whatever the caller measures for a set of rows: the accuracy of a reward model trained on the mixed
labels, say. Without a measure of their own, `scores` uses the labelled rows of the table: they know both labels, so
each random set of them is scored by how well the mix reproduces the policy values (minus the root mean squared
error).

Miranda et al. (2025), Hybrid Preferences: Learning to Route Instances for Human vs. AI Feedback. Limits: budget = 0
is all judge, budget = n all gold; with a linear P̂ the greedy set is the best one; without features every row gains
the same. A P̂ that explains nothing (`model.explained` <= 0) routes at random, and a finding says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import count_regression
from ..stats.count_regression import Performance
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which rows should people label, and which can be left to the judge, for the best result at a budget?",
    equation="P̂(c) = β₀ + β·c (+ γ·c²) fitted on random routings;   gain_i = P̂(c + x_i) − P̂(c)",
    papers=(
        Paper(
            "Hybrid Preferences: Learning to Route Instances for Human vs. AI Feedback",
            "Miranda et al.",
            2025,
            "ACL",
            "https://arxiv.org/abs/2410.19133",
            "section 3",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "performance depends on how many rows of each kind are routed, not on which",
        "new rows of a kind behave as those of the random routings did",
    ),
    limits=(
        "budget = 0 is all judge; budget = n is all gold",
        "a linear model never tires of the best kind of row: quadratic can",
    ),
    when="Labels for training, or for a table that will be used as it stands. For an unbiased value use "
    "data.active_labels, whose recorded chances keep the estimate honest.",
    rows=(65,),
)

Measure = Callable[[BoolArray], float]
"""[n] which rows carry a person's label -> performance, larger is better."""


@dataclass(frozen=True, slots=True, eq=False)
class Routing:
    """Where each row should go.

    Arguments:
        gain: [n] predicted gain of sending the row to a person, first of all rows.
        routed: [n] the rows that the budget buys.
        predicted: predicted performance with those rows.
        random: [2] mean and standard deviation of the predicted performance of random sets of the same size.
        model: the performance model.
        names: [F] names of the features.
        findings: what to distrust.
    """

    gain: FloatArray
    routed: BoolArray
    predicted: float
    random: FloatArray
    model: Performance
    names: tuple[str, ...]
    findings: tuple[Finding, ...]


def scores(
    ratings: Ratings,
    *,
    budget: int,
    measure: Measure | None = None,
    features: ArrayLike | None = None,
    form: str = "quadratic",
    routings: int = 200,
    seed: int = 0,
) -> Routing:
    """Gain of a person's label for each row, and the rows to send within the budget.

    Arguments:
        ratings: table with a judge; with gold on some rows, and a forecast (see `calibration`) if scores are not on the
            gold scale, unless `measure` is given.
        budget: rows that people can label, 0 … rows without a label (0 … n with a `measure`).
        measure: performance with people's labels on some rows of the table; see `Measure`.
        features: [n, F] 0/1 features of the rows; by default policy, stratum, and thirds of scores and covariates.
        form: `linear`, `quadratic` or `interactions`.
        routings: random sets to try.
        seed: of the random sets.

    Errors: a budget out of range; no measure and fewer than 20 labelled rows.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=97).draw(0).ratings
    >>> int(scores(ratings, budget=31).routed.sum())
    31
    """
    rng = np.random.default_rng(seed)
    names, table = _features(ratings) if features is None else _named(features, ratings.n)
    open_rows = np.flatnonzero(~ratings.labelled) if measure is None else np.arange(ratings.n)
    if not 0 <= budget <= open_rows.size:
        raise AdjudgeError(
            f"routing: the budget is {budget} rows.",
            f"0 to {open_rows.size}, the rows that have no trusted label yet.",
            "Lower the budget.",
        )
    rows = np.flatnonzero(ratings.labelled) if measure is None else open_rows
    tried = random_routings(rows.size, routings, rng=rng)
    seen = [_value_error(ratings, rows, routed) for routed in tried] if measure is None else []
    for routed in tried if measure is not None else ():
        chosen = np.zeros(ratings.n, dtype=bool)
        chosen[rows[routed]] = True
        seen.append(measure(chosen))  # type: ignore[misc]
    share = open_rows.size / max(rows.size, 1)  # counts of the trial rows, on the scale of the rows to route
    model = count_regression.fit(tried.astype(float) @ table[rows] * share, np.array(seen), form=form)
    routed, predicted, random = search(model, table[open_rows], budget=budget, rng=rng)
    chosen = np.zeros(ratings.n, dtype=bool)
    chosen[open_rows[routed]] = True
    gain = model.gain(table, at=np.zeros(table.shape[1]))
    return Routing(gain, chosen, predicted, random, model, names, _doubt(model))


def random_routings(n: int, count: int, *, rng: np.random.Generator) -> BoolArray:
    """[count, n] random sets: sizes spread evenly from none to all, so that the model sees every budget."""
    size = np.linspace(0, n, count).round().astype(np.int64)
    order = rng.permuted(np.tile(np.arange(n), (count, 1)), axis=1)
    return order < size[:, None]


def search(
    model: Performance, features: FloatArray, *, budget: int, rng: np.random.Generator, tries: int = 1000
) -> tuple[BoolArray, float, FloatArray]:
    """The set of `budget` rows with the best predicted performance that was found, and what random sets would give.

    Rows with the same features are exchangeable, so the greedy pass adds whole batches of the kind that gains most.

    Arguments:
        model: performance by counts.
        features: [n, F] of the rows to choose from.
        budget: rows to choose.
        rng: for the random sets and for choosing within a kind.
        tries: random sets to compare with.

    >>> model = count_regression.fit(np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 2.0]))
    >>> search(model, np.array([[0.0], [1.0]]), budget=1, rng=np.random.default_rng(0))[0]
    array([False,  True])
    """
    kinds, kind = np.unique(features, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    have = np.bincount(kind, minlength=len(kinds))
    take = _greedy(model, kinds, have, budget)
    counts = rng.multivariate_hypergeometric(have, budget, size=tries, method="marginals") if budget else have[None] * 0
    predicted = model(counts @ kinds)
    best = float(model((take @ kinds)[None])[0])
    if predicted.max() > best:
        take, best = counts[predicted.argmax()], float(predicted.max())
    place = np.empty(kind.size, dtype=np.int64)  # position of each row among its kind, at random
    order = np.lexsort((rng.random(kind.size), kind))
    place[order] = np.arange(kind.size) - np.repeat(np.cumsum(have) - have, have)
    return place < take[kind], best, np.array([predicted.mean(), predicted.std()])


def _greedy(model: Performance, kinds: FloatArray, have: IntArray, budget: int) -> IntArray:
    """[kinds] rows taken of each kind: a fiftieth of the budget at a time goes where it gains most."""
    take, left = np.zeros_like(have), budget
    batch = max(budget // 50, 1)
    while left:
        room = np.minimum(np.minimum(have - take, batch), left)
        after = model(take @ kinds + kinds * room[:, None]) - model((take @ kinds)[None])
        rate = np.where(room > 0, after / np.maximum(room, 1), -np.inf)
        best = int(np.argmax(rate))
        take[best] += room[best]
        left -= int(room[best])
    return take


def _features(ratings: Ratings) -> tuple[tuple[str, ...], FloatArray]:
    """0/1 features: policy, stratum, and thirds of each score and covariate; constant ones are dropped."""
    columns: dict[str, FloatArray] = {}
    for name, code, labels in (
        ("policy", ratings.policy, ratings.policies),
        ("stratum", ratings.stratum, ratings.strata),
    ):
        columns.update({f"{name}={label}": (code == at).astype(float) for at, label in enumerate(labels[:50])})
    table = np.column_stack([ratings.score, ratings.covariates])
    for name, values in zip((*ratings.judges, *ratings.covariate_names), table.T, strict=True):
        edges = np.nanquantile(values, [1 / 3, 2 / 3]) if np.isfinite(values).any() else np.zeros(2)
        third = np.searchsorted(edges, values, side="right")
        columns.update({f"{name} third {at + 1}": (third == at).astype(float) for at in range(3)})
    kept = {name: column for name, column in columns.items() if column.min(initial=1) != column.max(initial=0)}
    return tuple(kept), np.column_stack([*kept.values(), np.ones(ratings.n)])[:, : max(len(kept), 1)]


def _named(features: ArrayLike, n: int) -> tuple[tuple[str, ...], FloatArray]:
    table = np.asarray(features, dtype=float).reshape(n, -1)
    return tuple(f"feature {at}" for at in range(table.shape[1])), table


def _value_error(ratings: Ratings, rows: IntArray, routed: BoolArray) -> float:
    """Minus the root mean squared error, over policies, of the values that the mix of gold and judge gives."""
    if rows.size < 20:
        raise AdjudgeError(
            f"routing: {rows.size} labelled rows.",
            "At least 20 rows with both labels, on which random routings can be tried; or a measure of performance.",
            "Label 20 rows at random first, or pass measure=.",
        )
    forecast = ratings.forecast
    judge = ratings.score[rows, 0] if forecast is None else forecast.held_out[rows]
    weight, policy = ratings.weight[rows], ratings.policy[rows]
    error = np.where(routed | ~np.isfinite(judge), 0.0, judge - ratings.gold[rows])
    total = np.bincount(policy, weight, ratings.k)
    mean = np.bincount(policy, weight * error, ratings.k)[total > 0] / total[total > 0]
    return -float(np.sqrt((mean**2).mean()))


def _doubt(model: Performance) -> tuple[Finding, ...]:
    if model.explained > 0.1:
        return ()
    finding = Finding(
        "routing-not-predictable",
        Severity.WARNING,
        f"The features explain {100 * max(model.explained, 0):.0f} % of the performance of random routings left out.",
        model.explained,
        0.1,
        "Try more routings, or features that tell where judge and people differ.",
    )
    return (finding,)
