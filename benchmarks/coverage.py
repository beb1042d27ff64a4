"""Do intervals cover? Coverage and width over worlds that know the truth, by the product's own path.

    python -m benchmarks.coverage [--replicates 2000] [--quick]

Prints the table and writes `docs/coverage.md` (--quick only prints). Every replicate draws a table, calibrates it
(`calibration.auto`), estimates (`value.auto`) and asks for the 95 % interval of one figure, as `adjudge evaluate` does.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import cache
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import special

from adjudge.core.estimate import Estimate
from adjudge.core.interval import t_quantile
from adjudge.flows.calibrate import calibrate
from adjudge.value import auto, labels_only
from benchmarks import coverage_peers
from benchmarks.coverage_cells import Cell, cells, simultaneous

LEVEL = 0.95
GOAL = 0.935
PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"
OURS = ("adjudge", "labels only, t or exact")


@cache
def peers() -> dict[str, coverage_peers.Callable[..., coverage_peers.Answer]]:
    return coverage_peers.installed()


def replicate(task: tuple[int, int]) -> np.ndarray:
    """[methods, 2] low and high of every method on one draw of one cell; NaN where a method has no answer."""
    number, seed = task
    cell = cells()[number]
    ratings = cell.draw((number, seed))
    calibrated, _ = calibrate(ratings, "auto", seed=seed)
    answers = [
        _interval(cell, auto.estimate(calibrated)),
        _classical(cell, labels_only.estimate(ratings)),
    ]
    single = len(ratings.policies) == 1
    answers += [coverage_peers.ask(peer, ratings) if single else (np.nan, np.nan) for peer in peers().values()]
    return np.array(answers)


def _interval(cell: Cell, estimate: Estimate) -> tuple[float, float]:
    if cell.ask is simultaneous:
        return simultaneous(estimate, np.array(cell.world.truth), LEVEL)
    low, high = cell.ask(estimate).interval(LEVEL)[0]
    return float(low), float(high)


def _classical(cell: Cell, estimate: Estimate) -> tuple[float, float]:
    """Clopper-Pearson for one mean of independent binary labels, else the t interval clipped to the range."""
    if cell.ask is simultaneous:
        return np.nan, np.nan
    asked = cell.ask(estimate)
    assert asked.reserve is not None
    mean, n, df = float(asked.value[0]), float(asked.reserve.n[0]), float(asked.df[0])
    if cell.exact:
        yes, tail = round(mean * n), (1 - LEVEL) / 2
        return (
            float(special.betaincinv(yes, n - yes + 1, tail)) if yes else 0.0,
            float(special.betainccinv(yes + 1, n - yes, tail)) if yes < n else 1.0,
        )
    half = float(t_quantile(np.array(df), LEVEL) * np.sqrt(asked.reserve.covariance[0, 0]))
    low, high = np.clip([mean - half, mean + half], *asked.bounds)
    return float(low), float(high)


def measure(number: int, low_high: np.ndarray) -> list[tuple[float, float, float]]:
    """(coverage, mean width, share answered) of each method; no answer counts as not covered."""
    truth = cells()[number].truth
    low, high = low_high[..., 0], low_high[..., 1]
    with np.errstate(invalid="ignore"):
        covered = (low <= truth) & (truth <= high)
    answered = np.isfinite(low)
    with np.errstate(invalid="ignore", divide="ignore"):
        width = np.where(answered, high - low, 0).sum(axis=0) / answered.sum(axis=0)
    return list(zip(covered.mean(axis=0), width, answered.mean(axis=0), strict=True))


def line(name: str, figures: list[tuple[float, float, float]], replicates: int) -> str:
    """One row of the Markdown table."""
    coverage, width, _ = figures[0]
    error = np.sqrt(coverage * (1 - coverage) / replicates)
    mark = "" if coverage >= GOAL else " (!)"
    shown = ["–" if share == 0 else f"{100 * c:.1f} / {w:.3f}" for c, w, share in figures[1:]]
    return f"| {name} | **{100 * coverage:.1f}**{mark} | {100 * error:.1f} | {width:.3f} | " + " | ".join(shown) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of nominal 95 % intervals in worlds that know the truth.")
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="300 replicates, printed and not written")
    arguments = parser.parse_args()
    replicates, grid = (300 if arguments.quick else arguments.replicates), cells()
    columns = ["cell", "coverage %", "± MC", "width", *(f"{name}: % / width" for name in (*OURS[1:], *peers()))]
    lines = ["| " + " | ".join(columns) + " |", "|:--" + "|--:" * (len(columns) - 1) + "|"]
    print("\n".join(lines))
    started, measured = time.perf_counter(), []
    with get_context("fork").Pool(2) as pool:
        for number, cell in enumerate(grid):
            tasks = [(number, seed) for seed in range(replicates)]
            measured.append(measure(number, np.array(pool.map(replicate, tasks, chunksize=25))))
            lines.append(line(cell.name, measured[-1], replicates))
            print(lines[-1], flush=True)
    text = page(lines, verdict(measured), replicates)
    print(f"\n{verdict(measured)}\n{time.perf_counter() - started:.0f} s")
    if not arguments.quick:
        PAGE.write_text(text, encoding="utf-8")


def verdict(measured: list[list[tuple[float, float, float]]]) -> str:
    """One paragraph: the worst cell, and the cells wider than the labels alone."""
    coverage = np.array([figures[0][0] for figures in measured])
    widths = np.array([(figures[0][1], figures[1][1]) for figures in measured])
    wider = int(np.sum(widths[:, 0] > widths[:, 1]))
    peer = np.array(
        [
            [figures[j][0] if figures[j][2] else np.nan for figures in measured]
            for j in range(len(OURS), len(OURS) + len(peers()))
        ]
    )
    told = [f"{name} {100 * np.nanmin(row):.1f} %" for name, row in zip(peers(), peer, strict=True)]
    return (
        f"Lowest coverage of {len(coverage)} cells: {100 * coverage.min():.1f} % (goal: {100 * GOAL:.1f} % in each); "
        f"cells below the goal: {int(np.sum(coverage < GOAL))}; cells wider than the labels alone: {wider}."
        + (f" Lowest coverage of the peers in the cells they answer: {', '.join(told)}." if told else "")
    )


def page(lines: list[str], told: str, replicates: int) -> str:
    return (
        f"""<!-- made by `make bench BENCH=coverage` -->

# Do the intervals cover?

Nominal 95 % intervals, {replicates:,} replicates a cell, 1,000 rows a policy, seeded. `coverage %` and `width` are what
`adjudge evaluate` gives (`calibration.auto`, `value.auto`); ± is one Monte-Carlo standard error; (!) marks a cell
below {100 * GOAL:.1f} %. *Labels only* is Clopper-Pearson where gold is binary, independent and equally weighted, and
the t interval elsewhere. A peer that raises an error on a table has not covered the truth; – means no such answer.

{told}

"""
        + "\n".join(lines)
        + """

The worlds are in `benchmarks/coverage_cells.py` (from `adjudge.sim.judging`). *Graded* means binary gold and a graded
judge; the *binary judge* has sensitivity 0.95 and specificity 0.60; the *shifted* policy is flattered by the judge.
*All five at once* counts tables in which all five simultaneous intervals hold; its width is the mean over the five.
Where the residuals of policies are pooled (fewer than 30 labels, `few` of `value.calibrated`), coverage is promised on
average over policies, not for the one singled out because the judge flatters it most: `few=0` is for that one.
"""
    )


if __name__ == "__main__":
    main()
