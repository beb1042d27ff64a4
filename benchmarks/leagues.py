"""Do the intervals of rankings cover? Leagues that know the truth, and the i.i.d. sandwich of other packages beside.

    python -m benchmarks.leagues [--replicates 2000] [--quick]

Prints the table and writes `docs/coverage_leagues.md` (--quick only prints). Each replicate draws a season, ranks it by
`ranking.bradley_terry` (or `ranking.ppi_bradley_terry` where judges vote) and asks whether the 95 % intervals hold the
target, which is the fit to expected votes (`sim.leagues`): of each rating, of each difference, of each effect.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from adjudge.core.estimate import Estimate
from adjudge.ranking import bradley_terry, ppi_bradley_terry
from adjudge.sim.leagues import Draw
from adjudge.stats.paired.scale import POINTS
from benchmarks.leagues_rows import Row, rows

LEVEL = 0.95
LEAST, MOST = 0.93, 0.965
PAGE = Path(__file__).parent.parent / "docs" / "coverage_leagues.md"


def replicate(task: tuple[int, int]) -> np.ndarray:
    """[7] of one season: coverage and width of ratings, coverage of differences, of effects; beside: two and share."""
    number, seed = task
    row = rows()[number]
    season = row.league.draw((number, seed))
    if row.judged:
        estimate = ppi_bradley_terry.rank(season.comparisons, **row.settings)
        beside = estimate.figures["labels_only"]
    else:
        estimate = bradley_terry.rank(season.comparisons, **row.settings)
        loose = replace(season.comparisons, cluster=np.zeros((season.comparisons.n, 0), dtype=np.int64))
        beside = bradley_terry.rank(loose, **row.settings)
    held, width = covered(estimate, season.truth)
    beside_held, beside_width = covered(beside, season.truth)
    left, right = np.triu_indices(row.league.k, 1)
    apart, _ = covered(estimate.differences(), season.truth[left] - season.truth[right])
    return np.array([held, width, apart, effects(estimate, season), beside_held, beside_width])


def covered(estimate: Estimate, truth: np.ndarray) -> tuple[float, float]:
    """Share of the intervals that hold the truth, and their mean width; one without an answer does not hold it."""
    low, high = estimate.interval(LEVEL).T
    with np.errstate(invalid="ignore"):
        held = (low <= truth) & (truth <= high)
    return float(held.mean()), float(np.mean(high - low))


def effects(estimate: Estimate, season: Draw) -> float:
    """Share of the effects' intervals that hold them; NaN where there is none."""
    if "effects" not in estimate.figures or not season.target.effects:
        return np.nan
    found = estimate.figures["effects"]
    known = {"first": "order", "length": "length"}
    truth = np.array([season.target.effects[known[name]] * POINTS for name in found.names])
    return covered(found, truth)[0]


def line(row: Row, figures: np.ndarray) -> str:
    """One row of the Markdown table from [replicates, 6] figures."""
    n = len(figures)
    mean, error = figures.mean(axis=0), figures.std(axis=0, ddof=1) / np.sqrt(n)
    mark = "" if good(figures) else " (!)"
    told = "–" if np.isnan(mean[3]) else f"{100 * mean[3]:.1f}"
    beside = f"{100 * mean[4]:.1f} / {np.nanmean(figures[:, 5]):.0f}"
    columns = ["–", beside] if row.judged else [beside, "–"]
    first = f"**{100 * mean[0]:.1f}**{mark} | {100 * error[0]:.1f} | {np.nanmean(figures[:, 1]):.0f}"
    return f"| {row.name} | {first} | {100 * mean[2]:.1f} | {told} | " + " | ".join(columns) + " |"


def good(figures: np.ndarray) -> bool:
    """Whether the coverage of the ratings is in the promised range."""
    return bool(LEAST <= round(float(figures[:, 0].mean()), 3) <= MOST)


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of the intervals of rankings in simulated leagues.")
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="200 replicates, printed and not written")
    arguments = parser.parse_args()
    replicates, grid = (200 if arguments.quick else arguments.replicates), rows()
    names = ["league", "coverage %", "± MC", "width", "differences %", "effects %", "i.i.d. sandwich: % / width"]
    names.append("people only: % / width")
    lines = ["| " + " | ".join(names) + " |", "|:--" + "|--:" * (len(names) - 1) + "|"]
    print("\n".join(lines))
    started, measured = time.perf_counter(), []
    with get_context("fork").Pool(2) as pool:
        for number, row in enumerate(grid):
            tasks = [(number, seed) for seed in range(max(int(replicates * row.share), 50))]
            measured.append(np.array(pool.map(replicate, tasks, chunksize=10)))
            lines.append(line(row, measured[-1]))
            print(lines[-1], flush=True)
    print(f"\n{verdict(measured)}\n{time.perf_counter() - started:.0f} s")
    if not arguments.quick:
        PAGE.write_text(page(lines, verdict(measured), replicates), encoding="utf-8")


def verdict(measured: list[np.ndarray]) -> str:
    """One paragraph: the range over the rows, and how many leave it."""
    coverage = np.array([figures[:, 0].mean() for figures in measured])
    loose = np.array([f[:, 4].mean() for f, row in zip(measured, rows(), strict=True) if not row.judged])
    outside = sum(not good(figures) for figures in measured)
    return (
        f"Coverage over {len(coverage)} leagues: {100 * coverage.min():.1f} to {100 * coverage.max():.1f} % "
        f"(goal: {100 * LEAST:.0f} to {100 * MOST:.1f} % in each); leagues outside: {outside}. "
        f"The i.i.d. sandwich: {100 * loose.min():.1f} to {100 * loose.max():.1f} %."
    )


def page(lines: list[str], told: str, replicates: int) -> str:
    judged = int(replicates * 0.25)
    return (
        f"""<!-- made by `make bench BENCH=leagues` -->

# Do the intervals of rankings cover?

Nominal 95 % intervals, {replicates:,} seasons a league ({judged:,} where judges vote), seeded. `coverage %` is
the mean over the policies of how often the interval of a rating holds its target; ± is one Monte-Carlo standard error;
(!) marks a league outside {100 * LEAST:.0f} to {100 * MOST:.1f} %. `width` is in rating points; `differences %` is over
all pairs of policies; `effects %` over the effects of order and length. Unless said otherwise: 20 policies, 10,000
votes, 100 raters, clustered by rater.

{told}

"""
        + "\n".join(lines)
        + """

The leagues are in `benchmarks/leagues_rows.py` (from `adjudge.sim.leagues`). Raters have tastes and prompts suit some
policies better: then a model without tastes estimates ratings nearer to each other than the abilities are, and the
target is what it would find in an endless season, computed by quadrature. The *i.i.d. sandwich* is the same fit with
every vote taken for independent, as other packages do. In the last three rows judges give probabilities on every match
and people vote on some: `ranking.ppi_bradley_terry`, beside the people's votes alone.
"""
    )


if __name__ == "__main__":
    main()
