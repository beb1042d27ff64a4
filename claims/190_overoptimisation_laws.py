"""Row 190: does gold under best-of-n follow d(α − β·d), does the proxy go on rising, and does more data for the proxy
move the peak out (smaller β)?

World: quality, and five habits of which gold wants no extreme; proxies are learned from pairs with 25 % wrong labels,
and so like habits by mistake. 2,000 samples of each of 100 prompts, best of n from 1 to 2,000, fitted by the monitor.
The exact curve of each proxy stands beside its fit. Reward models of other sizes are not simulated.
"""

import itertools

import numpy as np

from adjudge.monitor import overoptimisation
from adjudge.sim.overoptimisation import Overoptimisation
from adjudge.stats import best_of_n
from adjudge.stats import overoptimisation as laws

WORLD = Overoptimisation(harm=0.5, flip=0.25)
N = np.unique(np.round(np.geomspace(1, 2000, 14)).astype(int))
SEEDS, PROMPTS, SAMPLES = 12, 100, 2000


def watched(pairs, seed):
    """R² of both laws, peak, β, the exact best n's d, whether the interval holds it, and whether the proxy rises."""
    proxy = WORLD.learned(pairs, seed=seed)
    table = best_of_n.table(*WORLD.samples(proxy, PROMPTS, SAMPLES, seed=seed), N)
    seen = overoptimisation.watch(table, law="best_of_n")
    both = [laws.fit(table, law=law) for law in laws.LAWS]
    exact = [WORLD.best_of_n(proxy, int(n)) for n in N]
    d = np.sqrt(best_of_n.kl(N))
    fitted = laws.design("best_of_n", d) @ seen.figures["law"].value
    off = np.abs(fitted - fitted[0] - exact).max() / np.ptp(exact)  # exact gold of one sample is 0
    rises = bool((np.diff(seen.figures["proxy"].value) > 0).all())
    code = seen.findings[0].code
    return both[0].r2, both[1].r2, seen.figures["peak"].value[0], both[0].coefficients.value[2], off, rises, code


print("pairs   R² d(α−βd)   R² d(α−β log d)   peak √KL   β       worst miss of exact   proxy rises   said (seed 0)")
beta, peak, holds = [], [], []
for pairs in (60, 240, 960, 3840):
    rows = [watched(pairs, seed) for seed in range(SEEDS)]
    r2, other, at, fall, off = np.median(np.array([row[:5] for row in rows], dtype=float), axis=0)
    rises = all(row[5] for row in rows)
    print(f"{pairs:5d}   {r2:.4f}       {other:.4f}            {at:5.2f}      {fall:6.3f}   {off:6.1%}                "
          f"{rises}          {rows[0][6]}")  # fmt: skip
    beta.append(fall)
    peak.append(at)
    holds.append((r2 > 0.98, rises))
fits, rising = (all(each[i] for each in holds) for i in (0, 1))
less = bool((np.diff(beta) < 0).all())
out = all(later > earlier for earlier, later in itertools.pairwise(peak) if np.isfinite(earlier))
print(f"\nthe law fits (median R² above 0.98): {fits}; the proxy always rises: {rising}; "
      f"β falls with data: {less}; the peak moves out: {out}")  # fmt: skip
checks = (fits, rising, less, out)
verdict = "reproduced" if all(checks) else "partly" if any(checks) else "not reproduced"
print(f"\nCLAIM 190: {verdict} (for data; sizes of reward models were not tried)")
