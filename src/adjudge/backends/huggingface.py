"""Asks a causal language model of Hugging Face on this machine: calls that wait together are answered in one batch.

    chosen token = argmax( ℓ/T + g ),   gᵢ = −log Eᵢ,   Eᵢ ~ Exp(1) from the call's own generator;   T = 0: argmax ℓ

That draws from softmax(ℓ/T) (the Gumbel-max trick) and leaves each row of a batch its own randomness: the seed is the
hash of the call, so the same call gets the same answer whatever it shares a batch with, and `sample` gives another.
Reported log-probabilities are the model's own, log softmax(ℓ), whatever the temperature.

Limits: text only. A schema is not enforced, and `finish` says so. Padding moves logits by rounding errors, so an exact
tie can fall differently in another batch, and a GPU draws other numbers than a CPU. The store knows a model by its
name: weights that change under the same path need another one. A batch lasts as long as its longest answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import AdjudgeError
from .call import Call, Reply, Token
from .pretrained import loading, of_type, require_folder


@dataclass(eq=False)
class _Row:
    """One call in a batch, and what has been drawn for it. `left`: tokens it may still draw at the start."""

    call: Call
    prompt: str
    left: int = 0
    generator: Any = None
    drawn: list[int] = field(default_factory=list)
    logprobs: list[tuple[float, list[float], list[int]]] = field(default_factory=list)
    dropped: bool = False


class HuggingFaceBackend:
    """A local causal language model.

    Arguments:
        model: name on the hub or path of a folder.
        device: such as `cuda:0` or `cpu`; empty takes a GPU where there is one.
        dtype: of the weights, such as `bfloat16`; `auto` takes that of the files.
        batch: calls answered together at the most, >= 1; halved when memory does not hold it.
        revision: branch, tag or commit on the hub.
        name: that answers are stored under; model and revision when empty.

    Errors: without torch and transformers, and for what cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "",
        dtype: str = "auto",
        batch: int = 16,
        revision: str = "main",
        name: str = "",
    ) -> None:
        self.name = name or f"{model} ({revision}), run locally"
        self.batch = batch
        self._torch, self._model, self._tokenizer = loaded(model, device, dtype, revision)
        limit = getattr(self._model.config, "max_position_embeddings", None)
        self._context = int(limit) if limit else 2**31
        ends = self._model.generation_config.eos_token_id
        self._ends = {ends} if isinstance(ends, int) else set(ends or ())
        self._waiting: list[tuple[_Row, asyncio.Future[Reply]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def complete(self, call: Call) -> Reply:
        """The answer. Raises AdjudgeError for images and for memory that does not hold a single call."""
        if call.images:
            raise AdjudgeError(
                f"A call shows {len(call.images)} images to {self.name}.",
                "A local model that reads text.",
                "Serve a vision model behind an OpenAI-compatible address and name that.",
            )
        loop = asyncio.get_running_loop()
        row, answer = _Row(call, self._prompt(call)), loop.create_future()
        self._waiting.append((row, answer))
        if self._worker is None or self._worker.done() or self._worker.get_loop() is not loop:
            self._worker = loop.create_task(self._work())
        try:
            return await answer
        finally:
            row.dropped = True  # whoever asked is gone: the batch need not wait for this row

    async def aclose(self) -> None:
        """Ends the batch under way; the model stays loaded."""
        worker, self._worker = self._worker, None
        for row, _ in self._waiting:
            row.dropped = True
        self._waiting.clear()
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    async def _work(self) -> None:
        """Answers whatever waits, batch by batch, until nothing does."""
        await asyncio.sleep(0)  # calls that begin in the same turn of the loop share the first batch
        while self._waiting:
            taken, self._waiting = self._waiting[: self.batch], self._waiting[self.batch :]
            taken = [(row, answer) for row, answer in taken if not (row.dropped or answer.done())]
            rows = [row for row, _ in taken]
            try:
                replies: Sequence[Reply] = await asyncio.to_thread(self._answers, rows) if rows else ()
            except self._torch.OutOfMemoryError:
                if len(rows) == 1:
                    _fail(taken, _no_room(self.name))
                else:
                    self.batch = max(len(rows) // 2, 1)
                    self._waiting = taken + self._waiting
                continue
            except BaseException as problem:
                for row in rows:
                    row.dropped = True
                _fail(taken, problem)
                if isinstance(problem, asyncio.CancelledError):
                    raise
                continue
            for (_, answer), reply in zip(taken, replies, strict=True):
                if not answer.done():
                    answer.set_result(reply)

    def _prompt(self, call: Call) -> str:
        return written(self._tokenizer, call.messages)

    def _answers(self, rows: Sequence[_Row]) -> list[Reply]:
        """One reply a row, drawn together."""
        start, torch = time.perf_counter(), self._torch
        bare = not self._tokenizer.chat_template  # a template writes the special tokens itself
        read = [self._tokenizer(row.prompt, add_special_tokens=bare)["input_ids"] for row in rows]
        for row, tokens in zip(rows, read, strict=True):
            row.left = min(row.call.max_tokens, self._context - len(tokens))
            row.drawn, row.logprobs = [], []
            seed = int(row.call.key(self.name)[:15], 16)
            row.generator = torch.Generator(device=self._model.device).manual_seed(seed)
        fitting = [at for at, row in enumerate(rows) if row.left > 0]
        if fitting:
            draw = _Draw(torch, self._tokenizer, [rows[at] for at in fitting], self._ends)
            encoded = self._tokenizer.pad({"input_ids": [read[at] for at in fitting]}, return_tensors="pt")
            with torch.inference_mode():
                self._model.generate(
                    input_ids=encoded["input_ids"].to(self._model.device),
                    attention_mask=encoded["attention_mask"].to(self._model.device),
                    max_new_tokens=max(rows[at].left for at in fitting),
                    do_sample=False,
                    logits_processor=[lambda _, scores: draw.choose(scores)],
                    stopping_criteria=[lambda tokens, _: draw.done(tokens.device)],
                )
        seconds = time.perf_counter() - start
        return [self._reply(row, len(tokens), seconds) for row, tokens in zip(rows, read, strict=True)]

    def _reply(self, row: _Row, tokens_in: int, seconds: float) -> Reply:
        """What was drawn, as text, without the end mark and what follows a stop."""
        drawn, finish = row.drawn, "context" if row.left <= 0 else "length"
        kept = len(drawn)
        if drawn and drawn[-1] in self._ends:
            kept, finish = kept - 1, "stop"
        text = self._text(drawn[:kept])
        cut = min((at for stop in row.call.stop if (at := text.find(stop)) >= 0), default=-1)
        if cut >= 0:
            text, finish = text[:cut], "stop"
            while kept and self._text(drawn[: kept - 1]).startswith(text):
                kept -= 1
        spelled = self._tokenizer.decode
        tokens = tuple(
            Token(
                spelled([one]), own, tuple((spelled([token]), value) for value, token in zip(values, top, strict=True))
            )
            for one, (own, values, top) in zip(drawn[:kept], row.logprobs, strict=False)
        )
        finish += "; schema ignored" if row.call.schema else ""
        return Reply(text, tokens_in, len(drawn), 0.0, seconds, finish, tokens)

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


class _Draw:
    """Chooses the next token of each row of a batch, and says which rows are done."""

    def __init__(self, torch: Any, tokenizer: Any, rows: Sequence[_Row], ends: set[int]) -> None:
        self.torch, self.tokenizer, self.rows, self.ends = torch, tokenizer, rows, ends

    def choose(self, scores: Any) -> Any:
        """Scores whose largest is the drawn token, by row."""
        scores, torch = scores.float(), self.torch
        noisy = scores.clone()
        for at, row in enumerate(self.rows):
            if row.call.temperature > 0 and not self._ended(row):
                waits = torch.empty_like(scores[at]).exponential_(generator=row.generator)
                noisy[at] = scores[at] / row.call.temperature - waits.log()
        chosen = noisy.argmax(dim=-1).tolist()
        for at, row in enumerate(self.rows):
            if self._ended(row):
                continue
            row.drawn.append(chosen[at])
            if row.call.top_logprobs:
                logprob = scores[at].log_softmax(dim=-1)
                top = logprob.topk(min(row.call.top_logprobs, len(logprob)))
                row.logprobs.append((float(logprob[chosen[at]]), top.values.tolist(), top.indices.tolist()))
        return noisy

    def done(self, device: Any) -> Any:
        """Which rows need no further token."""
        return self.torch.tensor([self._ended(row) for row in self.rows], device=device)

    def _ended(self, row: _Row) -> bool:
        if row.dropped or len(row.drawn) >= row.left or (row.drawn and row.drawn[-1] in self.ends):
            return True
        tail = row.drawn[-(8 + max((len(stop.encode()) for stop in row.call.stop), default=0)) :]
        return any(stop in self.tokenizer.decode(tail) for stop in row.call.stop)  # a token is a byte at the least


def _fail(taken: Sequence[tuple[_Row, asyncio.Future[Reply]]], problem: BaseException) -> None:
    for _, answer in taken:
        if not answer.done():
            answer.cancel() if isinstance(problem, asyncio.CancelledError) else answer.set_exception(problem)


def _no_room(name: str) -> AdjudgeError:
    return AdjudgeError(
        f"{name}: memory does not hold a single call.",
        "A model that leaves room for one prompt and its answer.",
        'Lower max_tokens, say dtype="bfloat16", or take a smaller model.',
    )


def written(tokenizer: Any, turns: Sequence[tuple[str, str]]) -> str:
    """(role, text) turns up to where the answer begins, in the model's own form; roles as words where it has none."""
    messages = [{"role": role, "content": text} for role, text in turns]
    if not tokenizer.chat_template:
        return "\n\n".join(f"{role}: {text}" for role, text in turns) + "\n\nassistant:"
    options = {"tokenize": False, "add_generation_prompt": True}
    try:
        return str(tokenizer.apply_chat_template(messages, **options))
    except Exception:  # some templates refuse the role `system`; then it stands before the first question
        head = "\n\n".join(text for role, text in turns if role == "system")
        rest = [message for message in messages if message["role"] != "system"]
        if not head or not rest:
            raise
        rest[0] = {"role": rest[0]["role"], "content": f"{head}\n\n{rest[0]['content']}"}
        return str(tokenizer.apply_chat_template(rest, **options))


def loaded(model: str, device: str, dtype: str, revision: str) -> tuple[Any, Any, Any]:
    """(torch, model, tokenizer); generation settings of the files, other than their end marks, do not count."""
    try:
        import torch
        import transformers
    except ModuleNotFoundError as problem:
        raise AdjudgeError(
            f"The package `{problem.name}` is not installed.",
            "Local models run on torch and transformers.",
            "pip install 'adjudge[torch]'",
        ) from None
    device = device or ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    require_folder(model)
    expected = "The name of a causal language model on the hub, or a folder with its files."
    with loading(model, expected, "Check the name, the revision and the connection."):
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, revision=revision, padding_side="left")
        kind: Any = transformers.AutoModelForCausalLM
        net: Any = kind.from_pretrained(model, revision=revision, **of_type(dtype))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    plain: Any = transformers.GenerationConfig
    ends = net.generation_config.eos_token_id
    ends = tokenizer.eos_token_id if ends is None else ends
    net.generation_config = plain(eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)
    return torch, net.to(device).eval(), tokenizer
