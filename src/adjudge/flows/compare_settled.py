"""What was left open in the plan of a comparison is settled at its first look, and told."""

from __future__ import annotations

from dataclasses import replace

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.sequential.runs import Runs
from ..stats.sequential.two_rates import MOST
from .compare_options import Plan


def settled(asked: Plan, runs: Runs) -> tuple[Plan, tuple[Finding, ...]]:
    """The plan with everything that was left open, which the first look must fix."""
    method = asked.method if asked.method != "auto" else "blind_trials" if runs.binary else "adastop"
    plan = replace(asked, method=method, level=asked.level or 0.95, seed=asked.seed or 0)
    most = int(runs.counts.max(initial=0))
    if method == "blind_trials":
        if plan.trials is not None:
            return plan, ()
        horizon = min(max(50, most), MOST)
        return replace(plan, trials=horizon), (_assumed("trials", "trials", horizon, most > 50),)
    plan = replace(plan, runs=plan.runs or 5, early=plan.early or 0.0)
    if plan.interims is not None:
        return plan, ()
    looks = max(5, most // (plan.runs or 5))
    return replace(plan, interims=looks), (_assumed("looks", "interims", looks, looks > 5),)


def refuse_returns(runs: Runs, *, begun: bool) -> None:
    """Errors: trials that neither succeed nor fail."""
    other = [float(x) for one in runs.values for x in one[(one != 0) & (one != 1)][:1]]
    if other:
        raise AdjudgeError(
            f"compare: some scores are neither 0 nor 1 (such as {other[0]:g})"
            + (", and the study was begun with successes and failures." if begun else "."),
            "A trial succeeds (1) or fails (0).",
            "Name the column of successes with --score, or compare returns with --method adastop"
            + (" and another --state file." if begun else "."),
        )


def never_ran(agents: list[str]) -> list[Finding]:
    """Agents that are named and have no score."""
    if not agents:
        return []
    message = f"{', '.join(agents)}: no run has a score, so nothing is compared with it."
    remedy = "Run it and begin anew, for nobody can join a study later; or leave its column out."
    return [Finding("agent-without-runs", Severity.SEVERE, message, len(agents), 0, remedy, tuple(agents))]


def _assumed(word: str, option: str, number: int, from_data: bool) -> Finding:
    return Finding(
        "horizon-from-data" if from_data else "horizon-assumed",
        Severity.WARNING if from_data else Severity.INFO,
        f"No plan was given, so {number} {word} at most were taken as planned"
        + (", because the data hold as many." if from_data else "."),
        number,
        remedy=f"Fix --{option} before the first run: chosen when the results are known, it adds error.",
    )
