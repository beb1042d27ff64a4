"""What a comparison says in a sentence: stop or go on, who is better, and who is not told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .comparison import Comparison

MOST_NAMED = 6


def verdict(answer: Comparison) -> str:
    """The first words say whether to stop; then who is better than whom."""
    if not answer.pairs:
        return "Nothing to compare: fewer than two agents have runs."
    if answer.decided:
        return f"Stop: decided. {_said(answer)}"
    return f"Go on: {advice(answer)} {_said(answer)}".rstrip()


def advice(answer: Comparison) -> str:
    """What to run next."""
    wanted = answer.wanted
    if not wanted:
        return "look again."
    several = len(answer.runs.environments) > 1 and answer.word == "run"
    counts: dict[int, list[str]] = {}
    for agent, where, count in wanted:
        counts.setdefault(count, []).append(f"{agent} in {where}" if several else agent)
    upto, what = ("up to ", "trials of") if answer.word == "trial" else ("", "of")
    every = len(answer.runs.agents) * (len(answer.runs.environments) if several else 1)
    if len(counts) == 1 and len(wanted) == every > MOST_NAMED:
        return f"run {upto}{wanted[0][2]} more {what} each agent{' in each environment' if several else ''}."
    return "; ".join(f"run {upto}{n} more {what} {listed(names)}" for n, names in sorted(counts.items())) + "."


def listed(names: list[str]) -> str:
    """Names in a sentence."""
    shown = names[:MOST_NAMED] + ([f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _said(answer: Comparison) -> str:
    environments = list(dict.fromkeys(where for _, _, where in answer.pairs))
    if len(environments) == 1:
        return _in(answer, environments[0])
    said = [(where, _in(answer, where)) for where in environments]
    return " ".join(f"{where}: {words}" for where, words in [one for one in said if one[1]][:MOST_NAMED])


def _in(answer: Comparison, environment: str) -> str:
    """Who is better than whom in one environment, by groups that beat the same others."""
    wins: dict[str, list[str]] = {}
    same, open_ = [], []
    for (left, right, where), decision in zip(answer.pairs, answer.decision, strict=True):
        if where != environment:
            continue
        if np.isnan(decision):
            open_.append((left, right))
        elif decision == 0:
            same.append((left, right))
        else:
            better, worse = (left, right) if decision > 0 else (right, left)
            wins.setdefault(better, []).append(worse)
    sentences = []
    for p in answer.order:
        name = answer.estimate.names[p]
        if name in wins:
            sentences.append(f"{name} beats {listed(sorted(wins[name]))}.")
    if same:
        pairs = listed([f"{a} / {b}" for a, b in same])
        sentences.append(f"Not told apart with all that was planned: {pairs}.")
    if open_ and (sentences or answer.decided):
        sentences.append(f"Still open: {listed([f'{a} / {b}' for a, b in open_])}.")
    return " ".join(sentences)
