"""Who is best, from votes on pairs: maximum likelihood with ties, covariates and order, and errors that know clusters.

    P(left wins : tie : right wins) = e^{η/2} : ν : e^{−η/2},      η = θ_left − θ_right + z·γ + first·δ      (Davidson)
    rating = 1000 + 400/ln 10 · (θ − mean θ),                      Cov = A⁻¹ M A⁻¹,  M clustered

`ties` may also be `rao-kupper` (a threshold), `newman` (Davidson's law, with ν/2 for ν) or `half` (a tie is half a win
for each). `figures` holds the effects of covariates and order in rating points, the tie parameter, and the certificate
of the fit. A policy that never lost, or that no chain of votes links to the others, has no rating but a severe finding.

Bradley, Terry (1952); Davidson (1970), Section 3; Rao, Kupper (1967); Newman (2023); Liang, Zeger (1986), Eq. 13.
Limits: no ties makes every law plain Bradley-Terry; two policies that never tie differ by log(wins/losses); prior = inf
is maximum likelihood; no clusters is the Huber-White sandwich by battle.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.paired import batch, effects, graph, newton, ratings, sandwich
from ..stats.paired.scale import POINTS
from ..stats.paired.votes import collect
from ..tables.comparisons import Comparisons
from . import _bradley_terry_findings

CARD = Card(
    answers="How strong is each policy, and how sure is that, when votes of one prompt or rater hang together?",
    equation="""
    P(win : tie : loss) = e^{η/2} : ν : e^{−η/2},   η = θ_left − θ_right + z·γ + first·δ
    rating = 1000 + 400/ln 10 · (θ − mean θ),       Cov = A⁻¹ M A⁻¹,  M = (c−1)/c Σ_g S̃_g S̃_gᵀ
    """,
    papers=(
        Paper(
            "Rank analysis of incomplete block designs: I. The method of paired comparisons",
            "Bradley, Terry",
            1952,
            "Biometrika 39(3/4)",
            "https://doi.org/10.2307/2334029",
        ),
        Paper(
            "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments",
            "Davidson",
            1970,
            "Journal of the American Statistical Association 65(329)",
            "https://doi.org/10.1080/01621459.1970.10481082",
            "Eq. 2.4",
        ),
        Paper(
            "Ties in paired-comparison experiments: a generalization of the Bradley-Terry model",
            "Rao, Kupper",
            1967,
            "Journal of the American Statistical Association 62(317)",
            "https://doi.org/10.1080/01621459.1967.10482901",
        ),
        Paper(
            "Efficient computation of rankings from pairwise comparisons",
            "Newman",
            2023,
            "J. Mach. Learn. Res. 24(238)",
            "https://jmlr.org/papers/v24/22-1086.html",
            "Section 3.2",
        ),
        Paper(
            "Longitudinal data analysis using generalized linear models",
            "Liang, Zeger",
            1986,
            "Biometrika 73(1)",
            "https://doi.org/10.1093/biomet/73.1.13",
            "Eq. 13",
        ),
        Paper(
            "Robust inference with multiway clustering",
            "Cameron, Gelbach, Miller",
            2011,
            "J. Bus. Econ. Stat. 29(2)",
            "https://doi.org/10.1198/jbes.2010.07136",
            "Eq. 2.11",
        ),
        Paper(
            "Cluster-robust inference: a guide to empirical practice",
            "MacKinnon, Nielsen, Webb",
            2023,
            "J. Econom. 232(2)",
            "https://doi.org/10.1016/j.jeconom.2022.04.001",
            "CV3",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "One strength a policy explains who wins: there are no cycles beyond chance.",
        "Clusters are independent of each other; within one, votes may hang together in any way.",
    ),
    limits=(
        "A policy that never lost, or never won, has no maximum-likelihood rating; prior gives it one.",
        "ties='half' shrinks the scale, the more the more ties there are.",
        "Clusters so few or so uneven that they tell as much as ten equal ones: the intervals are rough.",
    ),
    when="Votes on pairs of policies. With few trusted votes and many of a judge, ranking.ppi_bradley_terry.",
    unit="rating points; 400 are odds of ten to one",
)

COVARIANCES = ("sandwich", "bootstrap")
MOST_LOST = 0.05  # share of bootstrap replicates without a maximum beyond which their spread says too little


def rank(
    table: Comparisons,
    *,
    ties: str = "davidson",
    order: bool | str = False,
    covariates: bool = True,
    prior: float | None = None,
    covariance: str = "sandwich",
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Bradley-Terry ratings in points, the mean of the rated policies being 1000.

    Arguments:
        table: votes on pairs. Outcomes other than 0, ½ and 1 are probabilities that left wins: such a vote adds
            y log p + (1 − y) log(1 − p) of Bradley-Terry and says nothing about ties. Where such outcomes outnumber
            0 and 1, a ½ is a probability too.
        ties: `davidson`, `rao-kupper`, `newman` or `half`.
        order: True adds the effect of being shown first; `rater` adds one for each rater.
        covariates: whether the table's covariates enter (their effects are in `figures["effects"]`).
        prior: standard deviation, in points, of a normal prior on each rating: the value is then the posterior mode,
            and A⁻¹(M + prior precision)A⁻¹ its error, which is the usual (Laplace) posterior covariance where votes are
            independent and the law holds. None is maximum likelihood.
        covariance: `sandwich`, or `bootstrap` of battles, or of clusters where there is one column of them.
        draws, seed: of the bootstrap.

    Raises:
        AdjudgeError: an unknown law, order or covariance, a prior that is not positive, or a bootstrap of two-way
            clusters.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> votes = from_arrays(np.zeros(40, int), np.ones(40, int), np.repeat([1.0, 0.0], [30, 10]))
    >>> found = rank(votes)
    >>> found.value.round(2).tolist(), found.stderr.round(2).tolist()  # log 3 apart; √(40/39 · (1/30 + 1/10))/2
    ([1095.42, 904.58], [32.12, 32.12])
    """
    _check(order, prior, covariance)
    votes = collect(table, order=order, covariates=covariates, half=ties == "half")
    named = effects.names(table, order, covariates)
    votes, stuck = effects.one_sided(votes, named)
    reach = graph.examine(votes, table.policies, prior=prior is not None)
    votes, lost = effects.identified(votes, named, reach.keep, 0.0 if prior is None else (POINTS / prior) ** 2)
    fit = newton.fit(votes, ties=ties, keep=reach.keep, prior=np.inf if prior is None else prior / POINTS)
    meat = sandwich.meat(fit, table.cluster)
    spread = sandwich.around(fit, meat)
    told: tuple[Finding, ...] = ()
    if covariance == "bootstrap" and fit.converged and meat.units > 1:
        spread, told = _bootstrap(fit, table, draws, seed)
    alone = _alone(fit, meat)
    silent = sandwich.without_spread(fit, spread) & ~alone
    parts = [("sampling", spread, meat.units)]
    if prior is not None:
        parts.append(("prior", _prior_part(fit), int(reach.keep.sum())))
    findings = (
        *reach.findings,
        *stuck,
        *lost,
        *_bradley_terry_findings.about_outcomes(table, ties),
        *told,
        *_bradley_terry_findings.few(fit, meat),
        *_bradley_terry_findings.doubts(table, silent, alone),
    )
    return ratings.estimate(
        fit,
        table.policies,
        named,
        parts,
        df=meat.df,
        ties=ties,
        method="ranking.bradley_terry",
        findings=findings,
        blank=silent | alone,
    )


def _check(order: bool | str, prior: float | None, covariance: str) -> None:
    if order not in (True, False, "rater"):
        raise AdjudgeError(f"order is {order!r}.", "True, False or 'rater'.", "Use order=True.")
    if covariance not in COVARIANCES:
        raise AdjudgeError(f"covariance is {covariance!r}.", f"One of {', '.join(COVARIANCES)}.", "Name one of them.")
    if prior is not None and not prior > 0:
        raise AdjudgeError(
            f"prior is {prior!r}.", "A standard deviation in points, > 0.", "Use prior=400, or leave it out."
        )


def _bootstrap(fit: newton.Fit, table: Comparisons, draws: int, seed: int) -> tuple[FloatArray, tuple[Finding, ...]]:
    """[q, q] covariance of β over replicates, findings."""
    beta = batch.replicates(fit, table.cluster, draws=draws, seed=seed)
    done = np.isfinite(beta).all(axis=1)
    share = float(1 - done.mean())
    if share > MOST_LOST:
        found = np.full((fit.beta.size,) * 2, np.nan)
    else:
        found = np.cov(beta[done], rowvar=False).reshape(fit.beta.size, -1)
    if not share:
        return found, ()
    return found, (
        Finding(
            "replicates-unbounded",
            Severity.SEVERE if share > MOST_LOST else Severity.WARNING,
            f"{100 * share:.1f} % of {draws:,} bootstrap replicates have no largest likelihood, because resampling "
            "separated some policies; their spread is left out.",
            share,
            MOST_LOST,
            "Use covariance='sandwich', or give a prior.",
        ),
    )


def _prior_part(fit: newton.Fit) -> FloatArray:
    """[q, q] A⁻¹ P A⁻¹: what the spread of the truth around the prior's mean adds."""
    bread = sandwich.bread(fit)
    P = np.zeros(fit.beta.size)
    P[: fit.votes.k] = fit.precision * fit.keep
    return np.asarray((bread * P) @ bread)


def _alone(fit: newton.Fit, meat: sandwich.Meat) -> BoolArray:
    """[q] rated policies on which one cluster alone voted: nothing shows how far clusters differ."""
    one = np.zeros(fit.beta.size, dtype=bool)
    one[: fit.votes.k] = fit.keep & (meat.seen[: fit.votes.k] < 2)
    return one
