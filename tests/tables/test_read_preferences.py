"""The door for preference data: each convention of the ecosystem, and what it refuses or tells."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read_preferences import read

PLAIN = [
    {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    {"prompt": "1+1?", "chosen": "2", "rejected": "I do not know"},
]


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_pairs_of_texts_from_every_kind_of_file(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(row) for row in PLAIN)
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pl.DataFrame(PLAIN).write_parquet(tmp_path / "c.parquet")
    for name in ("a.jsonl", "b.jsonl.gz", "c.parquet"):
        made = read(tmp_path / name)
        assert made.left_text == ("4", "2")
        assert made.prompt == ("2+2?", "1+1?")
        assert made.outcome.tolist() == [1.0, 1.0]
        assert made.length.tolist() == [[1, 1], [1, 4]]


def test_a_prompt_that_both_texts_begin_with_is_taken_off() -> None:
    shared = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: 2+2?\n\nAssistant:"
    made = read([{"chosen": f"{shared} 4", "rejected": f"{shared} 42"}])
    assert (made.prompt[0], made.left_text[0], made.right_text[0]) == (shared.strip(), "4", "42")


def test_messages_with_and_without_a_prompt() -> None:
    ask, right, wrong = message("user", "2+2?"), message("assistant", "4"), message("assistant", "5")
    for row in ({"prompt": [ask], "chosen": [right], "rejected": [wrong]},
                {"chosen": [ask, right], "rejected": [ask, wrong]}):  # fmt: skip
        made = read([row])
        assert (made.prompt, made.left_text, made.right_text) == (("2+2?",), ("4",), ("5",))


def test_a_ranked_list_is_every_pair_of_one_cluster() -> None:
    made = read([{"prompt": "a", "completions": ["x", "y", "z"], "ranks": [2, 1, 2]},
                 {"prompt": "b", "completions": ["u", "v"], "ranks": [1, None]}])  # fmt: skip
    assert list(zip(made.left_text, made.right_text, strict=True)) == [("x", "y"), ("x", "z"), ("y", "z")]
    assert made.outcome.tolist() == [0.0, 0.5, 1.0]
    assert made.cluster.tolist() == [0, 0, 0]
    scored = read([{"prompt": "a", "responses": ["x", "y"], "scores": [3.0, 7.5]}])
    assert (scored.outcome.tolist(), scored.margin.tolist(), scored.rating.tolist()) == ([0.0], [4.5], [[3.0, 7.5]])


def test_signed_strengths_say_who_is_better() -> None:
    rows = [{"prompt": p, "response_1": "a", "response_2": "b", "preference_strength": s}
            for p, s in (("i", -3), ("j", 0), ("k", 1), ("l", None))]  # fmt: skip
    made = read(rows)
    assert made.outcome.tolist()[:3] == [1.0, 0.5, 0.0]
    assert np.isnan(made.outcome[3])
    assert made.margin.tolist()[:3] == [3.0, 0.0, 1.0]


def test_verdicts_annotators_ratings_and_weights() -> None:
    made = read([
        {"prompt": "p", "response_a": "x", "response_b": "y", "winner": "tie", "annotator": "ann", "weight": 2,
         "response_a_score": 3, "response_b_score": 4},
        {"prompt": "p", "response_a": "x", "response_b": "z", "winner": "b", "annotator": "bob", "weight": 1,
         "response_a_score": 3, "response_b_score": None},
    ])  # fmt: skip
    assert made.outcome.tolist() == [0.5, 0.0]
    assert (made.sources, made.source.tolist(), made.weight.tolist()) == (("ann", "bob"), [0, 1], [2.0, 1.0])
    np.testing.assert_array_equal(made.rating, [[3, 4], [3, np.nan]])
    soft = read([{"chosen": "a", "rejected": "b", "sure": p} for p in (0.9, 0.7)], outcome="sure", flip=0.1)
    assert soft.outcome.tolist() == [0.9, 0.7]
    assert soft.flip.tolist() == [0.1, 0.1]


def test_a_response_alone_is_a_rating() -> None:
    made = read([{"prompt": "a", "completion": "x", "label": True}, {"prompt": "a", "completion": "y", "label": False}])
    assert made.rating[:, 0].tolist() == [1.0, 0.0]
    assert np.isnan(made.outcome).all()
    assert not made.compared.any()


def test_features_in_list_columns() -> None:
    made = read([{"chosen": "a", "rejected": "b", "chosen_features": [1.0, 2.0], "rejected_features": [0.0, 1.0]}])
    np.testing.assert_array_equal(made.difference, [[1.0, 1.0]])
    with pytest.raises(AdjudgeError, match="differ in length"):
        read([{"chosen": c, "rejected": "b", "chosen_features": f, "rejected_features": [0.0]}
              for c, f in (("a", [1.0]), ("c", [1.0, 2.0]))])  # fmt: skip


def test_what_is_odd_is_told_and_what_is_impossible_refused() -> None:
    made = read([{"chosen": "a", "rejected": "a"}, {"chosen": "a", "rejected": ""}])
    assert made.n == 1
    assert [finding.code for finding in made.findings] == ["responses-equal", "responses-empty"]
    assert made.row.tolist() == [0]
    with pytest.raises(AdjudgeError, match="no pair is left"):
        read([{"chosen": "a", "rejected": "a"}])
    with pytest.raises(AdjudgeError, match="No two columns hold responses"):
        read([{"prompt": "a", "text": "b"}])
    with pytest.raises(AdjudgeError, match="2 responses with 1 ranks"):
        read([{"prompt": "a", "completions": ["x", "y"], "ranks": [1]}])
    with pytest.raises(AdjudgeError, match="no cluster"):
        read([{"chosen": "a", "rejected": "b", "cluster": None}])


def test_prompts_alone_are_told_what_to_name_and_what_learns_from_them() -> None:
    with pytest.raises(AdjudgeError, match=r"--left and --right, in a recipe `left`.*`prefer` under \[feedback\]"):
        read({"prompt": ["a", "b"]})
