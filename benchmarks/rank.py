"""How fast do votes become ratings, beside the peers: one process, in turn (A B A B), CPU seconds.

    make bench BENCH=rank           the table, the agreement with the peers, and docs/speed_rank.md
    python -m benchmarks.rank --quick

100 models with string names in a pandas frame, skewed sampling, 18 % ties by Davidson's law, three style covariates:
from the frame to ratings with intervals, checks at the door included. The peers get the same frame and do what they
can: none clusters its errors, and half of them give no interval.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
import tracemalloc

import numpy as np
import pandas as pd

from adjudge.ranking import bradley_terry, probability_of_improvement
from adjudge.tables.comparisons import Comparisons, from_arrays
from adjudge.tables.ratings import Ratings
from adjudge.tables.read_comparisons import read
from benchmarks.rank_peers import (
    AGREEMENT,
    PEERS,
    arena_style,
    arena_table,
    crowd_table,
    evalica_boot,
    evalica_newman,
    evalica_table,
    regression_table,
)
from benchmarks.speed import PAGE, Job, Task, in_turn, version

MODELS = 100
HERE = PAGE.with_name("speed_rank.md")


def league(n: int, seed: int = 0) -> pd.DataFrame:
    """The workload: Davidson votes of skewed activity on prompts, by a length effect and two idle covariates."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 0.8, MODELS)
    share = rng.dirichlet(np.full(MODELS, 0.8)) + 0.002
    left = rng.choice(MODELS, n, p=share / share.sum())
    right = (left + rng.integers(1, MODELS, n)) % MODELS
    style = rng.normal(0, 1, (n, 3))
    eta = theta[left] - theta[right] + 0.25 * style[:, 0]
    up, tie, down = np.exp(eta / 2), np.full(n, 0.45), np.exp(-eta / 2)
    u = rng.random(n) * (up + tie + down)
    names = np.array([f"model-{m:03d}-instruct" for m in range(MODELS)], dtype=object)
    words = np.array(["model_a", "tie", "model_b"], dtype=object)
    return pd.DataFrame(
        {
            "model_a": names[left],
            "model_b": names[right],
            "winner": words[np.where(u < up, 0, np.where(u < up + tie, 1, 2))],
            "prompt": rng.integers(0, max(n // 3, 1), n),
            **{f"style_{c}": style[:, c] for c in range(3)},
        }
    )


def rate(frame: pd.DataFrame, *, style: bool = False, draws: int = 0) -> np.ndarray:
    """From the frame to intervals, clustered by prompt."""
    names = [f"style_{c}" for c in range(3)] if style else []
    table = read(frame, cluster="prompt", covariates=names)
    if draws:
        return bradley_terry.rank(table, covariance="bootstrap", draws=draws).interval()
    return bradley_terry.rank(table).interval()


def coded(n: int) -> Comparisons:
    """The same votes as integer codes."""
    frame = league(n)
    models = pd.Categorical(np.concatenate([frame["model_a"], frame["model_b"]])).codes.astype(np.int64)
    outcome = frame["winner"].map({"model_a": 1.0, "tie": 0.5, "model_b": 0.0}).to_numpy(dtype=float)
    return from_arrays(models[:n], models[n:], outcome)


def runs_bank() -> Ratings:
    """Eight algorithms, 26 tasks, ten runs of each: what the peer's example has."""
    rng = np.random.default_rng(2)
    policy, item = (grid.ravel() for grid in np.meshgrid(np.arange(8), np.repeat(np.arange(26), 10), indexing="ij"))
    n, unknown = policy.size, np.full(policy.size, np.nan)
    return Ratings(
        policies=tuple("abcdefgh"),
        judges=("return",),
        policy=policy,
        item=item,
        cluster=item,
        score=(0.1 * policy + rng.normal(0, 1, n))[:, None],
        gold=unknown,
        weight=np.ones(n),
        propensity=unknown,
        gold_variance=np.zeros(n),
        covariates=np.empty((n, 0)),
    )


def tasks(quick: bool) -> list[Task]:
    """The lines of the table; what takes the peers minutes is run once, on the table where it still ends."""
    small, big = league(100_000), league(200_000 if quick else 2_000_000)
    size = f"{len(big):,}"
    davidson, bank = coded(20_000), runs_bank()
    runs = 1 if quick else 2
    return [
        Task(f"{size} battles, clustered interval", lambda: rate(big), "arena-rank, i.i.d.", arena_table(big), runs),
        Task("the same", lambda: rate(big), "evalica, ties, no interval", evalica_newman(big), runs),
        Task("the same", lambda: rate(big), "evalica, half-win, no interval", evalica_table(big), runs),
        Task(f"{size}, 3 covariates", lambda: rate(big, style=True), "arena-rank", arena_style(big), 1),
        Task("100,000 battles", lambda: rate(small), "crowd-kit, converged", crowd_table(small), 1),
        Task("the same", lambda: rate(small), "scikit-learn, one-hot", regression_table(small), 1),
        Task(
            "100,000, 1,000 bootstrap draws, by cluster",
            lambda: rate(small, draws=1000),
            "evalica, 10 draws of 1,000",
            evalica_boot(small, draws=10),
            1,
        ),
        Task("Davidson, 20,000 coded votes", lambda: bradley_terry.rank(davidson)),
        Task(
            "probability of improvement, 28 pairs, 2,000 draws",
            lambda: probability_of_improvement.rank(bank, error="bootstrap", draws=2000),
        ),
    ]


def peak(job: Job) -> float:
    """MB that a job allocates at most at once, Python's and NumPy's."""
    tracemalloc.start()
    job()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size / 1e6


def agreement() -> list[str]:
    """Largest difference from converged peers in log-odds, on half-win counts; and our own certificate."""
    frame = league(20_000, seed=4)
    table = read(frame)
    ours = bradley_terry.rank(table, ties="half")
    theta = (ours.value - ours.value.mean()) / (400 / np.log(10))
    lines = ["| peer | largest difference, log-odds |", "|:--|--:|"]
    for name, ratings in AGREEMENT.items():
        found = ratings(frame, table.policies)
        lines.append(f"| {name} | {'not installed' if found is None else f'{np.abs(found - theta).max():.1e}'} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200,000 battles instead of 2,000,000")
    quick = parser.parse_args().quick
    head = [
        "# Speed of rankings",
        "",
        "Written by `make bench BENCH=rank`: both sides in one process, in turn, CPU seconds on "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}; peers: "
        + ", ".join(f"{name} {version(name)}" for name in PEERS)
        + ". 100 models with string names in a pandas frame; reading and checking the frame is part of our time.",
        "",
        "| job | Adjudge, CPU s | peak MB above the frame | peer | CPU s | ratio |",
        "|:--|--:|--:|:--|--:|--:|",
    ]
    body = []
    for task in tasks(quick):
        start = time.perf_counter()
        ours, theirs = in_turn(task)
        other = "–" if np.isnan(theirs) else f"{theirs:.3g}"
        ratio = "–" if np.isnan(theirs) else f"{theirs / ours:,.0f}×"
        body.append(f"| {task.name} | {ours:.3g} | {peak(task.ours):,.0f} | {task.peer} | {other} | {ratio} |")
        print(body[-1], f"({time.perf_counter() - start:.0f} s)", flush=True)
    after = [
        "",
        "## Agreement",
        "",
        "20,000 battles, ties as half wins, where every peer has converged.",
        "",
        *agreement(),
    ]
    if not quick:
        HERE.write_text("\n".join([*head, *body, *after]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
