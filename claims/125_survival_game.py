"""Row 125, Survival Game: does the tail exponent sort agents into the three levels, and turn the order of pass@1 round?

World: agents whose failures before the first success are 0 with probability pass@1, and otherwise a power law of known
exponent from 1 on. Limited α = 1.7, Capable 2.5, Autonomous 3.6; the Limited one is right most often at once.
"""

import numpy as np

from adjudge.ranking import survival_game
from adjudge.stats.power_law import draw
from adjudge.tables.ratings import Ratings

AGENTS = {"lucky": (0.75, 1.7), "middling": (0.55, 2.5), "steady": (0.35, 3.6)}
WORLDS = 12


def table(tasks, rng):
    x = [np.where(rng.random(tasks) < first, 0, draw(alpha, 1.0, (tasks,), rng)) for first, alpha in AGENTS.values()]
    k, item = len(AGENTS), np.tile(np.arange(tasks), len(AGENTS))
    n = item.size
    return Ratings(
        tuple(AGENTS), ("failures",), np.repeat(np.arange(k), tasks), item, item, np.concatenate(x)[:, None],
        np.full(n, np.nan), np.ones(n), np.full(n, np.nan), np.zeros(n), np.empty((n, 0)),
    )  # fmt: skip


print("tasks   level right   α covered   P(true level), mean   lucky < middling < steady by α   by pass@1 reversed")
seen = {}
for tasks in (300, 1000, 4000):
    right, covered, sure, order, reversed_ = [], [], [], [], []
    for seed in range(WORLDS):
        found = survival_game.rank(table(tasks, np.random.default_rng((seed, tasks))), draws=60, seed=seed)
        chance = survival_game.levels(found)
        truth = np.array([alpha for _, alpha in AGENTS.values()])
        right += (chance.argmax(axis=1) == [0, 1, 2]).tolist()
        sure += chance[np.arange(3), np.arange(3)].tolist()
        low, high = found.interval().T
        covered += ((low <= truth) & (truth <= high)).tolist()
        order.append(bool((np.diff(found.value) > 0).all()))
        first = found.figures["first_try"].value
        reversed_.append(bool((np.argsort(found.value) == np.argsort(-first)).all()))
    seen[tasks] = [float(np.mean(part)) for part in (right, covered, sure, order, reversed_)]
    print("{:5d}   {:11.2f}   {:9.2f}   {:19.2f}   {:30.2f}   {:18.2f}".format(tasks, *seen[tasks]))

means = survival_game.rank(table(4000, np.random.default_rng(1)), by="failures", draws=60)
shown = ", ".join(f"{name} {value:.1f}" for name, value in zip(means.names, -means.value, strict=True))
print(f"mean failures over one set of 4,000 tasks: {shown}; the mean of `lucky` has no limit and grows with the tasks.")
good = seen[4000][0] >= 0.95 and seen[4000][4] >= 0.95
some = seen[1000][0] >= 0.8 and seen[1000][4] >= 0.8
print(f"\nwith 300 tasks the level is right in {seen[300][0]:.0%} of cases: few tail points, wide intervals")
print(f"\nCLAIM 125: {'reproduced' if good and some else 'partly' if good or some else 'not reproduced'}")
