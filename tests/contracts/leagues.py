"""Small tables of votes and scores on which every ranking method must obey the laws; dimensions are distinct primes."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from adjudge.stats.power_law import draw
from adjudge.tables.comparisons import Comparisons, from_arrays
from adjudge.tables.ratings import Ratings

POLICIES, VOTES, PROMPTS, RATERS = 5, 401, 31, 7
NAMES = ("ant", "bee", "cat", "dog", "emu")


def votes(seed: int = 23, *, trusted: float = 0.0) -> Comparisons:
    """5 policies, 401 matches on 31 prompts by 7 raters, with ties; a share of matches has a trusted vote as well."""
    rng = np.random.default_rng(seed)
    ability = np.array([0.6, 0.3, 0.0, -0.3, -0.6])
    left = rng.integers(0, POLICIES, VOTES)
    right = (left + rng.integers(1, POLICIES, VOTES)) % POLICIES
    item, rater = rng.integers(0, PROMPTS, VOTES), rng.integers(0, RATERS, VOTES)
    outcome = drawn(ability[left] - ability[right], rng)
    table = {"left": left, "right": right, "outcome": outcome, "rater": rater, "item": item, "match": np.arange(VOTES)}
    gold = rng.random(VOTES) < trusted
    second = {name: values[gold] for name, values in table.items()}
    second["outcome"] = drawn((ability[left] - ability[right])[gold], rng)
    second["rater"] = np.full(int(gold.sum()), RATERS)
    both = {name: np.concatenate([table[name], second[name]]) for name in table}
    names = tuple(f"rater {r}" for r in range(RATERS + 1 if trusted else RATERS))
    return from_arrays(
        both.pop("left"),
        both.pop("right"),
        both.pop("outcome"),
        policies=NAMES,
        cluster=both["item"],
        trusted=both["rater"] == RATERS,
        raters=names,
        **both,
    )


def against(table: Comparisons, *, baseline: int) -> Comparisons:
    """The votes in which one policy takes part, with the difference in length as a covariate."""
    met = table.take((table.left == baseline) | (table.right == baseline))
    length = np.random.default_rng(37).normal(0, 100, met.n)
    return replace(met, covariates=length[:, None], covariate_names=("length",))


def drawn(eta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Outcomes of Davidson's model with one tie in four among equals."""
    up, tie, down = np.exp(eta / 2), np.full(eta.size, 2 / 3), np.exp(-eta / 2)
    u = rng.random(eta.size) * (up + tie + down)
    return np.where(u < up, 1.0, np.where(u < up + tie, 0.5, 0.0))


def scores(seed: int = 29, *, binary: bool = False, runs: int = 1) -> Ratings:
    """5 policies on 47 tasks in 3 environments, one metric; `runs` scores of each policy on each task."""
    rng = np.random.default_rng(seed)
    tasks = 47
    policy, item = (grid.ravel() for grid in np.meshgrid(np.arange(POLICIES), np.repeat(np.arange(tasks), runs)))
    ability, ease = np.linspace(0.6, -0.6, POLICIES), rng.normal(0, 1, tasks)
    chance = 1 / (1 + np.exp(-(ability[policy] + ease[item])))
    score = (rng.random(policy.size) < chance).astype(float) if binary else rng.beta(8 * chance, 8 * (1 - chance))
    n = policy.size
    unknown = np.full(n, np.nan)
    return Ratings(
        policies=NAMES,
        judges=("score",),
        policy=policy,
        item=item,
        cluster=item,
        score=score[:, None],
        gold=unknown,
        weight=np.ones(n),
        propensity=unknown,
        gold_variance=np.zeros(n),
        covariates=np.zeros((n, 0)),
        stratum=item % 3,
        strata=("env a", "env b", "env c"),
    )


def failures(seed: int = 31) -> Ratings:
    """Failed attempts before the first success of 5 policies on 211 tasks, tails from light to heavy."""
    rng = np.random.default_rng(seed)
    count = [draw(exponent, 1.0, (211,), rng) for exponent in np.linspace(3.6, 1.7, POLICIES)]
    one = scores(seed)
    policy, item = (grid.ravel() for grid in np.indices((POLICIES, 211)))
    n = policy.size
    unknown = np.full(n, np.nan)
    return replace(
        one,
        policy=policy,
        item=item,
        cluster=item,
        score=np.concatenate(count)[:, None],
        gold=unknown,
        weight=np.ones(n),
        propensity=unknown,
        gold_variance=np.zeros(n),
        covariates=np.zeros((n, 0)),
        stratum=item % 3,
        row=np.arange(n),
    )


def curves(seed: int = 31) -> Ratings:
    """5 policies on 7 tasks, 3 tracked runs of each, 11 logged steps a run; `step` is a covariate."""
    rng = np.random.default_rng(seed)
    shape = (POLICIES, 7, 3, 11)
    policy, item, run, step = (grid.ravel() for grid in np.meshgrid(*map(np.arange, shape), indexing="ij"))
    ability, ease = np.linspace(0.9, 0.3, POLICIES), rng.normal(0, 0.1, 7)
    wander = rng.normal(0, 0.05, shape[:3]).ravel()[(policy * 7 + item) * 3 + run]
    level = ability[policy] + ease[item] + wander
    score = level * step / 10 + rng.normal(0, 0.02, policy.size)
    table = scores()
    n = policy.size
    return replace(
        table,
        policy=policy,
        item=item,
        cluster=item * 3 + run,
        score=score[:, None],
        gold=np.full(n, np.nan),
        weight=np.ones(n),
        propensity=np.full(n, np.nan),
        gold_variance=np.zeros(n),
        covariates=step[:, None].astype(float),
        covariate_names=("step",),
        stratum=np.zeros(n, dtype=np.int64),
        strata=("all",),
        row=np.arange(n),
    )


def rows_of(table: Comparisons | Ratings) -> list[str]:
    """Names of the columns that have one entry a row."""
    return [field.name for field in fields(table) if isinstance(getattr(table, field.name), np.ndarray)]


def take(table: Comparisons | Ratings, rows: np.ndarray) -> Comparisons | Ratings:
    """Some rows, possibly repeated."""
    return table.take(rows)


def renamed(table: Comparisons | Ratings, order: np.ndarray) -> Comparisons | Ratings:
    """Policy i becomes the order[i]-th in the alphabet; items and clusters get other codes."""
    rng = np.random.default_rng(5)
    codes = rng.permutation(int(table.item.max()) + 1)
    if isinstance(table, Ratings):
        units = codes if np.array_equal(table.cluster, table.item) else rng.permutation(int(table.cluster.max()) + 1)
        return replace(table, policy=order[table.policy], item=codes[table.item], cluster=units[table.cluster])
    matches = rng.permutation(int(table.match.max()) + 1)
    return replace(
        table,
        left=order[table.left],
        right=order[table.right],
        item=codes[table.item],
        cluster=codes[table.cluster],
        match=matches[table.match],
    )


def frozen(table: Comparisons | Ratings) -> Comparisons | Ratings:
    """The same, with arrays that refuse to be written to."""
    for name in rows_of(table):
        getattr(table, name).flags.writeable = False
    return table


def too_little(table: Comparisons) -> dict[str, Comparisons]:
    """Votes about which little or nothing can be said."""
    pair = ((table.left == 0) & (table.right == 1)) | ((table.left == 1) & (table.right == 0))
    low = np.isin(table.left, (0, 1)) & np.isin(table.right, (0, 1))
    high = np.isin(table.left, (2, 3, 4)) & np.isin(table.right, (2, 3, 4))
    touched = (table.left == 0) | (table.right == 0)
    won = np.where(table.left == 0, 1.0, np.where(table.right == 0, 0.0, table.outcome))
    return {
        "one vote": table.take(np.flatnonzero(pair)[:1]),
        "two components": table.take(low | high),
        "a policy that never plays": table.take(~touched),
        "an undefeated policy": replace(table, outcome=won),
        "all ties": replace(table, outcome=np.full(table.n, 0.5)),
        "no verdicts": replace(table, outcome=np.full(table.n, np.nan)),
        "weight nought": replace(table, weight=np.zeros(table.n)),
        "one cluster": replace(table, cluster=np.zeros_like(table.cluster)),
    }


def too_few_scores(table: Ratings) -> dict[str, Ratings]:
    """Scores about which little or nothing can be said."""
    return {
        "one task": table.take(table.item == 0),
        "a policy without rows": table.take(table.policy != 1),
        "no scores": replace(table, score=np.full_like(table.score, np.nan)),
        "constant scores": replace(table, score=np.ones_like(table.score)),
        "one cluster": replace(table, cluster=np.zeros_like(table.cluster)),
        "one policy": table.take(table.policy == 0),
    }
