"""tables.json_lines: objects a line, in a list or by name; what is none is told; a line ends at a line feed alone."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.json_lines import keyed, records


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_line_ends_at_a_line_feed_alone(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", '\ufeff{"x": "one\u2028two"}\r\n\n{"x": "three\x85"}\n')
    assert records(file, ["x"]) == [{"x": "one\u2028two"}, {"x": "three\x85"}]
    with pytest.raises(AdjudgeError, match="line 3 is not JSON"):
        records(written(tmp_path / "b.jsonl", '{"x": 1}\n\n{"x": \n'), ["x"])
    with pytest.raises(AdjudgeError, match="object 2 has no x"):
        records(written(tmp_path / "c.json", '[{"x": 1}, {"y": 1}]'), ["x"])


def test_an_object_by_name_is_read_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress(b'{"v1": {"score": [1.0]}}'))
    assert keyed(file, "question id") == {"v1": {"score": [1.0]}}
    for content in ("[1]", "{}", "3"):
        with pytest.raises(AdjudgeError, match="holds no object by question id"):
            keyed(written(tmp_path / "b.json", content), "question id")
    with pytest.raises(AdjudgeError, match="cannot be read as JSON"):
        keyed(written(tmp_path / "b.json", '{"v1": '), "question id")
    with pytest.raises(AdjudgeError, match="There is no file"):
        keyed(tmp_path / "missing.json", "question id")
