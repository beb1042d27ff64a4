"""Files are written whole, and never over an input."""

import hashlib
import os
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.reports import files
from adjudge.reports.files import write


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    write(path, "whole")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fdopen", full)
    with pytest.raises(AdjudgeError, match="No space left"):
        write(path, "half")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    assert write(tmp_path / "a", b"x").stat().st_mode == ordinary.stat().st_mode


@pytest.mark.parametrize("way", ["same", "relative", "symbolic", "hard"])
def test_an_input_is_never_overwritten(tmp_path: Path, way: str) -> None:
    source = tmp_path / "ratings.csv"
    source.write_text("policy,score\n")
    output = {"same": source, "relative": tmp_path / "." / "sub" / ".." / "ratings.csv"}.get(way, tmp_path / "link")
    (tmp_path / "sub").mkdir()
    if way == "symbolic":
        output.symlink_to(source)
    if way == "hard":
        output.hardlink_to(source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(AdjudgeError) as caught:
        write(output, "gone", inputs=[tmp_path / "other.csv", source])
    assert caught.value.found
    assert caught.value.expected
    assert caught.value.do
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest


def test_a_link_is_written_through_and_a_pipe_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write(tmp_path / "pipe", "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "link", "pipe"]


def test_a_missing_folder_is_an_error_in_three_parts(tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError, match="cannot be written"):
        write(tmp_path / "no" / "where.json", "x")
