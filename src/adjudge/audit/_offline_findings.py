"""What is doubtful about a log of episodes as a base for values, by number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..stats.ope.episodes import returns
from ..tables.trajectories import Trajectories
from ._offline_cells import Pairs

THIN = 0.05, 0.3  # of a policy's steps on thin pairs: doubtful, and hopeless
NEW = 0.05, 0.2  # of the next unit's steps on pairs that the log does not have


def quality_findings(
    table: Trajectories, quality: Estimate, best: float | None, worst: float | None
) -> tuple[Finding, ...]:
    """Extremes that are the log's own, or that the log exceeds, or that are one."""
    told = list(quality.findings)
    paid = returns(table)
    outside = int(((paid > (best if best is not None else paid.max())) |
                   (paid < (worst if worst is not None else paid.min()))).sum())  # fmt: skip
    if outside:
        told.append(
            Finding(
                "extremes-exceeded",
                Severity.WARNING,
                f"{outside:,} of {table.m:,} episodes return more than what counts as best or less than what counts "
                "as worst: trajectory quality may leave the range from 0 to 1.",
                outside,
                0.0,
                "Give the greatest and least returns that any policy has had.",
            )
        )
    if not np.isfinite(quality.value[0]):
        told.append(
            Finding(
                "returns-alike",
                Severity.WARNING,
                f"Best and worst return are both {paid.max() if best is None else best:.4g}: trajectory quality has no "
                "scale.",
                0.0,
                0.0,
                "Give `best` and `worst`, such as the returns of the best policy known and of a random one.",
            )
        )
    elif best is None or worst is None:
        which = "best and worst" if best is worst else "best" if best is None else "worst"
        told.append(
            Finding(
                "extremes-of-log",
                Severity.INFO,
                f"The {which} return by which trajectory quality ({quality.value[0]:.2f}) is measured "
                f"{'are' if best is worst else 'is'} the log's own: a log of poor play alone looks like one of good.",
                float(quality.value[0]),
                remedy="Give `best` and `worst` to compare logs with each other.",
            )
        )
    return tuple(told)


def coverage_findings(
    table: Trajectories,
    figures: Mapping[str, Estimate],
    pairs: Pairs,
    every: int,
    reference: object,
    bins: int,
) -> tuple[Finding, ...]:
    """How pairs were counted, and what the next unit would bring."""
    told: list[Finding] = []
    seen = int(pairs.pair.max()) + 1
    if reference is None:
        told.append(
            Finding(
                "reference-own",
                Severity.INFO,
                f"The log has {seen:,} of the {every:,} pairs that its {pairs.states:,} states and "
                f"{max(len(table.actions), 1):,} actions make; states that it never meets are not counted.",
                seen / every,
                remedy="Give `reference`: the number of pairs there are, or the log of an explorer.",
            )
        )
    if not table.states:
        told.append(
            Finding(
                "states-cut",
                Severity.INFO,
                f"States are known by {table.features.shape[1]} features, cut into at most {bins} parts each: coverage "
                "depends on that.",
                bins,
                remedy="Compare logs under the same number of parts, or name the states.",
            )
        )
    if table.units < 2:
        told.append(
            Finding(
                "episodes-too-few",
                Severity.SEVERE,
                f"The log holds {table.units} independent episode: nothing tells what another would bring.",
                table.units,
                2,
                "Log more episodes, or name a column of independent units within it.",
            )
        )
    share, more = float(figures["steps on new pairs"].value[0]), float(figures["unseen pairs"].value[0])
    if share > NEW[0]:
        told.append(
            Finding(
                "pairs-unseen",
                Severity.SEVERE if share > NEW[1] else Severity.WARNING,
                f"Even the logger would spend {100 * share:.1f} % of the steps of its next episodes on states and "
                f"actions that the log does not have; at least {more:.0f} such pairs are in its reach.",
                share,
                NEW[0],
                "Log more episodes, or join states that are alike.",
            )
        )
    return tuple(told)


def thin_findings(figures: Mapping[str, Estimate], few: int) -> tuple[Finding, ...]:
    """Policies whose steps are where the log is thin."""
    thin, never = figures["thin steps"], figures["unlogged steps"]
    told = [
        Finding(
            "steps-thin",
            Severity.SEVERE if share > THIN[1] else Severity.WARNING,
            f"{policy} would spend {100 * share:.1f} % of its steps on states and actions logged fewer than {few} "
            f"times, {100 * none:.1f} % on or after some never logged: there its value rests on very little.",
            float(share),
            THIN[0],
            "Log what the policy would do there, or prefer an estimator whose interval holds what the log cannot show.",
            (policy,),
        )
        for policy, share, none in zip(thin.names, thin.value, never.value, strict=True)
        if share > THIN[0]
    ]
    lost = tuple(policy for policy, share in zip(thin.names, thin.value, strict=True) if not np.isfinite(share))
    if lost:
        told.append(
            Finding(
                "never-ends",
                Severity.SEVERE,
                f"By the log, {', '.join(lost)} may go on for ever, and without a discount nothing tells where.",
                len(lost),
                0.0,
                "Give a horizon, or a discount below 1.",
                lost,
            )
        )
    return tuple(told)
