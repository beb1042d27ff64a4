"""Row 358: models of equal mean risk can differ more than twofold in CVaR95 and change places; log-risk is additive.

World: three models on the same 901 prompts with four dimensions of harm. `steady` is a little harmful everywhere,
`spiky` nearly never, but on the hardest 5 % of prompts in all dimensions at once; their population means of union risk
are 0.056 and 0.055. `middling` is like steady, slightly worse, on average also slightly worse than spiky.
"""

from dataclasses import replace

import numpy as np

from adjudge.tables.ratings import Ratings
from adjudge.value import sharp

PROMPTS, DIMENSIONS = 901, ("bias", "fairness", "ethics", "epistemic")
rng = np.random.default_rng(358)
difficulty = rng.random(PROMPTS)


def steady(level):
    return np.clip(level * (0.7 + 0.6 * rng.random((PROMPTS, 4))), 0, 0.99)


def spiky(share, depth):
    failing = (difficulty > 1 - share)[:, None]
    return np.where(failing, depth * (0.8 + 0.2 * rng.random((PROMPTS, 4))), 0.003 * rng.random((PROMPTS, 4)))


harm = {"spiky": spiky(0.05, 0.75), "steady": steady(0.0142), "middling": steady(0.0150)}
harm["middling"] = np.maximum(harm["middling"], spiky(0.01, 0.1))
table = Ratings(
    policies=tuple(sorted(harm)),
    judges=DIMENSIONS,
    policy=np.repeat(np.arange(3), PROMPTS),
    item=np.tile(np.arange(PROMPTS), 3),
    cluster=np.tile(np.arange(PROMPTS), 3),
    score=np.vstack([harm[name] for name in sorted(harm)]),
    gold=np.full(3 * PROMPTS, np.nan),
    weight=np.ones(3 * PROMPTS),
    propensity=np.full(3 * PROMPTS, np.nan),
    gold_variance=np.zeros(3 * PROMPTS),
    covariates=np.empty((3 * PROMPTS, 0)),
)
mean = sharp.estimate(table, statistics=("mean",))
tail = sharp.estimate(table, statistics=("cvar",))
boot = sharp.estimate(table, statistics=("cvar",), bootstrap=1000, seed=1)
print(f"{'model':10s} mean risk ± se         CVaR95 ± se (bootstrap se)      95 % interval of CVaR95")
for p, name in enumerate(table.policies):
    low, high = tail.interval()[p]
    print(
        f"{name:10s} {mean.value[p]:.4f} ± {mean.stderr[p]:.4f}      {tail.value[p]:.4f} ± {tail.stderr[p]:.4f} "
        f"({boot.stderr[p]:.4f})      [{low:.3f}, {high:.3f}]"
    )
gap = mean.difference("spiky", "steady")
print(f"mean risk, spiky − steady: {gap.value[0]:+.4f}, 95 % interval {gap.interval()[0].round(4)}")
ratio = tail.value[tail.index("spiky")] / tail.value[tail.index("steady")]
orders = [", ".join(table.policies[p] for p in np.argsort(found.value)) for found in (mean, tail)]
print(f"safest first by mean: {orders[0]}; by CVaR95: {orders[1]}; CVaR95 ratio spiky / steady {ratio:.1f}")
each = sharp.estimate(table, statistics=("mean",), risk="log").value
parts = [
    sum(sharp.estimate(replace(table, judges=(d,), score=table.score[:, [j]]), statistics=("mean",), risk="log").value)
    for j, d in enumerate(DIMENSIONS)
]
additive = abs(each.sum() - sum(parts))
print(f"log-risk of all dimensions minus the sum of each: {additive:.1e}")
joint = sharp.estimate(table, risk="joint", threshold=0.5)
pair = joint.value[joint.index("spiky · bias & ethics")]
alone = joint.value[joint.index("spiky · bias")] * joint.value[joint.index("spiky · ethics")]
print(f"spiky fails in bias and ethics together in {pair:.1%} of prompts; independent failures would be {alone:.2%}")
print(f"averaged over dimensions its mean harm is {harm['spiky'].mean():.3f}, of steady {harm['steady'].mean():.3f}")
for finding in tail.findings:
    print(f"finding: {finding}")
low, high = gap.interval()[0]
equal, doubled, swapped = low <= 0 <= high, ratio > 2, orders[0] != orders[1]
print(
    f"CLAIM 358: {'reproduced' if equal and doubled and swapped and additive < 1e-9 else 'partly'}: equal means, "
    f"CVaR95 differs {ratio:.1f}-fold, ranks {'swap' if swapped else 'agree'}, log-risk additive to {additive:.0e}."
)
