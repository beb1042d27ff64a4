"""A run on its way: the policy, its optimiser, how far it is, and what is kept of it."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .._typing import IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import checkpoint
from ._failure import failure
from ._rounding import Rounding
from .devices import Devices
from .metrics import Journal
from .policy import Policy
from .settings import Settings
from .step import Recipe, Step

ORDER, DRAWS, DROPOUT = 7919, 7927, 7933  # primes that keep the streams of random numbers apart
SMALLEST = 2.0**-10  # scale of float16 under which an overflow is a fault of the loss
OTHER = Finding(
    "policy-not-as-begun",
    Severity.WARNING,
    "The policy given has other weights than that with which the run began: a live reference copied from it differs.",
    remedy="Make the policy again as it was made at the beginning; the checkpoint gives it the weights it had reached.",
)


class Run:
    """One call of `train`.

    Arguments:
        policy: what is trained.
        recipe: data and loss, at least one row.
        settings: how it descends.
        out: folder of the run, or None.
    """

    def __init__(self, policy: Policy, recipe: Recipe, settings: Settings, out: Path | None) -> None:
        self.policy, self.recipe, self.settings, self.out = policy, recipe, settings, out
        self.trained = [each for each in policy.module.parameters() if each.requires_grad]
        if not self.trained:
            raise AdjudgeError("train: no parameter of the policy is trained.", "At least one.", "Unfreeze some.")
        self.rounding = Rounding(self.trained, settings.precision)
        self.devices = Devices(policy.module, settings.precision)
        self.optimiser = torch.optim.AdamW(
            self.trained,
            lr=settings.lr,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=self.devices.device.type in ("cpu", "cuda"),
        )
        self.batches = math.ceil(recipe.n / settings.batch)  # of an epoch
        whole = max(1, math.ceil(settings.epochs * self.batches - 1e-9)) * recipe.updates
        self.of = whole if settings.steps is None else settings.steps
        self.done, self.tokens, self.skipped, self.over = 0, 0, 0, ""
        self.loss, self.norm = math.nan, math.nan
        self.before, self.start = 0.0, time.monotonic()
        self.logged = (0, self.start)  # tokens and time at the line before
        self.order: tuple[int, IntArray] = (-1, np.zeros(0, dtype=np.int64))
        self.journal = Journal(None, 0)
        self.begun = _mark(list(policy.module.parameters()))
        self.findings: tuple[Finding, ...] = ()
        self.modes = [(each, each.training) for each in policy.module.modules()]

    # -- descending --------------------------------------------------------------------------------------------------

    def prepare(self) -> Step:
        """The step that is next: its rows hang on the seed and the epoch, its draws on the seed and the step."""
        number = self.done // self.recipe.updates
        epoch, batch = divmod(number, self.batches)
        if self.order[0] != epoch:
            rng = np.random.default_rng((self.settings.seed, ORDER, epoch))
            self.order = epoch, rng.permutation(self.recipe.n)
        rows = self.order[1][batch * self.settings.batch : (batch + 1) * self.settings.batch]
        self.policy.module.eval()
        generator = torch.Generator().manual_seed(_seed(self.settings.seed, DRAWS, number))
        with self.devices.autocast():
            step = self.recipe.prepare(self.policy, rows, generator)
        if self.settings.dropout:
            self.policy.module.train()
        return step

    def update(self, step: Step) -> None:
        """One step of the optimiser.

        Raises:
            AdjudgeError: the loss or its gradient is not finite; the parameters are those before the step.
        """
        self.optimiser.zero_grad(set_to_none=True)
        parts = self.devices.parts(step.n, self.settings.micro)
        losses = [self._descent(step, part) for part in parts]
        self.devices.sum_gradients(self.trained, self.optimiser)
        clip = math.inf if self.settings.clip is None else self.settings.clip
        norm = torch.nn.utils.clip_grad_norm_(self.trained, clip)
        (self.loss,) = self.devices.total([math.fsum(each.item() for each in losses)])
        self.norm = norm.item()
        scaler = self.devices.scaler
        if math.isfinite(self.loss) and math.isfinite(self.norm):
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate(self.done)
            self.rounding.before()
            self.optimiser.step()
            self.rounding.after()
        elif math.isfinite(self.loss) and scaler is not None and scaler.get_scale() > SMALLEST:
            self.skipped += 1
        else:
            raise failure(self, step, parts)
        self.devices.adapt()
        self.done += 1
        self.tokens += step.tokens

    def _descent(self, step: Step, part: slice) -> torch.Tensor:
        """Adds the gradient of a part; its loss."""
        with self.dice(part):
            with self.devices.autocast():
                loss = step.loss(self.policy, part)
            self.devices.backward(loss)
        return loss.detach()

    def dice(self, part: slice) -> AbstractContextManager[object]:
        """Draws of dropout that hang on the update and the part; those of the caller stay as they were."""
        stack = ExitStack()
        if self.settings.dropout:
            graphics = self.devices.device if self.devices.device.type == "cuda" else None
            stack.enter_context(torch.random.fork_rng([] if graphics is None else [graphics]))
            seed = _seed(self.settings.seed, DROPOUT, self.done, part.start)
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would queue a call for each absent device
            if graphics is not None:
                with torch.cuda.device(graphics):
                    torch.cuda.manual_seed(seed)
        return stack

    def rate(self, done: int) -> float:
        """Learning rate of the update after `done` of them."""
        settings = self.settings
        warm = round(settings.warmup * self.of)
        if done < warm:
            return settings.lr * (done + 1) / (warm + 1)
        left = (self.of - done) / (self.of - warm)
        share = {"constant": 1.0, "linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2}[settings.schedule]
        return settings.lr * share

    def measure(self, step: Step, *, wanted: bool) -> Mapping[str, float]:
        """Metrics of the update just done; those of the recipe where a line is due or they are wanted."""
        due = self.done % self.settings.log_every == 0 or self.done == self.of
        found = {"step": self.done, "loss": self.loss, "lr": self.rate(self.done - 1), "grad_norm": self.norm}
        found["tokens"] = self.tokens
        if self.devices.scaler is not None:
            found["skipped"] = self.skipped
        if due or wanted:
            own = step.metrics()
            found |= {name: float(value) for name, value in own.items() if name not in found}
        if due:
            now = time.monotonic()
            found["tokens_per_second"] = (self.tokens - self.logged[0]) / max(now - self.logged[1], 1e-9)
            found["seconds"] = self.seconds
            self.logged = self.tokens, now
            self.journal.write(found)
        return found

    # -- keeping -----------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Spent so far, before interruptions included."""
        return self.before + time.monotonic() - self.start

    def record(self) -> dict[str, object]:
        """What must be the same when a run goes on, and how far it is."""
        data = {"recipe": type(self.recipe).__name__, "rows": self.recipe.n, "updates": self.recipe.updates}
        data["adapters"] = getattr(self.policy, "adapters", "")
        data["trained"] = sum(each.numel() for each in self.trained)
        data["fingerprint"] = getattr(self.recipe, "fingerprint", None)
        settings = checkpoint.jsonable(asdict(self.settings))
        far = {"step": self.done, "of": self.of, "tokens": self.tokens, "skipped": self.skipped}
        said = {"seconds": self.seconds, "rounded": self.rounding.counts, "over": self.over, "begun": self.begun}
        return {"settings": settings, "data": data, **far, **said}

    def keep(self, over: str | None) -> None:
        """Writes a checkpoint.

        Arguments:
            over: why the run is over; None where it goes on.
        """
        self.over = over or ""
        if self.out is not None and self.devices.main:
            scaler = self.devices.scaler
            state = {
                "optimiser": self.optimiser.state_dict(),
                "scaler": None if scaler is None else scaler.state_dict(),
                "recipe": dict(self.recipe.state()),
            }
            checkpoint.write(self.out, self.done, self.policy, state, self.record())
            checkpoint.sweep(self.out, keep=self.settings.keep)
        self.devices.wait()

    def begin(self, progress: Callable[[int, int], object] | None) -> None:
        """Takes over the latest checkpoint, where there is one, and lets the recipe make what is missing of its
        reference, in the precision of the run; opens the journal.

        The recipe's state comes first, so that nothing is asked twice; then the reference, of the policy as it was
        given; then the policy's weights.
        """
        place = None if self.out is None else checkpoint.latest(self.out)
        state: Mapping[str, Any] = {}
        if place is not None:
            then = checkpoint.record(place)
            checkpoint.check(place, then, self.record(), self.settings)
            state = checkpoint.state(place)
            self.over = then["over"] if then["step"] < then["of"] or then["of"] >= self.of else ""
        if not self.over:
            if place is not None:
                self.recipe.restore(state["recipe"])
            self.policy.module.eval()
            with self.devices.autocast():
                self.recipe.warm_up(self.policy, progress)
        if place is not None:
            self._take_over(place, then, state)
        self.journal = Journal(self.out if self.devices.main else None, self.done)
        self.start = time.monotonic()
        self.logged = (self.tokens, self.start)

    def _take_over(self, place: Path, then: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Policy, optimiser and counts of a checkpoint."""
        checkpoint.give(place, self.policy)
        self.optimiser.load_state_dict(state["optimiser"])
        if self.devices.scaler is not None:
            self.devices.scaler.load_state_dict(state["scaler"])
        self.done, self.tokens, self.skipped = then["step"], then["tokens"], then["skipped"]
        self.before = then["seconds"]
        self.rounding.restore(then["rounded"])
        if then["begun"] != self.begun and not self.over:
            self.findings = (OTHER,)
        self.begun = then["begun"]
        self.over = self.over or (f"All {self.done:,} updates are done." if self.done >= self.of else "")

    def close(self) -> None:
        """Closes the files, and leaves the module in the mode in which it came."""
        self.journal.close()
        for each, mode in self.modes:
            each.training = mode


def _mark(parameters: list[torch.nn.Parameter], *, looked: int = 64) -> str:
    """A few numbers of each parameter, hashed: whether a policy is the one that was, cheaply."""
    mark = hashlib.sha256()
    for each in parameters:
        flat = each.detach().reshape(-1)
        mark.update(flat[:: max(1, flat.numel() // looked)].double().cpu().numpy().tobytes())
    return mark.hexdigest()


def _seed(*numbers: int) -> int:
    """One seed of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
