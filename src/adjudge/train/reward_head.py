"""A transformer that gives responses rewards: a backbone of Hugging Face, and linear heads on one state of it.

    r_j(x, y) = w_j·h(x, y) + b_j,      j = 1 … k,      h pooled over prompt and response

The loop trains it as it trains a policy, though it samples nothing: `train.reward_pairs` is its recipe. A fit of
`rewards` on what it sees then gives the last layer its error. Limits: causal backbones read from the left, so that the
pool is the last state or the mean; there are no log-probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from .._typing import FloatArray, Prompt
from ..backends import embeddings, pretrained
from ..errors import AdjudgeError
from .policy import Exchange, Tensor

SEED = 80287  # the seed's own companion: of heads and of backbones from scratch


class RewardHead:
    """A backbone with k reward heads.

    Arguments:
        backbone: a transformer of Hugging Face whose output has `last_hidden_state`; it is trained in place.
        tokenizer: its own.
        heads: k >= 1.
        pool: `last` or `mean`.
        context: codes read at the most; that of the backbone when 0.
        seed: of the heads, which begin near 0.

    Errors: no head; a pool of another name.
    """

    def __init__(
        self, backbone: Any, tokenizer: Any, *, heads: int = 1, pool: str = "last", context: int = 0, seed: int = 0
    ) -> None:
        if heads < 1 or pool not in embeddings.POOLS or context < 0:
            raise AdjudgeError(
                f"reward head: heads = {heads}, pool = {pool!r}, context = {context}.",
                f"At least one head, a pool among {', '.join(embeddings.POOLS)}, a context from 0 on.",
                "Correct the argument.",
            )
        size = int(backbone.config.hidden_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED + seed)
            head = torch.nn.Linear(size, heads)
            torch.nn.init.normal_(head.weight, std=0.1 / size**0.5)
            torch.nn.init.zeros_(head.bias)
        self.tokenizer, self.pool, self.context = tokenizer, pool, context or embeddings.limit(backbone)
        self._backbone, self._head = backbone, head.to(next(backbone.parameters()))
        self.module: torch.nn.Module = torch.nn.ModuleDict({"backbone": self._backbone, "head": self._head}).eval()

    @property
    def heads(self) -> FloatArray:
        """[k, h + 1] weights and intercept of each head, as they are now."""
        with torch.no_grad():
            both = torch.cat([self._head.weight, self._head.bias[:, None]], 1)
        return np.asarray(both.double().cpu().numpy())

    def outputs(self, exchanges: Sequence[Exchange]) -> Tensor:
        """[b, k] outputs of the heads, with their gradient where torch records one."""
        state = embeddings.pooled(self._backbone, [one.prompt + one.response for one in exchanges], self.pool)
        found: Tensor = self._head(state)
        return found.float()

    def features(self, prompts: Sequence[str], responses: Sequence[str], *, batch: int = 32) -> FloatArray:
        """[n, k + h] features of responses, as `backends.embeddings.Embedding` makes them of what `save` wrote."""
        hidden = embeddings.features(
            self._backbone, self.tokenizer, prompts, responses, pool=self.pool, context=self.context, batch=batch
        )
        return embeddings.beside(hidden, self.heads)

    def encode(self, prompt: Prompt, response: str) -> Exchange:
        """Codes of prompt and response together; turns of a conversation stand one a line."""
        text = prompt if isinstance(prompt, str) else "\n".join(f"{role}: {said}" for role, said in prompt)
        return Exchange(tuple(embeddings.codes(self.tokenizer, text, response, self.context)), ())

    def decode(self, response: tuple[int, ...]) -> str:
        """The text of codes."""
        return str(self.tokenizer.decode(list(response), skip_special_tokens=True))

    def reference(self) -> RewardHead:
        """A frozen copy."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.module = deepcopy(self.module).requires_grad_(False)
        other._backbone, other._head = other.module["backbone"], other.module["head"]  # type: ignore[index]
        return other

    def chances(self, exchanges: Sequence[Exchange], *, temperature: float = 1.0) -> NoReturn:  # noqa: ARG002
        """Never: a reward is no probability."""
        _refuse()

    def sample(
        self,
        prompts: Sequence[tuple[int, ...]],  # noqa: ARG002
        generator: torch.Generator,  # noqa: ARG002
        *,
        n: int = 1,  # noqa: ARG002
        temperature: float = 1.0,  # noqa: ARG002
        max_tokens: int = 128,  # noqa: ARG002
        part: slice | None = None,  # noqa: ARG002
        toward: tuple[Any, float] | None = None,  # noqa: ARG002
    ) -> NoReturn:
        """Never: a reward model says nothing."""
        _refuse()

    def save(self, folder: Path) -> None:
        """Writes backbone and tokenizer as Hugging Face reads them, and the heads as `heads.npz`."""
        with pretrained.unheard():
            self._backbone.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        with torch.no_grad():
            weight, bias = (part.float().cpu().numpy() for part in (self._head.weight, self._head.bias))
        np.savez(folder / embeddings.HEADS, heads=self.heads, weight=weight, bias=bias)

    def load(self, folder: Path) -> None:
        """Takes over what `save` wrote, in place."""
        with torch.random.fork_rng(devices=[]):
            backbone, _ = embeddings.opened(folder)
        self._backbone.load_state_dict(backbone.state_dict())
        with np.load(folder / embeddings.HEADS, allow_pickle=False) as held:
            state = {name: torch.from_numpy(held[name]) for name in ("weight", "bias")}
        self._head.load_state_dict(state)


def load(folder: str | Path, *, heads: int = 1, pool: str = "last", context: int = 0, seed: int = 0) -> RewardHead:
    """Heads on a backbone from a folder or the hub.

    Arguments:
        folder: of a transformer with its tokenizer.
        heads, pool, context, seed: as of `RewardHead`.

    Errors: what cannot be loaded.
    """
    with torch.random.fork_rng(devices=[]):
        backbone, tokenizer = embeddings.opened(folder)
    return RewardHead(backbone, tokenizer, heads=heads, pool=pool, context=context, seed=seed)


def tiny(
    texts: Sequence[str],
    *,
    vocabulary: int = 4096,
    width: int = 64,
    layers: int = 2,
    heads: int = 1,
    pool: str = "mean",
    context: int = 256,
    seed: int = 0,
) -> RewardHead:
    """A small transformer from scratch, with a byte-pair tokenizer built from texts.

    Arguments:
        texts: what the tokenizer is built from; any other text can be read, too, byte by byte.
        vocabulary: codes at the most, >= 300.
        width: of a state, in multiples of 16.
        layers: >= 1.
        heads, pool, context, seed: as of `RewardHead`; the seed is that of all weights.

    Errors: sizes that do not fit.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaModel, PreTrainedTokenizerFast

    if vocabulary < 300 or width < 16 or width % 16 or layers < 1 or not texts:
        raise AdjudgeError(
            f"reward head: {len(texts)} texts, vocabulary = {vocabulary}, width = {width}, layers = {layers}.",
            "Some texts, at least 300 codes, a width in multiples of 16, and a layer.",
            "Correct the argument.",
        )
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<pad>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    pairs.train_from_iterator(list(texts), trainer)
    fast: Any = PreTrainedTokenizerFast
    tokenizer = fast(tokenizer_object=pairs, pad_token="<pad>", eos_token="</s>")
    config = LlamaConfig(
        vocab_size=pairs.get_vocab_size(),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 16,
        num_key_value_heads=width // 16,
        max_position_embeddings=context,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED + seed)
        backbone = LlamaModel(config)
    return RewardHead(backbone, tokenizer, heads=heads, pool=pool, context=context, seed=seed)


def _refuse() -> NoReturn:
    raise AdjudgeError(
        "reward head: it has no probabilities of responses.",
        "A recipe for rewards, such as train.reward_pairs.",
        "Train a policy for others.",
    )
