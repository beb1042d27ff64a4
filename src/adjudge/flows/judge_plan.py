"""Puts a judge together from words: a protocol with its options, samples, both orders, a jury."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ..backends.call import Ask
from ..errors import AdjudgeError
from ..judges import _prompt, jury, self_consistent, swap
from ..judges._asking import Judge
from ..judges._rubric import rubrics
from .judge_options import bound
from .methods import method_at

WARM = 0.7  # temperature of several samples, where none is given
WRAPPERS = ("swap", "jury", "self_consistent", "injected", "bias_detector")  # that `--protocol` does not name
ANY = {"function": (1, 2, 0), "people": (1, 2), "reward_model": (1, 2)}  # protocols whose cases hold what the user says
AS = {1: "answers alone", 2: "pairs", 0: "lists"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A judge ready to be asked.

    Arguments:
        judge: the coroutine function of a case and an ask.
        takes: answers in a case; 0 for all of a prompt.
        methods: addresses of what it is made of.
        prompts: name -> version and hash of each prompt that it can ask with.
    """

    judge: Judge
    takes: int
    methods: tuple[str, ...]
    prompts: Mapping[str, str]


def planned(
    protocol: str,
    options: Mapping[str, object],
    *,
    takes: int | None,
    swapped: bool,
    samples: int,
    asks: Mapping[str, Ask],
) -> Plan:
    """The judge that some words describe.

    Arguments:
        protocol: name or address of a judge, such as `pairwise`.
        options: of its `judge`, such as `{"criteria": "Is it true?"}`.
        takes: answers in a case, 0 for all of a prompt; None for as many as the protocol says.
        swapped: ask in both orders.
        samples: answers to each question, whose majority or mean counts; 1 asks once.
        asks: name -> who answers; several make a jury, or play the parts of a protocol that has parts.

    Errors: no such protocol or option; both orders of a protocol that compares nothing.
    """
    module = method_at("judges", protocol)
    address = module.__name__.partition(".")[2]
    _refuse_wrapper(address)
    takes = _takes(address, module.TAKES, takes)
    given = {**_roles(module.judge, asks, options), **_with_criteria(module.judge, options)}
    if samples > 1 and "temperature" in inspect.signature(module.judge).parameters:
        given.setdefault("temperature", WARM)  # at 0 all samples say the same
    made, used = bound(module.judge, address, given), [address]
    if samples > 1:
        rule = "majority" if takes == 2 else "mean"
        made = partial(self_consistent.judge, inner=made, samples=samples, rule=rule)
        used.append("judges.self_consistent")
    if swapped:
        if takes != 2:
            raise AdjudgeError(
                f"{address} does not compare two answers, and --swap asks for both orders.",
                "A protocol on pairs, such as pairwise.",
                "Leave --swap out, or name another --protocol.",
            )
        made = partial(swap.judge, inner=made)
        used.append("judges.swap")
    if len(asks) > 1 and "asks" not in inspect.signature(module.judge).parameters:
        made = partial(jury.judge, inner=made, asks=asks, rule="majority" if takes == 2 else "mean")
        used.append("judges.jury")
    return Plan(made, takes, tuple(used), _prompts(address, module.judge, options))


def _with_criteria(judge: Judge, options: Mapping[str, object]) -> Mapping[str, object]:
    """The options, a rubric told as criteria to a protocol that takes these and gives no grades."""
    knows = inspect.signature(judge).parameters
    if "rubric" not in options or "rubric" in knows or "criteria" not in knows:
        return options
    said = "\n\n".join(f"{one.name}: {one.text}" for one in rubrics(str(options["rubric"])))
    others = {name: value for name, value in options.items() if name != "rubric"}
    return {**others, "criteria": "\n\n".join(filter(None, (str(others.get("criteria", "")), said)))}


def _takes(address: str, own: int, wanted: int | None) -> int:
    """Answers in a case. Errors: a protocol that cannot be shown so many."""
    name = address.partition(".")[2]
    able = ANY.get(name, (own,) if own else (0, 2))
    if wanted is not None and wanted not in able:
        raise AdjudgeError(
            f"{address} cannot judge {AS[wanted]}.",
            f"It judges {' or '.join(AS[one] for one in able)}.",
            "Leave --as out, or name another --protocol.",
        )
    return own if wanted is None else wanted


def _refuse_wrapper(address: str) -> None:
    name = address.partition(".")[2]
    if name in WRAPPERS:
        raise AdjudgeError(
            f"{address} is no protocol: it changes how another judge is asked.",
            "A protocol, such as pairwise or rubric.",
            "Use --swap for both orders, --samples for several answers, several --model for a jury, or --inject.",
        )


def _roles(judge: Judge, asks: Mapping[str, Ask], options: Mapping[str, object]) -> dict[str, object]:
    """The parts of a protocol that several models play, such as the debaters and the judge of a debate."""
    plays = "asks" in inspect.signature(judge).parameters and len(asks) > 1 and "asks" not in options
    return {"asks": asks} if plays else {}


def _prompts(address: str, judge: Judge, options: Mapping[str, object]) -> dict[str, str]:
    """The templates of a protocol: its own by name, those that its options name by default, the user's, and those of a
    judge inside."""
    name, house = address.partition(".")[2], _prompt.names()
    wanted = [one for one in house if one == name or one.startswith(f"{name}_")]
    inside: dict[str, str] = {}
    for option, parameter in inspect.signature(judge).parameters.items():
        value = options.get(option, parameter.default)
        if str(parameter.default) in house:
            wanted.append(str(value))
        if "Judge" in str(parameter.annotation) and isinstance(value, str):
            module = method_at("judges", value)
            inside |= _prompts(module.__name__.partition(".")[2], module.judge, {})
    found = [_prompt.template(one) for one in dict.fromkeys(wanted) if one in house or one.endswith(".toml")]
    return inside | {one.name: one.label for one in found}
