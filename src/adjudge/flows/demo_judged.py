"""What the demonstration knows before it optimises: responses of five ways to speak, judged, audited, evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..tables import read
from ..tables.ratings import Ratings
from .audit import check_table
from .auditing import Auditing
from .demo_world import World, gold
from .evaluate import evaluate_ratings
from .evaluation import Evaluation
from .judge import judge
from .made import Setting

if TYPE_CHECKING:
    from ..train.causal_lm import CausalLM

WAYS = {
    "plain": (1.0, 1, 0),
    "careful": (0.6, 1, 0),
    "loose": (1.4, 1, 0),
    "terse": (1.0, 4, 0),
    "talkative": (1.0, 4, 3),
}
"""Way to speak -> (temperature, responses drawn, which of them by length is given)."""


@dataclass(frozen=True, eq=False)
class Heard:
    """Judged responses.

    Arguments:
        prompts, responses: [n] texts, all ways to a prompt side by side.
        way: [n] how it was spoken.
        item: [n] number of the prompt.
        words: [n] length.
        score: [n] the judge's points.
        gold: [n] what people say it is worth; NaN where nobody was asked.
        audit: of the judge's scores.
        evaluation: of the ways.
    """

    prompts: tuple[str, ...]
    responses: tuple[str, ...]
    way: tuple[str, ...]
    item: tuple[int, ...]
    words: FloatArray
    score: FloatArray
    gold: FloatArray
    audit: Auditing
    evaluation: Evaluation

    @property
    def bias(self) -> Estimate:
        """Standard deviations of score for one of length, beside gold."""
        return self.audit.audits["audit.score_length"].figures["effect"]

    def ratings(self, score: FloatArray) -> Ratings:
        """The responses under another score."""
        return _ratings(self.way, self.item, score, self.gold, self.words)


def heard(world: World, policy: CausalLM) -> Heard:
    """Samples, judges, audits and evaluates.

    Arguments:
        world: judge, prompts, labels.
        policy: who speaks.
    """
    asked = world.prompts[0][: world.size.judged]
    said = {way: _said(world, policy, asked, number) for number, way in enumerate(WAYS)}
    rows = [(at, prompt, way, said[way][at]) for at, prompt in enumerate(asked) for way in WAYS]
    item, prompts, ways, responses = (tuple(column) for column in zip(*rows, strict=True))
    points = world.judge
    verdicts = judge(
        {"prompt": prompts, "prompt_id": item, "policy": ways, "response": responses},
        protocol="function",
        options={"function": lambda prompt, answer: points(prompt, answer)},
        progress=lambda done, of, _: world.tell("is judged", done, of),
    ).frame
    told = {(row["item"], row["policy"]): row["score"] for row in verdicts.iter_rows(named=True)}
    score = np.array([told[str(at), way] for at, way in zip(item, ways, strict=True)], dtype=float)
    known = np.full(len(rows), np.nan)
    labelled = world.size.labels
    known[:labelled] = gold(prompts[:labelled], responses[:labelled])
    words = np.array([len(text.split()) for text in responses], dtype=float)
    table = _ratings(ways, item, score, known, words)
    setting = Setting(seed=world.seed)
    audit = check_table(table, setting, checks=("score_length", "agreement"))
    evaluation = evaluate_ratings(table, setting)
    return Heard(prompts, responses, ways, item, words, score, known, audit, evaluation)


def spoken(
    policy: CausalLM, asked: tuple[str, ...], seed: int, *, n: int = 1, temperature: float = 1.0, longest: int = 30
) -> list[list[str]]:
    """[p][n] what a policy says to prompts."""
    import torch

    codes = [policy.encode(prompt, "").prompt for prompt in asked]
    generator = torch.Generator().manual_seed(seed)
    drawn = policy.sample(codes, generator, n=n, temperature=temperature, max_tokens=longest)
    texts = [policy.decode(one.response) for one in drawn.exchanges]
    return [texts[at * n : at * n + n] for at in range(len(asked))]


def _said(world: World, policy: CausalLM, asked: tuple[str, ...], number: int) -> list[str]:
    """What one way to speak gives."""
    temperature, n, place = tuple(WAYS.values())[number]
    drawn = spoken(policy, asked, 1_000 * world.seed + number, n=n, temperature=temperature, longest=world.size.longest)
    return [sorted(texts, key=lambda text: len(text.split()))[place] for texts in drawn]


def _ratings(
    way: tuple[str, ...], item: tuple[int, ...], score: FloatArray, known: FloatArray, words: FloatArray
) -> Ratings:
    columns = {"policy": way, "prompt_id": item, "judge": score, "gold": known, "words": words}
    return read.read(
        {name: np.asarray(column) for name, column in columns.items()},
        policy="policy", item="prompt_id", judge="judge", gold="gold", covariates=("words",), bounds=(0.0, 1.0),
    )  # fmt: skip
