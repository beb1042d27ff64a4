"""TRL's DPOTrainer with our objectives: its own losses where the objective is its own, and what it cannot be told."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.objectives import cdpo, dpo, ipo, rdpo, simpo
from adjudge.train import trl_adapter
from adjudge.train.trl_adapter import with_objective
from backends import tiny_model
from objectives import trl_side

STEPS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.save(tmp_path_factory.mktemp("model"), template=None, context=64)


@pytest.fixture(autouse=True)
def their_warnings() -> Iterator[None]:
    """What TRL, transformers and datasets deprecate in one another is not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def model_of(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def rows() -> Any:
    from datasets import Dataset

    words = ["red", "blue as the sea", "green", "a grey one", "white", "black and tall", "pink", "old gold"]
    made = [
        {
            "prompt": f"What is {word}? ",
            "chosen": word[::-1],
            "rejected": words[(at + 3) % 8] + "!",
            "sure": (0.5, 0.7, 0.9, 1.0)[at % 4],
            "times": float(at % 3),
            "turned": 0.1 * (at % 4),
            "lead": float(at),
        }
        for at, word in enumerate(words)
    ]
    return Dataset.from_list(made)


def settings(out: Path, **options: Any) -> Any:
    from trl import DPOConfig

    return DPOConfig(
        str(out), max_steps=STEPS, per_device_train_batch_size=4, logging_steps=1, report_to=[],
        save_strategy="no", bf16=False, use_cpu=True, gradient_checkpointing=False, disable_tqdm=True,
        **{"beta": 0.3, "learning_rate": 1e-2} | options,
    )  # fmt: skip


def run(kind: Any, folder: Path, out: Path, *, moved: float = 0.0, **options: Any) -> tuple[list[float], Any]:
    """Losses of the updates, and the trainer; `moved` is what happens to the model after it is read."""
    torch.manual_seed(0)
    model, tokenizer = model_of(folder)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(moved * torch.randn_like(weights))
    data = rows()
    trainer = kind(
        model=model, args=settings(out, **options), train_dataset=data, eval_dataset=data, processing_class=tokenizer
    )
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line], trainer


def theirs() -> Any:
    return trl_side.trainers()["DPOTrainer"]


@pytest.mark.parametrize("precomputed", [False, True])
def test_with_dpo_it_is_the_trainer_itself(folder: Path, tmp_path: Path, precomputed: bool) -> None:
    adapted = with_objective(theirs(), partial(dpo.loss, beta=0.3))
    first, plain = run(theirs(), folder, tmp_path, precompute_ref_log_probs=precomputed)
    second, trainer = run(adapted, folder, tmp_path, precompute_ref_log_probs=precomputed)
    assert len(first) == STEPS
    assert first[-1] < first[0] - 0.01
    assert second == pytest.approx(first, abs=1e-6)
    for mine, other in zip(trainer.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)
    figures = [dict(each.state.log_history[0]) for each in (plain, trainer)]
    assert figures[0]["rewards/margins"] == pytest.approx(figures[1]["rewards/margins"], abs=1e-6)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(plain.evaluate()["eval_loss"], abs=1e-6)


def test_the_reference_is_the_model_in_memory(folder: Path, tmp_path: Path) -> None:
    import math

    first, _ = run(theirs(), folder, tmp_path, moved=0.05)
    second, _ = run(with_objective(theirs(), partial(dpo.loss, beta=0.3)), folder, tmp_path, moved=0.05)
    assert second[0] == pytest.approx(math.log(2), abs=1e-6)
    assert abs(first[0] - math.log(2)) > 1e-3  # TRL's is what the folder says


def batches_of(loss: Callable[[Any], Any], folder: Path, out: Path, **columns: str) -> list[Any]:
    seen: list[Any] = []

    def watched(batch: Any) -> Any:
        seen.append(batch)
        return loss(batch)

    losses, _ = run(with_objective(theirs(), watched, **columns), folder, out)
    assert all(torch.isfinite(torch.tensor(losses)))
    return seen


def test_labels_reach_the_objective_beside_their_pairs(folder: Path, tmp_path: Path) -> None:
    seen = batches_of(
        partial(dpo.loss, beta=0.3), folder, tmp_path, preference="sure", weight="times", flip="turned", margin="lead"
    )
    data = {round(row["lead"]): row for row in rows()}
    for batch in seen:
        for at, lead in enumerate(batch.margin.round().int().tolist()):
            row = data[lead]
            assert batch.preference[at] == pytest.approx(row["sure"])
            assert batch.weight[at] == pytest.approx(row["times"])
            assert batch.flip[at] == pytest.approx(row["turned"])
            assert batch.chosen_length[at] == len(row["chosen"].encode()) + 1  # a code a letter, and the end
            assert batch.rejected_length[at] == len(row["rejected"].encode()) + 1
    torch.testing.assert_close(seen[0].log_ratio, torch.zeros(4), rtol=0, atol=1e-5)


def test_a_weight_counts_as_often_as_it_says(folder: Path, tmp_path: Path) -> None:
    seen: list[Any] = []

    def watched(batch: Any) -> Any:
        seen.append((batch, dpo.loss(batch, beta=0.3)))
        return seen[-1][1]

    losses, _ = run(with_objective(theirs(), watched, weight="times"), folder, tmp_path)
    for (batch, terms), told in zip(seen, losses, strict=True):
        assert told == pytest.approx((terms.sum() / batch.weight.sum()).item(), abs=1e-6)
    assert len({batch.weight.sum().item() for batch, _ in seen}) > 1


@pytest.mark.parametrize(
    ("loss", "columns"),
    [
        (partial(rdpo.loss, beta=0.3, cap=3.0), {"preference": "sure", "flip": "turned"}),
        (partial(cdpo.loss, beta=0.3), {"preference": "sure"}),
        (partial(ipo.loss, per_token=True), {"weight": "times"}),
        (simpo.loss, {}),
    ],
    ids=["rdpo", "cdpo", "ipo", "simpo"],
)
def test_others_descend_too(folder: Path, tmp_path: Path, loss: Any, columns: dict[str, str]) -> None:
    kind = with_objective(theirs(), loss, **columns)
    _, trainer = run(kind, folder, tmp_path, learning_rate=1e-3)
    _, still = run(kind, folder, tmp_path, learning_rate=1e-12)
    assert trainer.evaluate()["eval_loss"] < still.evaluate()["eval_loss"] - 0.01


def test_adapters_of_peft_are_switched_off_for_the_reference(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig

    model, tokenizer = model_of(folder)
    kind = with_objective(theirs(), partial(dpo.loss, beta=0.3), preference="sure")
    trainer = kind(
        model, args=settings(tmp_path), train_dataset=rows(), processing_class=tokenizer,
        peft_config=LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"),
    )  # fmt: skip
    assert trainer.ref_model is None
    trainer.train()
    assert trainer.state.log_history[0]["loss"] == pytest.approx(0.693147, abs=1e-5)


@pytest.mark.parametrize("option", [{"loss_type": ["ipo"]}, {"label_smoothing": 0.1}, {"use_weighting": True}])
def test_options_that_nobody_would_read_are_refused(folder: Path, tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(AdjudgeError, match=next(iter(option))):
        run(with_objective(theirs(), dpo.loss), folder, tmp_path, **option)


def test_a_row_without_its_number_is_named(folder: Path, tmp_path: Path) -> None:
    model, tokenizer = model_of(folder)
    data = rows().map(lambda row: {"sure": None if row["lead"] == 2 else row["sure"]})
    trainer = with_objective(theirs(), dpo.loss, preference="sure")(
        model, args=settings(tmp_path), train_dataset=data, processing_class=tokenizer
    )
    with pytest.raises(AdjudgeError, match="'sure'"):
        trainer.train()


def test_the_example_runs_as_it_stands(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trl

    example = re.search(r"^    from functools.*?(?=^\S)", inspect.getdoc(trl_adapter) or "", re.M | re.S)
    assert example
    model, tokenizer = model_of(folder)
    args = settings(tmp_path)
    monkeypatch.setattr(trl, "DPOConfig", lambda _: args)
    names: dict[str, Any] = {"model": model, "tokenizer": tokenizer, "rows": rows(), "folder": str(tmp_path)}
    exec(dedent(example.group()), names)
    assert names["trainer"].state.global_step == STEPS


def test_trl_is_imported_by_who_has_it() -> None:
    assert not re.search(r"^(import|from) trl", inspect.getsource(trl_adapter), re.M)
