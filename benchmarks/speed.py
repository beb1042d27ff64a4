"""How fast, beside the peers: the same job by both, in one process, in turn (A B A B), in CPU seconds.

    make bench BENCH=speed          the table below, and docs/speed.md
    python -m benchmarks.speed --quick

Every line is the median of its runs. A peer that is not installed leaves its column empty. Ratios matter more than
seconds, which belong to the machine named at the top.
"""

from __future__ import annotations

import argparse
import functools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import polars as pl

from adjudge.flows.evaluate import evaluate, evaluate_ratings
from adjudge.sim.judging import Judging
from adjudge.stats import bootstrap
from adjudge.stats.ppi_mean import ppi_mean
from adjudge.tables.ratings import Ratings
from adjudge.value import ppi_quantile

Job = Callable[[], object]
#: Runs the command and says its CPU seconds and its peak of resident kB, from /proc: ru_maxrss remembers the parent.
STREAM = """
import sys, time
from adjudge.cli.main import main
main(["evaluate", sys.argv[1], "--stream", "--no-report"])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time(), peak.split()[1])
"""
PAGE = Path(__file__).parent.parent / "docs" / "speed.md"


@dataclass(frozen=True)
class Task:
    """One line of the table. Arguments: peer: its name; theirs: its job, None when there is none; runs: of each."""

    name: str
    ours: Job
    peer: str = ""
    theirs: Job | None = None
    runs: int = 5


def world(items: int, share: float) -> Ratings:
    """Five policies with a share of labels."""
    return Judging(items=items, labels=int(5 * items * share)).draw(7).ratings


def records(ratings: Ratings) -> list[dict[str, object]]:
    """The table as a list of dicts, as logs come."""
    names = np.array(ratings.policies)[ratings.policy].tolist()
    rows = zip(names, ratings.item.tolist(), ratings.score[:, 0].tolist(), ratings.gold.tolist(), strict=True)
    return [
        {"policy": policy, "prompt_id": f"q{item}", "judge_score": score, "gold": None if gold != gold else gold}
        for policy, item, score, gold in rows
    ]


def everything(answer: object) -> object:
    """All that a report derives from an evaluation: intervals, ranks, best, pairs."""
    return answer.interval, answer.simultaneous, answer.ranks, answer.p_best, answer.differences.simultaneous()  # type: ignore[attr-defined]


def cje(rows: list[dict[str, object]]) -> Job | None:
    """The leading peer's job on the same rows, with its pairwise comparisons."""
    try:
        from cje import analyze_dataset
    except ImportError:
        return None
    draws: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        draw = {"prompt_id": row["prompt_id"], "judge_score": row["judge_score"]}
        draws.setdefault(str(row["policy"]), []).append(
            draw | ({} if row["gold"] is None else {"oracle_label": min(max(float(row["gold"]), 0.0), 1.0)})  # type: ignore[arg-type]
        )
    names = sorted(draws)

    def run() -> object:
        results = analyze_dataset(fresh_draws_data=draws)
        return [results.compare_policies(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]

    return run


def ppi_python(name: str, *arrays: np.ndarray, **options: float) -> Job | None:
    """A function of ppi-python on arrays."""
    try:
        import ppi_py
    except ImportError:
        return None
    function = getattr(ppi_py, name)
    return lambda: function(*arrays, **options)


def truescore_mean(y: np.ndarray, h: np.ndarray, f: np.ndarray) -> Job | None:
    """truescore's PPI++ mean."""
    try:
        import truescore
    except ImportError:
        return None
    judge, places = np.concatenate([h, f]), np.arange(y.size)
    return lambda: truescore.ppi_estimate(judge, y, places)


def quantile_job(n: int, N: int) -> tuple[Job, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(3)
    f = rng.random(n + N)
    y = np.clip(f[:n] + rng.normal(0, 0.1, n), 0, 1)
    size = n + N
    ratings = Ratings(
        policies=("a",),
        judges=("judge",),
        policy=np.zeros(size, np.int64),
        item=np.arange(size),
        cluster=np.arange(size),
        score=f[:, None],
        gold=np.concatenate([y, np.full(N, np.nan)]),
        weight=np.ones(size),
        propensity=np.full(size, np.nan),
        gold_variance=np.zeros(size),
        covariates=np.empty((size, 0)),
        bounds=(0.0, 1.0),
    )
    return lambda: ppi_quantile.estimate(ratings, q=0.5).interval(), (y, f[:n], f[n:])


def tasks(quick: bool) -> list[Task]:
    """The lines of the table."""
    small, big = world(5_000, 0.05), world(50_000, 0.05)
    rows = records(small)
    rng = np.random.default_rng(1)
    half = 100_000 if quick else 1_000_000
    f = rng.random(2 * half)
    y = f[:half] + rng.normal(0, 0.2, half)
    arrays = (y, f[:half], f[half:])
    ours, theirs = quantile_job(1_000, 50_000)
    large, _ = quantile_job(1_000, half)
    lines = [
        Task(
            "5 × 5,000 rows, 5 % labels, from arrays",
            lambda: everything(evaluate_ratings(small)),
            "cje-eval",
            cje(rows),
        ),
        Task("the same from a list of dicts", lambda: everything(evaluate(rows)), "cje-eval", cje(rows)),
        Task(
            f"PPI++ mean, n = N = {half:,}", lambda: ppi_mean(*arrays), "ppi-python", ppi_python("ppi_mean_ci", *arrays)
        ),
        Task(f"PPI++ mean, n = N = {half:,}", lambda: ppi_mean(*arrays), "truescore", truescore_mean(*arrays)),
        Task("PPI quantile, n = 1,000, N = 50,000", ours, "ppi-python", ppi_python("ppi_quantile_ci", *theirs, 0.5), 3),
        Task(f"PPI quantile, n = 1,000, N = {half:,}", large),
        Task("bootstrap with refit, B = 2,000, 25,000 rows", lambda: bootstrap.calibrated(small, draws=2000), runs=1),
    ]
    if not quick:
        lines.append(
            Task(
                "5 × 50,000 rows, 5 % labels",
                lambda: everything(evaluate_ratings(big)),
                "cje-eval",
                cje(records(big)),
                1,
            )
        )
    return lines


def in_turn(task: Task) -> tuple[float, float]:
    """Median CPU seconds of (ours, theirs), each run after the other."""
    spent: tuple[list[float], list[float]] = ([], [])
    task.ours()
    for _ in range(task.runs):
        for job, times in ((task.ours, spent[0]), (task.theirs, spent[1])):
            if job is not None:
                start = time.process_time()
                job()
                times.append(time.process_time() - start)
    return statistics.median(spent[0]), statistics.median(spent[1]) if spent[1] else float("nan")


def peak(job: Job) -> float:
    """MB that a job allocates at most at once."""
    tracemalloc.start()
    job()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size / 1e6


def growth(quick: bool) -> list[str]:
    """CPU seconds by rows: the cost is a line."""
    lines = ["| rows | CPU s | CPU s per million rows | peak MB |", "|--:|--:|--:|--:|"]
    for rows in (10_000, 100_000, 1_000_000, *(() if quick else (10_000_000,))):
        ratings = Judging(items=rows // 5, labels=1250).draw(3).ratings
        start = time.process_time()
        everything(evaluate_ratings(ratings))
        spent = time.process_time() - start
        memory = peak(functools.partial(evaluate_ratings, ratings))
        lines.append(f"| {rows:,} | {spent:.3f} | {spent / rows * 1e6:.2f} | {memory:,.0f} |")
        print(lines[-1], flush=True)
    return lines


def streamed(rows: int) -> str:
    """The command line on a Parquet file, batch by batch, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.parquet"
        ratings = Judging(items=rows // 5, labels=1250).draw(3).ratings
        pl.DataFrame(
            {
                "policy": pl.Series(ratings.policies)[ratings.policy],
                "prompt_id": ratings.item,
                "judge_score": ratings.score[:, 0],
                "gold": pl.Series(ratings.gold).fill_nan(None),
            }
        ).write_parquet(path)
        del ratings
        words = [sys.executable, "-W", "ignore", "-c", STREAM, str(path)]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    spent, memory = float(told[-2]), float(told[-1]) / 1e3
    return f"| {rows:,} | {spent:.2f} | {spent / rows * 1e6:.2f} | {memory:,.0f} |"


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller tables, no 5 × 50,000")
    quick = parser.parse_args().quick
    head = [
        "# Speed",
        "",
        "Written by `make bench BENCH=speed`: both sides in one process, in turn, medians of CPU seconds on "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}; peers: "
        + ", ".join(f"{name} {version(name)}" for name in ("cje-eval", "ppi-python", "truescore"))
        + ".",
        "",
        "| job | Adjudge, CPU s | peak MB | peer | CPU s | ratio |",
        "|:--|--:|--:|:--|--:|--:|",
    ]
    body = []
    for task in tasks(quick):
        ours, theirs = in_turn(task)
        other = "–" if np.isnan(theirs) else f"{theirs:.3g}"
        ratio = "–" if np.isnan(theirs) else f"{theirs / ours:,.0f}×"
        body.append(f"| {task.name} | {ours:.3g} | {peak(task.ours):,.0f} | {task.peer} | {other} | {ratio} |")
        print(body[-1], flush=True)
    growing = ["", "## Cost by rows", "", "Five policies, 1,250 labels, everything a report needs.", "", *growth(quick)]
    batches = [
        "",
        "From a Parquet file, batch by batch (`--stream`), start-up included. Memory, that of the whole process,",
        "grows with pairs of prompt and policy (here each row is one), about 200 bytes each, not with the file.",
        "",
    ]
    growing += [*batches, "| rows | CPU s | CPU s per million rows | peak MB |", "|--:|--:|--:|--:|"]
    for rows in (1_000_000, *(() if quick else (10_000_000,))):
        growing.append(streamed(rows))
        print(growing[-1], flush=True)
    if not quick:
        PAGE.write_text("\n".join([*head, *body, *growing]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
