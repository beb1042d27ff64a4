"""What did a trial find whose arms were redrawn until they were balanced? Tested by the draws it could have had.

    M(w) = (n₁n₀/n) (x̄₁ − x̄₀)ᵀ S⁻¹ (x̄₁ − x̄₀) <= a                      the accept rule, a the p_a-quantile of M
    effect = ȳ₁ − ȳ₀,     p(τ) = #{w accepted : |D_w(y − τw°)| >= |effect − τ|} / #accepted
    fiducial interval = {τ : p(τ) > 1 − level}                             w° the trial's own assignment

An ordinary standard error ignores that unbalanced draws were refused: it is too wide, and where few draws are accepted
it is too sure. Here the error is the spread of the difference of means over the accepted draws, and the degrees of
freedom are as few as make the estimate's own interval hold the fiducial one at `level`.

Morgan, Rubin (2012); Jerzak, Goldstein (2023), arXiv:2310.00861. `stats.rerandomisation.accept` makes the set and
`.draw` the assignment before the trial; `stats.rerandomisation_power.choose` says how strict to be.
Limits: threshold inf is Fisher's randomisation test; fewer than 1/(1 − level) accepted draws: no bounded interval.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import optimize, special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import randomisation_test, rerandomisation
from ..stats.certain import never_certain
from ..stats.rerandomisation import Accepted
from ..tables.rerandomised_trial import RerandomisedTrial

CARD = Card(
    answers="What is the effect in a trial whose arms were drawn again until they were balanced, and how sure is it?",
    equation="effect = ȳ₁ − ȳ₀,  p(τ) = #{w accepted : |D_w(y − τw°)| >= |effect − τ|} / #accepted",
    papers=(
        Paper(
            "Degrees of Randomness in Rerandomization Procedures",
            "Jerzak, Goldstein",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2310.00861",
            equation="randomisation test, fiducial interval and choice of the acceptance probability",
        ),
        Paper(
            "Rerandomization to improve covariate balance in experiments",
            "Morgan, Rubin",
            2012,
            "Annals of Statistics",
            "https://doi.org/10.1214/12-AOS1008",
            equation="accept rule",
        ),
    ),
    needs=("covariates", "assignment", "outcome", "threshold"),
    assumes=(
        "the assignment was drawn from all those with M at or below the threshold, each as likely",
        "an outcome depends on the unit's own arm alone",
        "the effect is the same for all units: exact then, and an approximation otherwise",
    ),
    limits=(
        "threshold inf: Fisher's randomisation test",
        "a threshold that few assignments pass: no p-value below 1/#accepted, and unbounded intervals",
        "arms of unlike size whose effects differ from unit to unit: the interval can be too narrow",
        "arms of unlike size and a strict rule: the difference of means is biased a little",
    ),
    when="After a small trial that was balanced by redrawing. Before it, stats.rerandomisation_power.choose. For a "
    "trial of policies that share a budget, value.reshuffled_trial.",
    rows=(202,),
)
NAME = "value.rerandomised"


def estimate(trial: RerandomisedTrial, *, level: float = 0.95, draws: int = 4999, seed: int = 0) -> Estimate:
    """Difference in mean outcome, treated less others, with the error that the accepted assignments give it.

    At `level` the estimate's interval holds the exact fiducial one and touches it on the longer side, unless a normal
    error is wider already; at other levels it is of the same shape, and exact only by asking for that level.
    Figures: `fiducial`, its exact ends (NaN where unbounded); `test`, the exact p-value of no effect and the smallest
    that could have come out; `design`, the accepted share and the trial's own imbalance.

    Arguments:
        trial: covariates, assignment, outcome, and the threshold of the accept rule.
        level: of the fiducial interval, in (0, 1).
        draws: accepted assignments to sample where there are too many to look at all.
        seed: of the sample.

    Errors: level outside (0, 1); a trial less balanced than its own rule accepts; what `accept` refuses.

    >>> from adjudge.stats.rerandomisation import accept
    >>> from adjudge.tables.rerandomised_trial import rerandomised_trial
    >>> x = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    >>> design = accept(x, probability=0.5)
    >>> w = design.draw(seed=1)
    >>> found = estimate(rerandomised_trial(x, w, x + 5 * w, threshold=design.threshold))
    >>> found.value.round(1), found.figures["test"].value.round(3)
    (array([5.2]), array([0.014, 0.014]))
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"level is {level:g}.", "A number in (0, 1).", "Use level=0.95.")
    accepted, own = _accepted(trial, draws, seed)
    columns = np.column_stack([trial.outcome, trial.assignment.astype(float)])
    gaps, overlap = rerandomisation.mean_gaps(accepted.assignments, columns).T
    effect = float(rerandomisation.mean_gaps(trial.assignment[None], columns)[0, 0])
    low, high = randomisation_test.stretches(gaps, overlap, np.array(effect))
    ends = np.array(randomisation_test.fiducial(low, high, level=level))
    p = float(randomisation_test.pvalue(low, high))
    stderr, df = _matched(float(np.sqrt(np.mean((gaps - effect * overlap) ** 2))), np.abs(ends - effect).max(), level)
    least = accepted.least_pvalue if accepted.whole else 1 / accepted.assignments.shape[0]
    figures = {
        "fiducial": _figure(("low", "high"), np.where(np.isfinite(ends), ends, np.nan)),
        "test": _figure(("p-value", "least p-value"), np.array([p, least])),
        "design": _figure(("accepted share", "imbalance"), np.array([accepted.probability, own])),
    }
    part = Part("assignment", np.array([[stderr**2]]), trial.outcome.size)
    told, value = tuple(_findings(accepted, least, level)), np.array([effect])
    return never_certain(
        Estimate(("effect",), value, (part,), np.array([df]), method=NAME, findings=told, figures=figures)
    )


def _accepted(trial: RerandomisedTrial, draws: int, seed: int) -> tuple[Accepted, float]:
    """The accepted set, the trial's own assignment among it, and its imbalance."""
    white = rerandomisation.whitened(trial.covariates)
    own = float(rerandomisation.imbalance(white, trial.assignment[None])[0])
    if own > trial.threshold + 1e-9:
        raise AdjudgeError(
            f"trial: its own assignment has an imbalance of {own:g}, above the threshold of {trial.threshold:g}.",
            "An assignment that the rule accepts: the test compares it with others that the rule accepts.",
            "Give the covariates and the threshold that the arms were drawn with, or threshold=inf if they were not.",
        )
    bar, treated = max(trial.threshold, own), int(trial.assignment.sum())
    found = rerandomisation.accept(trial.covariates, threshold=bar, treated=treated, draws=draws, seed=seed)
    if found.whole:
        return found, own
    rows = np.concatenate([trial.assignment[None], found.assignments])
    return Accepted(rows, found.threshold, found.probability, False), own


def _matched(spread: float, reach: float, level: float) -> tuple[float, float]:
    """Standard error and degrees of freedom whose interval at `level` reaches as far as the fiducial one."""
    if not np.isfinite(reach) or spread <= 0:
        return (np.nan if not np.isfinite(reach) else 0.0), 1.0
    wanted = reach / spread

    def quantile(df: float) -> float:
        return float(-special.stdtrit(df, (1 - level) / 2))

    if wanted <= quantile(1e6):
        return spread, np.inf
    if wanted >= quantile(1.0):
        return reach / quantile(1.0), 1.0
    return spread, float(optimize.brentq(lambda df: quantile(df) - wanted, 1.0, 1e6))


def _figure(names: tuple[str, ...], value: FloatArray) -> Estimate:
    """Exact numbers, without an error of their own."""
    k = len(names)
    return Estimate(names, value, (Part("exact", np.zeros((k, k)), 0),), np.full(k, np.inf), method=NAME)


def _findings(accepted: Accepted, least: float, level: float) -> Iterator[Finding]:
    """A rule so strict that the trial could not have shown anything; a sample too small to say."""
    if least > 1 - level + randomisation_test.SAME:
        yield Finding(
            "test-cannot-reject",
            Severity.SEVERE,
            f"Only {accepted.count:.0f} assignments were acceptable, so no p-value below {least:.2g} could come out "
            f"and no effect can be excluded at {100 * level:.0f} %.",
            least,
            1 - level,
            "Accept more: stats.rerandomisation_power.choose says how many before the next trial.",
        )
    elif not accepted.whole and accepted.assignments.shape[0] < 20 / (1 - level):
        yield Finding(
            "few-draws",
            Severity.WARNING,
            f"The test rests on {accepted.assignments.shape[0]} accepted assignments out of many more.",
            float(accepted.assignments.shape[0]),
            20 / (1 - level),
            "Raise draws.",
        )
