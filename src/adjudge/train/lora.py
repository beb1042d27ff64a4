"""Trains a few thin matrices beside the frozen weights of a language model (LoRA), through PEFT.

    W x  ->  W x + s B A x,      A ∈ ℝ^{r×d}, B = 0 at the beginning

Hu, Shen, Wallis et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models. With B = 0 the policy is the base
model, which serves as its reference at no memory. Limits: adapters of linear layers alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError

from ..backends.dropout import without_dropout
from ..errors import AdjudgeError
from .policy import Tensor


@dataclass(frozen=True, slots=True)
class Lora:
    """Shape of the adapters.

    Arguments:
        rank: r, >= 1.
        scale: s, > 0.
        dropout: of what enters an adapter while dropout is on, in [0, 1).
        targets: names of the layers that get one, such as "q_proj"; all linear layers but the head where ().
    """

    rank: int = 16
    scale: float = 2.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rank < 1 or self.scale <= 0 or not 0 <= self.dropout < 1:
            raise AdjudgeError(f"lora: {self}.", "A rank >= 1, a scale > 0, a dropout in [0, 1).", "Change it.")


def adapted(model: Any, lora: Lora, *, seed: int = 0) -> Any:
    """The model with fresh adapters, which alone are trained. The model itself is changed.

    Arguments:
        model: causal model of Hugging Face.
        lora: shape of the adapters.
        seed: of A.

    Errors: without peft, and for targets that the model has not.
    """
    peft = _peft()
    settings = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.scale * lora.rank,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) or "all-linear",
    )
    devices = [model.device] if model.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices), warnings.catch_warnings(action="ignore"):
            torch.manual_seed(seed)
            return peft.get_peft_model(
                model, settings
            ).eval()  # warns of GPT-2's transposed weights, which it then minds
    except ValueError as problem:
        raise AdjudgeError(
            f"lora: {' '.join(str(problem).split())[:300]}",
            "Targets that are names of linear layers of the model.",
            "Leave `targets` empty for all of them.",
        ) from None


def is_adapted(model: Any) -> bool:
    """Whether the model carries adapters of PEFT."""
    return hasattr(model, "peft_config") and hasattr(model, "disable_adapter")


def is_fresh(model: Any) -> bool:
    """Whether the adapters change nothing yet: every B is 0."""
    seconds = [value for name, value in model.named_parameters() if "lora_B" in name]
    others = [name for name, _ in model.named_parameters() if "lora_embedding" in name or "modules_to_save" in name]
    return bool(seconds) and not others and not any(bool(value.any()) for value in seconds)


def read(model: Any, folder: Any, *, trainable: bool = True) -> Any:
    """The model with the adapters of a folder. Errors: they are of another model."""
    peft = _peft()
    try:
        with (
            torch.random.fork_rng(devices=[]),
            warnings.catch_warnings(action="ignore"),
        ):  # names that transformers gives up
            return peft.PeftModel.from_pretrained(model, folder, is_trainable=trainable).eval()
    except (OSError, RuntimeError, ValueError, SafetensorError) as problem:
        raise AdjudgeError(
            f"lora: the adapters of {folder} do not go onto the model: {' '.join(str(problem).split())[:300]}",
            "Whole files, and the model that they were trained on, whose name stands in adapter_config.json.",
            "Put that model back in its place, or train new adapters.",
        ) from None


def take_over(model: Any, folder: Any) -> None:
    """Adapters of a folder, into a model that has the like. Errors: it has them in other layers."""
    peft = _peft()
    held = peft.load_peft_weights(str(folder), device="cpu")
    own = peft.get_peft_model_state_dict(model, save_embedding_layers=False)
    if set(held) != set(own):
        name = min(set(held) ^ set(own))
        raise AdjudgeError(
            f"lora: {folder} has {len(held):,} weights of adapters and the model {len(own):,}; {name} is in one alone.",
            "Adapters of the same layers.",
            "Make the policy with the targets that the folder was written with.",
        )
    peft.set_peft_model_state_dict(model, held)


def write(model: Any, folder: Any) -> None:
    """Adapters to a folder. A scale that was set by hand is written too: it stands in no weight."""
    for where, layer, adapter in _layers(model):
        settings = model.peft_config[adapter]
        alpha = layer.scaling[adapter] * layer.r[adapter] ** (0.5 if settings.use_rslora else 1)
        if alpha != layer.lora_alpha[adapter]:
            settings.alpha_pattern[where.removeprefix("base_model.model.")] = alpha
    model.save_pretrained(folder, save_embedding_layers=False)


def told(model: Any) -> str:
    """Rank, scale and dropout of the adapters as they are now, and the layers that have them; "" for none.

    A run goes on with the same alone: a scale leaves no trace among the weights, yet each update hangs on it.
    """
    layers: dict[str, set[str]] = {}
    for name, layer, adapter in _layers(model):
        dropout = getattr(layer.lora_dropout[adapter], "p", 0.0)
        shape = f"rank {layer.r[adapter]}, scale {layer.scaling[adapter]}, dropout {dropout}"
        layers.setdefault(shape, set()).add(name.rpartition(".")[2])
    return "; ".join(f"{shape} of {', '.join(sorted(names))}" for shape, names in sorted(layers.items()))


def _layers(model: Any) -> Iterator[tuple[str, Any, str]]:
    """(name, layer, name of the adapter) of each adapter that is on."""
    from peft.tuners.lora import LoraLayer

    for name, layer in model.named_modules():
        if isinstance(layer, LoraLayer):
            yield from ((name, layer, adapter) for adapter in layer.active_adapters if adapter in layer.scaling)


class WithoutAdapters(torch.nn.Module):
    """The base model under adapters: the same weights, never trained, always without dropout.

    Arguments:
        model: of PEFT; it is held, not owned, so that nothing done to this module reaches it.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._held = (model,)
        self.eval()

    @torch.no_grad()
    def forward(
        self,
        input_ids: Tensor,
        *,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool = False,
    ) -> Any:
        """What the base model gives."""
        (model,) = self._held
        named = {"attention_mask": attention_mask, "position_ids": position_ids, "past_key_values": past_key_values}
        given = {name: value for name, value in named.items() if value is not None}
        with without_dropout(model), model.disable_adapter():
            return model(input_ids=input_ids, use_cache=use_cache, **given)


def _peft() -> Any:
    try:
        import peft
    except ModuleNotFoundError as problem:
        raise AdjudgeError(
            f"The package `{problem.name}` is not installed.", "LoRA runs on peft.", "pip install 'adjudge[torch]'"
        ) from None
    return peft
