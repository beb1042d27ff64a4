"""Row 68, Eureka: do models tied on the mean differ by group, do runs change, does a better update break tasks?

World: models A and B of equal mean on four groups, strong on opposite ones; A′ is A after an update that lifts most
tasks and spoils one in eight; A again is A itself, run anew. Every task has a chance of success, three runs each.
"""

import numpy as np
from scipy import special

from adjudge.audit import backward_compatibility, determinism
from adjudge.ranking import disaggregated
from adjudge.tables.ratings import Ratings

TASKS, GROUPS, RUNS, WORLDS = 150, 4, 3, 12
SHIFT = {"A": (0.8, 0.3, -0.3, -0.8), "B": (-0.8, -0.3, 0.3, 0.8)}
NAMES = ("A", "A again", "A′", "B")


def table(rng):
    n_items = TASKS * GROUPS
    group = np.arange(n_items) % GROUPS
    ease = 1.5 * rng.standard_normal(n_items)
    a, b = (np.array(SHIFT[name])[group] + ease for name in ("A", "B"))
    updated = a + np.where(rng.random(n_items) < 0.125, -2.0, 0.8)
    chance = special.expit(3 * np.array([a, a, updated, b]))
    right = rng.random((4, n_items, RUNS)) < chance[:, :, None]
    item = np.tile(np.repeat(np.arange(n_items), RUNS), 4)
    n = item.size
    truth = np.mean((chance[0] * (1 - chance[2])) ** 2 * (chance[0] - chance[2]))
    lost = np.mean(np.maximum(chance[0] - chance[2], 0))
    return Ratings(
        NAMES, ("right",), np.repeat(np.arange(4), n_items * RUNS), item, item, right.reshape(-1, 1).astype(float),
        np.full(n, np.nan), np.ones(n), np.full(n, np.nan), np.zeros(n), np.empty((n, 0)),
        stratum=group[item], strata=("code", "geometry", "lookup", "language"),
    ), truth, lost  # fmt: skip


tied, single, unsteady, called, false, better, inside = [], [], [], [], [], [], []
for seed in range(WORLDS):
    ratings, truth, lost = table(np.random.default_rng(seed))
    two = ratings.take(np.isin(ratings.policy, (0, 3)))
    found = disaggregated.rank(ratings)
    low, high = found.difference("A", "B").interval()[0]
    tied.append(bool(low < 0 < high))
    pair = disaggregated.rank(
        Ratings(("A", "B"), two.judges, (two.policy > 0).astype(int), two.item, two.cluster, two.score, two.gold,
                two.weight, two.propensity, two.gold_variance, two.covariates,
                stratum=two.stratum, strata=two.strata)
    )  # fmt: skip
    single.append(any(f.code == "no-single-best" for f in pair.findings))
    flips = determinism.check(ratings)
    unsteady.append(len(flips.findings) == 4)
    update = backward_compatibility.check(ratings, old="A", new="A′")
    again = backward_compatibility.check(ratings, old="A", new="A again")
    called.append(any(f.code == "backward-incompatible" for f in update.findings))
    false.append(any(f.code == "backward-incompatible" for f in again.findings))
    better.append(bool(found.difference("A′", "A").interval()[0, 0] > 0))
    low, high = update.figures["beyond_noise"].interval()[0]
    inside.append(bool(low <= truth <= high))

groups = pair.figures["groups"]
print("one world: accuracy by group   " + "  ".join(f"{name:>9s}" for name in two.strata))
for p, name in enumerate(("A", "B")):
    print(f"{name:>29s}  " + "  ".join(f"{v:9.3f}" for v in groups.value[4 * p : 4 * p + 4]))
print(f"share of the weight where best: {pair.figures['best_share'].value.round(2).tolist()}")
print(f"repeated runs of A change the answer in {flips.figures['flip'].value[0]:.1%}, "
      f"entropy {flips.figures['entropy'].value[0]:.2f} bit")  # fmt: skip
for name, audit in (("A → A′", update), ("A → A again", again)):
    r, of, s = (audit.figures[key].value[0] for key in ("regressed", "of_right", "beyond_noise"))
    print(f"{name:12s} breaks {r:.1%} of tasks ({of:.1%} of those right); confirmed by fresh runs {s:+.1%}")
print(f"  (truly lost, mean of (p − q)⁺: {lost:.1%}, of which three runs can prove {truth:.1%})")
print(f"over {WORLDS} worlds: A and B tied {np.mean(tied):.0%}; no single best said {np.mean(single):.0%}; "
      f"unsteadiness of all said {np.mean(unsteady):.0%};\n  A′ surely better on the mean {np.mean(better):.0%}, "
      f"its regressions called {np.mean(called):.0%} (interval holds the truth {np.mean(inside):.0%}); "
      f"A run again called a regression {np.mean(false):.0%}")  # fmt: skip
checks = (np.mean(tied) >= 0.75, np.mean(single) >= 0.9, np.mean(unsteady) >= 0.9, np.mean(called) >= 0.9,
          np.mean(better) >= 0.75, np.mean(false) <= 0.2, np.mean(inside) >= 0.75)  # fmt: skip
print(f"\nCLAIM 068: {'reproduced' if all(checks) else 'partly' if any(checks) else 'not reproduced'}")
