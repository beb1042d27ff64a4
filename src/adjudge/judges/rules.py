"""Judges an answer by a rule, without a model: equal, contains, pattern, number, choice, JSON, or length.

    value = 1 if the rule holds, 0 if not

Thakur, Choudhary, Ramayapally et al. (2024): exact match and `contains` are the lexical judges beside which models are
measured. Right answers stand in `reference` or a field: one a line, or a JSON list. Limits: `exact` calls "Paris."
right and "It is Paris" wrong; `contains` calls "not Paris" right; a rule is blind to meaning.
"""

from __future__ import annotations

import json
import math
import re
import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ..backends.call import Ask
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import answer_text
from ..tables.cases import Case
from ..tables.verdicts import Verdict
from ._asking import json_object
from ._points import listed

TAKES = 1
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”´`–—…")

CARD = Card(
    answers="Does an answer keep a rule: is it, does it contain, or does it match what is right?",
    equation="value = 1{rule holds}",
    papers=(
        Paper(
            "Judging the Judges: Evaluating Alignment and Vulnerabilities in LLMs-as-Judges",
            "Thakur, Choudhary, Ramayapally et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2406.12624",
            "§3, lexical judges",
        ),
    ),
    needs=("answers", "reference", "fields"),
    assumes=("What is right can be told by its letters, its number or its form.",),
    limits=("exact is strict and contains is lenient: between them lies the truth.", "No rule sees meaning."),
    when="Where answers are short or have a form; it is free, and a baseline for every model that judges.",
    unit="1 if the rule holds",
    rows=(71,),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule is told.

    Arguments:
        pattern: of `regex`.
        tolerance: of `number`, relative.
        low, high: of `words` and `characters`.
        keys: of `json`, that must be there.
    """

    pattern: str = ""
    tolerance: float = 1e-6
    low: float = 0.0
    high: float = math.inf
    keys: tuple[str, ...] = ()


async def judge(
    case: Case,
    _ask: Ask,
    *,
    rule: str = "exact",
    answers: str = "reference",
    pattern: str = "",
    tolerance: float = 1e-6,
    low: float = 0.0,
    high: float = math.inf,
    keys: tuple[str, ...] = (),
) -> Verdict:
    """Whether one answer keeps a rule, with what was seen as the reason.

    Arguments:
        case: with one answer.
        rule: `exact` (equal but for case, marks, articles and spaces), `verbatim` (equal to the letter), `contains`
            (a right answer stands in it as whole words), `number` (its final number), `choice` (its final letter),
            `regex`, `json` (it is, or holds, one JSON object), `words` or `characters` (their count is in range).
        answers: `reference`, or the name of a field with the right answers: one a line, or a JSON list.
        pattern: of `regex`, searched for; empty takes the right answers as patterns.
        tolerance: of `number`, relative, >= 0.
        low, high: of `words` and `characters`: range, ends included.
        keys: of `json`: names that the object must have.

    Errors: an unknown rule; a pattern that is none; an empty range. Without a right answer, where one is needed, the
    verdict is NaN with its `problem`.

    >>> import asyncio
    >>> from adjudge.tables.cases import Answer
    >>> case = Case("1", "Capital of France?", (Answer("x", "It is Paris."),), reference="Paris")
    >>> [asyncio.run(judge(case, None, rule=one)).value for one in ("exact", "contains")]
    [0.0, 1.0]
    """
    if rule not in RULES:
        raise AdjudgeError(f"rules: there is no rule {rule!r}.", f"Rules: {', '.join(RULES)}.", "Name one of them.")
    if rule in ("words", "characters") and not low <= high:
        raise AdjudgeError(f"rules: {low:g} to {high:g} {rule}.", "low <= high.", "Change them.")
    if rule == "regex" and pattern:
        _compiled(pattern)
    needs_answers = rule in _WITH_ANSWERS or (rule == "regex" and not pattern)
    right = right_answers(case.reference if answers == "reference" else case.fields.get(answers, ""))
    if needs_answers and not right:
        return Verdict(shown=case.policies, problem=f"no right answer in {answers}")
    options = Rule(pattern, tolerance, low, high, tuple(keys))
    try:
        holds, why = RULES[rule](case.text, right, options)
    except ValueError as problem:  # the right answer itself is no number, or no letter
        return Verdict(shown=case.policies, problem=f"the right answer {problem}")
    return Verdict(shown=case.policies, value=float(holds), reason=why)


def right_answers(text: str) -> tuple[str, ...]:
    """The right answers that a text holds: a JSON list, or one a line.

    >>> right_answers("Paris\\nParis, France"), right_answers('["4", "four"]')
    (('Paris', 'Paris, France'), ('4', 'four'))
    """
    found = listed(text)
    return tuple(line.strip() for line in text.splitlines() if line.strip()) if found is None else tuple(found)


def plain(text: str) -> str:
    """A text without what does not matter: case, accents' forms, marks, articles, spaces.

    >>> plain("The  Eiffel-Tower!")
    'eiffeltower'
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", folded).split())


def _exact(text: str, right: tuple[str, ...], _: Rule) -> tuple[bool, str]:
    holds = any(plain(text) == plain(one) for one in right)
    return holds, f"{'equal' if holds else 'unequal'} to {_named(right)}"


def _verbatim(text: str, right: tuple[str, ...], _: Rule) -> tuple[bool, str]:
    holds = text.strip() in right
    return holds, f"{'equal' if holds else 'unequal'} to the letter to {_named(right)}"


def _contains(text: str, right: tuple[str, ...], _: Rule) -> tuple[bool, str]:
    padded = f" {plain(text)} "
    found = [one for one in right if plain(one) and f" {plain(one)} " in padded]
    return bool(found), f"contains {found[0]!r}" if found else f"contains none of {_named(right)}"


def _regex(text: str, right: tuple[str, ...], rule: Rule) -> tuple[bool, str]:
    for pattern in (rule.pattern,) if rule.pattern else right:
        if found := _compiled(pattern).search(text):
            return True, f"matches at {found.start():,}: {found.group()[:80]!r}"
    return False, "no match"


def _number(text: str, right: tuple[str, ...], rule: Rule) -> tuple[bool, str]:
    known = [answer_text.number(one) for one in right]
    if None in known:
        raise ValueError(f"{right[known.index(None)]!r} is no number")
    found = answer_text.number(text)
    holds = any(answer_text.agrees(found, one, tolerance=rule.tolerance) for one in known if one is not None)
    return holds, "gives no number" if found is None else f"gives {found:g}, right is {_named(right)}"


def _choice(text: str, right: tuple[str, ...], _: Rule) -> tuple[bool, str]:
    letters = string.ascii_uppercase[:10]
    known = [answer_text.choice(one, letters=letters) for one in right]
    if None in known:
        raise ValueError(f"{right[known.index(None)]!r} is no letter from A to J")
    found = answer_text.choice(text, letters=letters)
    return found in known, "chooses none, or several" if found is None else f"chooses {found}, right is {_named(right)}"


def _json(text: str, _: tuple[str, ...], rule: Rule) -> tuple[bool, str]:
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        try:
            whole = json_object(text)
        except ValueError:
            return False, "holds no JSON"
    missing = [key for key in rule.keys if not isinstance(whole, dict) or key not in whole]
    return not missing, f"lacks {_named(tuple(missing))}" if missing else "is JSON"


def _length(size: Callable[[str], int], unit: str) -> Callable[[str, tuple[str, ...], Rule], tuple[bool, str]]:
    def check(text: str, _: tuple[str, ...], rule: Rule) -> tuple[bool, str]:
        count = size(text)
        return rule.low <= count <= rule.high, f"{count:,} {unit}, {rule.low:g} to {rule.high:g} are right"

    return check


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as problem:
        raise AdjudgeError(
            f"rules: {pattern!r} is no pattern ({problem}).", "A regular expression of Python.", "Correct it."
        ) from None


def _named(right: tuple[str, ...]) -> str:
    return ", ".join(repr(one) for one in right[:5]) + (" …" if len(right) > 5 else "")


RULES: dict[str, Callable[[str, tuple[str, ...], Rule], tuple[bool, str]]] = {
    "exact": _exact,
    "verbatim": _verbatim,
    "contains": _contains,
    "number": _number,
    "choice": _choice,
    "regex": _regex,
    "json": _json,
    "words": _length(lambda text: len(text.split()), "words"),
    "characters": _length(len, "characters"),
}
_WITH_ANSWERS = ("exact", "verbatim", "contains", "number", "choice")
