"""The policy at the end of a run: all of it, or what stood there before."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.train import checkpoint

from .loops import network, same


def test_a_policy_that_finds_no_room_at_the_end_leaves_what_stood_there(tmp_path: Path) -> None:
    place, policy = tmp_path / "policy", network()
    checkpoint.publish(place, policy)
    (place / "notes.txt").write_text("mine")
    before = (place / "module.pt").read_bytes()
    with torch.no_grad():
        next(policy.module.parameters()).add_(1.0)

    def full(folder: Path) -> None:
        (folder / "module.pt").write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    save, policy.save = policy.save, full
    with pytest.raises(AdjudgeError, match=r"policy as it ended.*No space left.*Room.*start the run again"):
        checkpoint.publish(place, policy)
    assert (place / "module.pt").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["policy"]
    policy.save = save
    checkpoint.publish(place, policy)
    kept = network()
    kept.load(place)
    assert same(kept, policy)
    assert (place / "notes.txt").read_text() == "mine"
