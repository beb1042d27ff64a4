"""The win rate against one baseline, had both answers been equally long: AlpacaEval 2's number, with an honest error.

    logit P(m beats b on x) = θ_m + φ_m·tanh(Δ_x/s_m) + ψ_m·γ_x        Δ length of m − length of b, s_m its spread
    LC_m = mean over x of σ(θ_m + ψ_m·γ_x)

γ is an optional difficulty of the instruction, known beforehand. The error is the whole delta method: coefficients, the
scale s_m, and which instructions were drawn, by cluster and jointly over the policies. The published standard error
holds only the spread of the predictions, which without γ is 0.

Dubois, Galambosi, Liang, Hashimoto (2024), Length-controlled AlpacaEval.
Limits: equal lengths throughout give the raw win rate and its error; the baseline itself is ½ by definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats import glm
from ..stats.cluster import covariance, from_rows, group_sums
from ..tables.comparisons import Comparisons
from . import _against
from ._shares import opened

RIDGE = 1e-9  # per unit of weight: it only keeps separated fits finite
STEP = 1e-4

CARD = Card(
    answers="How often would each policy beat the baseline if their answers were equally long?",
    equation="logit P = θ_m + φ_m·tanh(Δ/s_m) + ψ_m·γ,   LC_m = mean σ(θ_m + ψ_m·γ)",
    papers=(
        Paper(
            "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators",
            "Dubois, Galambosi, Liang, et al.",
            2024,
            "arXiv:2404.04475",
            "https://arxiv.org/abs/2404.04475",
            "§3",
        ),
    ),
    needs=("left", "right", "outcome", "covariates"),
    assumes=(
        "Length moves the judge through tanh of its standardised difference, the same way on every instruction.",
        "What a longer answer adds beside its length is not what the judge should reward.",
    ),
    limits=(
        "Equal lengths throughout are the raw win rate.",
        "Only comparisons with the baseline count; ranking.bradley_terry takes all of them, with covariates.",
        "A policy that always wins has no finite θ: its interval is that of its raw win rate.",
    ),
    when="A table of wins against one baseline and a judge that likes length; to read or check an AlpacaEval board.",
    unit="share of wins against the baseline at equal length",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One policy's fit; m rows. `psi` is what each row adds to the error of (LC, raw win rate, φ)."""

    value: FloatArray
    psi: FloatArray
    certificate: float
    separated: bool


def rank(
    comparisons: Comparisons,
    *,
    baseline: str | None = None,
    length: str | None = None,
    difficulty: Sequence[str] = (),
) -> Estimate:
    """Length-controlled win rates; raw win rates and length effects as the figures `raw` and `length`.

    Arguments:
        comparisons: the table; rows without the baseline are left out. Rows of one item are one draw of an
            instruction, where no cluster is known.
        baseline: the policy to be beaten; by default the one that all comparisons share.
        length: the covariate that holds the difference in length; the one named so by default.
        difficulty: further covariates kept as they are, such as γ; with a γ of the instruction put the policy left.

    Errors: no baseline that all comparisons share, no covariate of length, a name that does not exist.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> table = from_arrays(np.zeros(4, int), np.ones(4, int), np.array([1.0, 0.0, 1.0, 1.0]),
    ...                     covariates=np.zeros((4, 1)), covariate_names=("length",))
    >>> rank(table, baseline="p1").value
    array([0.75, 0.5 ])
    """
    wins = _against.rows(comparisons, baseline, length, difficulty)
    k, names = comparisons.k, comparisons.policies
    value = np.full((3, k), np.nan)
    psi = np.zeros((3, wins.won.size))
    findings = list(wins.findings)
    for p in range(k):
        at = np.flatnonzero(wins.policy == p)
        if at.size:
            fit = _fit(wins.won[at], wins.length[at], wins.others[at], wins.weight[at])
            value[:, p], psi[:, at] = fit.value, fit.psi
            findings += _told(names[p], fit)
    parts, units = zip(*[_joint(wins.cluster, wins.policy, each, k) for each in psi], strict=True)
    value[:2, wins.baseline], value[2, wins.baseline] = 0.5, 0.0
    columns = 2 + wins.others.shape[1]
    few = _few(units[0], columns)
    few[wins.baseline] = False
    for spread in parts:
        spread[few, :] = spread[:, few] = np.nan
    findings += _too_few(names, few, columns)
    df = np.where(np.arange(k) == wins.baseline, np.inf, np.maximum(units[0] - columns, 0.0))
    count = np.where(np.arange(k) == wins.baseline, 0.0, units[0])
    raw, reserve = opened(count, value[1], parts[1])
    exact = np.arange(k) == wins.baseline  # ½ by definition: it leans on no label, and takes none from a difference
    reserve = replace(reserve, n=np.where(exact, units[0].max(initial=0.0), count), share=np.where(exact, 0.0, 1.0))
    controlled, _ = opened(count, value[0], parts[0])
    made = [Part("sampling", each, int(units[0].max(initial=0))) for each in (controlled, raw, parts[2])]
    method, unit = "ranking.length_controlled", (0.0, 1.0)
    figures = {
        "raw": Estimate(names, value[1], (made[1],), df, unit, reserve, method=method),
        "length": Estimate(names, value[2], (made[2],), df, method=method),
    }
    return Estimate(
        names, value[0], (made[0],), df, unit, reserve, method=method, findings=tuple(findings), figures=figures
    )


def _fit(won: FloatArray, length: FloatArray, others: FloatArray, weight: FloatArray) -> _Fit:
    """One policy: its controlled and raw win rate and length effect, with what each row adds to their errors."""
    total = float(weight.sum())
    mean = float(weight @ length / total)
    scale = float(np.sqrt(weight @ (length - mean) ** 2 / total))
    beta, X = _solved(won, length, others, weight, scale)
    mu = special.expit(X @ beta)
    bend = np.maximum(mu * (1 - mu), 1e-12)
    ridge = np.full(X.shape[1], RIDGE * total)
    lean = glm.influence(X, won - mu, weight, bend, ridge=ridge)
    free = X.copy()
    free[:, 1] = 0.0
    level = special.expit(free @ beta)
    lc = float(weight @ level / total)
    slope = (weight * level * (1 - level)) @ free / total
    raw = float(weight @ won / total)
    psi = np.array([weight * (level - lc) / total + lean @ slope, weight * (won - raw) / total, lean[:, 1]])
    if scale > 0:  # s_m is estimated, too
        moved = (weight * ((length - mean) ** 2 - scale**2)) / (2 * scale * total)
        ends = [_solved(won, length, others, weight, scale * (1 + step))[0] for step in (STEP, -STEP)]
        tilt = (ends[0] - ends[1]) / (2 * STEP * scale)
        psi[0] += (tilt @ slope) * moved
        psi[2] += tilt[1] * moved
    gap = np.abs((weight * (won - mu)) @ X - beta * ridge).max() / total
    separated = bool(won.min() == won.max() or np.abs(X @ beta).min() > glm.REACH / 2)
    if separated and won.min() == won.max():  # the fit has left for infinity; what is known is the raw rate
        lc = raw
        psi[0], psi[2] = psi[1], np.nan
    return _Fit(np.array([lc, raw, np.nan if separated else beta[1]]), psi, float(gap), separated)


def _solved(
    won: FloatArray, length: FloatArray, others: FloatArray, weight: FloatArray, scale: float
) -> tuple[FloatArray, FloatArray]:
    """Coefficients of (1, tanh, others) and the columns."""
    tanh = np.tanh(length / scale) if scale > 0 else np.zeros(length.size)
    X = np.column_stack([np.ones(length.size), tanh, others])
    ridge = np.full(X.shape[1], RIDGE * float(weight.sum()))
    return glm.logistic(X, won, weight[None, :], ridge=ridge)[0], X


def _joint(cluster: IntArray, policy: IntArray, psi: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    """[k, k] covariance by cluster, two-way where there are two columns, and [k] clusters of each policy."""
    both = np.unique(cluster, axis=0, return_inverse=True)[1].reshape(-1)
    ways = [cluster[:, 0]] if cluster.shape[1] == 1 else [cluster[:, 0], cluster[:, 1], both]
    total = np.zeros((k, k))
    fewest = np.full(k, np.inf)
    for way, code in enumerate(ways):
        cells = from_rows(code, policy, [psi, np.ones(psi.size)], k=k)
        units = np.bincount(cells.group[cells.sums[1] > 0], minlength=k).astype(float)
        inflate = np.sqrt(units / np.maximum(units - 1, 1))
        total += (-1.0 if way == 2 else 1.0) * covariance(cells, np.nan_to_num(cells.sums[0]) * inflate[cells.group])
        fewest = np.minimum(fewest, units) if way < 2 else fewest
    if len(ways) > 1:
        size, vectors = np.linalg.eigh(total)
        total = (vectors * np.maximum(size, 0.0)) @ vectors.T
    lost = group_sums(policy, np.isnan(psi).astype(float), k) > 0
    total[lost, :] = total[:, lost] = np.nan
    return total, fewest


def _few(units: FloatArray, columns: int) -> FloatArray:
    return np.asarray(units <= columns)


def _told(name: str, fit: _Fit) -> list[Finding]:
    """What to distrust about one policy's fit."""
    if fit.separated:
        return [
            Finding(
                "wins-separated",
                Severity.WARNING,
                f"The comparisons of {name} leave no finite effect of length: its raw win rate stands.",
                fit.value[1],
                remedy="Compare it on more instructions, or with a stronger baseline.",
                subject=(name,),
            )
        ]
    if fit.certificate <= 1e-8:
        return []
    return [
        Finding(
            "fit-not-converged",
            Severity.SEVERE,
            f"The fit of {name} stopped at a gradient of {fit.certificate:.1g}.",
            fit.certificate,
            1e-8,
            "Leave out covariates that follow from others.",
            (name,),
        )
    ]


def _too_few(names: tuple[str, ...], few: FloatArray, columns: int) -> list[Finding]:
    subject = tuple(name for name, short in zip(names, few, strict=True) if short)
    if not subject:
        return []
    return [
        Finding(
            "comparisons-too-few",
            Severity.SEVERE,
            f"{len(subject)} policies meet the baseline in no more clusters than the fit has coefficients ({columns}).",
            len(subject),
            0,
            "Compare them on more instructions.",
            subject,
        )
    ]
