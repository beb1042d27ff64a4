"""Row 312: labels that are 80-90 % right, but wrong where it matters, ruin naive regressions and not design-based ones.

World: gold y ~ Bernoulli(σ(0.2 + 0.6·x − 0.4·z)) for 2,000 texts; a surrogate labels all of them and is right in about
86 % of cases, more often wrong, and wrong upwards, where z = 1; 300 gold labels by known unequal chances. Question: a
linear regression of y on x and z (its population coefficients are computed from 4 million draws).
"""

import numpy as np
from scipy import special

from adjudge.stats import pseudo

N, LABELS, TRIALS = 2000, 300, 300


def draw(rng, n):
    x, z = rng.standard_normal(n), (rng.random(n) < 0.5).astype(float)
    y = (rng.random(n) < special.expit(0.2 + 0.6 * x - 0.4 * z)).astype(float)
    wrong = rng.random(n) < np.where(z == 1, np.where(y == 0, 0.35, 0.03), 0.08)
    return np.column_stack([np.ones(n), x, z]), y, np.where(wrong, 1 - y, y)


def covered(found, truth):
    low, high = found.interval().T
    return (low <= truth) & (truth <= high)


rng = np.random.default_rng(312)
many, big_y, big_hint = draw(rng, 4_000_000)
truth = np.linalg.lstsq(many, big_y, rcond=None)[0]
accuracy = (big_y == big_hint).mean()
hits = {name: np.zeros(3) for name in ("naive", "DSL", "gold only")}
width = {name: np.zeros(3) for name in hits}
for trial in range(TRIALS):
    X, y, hint = draw(rng, N)
    chance = np.where(X[:, 2] == 1, 1.4, 0.6) * LABELS / N
    known = rng.random(N) < chance
    gold = np.where(known, y, np.nan)
    answers = {
        "naive": pseudo.regress(pseudo.problem(hint, X, hint, 1.0)),
        "DSL": pseudo.regress(pseudo.problem(gold, X, hint, chance), splits=3, seed=trial),
        "gold only": pseudo.regress(pseudo.problem(y[known], X[known], hint[known], 1.0, weight=1 / chance[known])),
    }
    for name, found in answers.items():
        hits[name] += covered(found, truth)
        width[name] += found.stderr

print(
    f"surrogate accuracy {accuracy:.1%}, truth {truth.round(3)}, {TRIALS} data sets of {N:,} rows, {LABELS} gold labels"
)
print(f"{'':10s} coverage of intercept, x, z      mean standard error")
for name in hits:
    print(f"{name:10s} {'  '.join(f'{c:5.1%}' for c in hits[name] / TRIALS)}        {(width[name] / TRIALS).round(4)}")
noise = 2 * np.sqrt(0.95 * 0.05 / TRIALS)
collapses = (hits["naive"] / TRIALS).min() < 0.5
holds = (hits["DSL"] / TRIALS).min() > 0.95 - 1.5 * noise
narrower = (width["DSL"] < width["gold only"]).all()
share = (width["DSL"] / width["gold only"]).round(2)
print(f"DSL standard errors are {share} of gold-only ones")
verdict = "reproduced" if collapses and holds and narrower else "partly" if holds else "not reproduced"
print(
    f"CLAIM 312: {verdict}: naive coverage falls to {(hits['naive'] / TRIALS).min():.1%}, DSL keeps "
    f"{(hits['DSL'] / TRIALS).min():.1%} or more at {share.max():.0%} or less of the gold-only error."
)
