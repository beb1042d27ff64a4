"""Few runs of several agents: who is better, looking after every few runs and stopping as soon as it is decided.

    T_k^{(j)}(σ) = |Σ_{m <= k} (mean of block m dealt to the left − to the right)|        after k blocks of n runs each
    b_k(C): #{σ: max_{j ∈ C} T^{(j)} crossed a bound by look k} <= (1 − level)·k/K of all deals σ
    while max_{j ∈ C} T_k^{(j)} > b_k(C): call the larger mean of that pair better, and take the pair out of C

C holds the comparisons still open; an agent none of whose comparisons is open is not run again. The error over all
pairs and looks is at most 1 − level whatever the laws of equal agents. For two agents that is exact. For more, the
paper's step-down above (`joint=True`) holds it in large samples only, since pairs are dealt one by one (5 runs a look:
5 to 6 % for 5 %); so the default tests each pair by its own deals, with (1 − level)/r while r are open (Holm), which
holds it for any number of runs, at a few per cent of power. With `early` = β, small differences are called equal early.

Mathieu, Della Vecchia, Shilova, et al. (2023), AdaStop. Limits: one look at all runs is the permutation test of mean
differences with step-down; `reference` compares all others with one agent. Where the published package (0.1.3) ranks
signed differences against an unsigned statistic, so that each test spends twice its level, this follows the paper.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.sequential.group import Design
from ..stats.sequential.runs import Study, from_ratings, study
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which of a few agents is better, with as few runs as needed and no more errors than agreed?",
    equation="""
    while max_{j ∈ C} |Σ_{m <= k} (left mean − right mean)| > b_k(C): decide that pair, take it out of C
    P_σ(max_{j ∈ C} T^{(j)}(σ) > b, by look k) <= (1 − level)·k/K
    """,
    papers=(
        Paper(
            "AdaStop: adaptive statistical testing for sound comparisons of Deep RL agents",
            "Mathieu, Della Vecchia, Shilova, et al.",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2306.10882",
            "Algorithm 1",
        ),
        Paper(
            "Permutation P-values Should Never Be Zero",
            "Phipson, Smyth",
            2010,
            "Statistical Applications in Genetics and Molecular Biology 9(1)",
            "https://doi.org/10.2202/1544-6115.1585",
        ),
    ),
    needs=("policy", "score"),
    assumes=(
        "Runs are independent, and exchangeable between two agents of equal law.",
        "Runs per look, number of looks and level were fixed before the first run.",
    ),
    limits=(
        "Equal means under unequal laws (another spread) hold the error only in large samples.",
        "Not told apart does not mean equal.",
        "Intervals of the means are those of a fixed number of runs.",
    ),
    when="Expensive runs of a few agents, such as seeds of a training; for successes and failures of trials, "
    "ranking.blind_trials; for many runs on many tasks, ranking.probability_of_improvement or ranking.iqm.",
    unit="mean score",
    rows=(165,),
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    runs: int = 5,
    interims: int = 5,
    level: float = 0.95,
    early: float = 0.0,
    reference: str | None = None,
    permutations: int = 10_000,
    joint: bool = False,
    seed: int = 0,
) -> Estimate:
    """Mean scores of the agents, and in `figures` what the looks decided.

    Arguments:
        ratings: `policy` is the agent; rows of one policy, stratum and cluster are one run, in the order of the rows;
            `stratum` is the environment, compared each on its own under one error.
        metric: name of the score column; the first by default.
        runs: n, runs of each agent between two looks.
        interims: K, looks at most.
        level: 1 − the family-wise error over all comparisons and looks.
        early: β, the power that may be spent on calling agents equal early.
        reference: an agent that all others are compared with; None compares all pairs.
        permutations: deals that are looked at; all of them when there are no more.
        joint: hold the largest difference against the largest of each deal, as the paper does, instead of Holm.
        seed: of the sampled deals.

    The figures: `decisions` (1 the first of the pair is better, −1 worse, 0 not told apart, NaN open), `pvalues`,
    `looks` (at which it was decided; 0 open), `runs_used`, `bounds` and `statistics` by look, in standard deviations.

    Errors: a design that makes no sense, an unknown metric or reference.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "b"] * 5, item=np.repeat(range(5), 2),
    ...                     score=[9.0, 1.0, 8.0, 2.0, 9.5, 1.5, 8.5, 2.5, 9.1, 1.1])
    >>> rank(table).figures["decisions"].value
    array([1.])
    """
    design = Design(runs, interims, level, early, permutations, seed, joint=joint)
    return told(study(from_ratings(ratings, metric=metric), design, reference=reference))


def told(study: Study) -> Estimate:
    """The estimate of a study that has been run: means of all runs, each environment alike, and the decisions."""
    k, E = len(study.runs.agents), len(study.runs.environments)
    n = study.runs.counts
    mean = np.array([one.mean() if one.size else np.nan for one in study.runs.values]).reshape(E, k)
    spread = np.array([one.var(ddof=1) if one.size > 1 else np.nan for one in study.runs.values]).reshape(E, k)
    spread[spread <= 1e-24 * np.maximum(mean**2, 1e-300)] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        each = spread / n / E**2
        variance = each.sum(axis=0)
        df = variance**2 / (each**2 / np.maximum(n - 1, 1)).sum(axis=0)
    state = study.state
    looks = tuple(f"look {m}" for m in range(1, state.interim + 1))
    return Estimate(
        study.runs.agents,
        mean.mean(axis=0),
        (Part("sampling", np.diag(variance), int(n.sum(axis=0).min(initial=0))),),
        np.where(np.isfinite(df), df, 0.0),
        method="ranking.adastop",
        findings=(*study.findings, *_spread(study.runs.agents, mean.mean(axis=0), variance), *_open(study)),
        figures={
            "decisions": counted(study.names, state.decision),
            "pvalues": counted(study.names, state.pvalue),
            "looks": counted(study.names, state.when.astype(float)),
            "runs_used": counted(study.runs.agents, study.used.sum(axis=0).astype(float)),
            "bounds": counted(looks, np.array(state.bound)),
            "statistics": counted(looks, np.array(state.largest)),
        },
    )


def counted(names: tuple[str, ...], value: FloatArray) -> Estimate:
    """Figures that were counted or decided, not estimated: their covariance is 0."""
    k = len(names)
    return Estimate(names, value, (Part("counted", np.zeros((k, k)), k),), np.full(k, np.inf), method="ranking.adastop")


def _spread(agents: tuple[str, ...], mean: FloatArray, variance: FloatArray) -> tuple[Finding, ...]:
    unknown = tuple(name for name, v in zip(agents, variance, strict=True) if not np.isfinite(v))
    absent = tuple(name for name, value in zip(agents, mean, strict=True) if not np.isfinite(value))
    found = []
    if absent:
        found.append(
            Finding(
                "agent-without-runs",
                Severity.SEVERE,
                f"{len(absent)} of {len(agents)} agents have no scored run (in some environment) and no mean.",
                len(absent),
                0,
                "Run them, or leave them out.",
                absent,
            )
        )
    if len(unknown) > len(absent):
        found.append(
            Finding(
                "spread-unknown",
                Severity.WARNING,
                f"{len(unknown) - len(absent)} of {len(agents)} agents have no two runs that differ, so nothing can be "
                "said of the error of their means.",
                len(unknown) - len(absent),
                0,
                "Add runs, and check that they are not copies of one another.",
                unknown,
            )
        )
    return tuple(found)


def _open(study: Study) -> tuple[Finding, ...]:
    wanted = study.wanted
    if not wanted:
        return ()
    agents = tuple(dict.fromkeys(agent for agent, _, _ in wanted))
    return (
        Finding(
            "go-on",
            Severity.INFO,
            f"{int(study.state.still.sum())} of {len(study.state.pairs)} comparisons are open after "
            f"{study.state.interim} of {study.state.design.interims} looks.",
            float(study.state.still.sum()),
            0,
            f"Run {max(count for _, _, count in wanted)} more of {', '.join(agents)}.",
            agents,
        ),
    )
