"""Runs MMMT-IF: does a model still follow the instructions that were spread over a long conversation?

    PIF       = mean over samples and responses of (instructions followed)/(instructions in force)
    PIF-N-K   = share of samples of which at least K of N responses follow all instructions
    self_j    = mean (judge j − PIF) on models of its own family − the same on others

A sample is a turn of a conversation, answered N times. JSON lines of `conversation`, `turn` (from 1), `model`,
`responses` (a list; or `response`) with `instructions` (those in force, as `stats.instruction_checks` has them, or with
their `turn`), or instead the finished `pif` of each response; and, where there are any, `human` (0 to 1) and `judges`
(name → score from 0 to 1). The paper fixes no file format: this is the suite's own. Errors are by conversation.

Epstein, Yao, Li et al. (2024), §3 and §5. Limits: K = 1 is the best of N, K = N asks for robustness; with N = 1
both are the share of perfect answers; samples without an instruction in force say nothing and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.concordance import jointly
from ..stats.power import POWER, detectable
from ..stats.rank_correlation import Told, pearson, spearman
from ..stats.scored_means import scored_means
from ._mmmt_if_file import Row, read

METHOD = "suites.mmmt_if"
MATTERS = 0.05  # a self-bias that a powerful check should see

CARD = Card(
    answers="Does a model still follow the instructions that were spread over a long conversation?",
    equation="PIF = mean share of instructions followed;   PIF-N-K = share of samples with ≥ K of N at PIF = 1",
    papers=(
        Paper(
            "MMMT-IF: A Challenging Multimodal Multi-Turn Instruction Following Benchmark",
            "Epstein, Yao, Li et al.",
            2024,
            "arXiv:2409.18216",
            "https://arxiv.org/abs/2409.18216",
            "§3",
        ),
    ),
    needs=("conversation", "turn", "model", "responses", "instructions"),
    assumes=("Conversations are independent; all instructions can be checked by form.",),
    limits=(
        "Later turns have more instructions: a fall mixes forgetting with having more to follow.",
        "Self-bias compares a judge's errors on its own family with those on others, whose answers differ in quality.",
    ),
    when="Long chats with rules of form, and to see whether a judge is kinder to its own family than code is.",
    unit="share of instructions followed",
    rows=(70,),
)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Checked responses; n samples, N responses, J judges.

    Arguments:
        conversations, models, judges: names.
        conversation, model, turn: [n] codes, and turns from 1.
        pif: [n, N] share of instructions followed by each response; NaN where there is none.
        human: [n] rating from 0 to 1; NaN where there is none.
        judged: [n, J] scores from 0 to 1; NaN where there is none.
    """

    conversations: tuple[str, ...]
    models: tuple[str, ...]
    judges: tuple[str, ...]
    conversation: IntArray
    model: IntArray
    turn: IntArray
    pif: FloatArray
    human: FloatArray
    judged: FloatArray

    @property
    def mean(self) -> FloatArray:
        """[n] mean PIF of the responses; NaN where none has one."""
        given = np.isfinite(self.pif).sum(axis=1)
        out = np.full(given.size, np.nan)
        return np.divide(np.nansum(self.pif, axis=1), given, out=out, where=given > 0)


def load(path: Path | str) -> Answers:
    """The samples of a file.

    Errors: no such fields; an instruction that is none; responses without text; numbers outside 0 to 1.
    """
    return answers(read(Path(path)))


def answers(rows: list[Row]) -> Answers:
    """The table from rows (conversation, turn, model, PIF of each response, human, judge → score).

    Errors: no row.
    """
    if not rows:
        raise AdjudgeError("mmmt_if: there is no sample.", "One or more.", "Check answers first.")
    conversations, models = (tuple(dict.fromkeys(str(row[at]) for row in rows)) for at in (0, 2))
    judges = tuple(dict.fromkeys(name for row in rows for name in row[5]))
    held = {name: at for at, name in enumerate(conversations)}
    N = max(len(row[3]) for row in rows)
    return Answers(
        conversations,
        models,
        judges,
        np.array([held[row[0]] for row in rows]),
        np.array([models.index(row[2]) for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([[*row[3], *[np.nan] * (N - len(row[3]))] for row in rows], dtype=float).reshape(-1, N),
        np.array([row[4] for row in rows], dtype=float),
        np.array([[row[5].get(name, np.nan) for name in judges] for row in rows], dtype=float).reshape(len(rows), -1),
    )


def score(answers: Answers, *, families: Mapping[str, str] | None = None, level: float = 0.95) -> Estimate:
    """Mean PIF by model.

    Arguments:
        answers: of `load`.
        families: family of each judge and model by name; the letters that a name begins with where it is not given.
        level: 1 − the chance of false findings, in (0, 1).

    Errors: a level outside (0, 1); no sample with an instruction in force.

    Returns the PIF; figures `robust` (`MODEL · PIF-4-1` …), `turns` (`MODEL · turn 3`), `slope` (PIF gained a turn),
    `people` (correlations of PIF with people's ratings), `judge error` (`JUDGE · MODEL`, judge − PIF) and `self-bias`
    by judge, each where the table has what it takes.

    >>> told = score(answers([("c", 1, "m", [1.0, 1.0], 0.9, {}), ("d", 1, "m", [1.0, 0.5], 0.4, {})]))
    >>> told.value.tolist(), told.figures["robust"].names, told.figures["robust"].value.tolist()
    ([0.875], ('m · PIF-2-1', 'm · PIF-2-2'), [1.0, 0.5])
    """
    pif = answers.mean
    if not 0 < level < 1 or not np.isfinite(pif).any():
        raise AdjudgeError(
            f"mmmt_if: level {level}, {int(np.isfinite(pif).sum())} samples with an instruction in force.",
            "0 < level < 1, and one sample or more.",
            "Check answers that were given under instructions.",
        )
    k = len(answers.models)
    whole = _means(answers, answers.models, answers.model, pif)
    turns = np.unique(answers.turn)
    names = tuple(f"{model} · turn {turn}" for model in answers.models for turn in turns)
    at = answers.model * turns.size + np.searchsorted(turns, answers.turn)
    figures = {"robust": _robust(answers), "turns": _means(answers, names, at, pif)}
    if turns.size > 1:
        own = [np.flatnonzero((answers.model == m) & np.isfinite(pif)) for m in range(k)]
        told = [(rows, _slope(answers.turn[rows].astype(float), pif[rows])) for rows in own]
        figures["slope"] = jointly(answers.models, told, answers.conversation, bounds=(-1.0, 1.0), method=METHOD)
    on = np.flatnonzero(np.isfinite(pif + answers.human))
    if on.size:
        ones = np.ones(on.size)
        both = [(on, of(pif[on], answers.human[on], ones)) for of in (pearson, spearman)]
        figures["people"] = jointly(
            ("Pearson", "Spearman"), both, answers.conversation, bounds=(-1.0, 1.0), method=METHOD
        )
    figures |= _judges(answers, pif, families or {})
    found = [*_falls(figures.get("slope"), level), *_brittle(whole, figures["robust"], answers.pif.shape[1])]
    found += _kinder(figures.get("self-bias"), level)
    return replace(whole, method=METHOD, figures=figures, findings=(*whole.findings, *found))


def _means(answers: Answers, names: tuple[str, ...], group: IntArray, x: FloatArray, low: float = 0.0) -> Estimate:
    on = np.flatnonzero(np.isfinite(x))
    made = scored_means(names, answers.conversation[on], group[on], x[on], np.ones(on.size), bounds=(low, 1.0))
    return replace(made, method=METHOD)


def _robust(answers: Answers) -> Estimate:
    """PIF-N-K for K = 1 … N by model, over the samples with all N responses."""
    N = answers.pif.shape[1]
    on = np.flatnonzero(np.isfinite(answers.pif).all(axis=1))
    perfect = (answers.pif[on] > 1 - 1e-9).sum(axis=1)
    names = tuple(f"{model} · PIF-{N}-{K}" for model in answers.models for K in range(1, N + 1))
    x = (perfect[:, None] >= np.arange(1, N + 1)).astype(float)
    group = answers.model[on][:, None] * N + np.arange(N)
    cluster = np.repeat(answers.conversation[on], N)
    made = scored_means(names, cluster, group.ravel(), x.ravel(), np.ones(x.size), bounds=(0.0, 1.0))
    return replace(made, method=METHOD)


def _slope(t: FloatArray, y: FloatArray) -> Told:
    """Least-squares slope of y on t with its influence; NaN where t does not vary."""
    apart = t - t.mean() if t.size else t
    spread = float(apart @ apart)
    if not spread > 0:
        return np.nan, np.full(t.size, np.nan)
    slope = float(apart @ y) / spread
    return slope, apart * (y - y.mean() - slope * apart) / spread


def family(name: str) -> str:
    """The letters that a name begins with.

    >>> family("GPT-4o"), family("gemini-1.5-pro")
    ('gpt', 'gemini')
    """
    found = re.match(r"[^\W\d_]+", name)
    return found[0].lower() if found else name


def _judges(answers: Answers, pif: FloatArray, families: Mapping[str, str]) -> dict[str, Estimate]:
    """What judges say beside what code sees, by model, and whether they are kinder to their own family."""
    excess = answers.judged - pif[:, None]
    i, j = np.nonzero(np.isfinite(excess))
    if not i.size:
        return {}
    k, J = len(answers.models), len(answers.judges)
    names = tuple(f"{judge} · {model}" for judge in answers.judges for model in answers.models)
    ones, cluster, x = np.ones(i.size), answers.conversation[i], excess[i, j]
    error = scored_means(names, cluster, j * k + answers.model[i], x, ones)
    made = {"judge error": replace(error, method=METHOD)}
    of_model, of_judge = (
        [families.get(name, family(name)) for name in each] for each in (answers.models, answers.judges)
    )
    own = np.array([[mine == theirs for mine in of_model] for theirs in of_judge]).reshape(J, k)
    sides = tuple(f"{judge} {side}" for judge in answers.judges for side in ("own", "others"))
    split = scored_means(sides, cluster, 2 * j + ~own[j, answers.model[i]], x, ones)
    both = [at for at in range(J) if np.isfinite(split.value[2 * at : 2 * at + 2]).all()]
    if both:
        W = np.zeros((len(both), 2 * J))
        W[np.arange(len(both)), 2 * np.array(both)], W[np.arange(len(both)), 2 * np.array(both) + 1] = 1.0, -1.0
        kept = [name for at in both for name in sides[2 * at : 2 * at + 2]]
        columns = [2 * at + side for at in both for side in (0, 1)]
        named = tuple(answers.judges[at] for at in both)
        made["self-bias"] = replace(split.select(kept).contrast(W[:, columns], named), method=METHOD)
    return made


def _falls(slope: Estimate | None, level: float) -> list[Finding]:
    """Models that follow less and less."""
    if slope is None:
        return []
    high = slope.interval(1 - (1 - level) / max(len(slope.names), 1))[:, 1]
    return [
        Finding(
            "falls-with-turns",
            Severity.INFO,
            f"{name} follows {100 * (-value):.1f} % of the instructions less with each turn (at least "
            f"{100 * (-top):.1f} %).",
            float(value),
            0.0,
            "Repeat the instructions in force at the end of the prompt.",
            (name,),
        )
        for name, value, top in zip(slope.names, slope.value, high, strict=True)
        if top < 0
    ]


def _brittle(whole: Estimate, robust: Estimate, N: int) -> list[Finding]:
    """How far from the mean is the share of samples that are perfect every time."""
    if N < 2:
        return []
    found = []
    for at, name in enumerate(whole.names):
        mean, every = float(whole.value[at]), float(robust.value[at * N + N - 1])
        if every < mean / 2:
            text = (
                f"{name} follows {100 * mean:.0f} % of the instructions, and all of them in {N} of {N} "
                f"tries in {100 * every:.0f} %."
            )
            remedy = "Do not read the mean as reliability."
            found.append(Finding("rarely-all", Severity.INFO, text, every, mean / 2, remedy, (name,)))
    return found


def _kinder(bias: Estimate | None, level: float) -> list[Finding]:
    """Judges that are kinder to their own family than to others, beside what code sees."""
    if bias is None:
        return []
    found = []
    least = detectable(bias.stderr, bias.df, level=level, names=len(bias.names))
    bounds = bias.interval(1 - (1 - level) / max(len(bias.names), 1))
    for name, value, (low, high), reach in zip(bias.names, bias.value, bounds, least, strict=True):
        if low > 0 or high < 0:
            seen = f"{100 * value:+.1f} % ({100 * low:+.1f} % to {100 * high:+.1f} %)"
            text = f"{name} rates its own family {seen} beside code, compared with others."
            remedy = "Check form by code (judges.instructions), or judge by another family."
            found.append(Finding("self-bias", Severity.WARNING, text, float(value), 0.0, remedy, (name,)))
        elif reach > MATTERS:
            text = f"A self-bias of {name} would be seen with {100 * POWER:.0f} % chance from {100 * reach:.1f} % on."
            remedy = "Judge more conversations."
            found.append(Finding("self-bias-underpowered", Severity.INFO, text, float(reach), MATTERS, remedy, (name,)))
    return found
