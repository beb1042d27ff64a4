"""Blind trials of several policies, succeeded or failed: which pairs are told apart, under one error for all of them.

    Holm: with r pairs open, one is decided when its rule of error (1 − level)/r stops (`two_rates.ladder`); then r − 1
    Bonferroni: r stays the number of pairs            batch: Barnard's p-values, adjusted the same way

Holm (1979), A simple sequentially rejective multiple test procedure. The rules are nested, so a pair that stopped under
a stricter one has stopped under each looser one too, and the procedure holds its error at every moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...core.finding import Finding, Severity
from ...errors import AdjudgeError
from . import barnard, posterior, two_rates
from .letters import letters
from .runs import Runs

CORRECTIONS = ("holm", "bonferroni")


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """What is known of each of J pairs of k policies.

    Arguments:
        index: [J, 2] positions of the two policies.
        decision: [J] 1 the first is better, −1 worse, 0 not told apart by the horizon, NaN open.
        when: [J] trials of each at which it was decided; those seen by both while it is open.
        pvalue: [J] adjusted for all pairs (and, trial by trial, for all looks).
    """

    index: IntArray
    decision: FloatArray
    when: IntArray
    pvalue: FloatArray

    def matrix(self, k: int) -> FloatArray:
        """[k, k] decision of row against column; NaN on the diagonal."""
        table = np.full((k, k), np.nan)
        table[self.index[:, 0], self.index[:, 1]] = self.decision
        table[self.index[:, 1], self.index[:, 0]] = -self.decision
        return table

    def letters(self, order: IntArray) -> tuple[str, ...]:
        """[k] compact letters of the policies in their own order, given out along `order`, best first."""
        k = len(order)
        different: BoolArray = np.abs(np.nan_to_num(self.matrix(k))) > 0.5
        along = letters(different[np.ix_(order, order)])
        found = [""] * k
        for place, p in enumerate(order):
            found[p] = along[place]
        return tuple(found)


def sequential(series: list[FloatArray], index: IntArray, *, trials: int, level: float, correction: str) -> Pairs:
    """Each pair trial by trial, in the order in which the trials were run.

    Arguments:
        series: [k] successes (1) and failures (0) of each policy, in order.
        index: [J, 2] pairs.
        trials: the horizon N of each policy, fixed beforehand.
        level: 1 − the family-wise error.
        correction: `holm` or `bonferroni`.
    """
    J = len(index)
    rules = two_rates.ladder(trials, level, J) if J else ()
    verdicts = [[two_rates.judge(rule, series[a], series[b]) for a, b in index] for _, rule in rules]
    if correction == "bonferroni":
        rules, verdicts = rules[:1], verdicts[:1]
    open_, decided = np.ones(J, dtype=bool), np.zeros(J, dtype=np.int64)
    pvalue, reached = np.full(J, np.nan), 0.0
    while open_.any():
        r = int(open_.sum()) if correction == "holm" else J
        step = max(i for i, (size, _) in enumerate(rules) if size >= r)
        size = rules[step][0]
        adjusted = np.array([size * each.pvalue for each in verdicts[step]])
        found = [open_[j] and abs(verdicts[step][j].decision) == 1 for j in range(J)]
        if not any(found):
            pvalue[open_] = np.minimum(1.0, np.maximum(adjusted[open_], reached))
            decided[open_] = step
            break
        best = min(np.flatnonzero(found), key=lambda j: adjusted[j])
        reached = max(reached, float(adjusted[best]))
        pvalue[best], decided[best], open_[best] = min(1.0, reached), step, False
    final = [verdicts[decided[j]][j] for j in range(J)]
    decision = np.array([each.decision for each in final]).reshape(J)
    return Pairs(index, decision, np.array([each.when for each in final], dtype=np.int64).reshape(J), pvalue)


def batch(series: list[FloatArray], index: IntArray, *, level: float, correction: str) -> Pairs:
    """Each pair once, after all trials, by Barnard's test."""
    J = len(index)
    sums = [(int(one.sum()), one.size) for one in series]
    raw = np.array([barnard.pvalue(*sums[a], *sums[b]) for a, b in index]).reshape(J)
    pvalue = np.minimum(1.0, raw * J)
    if correction == "holm":
        order = np.argsort(raw, kind="stable")
        stepped = np.minimum(1.0, raw[order] * np.arange(J, 0, -1))
        pvalue[order] = np.fmax.accumulate(stepped) if J else stepped
        pvalue[np.isnan(raw)] = np.nan
    gap = np.array([sums[a][0] / max(sums[a][1], 1) - sums[b][0] / max(sums[b][1], 1) for a, b in index]).reshape(J)
    decision = np.where(np.isnan(pvalue), np.nan, np.where(pvalue <= 1 - level, np.sign(gap), 0.0))
    seen = np.array([min(sums[a][1], sums[b][1]) for a, b in index], dtype=np.int64).reshape(J)
    return Pairs(index, decision, seen, pvalue)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Trials that have been judged.

    Arguments:
        runs: successes and failures by policy and condition, in order.
        series: [k] those of each policy, over all conditions.
        pairs: what is decided.
        letters: [k] compact letters.
        trials: the horizon.
        prior: c of the Beta prior.
        findings: what to distrust.
    """

    runs: Runs
    series: list[FloatArray]
    pairs: Pairs
    letters: tuple[str, ...]
    trials: int
    prior: float
    findings: tuple[Finding, ...]

    @property
    def sums(self) -> tuple[FloatArray, FloatArray]:
        """[k] successes and [k] trials."""
        return np.array([one.sum() for one in self.series]), np.array([float(one.size) for one in self.series])

    @property
    def names(self) -> tuple[str, ...]:
        """[J] the pairs, such as `a − b`."""
        return tuple(f"{self.runs.agents[a]} − {self.runs.agents[b]}" for a, b in self.pairs.index)


def judge(
    runs: Runs,
    *,
    trials: int | None = None,
    level: float = 0.95,
    looks: bool = True,
    correction: str = "holm",
    prior: str = "jeffreys",
) -> Judged:
    """Decide what the trials so far decide.

    Arguments:
        runs: successes (1) and failures (0) by policy and condition.
        trials, level, correction, prior: as in `ranking.blind_trials.rank`.
        looks: whether to look after each trial, or once.

    Errors: scores other than 0 and 1, an unknown correction or prior, a level outside (0, 1), too long a horizon.
    """
    _refuse(runs, level, correction, prior)
    k = len(runs.agents)
    series = [_interleaved(runs, p) for p in range(k)]
    index = np.column_stack(np.triu_indices(k, 1))
    index = index[[bool(series[a].size and series[b].size) for a, b in index]] if len(index) else index
    most = max((one.size for one in series), default=0)
    horizon = max(50, most) if trials is None else trials
    findings = list(runs.findings)
    if looks:
        pairs = sequential(series, index, trials=horizon, level=level, correction=correction)
        findings += _horizon(trials, most)
    else:
        pairs = batch(series, index, level=level, correction=correction)
    rate = np.array([one.mean() if one.size else -1.0 for one in series])
    order: IntArray = np.argsort(-rate, kind="stable")
    return Judged(runs, series, pairs, pairs.letters(order), horizon, posterior.PRIORS[prior], tuple(findings))


def _interleaved(judged: Runs, p: int) -> FloatArray:
    """[n] all trials of a policy in the order in which they were run, whatever their condition."""
    cells = range(p, len(judged.values), len(judged.agents))
    values = np.concatenate([judged.values[cell] for cell in cells])
    return values[np.argsort(np.concatenate([judged.order[cell] for cell in cells]), kind="stable")]


def _refuse(runs: Runs, level: float, correction: str, prior: str) -> None:
    if any(one.size for one in runs.values) and not runs.binary:
        raise AdjudgeError(
            "blind_trials: some trials are neither 0 nor 1 (rows of one policy, condition and cluster are one trial).",
            "A trial succeeds (1) or fails (0).",
            "Name the column of successes with metric=…, or use ranking.adastop for returns.",
        )
    if correction not in CORRECTIONS or prior not in posterior.PRIORS or not 0 < level < 1:
        raise AdjudgeError(
            f"blind_trials: correction {correction!r}, prior {prior!r}, level {level:g}.",
            f"One of {', '.join(CORRECTIONS)}; one of {', '.join(posterior.PRIORS)}; a level in (0, 1).",
            "Name such ones.",
        )


def _horizon(trials: int | None, most: int) -> list[Finding]:
    if trials is None:
        return [
            Finding(
                "horizon-assumed",
                Severity.WARNING if most > 50 else Severity.INFO,  # a horizon that grows with the trials errs twice
                f"No horizon was given, so {max(50, most)} trials of each policy were taken as planned.",
                max(50, most),
                remedy="Fix the number of trials before the first one, and name it: chosen afterwards, it adds error.",
            )
        ]
    if most <= trials:
        return []
    return [
        Finding(
            "trials-beyond-horizon",
            Severity.WARNING,
            f"Up to {most} trials of a policy were run, and {trials} planned: those beyond are in no decision.",
            most,
            trials,
            "Plan a new comparison for them.",
        )
    ]
