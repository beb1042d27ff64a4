"""How the loop descends: how many rows, how fast, how exactly, how often it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import AdjudgeError

SCHEDULES = ("constant", "linear", "cosine")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of `train.loop.train`.

    Arguments:
        epochs: passes over the rows, > 0; parts of one count.
        steps: updates in all, >= 1, over as many passes as they take; None for as many as the epochs have.
        batch: rows of a step, >= 1.
        micro: rows that go through the policy at once, >= 1; None for all of the step. It changes memory, not results.
        lr: learning rate of AdamW, > 0.
        schedule: of the learning rate: "constant", "linear" or "cosine", the last two down to 0.
        warmup: share of the updates in which the rate rises from 0, in [0, 1).
        weight_decay: of AdamW, >= 0.
        betas: of AdamW.
        clip: longest gradient, > 0; None for no limit.
        precision: "float32", or "bfloat16" or "float16" for the products of matrices, with weights kept in float32.
        dropout: whether the policy's dropout stays on; off, the first loss is that of the policy itself.
        seed: of the order of rows and of every draw.
        log_every: updates between two lines of metrics, >= 1.
        checkpoint_every: updates between two checkpoints, >= 0; 0 keeps the end alone.
        keep: checkpoints kept, the latest, >= 1.
    """

    epochs: float = 1.0
    steps: int | None = None
    batch: int = 16
    micro: int | None = None
    lr: float = 1e-5
    schedule: str = "linear"
    warmup: float = 0.0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float | None = 1.0
    precision: str = "float32"
    dropout: bool = False
    seed: int = 0
    log_every: int = 1
    checkpoint_every: int = 0
    keep: int = 2

    def __post_init__(self) -> None:
        for name, fits, expected in (
            ("epochs", self.epochs > 0, "above 0"),
            ("steps", self.steps is None or self.steps >= 1, "at least 1"),
            ("batch", self.batch >= 1, "at least 1"),
            ("micro", self.micro is None or self.micro >= 1, "at least 1"),
            ("lr", 0 < self.lr < float("inf"), "above 0 and finite"),
            ("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
            ("warmup", 0 <= self.warmup < 1, "in [0, 1)"),
            ("weight_decay", self.weight_decay >= 0, "at least 0"),
            ("betas", all(0 <= beta < 1 for beta in self.betas), "two numbers in [0, 1)"),
            ("clip", self.clip is None or self.clip > 0, "above 0"),
            ("precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}"),
            ("log_every", self.log_every >= 1, "at least 1"),
            ("checkpoint_every", self.checkpoint_every >= 0, "at least 0"),
            ("keep", self.keep >= 1, "at least 1"),
        ):
            if not fits:
                raise AdjudgeError(
                    f"train.{name} = {getattr(self, name)!r}.", f"A value {expected}.", "Change it in [train]."
                )
