"""What stays behind while a policy moves: log π_ref of the data, known once or asked each time.

    log π_ref(y|x),      π_ref = the policy as it stood in memory before the first update

A reference read back from disk need not be the policy that is trained: other precision, other weights, other dropout.
Here it is that policy, so that the first loss of DPO is log 2. Precomputed, it costs one pass and no second model.
Limits: what is precomputed holds for the data's own responses; fresh ones need a live reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch

from .._typing import FloatArray, IntArray
from ..backends.dropout import without_dropout
from ..errors import AdjudgeError
from ..stats.arrays import plain
from . import devices
from .policy import Exchange, Policy, Tensor

KINDS = ("precomputed", "live")


class Reference:
    """log π_ref of exchanges that are known beforehand.

    Arguments:
        given: "precomputed", "live", a policy of one's own (then precomputed by it), or None for 0 everywhere.
        exchanges: of the data, as the policy that is trained encodes them.
        batch: exchanges asked at once where they are precomputed, >= 1.

    Errors: an unknown word.
    """

    def __init__(self, given: str | Policy | None, exchanges: Sequence[Exchange], *, batch: int) -> None:
        if isinstance(given, str) and given not in KINDS:
            raise AdjudgeError(f"train.reference = {given!r}.", f"One of {', '.join(KINDS)}.", "Use 'precomputed'.")
        self.given = given
        self._exchanges = exchanges
        self._batch = batch
        self._known: FloatArray | None = None
        self._live: Policy | None = None
        self._restored = False

    def warm_up(self, policy: Policy, progress: object = None) -> None:
        """Asks the reference about the data, or copies it; what was just restored is not asked again."""
        restored, self._restored = self._restored, False
        if self.given is None or restored:
            return
        if self.given == "live":
            self._live = policy.reference()
            return
        self._known = totals(policy if isinstance(self.given, str) else self.given, self._exchanges, self._batch,
                             progress)  # fmt: skip

    def at(self, rows: IntArray, like: Tensor) -> Tensor:
        """[b] log π_ref of some of the exchanges, of the kind of another tensor. Errors: nobody warmed up."""
        if self.given is None:
            return torch.zeros_like(like)
        if self._live is not None:
            with torch.no_grad(), without_dropout(self._live.module):
                return self._live.chances([self._exchanges[row] for row in rows]).total.detach()
        if self._known is None:
            raise AdjudgeError(
                "train: the reference was not asked before the first step.", "warm_up comes first.", "Call it once."
            )
        return torch.as_tensor(self._known[rows], dtype=like.dtype, device=like.device)

    def state(self) -> dict[str, object]:
        """What was precomputed."""
        return {} if self._known is None else {"reference": self._known}

    def restore(self, state: Mapping[str, object]) -> None:
        """Takes over what was precomputed. Errors: it was for other data."""
        if "reference" not in state:
            return
        known = np.asarray(state["reference"], dtype=float)
        if known.shape != (len(self._exchanges),):
            raise AdjudgeError(
                f"The checkpoint's reference knows {known.size:,} responses; the data have {len(self._exchanges):,}.",
                "A run goes on with the data with which it began.",
                "Give the same data, or begin in another folder.",
            )
        self._known, self._restored = known, True


class Referred:
    """A recipe on data that are there already: all that it keeps beside them is what the reference says of them."""

    updates = 1
    reference: Reference

    def warm_up(self, policy: Policy, progress: object = None) -> None:
        """Asks or copies the reference."""
        self.reference.warm_up(policy, progress)

    def state(self) -> Mapping[str, object]:
        """The reference's log-probabilities, where they are precomputed."""
        return self.reference.state()

    def restore(self, state: Mapping[str, object]) -> None:
        """Takes them over."""
        self.reference.restore(state)


def kept(asked: bool | Policy, policy: Policy) -> Policy | None:
    """The reference of a recipe that samples: a frozen copy of the policy, one of one's own, or none where False."""
    if isinstance(asked, bool):
        return policy.reference() if asked else None
    return asked


def totals(
    policy: Policy, exchanges: Sequence[Exchange], batch: int, progress: object = None, *, temperature: float = 1.0
) -> FloatArray:
    """[n] log π(y|x) without a gradient, those of like length asked together.

    Arguments:
        policy: as it is now.
        exchanges: n of them.
        batch: asked at once.
        progress: called with (done, n) after each batch, where it can be called.
        temperature: > 0.

    Several processes share the batches, and all must ask.
    """
    known = np.zeros(len(exchanges))
    told: Callable[[int, int], object] | None = progress if callable(progress) else None
    done = 0
    rank, of = devices.place()
    with torch.no_grad(), without_dropout(policy.module):
        for number, rows in enumerate(_alike(exchanges, batch)):
            done += rows.size
            if number % of != rank:
                continue
            known[rows] = plain(policy.chances([exchanges[row] for row in rows], temperature=temperature).total)
            if told is not None:
                told(done, len(exchanges))
    return devices.summed(known)


def token_chances(
    policy: Policy, exchanges: Sequence[Exchange], batch: int, temperature: float
) -> tuple[FloatArray, FloatArray]:
    """([n, T] log π of each code, [n, T] mask) without a gradient; arguments as of `totals`."""
    width = max(1, *(len(one.response) for one in exchanges))
    both = np.zeros((2, len(exchanges), width))
    logp, mask = both
    rank, of = devices.place()
    with torch.no_grad(), without_dropout(policy.module):
        for number, rows in enumerate(_alike(exchanges, batch)):
            if number % of != rank:
                continue
            found = policy.chances([exchanges[row] for row in rows], temperature=temperature)
            wide = min(width, found.logp.shape[1])
            logp[rows, :wide], mask[rows, :wide] = plain(found.logp)[:, :wide], plain(found.mask)[:, :wide]
    logp, mask = devices.summed(both)
    return logp, mask


def _alike(exchanges: Sequence[Exchange], batch: int) -> Iterator[IntArray]:
    """Numbers of exchanges, those of like length together, the longest first: what has room once has room always."""
    order = np.argsort([-len(one.prompt) - len(one.response) for one in exchanges], kind="stable")
    for start in range(0, order.size, batch):
        yield order[start : start + batch]
