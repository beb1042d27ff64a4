"""A causal language model of Hugging Face as a policy: chances of responses, samples, an exact reference, texts.

    log π(y|x) = Σ_t log softmax(ℓ_t/T)_{y_t},      read at the codes of responses alone

It is the model as it stands in memory: nothing is read again from a disk or a hub, so that a reference taken before the
first update gives the very same log-probabilities. Layouts differ in speed, not in results (`_layout`); a model that
does not mind a mask of its own is found out before its first batch, and falls back to one exchange a row.
Limits: decoders alone; images are not read; positions beyond the context are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from .._typing import Prompt
from ..backends import pretrained
from ..backends.dropout import without_dropout
from ..backends.huggingface import loaded
from ..core.finding import Finding
from ..errors import AdjudgeError
from . import lora as adapters
from ._codes import TRUNCATE, encoded, ends_of
from ._draw import draw, mixture
from ._layout import LAYOUTS, Rows, rows
from ._probe import asked, attention, by_batch, takes_positions, told, tolerance, unfit
from ._reading import logits_at, token_logp
from .lora import Lora
from .policy import Exchange, Sampled, Tensor, TokenChances

_UNLIMITED = 2**31


class CausalLM:
    """A language model in memory.

    Arguments:
        model: causal model of Hugging Face, with adapters of PEFT or without.
        tokenizer: of Hugging Face.
        context: codes that a prompt and its response may have together, >= 2; the model's own limit where None.
        layout: "padded", "shared" or "packed": how exchanges stand in rows.
        pack_to: codes in a row at the most, where they are packed.
        end: code that ends a response; the tokenizer's where None.
        truncate: "error" for a prompt that leaves no room in the context, or "left" to keep its last half context.

    Errors: without an end mark, and for words that are none of these.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        context: int | None = None,
        layout: str = "shared",
        pack_to: int = 1024,
        end: int | None = None,
        truncate: str = "error",
    ) -> None:
        for word, value, words in (("layout", layout, LAYOUTS), ("truncate", truncate, TRUNCATE)):
            if value not in words:
                raise AdjudgeError(f"causal_lm.{word} = {value!r}.", f"One of {', '.join(words)}.", "Change it.")
        codes, known = len(tokenizer), int(model.get_input_embeddings().weight.shape[0])
        if codes > known:
            raise AdjudgeError(
                f"causal_lm: the tokenizer writes {codes:,} codes, the model reads {known:,}.",
                "A model that knows every code.",
                "Take the tokenizer that was saved with the model, or model.resize_token_embeddings(len(tokenizer)).",
            )
        own = getattr(model.config, "max_position_embeddings", None)
        limit = min(int(own) if own else _UNLIMITED, context or _UNLIMITED)
        if limit < 2 or pack_to < 1:
            raise AdjudgeError(
                f"causal_lm: a context of {limit}, rows of {pack_to}.", "At least 2, and 1.", "Change them."
            )
        self.module: torch.nn.Module = model.eval()
        self.tokenizer = tokenizer
        self.context, self.layout, self.pack_to, self.truncate = limit, layout, pack_to, truncate
        self.ends = ends_of(model, tokenizer, end)
        self.findings: tuple[Finding, ...] = by_batch(model, limit)
        self._model = model
        self._placed = takes_positions(model)
        self._probed = layout == "padded"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self._model.parameters()).device

    @property
    def adapters(self) -> str:
        """Shape of the adapters as they are now; "" where it has none."""
        return adapters.told(self._model) if adapters.is_adapted(self._model) else ""

    def chances(self, exchanges: Sequence[Exchange], *, temperature: float = 1.0) -> TokenChances:
        """[b, T] log-probabilities of each code of each response; T is the longest.

        Arguments:
            exchanges: b of them; responses to one prompt share it where they stand side by side.
            temperature: > 0.

        Errors: for an exchange that is longer than the context.
        """
        self._fits(exchanges, temperature)
        if not self._probed:
            self._probe()
        return self._chances(rows(exchanges, self.layout, pack_to=self.pack_to), temperature)

    def _chances(self, laid: Rows, temperature: float) -> TokenChances:
        device = self.device
        exchange, step = laid.exchange.to(device), laid.step.to(device)
        if not len(laid.target):
            empty = torch.zeros(laid.size, device=device)
            return TokenChances(empty, empty.clone())
        inputs = {"input_ids": laid.codes.to(device), "use_cache": False}
        if laid.attends is not None:
            inputs |= {"attention_mask": self._mask(laid.attends.to(device)), "position_ids": laid.positions.to(device)}
        logits, _ = self._forward(laid.row.to(device), laid.column.to(device), inputs)
        found = token_logp(logits, laid.target.to(device), temperature)
        blank = torch.zeros(laid.size, dtype=found.dtype, device=device)
        mask = blank.index_put((exchange, step), torch.ones_like(found.detach()))
        return TokenChances(blank.index_put((exchange, step), found), mask)

    def _forward(self, row: Tensor, column: Tensor, inputs: Mapping[str, Any]) -> tuple[Tensor, Any]:
        """Logits at (row, column), and all that the model gave."""
        if not self._placed:
            inputs = {name: value for name, value in inputs.items() if name != "position_ids"}
        return logits_at(self.module, self._model, row, column, inputs)

    def _mask(self, attends: Tensor) -> Tensor:
        """[r, 1, L, L] in the form that the model's attention adds or applies."""
        if attention(self._model) == "sdpa":
            return attends[:, None]
        dtype = next(self._model.parameters()).dtype
        return torch.zeros_like(attends, dtype=dtype).masked_fill_(~attends, torch.finfo(dtype).min)[:, None]

    def _fits(self, exchanges: Sequence[Exchange], temperature: float) -> None:
        longest = max((len(one.prompt) + len(one.response) for one in exchanges), default=0)
        if not exchanges or longest > self.context or not min(len(one.prompt) for one in exchanges):
            raise AdjudgeError(
                f"causal_lm: {len(exchanges)} exchanges, the longest of {longest:,} codes.",
                f"At least one, each with a prompt, of at most {self.context:,} codes, which is the context.",
                "Shorten them, or drop them.",
            )
        if not 0 < temperature < float("inf"):
            raise AdjudgeError(f"causal_lm: a temperature of {temperature}.", "Above 0 and finite.", "Take 1.0.")

    @torch.no_grad()
    def _probe(self) -> None:
        """Compares the layout with plain rows, once; takes plain rows where they differ."""
        self._probed = True
        reason, apart, most = unfit(self._model, self.context), float("nan"), tolerance(self._model)
        if not reason:
            said = asked(self._model)
            with without_dropout(self.module), torch.autocast(self.device.type, enabled=False):
                plain = self._chances(rows(said, "padded"), 1.0).logp
                other = self._chances(rows(said, self.layout, pack_to=64), 1.0).logp
            apart = float((plain - other).abs().max())
            reason = "" if apart <= most else f"log-probabilities move by {apart:.2g}"
        if reason:
            self.layout = "padded"
            self.findings += (told(reason, apart, most),)

    @torch.no_grad()
    def sample(
        self,
        prompts: Sequence[tuple[int, ...]],
        generator: torch.Generator,
        *,
        n: int = 1,
        temperature: float = 1.0,
        max_tokens: int = 128,
        part: slice | None = None,
        toward: tuple[Any, float] | None = None,
    ) -> Sampled:
        """n responses to each prompt, from the whole distribution at the temperature.

        Arguments:
            prompts: codes of each.
            generator: of all draws; no other is touched.
            n: responses a prompt, >= 1.
            temperature: > 0.
            max_tokens: codes of a response at the most, >= 1; fewer where the context ends.
            part: of the prompts; None is all.
            toward: a language model of the same codes, and its share in the logits.

        Errors: for a prompt that leaves no room in the context.
        """
        self._fits([Exchange(prompt, (0,)) for prompt in prompts], temperature)
        limits = [min(max_tokens, self.context - len(prompt)) for prompt in prompts]
        shape = (len(prompts), n, max(limits))
        numbers = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
        kept = part or slice(None)
        prompts, limits, numbers = prompts[kept], limits[kept], numbers[kept].flatten(0, 1)
        ends = torch.tensor(self.ends, device=self.device)
        other, share = toward or (self, 0.0)
        forward = mixture(self._forward, other._forward, share) if toward else self._forward
        with without_dropout(self.module), without_dropout(other.module):
            drawn = draw(forward, prompts, limits, numbers, n=n, temperature=temperature, ends=ends)
        lengths, codes = drawn.length.tolist(), drawn.codes.tolist()
        made = tuple(
            Exchange(prompts[at // n], tuple(row[:length]))
            for at, (row, length) in enumerate(zip(codes, lengths, strict=True))
        )
        steps = torch.arange(drawn.logp.shape[1], device=self.device)
        mask = (steps < drawn.length[:, None]).to(drawn.logp.dtype)
        return Sampled(made, TokenChances(drawn.logp, mask), tuple(drawn.ended.tolist()))

    def reference(self) -> CausalLM:
        """The policy as it stands in memory now, frozen. Adapters that change nothing yet are switched off instead:
        the base model is not copied."""
        fresh = adapters.is_adapted(self._model) and adapters.is_fresh(self._model)
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        if fresh:
            other.module = adapters.WithoutAdapters(self._model)
        else:
            other._model = deepcopy(self._model).eval()
            other.module = other._model.requires_grad_(False)
        return other

    def encode(self, prompt: Prompt, response: str) -> Exchange:
        """Codes of texts; the response's end with an end mark unless the context cuts them."""
        return encoded(self.tokenizer, prompt, response, ends=self.ends, context=self.context, truncate=self.truncate)

    def decode(self, response: tuple[int, ...]) -> str:
        """The text of a response, without its end mark."""
        kept = response[:-1] if response and response[-1] in self.ends else response
        return str(self.tokenizer.decode(list(kept), skip_special_tokens=True))

    def save(self, folder: Path) -> None:
        """Writes what `from_pretrained` of Hugging Face reads: the weights, or the adapters, and the tokenizer."""
        try:
            with pretrained.unheard():
                if adapters.is_adapted(self._model):
                    adapters.write(self._model, folder)
                else:
                    self._model.save_pretrained(folder)
        except SafetensorError as problem:  # a full disk
            raise OSError(f"{folder}: {problem}") from problem
        self.tokenizer.save_pretrained(folder)

    def load(self, folder: Path) -> None:
        """Takes over weights, or adapters, that `save` wrote, in place."""
        if adapters.is_adapted(self._model):
            adapters.take_over(self._model, folder)
        else:
            with pretrained.unheard(), torch.random.fork_rng(devices=[]):
                other = type(self._model).from_pretrained(
                    folder, **pretrained.of_type(next(self._model.parameters()).dtype)
                )
            self._model.load_state_dict(other.state_dict())


def load(
    path: str | Path,
    *,
    device: str = "",
    dtype: str = "float32",
    revision: str = "main",
    lora: Lora | None = None,
    seed: int = 0,
    context: int | None = None,
    layout: str = "shared",
    truncate: str = "error",
) -> CausalLM:
    """A language model from a folder or the hub.

    Arguments:
        path: folder of a model, folder of adapters that `save` wrote, or name on the hub.
        device: such as `cuda:0` or `cpu`; empty takes a GPU where there is one.
        dtype: of the weights, such as `bfloat16`; `auto` takes that of the files.
        revision: branch, tag or commit on the hub.
        lora: adapters that are trained in place of the weights.
        seed: of fresh adapters.
        context, layout, truncate: of CausalLM.

    Errors: without transformers (or peft), and for what cannot be loaded.
    """
    written, base = Path(path) / "adapter_config.json", str(path)
    if written.is_file():
        base = str(json.loads(written.read_text(encoding="utf-8"))["base_model_name_or_path"])
    _, model, tokenizer = loaded(base, device, dtype, revision)
    if written.is_file():
        model = adapters.read(model, path)
    elif lora is not None:
        model = adapters.adapted(model, lora, seed=seed)
    return CausalLM(model, tokenizer, context=context, layout=layout, truncate=truncate)
