"""Ratings that know how sure they are: a normal belief about each policy, brought up to date period by period.

    1/RD'² = 1/RD² + 1/d²,   r' = r + q RD'² Σ_j g(RD_j)(s_j − E_j),   1/d² = q² Σ_j g(RD_j)² E_j(1 − E_j)
    q = ln 10/400,   g(RD) = 1/√(1 + 3q²RD²/π²),   E_j = 1/(1 + 10^{−g(RD_j)(r − r_j)/400}),   RD² + c² between periods

Glicko-2 (`volatility`) lets the growth differ by policy: a policy whose results are more erratic than its deviation
explains gets a larger volatility σ, and φ² grows by σ² instead of c². All comparisons of one period are seen at once.
A row whose count exceeds `games` has no place in time of its own: its comparisons are spread evenly over the periods.

Glickman (1999), Parameter estimation in large dynamic paired comparison experiments; Glickman (2001) for Glicko-2.
Limits: c = 0 and short periods come near the posterior of a Bradley-Terry model with a normal prior, without its
correlations; a policy that never played keeps its prior and is given no rating here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons
from . import _votes
from ._votes import Votes

CARD = Card(
    answers="Who is best now, and how sure can we be of each policy, when strength may drift from period to period?",
    equation="1/RD'² = 1/RD² + 1/d²,  r' = r + q RD'² Σ_j g(RD_j)(s_j − E_j),  RD² + c² between periods",
    papers=(
        Paper(
            "Parameter estimation in large dynamic paired comparison experiments",
            "Glickman",
            1999,
            "Applied Statistics 48(3)",
            "https://doi.org/10.1111/1467-9876.00159",
            "Eqs. 7-10",
        ),
        Paper(
            "Dynamic paired comparison models with stochastic variances",
            "Glickman",
            2001,
            "Journal of Applied Statistics 28(6)",
            "https://doi.org/10.1080/02664760120059219",
        ),
    ),
    needs=("left", "right", "outcome", "time"),
    assumes=(
        "Each comparison is independent of the others given the strengths: clusters of prompts or raters are ignored.",
        "Strength moves as a random walk, alike for all (Glicko) or by a volatility of its own (Glicko-2).",
        "A tie is half a win.",
    ),
    limits=(
        "The deviations are of each policy's distance from the others, without how two errors hang together; the "
        "common level is a convention that no comparison can check. Such intervals hold the distance from the mean "
        "88 to 98 % of the time at nominal 95 %, in worlds that obey the model.",
        "Few long periods treat many comparisons in a single step from old ratings and understate large differences.",
        "No growth and endless comparisons freeze the ratings.",
    ),
    when="To follow policies that change, with an uncertainty that grows while they rest; for a fixed set of policies "
    "and clustered votes, ranking.bradley_terry.",
    unit="Glicko points",
)

Q = np.log(10) / 400
GAMES = 15.0  # comparisons of a policy in a period; Glickman advises 5 to 10 for Glicko and 10 to 15 for Glicko-2
MOST_GAMES = 100.0  # comparisons of one policy in one period before a finding
MOST_SUMMARY = 200  # periods of a table of summaries, which have no place in time
STEPS = 100  # halvings of the bracket of a volatility


def rank(
    table: Comparisons,
    *,
    period: float | None = None,
    games: float = GAMES,
    growth: float = 0.0,
    volatility: float | None = None,
    reversion: float = 0.5,
    initial: float = 1500.0,
    deviation: float = 350.0,
) -> Estimate:
    """Glicko ratings, or Glicko-2 where a `volatility` is given, after the last period.

    Arguments:
        table: votes; a policy that never played gets NaN; a finding says where only the prior ties groups together.
        period: length of a rating period in the unit of `time`; None makes periods of equally many comparisons.
        games: comparisons per policy and period, on average, where `period` is None.
        growth: c, points that the deviation grows by (in squares) from one period to the next; 0 for fixed policies.
        volatility: σ to start from, such as 0.06; None is Glicko.
        reversion: τ of Glicko-2, how freely the volatility moves, 0.3 to 1.2.
        initial: rating to start from.
        deviation: RD to start from, and its most ever after.

    Raises:
        AdjudgeError: a length, spread or growth that makes no sense.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> result = rank(from_arrays(np.array([0]), np.array([1]), np.array([1.0])))
    >>> result.value.round(1), result.stderr.round(1)
    (array([1662.2, 1337.8]), array([290.2, 290.2]))
    """
    _check(period, games, growth, volatility, reversion, deviation)
    votes, notes = _votes.gather(table)
    _, more = _votes.network(votes)
    played = votes.per_policy(votes.count) > 0
    r, rd, sigma = np.full(votes.k, initial), np.full(votes.k, deviation), np.full(votes.k, volatility or 0.0)
    votes = _singly(votes, games)
    code, periods = _periods(votes, table.time[votes.position], table.row[votes.position], period, games)
    spread = votes.take(code < 0)
    mass = spread.mass / max(periods, 1)
    order = np.argsort(code, kind="stable")
    alone, edges = votes.take(order), np.searchsorted(code[order], np.arange(periods + 1))
    for t in range(periods):
        rows = alone.take(np.arange(edges[t], edges[t + 1]))
        if t and not volatility:
            rd = np.minimum(np.hypot(rd, growth), deviation)
        r, rd, sigma = update(
            r,
            rd,
            np.concatenate([rows.left, spread.left]),
            np.concatenate([rows.right, spread.right]),
            np.concatenate([rows.outcome, spread.outcome]),
            np.concatenate([rows.mass, mass]),
            sigma=sigma if volatility else None,
            reversion=reversion,
        )
        rd = np.minimum(rd, deviation)
    figures = {"volatility": _volatilities(votes, sigma, played)} if volatility else {}
    return Estimate(
        names=votes.policies,
        value=np.where(played, r, np.nan),
        parts=(Part("posterior", np.diag(np.where(played, rd**2, np.nan)), int(votes.count.sum())),),
        df=np.full(votes.k, np.inf),
        method="ranking.glicko",
        findings=(*notes, *(_by_prior(finding) for finding in more), *_findings(votes, periods)),
        figures=figures,
    )


def update(
    r: FloatArray,
    rd: FloatArray,
    left: IntArray,
    right: IntArray,
    outcome: FloatArray,
    mass: FloatArray,
    *,
    sigma: FloatArray | None = None,
    reversion: float = 0.5,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One rating period: ratings, deviations and volatilities [k] after it.

    Arguments:
        r, rd: [k] ratings and deviations before it; for Glicko, after the growth between periods.
        left, right, outcome: [n] comparisons of the period.
        mass: [n] how many each stands for.
        sigma: [k] volatilities for Glicko-2, which grows the deviation itself, by the new volatility; None for Glicko.
        reversion: τ.
    """
    k = r.size
    who, met = np.concatenate([left, right]), np.concatenate([right, left])
    score, m = np.concatenate([outcome, 1 - outcome]), np.concatenate([mass, mass])
    g = 1 / np.sqrt(1 + 3 * (Q * rd[met] / np.pi) ** 2)
    expected = special.expit(Q * g * (r[who] - r[met]))
    told = Q**2 * np.bincount(who, weights=m * g**2 * expected * (1 - expected), minlength=k)  # 1/d²
    pull = Q * np.bincount(who, weights=m * g * (score - expected), minlength=k)
    variance, new = rd**2, np.zeros(k)
    if sigma is not None:
        new, met_any = sigma.copy(), told > 0
        new[met_any] = _volatility(
            sigma[met_any],
            (Q * rd[met_any]) ** 2,
            Q**2 / told[met_any],
            Q * pull[met_any] / told[met_any],
            reversion,
        )
        variance = variance + (new / Q) ** 2
    after = 1 / (1 / variance + told)
    return r + after * pull, np.sqrt(after), new


def _volatility(sigma: FloatArray, phi2: FloatArray, v: FloatArray, delta: FloatArray, reversion: float) -> FloatArray:
    """The mode of the volatility given the period's results (step 5 of Glickman's description), by bisection.

    e^x (Δ² − φ² − v − e^x) / 2(φ² + v + e^x)² = (x − ln σ²)/τ²,      σ'² = e^x; the left side is at least −½ and is
    negative above ln(Δ² − φ² − v), which brackets the root.
    """
    start = np.log(sigma**2)
    over = delta**2 - phi2 - v
    low = start - reversion**2 / 2
    high = np.maximum(start, np.log(np.maximum(over, 1e-300)))
    for _ in range(STEPS):
        x = (low + high) / 2
        e = np.exp(x)
        above = e * (over - e) / (2 * (phi2 + v + e) ** 2) > (x - start) / reversion**2
        low, high = np.where(above, x, low), np.where(above, high, x)
    return np.exp((low + high) / 4)


def _check(
    period: float | None, games: float, growth: float, volatility: float | None, reversion: float, deviation: float
) -> None:
    sound = (period is None or period > 0) and games > 0 and growth >= 0 and deviation > 0 and reversion > 0
    if not (sound and (volatility is None or volatility > 0)):
        raise AdjudgeError(
            f"glicko: period {period}, games {games}, growth {growth}, volatility {volatility}, reversion {reversion}, "
            f"deviation {deviation}.",
            "Lengths, spreads and the volatility are > 0, growth is >= 0.",
            "Leave them out, or correct the one that is not.",
        )


def _periods(votes: Votes, time: FloatArray, row: IntArray, period: float | None, games: float) -> tuple[IntArray, int]:
    """[n] rating period of each row, −1 for those that are spread over all, and how many periods there are."""
    if votes.left.size == 0:
        return np.zeros(0, dtype=np.int64), 0
    together = votes.count > 1
    if period is not None:
        code = np.floor((time - time.min()) / period).astype(np.int64)
        return np.where(together, -1, code), int(code.max()) + 1
    active = max(int((votes.per_policy(votes.count) > 0).sum()), 1)
    total = float(votes.count.sum())
    periods = max(1, round(2 * total / active / games))
    if float(votes.count[together].sum()) > total / 2:
        periods = min(periods, MOST_SUMMARY)
    order = np.lexsort((row, time))
    code = np.empty(votes.left.size, dtype=np.int64)
    single = np.where(together, 0.0, votes.count)[order]
    before = (np.cumsum(single) - single) / max(float(single.sum()), 1e-300)
    code[order] = np.minimum((before * periods).astype(np.int64), periods - 1)
    return np.where(together, -1, code), periods


def _singly(votes: Votes, games: float) -> Votes:
    """A row of count c as c rows, unless c exceeds `games`: that row is a summary and has no place in time."""
    times = np.where(votes.count > games, 1, np.ceil(votes.count - 1e-9)).astype(np.int64)
    rows = np.repeat(np.arange(times.size), times)
    out = votes.take(rows)
    return replace(out, count=out.count / times[rows])


def _volatilities(votes: Votes, sigma: FloatArray, played: BoolArray) -> Estimate:
    """Glicko-2's volatilities, whose own error the method does not give."""
    unknown = Part("posterior", np.full((votes.k, votes.k), np.nan), 0)
    return Estimate(votes.policies, np.where(played, sigma, np.nan), (unknown,), np.full(votes.k, np.inf))


def _by_prior(finding: Finding) -> Finding:
    """A finding of `_votes.network`, said of a method whose prior rates every group."""
    if finding.code != "policies-unconnected":
        return finding
    return replace(
        finding,
        message=finding.message.replace("no rating compares them, and none is given", "only the prior compares them"),
    )


def _findings(votes: Votes, periods: int) -> list[Finding]:
    """What the deviations leave out."""
    found = []
    clusters = min((np.unique(column).size for column in votes.cluster.T), default=votes.left.size)
    if clusters < votes.left.size:
        found.append(
            Finding(
                "clusters-ignored",
                Severity.WARNING,
                f"{votes.left.size:,} comparisons lie in {clusters:,} clusters, and Glicko takes each as "
                "independent: its deviations are too small.",
                float(clusters),
                float(votes.left.size),
                "Use ranking.bradley_terry, whose errors are clustered.",
            )
        )
    busiest = float(votes.per_policy(votes.count).max(initial=0.0)) / max(periods, 1)
    if busiest > MOST_GAMES:
        found.append(
            Finding(
                "periods-too-long",
                Severity.WARNING,
                f"A policy has {busiest:,.0f} comparisons in a period, all judged by the ratings before it.",
                busiest,
                MOST_GAMES,
                "Make the periods shorter (`games` or `period`).",
            )
        )
    return found
