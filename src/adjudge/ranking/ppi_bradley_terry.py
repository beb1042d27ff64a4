"""Judges voted on every match, people on a few: the rating that all the people's votes would have given.

    λ·mean_all s(θ; q) + mean_labelled { s(θ; y) − λ·s(θ; q) } = 0

s is the score of Davidson's model (Bradley-Terry where nobody ties), y the people's mean verdict, q a forecast of it
from the judges' votes, cross-fitted by cluster: a judge's harshness, love of ties, order bias and tastes are learnt
from the labelled matches, and what it gets wrong all the same is taken off by the second term. λ in [0, 1] makes the
total variance least. The terms of one cluster are summed before they are squared: the judges' error, the labelled
sample's, the matches' and the clusters' are in one covariance.

Angelopoulos, Bates, Fannjiang, et al. (2023); Angelopoulos, Duchi, Zrnic (2023), PPI++; Zrnic, Candès (2024). `pool`:
Fay, Herriot (1979).
Limits: λ = 0, or no judge, is the fit to the people's votes alone; a judge who says what people say is the fit to all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..errors import AdjudgeError
from ..stats.paired import scale
from ..tables.comparisons import Comparisons
from . import _ppi_fit, _ppi_pool
from ._matches import Matches, gather
from ._ppi_findings import findings, labelled_clusters
from ._vote_forecast import forecast

CARD = Card(
    answers="Who is best by people's verdict, when judges voted on all matches and people on some of them?",
    equation="λ·mean_all s(θ; q) + mean_labelled {s(θ; y) − λ·s(θ; q)} = 0",
    papers=(
        Paper(
            "Prediction-powered inference",
            "Angelopoulos, Bates, Fannjiang, et al.",
            2023,
            "Science 382",
            "https://doi.org/10.1126/science.adi6000",
            "Algorithm 5",
        ),
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv:2311.01453",
            "https://arxiv.org/abs/2311.01453",
            "§6",
        ),
        Paper(
            "Cross-prediction-powered inference",
            "Zrnic, Candès",
            2024,
            "PNAS 121(15)",
            "https://doi.org/10.1073/pnas.2322083121",
            "Eq. 3",
        ),
        Paper(
            "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments",
            "Davidson",
            1970,
            "Journal of the American Statistical Association 65(329)",
            "https://doi.org/10.1080/01621459.1970.10481082",
            "Eq. 2.3",
        ),
    ),
    needs=("left", "right", "outcome", "trusted", "match"),
    assumes=(
        "The labelled matches are a random part of the matches.",
        "Matches, or clusters of them, are independent.",
    ),
    limits=(
        "λ = 0, or no judge, is the Davidson fit to the trusted votes alone.",
        "A judge who says what people say gives the fit to all matches.",
        "A policy with fewer than two labelled clusters gets NaN: nobody checked the judges on it.",
    ),
    when="When judges are cheap and people dear; ranking.bradley_terry where everybody's votes count the same.",
    unit="rating points; 400 are odds of ten to one",
)


def rank(
    table: Comparisons,
    *,
    ties: str = "davidson",
    lam: float | None = None,
    calibrate: bool = True,
    pool: bool = False,
    folds: int = 5,
    seed: int = 0,
) -> Estimate:
    """Ratings in points, centred on 1000, of the policies by the trusted raters' standard.

    Arguments:
        table: votes; `trusted` marks the people's, `match` says which votes are about the same two answers.
        ties: `davidson`, or `half` to count a tie as half a win (Bradley-Terry).
        lam: λ in [0, 1]; chosen from the data by default.
        calibrate: learn from the labelled matches what the judges' votes mean; False takes them at their word.
        pool: let policies vouch for each other: the judges' errors on policies are taken as draws from one normal law
            whose spread the labels show. Narrower with few labels for each policy; its intervals hold 95 % on average
            over the policies, but less for one that the judges misread as no other.
        folds, seed: of the cross-fitting.

    Figures: `lambda`; `tie` (log ν); `labels_only`, the same ratings without the judges.

    Raises AdjudgeError: no trusted votes; λ outside [0, 1]; an unknown tie model.

    >>> import numpy as np
    >>> from adjudge.tables.comparisons import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> left = np.repeat(rng.integers(0, 2, 300), 2)  # every match has two rows: the judge's and perhaps a person's
    >>> won = rng.random(600) < np.where(left == 0, 0.7, 0.4)
    >>> votes = from_arrays(left, left + 1, won.astype(float), trusted=np.arange(600) % 2 == 0,
    ...                     rater=np.arange(600) % 2, match=np.repeat(np.arange(300), 2))
    >>> votes = votes.take((np.arange(600) % 2 == 1) | (np.arange(600) < 200))
    >>> rank(votes).names
    ('p0', 'p1', 'p2')
    """
    _check(table, ties, lam)
    matches = gather(table)
    if ties == "half":
        matches = _ppi_fit.halved(matches)
    said = forecast(matches, table.k, folds=folds, seed=seed) if calibrate else matches.jury
    matches, said, apart = _ppi_fit.joined(matches, said, table.k)
    alone = _ppi_fit.solve(matches, said, 0.0, table.k)
    weight = 0.0 if not said.any() else _ppi_fit.tuned(matches, said, table.k) if lam is None else lam
    solved = _ppi_fit.solve(matches, said, weight, table.k) if weight else alone
    result, only = (_estimate(table, matches, each) for each in (solved, alone))
    if pool and matches.judged.any() and weight:
        result = _pooled(table, matches, result)
    with np.errstate(invalid="ignore", divide="ignore"):
        shorter = 1 - result.stderr**2 / only.stderr**2
    gain = float(np.mean(shorter[np.isfinite(shorter)])) if np.isfinite(shorter).any() else np.nan
    notes = findings(matches, table.policies, solved, apart, gain)
    figures = {"lambda": _known("λ", weight), "labels_only": only}
    if np.isfinite(solved.log_tie):
        figures["tie"] = _known("log ν", solved.log_tie)
    return replace(result, findings=(*table.findings, *notes), figures=figures)


def _check(table: Comparisons, ties: str, lam: float | None) -> None:
    if ties not in ("davidson", "half"):
        raise AdjudgeError(f"ties is {ties!r}.", "It is 'davidson' or 'half'.", "Use ties='davidson'.")
    if lam is not None and not 0 <= lam <= 1:
        raise AdjudgeError(f"lam is {lam}.", "λ is a share of trust in [0, 1].", "Leave it out to have it chosen.")
    if not np.any(table.trusted & table.known):
        raise AdjudgeError(
            "comparisons.trusted: no row is a trusted vote with a verdict.",
            "Prediction-powered ratings need people's votes on some of the matches.",
            "Name the trusted raters with --gold, or rank the judges' votes by ranking.bradley_terry.",
        )


def _estimate(table: Comparisons, matches: Matches, solved: _ppi_fit.Solved) -> Estimate:
    """Centred ratings in points; NaN for a policy whose matches people hardly judged."""
    valued = np.isfinite(solved.theta) & (labelled_clusters(matches, table.k) >= 2)
    theta = np.where(valued, solved.theta, np.nan)
    covariance = scale.covariance_points(theta, _ppi_fit.variance(matches, solved))
    units = min(np.unique(column).size for column in matches.cluster.T)
    df = np.clip(np.where(valued, _ppi_fit.freedom(matches, solved), 2.0) - 1.0, 1.0, max(units - 1, 1))
    return Estimate(
        table.policies,
        scale.points(theta),
        (Part("matches, labels and judges", covariance, units),),
        df,
        method="ranking.ppi_bradley_terry",
    )


def _pooled(table: Comparisons, matches: Matches, alone: Estimate) -> Estimate:
    """The posterior that takes the policies as draws from one law; every policy with a match has a rating."""
    theta, covariance = _ppi_pool.pooled(matches, table.k)
    played = np.bincount(np.concatenate([matches.left, matches.right]), minlength=table.k) > 0
    theta = np.where(played, theta, np.nan)
    units = alone.parts[0].units
    part = Part("labels and judges, pooled", scale.covariance_points(theta, covariance), units)
    return replace(alone, value=scale.points(theta), parts=(part,), df=np.full(table.k, max(units - 1.0, 1.0)))


def _known(name: str, value: float) -> Estimate:
    """A quantity of the fit whose own error is not worked out."""
    return Estimate(
        (name,), np.array([value]), (Part("not worked out", np.full((1, 1), np.nan), 0),), np.array([np.inf])
    )
