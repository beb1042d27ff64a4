"""Ratings under normal, not logistic, noise: each answer has a quality that varies, and the better one of the day wins.

    P(left wins) = Φ(d − τ),   P(right wins) = Φ(−d − τ),   P(tie) = the rest,      d = θ_left − θ_right

Case V: all qualities vary alike and independently, and the unit is the standard deviation of a difference of two. τ is
the least difference that a judge notices (Glenn, David 1960); without ties it is 0. Maximum likelihood, not Thurstone's
average of normal quantiles, so pairs that were never or always decided one way are no obstacle. A vote between 0 and 1
other than ½ is a probability that left is better, and is read at τ = 0.

Thurstone (1927), A law of comparative judgment; Mosteller (1951); Glenn, David (1960).
Limits: one pair, w wins, t ties, l losses of n: d − τ = Φ⁻¹(w/n), −d − τ = Φ⁻¹(l/n) exactly. Close to
`ranking.bradley_terry` divided by 1.7 as long as no pair is very one-sided.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons
from . import _probit, _pulls, _votes

CARD = Card(
    answers="How far apart are the policies, in standard deviations of a judge's comparison?",
    equation="P(left wins) = Φ(θ_left − θ_right − τ),  P(right wins) = Φ(θ_right − θ_left − τ)",
    papers=(
        Paper(
            "A law of comparative judgment",
            "Thurstone",
            1927,
            "Psychological Review 34(4)",
            "https://doi.org/10.1037/h0070288",
            "Case V",
        ),
        Paper(
            "Remarks on the method of paired comparisons: I. The least squares solution assuming equal standard "
            "deviations and equal correlations",
            "Mosteller",
            1951,
            "Psychometrika 16(1)",
            "https://doi.org/10.1007/BF02313422",
        ),
        Paper(
            "Ties in paired-comparison experiments using a modified Thurstone-Mosteller model",
            "Glenn, David",
            1960,
            "Biometrics 16(1)",
            "https://doi.org/10.2307/2527957",
            "Eq. 2",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "The qualities of two answers differ by a normal error of the same spread for every pair.",
        "Comparisons, or clusters of them, are independent.",
    ),
    limits=(
        "One pair gives the normal quantiles of its shares exactly.",
        "Upsets between very unequal policies weigh more than in a logistic model: normal tails are thin.",
        "A policy that never lost has no finite rating: a prior, or none.",
    ),
    when="When the noise of many small influences is more believable than logistic odds, as in sensory tests; "
    "otherwise ranking.bradley_terry.",
    unit="standard deviations of one comparison",
)


def rank(table: Comparisons, *, pseudo: float = 0.0) -> Estimate:
    """Thurstone-Mosteller ratings, case V with ties: mean 0, unit the spread of a difference.

    Arguments:
        table: votes; policies outside the largest connected part get NaN and a finding.
        pseudo: wins and losses of each policy against an imaginary one of rating 0, >= 0. At 0 a policy that won or
            lost everything has no rating; ½ gives it one, with a finding.

    Returns the ratings; figure `threshold` is τ where there are ties.

    Raises:
        AdjudgeError: `pseudo` is negative.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> votes = from_arrays(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 0.0]), count=np.array([84.13, 15.87]))
    >>> rank(votes).value.round(3)  # 84 % is one standard deviation
    array([ 0.5, -0.5])
    """
    if not pseudo >= 0:
        raise AdjudgeError(f"thurstone: pseudo is {pseudo}.", "A number of wins, >= 0.", "Leave it out, or 0.5.")
    votes, notes = _votes.gather(table)
    inside, also = _votes.rated(votes, table, prior=pseudo > 0)
    findings = [*notes, *also]
    inner = votes.take(inside[votes.left] & inside[votes.right])
    if inner.left.size and np.all(inner.outcome == 0.5):
        findings.append(
            Finding(
                "all-ties",
                Severity.SEVERE,
                "Every verdict is a tie: how far apart the policies are cannot be told from it.",
                1.0,
                1.0,
                "Ask judges who must choose, or a finer scale.",
            )
        )
        inside = np.zeros_like(inside)
        inner = inner.take(np.zeros(inner.left.size, dtype=bool))
    fit = _probit.fit(inner, inside, pseudo)
    if not fit.converged:
        findings.append(
            Finding(
                "not-converged",
                Severity.SEVERE,
                "The likelihood has no maximum within reach, and no rating is given.",
                fit.gradient,
                _probit.TOLERANCE,
                "Give a prior (`pseudo`), or more comparisons.",
            )
        )
        inside = np.zeros_like(inside)
    bread = _probit.inverse(fit)
    covariance, units = _pulls.sandwich(
        inner,
        _probit.pulls(inner, fit),
        bread,
        parameters=int(inside.sum()) - 1 + fit.tied,
        verdict=_probit.EVEN,
        curvature=_probit.curvature(inner, fit),
    )
    figures = {}
    if fit.tied:
        threshold = Part("sampling", covariance[-1:, -1:], units)
        figures["threshold"] = Estimate(("threshold",), np.array([fit.tau]), (threshold,), np.array([units - 1.0]))
    return _votes.estimate(
        inner,
        inside,
        fit.theta,
        [Part("sampling", covariance[: votes.k, : votes.k], units)],
        method="ranking.thurstone",
        df=units - 1,
        findings=findings,
        figures=figures,
    )
