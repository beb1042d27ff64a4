"""Row 113, Open RL Benchmark: do few seeds flip winners by the mean, and does IQM with a stratified bootstrap say so?

World: a bank of 200 runs of four agents on six tasks, returns skewed, some runs failing outright; agents B and C are
equal by construction, A is a little better, D clearly worse. The bank's own numbers are the truth; 3, 5 or 10 runs of
each cell are drawn from it, as a paper would have run. A winner is claimed by the higher number, or by an interval of
the difference that leaves 0 out. The peer's bootstrap (n draws of n) is shown beside ours (n − 1 draws of n).
"""

import numpy as np

from adjudge.ranking import _runs, iqm, optimality_gap
from adjudge.tables import tracked

LEVEL, BANK, TASKS, REPEATS = 0.95, 200, 6, 250
AGENTS = ("a", "b", "c", "d")
LIFT = np.array([1.06, 1.0, 1.0, 0.8])


def bank(seed):
    """[4, 6, 200] final returns: gamma with a heavy right tail, one run in twelve lost."""
    rng = np.random.default_rng(seed)
    size = (len(AGENTS), TASKS, BANK)
    runs = rng.gamma(3, 1 / 3, size) * np.linspace(0.5, 1.6, TASKS)[:, None] * LIFT[:, None, None]
    runs *= np.where(rng.random(size) < 0.04, 5.0, 1.0) * (rng.random(size) > 1 / 12)
    runs[2] = runs[1][:, rng.permutation(BANK)]  # c is b
    return runs


def table(runs):
    k, t, r = (code.ravel() for code in np.indices(runs.shape))
    return tracked.read(
        {"algo": np.array(AGENTS)[k], "env": t, "seed": r, "step": np.zeros(k.size), "return": runs.ravel()}
    )


def peer_width(ratings, draws=400):
    """Standard errors when n of n runs are drawn, which is the usual stratified bootstrap."""
    runs = _runs.prepare(ratings, resample="runs")
    n = runs.sizes[runs.cell]
    statistic = lambda z, w, _: iqm.interquartile_mean(z, w)  # noqa: E731
    rng, found = np.random.default_rng(5), []
    size = int(n[0])
    order = np.argsort(runs.cell, kind="stable")
    for _ in range(draws):
        counts = np.array([np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(n.size // size)])
        weight = np.empty(n.size)
        weight[order] = counts.ravel()
        found.append(_runs.at_once(runs, statistic, weight[None, :])[0, :, 0])
    return np.std(found, axis=0)


runs = bank(0)
whole = iqm.rank(table(runs), draws=200)
mean = runs.mean(axis=(1, 2))
print("the bank: mean", dict(zip(AGENTS, mean.round(3), strict=True)), "IQM", whole.value.round(3))
best = AGENTS[int(np.argmax(mean))]
print(f"best by the mean of all {BANK} runs: {best}\n")
print(
    "runs   winner by mean is another   IQM covers   (n of n)   b against c: decided by mean, by interval"
    "   c over d by interval"
)
seen = {}
for size in (3, 5, 10):
    rng = np.random.default_rng(size)
    row = []
    for repeat in range(REPEATS):
        drawn = rng.random(runs.shape).argsort(axis=2)[..., :size]
        ratings = table(np.take_along_axis(runs, drawn, axis=2))
        found = iqm.rank(ratings, draws=300, seed=repeat)
        low, high = found.interval(LEVEL).T
        flat = optimality_gap.rank(ratings, gamma=1e6, draws=2).value
        equal = found.difference("b", "c").interval(LEVEL)[0]
        ahead = found.difference("c", "d").interval(LEVEL)[0]
        naive = np.nan
        if repeat < 50:
            naive = np.mean(np.abs(found.value - whole.value) <= 1.96 * peer_width(ratings, 60))
        row.append(
            [
                AGENTS[int(np.argmax(flat))] != best,
                np.mean((low <= whole.value) & (whole.value <= high)),
                naive,
                not equal[0] <= 0 <= equal[1],
                ahead[0] > 0,
                ahead[1] < 0,
            ]
        )
    seen[size] = flips, covers, naive, wrong, right, against = np.nanmean(np.array(row, dtype=float), axis=0)
    print(
        f"{size:4d}   {flips:26.0%}   {covers:10.1%}   {naive:8.1%}   {'100%':>26} {wrong:13.1%}"
        f"   {right:6.0%} (reversed {against:.1%})"
    )

flip = all(row[0] > 0.2 for row in (seen[3], seen[5]))
nominal = all(abs(row[1] - LEVEL) < 0.025 for row in seen.values())
honest = all(row[3] < 0.08 for row in seen.values())
print(f"\nfew seeds flip the winner by the mean in a fifth of the draws or more: {flip};")
print(
    f"IQM intervals cover within 2.5 points of nominal: {nominal}; equal agents are called different in < 8 %: {honest}"
)
checks = (flip, nominal, honest)
print(f"\nCLAIM 113: {'reproduced' if all(checks) else 'partly' if any(checks) else 'not reproduced'}")
