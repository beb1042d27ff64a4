"""The little language: gold worked by hand, a judge whose love of length is what it says, people who can be read."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.sim import little_language as language

ASKED = "describe a red boat near the harbour"


@pytest.mark.parametrize(
    ("response", "worth"),
    [
        ("a red boat sails near the harbour", 1.0),
        ("harbour the near sails boat red a", 1.0),  # order counts for nothing
        ("a red boat near the harbour", 0.75),
        ("a red dog near the harbour", 0.5 - 0.15),
        ("a red boat sails sings near the harbour", 1 - 0.15),
        ("a red boat sails near the harbour it is truly", 1.0),  # ten words
        ("a red boat sails near the harbour it is truly lovely", 1 - 0.03),
        ("a red boat sails near the harbour and it is splendid so very fine indeed", 1 - 5 * 0.03),
        ("a red red red boat sails", 0.75 - 2 * 0.02),
        ("a blue dog barks near the garden", 0.0),
        ("", 0.0),
    ],
)
def test_gold_is_what_can_be_counted(response: str, worth: float) -> None:
    assert language.gold(ASKED, response) == pytest.approx(worth)


def test_prompts_are_all_there_is_and_every_word_is_known() -> None:
    prompts = language.prompts()
    assert len(set(prompts)) == len(prompts) == 2 * 8**3
    words = {word for prompt in prompts for word in prompt.split()}
    rng = np.random.default_rng(0)
    said = [language.spoken(prompt, rng) for prompt in prompts]
    assert words | {word for text in said for word in text.split()} == set(language.WORDS)


def test_people_say_too_little_or_too_much_or_something_wrong() -> None:
    rng = np.random.default_rng(1)
    asked = list(language.prompts()) * 4
    read = [language.read(prompt, language.spoken(prompt, rng)) for prompt in asked]
    n = len(read)
    # each of four facts is right with 0.55, or drawn at random of eight with 0.20
    assert np.mean([one.named for one in read]) == pytest.approx(4 * (0.55 + 0.2 / 8), abs=4.5 / np.sqrt(n))
    assert np.mean([one.wrong for one in read]) == pytest.approx(4 * 0.2 * 7 / 8, abs=4.5 * 0.8 / np.sqrt(n))
    assert {1, 7, 15} < {one.words for one in read}


def test_the_judge_says_the_same_again_and_pays_by_the_word() -> None:
    judge = language.Judge(seed=3)
    rng = np.random.default_rng(2)
    asked = list(language.prompts())
    said = [language.spoken(prompt, rng) for prompt in asked]
    points = np.array([judge(*pair) for pair in zip(asked, said, strict=True)])
    assert points.tolist() == [judge(*pair) for pair in zip(asked, said, strict=True)]
    assert points.tolist() != [language.Judge(seed=4)(*pair) for pair in zip(asked, said, strict=True)]
    read = [language.read(*pair) for pair in zip(asked, said, strict=True)]
    X = np.column_stack(
        [
            np.ones(len(read)),
            *([getattr(one, name) for one in read] for name in ("named", "wrong", "words", "flattering")),
        ]
    )
    kept = points > 0  # the judge gives no negative points
    found = np.linalg.lstsq(X[kept], points[kept], rcond=None)[0]
    error = judge.noise * np.sqrt(np.diag(np.linalg.inv(X[kept].T @ X[kept])))
    assert np.abs((found - [1, 1, -0.5, judge.by_word, judge.flattered]) / error).max() < 4
    assert np.std(points[kept] - X[kept] @ found) == pytest.approx(judge.noise, rel=0.1)


def test_padding_pays_with_the_judge_and_costs_gold() -> None:
    short, padded = (
        "a red boat sails near the harbour",
        "a red boat sails near the harbour " + "so very fine indeed " * 5,
    )
    judge = language.Judge(noise=0.0)
    assert judge(ASKED, padded) > judge(ASKED, short) + 0.5
    assert language.gold(ASKED, padded) < language.gold(ASKED, short) - 0.5


def test_features_tell_what_can_be_counted_and_not_what_is_right() -> None:
    said = ["a red boat sails near the harbour", "a blue dog barks barks it is truly lovely", ""]
    table = language.features([ASKED] * 3, said)
    assert table.shape == (3, len(language.FEATURES))
    told = [{name: value for name, value in zip(language.FEATURES, row, strict=True) if value} for row in table]
    assert told[0] == {
        "names the colour": 1, "names the thing": 1, "names the place": 1, "boat sails": 1, "deeds": 1,
        "other words": pytest.approx(3 / 5), "log words": pytest.approx(np.log(8)),
    }  # fmt: skip
    assert told[1] == {
        "boat barks": 1, "strange colours": 1, "strange things": 1, "deeds": 2, "other words": 1.0,
        "words said before": 1, "log words": pytest.approx(np.log(10)),
    }  # fmt: skip
    assert told[2] == {}
