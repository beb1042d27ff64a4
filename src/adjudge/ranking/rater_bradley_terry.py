"""Who is best when raters differ: some are sharp, some guess, some are contrary, some like what they see first.

    P(left wins) : P(tie) : P(right wins) = e^{η/2} : ν : e^{−η/2},      η = a_r·(θ_l − θ_r) + (β + b_r)·first
    a_r ~ N(1, σ_a²),   b_r ~ N(0, σ_b²),   σ by empirical Bayes

a is how sharp a rater is (1 the average, 0 a coin, below 0 the wrong way round), β + b what being shown
first is worth to it, in rating points. A careless rater's votes pull less on the ratings. Ratings' errors are a
sandwich clustered by rater (and by the table's clusters).

Chen, Bennett, Collins-Thompson, et al. (2013): CrowdBT, whose rater is a coin that answers right with probability p_r.
Limits: σ_a = σ_b = 0 without order is Davidson's model, and Bradley-Terry's where nobody ties.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.paired import graph, newton, scale
from ..stats.paired.votes import collect
from ..tables.comparisons import Comparisons
from . import _rater_error
from . import _rater_fit as fits

CARD = Card(
    answers="Who is best, when raters differ in how sharp they are and in how much they like what is shown first?",
    equation="η = a_r·(θ_l − θ_r) + (β + b_r)·first,  a_r ~ N(1, σ_a²),  b_r ~ N(0, σ_b²)",
    papers=(
        Paper(
            "Pairwise ranking aggregation in a crowdsourced setting",
            "Chen, Bennett, Collins-Thompson, et al.",
            2013,
            "WSDM",
            "https://doi.org/10.1145/2433396.2433420",
            "§3",
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
    needs=("left", "right", "outcome", "rater"),
    assumes=(
        "Most raters point the right way: the average sharpness is 1 by convention.",
        "Raters' sharpness and order bias are draws from normal laws.",
    ),
    limits=(
        "σ_a = σ_b = 0 without order is the Davidson fit.",
        "With one or two raters sharpness cannot be told from the scale of the ratings and is left at 1.",
        "An undefeated or unconnected policy gets NaN.",
        "Clustered by fewer than 20 raters, 95 % intervals cover about 90 %.",
    ),
    when="When many raters voted, each often; ranking.bradley_terry where raters are alike or vote a few times each.",
    unit="rating points; 400 are odds of ten to one",
)
MANY = 20
"""Raters from which on the ratings' error is clustered by rater: fewer are taken as the only raters of interest."""
FEW = 10
VOTES = 10
"""Votes below which nothing is said against a rater."""


def rank(
    table: Comparisons,
    *,
    ties: str = "davidson",
    order: bool = True,
    spread: float | None = None,
    order_spread: float | None = None,
) -> Estimate:
    """Ratings in points, centred on 1000.

    Arguments:
        table: votes with raters; rows without a verdict are left out.
        ties: `davidson`, or `half` to count a tie as half a win.
        order: whether being shown first may matter.
        spread: σ_a; by empirical Bayes when None, 0 for raters who are alike.
        order_spread: σ_b; the same for the order effect.

    Figures: `raters`, the sharpness a of each; `order`, the points that being shown first is worth to each rater;
    `order_mean`, to their average; `spread`, σ_a and σ_b.

    Raises AdjudgeError: an unknown tie model; a negative spread.

    >>> import numpy as np
    >>> from adjudge.tables.comparisons import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> left, rater = rng.integers(0, 2, 900), rng.integers(0, 5, 900)
    >>> won = rng.random(900) < np.where(rater == 4, 0.5, 0.8)  # the fifth rater guesses
    >>> result = rank(from_arrays(left, left + 1, won.astype(float), rater=rater))
    >>> int(np.argmin(result.figures["raters"].value))
    4
    """
    _check(ties, spread, order_spread)
    votes = collect(table, half=ties == "half")
    reach = graph.examine(votes, table.policies)
    start = newton.fit(votes, ties=ties, keep=reach.keep)
    used, rows, at = _rows(table, start, ties, order)
    if not reach.keep.any() or not used.size:
        return _nothing(table, reach.findings)
    active = int(np.unique(rows.rater).size)
    sigma_a = 0.0 if active < 3 else spread
    sigma_b = 0.0 if active < 3 or not rows.order else order_spread
    state, sigma, told = fits.settle(rows, at, (sigma_a, sigma_b))
    done = told
    if not told:  # as where the policies hardly differ, or many raters push one of them
        state, sigma, done = fits.settle(rows, at, (0.0, 0.0))
    theta = np.full(table.k, np.nan)
    heard = np.bincount(rows.rater, rows.mass, rows.raters) > 0
    theta[reach.keep] = fits.mean_sharpness(state, heard) * state.x[: rows.k] if done else np.nan
    covariance, units, df, clusters = _rater_error.sandwich(table, used, rows, state, sigma, active >= MANY)
    whole = np.full((table.k, table.k), np.nan)
    whole[np.ix_(reach.keep, reach.keep)] = covariance
    figures = _figures(table, rows, state, sigma)
    notes = (*table.findings, *reach.findings, *_findings(table, rows, figures, active, (told, done), clusters, units))
    if order and not rows.order and np.any(table.first[used]):
        notes = (*notes, _CONFOUNDED)
    return scale.to_points(
        table.policies,
        theta,
        covariance=whole,
        units=units,
        df=df,
        method="ranking.rater_bradley_terry",
        findings=notes,
        figures=figures,
    )


_CONFOUNDED = Finding(
    "order-confounded",
    Severity.WARNING,
    "Which policy was shown first hangs on which policies met: an order effect cannot be told from strength.",
    remedy="Show each pair in both orders; until then the ratings contain the order effect.",
)


def _check(ties: str, *spreads: float | None) -> None:
    if ties not in ("davidson", "half"):
        raise AdjudgeError(f"ties is {ties!r}.", "It is 'davidson' or 'half'.", "Use ties='davidson'.")
    for spread in spreads:
        if spread is not None and not spread >= 0:
            raise AdjudgeError(f"A spread is {spread}.", "σ is a standard deviation, >= 0.", "Leave it out.")


def _rows(table: Comparisons, start: newton.Fit, ties: str, order: bool) -> tuple[IntArray, fits.Rows, FloatArray]:
    """The rows of the fit (their positions, and coded among the rated policies), and where the climb starts."""
    keep = start.keep
    used = np.flatnonzero(table.known & keep[table.left] & keep[table.right])
    code = np.cumsum(keep) - 1
    mass, y = (table.weight * table.count)[used], table.outcome[used]
    hard = np.isin(y, (0.0, 0.5, 1.0)) if ties == "davidson" else np.zeros(used.size, dtype=bool)
    tied = mass * (hard & (y == 0.5))
    law = "davidson" if tied.any() else "bradley-terry"
    rows = fits.Rows(
        code[table.left[used]],
        code[table.right[used]],
        table.rater[used],
        table.first[used],
        mass,
        mass * (y - 0.5),
        tied,
        (~hard).astype(float),
        int(keep.sum()),
        len(table.raters),
        law,
        False,
    )
    rows = replace(rows, order=order and used.size > 0 and fits.told_apart(rows))
    if not rows.order:
        rows = replace(rows, first=np.zeros(used.size))
    at = np.zeros(rows.p)
    at[: rows.k] = start.beta[: table.k][keep]
    if law == "davidson":
        at[rows.k] = start.tie
    return used, rows, at


def _nothing(table: Comparisons, findings: tuple[Finding, ...]) -> Estimate:
    nothing = np.full(table.k, np.nan)
    return scale.to_points(
        table.policies,
        nothing,
        covariance=np.full((table.k, table.k), np.nan),
        units=0,
        method="ranking.rater_bradley_terry",
        findings=(*table.findings, *findings),
    )


def _figures(table: Comparisons, rows: fits.Rows, state: fits.State, sigma: FloatArray) -> dict[str, Estimate]:
    """Sharpness and order effect of every rater with their posterior error."""
    R = rows.raters
    heard = np.bincount(rows.rater, rows.mass, R) > 0
    units, unseen = int(heard.sum()), np.where(np.outer(heard, heard), 1.0, np.nan)
    joint, centre, a = fits.posterior(state), fits.mean_sharpness(state, heard), 1 + state.y[:, 0]
    J = (np.eye(R) - np.outer(a, heard) / (max(units, 1) * centre)) / centre  # of a/mean a
    sharp = Part("posterior", J @ joint[::2, ::2] @ J.T * unseen, units)
    unknown = Part("not worked out", np.full((2, 2), np.nan), 0)
    figures = {
        "raters": Estimate(table.raters, np.where(heard, a / centre, np.nan), (sharp,), np.array(np.inf)),
        "spread": Estimate(("σ_a", "σ_b"), sigma, (unknown,), np.array(np.inf)),
    }
    if rows.order:
        inner = fits.inverse(fits.eliminated(state)[0])
        over = fits.eliminated(state)[1][:, :, 1]
        cross = -(inner[-1] @ over)  # of the mean with each rater's own
        own = joint[1::2, 1::2] + inner[-1, -1] + cross[:, None] + cross
        value = np.where(heard, scale.POINTS * (state.x[-1] + state.y[:, 1]), np.nan)
        part = Part("posterior", scale.POINTS**2 * own * unseen, units)
        figures["order"] = Estimate(table.raters, value, (part,), np.array(np.inf))
        mean = Part("posterior", scale.POINTS**2 * inner[-1:, -1:], units)
        figures["order_mean"] = Estimate(
            ("shown first",), np.array([scale.POINTS * state.x[-1]]), (mean,), np.array(np.inf)
        )
    return figures


def _findings(
    table: Comparisons,
    rows: fits.Rows,
    figures: dict[str, Estimate],
    active: int,
    settled: tuple[bool, bool],
    by_rater: bool,
    units: int,
) -> tuple[Finding, ...]:
    """What stands out about the raters, and about the fit."""
    found = []
    if not settled[1]:
        text = "The fit of ratings and raters did not settle: no ratings are given."
        found.append(Finding("fit-unsettled", Severity.SEVERE, text, remedy="Use ranking.bradley_terry."))
    elif not settled[0]:
        text = "How sharp each rater is did not settle: all are taken as alike, and contrary raters count in full."
        remedy = "Leave out raters who push one policy (data.vote_rigging finds them), or use ranking.bradley_terry."
        found.append(Finding("raters-unsettled", Severity.WARNING, text, remedy=remedy))
    if units < FEW:
        text = f"Only {units} independent clusters: the intervals are too narrow, or there are none."
        found.append(Finding("clusters-few", Severity.WARNING, text, units, FEW, "Ask more raters, on more prompts."))
    if active < 3:
        text = f"{active} rater(s): how sharp they are cannot be told from how far apart the policies are."
        found.append(
            Finding("raters-alike", Severity.INFO, text, active, 3, "Add raters, or use ranking.bradley_terry.")
        )
    elif not by_rater and table.cluster.shape[1] < 2:
        text = f"The intervals are for these {active} raters; other raters may rank otherwise."
        found.append(Finding("raters-fixed", Severity.INFO, text, active, MANY, f"Ask {MANY} raters or more."))
    a, (low, high) = figures["raters"].value, figures["raters"].interval().T
    enough = np.bincount(rows.rater, minlength=rows.raters) >= VOTES
    reversed_, coin = enough & (high < 0), enough & (high >= 0) & (low <= 0) & (a < 0.5)
    for code, severity, who, says in (
        ("raters-reversed", Severity.WARNING, reversed_, "vote against the ratings more often than with them"),
        ("raters-at-chance", Severity.INFO, coin, "do no better than chance"),
    ):
        if who.any():
            names = tuple(table.raters[r] for r in np.flatnonzero(who))
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            remedy = "See whether they swapped the sides or guessed, and leave them out if so."
            found.append(Finding(code, severity, f"{shown} {says}.", float(np.min(a[who])), 0.0, remedy, names))
    return tuple(found)
