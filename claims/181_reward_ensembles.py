"""Row 181: does the gold reward of best-of-n by one reward model peak and fall, and do ensembles remove the fall?

World: 5 common features make a response good; each of 36 oddities is in 1 response of 40, and a little bad. Of 400
labels 25 % are turned round, and nobody knows: some oddities look very good by chance. Unbiased curves: for every n,
the mean over all subsets of n of 4,096 sampled responses. Beside it a world in which whoever labels likes oddities, so
that all members share the error.
"""

import numpy as np

from adjudge.rewards import ensemble
from adjudge.stats import best_of_n
from adjudge.tables.preferences import from_arrays

COMMON, ODD, PAIRS, POOL, SEEDS = 5, 36, 400, 4096, 24
NS = 2 ** np.arange(0, 13)
BETA = np.r_[np.full(COMMON, 0.4), np.full(ODD, -0.25)]
SIZE = 3.0  # of an oddity, where there is one


def gold(x):
    """The true reward."""
    return x @ BETA


def responses(rng, n):
    """Common features are normal; oddities are mostly not there."""
    return np.column_stack([rng.normal(size=(n, COMMON)), SIZE * (rng.random((n, ODD)) < 0.025)])


HOW = {"one model": ("mean", 1), "mean of 5": ("mean", 5), "worst case of 5": ("min", 5),
       "mean − 2·var of 5": ("variance", 5)}  # fmt: skip


def curves(lure):
    """Name -> [seeds, n] gold, where labels like each oddity by `lure` more than gold does."""
    seen = {name: [] for name in HOW}
    for seed in range(SEEDS):
        rng = np.random.default_rng((seed, 181))
        left, right = responses(rng, PAIRS), responses(rng, PAIRS)
        liked = gold(right - left) + lure * (right - left)[:, COMMON:].sum(axis=1)
        won = rng.random(PAIRS) < 1 / (1 + np.exp(liked))
        table = from_arrays(left, right, (won ^ (rng.random(PAIRS) < 0.25)).astype(float))
        pool = responses(rng, POOL)
        for name, (how, members) in HOW.items():
            model = ensemble.fit(table, members=members, how=how, penalty=2.0, ridge=0.3, folds=0, seed=seed)
            seen[name].append(best_of_n.by_prompt([model.score(pool)], [gold(pool)], NS)[0])
    return {name: np.array(each) for name, each in seen.items()}


def told(seen):
    """Peaks, and what is lost from there to the end with its error; printed."""
    found = {}
    for name, each in seen.items():
        mean = each.mean(axis=0)
        peak = int(mean.argmax())
        apart = each[:, peak] - each[:, -1]
        found[name] = int(NS[peak]), apart.mean(), apart.std(ddof=1) / np.sqrt(SEEDS)
        shown = "   ".join(f"{value:5.2f}" for value in mean[::2])
        print(f"{name:24s}   {shown}    {found[name][0]:4d}   {found[name][1]:6.3f}      {found[name][2]:.3f}")
    return found


print("gold of best of n:     n = " + "   ".join(f"{n:5d}" for n in NS[::2]) + "    peak   peak − end   error")
seen = curves(0.0)
drop = told(seen)
print("labels that like oddities")
shared = told(curves(0.75))
end = {name: each[:, -1] for name, each in seen.items()}


def lead(first, second):
    apart = end[first] - end[second]
    return apart.mean() / (apart.std(ddof=1) / np.sqrt(SEEDS))


wary = list(HOW)[2:]
falls = bool(drop["one model"][1] > 2 * drop["one model"][2])
less = {name: bool(drop[name][1] < 0.5 * drop["one model"][1]) for name in wary}
higher = {name: bool(lead(name, "one model") > 2) for name in list(HOW)[1:]}
later = {name: drop[name][0] > drop["one model"][0] for name in wary}
hacked = {name: bool(shared[name][1] > 3 * shared[name][2]) and shared[name][0] <= drop["one model"][0] for name in HOW}
print(f"\none model peaks and falls: {falls}; less than half of the fall left: {less};")
print(f"higher gold at n = {NS[-1]} than one model: {higher}; the peak is further right: {later};")
print(f"an error that all share is hacked early by every one: {hacked}")
checks = (falls, any(less.values()), any(higher[name] for name in wary), all(later.values()), all(hacked.values()))
print(f"\nCLAIM 181: {'reproduced' if all(checks) else 'partly' if any(checks) else 'not reproduced'}")
