"""Row 64: does rescaling one metric flip the order of means but not of Borda and Kemeny, and are these more stable?

World: 7 systems, 6 tasks of 40 instances, 3 metrics in units of 1, 1 and 1; system abilities differ a little by task
and metric. Then: metric 1 in percent; one score in twenty corrupted by a wild number; half of the tasks left out.
"""

import numpy as np

from adjudge.ranking import task_borda, task_kemeny
from adjudge.ranking._ballots import tau
from adjudge.tables.ratings import Ratings

K, TASKS, INSTANCES, METRICS, WORLDS = 7, 6, 40, 3, 20


def table(score, tasks):
    """Scores [tasks, instances, K, METRICS] as a table."""
    t, m = score.shape[:2]
    policy, item = np.tile(np.arange(K), t * m), np.repeat(np.arange(t * m), K)
    n = item.size
    return Ratings(
        tuple("abcdefg"), ("accuracy", "f1", "bleu"), policy, item, item, score.reshape(n, METRICS), np.full(n, np.nan),
        np.ones(n), np.full(n, np.nan), np.zeros(n), np.empty((n, 0)), stratum=item // m,
        strata=tuple(f"task {i}" for i in tasks),
    )  # fmt: skip


def orders(score, tasks=None):
    """Values by the mean of scores, Borda and Kemeny at one and two levels."""
    made = table(score, range(score.shape[0]) if tasks is None else tasks)
    found = {"mean": score.mean(axis=(0, 1, 3))}
    for name, method in (("Borda", task_borda), ("Kemeny", task_kemeny)):
        for levels in (1, 2):
            found[f"{name}, {levels} level"] = method.rank(made, levels=levels, draws=2).value
    return found


def world(seed):
    """Scores in which the best by one metric is not quite the best by another."""
    rng = np.random.default_rng(seed)
    level = np.linspace(0.5, -0.5, K)[:, None]
    taste = rng.normal(0, 0.3, (TASKS, 1, K, METRICS)) + rng.normal(0, 0.3, (1, 1, K, METRICS))
    return level + taste + rng.normal(0, 1, (TASKS, INSTANCES, K, METRICS)) + rng.normal(0, 1, (TASKS, INSTANCES, 1, 1))


seen = {}
for seed in range(WORLDS):
    rng = np.random.default_rng((seed, 64))
    score = world(seed)
    full = orders(score)
    percent = orders(score * np.array([100.0, 1.0, 1.0]))
    wild = np.where(rng.random(score.shape) < 0.05, rng.standard_cauchy(score.shape) * 10, score)
    corrupted = orders(wild)
    part = np.sort(rng.permutation(TASKS)[: TASKS // 2])
    fewer = orders(score[part], part)
    for name, value in full.items():
        row = [tau(other[name][None], value)[0] for other in (percent, corrupted, fewer)]
        seen.setdefault(name, []).append([*row, float(np.argmax(percent[name]) != np.argmax(value))])

print(f"{WORLDS} worlds; Kendall's τ between the order before and after\n")
print("rule               rescaled (winner changes)   5 % corrupted   half of the tasks")
mean = {name: np.mean(rows, axis=0) for name, rows in seen.items()}
for name, (scaled, corrupted, fewer, flips) in mean.items():
    print(f"{name:18s}    {scaled:.3f}   ({flips:4.0%})             {corrupted:.3f}           {fewer:.3f}")
ranks = [name for name in mean if name != "mean"]
flip = mean["mean"][0] < 0.95 and all(mean[name][0] == 1 for name in ranks)
robust = all(mean[name][1] > mean["mean"][1] + 0.05 for name in ranks)
subsets = all(mean[name][2] > mean["mean"][2] for name in ranks)
print(
    f"\nrescaling flips means alone: {flip}; orders are more stable to corruption: {robust}; to task subsets: {subsets}"
)
uneven = []
for seed in range(WORLDS):
    score = world(seed) * 10 ** np.random.default_rng((seed, 65)).uniform(0, 2, (TASKS, 1, 1, METRICS))
    part = np.sort(np.random.default_rng((seed, 64)).permutation(TASKS)[: TASKS // 2])
    full, fewer = orders(score), orders(score[part], part)
    uneven.append([tau(fewer[name][None], full[name])[0] for name in full])
again = dict(zip(mean, np.mean(uneven, axis=0), strict=True))
print("\nhalf of the tasks, units from 1 to 100: " + ", ".join(f"{name} {value:.3f}" for name, value in again.items()))
unlike = all(again[name] > again["mean"] for name in ranks)
print(f"orders are more stable to task subsets where units are unlike: {unlike}")
if unlike and not subsets:
    print("With one unit and light tails the mean uses more of each score and is as stable as ranks:")
    print("stability to task subsets comes from unlike units.")
checks = (flip, robust, subsets and unlike)
print(f"\nCLAIM 064: {'reproduced' if all(checks) else 'partly' if any(checks) else 'not reproduced'}")
