"""How many updates a weight of half precision rounds away: what is smaller than half a step of its own leaves no trace.

    w ← round(w − η·u) = w      where  η·|u| < |w|·2⁻⁹ (bfloat16)  or  |w|·2⁻¹² (float16)

AdamW moves each weight by about its rate, so that at usual rates most updates of bfloat16 weights vanish, and the loss
falls all the same, by those of the small weights. Limits: some numbers of each parameter are looked at, and an update
that is rounded but not lost counts as made.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from .policy import Tensor

APART = {torch.bfloat16: "bfloat16, 2⁻⁸ or more of itself", torch.float16: "float16, 2⁻¹¹ or more of itself"}
MANY = 0.1  # of the updates lost: the policy learns another thing than the loss says
LOOKED = 64  # numbers of a parameter


class Rounding:
    """Counts updates that left a weight of half precision as it was.

    Arguments:
        trained: all that is trained.
        precision: of the run.

    Errors: float16 for both, since gradients in float16 cannot be scaled.
    """

    def __init__(self, trained: Sequence[Tensor], precision: str) -> None:
        self._half = [each for each in trained if each.dtype in APART]
        if precision == "float16" and any(each.dtype == torch.float16 for each in self._half):
            raise AdjudgeError(
                'train: precision = "float16", and the weights are in float16 themselves.',
                "Weights in float32: gradients in float16 cannot be scaled.",
                'Load the policy with dtype = "float32".',
            )
        self._seen: list[tuple[Tensor, Tensor]] = []
        self._sums = torch.zeros(2, dtype=torch.int64)

    @property
    def counts(self) -> list[int]:
        """[lost, looked at] so far."""
        return list(self._sums.tolist())

    def restore(self, counts: Sequence[int]) -> None:
        """Takes over what an interrupted run had counted."""
        self._sums = torch.tensor(counts, dtype=torch.int64)

    def before(self) -> None:
        """Looks at the weights and their gradients."""
        self._seen = [(_some(each).clone(), _some(each.grad) != 0) for each in self._half if each.grad is not None]

    def after(self) -> None:
        """Counts weights that an update should have moved and did not."""
        now = (_some(each) for each in self._half if each.grad is not None)
        for (was, asked), new in zip(self._seen, now, strict=True):
            counts = torch.stack([(asked & (was == new)).sum(), asked.sum()])
            self._sums = self._sums.to(counts.device) + counts  # no wait for an accelerator

    def findings(self) -> tuple[Finding, ...]:
        """What was lost; nothing of weights in full precision."""
        lost, asked = self.counts
        if not asked:
            return ()
        kinds = " or of ".join(dict.fromkeys(APART[each.dtype] for each in self._half))
        return (
            Finding(
                "updates-rounded-away",
                Severity.WARNING if lost / asked > MANY else Severity.INFO,
                f"Each weight is a number of {kinds} from the next: {100 * lost / asked:.0f} % of {asked:,} updates "
                "of single weights that were looked at were too small to move them.",
                lost / asked,
                MANY,
                'Load the policy in float32 (dtype = "float32") and train with precision = "bfloat16": products are '
                "as fast, and no update is lost. Adapters do the same where memory is short.",
            ),
        )


def _some(values: Tensor) -> Tensor:
    """Some numbers of a tensor, always the same ones."""
    flat = values.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // LOOKED)]
