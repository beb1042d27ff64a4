"""What is told and kept where a loss is not a number: the rows that make it so, before they have spoilt a parameter."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import torch

from ..errors import AdjudgeError
from . import checkpoint
from .step import Step

if TYPE_CHECKING:
    from ._run import Run

FILE, SHOWN = "failed_batch.json", 5


def failure(run: Run, step: Step, parts: list[slice]) -> AdjudgeError:
    """The error to raise. The rows are written to `failed_batch.json` in the run's folder.

    Arguments:
        run: its parameters are those before the update.
        step: whose loss or gradient is not finite.
        parts: this process's share of it.
    """
    rows = [row for part in parts for row in range(part.start, part.stop)]
    bad = [row for row in rows if not _finite(run, step, row)]
    run.optimiser.zero_grad(set_to_none=True)
    what = "loss" if not math.isfinite(run.loss) else "gradient"
    number = run.loss if what == "loss" else run.norm
    shown = ", ".join(map(str, bad[:SHOWN])) + (", …" if len(bad) > SHOWN else "")
    where = f"by {len(bad):,} of its {step.n:,} rows ({shown})" if bad else f"by none of its {len(rows):,} rows alone"
    kept = "give `out` to have them kept"
    (anywhere,) = run.devices.total([len(bad)])
    if run.out is not None and (bad or (run.devices.main and not anywhere)):
        file = run.out / (FILE if run.devices.main else f"failed_batch-{run.devices.rank}.json")
        told = [{"row": row, **each} for row in bad or rows for each in step.rows(slice(row, row + 1))]
        text = json.dumps({"update": run.done + 1, what: str(number), "rows": told}, indent=1, default=str)
        file.write_text(text, encoding="utf-8")
        kept = f"read them in {file}"
    last = None if run.out is None else checkpoint.latest(run.out)
    return AdjudgeError(
        f"train: the {what} of update {run.done + 1:,} is {number}, made so {where}.",
        "A finite loss with a finite gradient; the update was not made.",
        f"Look at these rows ({kept}), or take a smaller lr or clip."
        + (f" The last good checkpoint is {last.name}." if last else ""),
    )


def _finite(run: Run, step: Step, row: int) -> bool:
    """Whether one row alone has a finite loss and gradient."""
    run.optimiser.zero_grad(set_to_none=True)
    part = slice(row, row + 1)
    with run.dice(part):
        with run.devices.autocast():
            loss = step.loss(run.policy, part)
        if not torch.isfinite(loss).all():
            return False
        if loss.requires_grad:
            torch.autograd.backward(loss)
    return all(each.grad is None or bool(torch.isfinite(each.grad).all()) for each in run.trained)
