"""tables.read_samples: usual names, messages as they came, prompts by their text; what is wrong or doubtful is said."""

from __future__ import annotations

from typing import Any

import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read_samples import read

ROWS: dict[str, list[Any]] = {
    "question": ["b", "a", "b"],
    "completion": ["x", "y", "z"],
    "liked": [1.0, None, 3.0],
    "gold": [None, True, False],
    "logprob": [-1.0, -2.0, None],
}


def test_columns_play_their_parts() -> None:
    made = read(ROWS, judge="liked", weight=None)
    assert made.prompt == ("b", "a", "b")
    assert made.item.tolist() == [1, 0, 1]
    assert str(made.score[:, 0].tolist()) == "[1.0, nan, 3.0]"
    assert str(made.gold.tolist()) == "[nan, 1.0, 0.0]"
    assert str(made.log_probability.tolist()) == "[-1.0, -2.0, nan]"
    assert (made.error.tolist(), made.weight.tolist()) == ([0.0] * 3, [1.0] * 3)
    assert {finding.code for finding in made.findings} == {"score-missing", "words-as-numbers"}
    assert len(read(ROWS, where="question = 'b'").response) == 2


def test_messages_stay_messages_and_make_one_prompt() -> None:
    chat = [{"role": "user", "content": "Hello"}]
    made = read([{"prompt": chat, "response": "Hi"}, {"prompt": chat, "response": "Ho"}])
    assert made.prompt == (chat, chat)
    assert made.item.tolist() == [0, 0]


def test_what_is_missing_is_said() -> None:
    made = read({"prompt": ["a", "a", "a"], "response": ["x", None, "x"]})
    assert len(made.response) == 2
    assert {finding.code: finding.number for finding in made.findings} == {
        "response-missing": 1,
        "responses-repeated": 1,
    }
    with pytest.raises(AdjudgeError, match="--response"):
        read({"prompt": ["a"]})
    with pytest.raises(AdjudgeError, match="prompt is empty"):
        read({"prompt": [None], "response": ["x"]})
    with pytest.raises(AdjudgeError, match="likd"):
        read(ROWS, judge="likd")


def test_one_row_is_not_told_as_several() -> None:
    rows = {"prompt": ["a"] * 4, "response": ["x", "x", "y", None], "score": [1, 1, 2, 3]}
    said = {one.code: one.message for one in read(rows, judge="score").findings}
    assert said["response-missing"] == "1 row has no response: left out."
    assert said["responses-repeated"] == "1 response given more than once to one prompt."
