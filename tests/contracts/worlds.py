"""Small tables on which every method of a family must obey the laws; all dimensions are distinct primes."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from adjudge.calibration import linear
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings

POLICIES, ITEMS, COVARIATES, STRATA = 3, 47, 2, 5


def small(outcome: str = "continuous", *, unequal: float = 0.0, seed: int = 11) -> Ratings:
    """3 policies on 47 items, 59 labels spread over all, 2 covariates, 5 strata; propensities recorded if unequal."""
    world = Judging(truth=(0.7, 0.55, 0.4), items=ITEMS, labels=59, outcome=outcome, unequal=unequal).draw(seed)
    rng = np.random.default_rng(seed + 1)
    n = world.ratings.n
    return replace(
        world.ratings,
        covariates=rng.standard_normal((n, COVARIATES)),
        covariate_names=("length", "turns"),
        stratum=world.ratings.item % STRATA,
        strata=("a", "b", "c", "d", "e"),
    )


def rows_of(ratings: Ratings) -> list[str]:
    """Names of the columns that have one entry a row."""
    columns = (field.name for field in fields(Ratings))
    return [name for name in columns if isinstance(getattr(ratings, name), np.ndarray)]


def take(ratings: Ratings, rows: np.ndarray) -> Ratings:
    """Some rows, possibly repeated, numbered afresh: what the same file with those lines would have given."""
    return replace(ratings.take(rows), row=np.arange(len(rows)))


def frozen(ratings: Ratings) -> Ratings:
    """The same, with arrays that refuse to be written to."""
    for name in rows_of(ratings):
        getattr(ratings, name).flags.writeable = False
    return ratings


def renamed(ratings: Ratings, order: np.ndarray) -> Ratings:
    """Policy i becomes the order[i]-th in the alphabet; items and clusters get other codes."""
    names = ("ash", "birch", "cedar", "dogwood", "elm")[: ratings.k]
    items, clusters = int(ratings.item.max()) + 1, ratings.units
    rng = np.random.default_rng(5)
    return replace(
        ratings,
        policies=names,
        policy=order[ratings.policy],
        item=rng.permutation(items)[ratings.item],
        cluster=rng.permutation(clusters)[ratings.cluster],
    )


def calibrated(ratings: Ratings) -> Ratings:
    """With a forecast where one can be made; every labelled item is its own fold, so that no deal depends on codes."""
    try:
        return linear.fit(ratings, folds=ITEMS)(ratings)
    except AdjudgeError:
        return ratings


def unlabelled(ratings: Ratings, keep: np.ndarray) -> Ratings:
    """Labels only on the rows of `keep`; they are taken as drawn at random."""
    gold = np.full(ratings.n, np.nan)
    gold[keep] = ratings.gold[keep]
    return replace(ratings, gold=gold, propensity=np.full(ratings.n, np.nan))


def too_little(ratings: Ratings) -> dict[str, Ratings]:
    """Tables about which little or nothing can be said."""
    labels = np.flatnonzero(ratings.labelled)
    first = np.array([labels[ratings.policy[labels] == p][0] for p in range(ratings.k)])
    alone = labels[ratings.policy[labels] == 0]
    return {
        "no rows": take(ratings, np.empty(0, dtype=np.int64)),
        "no label": unlabelled(ratings, labels[:0]),
        "one label": unlabelled(ratings, labels[:1]),
        "one label a policy": unlabelled(ratings, first),
        "labels of one policy": unlabelled(ratings, alone),
        "one cluster": take(ratings, np.flatnonzero(ratings.cluster == ratings.cluster[labels[0]])),
        "a policy without rows": take(ratings, np.flatnonzero(ratings.policy != 1)),
        "no judge score": replace(ratings, score=np.full_like(ratings.score, np.nan)),
    }


def global_generator() -> str:
    """State of the generator that no method may touch."""
    return repr(np.random.get_state())  # noqa: NPY002
