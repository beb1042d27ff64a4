"""Where the loop computes: in one process or in several, in float32 or in half of it. Nothing else in `train/` knows.

    ∇L = Σ_processes Σ_parts ∇L_part

Each process takes its share of a step's rows; as the denominators are those of the whole step, gradients are added and
not averaged. Accelerate finds the processes (`accelerate launch`, `torchrun`) and brings them together; one process
alone needs no Accelerate and pays nothing. Sampling and the reference are divided too, and gathered before the first
part; a reward is asked by the first process alone, and told to all. Limits: each process holds the whole policy (no
sharding of weights).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch

from .._typing import FloatArray
from ..errors import AdjudgeError
from .policy import Tensor

Held = TypeVar("Held")

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
BUCKET = 1 << 25  # numbers that are sent at once: 128 MB in float32


def _processes() -> Any:
    """What Accelerate knows of the processes; None where there is one."""
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return None
    try:
        from accelerate import PartialState  # type: ignore[import-untyped]
    except ImportError as error:
        raise AdjudgeError(
            f"train: {os.environ['WORLD_SIZE']} processes were started, and Accelerate is not installed.",
            "Accelerate carries gradients from one to the other.",
            "pip install 'adjudge[torch]'",
        ) from error
    return PartialState(cpu=not torch.cuda.is_available())


def device() -> torch.device:
    """Where this process should hold its policy: its own accelerator where the machine has one, else the processor."""
    processes = _processes()
    if processes is not None:
        found: torch.device = processes.device
        return found
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pooled(sums: Mapping[str, float]) -> dict[str, float]:
    """Sums by name, added up over the processes. All must ask; a process may have none of a name."""
    if _processes() is None:
        return dict(sums)
    found: list[dict[str, float]] = [{} for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather_object(found, dict(sums))
    return {
        name: sum(each.get(name, 0.0) for each in found) for name in sorted({name for each in found for name in each})
    }


def place() -> tuple[int, int]:
    """(which process this is, of how many)."""
    processes = _processes()
    return (0, 1) if processes is None else (int(processes.process_index), int(processes.num_processes))


def share(n: int, rank: int, of: int) -> slice:
    """The rows of n that one of several processes has."""
    return slice(rank * n // of, (rank + 1) * n // of)


def gathered(each: Held) -> list[Held]:
    """What every process holds, in their order. All must ask."""
    if _processes() is None:
        return [each]
    found: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(found, each)
    return found


def summed(values: FloatArray) -> FloatArray:
    """Arrays of one shape, added up over the processes. All must ask."""
    processes = _processes()
    if processes is None:
        return values
    each = torch.as_tensor(values, device=processes.device)
    torch.distributed.all_reduce(each)
    return np.asarray(each.cpu().numpy())


def once(ask: Callable[[], Held]) -> Held:
    """What the first process is told, to all: a judge is paid once. All must ask.

    Errors: what the first process met, in all of them.
    """
    processes = _processes()
    if processes is None:
        return ask()
    box: list[Any] = [None, None]
    try:
        if processes.process_index == 0:
            box[0] = ask()
    except BaseException as problem:
        box[1] = problem if isinstance(problem, AdjudgeError) else f"{type(problem).__name__}: {problem}"
        raise
    finally:
        torch.distributed.broadcast_object_list(box, 0, device=processes.device)
    if isinstance(box[1], AdjudgeError):
        raise box[1]
    if box[1] is not None:
        raise AdjudgeError(f"train: the first process failed ({box[1]}).", "It answers for all.", "Read what it says.")
    found: Held = box[0]
    return found


class Devices:
    """One of several processes, or all of one.

    Arguments:
        module: what is trained, on the device where it shall be.
        precision: "float32", "bfloat16" or "float16".
    """

    def __init__(self, module: torch.nn.Module, precision: str) -> None:
        self._processes = _processes()
        self.rank, self.of = place()
        self.device = next((each.device for each in module.parameters()), torch.device("cpu"))
        self._half = HALVES.get(precision)
        self.scaler = torch.amp.GradScaler(self.device.type) if precision == "float16" else None
        self._scaled = False  # whether there was a gradient to take the scale off
        if self._processes is not None:
            for each in (*module.parameters(), *module.buffers()):
                torch.distributed.broadcast(each.data, 0)

    @property
    def main(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[object]:
        """Products of matrices in half precision, where that was asked for."""
        if self._half is None:
            return nullcontext()
        return torch.autocast(self.device.type, self._half)

    def parts(self, n: int, micro: int | None) -> list[slice]:
        """This process's share of n rows, in parts of at most `micro`."""
        own = share(n, self.rank, self.of)
        size = micro or max(1, own.stop - own.start)
        return [slice(at, min(at + size, own.stop)) for at in range(own.start, own.stop, size)]

    def backward(self, loss: Tensor) -> None:
        """Adds the gradient of a part; a loss that hangs on no parameter has none."""
        if loss.requires_grad:
            torch.autograd.backward(loss if self.scaler is None else self.scaler.scale(loss))

    def sum_gradients(self, trained: Sequence[Tensor], optimiser: torch.optim.Optimizer) -> None:
        """Adds up the gradients of all processes, and takes the scale of float16 off."""
        if self._processes is not None:
            for each in trained:
                each.grad = torch.zeros_like(each) if each.grad is None else each.grad
            for bucket in _buckets([each.grad for each in trained if each.grad is not None]):
                flat = torch.cat([each.reshape(-1) for each in bucket])
                torch.distributed.all_reduce(flat)
                for each, summed in zip(bucket, torch.split(flat, [each.numel() for each in bucket]), strict=True):
                    each.copy_(summed.view_as(each))
        self._scaled = self.scaler is not None and any(each.grad is not None for each in trained)
        if self.scaler is not None and self._scaled:
            self.scaler.unscale_(optimiser)

    def adapt(self) -> None:
        """Halves the scale of float16 after an overflow, and doubles it after many updates without one."""
        if self.scaler is not None and self._scaled:
            self.scaler.update()

    def total(self, numbers: Sequence[float]) -> list[float]:
        """Sums of numbers over the processes."""
        if self._processes is None:
            return list(numbers)
        each = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(each)
        return list(each.tolist())

    def said(self, text: str | None) -> str | None:
        """What the writing process said, to all."""
        if self._processes is None:
            return text
        box = [text]
        torch.distributed.broadcast_object_list(box, 0, device=self.device)
        return box[0]

    def wait(self) -> None:
        """Until all are here."""
        if self._processes is not None:
            self._processes.wait_for_everyone()


def _buckets(gradients: Iterable[Tensor]) -> Iterable[list[Tensor]]:
    """Gradients of one type side by side, a bucket full at a time."""
    bucket: list[Tensor] = []
    for each in gradients:
        if bucket and (each.dtype != bucket[0].dtype or sum(one.numel() for one in bucket) + each.numel() > BUCKET):
            yield bucket
            bucket = []
        bucket.append(each)
    if bucket:
        yield bucket
