"""Row 111, AGIBench: do gap and repeatability separate models of equal average; does accuracy fall with difficulty?

World: three models of the same average accuracy on 400 tasks tagged by ability, knowledge, modality and the accuracy of
people. `steady` always answers alike, `mixed` sometimes, `dice` draws anew for every run. Five runs each.
"""  # fmt: skip

import numpy as np
from scipy import special

from adjudge.ranking import repeats
from adjudge.stats.answer_text import choice
from adjudge.tables.ratings import Ratings

TASKS, RUNS, WORLDS = 400, 5, 40
SURE = {"steady": 12.0, "mixed": 5.0, "dice": 0.7}
"""Slope of the chance to solve a task in its ease: the higher, the more a task is always or never solved."""


def table(rng):
    human = rng.beta(2, 2, TASKS)
    ease = human + 0.08 * rng.standard_normal(TASKS)
    score = []
    for slope in SURE.values():
        chance = special.expit(slope * (ease - 0.5))  # by the symmetry of the tasks each model solves one half
        score.append(rng.random((TASKS, RUNS)) < chance[:, None])
    k = len(SURE)
    item = np.tile(np.repeat(np.arange(TASKS), RUNS), k)
    n = item.size
    tags = np.column_stack([human[item], item % 3, item % 7, item % 2])
    return Ratings(
        tuple(SURE), ("right",), np.repeat(np.arange(k), TASKS * RUNS), item, item,
        np.concatenate([s.ravel() for s in score])[:, None].astype(float),
        np.full(n, np.nan), np.ones(n), np.full(n, np.nan), np.zeros(n), tags,
        ("human", "ability", "knowledge", "modality"),
    )  # fmt: skip


tied, gap, same, falls = [], [], [], []
for seed in range(WORLDS):
    found = repeats.rank(table(np.random.default_rng(seed)), human="human", by=("ability*modality",))
    low, high = found.differences().simultaneous().T
    tied.append(bool(((low < 0) & (high > 0)).all()))
    for name, figure, sign in (("gap", gap, 1), ("repeatability", same, -1)):
        low, high = found.figures[name].differences().simultaneous().T
        figure.append(bool((high < 0).all() if sign > 0 else (low > 0).all()))
    falls.append(bool((found.figures["trend"].interval()[:2, 1] < 0).all()))

names = ("average", "best", "worst", "majority", "repeatability", "gap")
print("one world, five runs:  " + "  ".join(f"{name:>13s}" for name in names))
for p, model in enumerate(SURE):
    print(f"{model:>21s}  " + "  ".join(f"{found.figures[name].value[p]:13.3f}" for name in names))
print("accuracy by human-referenced difficulty 1 … 5:")
for p, model in enumerate(SURE):
    print(f"{model:>21s}  " + "  ".join(f"{v:.3f}" for v in found.figures["difficulty"].value[5 * p : 5 * p + 5]))
print(f"{len(found.figures['slices'].names)} slices by ability and modality, each with its interval")
print(f"averages tied at 95 % (all pairs): {np.mean(tied):.0%}; separated by the gap: {np.mean(gap):.0%}; "
      f"by repeatability: {np.mean(same):.0%}; accuracy falls with difficulty: {np.mean(falls):.0%}")  # fmt: skip
read = [choice(text) for text in ("The answer is (C).", "B", "Either A or B.")]
print(f"extractor: {read}")
good = min(np.mean(gap), np.mean(same), np.mean(falls)) >= 0.9 and np.mean(tied) >= 0.75
print(f"\nCLAIM 111: {'reproduced' if good else 'partly' if np.mean(gap) > 0.5 else 'not reproduced'}")
