"""Has preference training gone past its best, as seen from likelihoods alone, without gold?

    mean log π(y_w), log π(y_l), margin;      top-k entropy H and mass M at each step
    stop at the first step j with H_i > H_j and M_i > M_j for some step i < j, both beyond noise; go back to such an i
    where they are measured: the same for a win rate W_i > W_j, and what diversity lost since the first step

A policy that grows surer spends less entropy on more mass: entropy falls, mass rises. When both fall, probability has
left the likely tokens for unlikely ones, and quality with it. A higher likelihood of chosen responses, or a wider
margin, is no sign of quality by itself: both go on rising, or falling, past the best step. Win rates against a fixed
policy say so outright where they can be had, and the figures `win` and `chosen` are the curve of one against the other.

Shi, Land, Locatelli et al. (2024). Limits: without a fall of both nothing is said; each pair of steps is
tested at (1 − level)/pairs, so that a run without change is stopped in at most 1 − level of cases.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import overoptimisation as laws
from ..tables.likelihood_curve import LikelihoodCurve
from ..tables.proxy_curve import ProxyCurve

MOST = 100  # steps: all pairs of them are compared

CARD = Card(
    answers="Has preference training gone past its best, as seen from likelihoods alone?",
    equation="stop at the first j with H_i > H_j and M_i > M_j, i < j, beyond noise  (top-k entropy and mass)",
    papers=(
        Paper(
            "Understanding Likelihood Over-optimisation in Direct Alignment Algorithms",
            "Shi, Land, Locatelli et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2410.11677",
        ),
    ),
    needs=("step", "chosen", "rejected", "entropy", "mass", "prompt"),
    assumes=("Prompts are independent; each step is measured on the same prompts, or on like ones.",),
    limits=(
        "It is a sign and no measure of quality: where gold can be had, monitor.overoptimisation is the better watch.",
        "A policy that collapses onto a few favourites raises mass: entropy and mass never stopped claim 95's runs.",
        "Diversity falls in good training too, so that its fall is told and stops nothing.",
    ),
    when="During DPO, IPO and kin, each few dozen steps; stats.top_k and stats.diversity give columns.",
    rows=(95,),
)


def watch(table: LikelihoodCurve, *, level: float = 0.95) -> Audit:
    """Findings on a training run, and the figures that they rest on.

    Arguments:
        table: the run; at most 100 steps.
        level: 1 − the rate at which a run without change may be stopped, in (0, 1); coverage of intervals.

    Errors: a level outside (0, 1); more than 100 steps.

    Returns findings, and the figures `chosen`, `rejected`, `margin`, `entropy` and `mass`, with `diversity` and `win`
    where the table has them: the mean of each step.

    >>> prompt, step = np.divmod(np.arange(4 * 31), 4)
    >>> noise = 0.01 * np.random.default_rng(0).normal(size=step.size)
    >>> entropy, mass = np.array([2, 1.5, 1.2, 1.0])[step] + noise, np.array([0.8, 0.9, 0.85, 0.7])[step] + noise
    >>> run = LikelihoodCurve(step, -2.0 - 0.1 * step + noise, -3.0 - step + noise, entropy, mass, prompt)
    >>> [finding.code for finding in watch(run).findings]
    ['entropy-and-mass-fall', 'both-likelihoods-fall']
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"likelihood: level {level}.", "0 < level < 1.", "Change it.")
    if table.steps > MOST:
        raise AdjudgeError(
            f"likelihood: {table.steps} steps.", f"At most {MOST}.", "Keep each second step, or each tenth."
        )
    columns = {
        "chosen": table.chosen,
        "rejected": table.rejected,
        "margin": table.chosen - table.rejected,
        "entropy": table.entropy,
        "mass": table.mass,
    }
    columns |= {name: column for name in ("diversity", "win") if (column := getattr(table, name)) is not None}
    figures = {name: _means(table, column) for name, column in columns.items()}
    found = (*_stop(figures, level), *_beaten(figures, level), *_fall(figures, level), *_narrowed(figures, level))
    return Audit(found, figures)


def _means(table: LikelihoodCurve, column: FloatArray) -> Estimate:
    """Mean of each step over prompts."""
    rows = np.ones(column.size)
    curve = ProxyCurve(table.step, 0 * rows, column, column, rows, table.prompt)
    return laws.means(curve, column, method="monitor.likelihood")


def _stop(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """The first step at which entropy and mass are both below those of an earlier one."""
    entropy, mass = figures["entropy"], figures["mass"]
    at, best = _lower((entropy, mass), level)
    if at < 0:
        return []
    text = (
        f"From step {best} to step {at} top-k entropy fell from {entropy.value[best]:.3g} to {entropy.value[at]:.3g}, "
        f"and top-k mass from {mass.value[best]:.3g} to {mass.value[at]:.3g}: probability leaves the likely tokens."
    )
    remedy = f"Stop, and compare responses of step {best} with later ones by gold."
    return [Finding("entropy-and-mass-fall", Severity.SEVERE, text, float(at), float(best), remedy)]


def _beaten(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """The first step at which the win rate is below that of an earlier one."""
    win = figures.get("win")
    at, best = (-1, -1) if win is None else _lower((win,), level)
    if win is None or at < 0:
        return []
    chosen, margin = (figures[name].value[at] - figures[name].value[best] for name in ("chosen", "margin"))
    text = (
        f"From step {best} to step {at} the win rate fell from {100 * win.value[best]:.0f} % to "
        f"{100 * win.value[at]:.0f} %, while the margin changed by {margin:+.3g} and the "
        f"likelihood of chosen responses by {chosen:+.3g}."
    )
    remedy = f"Stop, and go back to step {best}; margin and likelihood do not say where quality peaks."
    return [Finding("win-rate-falls", Severity.SEVERE, text, float(at), float(best), remedy)]


def _lower(figures: tuple[Estimate, ...], level: float) -> tuple[int, int]:
    """(first step at which all figures are below those of one earlier step, the best such step); (−1, −1) for none."""
    left, right = np.triu_indices(len(figures[0].names), 1)
    if not left.size:
        return -1, -1
    each = 1 - (1 - level) / left.size
    fell = np.all([figure.differences().interval(each)[:, 0] > 0 for figure in figures], axis=0)
    if not fell.any():
        return -1, -1
    at = int(right[fell].min())
    earlier = left[fell & (right == at)]
    return at, int(earlier[np.argmax(figures[-1].value[earlier])])


def _narrowed(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Responses to a prompt are less unlike at the last step than at the first."""
    spread = figures.get("diversity")
    if spread is None or len(spread.names) < 2:
        return []
    since = spread.difference(spread.names[-1], spread.names[0])
    if not since.interval(level)[0, 1] < 0:
        return []
    text = f"Responses to a prompt grew alike: diversity fell from {spread.value[0]:.3g} to {spread.value[-1]:.3g}."
    remedy = "Expected of a policy that learns; read some, and price the KL higher if they are all one."
    return [Finding("diversity-falls", Severity.INFO, text, float(spread.value[-1]), float(spread.value[0]), remedy)]


def _fall(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Chosen and rejected responses both grew less likely since the first step, while the margin rose."""
    chosen, rejected, margin = (figures[name] for name in ("chosen", "rejected", "margin"))
    last = len(chosen.names) - 1
    if last == 0:
        return []
    since = [figure.difference(figure.names[last], figure.names[0]) for figure in (chosen, rejected, margin)]
    (_, one), (_, two), (three, _) = (change.interval(level)[0] for change in since)
    if not (one < 0 and two < 0 and three > 0):
        return []
    text = (
        f"Since the first step chosen responses lost {-since[0].value[0]:.3g} nats a token and rejected ones "
        f"{-since[1].value[0]:.3g}: the margin rose by {since[2].value[0]:.3g} because both fell."
    )
    remedy = "Read what the policy writes now; add a likelihood term on chosen responses, or stop earlier."
    return [Finding("both-likelihoods-fall", Severity.WARNING, text, float(since[0].value[0]), 0.0, remedy)]
