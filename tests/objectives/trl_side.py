"""TRL's own loss code on given log-probabilities: its trainers' methods, called on stand-ins for trainer and model.

Version 1.16.0. What is called, by file of the package `trl`:

    trainer/dpo_trainer.py                 DPOTrainer._compute_loss
    trainer/kto_trainer.py                 KTOTrainer._compute_loss
    trainer/grpo_trainer.py                GRPOTrainer._compute_loss, ._generate_and_score_completions
    trainer/rloo_trainer.py                RLOOTrainer._compute_loss, ._generate_and_score_completions
    experimental/cpo/cpo_trainer.py        CPOTrainer.cpo_loss
    experimental/orpo/orpo_trainer.py      ORPOTrainer.get_batch_loss_metrics
    experimental/online_dpo/online_dpo_trainer.py   OnlineDPOTrainer.training_step

Nothing of it is copied: a stand-in has the attributes that the method reads, and a model that answers what it is told.
"""

from __future__ import annotations

import importlib
import warnings
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import torch

Tensor = torch.Tensor
MODULES = {
    "DPOTrainer": "trl.trainer.dpo_trainer",
    "KTOTrainer": "trl.trainer.kto_trainer",
    "GRPOTrainer": "trl.trainer.grpo_trainer",
    "RLOOTrainer": "trl.trainer.rloo_trainer",
    "CPOTrainer": "trl.experimental.cpo.cpo_trainer",
    "ORPOTrainer": "trl.experimental.orpo.orpo_trainer",
    "OnlineDPOTrainer": "trl.experimental.online_dpo.online_dpo_trainer",
}


def trainers() -> dict[str, Any]:
    """The trainers' classes; imports warn that they are experimental, and of what other packages deprecate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: getattr(importlib.import_module(module), name) for name, module in MODULES.items()}


def stand_in(**attributes: Any) -> SimpleNamespace:
    """A trainer on one device, in training, that gathers from nobody."""
    alone = SimpleNamespace(
        device=torch.device("cpu"),
        process_index=0,
        num_processes=1,
        gather=lambda value: value,
        gather_for_metrics=lambda value: value,
        reduce=lambda value, reduction: value,
    )
    common = {
        "accelerator": alone,
        "model": SimpleNamespace(training=True, is_gradient_checkpointing=False),
        "aux_loss_enabled": False,
        "_metrics": {"train": defaultdict(list)},
        "_total_train_tokens": 0,
        "_tp_size": 1,
        "precompute_ref_logps": True,
    }
    return SimpleNamespace(**(common | attributes))


def answering(tokens: Tensor) -> Any:
    """A model whose log-probabilities are those given, [rows, T]."""
    zero = torch.zeros_like(tokens)
    answer = SimpleNamespace(log_probs=tokens, entropy=zero, mean_logits=zero, is_top1=zero.bool())
    return lambda **_: answer


def shifted(mask: Tensor) -> Tensor:
    """A mask [rows, T] of responses as TRL has it: with a prompt of one token in front."""
    return torch.cat([torch.zeros_like(mask[:, :1]), mask], 1).long()


def dpo(
    classes: dict[str, Any],
    chosen: Tensor,
    rejected: Tensor,
    reference: tuple[Tensor, Tensor],
    masks: tuple[Tensor, Tensor],
    *,
    kinds: list[str],
    weights: list[float] | None = None,
    beta: float,
    smoothing: float = 0.0,
) -> Tensor:
    """[] mean loss of pairs, from tokens [b, T], reference totals [b] and masks [b, T]."""
    trainer = stand_in(
        ld_alpha=None,
        f_divergence_type="reverse_kl",
        loss_types=kinds,
        loss_weights=weights or [1.0] * len(kinds),
        beta=beta,
        label_smoothing=smoothing,
        use_weighting=False,
    )
    mask = shifted(torch.cat(masks))
    inputs = {
        "input_ids": torch.zeros_like(mask),
        "attention_mask": torch.ones_like(mask),
        "completion_mask": mask,
        "ref_chosen_logps": reference[0],
        "ref_rejected_logps": reference[1],
    }
    return classes["DPOTrainer"]._compute_loss(trainer, answering(torch.cat([chosen, rejected])), inputs, False)


def kto(
    classes: dict[str, Any],
    tokens: Tensor,
    reference: Tensor,
    mask: Tensor,
    label: Tensor,
    drift: tuple[Tensor, Tensor],
    *,
    beta: float,
    desirable: float,
    undesirable: float,
) -> Tensor:
    """[] mean loss of responses; `drift` is what policy and reference say of mismatched ones."""
    trainer = stand_in(
        calculate_KL=True,
        _compute_kl_logps=lambda model, batch: drift[0],
        loss_type="kto",
        beta=beta,
        desirable_weight=desirable,
        undesirable_weight=undesirable,
    )
    whole = shifted(mask)
    inputs = {
        "input_ids": torch.zeros_like(whole),
        "attention_mask": torch.ones_like(whole),
        "completion_mask": whole,
        "label": label,
        "ref_logps": reference,
        "ref_KL_logps": drift[1],
    }
    return classes["KTOTrainer"]._compute_loss(trainer, answering(tokens), inputs, False)


def cpo(
    classes: dict[str, Any],
    chosen: Tensor,
    rejected: Tensor,
    *,
    kind: str,
    beta: float,
    gamma: float = 0.0,
    shape: float = 0.0,
    smoothing: float = 0.0,
) -> Tensor:
    """[b] loss of pairs, from sums of log-probabilities, or means where the trainer takes these (ipo, simpo)."""
    trainer = stand_in(alpha=shape, loss_type=kind, beta=beta, simpo_gamma=gamma, label_smoothing=smoothing)
    return classes["CPOTrainer"].cpo_loss(trainer, chosen, rejected)[0]


def orpo(classes: dict[str, Any], logits: Tensor, ids: Tensor, *, beta: float) -> Tensor:
    """[] loss of one pair, from logits [2, 1 + T, V] of ids [2, 1 + T]: a prompt of one token and responses of T."""
    kind = classes["ORPOTrainer"]
    labels = ids.clone()
    labels[:, 0] = -100
    trainer = stand_in(beta=beta, is_encoder_decoder=False, padding_value=0)
    for name in ("concatenated_inputs", "get_batch_logps"):
        setattr(trainer, name, getattr(kind, name))
    for name in ("concatenated_forward", "odds_ratio_loss"):
        setattr(trainer, name, getattr(kind, name).__get__(trainer))
    sides = zip(("chosen", "rejected"), ids, labels, strict=True)
    batch = {
        f"{side}_{name}": value[None]
        for side, row, label in sides
        for name, value in (("input_ids", row), ("labels", label), ("attention_mask", torch.ones_like(row)))
    }
    return kind.get_batch_loss_metrics(trainer, lambda *_, **__: SimpleNamespace(logits=logits), batch)[0]


def online(
    classes: dict[str, Any], tokens: Tensor, reference: Tensor, mask: Tensor, reward: Tensor, *, kind: str, beta: float
) -> Tensor:
    """[] loss of one step on two responses to each prompt, [2b, T], the better one by reward."""
    seen: list[Tensor] = []
    trainer = stand_in(
        args=SimpleNamespace(
            use_vllm=False, missing_eos_penalty=None, loss_type=kind, torch_empty_cache_steps=None, optim="adamw_torch",
            n_gpu=1, gradient_accumulation_steps=1,
        ),
        beta=beta,
        eos_token_ids=[1],
        ref_model="reference",
        processing_class=SimpleNamespace(batch_decode=lambda ids, skip_special_tokens: [""] * len(ids)),
        reward_funcs=None,
        stats=defaultdict(list),
        _generate=lambda model, prompts, images: (None, None, torch.zeros_like(mask).long(), mask, None),
        _forward=lambda model, *_: reference if model == "reference" else tokens,
        _calculate_rewards_from_functions=lambda **_: reward,
    )  # fmt: skip
    trainer.accelerator.backward = seen.append
    model = SimpleNamespace(train=lambda: None)
    classes["OnlineDPOTrainer"].training_step(trainer, model, {"prompt": [""] * (len(mask) // 2)})
    return seen[0]


def gradient_loss(
    classes: dict[str, Any], name: str, tokens: Tensor, old: Tensor, mask: Tensor, advantage: Tensor, **options: Any
) -> Tensor:
    """[] loss of sampled responses, from tokens [b, T], of GRPOTrainer or RLOOTrainer."""
    settings = {
        "_get_per_token_logps_and_entropies": lambda *_, **__: (tokens, torch.zeros_like(tokens), None),
        "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None,
        "importance_sampling_level": "token",
        "beta": 0.0,
        "args": SimpleNamespace(use_bias_correction_kl=False, delta=None),
        "epsilon_low": 0.2,
        "epsilon_high": 0.28,
        "use_vllm": False,
        "current_gradient_accumulation_steps": 1,
        "_entropy_bonus_enabled": False,
    }
    inputs = {
        "prompt_ids": mask[:, :1].long(),
        "prompt_mask": mask[:, :1].long(),
        "completion_ids": mask.long(),
        "completion_mask": mask.long(),
        "advantages": advantage,
        "old_per_token_logps": old,
        "old_logps": (old * mask).sum(1),
    }
    return classes[name]._compute_loss(stand_in(**(settings | options)), None, inputs)


def advantages(
    classes: dict[str, Any], name: str, reward: Tensor, drift: Tensor, *, size: int, **options: Any
) -> Tensor:
    """[b] advantages that GRPOTrainer or RLOOTrainer gives rewards of responses to prompts with `size` each.

    `drift` [b] is log π/π_ref of each response, which only a `beta` above 0 asks for.
    """
    said = [[3, 1]] * len(reward)
    half = drift[:, None].expand(-1, 2) / 2
    settings = {
        "_generate": lambda prompts: (
            (said, said, said) if name == "RLOOTrainer" else (said, said, None, said, None, {}, None, None)
        ),
        "_get_per_token_logps_and_entropies": lambda model, *_, **__: (
            torch.zeros_like(half) if model == "reference" else half, None, None
        ),
        "_calculate_rewards": lambda *_: reward[:, None],
        "_tokenizer": SimpleNamespace(pad_token_id=0),
        "_logs": {"prompt": [], "completion": [], "rewards": defaultdict(list), "advantages": [], "extra": {}},
        "_pending_extra_logs": {},
        "_pending_metrics": {},
        "args": SimpleNamespace(
            per_device_train_batch_size=len(reward), gradient_checkpointing_kwargs=None, steps_per_generation=1,
            gradient_accumulation_steps=1,
        ),
        "beta": 0.0,
        "environment_factories": None,
        "environments": None,
        "tools": None,
        "mask_truncated_completions": False,
        "multi_objective_aggregation": "sum_then_normalize",
        "num_generations": size,
        "num_iterations": 1,
        "pad_to_multiple_of": None,
        "ref_model": "reference",
        "reward_clip_range": None,
        "reward_func_names": ["r"],
        "reward_funcs": [None],
        "reward_weights": torch.ones(1, dtype=reward.dtype),
        "scale_rewards": "group",
        "normalize_advantages": False,
        "use_vllm": False,
        "_image_pad_token_id": None,
        "_is_vlm": False,
    }  # fmt: skip
    trainer = stand_in(**(settings | options))
    return classes[name]._generate_and_score_completions(trainer, [{"prompt": ""}] * len(reward))["advantages"]
