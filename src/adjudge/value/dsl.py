"""Means and regressions on gold labels that a judge stands in for, right however wrong the judge is.

    ỹ_i = ŷ_i + (R_i/π_i)(y_i − ŷ_i),     Σ_i w_i x_i (ỹ_i − μ(x_i·β)) = 0,     ŷ = cross-fitted ĝ(judge, x)

The propensity π of a label must be known: recorded in the table, or the share labelled when the labelled rows were
drawn at random. The judge may stand in for the outcome or for a regressor (`columns=("gold", …)`), in a mean, a linear
or a logistic regression, with fixed effects. Standard errors are cluster-robust and include the spread over splits.

Egami, Hinck, Stewart, Wei (2023), NeurIPS 36.
Limits: all rows labelled is ordinary regression with HC1 errors; a worthless judge costs next to nothing over the
labels alone (weighted by 1/π); plugging the judge's labels in unadjusted is what this replaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import pseudo
from ..stats.present import labels_only, present
from ..tables.ratings import Ratings
from ..tables.regressors import covariate, regressors

CARD = Card(
    answers="What would a mean or regression on gold labels say, when most rows have only a judge's opinion?",
    equation="ỹ = ŷ + (R/π)(y − ŷ);  Σ w x (ỹ − μ(xβ)) = 0;  Cov β̂ = H⁻¹ (Σ_g s_g s_gᵀ) H⁻¹ + spread over splits",
    papers=(
        Paper(
            "Using Imperfect Surrogates for Downstream Inference: Design-based Supervised Learning for Social Science "
            "Applications of Large Language Models",
            "Egami, Hinck, Stewart, Wei",
            2023,
            "NeurIPS",
            "https://arxiv.org/abs/2306.04746",
            equation="Eqs. 3-6",
        ),
        Paper(
            "Double/debiased machine learning for treatment and structural parameters",
            "Chernozhukov, Chetverikov, Demirer, et al.",
            2018,
            "The Econometrics Journal",
            "https://doi.org/10.1111/ectj.12097",
            equation="Definition 3.3 (repeated splits)",
        ),
    ),
    needs=("score", "gold", "propensity"),
    assumes=(
        "labels were drawn with known chances, all above 0",
        "clusters are independent",
        "the regression is the question asked; it need not be the true law",
    ),
    limits=(
        "all rows labelled: ordinary regression, HC1 errors",
        "few labels with small propensities: the corrected moments may have no solution, which is an error",
        "fixed effects with a labelled regressor are refused",
    ),
    when="To ask what goes with quality (length, topic, policy), not only how high it is. For plain policy means with "
    "labels drawn at random value.calibrated and value.ppi are narrower at few labels.",
    rows=(312,),
)


def estimate(
    ratings: Ratings,
    *,
    model: str = "mean",
    columns: Sequence[str] | None = None,
    outcome: str = "gold",
    within: str = "",
    learner: str = "auto",
    folds: int = 5,
    splits: int = 10,
    combine: str = "median",
    seed: int = 0,
) -> Estimate:
    """Means by policy, or coefficients by name, with their joint covariance.

        model="mean"      θ_p = Σ_{i∈p} w ỹ / Σ_{i∈p} w
        model="linear"    least squares of ỹ on the columns;      model="logistic": log-odds

    Limits: see the module.

    Arguments:
        ratings: table with gold labels on some rows.
        model: `mean`, `linear` or `logistic`.
        columns: regressors by name: `policy`, `gold`, covariates; all but gold by default. Not for means.
        outcome: `gold`, or the covariate to be explained when gold is a regressor.
        within: `item`, `cluster`, `stratum` or `policy`: fixed effects taken out.
        learner: who predicts gold from judges and columns: `auto`, `spline`, `linear`, `logistic`, or `none` (the first
            judge's score as it stands).
        folds, splits, combine, seed: of the cross-fit; `combine` is `median` or `mean` over the splits.

    Errors: unknown names; rank-deficient columns; separated labels; a propensity of 0.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(truth=(0.7, 0.5), items=1009, labels=307).draw(1)
    >>> found = estimate(world.ratings)
    >>> bool((abs(found.value - world.truth) < 3 * found.stderr).all())
    True
    """
    ratings = present(ratings)
    chance, doubts = _propensity(ratings)
    if model == "mean":
        made = _means(ratings, chance, learner, folds, splits, combine, seed)
    else:
        data, group = _problem(ratings, chance, columns, outcome, within)
        made = pseudo.regress(
            data,
            model=model,
            within=group,
            learner=learner,
            folds=folds,
            splits=splits,
            combine=combine,
            seed=seed,
        )
    return replace(made, method="value.dsl", findings=doubts + made.findings)


def _means(
    ratings: Ratings, chance: FloatArray, learner: str, folds: int, splits: int, combine: str, seed: int
) -> Estimate:
    """One indicator for each policy that has labelled clusters of its own; NaN for the others."""
    pairs = np.unique(np.column_stack([ratings.policy, ratings.cluster])[ratings.labelled], axis=0)
    own = np.bincount(pairs[:, 0], minlength=ratings.k)
    able = np.flatnonzero(own >= 2)
    bare = [ratings.policies[p] for p in np.flatnonzero(own < 2)]
    findings: tuple[Finding, ...] = (
        (
            Finding(
                "labels-missing",
                Severity.SEVERE,
                f"{len(bare)} of {ratings.k} policies have fewer than 2 labelled clusters, so nothing is said of them: "
                f"{', '.join(bare[:10])}.",
                len(bare),
                0,
                "Label rows of these policies, or use value.calibrated, which borrows from the others.",
                tuple(bare),
            ),
        )
        if bare
        else ()
    )
    value, df = np.full(ratings.k, np.nan), np.where(own >= 2, own - 1.0, np.nan)
    parts: tuple[Part, ...] = (Part("sampling", np.full((ratings.k, ratings.k), np.nan), 0),)
    if able.size:
        rows = np.isin(ratings.policy, able)
        table = ratings.take(rows)
        X = (table.policy[:, None] == able).astype(float)
        names = tuple(ratings.policies[p] for p in able)
        data = pseudo.problem(
            table.gold,
            X,
            _hints(table),
            chance[rows],
            cluster=table.cluster,
            weight=table.weight,
            names=names,
        )
        made = pseudo.regress(data, learner=learner, folds=folds, splits=splits, combine=combine, seed=seed)
        value[able], findings = made.value, findings + made.findings
        parts = tuple(replace(part, covariance=_spread(part.covariance, able, ratings.k)) for part in made.parts)
    alone = labels_only(ratings, ratings.policy, ratings.policies)
    return Estimate(ratings.policies, value, parts, df, ratings.bounds, alone, findings=findings)


def _spread(covariance: FloatArray, index: IntArray, k: int) -> FloatArray:
    """[k, k] with a covariance of some names in its place and NaN elsewhere."""
    out = np.full((k, k), np.nan)
    out[np.ix_(index, index)] = covariance
    return out


def _problem(
    ratings: Ratings, chance: FloatArray, columns: Sequence[str] | None, outcome: str, within: str
) -> tuple[pseudo.Problem, IntArray | None]:
    """The regression that the names ask for."""
    group = _group(ratings, within)
    if columns is None:
        policy = ("policy",) if ratings.k > 1 and within != "policy" else ()
        columns = policy + tuple(name for name in ratings.covariate_names if name != outcome)
    if outcome != "gold" and "gold" not in columns:
        raise AdjudgeError(
            f"dsl: neither the outcome ({outcome}) nor a column is gold.",
            "Gold labels must stand on one side of the regression.",
            "Use outcome='gold', or add 'gold' to the columns.",
        )
    if outcome == "gold" and "gold" in columns:
        raise AdjudgeError("dsl: gold stands on both sides.", "On one side only.", "Drop 'gold' from the columns.")
    X, names = regressors(ratings, columns, intercept=group is None)
    if not names:
        raise AdjudgeError("dsl: no columns are left to regress on.", "At least one.", "Name columns=('…',).")
    y = ratings.gold if outcome == "gold" else covariate(ratings, outcome)
    data = pseudo.problem(y, X, _hints(ratings), chance, cluster=ratings.cluster, weight=ratings.weight, names=names)
    return data, group


def _hints(ratings: Ratings) -> FloatArray:
    """[n, s] what predicts gold: the judges, the covariates, and the stratum where there are several."""
    strata = ratings.stratum[:, None] == np.arange(1, len(ratings.strata))
    return np.column_stack([ratings.score, ratings.covariates, strata])


def _group(ratings: Ratings, within: str) -> IntArray | None:
    codes = {
        "item": ratings.item,
        "cluster": ratings.cluster,
        "stratum": ratings.stratum,
        "policy": ratings.policy,
    }
    if not within:
        return None
    if within not in codes:
        raise AdjudgeError(f"within is {within!r}.", f"One of {', '.join(codes)}.", "Name one of them.")
    return codes[within]


def _propensity(ratings: Ratings) -> tuple[FloatArray, tuple[Finding, ...]]:
    """[n] recorded chances; where none is recorded, the share labelled in the policy and stratum (or in the table)."""
    known: BoolArray = np.isfinite(ratings.propensity)
    if known.all():
        return ratings.propensity, ()
    cell = ratings.policy * len(ratings.strata) + ratings.stratum
    w, cells = ratings.weight[~known], ratings.k * len(ratings.strata)
    count = np.bincount(cell[~known], w, cells)
    share = np.bincount(cell[~known], w * ratings.labelled[~known], cells) / np.maximum(count, 1e-300)
    chance = np.where(known, ratings.propensity, share[cell])
    bare = chance == 0
    total = max(float(ratings.weight.sum()), 1e-300)
    chance[bare & ~known] = max(float(ratings.weight @ ratings.labelled) / total, 1e-9)
    blind = bare & ~known
    severity = Severity.SEVERE if blind.any() else Severity.INFO
    message = (
        f"{(~known).sum():,} rows have no recorded chance of a label; labels are taken as drawn at random within each "
        "policy and stratum."
    )
    if blind.any():
        message += f" {blind.sum():,} rows lie where nothing is labelled: there the answer is an extrapolation."
    return chance, (
        Finding(
            "propensity-assumed",
            severity,
            message,
            float((~known).mean()),
            0.0,
            "Record the propensity with which each row was chosen for a label.",
        ),
    )
