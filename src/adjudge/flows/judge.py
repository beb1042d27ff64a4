"""Runs a judge over a table of answers: every call is kept as it returns, and the same call is never paid twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..backends.budget import Budget
from ..backends.engine import Engine, Tally
from ..backends.named import backend, played
from ..backends.store import Store
from ..core.run import Run
from ..judges import injected
from ..judges._asking import Judge
from ..tables import read_responses
from ..tables.cases import Case
from ..tables.columns import Names, as_names
from ..tables.responses import Responses
from ..tables.verdicts import Verdict
from .asking import Asking
from .judge_cases import cases_of, files_named, refuse
from .judge_plan import planned
from .judged import Judged
from .made import Setting, fingerprints

Progress = Callable[[int, int, Tally], object]


def judge(
    source: object,
    *,
    protocol: str = "pairwise",
    model: Names = None,
    options: Mapping[str, object] | None = None,
    takes: int | None = None,
    swap: bool = False,
    samples: int = 1,
    inject: Sequence[str] = (),
    item: str | None = None,
    prompt: str | None = None,
    policy: str | None = None,
    response: Names = None,
    reference: str | None = None,
    image: str | None = None,
    cluster: str | None = None,
    keep: Sequence[str] = (),
    where: str | None = None,
    against: str = "",
    pairs: int = 0,
    limit: int = 0,
    asking: Asking | None = None,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> Judged:
    """Judges answers: each alone, in pairs, or all of a prompt together, as the protocol takes them.

    Arguments:
        source: a table of answers, as `tables.read_responses.read` takes it, or one that has been read.
        protocol: of the family `judges`, such as `pairwise`, `rubric` or `debate`.
        model: who is asked, by the words of `backends.named.backend`; several are a jury, or play a protocol's parts,
            each named before it, such as `pro=gpt-4o`.
        options: of the protocol, such as `{"criteria": "Is it true?"}`.
        takes: answers in a case, 0 for all of a prompt, for protocols that take any; None for the protocol's own.
        swap: ask in both orders, for protocols on pairs.
        samples: answers to each question, from 1 on.
        inject: biases to plant; each case is then judged clean and under each of them.
        item, prompt, policy, response, reference, image, cluster, keep, where: columns, as in
            `tables.read_responses.read`.
        against: pair this policy with each other one alone.
        pairs: drawn at random for each prompt at most; 0 for all.
        limit: cases to judge at most, the first of them; 0 for all.
        asking: how models are asked: budget, limits, store.
        level: coverage of the intervals, in (0, 1).
        seed: of the order of showing and of every other draw.
        progress: called with (done, of, tally) after each case.

    Errors: `AdjudgeError` for a table without answers, a protocol, option or model that is not there, and for what an
    endpoint refuses for good. What was answered before that is kept in the store.

    >>> rows = {"prompt": ["2+2?", "2+2?"], "model": ["a", "b"], "response": ["4", "5"], "reference": ["4", "4"]}
    >>> judge(rows, protocol="rules", options={"rule": "exact"}).frame["score"].to_list()
    [1.0, 0.0]
    """
    how, words, inject = asking or Asking(), as_names(model) or ("none",), tuple(dict.fromkeys(inject))
    refuse(words, {"samples": samples, "limit": limit, "pairs": pairs, "seed": seed})
    columns: dict[str, object] = {"item": item, "prompt": prompt, "policy": policy, "response": response}
    columns |= {"reference": reference, "image": image, "cluster": cluster, "keep": tuple(keep), "where": where}
    table = source if isinstance(source, Responses) else read_responses.read(source, **columns)  # type: ignore[arg-type]
    told: dict[str, object] = dict(  # noqa: C408
        protocol=protocol,
        model=words,
        options=dict(options or {}),
        takes=takes,
        swap=swap,
        samples=samples,
    )
    told |= {"inject": inject, "against": against, "pairs": pairs, "limit": limit}
    parts = [played(word) for word in words]
    files = [Path(path) for value in (*(options or {}).values(), *words) for path in files_named(value)]
    setting = Setting(level, seed, {**fingerprints(source), **fingerprints(files)}, {**columns, **told}, source)
    with closing(Store(how.store or ":memory:")) as store:
        engines = _engines([who for _, who in parts], how, store, seed)
        asks = {part: engine.ask for (part, _), engine in zip(parts, engines, strict=True)}
        plan = planned(protocol, options or {}, takes=takes, swapped=swap, samples=samples, asks=asks)
        cases = cases_of(table, plan, protocol, against=against, pairs=pairs, limit=limit, planted=inject, seed=seed)
        found = _run(engines, _conditions(cases, plan.judge, inject, seed), progress)
    asked = {**setting.options, "prompts": dict(plan.prompts)}
    setting = replace(setting, options={name: value for name, value in asked.items() if value})
    return _judged(table, cases, found, inject, engines, setting, setting.run("adjudge.judge(…)", plan.methods), words)


def _engines(words: Sequence[str], how: Asking, store: Store, seed: int) -> list[Engine]:
    """One engine a model; they share the store and the budget."""
    infinite = float("inf")
    budget = Budget(infinite if how.budget is None else how.budget, infinite if how.tokens is None else how.tokens)
    return [
        Engine(
            backend(word, price_in=how.price_in, price_out=how.price_out, timeout=how.timeout),
            store=store,
            budget=budget,
            concurrency=how.concurrency,
            per_minute=how.per_minute,
            tries=how.tries,
            seed=seed,
        )
        for word in words
    ]


def _conditions(cases: Sequence[Case], clean: Judge, inject: Sequence[str], seed: int) -> list[tuple[Case, Judge]]:
    """Every case with the judge that it is put to: clean first, then under each planted bias."""
    planted: list[Judge] = [partial(injected.judge, inner=clean, bias=bias, seed=seed) for bias in inject]
    return [(case, judge) for judge in [clean, *planted] for case in cases]


def _run(
    engines: Sequence[Engine], asked: Sequence[tuple[Case, Judge]], progress: Progress | None
) -> list[Verdict | None]:
    first, *others = engines

    async def verdict(one: tuple[Case, Judge]) -> Verdict:
        return await one[1](one[0], first.ask)

    return first.run(asked, verdict, beside=others, progress=progress)


def _judged(
    table: Responses,
    cases: Sequence[Case],
    found: Sequence[Verdict | None],
    inject: Iterable[str],
    engines: Sequence[Engine],
    setting: Setting,
    run: Run,
    words: Sequence[str],
) -> Judged:
    n = len(cases)
    return Judged(
        cases=tuple(cases),
        verdicts=tuple(found[:n]),
        planted={bias: tuple(found[n * (at + 1) : n * (at + 2)]) for at, bias in enumerate(inject)},
        tallies={word: engine.tally for word, engine in zip(words, engines, strict=True)},
        spent=not engines[0].budget.left,
        kept=table.kept,
        noticed=table.findings,
        run=run,
        level=setting.level,
        seed=setting.seed,
    )
