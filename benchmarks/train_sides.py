"""One side of benchmarks.train, in a process of its own: DPO on the same pairs by ours, by TRL, or by hand.

    python -m benchmarks.train_sides NAME --pairs 512      one line of JSON

By hand there are two: as one writes it first, and with all that is known to help (prompts read once for both responses,
the head on responses alone, fused AdamW), each with the limit on gradients and the falling rate that the others have.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS, PROMPT, RESPONSE, BATCH, RATE, BETA = 4096, 32, 96, 16, 1e-5, 0.1
END = 1
Tensor = torch.Tensor


@dataclass
class World:
    """Pairs of random words and a model of random weights.

    Arguments:
        ids: [n, 2, 128] of prompt and chosen, and of prompt and rejected.
        marks: wall and CPU seconds before the first update and after each.
        warm: wall seconds of what comes before: asking the reference; with TRL, making the trainer.
    """

    ids: Tensor
    model: Any
    tokenizer: Any
    device: torch.device
    marks: list[tuple[float, float]] = field(default_factory=list)
    warm: float = 0.0

    def mark(self) -> None:
        """Wall and CPU seconds now."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.marks.append((time.perf_counter(), time.process_time()))

    @property
    def texts(self) -> list[dict[str, str]]:
        """The pairs in words; the end mark is for the tokenizer's user to add."""
        words = [[[f"w{code}" for code in row] for row in pair] for pair in self.ids.tolist()]
        return [
            {
                "prompt": " ".join(chosen[:PROMPT]),
                "chosen": " " + " ".join(chosen[PROMPT:-1]),
                "rejected": " " + " ".join(rejected[PROMPT:-1]),
            }
            for chosen, rejected in words
        ]


def world(pairs: int) -> World:
    """The same for all sides."""
    torch.manual_seed(0)
    prompt = torch.randint(2, WORDS, (pairs, 1, PROMPT)).expand(-1, 2, -1)
    said = torch.randint(2, WORDS, (pairs, 2, RESPONSE - 1))
    ids = torch.cat([prompt, said, torch.full((pairs, 2, 1), END)], 2)
    names = {"<pad>": 0, "</s>": END} | {f"w{code}": code for code in range(2, WORDS)}
    letters = Tokenizer(models.WordLevel(names, unk_token="<pad>"))
    letters.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=letters, pad_token="<pad>", eos_token="</s>")
    config = LlamaConfig(
        vocab_size=WORDS, hidden_size=256, intermediate_size=688, num_hidden_layers=4, num_attention_heads=4,
        max_position_embeddings=1024, bos_token_id=None, eos_token_id=END, pad_token_id=0,
    )  # fmt: skip
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return World(ids, LlamaForCausalLM(config).to(device), tokenizer, device)


# -- ours ------------------------------------------------------------------------------------------------------------


def ours(made: World, reference: str) -> None:
    """The library, as its defaults are."""
    import numpy as np

    from adjudge.objectives import dpo
    from adjudge.tables import preferences
    from adjudge.train.causal_lm import CausalLM
    from adjudge.train.loop import train
    from adjudge.train.pairs import Pairs
    from adjudge.train.settings import Settings

    texts = made.texts
    none = np.empty((len(texts), 0))
    columns = {part: tuple(row[part] for row in texts) for part in ("prompt", "chosen", "rejected")}
    table = preferences.from_arrays(
        none, none, np.ones(len(texts)), prompt=columns["prompt"], left_text=columns["chosen"],
        right_text=columns["rejected"],
    )  # fmt: skip
    policy = CausalLM(made.model, made.tokenizer)
    recipe = Pairs(table, functools.partial(dpo.loss, beta=BETA), policy, reference=reference, batch=BATCH)

    def marked(_: object) -> None:
        made.mark()

    asked = recipe.warm_up

    def warm_up(policy: Any, progress: object = None) -> None:
        begun = time.perf_counter()
        asked(policy, progress)
        made.warm = time.perf_counter() - begun
        made.mark()

    recipe.warm_up = warm_up  # type: ignore[method-assign]
    done = train(policy, recipe, Settings(batch=BATCH, lr=RATE), callbacks=[marked])
    say([line["loss"] for line in done.history])


# -- TRL -------------------------------------------------------------------------------------------------------------


def trl(made: World, reference: str) -> None:
    """TRL's trainer in float32 and without checkpointing: on a processor its defaults are slower still."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class Marks(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            made.mark()

    with tempfile.TemporaryDirectory() as folder:
        args = DPOConfig(
            folder, beta=BETA, learning_rate=RATE, num_train_epochs=1, per_device_train_batch_size=BATCH,
            bf16=False, gradient_checkpointing=False, save_strategy="no", report_to=[], disable_tqdm=True,
            logging_steps=1, use_cpu=made.device.type == "cpu", dataloader_pin_memory=False,
            precompute_ref_log_probs=reference == "precomputed",
        )  # fmt: skip
        begun = time.perf_counter()
        trainer = DPOTrainer(
            made.model, None if reference == "precomputed" else deepcopy(made.model), args,
            train_dataset=Dataset.from_list(made.texts), processing_class=made.tokenizer, callbacks=[Marks()],
        )  # fmt: skip
        made.warm = time.perf_counter() - begun
        made.mark()
        trainer.train()
        say([float(line["loss"]) for line in trainer.state.log_history if "loss" in line])


# -- by hand ---------------------------------------------------------------------------------------------------------


def logp_plain(model: Any, ids: Tensor) -> Tensor:
    """[b, 2] log π(y|x): two rows a pair, logits of all positions."""
    rows = ids.flatten(0, 1)
    chance = model(rows).logits[:, :-1].log_softmax(-1).gather(2, rows[:, 1:, None])[..., 0]
    return chance[:, PROMPT - 1 :].sum(1).view(-1, 2)


@functools.cache
def mask_of(device: torch.device) -> tuple[Tensor, Tensor]:
    """What may look at what, and positions, where one row has a prompt and both responses behind it."""
    n, last = PROMPT + 2 * (RESPONSE - 1), PROMPT + RESPONSE - 1
    sees = torch.ones(n, n, dtype=torch.bool).tril()
    sees[last:, PROMPT:last] = False
    places = torch.cat([torch.arange(last), torch.arange(PROMPT, last)])
    return sees[None, None].to(device), places[None].to(device)


def logp_shared(model: Any, ids: Tensor) -> Tensor:
    """[b, 2] log π(y|x): one row a pair, logits where a response is foretold."""
    sees, places = mask_of(ids.device)
    rows = torch.cat([ids[:, 0, :-1], ids[:, 1, PROMPT:-1]], 1)
    states = model.model(rows, attention_mask=sees.expand(len(rows), -1, -1, -1), position_ids=places)[0]
    last = PROMPT + RESPONSE - 1
    read = torch.cat([states[:, PROMPT - 1 : last], states[:, PROMPT - 1 : PROMPT], states[:, last:]], 1)
    target = ids[:, :, PROMPT:].flatten()
    loss = torch.nn.functional.cross_entropy(model.lm_head(read).flatten(0, 1), target, reduction="none")
    return -loss.view(-1, 2, RESPONSE).sum(2)


def batches(made: World) -> Iterator[Tensor]:
    yield from torch.randperm(len(made.ids)).split(BATCH)


def by_hand(made: World, reference: str, logp: Callable[[Any, Tensor], Tensor]) -> None:
    """A loop with nothing round it."""
    ids, model, best = made.ids.to(made.device), made.model.train(), logp is logp_shared
    begun = time.perf_counter()
    frozen = deepcopy(model) if reference == "live" else model
    known = torch.zeros(len(ids), 2, device=made.device)
    if reference == "precomputed":
        with torch.no_grad():
            for rows in torch.arange(len(ids)).split(BATCH):
                known[rows] = logp(model, ids[rows])
    made.warm = time.perf_counter() - begun
    made.mark()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=best or None)
    steps = math.ceil(len(ids) / BATCH)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    losses = []
    for rows in batches(made):
        with torch.no_grad():
            base = known[rows] if reference == "precomputed" else logp(frozen, ids[rows])
        ratio = logp(model, ids[rows]) - base
        loss = -torch.nn.functional.logsigmoid(BETA * (ratio[:, 0] - ratio[:, 1])).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        falling.step()
        losses.append(loss.item())
        made.mark()
    say(losses)


# -- one run ---------------------------------------------------------------------------------------------------------

SIDES: dict[str, Callable[[World, str], None]] = {
    "ours": ours,
    "hand": functools.partial(by_hand, logp=logp_shared),
    "plain": functools.partial(by_hand, logp=logp_plain),
    "trl": trl,
}
_losses: list[float] = []


def say(losses: list[float]) -> None:
    _losses.extend(losses)


def peak() -> float:
    """MB held at the most by this process, of the processor's memory; ru_maxrss would remember the parent."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--pairs", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reference", default="live", choices=("live", "precomputed"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    made = world(given.pairs)
    SIDES[given.side](made, given.reference)
    wall, spent = (made.marks[-1][at] - made.marks[0][at] for at in (0, 1))
    cuda = made.device.type == "cuda"
    told = {
        "tokens": made.ids.numel(),
        "wall": wall,
        "cpu": spent,
        "warm": made.warm,
        "steps": len(made.marks) - 1,
        "peak": peak(),
        "first": _losses[0],
        "mean": sum(_losses) / len(_losses),
        "device": torch.cuda.get_device_name() if cuda else "",
        "cuda": torch.cuda.max_memory_allocated() / 1e6 if cuda else 0.0,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
