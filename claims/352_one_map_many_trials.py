"""Row 352, One Map, Many Trials: do LCC and Tweedie recover a treatment effect that shrunken predictions attenuate?

World: predictions Ŷ = E[Y | X] with density p, Y = Ŷ + e, e ~ N(0, σ²) on 300 historical labelled rows. A later trial
moves Y by 0.3 in the treated arm; its predictions follow the same Ŷ | Y, and it has no labels. Estimates of the
effect: naive difference of Ŷ, LCC, Tweedie, and PPI with 60 fresh labels of the trial, which the others do not need.
The interval of each corrected estimate counts the error of its fitted parameters, through the influence values of the
forecast.
"""

from functools import cache, partial

import numpy as np

from adjudge.calibration import linear_correction, tweedie
from adjudge.core.estimate import Estimate, Part
from adjudge.tables.ratings import Ratings

EFFECT, N, M, FRESH, POOL, REPEATS = 0.3, 2000, 300, 60, 200_000, 150


def density(kind, rng, n):
    if kind == "Gaussian":
        return rng.normal(size=n)
    if kind == "two groups":
        return rng.choice([-1.2, 1.2], n) + 0.4 * rng.normal(size=n)
    return (rng.gamma(3, 1, n) - 3) / np.sqrt(3)


@cache
def population(kind, sigma):
    """Ŷ and Y of the historical population, in the order of Y."""
    rng = np.random.default_rng(352)
    pool = density(kind, rng, POOL)
    pool_y = pool + sigma * rng.normal(size=POOL)
    order = np.argsort(pool_y)
    return pool[order], pool_y[order]


def table(score, gold, arm):
    n = score.size
    return Ratings(
        ("control", "treated"), ("map",), arm, np.arange(n), np.arange(n), score[:, None], gold, np.ones(n),
        np.full(n, np.nan), np.zeros(n), np.empty((n, 0)),
    )  # fmt: skip


def effect(ratings, calibrator, trial):
    """Difference of the arms with sampling and calibration error."""
    forecast = calibrator(ratings).forecast
    sign = np.where(ratings.policy == 1, 1.0, -1.0) * trial
    share = sign / np.where(sign > 0, (sign > 0).sum(), (sign < 0).sum())
    value = share @ forecast.value
    mean = [forecast.value[sign == side].mean() for side in (-1, 1)]
    sampling = share[trial] * (forecast.value[trial] - np.where(sign[trial] > 0, mean[1], mean[0]))
    labels = forecast.influence @ (share @ forecast.gradient)
    parts = (Part.from_influence("sampling", sampling[:, None]), Part.from_influence("calibration", labels[:, None]))
    found = Estimate(("effect",), np.array([value]), parts, np.array([float(M)]))
    low, high = found.interval(0.95)[0]
    return value, low <= EFFECT <= high


def ppi(score, gold, arm, rng):
    value, variance = 0.0, 0.0
    for side, sign in ((1, 1.0), (0, -1.0)):
        rows = np.flatnonzero(arm == side)
        seen = rng.choice(rows, FRESH // 2, replace=False)
        residual = gold[seen] - score[seen]
        value += sign * (score[rows].mean() + residual.mean())
        variance += score[rows].var() / rows.size + residual.var(ddof=1) / seen.size
    return value, abs(value - EFFECT) <= 2.0 * np.sqrt(variance)


def run(kind, sigma, shift, seed):
    rng = np.random.default_rng(seed)
    pool, pool_y = population(kind, sigma)
    arm = np.arange(N) % 2
    y = density(kind, rng, N) + sigma * rng.normal(size=N) + EFFECT * arm
    near = np.clip(np.searchsorted(pool_y, y) + rng.integers(-20, 21, N), 0, POOL - 1)
    score = pool[near] + shift * arm  # a draw of Ŷ given Y
    past = rng.integers(0, POOL, M)
    ratings = table(
        np.append(score, pool[past]), np.append(np.full(N, np.nan), pool_y[past]), np.append(arm, np.zeros(M, int))
    )
    trial = np.arange(N + M) < N
    naive = score[arm == 1].mean() - score[arm == 0].mean()
    wide = 2 * np.sqrt(score[arm == 1].var() / (N / 2) + score[arm == 0].var() / (N / 2))
    fits = (linear_correction.fit, partial(tweedie.fit, density="kernel"), tweedie.fit)
    rows = [(naive, abs(naive - EFFECT) <= wide), *(effect(ratings, fit(ratings), trial) for fit in fits)]
    return [*rows, ppi(score, y, arm, rng)]


print(f"true effect {EFFECT}; {REPEATS} repeats; mean, sd, share of 95 % intervals that hold it\n")
print(
    "density      σ    shift    naive             LCC               Tweedie kernel    Tweedie matched   PPI, 60 labels"
)
seen = {}
for kind, sigma, shift in (
    ("Gaussian", 0.5, 0.0), ("Gaussian", 1.0, 0.0), ("two groups", 0.5, 0.0),
    ("skewed", 0.5, 0.0), ("skewed", 1.0, 0.0), ("Gaussian", 1.0, 0.1),
):  # fmt: skip
    found = np.array([run(kind, sigma, shift, seed) for seed in range(REPEATS)])
    mean, sd, cover = found[:, :, 0].mean(0), found[:, :, 0].std(0), found[:, :, 1].mean(0)
    seen[kind, sigma, shift] = mean, sd, cover
    cells = "   ".join(f"{m:.3f} {s:.3f} {c:4.0%}" for m, s, c in zip(mean, sd, cover, strict=True))
    print(f"{kind:11s} {sigma:.1f}   {shift:.1f}    {cells}")

clean = {key: figures for key, figures in seen.items() if key[2] == 0}
attenuated = all(mean[0] < 0.85 * EFFECT for mean, _, _ in clean.values())
lcc = max(abs(mean[1] / EFFECT - 1) for mean, _, _ in clean.values())
best = max(abs(mean[3] / EFFECT - 1) for mean, _, _ in clean.values())
kernel = max(abs(mean[2] / EFFECT - 1) for mean, _, _ in clean.values())
moved = seen["Gaussian", 1.0, 0.1][0]
print(
    f"\nworst relative bias if calibration transports: LCC {lcc:.0%}, Tweedie kernel {kernel:.0%}, matched {best:.0%}"
)
print("LCC is unbiased where Ŷ is linear in Y (Gaussian); elsewhere its line misses the bend. Kernels oversmooth.")
print(
    f"calibration shifted by 0.1 for the treated: naive {moved[0]:.3f}, LCC {moved[1]:.3f} (expected 0.3 + 0.1/b = 0.5)"
)
tweedie_ok, lcc_ok = attenuated and best < 0.1, attenuated and lcc < 0.1
word = "reproduced" if tweedie_ok and lcc_ok else "partly" if tweedie_ok else "not reproduced"
print(
    f"\nCLAIM 352: {word} (Tweedie, with a matched score, is within 10 % everywhere; LCC only where Ŷ is linear in Y)"
)
