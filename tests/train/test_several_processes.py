"""Two processes come where one comes: in what they descend on, and in what they sample and ask."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from adjudge.train.loop import train
from adjudge.train.settings import Settings
from train import loops
from train.loops import ToTruth, network, parameters


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have left what they did together."""
    folder = tmp_path_factory.mktemp("crew")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    place |= {"GLOO_SOCKET_IFNAME": "lo", "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(Path(__file__).parents[1])}
    both = [
        subprocess.Popen(
            [sys.executable, loops.__file__, "crew", str(folder)],
            env=os.environ | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [each.communicate(timeout=100)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    return folder


def test_two_processes_sample_and_ask_together_what_one_does(crew: Path, tmp_path: Path) -> None:
    """Draws are divided and the same; the reward is asked once; the reference by halves."""
    both = [torch.load(crew / f"made-{rank}.pt") for rank in range(2)]
    lines = (crew / "samples.jsonl").read_text()
    alone = loops.sampling(tmp_path)
    for made in both:
        for name in ("rollouts", "one", "duels", "pairs", "singles"):
            torch.testing.assert_close(made[name]["policy"], alone[name]["policy"], atol=1e-9, rtol=0)
            for line, own in zip(made[name]["history"], alone[name]["history"], strict=True):
                assert line == pytest.approx(own, abs=1e-8), name
        assert made["error"] == "The judge is gone."
    asked = [each["asked"] for each in both]
    assert [each["reward"] for each in asked] == [alone["asked"]["reward"], 0]
    assert [each["prefer"] for each in asked] == [alone["asked"]["prefer"], 0]
    whole = alone["asked"]["chances"]
    assert asked[0]["chances"] + asked[1]["chances"] < 1.5 * whole, "a policy that tells its own draws asks for all"
    assert max(each["chances"] for each in asked) < whole
    kept = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    for line, own in zip(map(json.loads, lines.splitlines()), kept, strict=True):
        assert {**line, "logp": 0, "kl": 0} == {**own, "logp": 0, "kl": 0}


def test_two_processes_come_where_one_comes(crew: Path) -> None:
    alone = network()
    settings = Settings(epochs=10, batch=5, lr=0.02, seed=11)
    done = train(alone, ToTruth(noise=0.3), settings, callbacks=[lambda m: "Enough." if m.step == 12 else None])
    for rank in range(2):
        for a, b in zip(torch.load(crew / f"parameters-{rank}.pt"), parameters(alone), strict=True):
            torch.testing.assert_close(a, b, atol=1e-12, rtol=0)
    kept = [json.loads(line) for line in (crew / "metrics.jsonl").read_text().splitlines()]
    for name in ("loss", "lr", "grad_norm", "tokens", "rows", "entropy"):
        alike = [[line[name] for line in lines] for lines in (kept, done.history)]
        np.testing.assert_allclose(*alike, atol=1e-12, err_msg=name)
    assert (crew / "checkpoint-000012" / "policy" / "module.pt").is_file()


def test_two_processes_carry_out_a_recipe_and_one_asks_writes_and_watches(crew: Path) -> None:
    first, second = (torch.load(crew / f"recipe-{rank}.pt") for rank in range(2))
    assert (first["steps"], second["steps"]) == (6, 6)
    assert torch.equal(first["logits"], second["logits"])
    assert (first["watched"], second["watched"]) == (True, False)
    assert first["asked"]["reward"] == 6 * 33 + 3 * 10, "a step's responses, and three looks at ten prompts"
    assert 0 < first["asked"]["gold"] <= 20
    assert second["asked"] == {"reward": 0, "gold": 0}
    lines = [json.loads(line) for line in (crew / "run" / "samples.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [step for step in (0, 3, 6) for _ in range(10)]
    assert (crew / "run" / "policy" / "logits.pt").is_file()
