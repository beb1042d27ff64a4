"""Answers read from texts: what is stated wins, what is not chosen is not guessed."""

from __future__ import annotations

import pytest

from adjudge.stats.answer_text import agrees, choice, number


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (B).", "B"),
        ("Answer: C", "C"),
        ("answer is **D**", "D"),
        ("At first I thought the answer is A. On reflection, the correct answer is D because C fails.", "D"),
        (r"Thus \boxed{b}", "B"),
        (r"\boxed{\text{E}}", "E"),
        ("Let me think.\n\nC", "C"),
        ("B. Paris", "B"),
        ("(A) is wrong, (B) is right", None),
        ("A dog is an animal, so it must be C", "C"),
        ("I choose option D", "D"),
        ("", None),
        ("I cannot say", None),
        ("The answer is not among them.", None),
        ("Answer: A's claim is false", None),
        ("F", None),
    ],
)
def test_choices(text: str, letter: str | None) -> None:
    assert choice(text) == letter


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The answer is 42.", 42),
        ("3 + 4 = 7", 7),
        ("#### 1,234", 1234),
        (r"\boxed{-0.5}", -0.5),
        ("It costs $18.50 in all", 18.5),
        ("First 12, then 15. Answer: −3", -3),
        ("6.02e23 particles", 6.02e23),
        ("The answer is about 1,000,000 people, of 2 kinds", 1e6),
        ("none", None),
        ("", None),
        ("a.b,c", None),
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    found = number(text)
    assert found == (value if value is None else pytest.approx(value))


def test_agreement_is_relative_and_none_never_agrees() -> None:
    assert agrees(1e9 + 1, 1e9)
    assert not agrees(1.01, 1.0)
    assert not agrees(None, 1.0)
