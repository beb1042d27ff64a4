"""The laws that every monitor obeys: same answer for the same run, order and codes do not matter, no NaN in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from adjudge import catalogue
from adjudge.core.estimate import Audit
from adjudge.errors import AdjudgeError
from adjudge.sim.overoptimisation import Overoptimisation
from adjudge.tables import reward_process
from adjudge.tables.likelihood_curve import LikelihoodCurve
from adjudge.tables.likelihood_curve import from_arrays as likelihood_curve
from adjudge.tables.pair_batch import PairBatch
from adjudge.tables.proxy_curve import ProxyCurve
from adjudge.tables.reward_process import RewardProcess

STEPS, PROMPTS, PAIRS = 7, 43, 61


def curve(seed: int = 0) -> ProxyCurve:
    """A run past its peak, with gold for some of its rows."""
    world = Overoptimisation()
    made = world.tilted(np.array([1.0, 0.5, 0, 0, 0.5, 0]), np.linspace(0, 4, STEPS), PROMPTS, seed=seed)
    rng = np.random.default_rng((seed, 5))
    known = np.where(rng.random(made.gold.size) < 0.8, made.gold, np.nan)
    return replace(made, gold=known, weight=rng.integers(1, 4, made.gold.size).astype(float))


def likelihood(seed: int = 0) -> LikelihoodCurve:
    """A training that turned."""
    rng = np.random.default_rng((seed, 7))
    prompt, step = np.divmod(np.arange(PROMPTS * STEPS), STEPS)
    noise = 0.05 * rng.normal(size=(4, step.size))
    away = step / STEPS
    entropy, mass = 2 - away + noise[2], np.clip(0.9 - (away - 0.3) ** 2 + noise[3], 0, 1)
    return likelihood_curve(-2 - 0.5 * away + noise[0], -2 - away + noise[1], entropy, mass, step=step, prompt=prompt)


def pairs(seed: int = 0) -> PairBatch:
    """A policy that hardly turned what its reference ranks wrongly."""
    rng = np.random.default_rng((seed, 11))
    chosen, rejected = rng.normal(-20, 4, (2, PAIRS))
    lift = rng.normal(0.3, 0.2, (2, PAIRS))
    weight, length = rng.integers(1, 4, PAIRS).astype(float), np.full(PAIRS, 9.0)
    sure = np.full(PAIRS, 0.9)
    moved = chosen + lift[0], rejected - lift[1]
    return PairBatch(*moved, chosen, rejected, length, length, preference=sure, weight=weight)


def process(seed: int = 0) -> RewardProcess:
    """A small process whose gold is not its proxy."""
    rng = np.random.default_rng((seed, 13))
    moves, initial = rng.dirichlet(np.ones(5), (5, 3)), rng.dirichlet(np.ones(5))
    proxy = rng.normal(size=(5, 3))
    return reward_process.from_arrays(moves, initial, proxy, proxy + 0.6 * rng.normal(size=(5, 3)), discount=0.8)


WORLDS: dict[type[Any], Callable[[int], Any]] = {
    ProxyCurve: curve,
    LikelihoodCurve: likelihood,
    PairBatch: pairs,
    RewardProcess: process,
}


def table_of(address: str) -> type[Any]:
    """The table whose columns a monitor's card needs."""
    needs = set(catalogue.card(address).needs)
    return next(table for table in WORLDS if needs <= {column.name for column in fields(table)})


ADDRESSES = catalogue.addresses("monitor")
ROWS = [address for address in ADDRESSES if table_of(address) is not RewardProcess]
each_monitor = pytest.mark.parametrize("address", ADDRESSES)
each_of_rows = pytest.mark.parametrize("address", ROWS)


def watched(address: str, table: Any) -> Audit:
    seen: Audit = catalogue.load(address).watch(table)
    return seen


def outcome(address: str, table: Any) -> Audit | AdjudgeError:
    """What a monitor makes of a table, be it a refusal."""
    try:
        return watched(address, table)
    except AdjudgeError as problem:
        return problem


def taken(table: Any, where: Any) -> Any:
    """Some rows of a table, in this order."""
    columns = {column.name: getattr(table, column.name) for column in fields(table)}
    size = next(value.shape[0] for value in columns.values() if isinstance(value, np.ndarray))
    return type(table)(
        **{
            name: value[where] if isinstance(value, np.ndarray) and value.shape[:1] == (size,) else value
            for name, value in columns.items()
        }
    )


def size_of(table: Any) -> int:
    first = getattr(table, fields(table)[0].name)
    return int(first.shape[0])


def same(one: Audit, two: Audit, *, errors: bool = True) -> None:
    assert set(one.figures) == set(two.figures)
    for name, figure in one.figures.items():
        np.testing.assert_allclose(two.figures[name].value, figure.value, rtol=1e-7, atol=1e-9)
        if errors:
            np.testing.assert_allclose(two.figures[name].stderr, figure.stderr, rtol=1e-6, atol=1e-9)
            assert [finding.code for finding in two.findings] == [finding.code for finding in one.findings]


def require_words(seen: Audit) -> None:
    """Findings are sentences with numbers, never with what is none."""
    for finding in seen.findings:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", finding.code)
        assert finding.message.endswith((".", "!", "?"))
        for text in (finding.message, finding.remedy):
            assert not re.search(r"\bnan\b|\binf\b|None", text, re.IGNORECASE), text


def test_the_monitors_are_found() -> None:
    assert {"monitor.overoptimisation", "monitor.likelihood", "monitor.ranking_accuracy"} <= set(ROWS)


@each_monitor
@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_has_numbers_and_words(address: str, seed: int) -> None:
    seen = watched(address, WORLDS[table_of(address)](seed))
    assert seen.figures
    assert any(np.isfinite(figure.value).all() for figure in seen.figures.values())
    require_words(seen)


@each_monitor
def test_the_same_run_gives_the_same_answer_and_is_not_written_to(address: str) -> None:
    make = WORLDS[table_of(address)]
    table = make(0)
    one, two = watched(address, table), watched(address, make(0))
    assert one.findings == two.findings
    same(one, two)
    for column in fields(table):
        np.testing.assert_array_equal(getattr(table, column.name), getattr(make(0), column.name))


@each_of_rows
def test_the_order_of_rows_does_not_matter(address: str) -> None:
    table = WORLDS[table_of(address)](1)
    order = np.random.default_rng(2).permutation(size_of(table))
    same(watched(address, table), watched(address, taken(table, order)))


@each_of_rows
def test_the_codes_of_prompts_do_not_matter(address: str) -> None:
    table = WORLDS[table_of(address)](1)
    if hasattr(table, "prompt"):
        turned = np.random.default_rng(3).permutation(PROMPTS)[table.prompt]
        same(watched(address, table), watched(address, replace(table, prompt=turned)))


@each_of_rows
def test_a_row_of_weight_two_is_two_rows(address: str) -> None:
    table = WORLDS[table_of(address)](2)
    if getattr(table, "weight", None) is not None:
        count = table.weight.astype(int)
        alone = taken(replace(table, weight=np.ones(count.size)), np.repeat(np.arange(count.size), count))
        clustered = hasattr(table, "prompt")  # pairs are units of their own: repeated, they are more of them
        same(watched(address, table), watched(address, alone), errors=clustered)


def spoiled() -> list[tuple[str, Any]]:
    """Tables from which little or nothing can be said."""
    run, training, batch = curve(), likelihood(), pairs()
    first, one = run.step == 0, run.prompt == 0
    nothing = np.full(run.gold.size, np.nan)
    found: list[tuple[str, Any]] = [
        ("constant proxy", replace(run, proxy=np.full(run.proxy.size, 3.0))),
        ("gold never varies", replace(run, gold=np.full(run.gold.size, 0.3))),
        ("both constant", replace(run, gold=np.zeros(run.gold.size), proxy=np.zeros(run.proxy.size))),
        ("no gold", replace(run, gold=nothing)),
        ("no proxy", replace(run, proxy=nothing)),
        ("nothing", replace(run, proxy=nothing, gold=nothing)),
        ("one step", taken(run, first)),
        ("one prompt", taken(run, one)),
        ("one row", taken(run, first & one)),
        ("no distance", replace(run, kl=np.zeros(run.kl.size))),
        ("no weight", replace(run, weight=np.zeros(run.weight.size))),
        ("a step without weight", replace(run, weight=np.where(run.step == 3, 0.0, 1.0))),
        ("cut in its last step", taken(run, ~((run.step == STEPS - 1) & (run.prompt > 0)))),
        ("gold of one prompt", replace(run, gold=np.where(one, run.gold, np.nan))),
        ("gold as large as can be", replace(run, gold=1e40 * run.gold)),
        ("entropy and mass constant", replace(training, entropy=0 * training.entropy, mass=0 * training.mass + 1)),
        ("nothing measured", replace(training, **{name: np.full(training.step.size, np.nan) for name in
                                                  ("chosen", "rejected", "entropy", "mass")})),
        ("one step of training", taken(training, training.step == 0)),
        ("one prompt of training", taken(training, training.prompt == 0)),
        ("one row of training", taken(training, (training.step == 0) & (training.prompt == 0))),
        ("training cut in its last step", taken(training, ~((training.step == STEPS - 1) & (training.prompt > 0)))),
        ("one pair", taken(batch, np.array([0]))),
        ("policy is reference", replace(batch, chosen=batch.ref_chosen, rejected=batch.ref_rejected)),
        ("all pairs tied", replace(batch, preference=np.full(PAIRS, 0.5))),
        ("responses alike", replace(batch, rejected=batch.chosen, ref_rejected=batch.ref_chosen)),
        ("pairs without weight", replace(batch, weight=np.zeros(PAIRS))),
        ("a log-probability missing", replace(batch, chosen=np.where(np.arange(PAIRS) == 3, np.nan, batch.chosen))),
    ]  # fmt: skip
    plain = process()
    still = np.zeros(plain.proxy_reward.shape)
    found += [
        ("a proxy of one value", replace(plain, proxy_reward=still)),
        ("a gold of one value", replace(plain, gold_reward=still)),
        ("a gold that nobody knows", replace(plain, gold_reward=np.full(still.shape, np.nan))),
        ("gold is the proxy", replace(plain, gold_reward=plain.proxy_reward)),
    ]
    return found


SPOILED = spoiled()


@each_monitor
def test_degenerate_runs_give_findings_or_errors_in_three_parts(address: str) -> None:
    own, tried = table_of(address), 0
    for name, table in SPOILED:
        if not isinstance(table, own):
            continue
        tried += 1
        said = outcome(address, table)
        if isinstance(said, AdjudgeError):
            assert all((said.found, said.expected, said.do)), name
            assert "nan" not in f"{said.found} {said.do}".lower(), name
        else:
            require_words(said)
    assert tried >= 4
