"""Row 97, HELM: does the mean win rate order models otherwise than mean accuracy does, and change with who is compared?

World: twelve models on sixteen scenarios of 60 items. Scenarios differ in how far models lie apart (a few tell them
apart widely, most by a hair), so that a win by a hair counts as much as one by far. Three questions: how often the two
orders disagree; how often the order of two models turns when other models join; and how far the order lies from that of
the full table when cells are missing, at 50 to 100 % coverage (models lack the scenarios that nobody ran them on, the
weaker ones the easy ones, as in the table that HELM set out to fill).
"""

from dataclasses import replace

import numpy as np

from adjudge.ranking import mean_win_rate, task_mean
from adjudge.tables.read import from_arrays

MODELS, SCENARIOS, ITEMS, WORLDS = 12, 16, 60, 30


def world(seed):
    """[12, 16] true accuracies and [12, 16, 60] graded items."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=MODELS)
    width = rng.lognormal(0, 1.0, SCENARIOS) * 0.03
    true = np.clip(0.6 + width * (ability[:, None] + 0.8 * rng.normal(size=(MODELS, SCENARIOS))), 0.02, 0.98)
    return true, np.clip(true[..., None] + 0.15 * rng.normal(size=(MODELS, SCENARIOS, ITEMS)), 0, 1)


def table(score, there):
    model, scenario, item = (code.ravel() for code in np.indices(score.shape))
    keep = there[model, scenario]
    return from_arrays(
        policy=model[keep],
        item=(scenario * ITEMS + item)[keep],
        stratum=scenario[keep],
        score=score.ravel()[keep],
        bounds=(0, 1),
    )


def turned(one, other):
    """Share of the pairs that two lists of values order differently."""
    pairs = np.triu_indices(one.size, 1)
    return np.mean(np.sign(one[pairs[0]] - one[pairs[1]]) * np.sign(other[pairs[0]] - other[pairs[1]]) < 0)


def wins(means):
    """[12] mean win rate of [12, 16] means."""
    return ((means[:, None] > means).sum(axis=1) / (MODELS - 1)).mean(axis=1)


def value(ratings):
    return mean_win_rate.rank(ratings, draws=2).value


disagree, join, told, shares = [], [], [], {0.5: [], 0.75: [], 0.9: [], 1.0: []}
cover = []
for seed in range(WORLDS):
    true, score = world(seed)
    rng = np.random.default_rng(1000 + seed)
    full = table(score, np.ones((MODELS, SCENARIOS), dtype=bool))
    result = mean_win_rate.rank(full, draws=200)
    truth = wins(true)
    boards = np.clip(true + 0.15 / np.sqrt(ITEMS) * rng.normal(size=(500, MODELS, SCENARIOS)), 0, 1)
    expected = np.mean([wins(board) for board in boards], axis=0)
    low, high = result.interval().T
    cover.append([np.mean((low <= goal) & (goal <= high)) for goal in (expected, truth)])
    disagree.append(turned(result.value, task_mean.rank(full).value))
    first = full.take(np.flatnonzero(full.policy < MODELS // 2))
    few = replace(first, policies=full.policies[: MODELS // 2])
    join.append(turned(value(few), result.value[: MODELS // 2]))
    told.append([finding.number for finding in result.findings if finding.code == "order-depends-on-field"] or [0])
    easy, ability = true.mean(axis=0), true.mean(axis=1)
    bias = -np.outer(ability - ability.mean(), easy - easy.mean())
    likely = rng.random((MODELS, SCENARIOS)) + 3 * bias / np.abs(bias).max()
    for share, found in shares.items():
        there = likely <= np.quantile(likely, share)
        there[:, 0] = True
        found.append(turned(value(table(score, there)), truth))

print(f"{WORLDS} worlds of {MODELS} models on {SCENARIOS} scenarios of {ITEMS} items\n")
print(f"pairs ordered differently by mean win rate and by mean accuracy: {np.mean(disagree):.1%} of all")
print(f"pairs of the first {MODELS // 2} models that turn when the others join: {np.mean(join):.1%}")
print(f"pairs that the finding `order-depends-on-field` names, one model leaving: {np.mean(told):.1f} a table")
board, endless = np.mean(cover, axis=0)
print(f"95 % intervals hold the win rate to be expected on {ITEMS} other items: {board:.1%}")
print(f"   and that of the true accuracies, where endless items decide every hair: {endless:.1%} (said to be a limit)")
print("pairs ordered otherwise than by the true accuracies, by coverage of the table:")
for share, found in shares.items():
    print(f"   {share:4.0%} {np.mean(found):6.1%}")
levels = [np.mean(found) for found in shares.values()]
checks = (np.mean(disagree) > 0.02, np.mean(join) > 0.005, all(np.diff(levels) < 0), board > 0.92)
print(f"\norders differ: {checks[0]}; others joining turns pairs: {checks[1]};")
print(f"more coverage, steadier order: {checks[2]}; intervals hold what they speak of: {checks[3]}")
print(f"\nCLAIM 097: {'reproduced' if all(checks) else 'partly' if any(checks) else 'not reproduced'}")
