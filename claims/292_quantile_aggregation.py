"""Row 292, quantile aggregation: does ordering help, do local weights beat averaging, does conformal restore coverage?

World: two features; y = 2·sin(2x₁) + (0.3 + 0.6·1[x₁ > 0])·noise. Five quantile models of mixed merit: good on the
left only, good on the right only, right centre with spread of one size, everything 30 % too wide, and one with noisy
quantiles that cross. Weights are fitted on 400 rows, conformal steps on 300 more, figures on 4,000 fresh rows.
"""

import numpy as np
from scipy import special

from adjudge.stats import quantile_loss as ql
from adjudge.stats import quantile_stack

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
FIT, CALIBRATE, TEST, REPEATS = 400, 300, 4000, 10
Z = special.ndtri(LEVELS)


def draw(rng, n):
    x = rng.normal(size=(n, 2))
    centre = 2 * np.sin(2 * x[:, 0])
    spread = 0.3 + 0.6 * (x[:, 0] > 0)
    return x, centre, spread, centre + spread * rng.normal(size=n)


def models(rng, x, centre, spread):
    n, left = len(x), (x[:, [0]] < 0)
    good = centre[:, None] + spread[:, None] * Z
    bias = 0.8 * np.cos(3 * x[:, [1]])
    return np.stack(
        [
            np.where(left, good, good + bias + 0.5),
            np.where(left, good + bias - 0.5, good),
            centre[:, None] + 0.6 * Z + 0 * good,
            centre[:, None] + 0.2 + 1.3 * spread[:, None] * Z,
            good + 0.5 * rng.normal(size=(n, LEVELS.size)),
        ],
        axis=1,
    )


def run(seed):
    rng = np.random.default_rng(seed)
    parts = []
    for n in (FIT, CALIBRATE, TEST):
        x, centre, spread, y = draw(rng, n)
        parts.append((x, models(rng, x, centre, spread), y))
    (x, q, y), (x_cal, q_cal, y_cal), (x_new, q_new, y_new) = parts
    stacks = {"average": quantile_stack.average(LEVELS, 5)}
    for form in ("coarse", "medium", "fine"):
        stacks[form] = quantile_stack.fit(q, y, LEVELS, form=form)
    stacks["local coarse"] = quantile_stack.fit(q, y, LEVELS, form="coarse", regions=4, features=x)
    stacks["local medium"] = quantile_stack.fit(q, y, LEVELS, form="medium", regions=4, features=x)
    single = min(ql.weighted_interval_score(ql.sort(q_new[:, j]), y_new, LEVELS).mean() for j in range(5))
    out = {"best single": [single, single, single, np.nan, np.nan, np.nan, np.nan]}
    worse = 0
    for name, stack in stacks.items():
        raw = stack.mixed(q_new, x_new)
        shift = ql.conformal_shift(stack(q_cal, x_cal), y_cal, LEVELS)
        final = ql.sort(stack(q_new, x_new) + shift)
        score = [ql.weighted_interval_score(form, y_new, LEVELS) for form in (raw, ql.sort(raw), ql.isotonic(raw))]
        worse += sum(int((better > score[0] + 1e-12).sum()) for better in score[1:])
        before, after = (ql.covered(each, y_new, LEVELS) for each in (ql.sort(raw), final))
        out[name] = [*(s.mean() for s in score), ql.crossing(raw), before[1][0], after[1][0], after[2][0]]
    for j in range(5):  # the crossing base models themselves
        raw = q_new[:, j]
        base = ql.weighted_interval_score(raw, y_new, LEVELS)
        for put in (ql.sort, ql.isotonic):
            worse += int((ql.weighted_interval_score(put(raw), y_new, LEVELS) > base + 1e-12).sum())
    return out, worse


found = [run(seed) for seed in range(REPEATS)]
worse = sum(count for _, count in found)
print("mixture        WIS raw  sorted  isotonic  crossing   95 % cover raw → conformal   width")
mean = {}
for name in found[0][0]:
    row = mean[name] = np.mean([out[name] for out, _ in found], axis=0)
    print(
        f"{name:13s}  {row[0]:.4f}  {row[1]:.4f}  {row[2]:.4f}    {row[3]:.3f}"
        f"        {row[4]:.3f} → {row[5]:.3f}              {row[6]:.2f}"
    )

gap = np.array([out["average"][1] - out["local medium"][1] for out, _ in found])
local = gap.mean() > 2 * gap.std(ddof=1) / np.sqrt(REPEATS)
slack = 2 * np.sqrt(0.95 * 0.05 / (CALIBRATE * REPEATS))
restored = all(abs(row[5] - 0.95) < slack + 1 / CALIBRATE for name, row in mean.items() if name != "best single")
print(f"\nrows on which sorting or isotonic projection raised the WIS: {worse} of {REPEATS * TEST * 22}")
print(f"average − local medium in WIS: {gap.mean():.4f} ± {gap.std(ddof=1) / np.sqrt(REPEATS):.4f}")
checks = (worse == 0, bool(local), restored)
print(f"never worse by ordering, local beats average, coverage restored: {checks}")
print(f"\nCLAIM 292: {'reproduced' if all(checks) else 'partly' if any(checks) else 'not reproduced'}")
