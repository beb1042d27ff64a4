"""Lines of metrics: whole, cut back where a run goes on, and the same for TensorBoard."""

from __future__ import annotations

import builtins
import errno
import json
import math
import os
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.train import metrics
from adjudge.train.metrics import Journal


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder / "tensorboard"))
    read.Reload()
    return {name: [(each.step, each.value) for each in read.Scalars(name)] for name in read.Tags()["scalars"]}


def wrote(folder: Path | None, steps: range, *, of: int = 0) -> Journal:
    journal = Journal(folder, of)
    for step in steps:
        journal.write({"step": step, "loss": step / 7, "grad_norm": 0.5})
    return journal


def test_lines_and_curves_say_the_same(tmp_path: Path) -> None:
    journal = wrote(tmp_path, range(1, 6))
    assert lines(tmp_path) == list(journal.history), "before it is closed"
    journal.close()
    drawn = curves(tmp_path)
    assert set(drawn) == {"loss", "grad_norm"}
    assert drawn["loss"] == [(step, pytest.approx(step / 7, rel=1e-6)) for step in range(1, 6)]
    assert metrics.read(tmp_path) == journal.history
    assert journal.findings == ()


def test_it_is_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    wrote(tmp_path, range(1, 8)).close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 8, "lo')  # killed while it wrote
    journal = wrote(tmp_path, range(5, 7), of=4)
    journal.close()
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in journal.history] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in curves(tmp_path)["loss"]] == [1, 2, 3, 4, 5, 6]


def test_what_is_not_a_number_is_null_in_the_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    journal.write({"step": 1, "loss": math.nan})
    journal.close()
    assert lines(tmp_path) == [{"step": 1, "loss": None}]
    (back,) = metrics.read(tmp_path)
    assert math.isnan(back["loss"])


def test_without_a_folder_it_remembers() -> None:
    assert [line["step"] for line in wrote(None, range(1, 4)).history] == [1, 2, 3]


def test_without_tensorboard_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name, *rest):
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    journal = wrote(tmp_path, range(1, 3))
    journal.close()
    assert [finding.code for finding in journal.findings] == ["tensorboard-absent"]
    assert len(lines(tmp_path)) == 2
    assert not (tmp_path / "tensorboard").exists()


def test_a_folder_without_a_run_has_no_lines(tmp_path: Path) -> None:
    assert metrics.read(tmp_path) == ()


@pytest.mark.parametrize(
    "spoilt", [b"[1]\n", b"3\n", b"null\n", b'{"loss": 1}\n', b'{"step": "x"}\n', b"\xff\xfe\n", b"\0\0"]
)
def test_what_a_crash_has_spoilt_is_left_out(tmp_path: Path, spoilt: bytes) -> None:
    wrote(tmp_path, range(1, 4)).close()
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(spoilt)
    assert len(metrics.read(tmp_path)) == 3
    wrote(tmp_path, range(4, 5), of=3).close()
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3, 4]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    journal._file.close()
    journal._file = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 (the journal closes it)
    with pytest.raises(AdjudgeError, match=r"metrics\.jsonl could not be written: No space"):
        journal.write({"step": 1, "loss": 0.5})
    journal.close()


def test_a_full_disk_at_the_beginning_is_told_and_leaves_the_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote(tmp_path, range(1, 4)).close()

    def full(*given: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(AdjudgeError, match=r"metrics\.jsonl could not be written: No space"):
        Journal(tmp_path, 3)
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]
