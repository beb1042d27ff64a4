"""Which policy fails worst: harm in several dimensions as one risk, its tail, and failures that come together.

    union  R_i = 1 − Π_d (1 − r_id)               log  L_i = −Σ_d log(1 − r_id) = −log(1 − R_i)
    VaR_τ = inf{t : F(t) >= τ},                   CVaR_τ = VaR + E(R − VaR)₊/(1 − τ),           τ = 0.95

r_id in [0, 1] is what judge d says of the harm of response i; no gold labels are used. Log-risk adds over dimensions,
so its mean splits into theirs; an average over dimensions hides that one bad dimension is enough. Higher is worse.
Errors are analytic by cluster, or bootstrapped (`bootstrap=1000`); both are joint, so differences are paired. Where
losses leave a gap at VaR, part `threshold` adds what not knowing its side costs.

Abhishek, Bandopadhyay, Erickson (2026), arXiv:2601.21235; Rockafellar, Uryasev (2002).
CVaR is an optimum over its threshold, hence a little low: the interval is longer by that above (`slack`).
Where a tail is all the same, the rule of three says how much may differ (part `unseen`).
Limits: one dimension is that harm itself; τ = 0 makes CVaR the mean; r = 1 has infinite log-risk and is capped.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import quantiles, tails
from ..stats.present import present
from ..tables.ratings import Ratings

CARD = Card(
    answers="Whose worst responses do most harm, in any of several dimensions at once?",
    equation="R = 1 − Π_d (1 − r_d);  L = −Σ_d log(1 − r_d);  CVaR_τ(R) = VaR + E(R − VaR)₊/(1 − τ)",
    papers=(
        Paper(
            "SHARP: Social Harm Analysis via Risk Profiles for Measuring Inequities in Large Language Models",
            "Abhishek, Bandopadhyay, Erickson",
            2026,
            "arXiv",
            "https://arxiv.org/abs/2601.21235",
            equation="union-of-failures, cumulative log-risk, CVaR95",
        ),
        Paper(
            "Conditional value-at-risk for general loss distributions",
            "Rockafellar, Uryasev",
            2002,
            "Journal of Banking & Finance",
            "https://doi.org/10.1016/S0378-4266(02)00271-6",
            equation="Theorem 10",
        ),
    ),
    needs=("score",),
    assumes=(
        "each judge column is the harm in one dimension, in [0, 1], higher is worse",
        "union reads r as chances that fail independently given the response; it bounds nothing otherwise",
        "judges are taken at their word: calibrate them first, or use value.cvar with gold labels",
    ),
    limits=(
        "one dimension: that harm",
        "fewer than 10 effective rows beyond VaR: a finding",
        "r = 1: log-risk is capped, with a finding",
    ),
    when="Policies tie on the mean and rare harm decides. With trusted labels for a few rows, value.cvar.",
    rows=(358,),
)
RISKS = ("union", "log", "each", "joint")
CAP = 1 - 1e-6
ENOUGH = 10


def estimate(
    ratings: Ratings,
    *,
    statistics: Sequence[str] = ("cvar",),
    risk: str = "union",
    tail: float = 0.95,
    threshold: float = 0.5,
    bootstrap: int = 0,
    seed: int = 0,
) -> Estimate:
    """Risk figures for each policy, jointly.

    Arguments:
        ratings: table whose judge columns are harms in [0, 1].
        statistics: of `mean`, `sd`, `var`, `cvar`. One gives policies as names; several give `policy · cvar` and so on.
        risk: `union`, `log`, `each` (every dimension alone: `policy · dimension`), or `joint` (share of responses
            where two dimensions both exceed the threshold: `policy · a & b`, the diagonal being each alone).
        tail: [0, 1) τ of VaR and CVaR.
        threshold: harm above which a dimension counts as failed, for `joint`.
        bootstrap: replicates; 0 for analytic errors.
        seed: of the bootstrap.

    Errors: a score outside [0, 1]; unknown statistic or risk; a tail outside [0, 1).

    >>> from adjudge.sim.judging import Judging
    >>> found = estimate(Judging(truth=(0.7, 0.5), items=503, labels=11).draw(1).ratings)
    >>> found.names
    ('p00', 'p01')
    """
    _refuse(statistics, risk, tail)
    ratings = present(ratings)
    rows, harm, findings = _harm(ratings, risk)
    wanted = ("mean",) if risk == "joint" else tuple(statistics)
    columns = [tails.STATISTICS.index(name) for name in wanted]
    groups, names = _groups(ratings.take(rows), harm, risk, threshold, wanted)
    bounds = (0.0, np.inf) if risk == "log" else (0.0, 1.0)
    value = np.array([tails.figures(x, w, tail)[columns] for x, w, _ in groups]).reshape(-1)
    psi, slack, restless = _influence(groups, ratings.units, tail, bounds, columns)
    if bootstrap:
        draws = tails.bootstrap(groups, ratings.units, tail, draws=bootstrap, seed=seed)[:, :, columns]
        flat = draws.reshape(bootstrap, -1)
        part, restless = Part("bootstrap", np.atleast_2d(np.cov(flat, rowvar=False)), ratings.units), 0 * restless
    else:
        part = Part.from_influence("sampling", psi)
    gap = Part("threshold", np.diag(restless), ratings.units)
    blank = Part("unseen", np.diag(_unseen(groups, np.diagonal(part.covariance), risk)), ratings.units)
    clusters = np.array([np.unique(cluster).size for _, _, cluster in groups], dtype=float)
    if risk in ("union", "log"):
        findings += _thin(ratings, groups, tail) + _reorders(ratings, groups, tail)
    df = np.repeat(np.where(clusters >= 2, clusters - 1, np.nan), len(columns))
    return Estimate(
        names, value, (part, gap, blank), df, bounds=bounds, slack=slack, method="value.sharp", findings=tuple(findings)
    )


Group = tuple[FloatArray, FloatArray, IntArray]


def _groups(
    ratings: Ratings, harm: FloatArray, risk: str, threshold: float, wanted: tuple[str, ...]
) -> tuple[list[Group], tuple[str, ...]]:
    """Losses, weights and clusters behind each name, policies first."""
    if risk == "joint":
        over = (harm > threshold).astype(float)
        pairs = [(d, d) for d in range(harm.shape[1])] + list(combinations(range(harm.shape[1]), 2))
        losses = [over[:, a] * over[:, b] for a, b in pairs]
        tags = [ratings.judges[a] + ("" if a == b else f" & {ratings.judges[b]}") for a, b in pairs]
    elif risk == "each":
        losses, tags = list(harm.T), list(ratings.judges)
    else:
        losses, tags = [-np.log1p(-harm).sum(axis=1) if risk == "log" else 1 - np.prod(1 - harm, axis=1)], [""]
    groups, names = [], []
    for p, policy in enumerate(ratings.policies):
        mine = (ratings.policy == p) & (ratings.weight > 0)
        for x, tag in zip(losses, tags, strict=True):
            groups.append((x[mine], ratings.weight[mine], ratings.cluster[mine]))
            stems = [policy, tag] if tag else [policy]
            names += [" · ".join([*stems, name] if len(wanted) > 1 else stems) for name in wanted]
    return groups, tuple(names)


def _influence(
    groups: list[Group], units: int, tail: float, bounds: tuple[float, float], columns: list[int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[units, names] influence; [names, 2] by how much CVaR is too low; [names] its variance across a gap."""
    blocks, hopeful, restless = [], np.zeros((len(groups), len(columns), 2)), np.zeros((len(groups), len(columns)))
    tailed = np.array(columns) == tails.STATISTICS.index("cvar")
    for index, (x, w, cluster) in enumerate(groups):
        if np.unique(cluster).size < 2:
            blocks.append(np.full((units, len(columns)), np.nan))
            continue
        psi, optimism, variance = tails.influence(x, w, cluster, units, tail, bounds)
        blocks.append(psi[:, columns])
        hopeful[index, :, 1] = np.where(tailed, optimism, 0.0)
        restless[index] = np.where(tailed, variance, 0.0)
    return np.column_stack(blocks), hopeful.reshape(-1, 2), restless.ravel()


def _unseen(groups: list[Group], variance: FloatArray, risk: str) -> FloatArray:
    """[names] variance where nothing varied: the clusters at the group's highest harm stand behind the figure."""
    extra = np.zeros(variance.size)
    each = variance.size // max(len(groups), 1)
    for index in np.flatnonzero(variance < 1e-24):
        x, w, cluster = groups[index // each]
        mass = np.bincount(cluster, w * (x >= x.max()))
        units = float(mass.sum() ** 2 / np.square(mass).sum())
        extra[index] = quantiles.unseen(max(1.0, float(x.max())) if risk == "log" else 1.0, units)
    return extra


def _refuse(statistics: Sequence[str], risk: str, tail: float) -> None:
    strange = [name for name in statistics if name not in tails.STATISTICS]
    if strange or not statistics or isinstance(statistics, str):
        raise AdjudgeError(
            f"statistics is {statistics!r}.", f"Some of {', '.join(tails.STATISTICS)}.", "Use statistics=('cvar',)."
        )
    if risk not in RISKS:
        raise AdjudgeError(f"risk is {risk!r}.", f"One of {', '.join(RISKS)}.", "Name one of them.")
    if not 0 <= tail < 1:
        raise AdjudgeError(f"tail is {tail:g}.", "A level in [0, 1), such as 0.95.", "Use tail=0.95.")


def _harm(ratings: Ratings, risk: str) -> tuple[IntArray, FloatArray, list[Finding]]:
    """Rows that every judge scored, their [n, D] harms, and what was left out or capped."""
    if not ratings.judges:
        raise AdjudgeError("ratings: there is no judge column.", "One for each dimension of harm.", "Use --judge.")
    rows = np.flatnonzero(np.isfinite(ratings.score).all(axis=1))
    harm = ratings.score[rows]
    outside = np.flatnonzero(((harm < 0) | (harm > 1)).any(axis=1))
    if outside.size:
        raise AdjudgeError(
            f"ratings.score: {outside.size:,} of {ratings.n:,} rows have a harm outside [0, 1] (first: row "
            f"{ratings.row[rows[outside[0]]]}).",
            "Harms are chances or shares: 0 is none, 1 is certain.",
            "Divide by the scale's maximum first.",
        )
    findings = []
    if rows.size < ratings.n:
        left = ratings.n - rows.size
        findings.append(
            Finding(
                "judge-abstained",
                Severity.WARNING if left > 0.05 * ratings.n else Severity.INFO,
                f"{left:,} of {ratings.n:,} rows lack a score in some dimension and are left out.",
                left,
                0,
                "Score these rows in every dimension.",
            )
        )
    capped = int((harm > CAP).any(axis=1).sum())
    if risk == "log" and capped:
        findings.append(
            Finding(
                "log-risk-capped",
                Severity.WARNING,
                f"{capped:,} rows have a harm of 1, whose log-risk is infinite; it is held at {-np.log1p(-CAP):.1f}.",
                capped,
                0,
                "Report union risk, or have judges give chances below 1.",
            )
        )
    return rows, np.minimum(harm, CAP) if risk == "log" else harm, findings


def _thin(ratings: Ratings, groups: list[Group], tail: float) -> list[Finding]:
    """Policies with fewer than ten effective clusters in the tail."""
    found = []
    for name, (_, w, cluster) in zip(ratings.policies, groups, strict=True):
        mass = np.bincount(cluster, w)
        effective = (1 - tail) * float(mass.sum() ** 2 / max(float(np.square(mass).sum()), 1e-300))
        if effective < ENOUGH:
            found.append(
                Finding(
                    "tail-rows-too-few",
                    Severity.WARNING,
                    f"About {effective:.1f} independent responses of {name} lie beyond VaR: too few for its error.",
                    effective,
                    ENOUGH,
                    "Judge more prompts, or use a lower tail level.",
                    (name,),
                )
            )
    return found


def _reorders(ratings: Ratings, groups: list[Group], tail: float) -> list[Finding]:
    """Whether the safest policy by mean is another one than by tail."""
    seen = [p for p, (x, _, _) in enumerate(groups) if x.size]
    if len(seen) < 2:
        return []
    table = np.array([tails.figures(*groups[p][:2], tail) for p in seen])
    by_mean, by_tail = seen[int(table[:, 0].argmin())], seen[int(table[:, 3].argmin())]
    if by_mean == by_tail:
        return []
    ratio = float(table[seen.index(by_mean), 3] / max(table[seen.index(by_tail), 3], 1e-300))
    return [
        Finding(
            "tail-reorders",
            Severity.WARNING,
            f"{ratings.policies[by_mean]} is safest on average and {ratings.policies[by_tail]} in the worst "
            f"{100 * (1 - tail):.0f} %, where the first does {ratio:.2g} times the harm.",
            ratio,
            1.0,
            "Decide whether the mean or the tail is what you must bound before you choose.",
            (ratings.policies[by_mean], ratings.policies[by_tail]),
        )
    ]
