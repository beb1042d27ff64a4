"""Models are loaded and saved without a word on the screen, and what was set before is set again."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("transformers")

from huggingface_hub import utils as hub
from transformers.utils import logging

from adjudge.backends import pretrained
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
