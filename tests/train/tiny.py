"""Small language models from a configuration, and a tokenizer of single letters: nothing is downloaded."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from adjudge.train.causal_lm import CausalLM

LETTERS = "abcdefghijklmnopqrstuvwxyz :.?\n"


def tokenizer(letters: str = LETTERS, *, template: str | None = None) -> Any:
    """<pad>, <s>, </s>, then one code a letter."""
    names = ["<pad>", "<s>", "</s>", *letters]
    made = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>", chat_template=template
    )


def model(kind: str = "llama", *, size: int = len(LETTERS) + 3, context: int = 64, seed: int = 0, **more: Any) -> Any:
    """Two layers, 16 wide, weights wide enough that what a code sees moves what it says."""
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "initializer_range": 0.3}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if kind == "gpt2":
            shape = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": context}
            return GPT2LMHeadModel(GPT2Config(vocab_size=size, **shape, **ends, **more)).eval()
        wide = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        config = LlamaConfig(vocab_size=size, max_position_embeddings=context, **wide, **ends, **more)
        return LlamaForCausalLM(config).eval()


def policy(kind: str = "llama", **options: Any) -> CausalLM:
    """A tiny language model as a policy."""
    return CausalLM(model(kind), tokenizer(), **options)
