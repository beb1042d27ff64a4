"""The leagues of `benchmarks.leagues`: what differs from row to row, and how the table is ranked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adjudge.sim.leagues import League


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Arguments:
        name: what the reader sees.
        league: the world.
        settings: options of `ranking.bradley_terry.rank` or, where `judged`, of `ranking.ppi_bradley_terry.rank`.
        judged: whether judges vote on every match and people on some.
        share: of the replicates, for rows that cost more.
    """

    name: str
    league: League
    settings: dict[str, Any] = field(default_factory=dict)
    judged: bool = False
    share: float = 1.0


def rows() -> tuple[Row, ...]:
    rao_kupper, order = {"ties": "rao-kupper"}, {"order": True}
    both = ("rater", "prompt")
    return (
        Row("100 raters × 100 votes, no tastes", League()),
        Row("the same, tastes 0.5", League(taste=0.5)),
        Row("the same, tastes 1.0", League(taste=1.0)),
        Row("30 raters × 300 votes, tastes 0.5", League(votes=9000, raters=30, taste=0.5)),
        Row("10 raters × 300 votes, tastes 0.5", League(policies=8, votes=3000, raters=10, taste=0.5)),
        Row("100 uneven raters (activity sd 1), tastes 0.5", League(taste=0.5, uneven=1.0)),
        Row("sparse: 40 policies in a ring, 4 opponents each", League(40, 8000, taste=0.5, graph="regular")),
        Row("sparse: all meet two hubs only", League(taste=0.5, graph="hub", degree=2)),
        Row("sparse: neighbours in strength (Swiss)", League(taste=0.5, graph="swiss", degree=3)),
        Row("uneven pairs (frequency sd 1)", League(taste=0.5, popular=1.0)),
        Row("ties 30 %, Davidson", League(taste=0.5, tie=0.3)),
        Row("ties 30 %, Rao-Kupper", League(taste=0.5, tie=0.3, tie_model="rao_kupper"), rao_kupper),
        Row("200 prompts, tastes 0.7, by prompt", League(prompts=200, prompt_taste=0.7, clusters=("prompt",))),
        Row("100 raters × 200 prompts, both 0.5, two-way",
            League(taste=0.5, prompts=200, prompt_taste=0.5, clusters=both)),
        Row("30 raters × 40 prompts, both 0.5, two-way",
            League(8, 3000, raters=30, taste=0.5, prompts=40, prompt_taste=0.5, clusters=both)),
        Row("order 0.3, length 0.5, tastes 0.5", League(taste=0.5, order=0.3, length=0.5), order),
        Row("everything: ties, order, length, two-way",
            League(12, taste=0.5, tie=0.2, order=0.3, length=0.5, prompts=200, prompt_taste=0.5, clusters=both), order),
        Row("cycles 0.7 (no rating explains them)", League(taste=0.5, cycle=0.7)),
        Row("20 % careless raters, drift 1", League(taste=0.5, unreliable=0.2, drift=1.0)),
        Row("300 votes, 6 policies, no clusters", League(6, 300, clusters=())),
        Row("150 votes, 4 policies, ties 20 %", League(4, 150, tie=0.2, clusters=())),
        Row("500 votes, 6 policies, 50 raters, tastes 0.5", League(6, 500, raters=50, taste=0.5)),
        Row("a judge of 4,000 matches, people on 10 %",
            League(6, 4000, judges=1, gold=0.1, judge_bias=0.5, clusters=()), judged=True, share=0.25),
        Row("two judges, 100 raters, tastes 0.5, people on 20 %",
            League(6, 4000, judges=2, gold=0.2, judge_bias=0.5, taste=0.5), judged=True, share=0.25),
        Row("a judge, ties 20 %, 200 prompts, people on 20 %",
            League(6, 4000, judges=1, gold=0.2, judge_bias=0.5, tie=0.2, prompts=200, prompt_taste=0.5,
                   clusters=("prompt",)), judged=True, share=0.25),
    )  # fmt: skip
