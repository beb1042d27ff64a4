"""Reads the answer out of what a model wrote: the letter of a choice, or a number; None where it gives none.

The last explicit statement wins ("the answer is C", "\\boxed{C}", "Answer: C"), then a letter that stands alone on its
line, then the only letter named at all. Of numbers the last after an explicit statement wins, then the last of
all. Pure functions of the text: the same text, the same answer.

Tang, Gao, Peng, et al. (2023), AGIBench (auto-scoring).
Limits: a text that names two options without choosing gives None, not a guess.
"""

from __future__ import annotations

import math
import re

_STATED = r"(?:answer|choice|option|choose|pick|select)\w*\s*(?:is|are|would be|:|=|：|to be)?\s*"
_NUMBER = r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?"
_TOLERANCE = 1e-6


def choice(text: str, *, letters: str = "ABCDE") -> str | None:
    """The letter chosen, in upper case; None where the text chooses none or several.

    Arguments:
        text: what was written.
        letters: of the options.

    >>> choice("A looks right at first, but the answer is (C)."), choice("B"), choice("Either A or B.")
    ('C', 'B', None)
    """
    one = f"[{re.escape(letters.upper())}]"
    loose = f"[{re.escape(letters.upper() + letters.lower())}]"
    wrapped = rf"[\s*_`'\"$]*[(\[{{]?\s*({one})\s*[)\]}}]?(?![\w'’])"
    for pattern in (rf"\\boxed\s*\{{\s*(?:\\text\s*\{{)?\s*[(]?({loose})\b", rf"(?i:{_STATED}){wrapped}"):
        if stated := re.findall(pattern, text):
            return str(stated[-1]).upper()
    lines = re.findall(rf"(?m)^[\s*_`(\[]*({loose})[\s*_`)\].:]*$", text)
    if lines and len({line.upper() for line in lines}) == 1:
        return str(lines[-1]).upper()
    led = re.match(rf"\s*[(\[*]*({one})[)\].:*]+\s", text)
    if led and len(set(re.findall(rf"[(\[]({one})[)\]]", text)) | {led.group(1)}) == 1:
        return led.group(1)
    named = set(re.findall(rf"(?<![\w'’])({one})(?![\w'’])", re.sub(r"(?m)^A (?=\w)|(?<=[.!?] )A (?=\w)", "", text)))
    return named.pop() if len(named) == 1 else None


def number(text: str) -> float | None:
    """The number given as the answer; None where there is none.

    Arguments:
        text: what was written; thousands separated by commas, percent signs and dollars are understood.

    >>> number("2 and 3 make 5, so the answer is 1,250.5 km."), number("#### -7"), number("no idea")
    (1250.5, -7.0, None)
    """
    for pattern in (
        rf"\\boxed\s*\{{\s*\$?\s*({_NUMBER})",
        rf"####\s*\$?\s*({_NUMBER})",
        rf"(?i:{_STATED})(?:about|approximately|equal to)?\s*[\s*_`$£€(]*({_NUMBER})",
        rf"=\s*\$?\s*({_NUMBER})(?=[^=]*$)",
        rf"(?<![\w.])({_NUMBER})",
    ):
        for found in reversed(re.findall(pattern, text)):
            value = _parsed(found)
            if value is not None:
                return value
    return None


def agrees(found: float | None, key: float, *, tolerance: float = _TOLERANCE) -> bool:
    """Whether a number read from a text is the key, up to a relative tolerance.

    >>> agrees(0.3333333, 1 / 3), agrees(None, 0.0)
    (True, False)
    """
    return found is not None and math.isclose(found, key, rel_tol=tolerance, abs_tol=tolerance)


def _parsed(text: str) -> float | None:
    try:
        value = float(text.replace(",", "").replace("−", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
