"""Row 65, Hybrid Preferences: does routing some pairs to people and the rest to an LM train the better reward model?

World: pairs of responses with 7 feature differences x, true preference sign(θ·x). The LM labels cheaply and with
little noise (5 % flips), but in one kind of prompt (30 %) it rewards length instead. People flip 30 % of labels,
anywhere. Reward model: Bradley-Terry, linear, by Newton's method; performance: accuracy on fresh pairs. The router
sees neither the bias nor θ: only 5 binary features of each pair, and the performance of 150 random routings on a
development set.
"""

import numpy as np

from adjudge.core.estimate import Part
from adjudge.data import hybrid_routing
from adjudge.stats import glm
from adjudge.tables.ratings import Ratings

D, PAIRS, DEV, TEST, WORLDS = 7, 800, 2000, 20000, 12


def world(seed):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=D)
    theta[0] = 0.0  # length does not matter to the truth

    def pairs(n):
        x = rng.normal(size=(n, D))
        kind = np.column_stack([rng.random(n) < p for p in (0.3, 0.5, 0.4, 0.6, 0.5)]).astype(float)
        return x, kind, (x @ theta > 0).astype(float)

    x, kind, truth = pairs(PAIRS)
    fooled = kind[:, 0] == 1
    lm = np.where(fooled, x[:, 0] > 0, np.where(rng.random(PAIRS) < 0.05, 1 - truth, truth)).astype(float)
    person = np.where(rng.random(PAIRS) < 0.30, 1 - truth, truth)
    return rng, x, kind, lm, person, pairs(DEV), pairs(TEST)


def train(x, label):
    return glm.logistic(x, label, np.ones((1, len(x))), ridge=np.full(D, 1.0))[0]


def table(kind):
    n = len(kind)
    return Ratings(
        ("pairs",), ("lm",), np.zeros(n, int), np.arange(n), np.arange(n), np.zeros((n, 1)), np.full(n, np.nan),
        np.ones(n), np.full(n, np.nan), np.zeros(n), np.empty((n, 0)),
    )  # fmt: skip


memory: dict[tuple[int, bytes], np.ndarray] = {}  # the same random routings serve every form and budget


def run(seed, form, budget):
    rng, x, kind, lm, person, dev, test = world(seed)

    def accuracy(routed, held):
        key = seed, np.packbits(routed).tobytes()
        if key not in memory:
            memory[key] = train(x, np.where(routed, person, lm))
        return float(((held[0] @ memory[key] > 0) == held[2]).mean())

    routing = hybrid_routing.scores(
        table(kind), budget=budget, measure=lambda routed: accuracy(routed, dev), features=kind, form=form,
        routings=150, seed=seed,
    )  # fmt: skip
    fair = [accuracy(np.isin(np.arange(PAIRS), rng.choice(PAIRS, budget, False)), test) for _ in range(10)]
    none = np.zeros(PAIRS, bool)
    found = [accuracy(none, test), accuracy(~none, test), np.mean(fair), accuracy(routing.routed, test)]
    return [*found, kind[routing.routed, 0].mean(), routing.model.explained]


def paired(left, right):
    gap = (left - right)[:, None] / left.size
    return (left - right).mean(), float(np.sqrt(Part.from_influence("worlds", gap).covariance[0, 0]))


print(f"{WORLDS} worlds, {PAIRS} pairs; 30 % of them fool the LM\n")
print("form        budget   all LM  all people  random mix  routed   fooled pairs among routed   R² left one out")
kept = {}
for form in ("linear", "quadratic"):
    for budget in (120, 240, 400):
        rows = np.array([run(seed, form, budget) for seed in range(WORLDS)])
        kept[form, budget] = rows
        a, b, c, d, e, f = rows.mean(axis=0)
        print(
            f"{form:10s}  {budget:5d}    {a:.3f}     {b:.3f}       {c:.3f}     {d:.3f}"
            f"        {e:.2f}                    {f:.2f}"
        )

print("\nrouted minus …  (mean over worlds ± standard error), for the form and budget fixed beforehand: quadratic, 240")
best = kept["quadratic", 240]
wins = []
for name, column in (("all LM", 0), ("all people", 1), ("random mix", 2)):
    gap, error = paired(best[:, 3], best[:, column])
    wins.append(bool(gap > 2 * error))
    print(f"  {name:11s} {gap:+.4f} ± {error:.4f}")
verdict = "reproduced" if all(wins) else "partly" if any(wins) else "not reproduced"
print(f"\nCLAIM 065: {verdict} (beats all LM, all people, random mixes of its size by 2 standard errors: {wins})")
