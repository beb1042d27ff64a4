"""Models are loaded and saved without a word on the screen, and what was set before is set again."""

from __future__ import annotations

import logging as std
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

from huggingface_hub import utils as hub
from transformers.utils import logging

from adjudge.backends import embeddings, pretrained
from adjudge.errors import AdjudgeError
from adjudge.train import causal_lm, reward_head
from backends import tiny_model


def test_bars_come_back_as_they_were_even_after_an_error() -> None:
    before = logging.is_progress_bar_enabled(), hub.are_progress_bars_disabled()
    assert before == (True, False)
    with pretrained.unheard():
        assert not logging.is_progress_bar_enabled()
        assert not hub.are_progress_bars_disabled()  # a download may take minutes
    with pytest.raises(ZeroDivisionError), pretrained.unheard():
        _ = 1 / 0
    assert (logging.is_progress_bar_enabled(), hub.are_progress_bars_disabled()) == before
    logging.disable_progress_bar()
    try:
        with pretrained.unheard():
            pass
        assert not logging.is_progress_bar_enabled()
        assert hub.are_progress_bars_disabled()
    finally:
        logging.enable_progress_bar()


def test_weights_without_use_are_not_listed_and_missing_ones_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    monkeypatch.setattr(std.getLogger("transformers"), "propagate", True)
    folder = tiny_model.save(tmp_path / "model")
    embeddings.opened(folder)  # the head is not asked for
    assert not caplog.records
    with pretrained.unheard():
        kind: Any = transformers.AutoModelForSequenceClassification
        kind.from_pretrained(str(folder))
    assert "LOAD REPORT" in caplog.text
    assert "MISSING" in caplog.text
    assert not any(std.getLogger(name).filters for name in pretrained.SPEAKERS)


def test_new_tries_to_reach_the_hub_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    hub_log = std.getLogger("huggingface_hub.utils._http")
    hub_log.addHandler(caplog.handler)
    try:
        with pretrained.unheard():
            hub_log.warning("'no such name' thrown while requesting HEAD https://somewhere")
            hub_log.warning("Retrying in 8s [Retry 4/5].")
            hub_log.warning("Rate limited. Waiting 60s before retry [Retry 1/5].")
    finally:
        hub_log.removeHandler(caplog.handler)
    assert {record.getMessage()[:12] for record in caplog.records} == {"Rate limited"}


def test_a_folder_that_is_not_there_is_told_without_asking_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    for name in ("models/teeny", "./teeny", "../nowhere/teeny", str(tmp_path / "teeny")):
        with pytest.raises(AdjudgeError, match="no such folder"):
            pretrained.require_folder(name)
    with pytest.raises(AdjudgeError, match="models holds: tiny"):
        pretrained.require_folder("models/teeny")
    for name in ("models/tiny", "gpt2", "Qwen/Qwen3-0.6B"):
        pretrained.require_folder(name)


def test_the_version_decides_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    for version, word in (("4.45.2", "torch_dtype"), ("4.56.0", "dtype"), ("5.1.0.dev0", "dtype")):
        monkeypatch.setattr(transformers, "__version__", version)
        assert pretrained.of_type("float32") == {word: "float32"}


def test_nothing_is_said_when_models_are_written_and_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    folder = tiny_model.save(tmp_path / "model")
    capfd.readouterr()
    policy = causal_lm.load(folder)
    policy.save(tmp_path / "again")
    policy.load(tmp_path / "again")
    head = reward_head.tiny(["some words"], width=16, layers=1, vocabulary=300, context=16)
    (tmp_path / "head").mkdir()
    head.save(tmp_path / "head")
    head.load(tmp_path / "head")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
