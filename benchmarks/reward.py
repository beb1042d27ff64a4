"""How fast a reward model is fitted: Bradley-Terry on a million pairs, beside scikit-learn's logistic regression.

    make bench BENCH=reward         the table below, and docs/speed_reward.md
    python -m benchmarks.reward --quick

Both find the same penalised optimum, in one process, in turn (A B A B). Each solver runs with its default tolerance,
and lbfgs with a tighter one where that leaves it short of the loss that ours reaches; a run whose loss is more than
1e-9 of a pair above the best is marked. The peer gets the differences of features ready-made, as ours does.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from adjudge.stats.pair_logit import Pairs, fit, minimise

PAGE = Path(__file__).parent.parent / "docs" / "speed_reward.md"
RUNS, SHORT = 3, 1e-9
SLOW = ("scikit-learn, lbfgs, tol 1e-6", "scikit-learn, newton-cholesky")  # run once
Job = Callable[[], np.ndarray]


def world(kind: str, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences of features, and who won: features that are independent, or as correlated as embeddings are."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, d))
    if kind == "correlated":
        x *= 4 * (1 + np.arange(d)) ** -0.5
        x = x @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    beta = rng.normal(size=d) * 1.5 / np.sqrt(d)
    return x, (rng.random(n) < 1 / (1 + np.exp(-x @ beta))).astype(float)


def loss(x: np.ndarray, won: np.ndarray, beta: np.ndarray) -> float:
    """By pair, with the penalty of λ = 1."""
    lead = x @ beta
    return float(np.logaddexp(0, lead).sum() - won @ lead + 0.5 * beta @ beta) / won.size


def peer(x: np.ndarray, won: np.ndarray, solver: str, tol: float) -> Job | None:
    """scikit-learn's fit."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        return None

    def run() -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=1.0, fit_intercept=False, solver=solver, tol=tol, max_iter=1000)
            return np.asarray(model.fit(x, won).coef_[0])

    return run


def lines(kind: str, n: int, d: int, runs: int) -> list[str]:
    """The rows of the table for one kind of features."""
    x, won = world(kind, n, d)
    pairs, alone = Pairs(x, won, 1 - won), np.arange(n)
    jobs: dict[str, Job | None] = {
        "Adjudge": lambda: minimise(pairs, ridge=1.0),
        "scikit-learn, lbfgs": peer(x, won, "lbfgs", 1e-4),
        "scikit-learn, lbfgs, tol 1e-6": peer(x, won, "lbfgs", 1e-6) if kind == "correlated" else None,
        "scikit-learn, newton-cholesky": peer(x, won, "newton-cholesky", 1e-4),
    }
    spent: dict[str, list[float]] = {name: [] for name, job in jobs.items() if job}
    reached = {}
    for turn in range(runs):
        for name in spent:
            if turn and name in SLOW:
                continue
            job, start = jobs[name], time.process_time()
            assert job is not None
            beta = job()
            spent[name].append(time.process_time() - start)
            reached[name] = loss(x, won, beta)
    best, ours = min(reached.values()), spent["Adjudge"]
    found = []
    for name, times in spent.items():
        ratios = [other / own for other, own in zip(times, ours, strict=False)]
        short = "" if reached[name] - best <= SHORT else " (short)"
        by = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})" if name != "Adjudge" else "1"
        found.append(f"| {kind} | {name} | {statistics.median(times):.2f} | {by} | {reached[name] - best:.1e}{short} |")
        print(found[-1], flush=True)
    start = time.process_time()
    fit(pairs, alone, ridge=1.0)
    found.append(f"| {kind} | Adjudge, with the covariance by pair | {time.process_time() - start:.2f} | | |")
    print(found[-1], flush=True)
    return found


def page(found: list[str], n: int, d: int, runs: int) -> str:
    """The page of the docs."""
    newline = "\n"
    return f"""<!-- made by `make bench BENCH=reward` -->

# How fast is a reward model fitted?

Bradley-Terry on {n:,} pairs × {d} features, λ = 1, to the same optimum; CPU seconds, one thread, medians of {runs} runs
in turn (one of the two slowest); ratios are those of runs side by side, with their range. {platform.machine()}, Python
{platform.python_version()}, NumPy {np.__version__}, scikit-learn {metadata.version("scikit-learn")}.

| features | solver | CPU s | times ours | loss of a pair above the best |
|:--|:--|--:|--:|--:|
{newline.join(found)}

Long tables start from the optimum of a sixteenth of the rows and keep that part's matrix of second derivatives,
corrected by how slopes change (L-BFGS); each further step reads the table once, in single precision until the last.
Where features are independent of each other, lbfgs needs six steps only, and a table that is read from memory leaves
less to gain; where they are correlated, as embeddings and counts of words are, it needs many. Nobody else gives the
covariance; it costs exact products of the table with itself.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of a Bradley-Terry reward beside scikit-learn.")
    parser.add_argument("--quick", action="store_true", help="small, printed and not written")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each solver")
    asked = parser.parse_args()
    n, d = (60_000, 64) if asked.quick else (1_000_000, 256)
    found = [line for kind in ("independent", "correlated") for line in lines(kind, n, d, asked.runs)]
    print(f"{os.cpu_count()} cores")
    if not asked.quick:
        PAGE.write_text(page(found, n, d, asked.runs), encoding="utf-8")


if __name__ == "__main__":
    main()
