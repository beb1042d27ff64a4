"""The plan of a comparison of few runs: what is fixed before the first run, checked and kept from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.sequential.two_rates import MOST

OPTIONS = {"runs": "--runs-per-interim"}
OF = {"adastop": ("runs", "interims", "early", "reference", "joint"), "blind_trials": ("trials",)}
"""Options of each method."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fixed before the first run; None where the user left it to us.

    Arguments:
        method: `adastop` or `blind_trials`; `auto` until data have been seen.
        level: 1 − the family-wise error.
        runs: of each agent between two looks (adastop).
        interims: looks at most (adastop).
        trials: of each policy at most (blind_trials).
        early: power that may be spent on calling agents equal early (adastop).
        reference: agent that all others are compared with (adastop).
        joint: step-down over the largest difference, as in the paper (adastop).
        seed: of the sampled permutations.
    """

    method: str = "auto"
    level: float | None = None
    runs: int | None = None
    interims: int | None = None
    trials: int | None = None
    early: float | None = None
    reference: str | None = None
    joint: bool | None = None
    seed: int | None = None

    def checked(self) -> Plan:
        """This plan. Errors: a number that no study can be planned with, by the option that gave it."""
        whole = {"runs": 1, "interims": 1, "trials": 1, "seed": 0}
        for name, value in asdict(self).items():
            option, most = OPTIONS.get(name, f"--{name}"), MOST if name == "trials" else np.inf
            if value is None:
                continue
            if name in whole and not (isinstance(value, (int, np.integer)) and whole[name] <= value <= most):
                upto = f"to {most}" if name == "trials" else "on"
                raise AdjudgeError(
                    f"compare: {option} is {value}.",
                    f"A whole number from {whole[name]} {upto}.",
                    f"Give such a number with {option}"
                    + (", or compare more of them with --method adastop." if name == "trials" else "."),
                )
            if name in ("level", "early") and not (0 < value < 1 or (name == "early" and value == 0)):
                example = "A coverage between 0 and 1, such as 0.95." if name == "level" else "From 0 to below 1."
                raise AdjudgeError(f"compare: {option} is {value:g}.", example, f"Give such a number with {option}.")
        return self

    def within(self, saved: Plan) -> Plan:
        """The saved plan, if nothing given here contradicts it. Errors: something does."""
        for name, value in asdict(self).items():
            kept = getattr(saved, name)
            if value in (None, "auto") or value == kept or not (value or kept):
                continue
            option = OPTIONS.get(name, f"--{name}")
            raise AdjudgeError(
                f"compare: the study was begun {'without' if kept is None else 'with'} {option}"
                f"{'' if kept is None or kept is True else f' {kept}'}, and now it is {value}.",
                "The plan is fixed before the first run: changed on the way, its error is no longer known.",
                f"Leave out {option}, or begin a new study with another --state file.",
            )
        return saved

    def unused(self, method: str) -> list[Finding]:
        """Options that were given and are not of the method that compares."""
        given = [OPTIONS.get(n, f"--{n}") for other, names in OF.items() if other != method for n in names
                 if getattr(self, n)]  # fmt: skip
        if not given:
            return []
        return [
            Finding(
                "option-unused",
                Severity.WARNING,
                f"{method} compares these scores, and {', '.join(given)} is of the other method: not used.",
                remedy=f"Leave it out, or name --method {'adastop' if method != 'adastop' else 'blind_trials'}.",
                subject=tuple(given),
            )
        ]


def read_plan(body: Mapping[str, object]) -> Plan:
    """The plan of a study that has begun. Errors: a part of another kind."""
    plan = Plan(**body)  # type: ignore[arg-type]
    kinds = {"level": (float, int), "early": (float, int), "method": (str,), "reference": (str,), "joint": (bool,)}
    for name, value in asdict(plan).items():
        if value is not None and type(value) not in kinds.get(name, (int,)):
            raise ValueError(f"{name} is {value!r}")
    plan.checked()
    if plan.method not in OF:
        raise ValueError(f"method is {plan.method!r}")
    return plan
