"""Tells an answer as a story: verdict, values, pairs, calibration, plan, findings, and how it was made."""

from __future__ import annotations

import numpy as np

from .. import catalogue
from .._typing import FloatArray
from ..reports.story import (
    Block,
    Curve,
    Dots,
    Findings,
    Forest,
    Histogram,
    Line,
    Prose,
    Story,
)
from .answer import Answer
from .blocks import forest_rows, pair_matrix
from .derived import MOST_PAIRS
from .made import provenance
from .plan_block import plan_block
from .slice_table import slice_table
from .verdict import verdict

BINS = 20


def story(answer: Answer) -> Story:
    """The report of an evaluation."""
    ratings = answer.ratings
    blocks: list[Block] = [_forest(answer)]
    if 2 <= ratings.k <= MOST_PAIRS:
        blocks.append(pair_matrix(answer))
    blocks += [block for block in (slice_table(answer), _curve(answer), plan_block(answer)) if block is not None]
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [Prose("Why this method", (answer.reason, *_choice(answer))), provenance(answer.run)]
    return Story(
        title=f"Which of {ratings.k} policies is best?" if ratings.k > 1 else f"What is {ratings.policies[0]} worth?",
        verdict=verdict(answer),
        blocks=tuple(blocks),
        facts=(
            f"{ratings.k:,} {'policies' if ratings.k > 1 else 'policy'}",
            f"{int(answer.n_rows.sum()):,} judged responses",
            f"{int(ratings.labelled.sum()):,} gold labels",
            f"{answer.units or ratings.units:,} independent prompts",
        ),
    )


def _forest(answer: Answer) -> Forest:
    ratings, e = answer.ratings, answer.estimate
    labels = np.bincount(ratings.policy[ratings.labelled], minlength=ratings.k)
    alone = answer.labels_only if answer.of_means else None
    return Forest(
        forest_rows(answer, answer.n_rows, n_labels=labels, alone=alone),
        title="What each policy is worth",
        unit="gold label" if answer.of_means else e.method.partition(".")[2],
        caption="" if answer.of_means else catalogue.card(e.method).answers,
        bounds=e.bounds,
        level=answer.level,
    )


def _curve(answer: Answer) -> Curve | None:
    """The calibration curve of a single judge with its band; of several, forecast against gold."""
    ratings, calibrator = answer.ratings, answer.calibrator
    if calibrator is None or ratings.forecast is None or not calibrator.judges:  # without judges: the mean label
        return None
    single = len(calibrator.judges) == 1 and not ratings.covariate_names
    judge = ratings.judges.index(calibrator.judges[0])
    x = ratings.score[:, judge] if single else ratings.forecast.value
    known = np.isfinite(x)
    if not known.any() or np.ptp(x[known]) == 0:
        return None
    seen = x[ratings.labelled & known]
    lines: tuple[Line, ...] = ()
    if single:
        grid = np.linspace(x[known].min(), x[known].max(), 200)
        value, stderr = calibrator.curve(grid)
        low, high = (np.clip(value + side * 1.96 * stderr, *ratings.bounds) for side in (-1, 1))
        lines = (Line(grid, value, low, high),)
    return Curve(
        title="What the judge's score means" if single else "Forecast against gold",
        lines=lines,
        dots=_dots(seen, ratings.gold[ratings.labelled & known]),
        histograms=_histograms(answer, x),
        x_name=calibrator.judges[0] if single else "forecast",
        y_name="gold label",
        caption=f"Fitted by {calibrator.method} on {seen.size:,} labelled responses; the band is 95 %, pointwise.",
        support=(float(seen.min()), float(seen.max())),
        identity=not single,
    )


def _dots(x: FloatArray, y: FloatArray) -> Dots:
    """Labelled rows in bins of about equal size; rows with equal scores share a bin."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, min(12, max(2, x.size // 5)) + 1)))
    code = np.searchsorted(edges[1:-1], x, side="right")
    n = np.bincount(code, minlength=max(edges.size - 1, 1)).astype(float)
    full = n > 0
    mean_x, mean_y = (np.bincount(code, column, n.size)[full] / n[full] for column in (x, y))
    return Dots(mean_x, mean_y, n[full])


def _histograms(answer: Answer, x: FloatArray) -> tuple[Histogram, ...]:
    known = np.isfinite(x)
    edges = np.linspace(x[known].min(), x[known].max(), BINS + 1)
    names, policy = answer.estimate.names, answer.ratings.policy
    return tuple(
        Histogram(names[p], edges, np.histogram(x[known & (policy == p)], edges)[0].astype(float))
        for p in answer.order[:8]
    )


def _choice(answer: Answer) -> tuple[str, ...]:
    """What an automatic calibration compared."""
    if answer.calibrator is None or not answer.calibrator.trials:
        return ()
    tried = "; ".join(
        f"{trial.method.partition('.')[2]} {trial.error:.4g} (standard error {trial.stderr:.2g})"
        for trial in answer.calibrator.trials
    )
    return (f"Out-of-fold squared error of the calibrations tried: {tried}.",)
