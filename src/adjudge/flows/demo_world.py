"""The world of the demonstration: its size, its prompts, its people, and a small language model that speaks it.

Prompts are split once: those that the policies learn on, those that a run is watched on, and those of the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import AdjudgeError
from ..sim import little_language as language

if TYPE_CHECKING:
    from ..train.causal_lm import CausalLM

Told = Callable[[str, int, int], object]
"""(what is under way, done, in all) -> nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the demonstration is.

    Arguments:
        prompts: that policies learn on; `watched` and `last` of the others are for watching and for the last word.
        demonstrations: of people, for each of those.
        lessons: updates of the language model before any judge is asked.
        judged: prompts whose responses are judged; `labels` gold labels are on the first of them.
        steps: updates that a run may take, and `every` how many lie between two looks.
        batch, draws: prompts of an update, responses to each.
        rate: learning rate of a run.
        kl: price of a nat away from the beginning, in points of the judge; a tenth of it in gold.
        budget: gold labels that a watch may spend.
        takes: responses to each prompt of the last word.
        width: of the language model.
        longest: words of a response.
    """

    prompts: int = 700
    watched: int = 120
    last: int = 200
    demonstrations: int = 16
    lessons: int = 800
    judged: int = 300
    labels: int = 250
    steps: int = 240
    every: int = 12
    batch: int = 32
    draws: int = 8
    rate: float = 1e-4
    kl: float = 0.0
    budget: int = 200
    takes: int = 4
    width: int = 64
    longest: int = 30


QUICK = Size(
    prompts=120, watched=40, last=40, demonstrations=8, lessons=60, judged=60, labels=100, steps=12, every=3, batch=8,
    draws=4, rate=1e-3, budget=60, takes=2, width=32,
)  # fmt: skip
"""So small that nothing is shown by it but that all parts fit together."""


@dataclass(frozen=True)
class World:
    """One draw of the world.

    Arguments:
        seed: of everything.
        size: how large.
        tell: is told how far what is.
    """

    seed: int = 0
    size: Size = field(default_factory=Size)
    tell: Told = lambda *_: None

    @cached_property
    def judge(self) -> language.Judge:
        """A judge who likes length."""
        return language.Judge(self.seed)

    @cached_property
    def prompts(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Prompts to learn on, to watch on, and of the last word."""
        every, size = list(language.prompts()), self.size
        np.random.default_rng((self.seed, 600_011)).shuffle(every)
        first, second = size.prompts, size.prompts + size.watched
        return tuple(every[:first]), tuple(every[first:second]), tuple(every[second : second + size.last])

    def points(self, prompts: Sequence[Any], responses: Sequence[str]) -> list[float]:
        """The judge's, of each response."""
        return [self.judge(prompt, response) for prompt, response in zip(prompts, responses, strict=True)]

    def spoken(self) -> tuple[list[str], list[str]]:
        """Prompts and what people said to them."""
        rng = np.random.default_rng((self.seed, 600_013))
        asked = [prompt for prompt in self.prompts[0] for _ in range(self.size.demonstrations)]
        return asked, [language.spoken(prompt, rng) for prompt in asked]


def gold(prompts: Sequence[str], responses: Sequence[str]) -> list[float]:
    """What each response is truly worth: what people are asked for."""
    return [language.gold(prompt, response) for prompt, response in zip(prompts, responses, strict=True)]


def infant(world: World) -> CausalLM:
    """A language model of two layers that knows the words and nothing else.

    Errors: torch or transformers are not there.
    """
    try:
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    except ImportError as missing:
        raise AdjudgeError(
            f"demo-loop: {missing.name} is not installed.",
            "torch and transformers, to train a small language model.",
            "pip install 'adjudge[torch]'",
        ) from missing
    from ..train.causal_lm import CausalLM

    names = ["<pad>", "<s>", "</s>", *language.WORDS]
    made = Tokenizer(models.WordLevel({word: code for code, word in enumerate(names)}, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast: Any = PreTrainedTokenizerFast
    tokenizer = fast(tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>", chat_template=None)
    config = LlamaConfig(
        vocab_size=len(names), hidden_size=world.size.width, intermediate_size=2 * world.size.width,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=64, bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(world.seed)
        model = LlamaForCausalLM(config)
    return CausalLM(model, tokenizer)
