from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.train import causal_lm, lora
from adjudge.train.causal_lm import CausalLM
from adjudge.train.demonstrations import Demonstrations
from adjudge.train.loop import train
from adjudge.train.lora import Lora
from adjudge.train.policy import Exchange
from adjudge.train.settings import Settings

from . import tiny

SAID = [Exchange((3, 4, 5), (6, 7, 2)), Exchange((3, 4, 5), (8, 2)), Exchange((9, 3), (4, 4, 4))]


def policy(kind: str = "llama", **shape: Any) -> CausalLM:
    return CausalLM(lora.adapted(tiny.model(kind), Lora(3, **shape), seed=5), tiny.tokenizer())


def stepped(made: CausalLM) -> torch.Tensor:
    """Log-probabilities after one step of the optimiser."""
    trained = [weight for weight in made.module.parameters() if weight.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.05)
    made.chances(SAID).total.sum().backward()
    optimiser.step()
    return made.chances(SAID).logp.detach()


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_adapters_alone_are_trained_and_the_base_is_the_reference(kind: str) -> None:
    made, bare = policy(kind), CausalLM(tiny.model(kind), tiny.tokenizer())
    base = {name: weight.clone() for name, weight in made.module.named_parameters() if "lora" not in name}
    reference = made.reference()
    first = made.chances(SAID).logp.detach()
    assert torch.equal(first, bare.chances(SAID).logp)
    assert torch.equal(reference.chances(SAID).logp, first)
    assert not list(reference.module.parameters())  # no second copy
    moved = stepped(made)
    assert float((moved - first).abs().max()) > 1e-3
    after = reference.chances(SAID)
    assert torch.equal(after.logp, first)
    assert not after.logp.requires_grad
    for name, weight in made.module.named_parameters():
        assert ("lora" in name) == weight.requires_grad == (weight.grad is not None), name
        assert "lora" in name or torch.equal(weight, base[name])


def test_asking_the_reference_between_loss_and_gradient_loses_no_gradient() -> None:
    made = policy()
    base = made.reference()
    stepped(made)
    names = [name for name, weight in made.module.named_parameters() if weight.requires_grad]

    def gradient(ask: bool) -> list[torch.Tensor]:
        made.module.zero_grad()
        total = made.chances(SAID).total.sum()
        if ask:
            base.chances(SAID)
        total.backward()
        return [made.module.get_parameter(name).grad.clone() for name in names]  # type: ignore[union-attr]

    assert all(torch.equal(one, two) for one, two in zip(gradient(False), gradient(True), strict=True))


def test_the_reference_has_no_dropout_while_the_policy_has() -> None:
    made = policy("gpt2", dropout=0.5)  # which has dropout of its own
    reference = made.reference()
    first = reference.chances(SAID).logp
    stepped(made)
    made.module.train()
    state = torch.random.get_rng_state()
    assert torch.equal(reference.chances(SAID).logp, first)
    assert torch.equal(state, torch.random.get_rng_state())
    assert made.module.training
    assert not torch.equal(made.chances(SAID).logp, made.chances(SAID).logp)


def test_adapters_that_have_moved_are_copied() -> None:
    made = policy()
    moved = stepped(made)
    reference = made.reference()
    assert torch.equal(reference.chances(SAID).logp, moved)
    stepped(made)
    assert torch.equal(reference.chances(SAID).logp, moved)
    assert not any(weight.requires_grad for weight in reference.module.parameters())


def test_adapters_come_back_bit_by_bit(tmp_path: Path) -> None:
    CausalLM(tiny.model(), tiny.tokenizer()).save(tmp_path)
    made = causal_lm.load(tmp_path, device="cpu", lora=Lora(3), seed=5)
    kept = stepped(made)
    folder = tmp_path / "adapters"
    folder.mkdir()
    made.save(folder)
    assert (folder / "adapter_model.safetensors").is_file()
    stepped(made)
    made.load(folder)
    assert torch.equal(made.chances(SAID).logp, kept)
    other = causal_lm.load(folder, device="cpu")
    assert torch.equal(other.chances(SAID).logp, kept)
    assert any(weight.requires_grad for weight in other.module.parameters())


def test_a_scale_set_by_hand_is_published_with_the_adapters(tmp_path: Path) -> None:
    CausalLM(tiny.model(), tiny.tokenizer()).save(tmp_path)
    made = causal_lm.load(tmp_path, device="cpu", lora=Lora(3), seed=5)
    stepped(made)
    lora_layer(made, 1).set_scale("default", 0.25)
    (tmp_path / "adapters").mkdir()
    made.save(tmp_path / "adapters")
    other = causal_lm.load(tmp_path / "adapters", device="cpu")
    assert other.adapters == made.adapters
    assert torch.equal(other.chances(SAID).logp, made.chances(SAID).logp)


def lora_layer(made: CausalLM, number: int) -> Any:
    return [layer for layer in made.module.modules() if hasattr(layer, "set_scale")][number]


def test_one_seed_gives_one_adapter_and_touches_no_other_draw() -> None:
    state = torch.random.get_rng_state()
    one, two = policy(), policy()
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.module.parameters(), two.module.parameters(), strict=True))
    scale = lora.adapted(tiny.model(), Lora(2, scale=0.25)).peft_config["default"]
    assert scale.lora_alpha / scale.r == 0.25


def test_bad_shapes_are_told() -> None:
    with pytest.raises(AdjudgeError, match="A rank >= 1"):
        Lora(0)
    with pytest.raises(AdjudgeError, match=r"nowhere.*names of linear layers"):
        lora.adapted(tiny.model(), Lora(targets=("nowhere",)))


def test_a_reference_without_adapters_samples_as_the_base_does() -> None:
    made, bare = policy(), CausalLM(tiny.model(), tiny.tokenizer())
    reference = made.reference()
    stepped(made)
    drawn = [each.sample([(3, 4)], torch.Generator().manual_seed(1), n=7, max_tokens=9) for each in (reference, bare)]
    assert drawn[0].exchanges == drawn[1].exchanges


def test_a_run_that_goes_on_from_another_base_is_told(tmp_path: Path) -> None:
    """Adapters begin alike on every base: it is the frozen weights that tell."""

    def went(seed: int, steps: int) -> tuple[str, ...]:
        model = lora.adapted(tiny.model(seed=seed), Lora(3), seed=5)
        made = CausalLM(model, tiny.tokenizer())
        data = Demonstrations(("ab",) * 4, ("c", "d", "e", "f"), made)
        settings = Settings(steps=steps, batch=4, schedule="constant", checkpoint_every=1)
        return tuple(each.code for each in train(made, data, settings, out=tmp_path).findings)

    assert went(0, 1) == went(0, 2) == ()
    assert went(1, 3) == ("policy-not-as-begun",)


def test_a_run_goes_on_with_its_adapters_alone(tmp_path: Path) -> None:
    """A scale is no weight: set otherwise, it would change each further update without a word."""

    def went(steps: int, shape: Lora = Lora(3), factor: float = 1.0) -> None:  # noqa: B008 (frozen)
        made = CausalLM(lora.adapted(tiny.model(), shape, seed=5), tiny.tokenizer())
        if factor != 1:
            lora_layer(made, 0).set_scale("default", factor)
        data = Demonstrations(("ab",) * 4, ("c", "d", "e", "f"), made)
        settings = Settings(steps=steps, batch=4, schedule="constant", checkpoint_every=1)
        train(made, data, settings, out=tmp_path)

    went(1)
    went(2)
    scale, rank = r"rank 3, scale 2\.0", r"rank 4, scale 2\.0"
    for shape, factor, now in (
        (Lora(3), 0.5, r"rank 3, scale 1\.0, dropout 0\.0 of q_proj; " + scale),
        (Lora(3, scale=4.0), 1.0, r"rank 3, scale 4\.0"),
        (Lora(4), 1.0, rank),
        (Lora(3, targets=("q_proj", "gate_proj")), 1.0, scale + r", dropout 0\.0 of gate_proj, q_proj'"),
    ):
        with pytest.raises(AdjudgeError, match=rf"data.adapters = '{scale}.*is '{now}.* now") as error:
            went(3, shape, factor)
        assert "begin anew" in error.value.do
    went(3)


def test_adapters_of_other_layers_are_not_taken_over_in_silence(tmp_path: Path) -> None:
    made = CausalLM(lora.adapted(tiny.model(), Lora(3, targets=("q_proj",))), tiny.tokenizer())
    made.save(tmp_path)
    other = CausalLM(lora.adapted(tiny.model(), Lora(3, targets=("k_proj",))), tiny.tokenizer())
    with pytest.raises(AdjudgeError, match=r"q_proj|k_proj.*in one alone"):
        other.load(tmp_path)


def test_adapters_of_another_model_are_told(tmp_path: Path) -> None:
    CausalLM(tiny.model(), tiny.tokenizer()).save(tmp_path)
    (tmp_path / "adapters").mkdir()
    causal_lm.load(tmp_path, device="cpu", lora=Lora(3)).save(tmp_path / "adapters")
    CausalLM(tiny.model("gpt2"), tiny.tokenizer()).save(tmp_path)
    with pytest.raises(AdjudgeError, match="do not go onto the model"):
        causal_lm.load(tmp_path / "adapters", device="cpu")
    CausalLM(tiny.model(), tiny.tokenizer()).save(tmp_path)
    (tmp_path / "adapters" / "adapter_model.safetensors").write_bytes(b"cut")
    with pytest.raises(AdjudgeError, match="do not go onto the model"):
        causal_lm.load(tmp_path / "adapters", device="cpu")
