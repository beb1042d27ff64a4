"""Lets TRL's DPOTrainer train by any objective on pairs, with soft labels, weights, flip rates and margins by row.

    L = Σ_i ℓ_i / Σ_i ω_i + what TRL adds for routers,      over a batch of one device

All else stays TRL's: data, tokens, PEFT, logging, checkpoints, devices. Its list of losses is emptied and ours is
added to what is left, so that its one forward pass and its metrics serve. A reference that nobody gave is a copy of the
model in memory; TRL alone reads one from the model's folder, whatever has happened to the model since. With the names
`model`, `tokenizer`, `rows` (a dataset of prompt, chosen, rejected and sure) and `folder`:

    from functools import partial
    from trl import DPOConfig, DPOTrainer
    from adjudge.objectives import rdpo
    from adjudge.train.trl_adapter import with_objective

    trainer_of = with_objective(DPOTrainer, partial(rdpo.loss, beta=0.1, rate=0.2), preference="sure")
    trainer = trainer_of(model, args=DPOConfig(folder), train_dataset=rows, processing_class=tokenizer)
    trainer.train()

Limits: objectives on pairs alone, and not those that ask for fresh responses (objectives.hypo) or the start of a step
(objectives.nash_md starts from the reference here); text alone. Where gradients are accumulated each batch counts
alike, as TRL's batches do, whatever its weights. Made for TRL 1.16, whose method `_compute_loss` is no promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch

from ..errors import AdjudgeError
from ..tables.pair_batch import PairBatch
from .policy import Tensor

_MARK = "objective_"  # in front of the columns in a batch, so that none is taken for a model's own
_Trainer: Any = object  # what TRL calls by that name comes with the class that is made
_OWN = (("loss_type", ["sigmoid"]), ("label_smoothing", 0.0), ("use_weighting", False), ("ld_alpha", None),
        ("f_divergence_type", "reverse_kl"))  # fmt: skip


def with_objective(
    trainer: Any,
    loss: Callable[[PairBatch], Tensor],
    *,
    preference: str = "",
    weight: str = "",
    flip: str = "",
    margin: str = "",
) -> Any:
    """A trainer like TRL's, of another loss.

    Arguments:
        trainer: TRL's class DPOTrainer, or one of its heirs.
        loss: of a PairBatch, [b] of each pair times its weight: an objective of `adjudge.objectives`, with its options
            bound by functools.partial.
        preference, weight, flip, margin: columns of the dataset with what `PairBatch` says of them, numbers in each
            row; "" for none.

    Errors, when it is made or used: an option of TRL's that would change its own loss, as nobody would read it; a row
    without its number.
    """
    given = {"preference": preference, "weight": weight, "flip": flip, "margin": margin}
    columns = {field: name for field, name in given.items() if name}
    own = {"objective": staticmethod(loss), "columns": columns, "__doc__": _WithObjective.__doc__}
    return type(f"{trainer.__name__}WithObjective", (_WithObjective, trainer), own)


class _WithObjective(_Trainer):  # type: ignore[misc]
    """DPOTrainer with an objective of Adjudge."""

    objective: Callable[[PairBatch], Tensor]
    columns: Mapping[str, str]
    data_collator: Any
    precompute_ref_logps: Any
    _signature_columns: Any

    def __init__(
        self,
        model: Any,
        ref_model: Any = None,
        args: Any = None,
        data_collator: Any = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        compute_metrics: Any = None,
        callbacks: Any = None,
        optimizers: Any = None,
        quantization_config: Any = None,
        peft_config: Any = None,
    ) -> None:
        _check(args)
        if ref_model is None and peft_config is None and _copied(model, args):
            ref_model = deepcopy(model)
        options = {
            "args": args,
            "data_collator": data_collator,
            "train_dataset": train_dataset,
            "eval_dataset": eval_dataset,
            "processing_class": processing_class,
            "compute_metrics": compute_metrics,
            "callbacks": callbacks,
            "optimizers": optimizers,
            "quantization_config": quantization_config,
            "peft_config": peft_config,
        }
        super().__init__(model, ref_model, **{name: one for name, one in options.items() if one is not None})
        self.loss_types: list[str] = []
        self.loss_weights: list[float] = []
        self.data_collator = _Collator(self.data_collator, self.columns)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *self.columns.values()]))

    def compute_ref_log_probs(self, model: Any, inputs: Mapping[str, Any]) -> Any:
        """Of the reference, which does not read labels."""
        return super().compute_ref_log_probs(model, _unmarked(inputs))

    def _compute_loss(self, model: Any, inputs: Mapping[str, Any], return_outputs: bool) -> Any:
        known, plain = self.precompute_ref_logps, _unmarked(inputs)
        if not known:
            first, second = self.compute_ref_log_probs(self.ref_model or self.model, plain)
            plain |= {"ref_chosen_logps": first, "ref_rejected_logps": second}
        seen: list[Any] = []
        hook = model.register_forward_hook(lambda _, __, output: seen.append(output))
        self.precompute_ref_logps = True
        try:
            rest = super()._compute_loss(model, plain, return_outputs)
        finally:
            self.precompute_ref_logps = known
            hook.remove()
        batch = _pairs(seen[0].log_probs, plain, inputs)
        terms = self.objective(batch)
        ours = terms.mean() if batch.weight is None else terms.sum() / batch.weight.sum().clamp(min=1e-12)
        return (ours + rest[0], rest[1]) if return_outputs else ours + rest


class _Collator:
    """TRL's collator, and numbers of each row beside what it makes."""

    def __init__(self, inner: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]], columns: Mapping[str, str]):
        self.inner = inner
        self.columns = columns

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        made = self.inner(rows)
        for field, name in self.columns.items():
            values = [row.get(name) for row in rows]
            if any(value is None or value != value for value in values):
                raise AdjudgeError(
                    f"trl_adapter: column {name!r} has no number in some row.",
                    f"A number for `{field}` in each row of the dataset.",
                    "Fill it in (1 for preference and weight, 0 for flip), or drop those rows.",
                )
            made[_MARK + field] = torch.tensor(values, dtype=torch.float32)
        return made


def _check(args: Any) -> None:
    """Errors: an option that would change the loss that is not used."""
    for name, usual in _OWN:
        value = getattr(args, name, usual)
        if value not in (usual, *(usual if isinstance(usual, list) else ())):
            raise AdjudgeError(
                f"trl_adapter: {name} = {value!r}, which belongs to TRL's own loss.",
                "The objective alone says what is descended on.",
                f"Leave {name} out; bind the objective's options with functools.partial.",
            )


def _copied(model: Any, args: Any) -> bool:
    """Whether the reference must be a copy: TRL's own is exact where it reads both models, switches adapters off, or
    asks the model itself beforehand."""
    return not (
        isinstance(model, str) or hasattr(model, "peft_config") or getattr(args, "precompute_ref_log_probs", False)
    )


def _unmarked(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if not name.startswith(_MARK)}


def _pairs(tokens: Tensor, plain: Mapping[str, Any], inputs: Mapping[str, Any]) -> PairBatch:
    """A batch as objectives read it, from log-probabilities of codes, 0 where they are not of a response."""
    mask = plain["completion_mask"][:, 1:]
    chosen, rejected = tokens[:, -mask.shape[1] :].sum(1).chunk(2)
    lengths = mask.sum(1).clamp(min=1).to(chosen.dtype).chunk(2)
    labels = {name.removeprefix(_MARK): inputs[name].to(chosen.dtype) for name in inputs if name.startswith(_MARK)}
    return PairBatch(chosen, rejected, plain["ref_chosen_logps"], plain["ref_rejected_logps"], *lengths, **labels)
