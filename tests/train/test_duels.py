"""Contests with oneself come to what theory says: Nash for Nash's objectives, the tilt of a reward for DPO."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from adjudge.errors import AdjudgeError
from adjudge.objectives import dpo, ipo, nash_md, nash_mp
from adjudge.sim import tabular_preferences
from adjudge.stats.games import gap, regularised_nash
from adjudge.tables.read_preferences import read
from adjudge.train import lora
from adjudge.train.causal_lm import CausalLM
from adjudge.train.duels import Contest, Duels
from adjudge.train.loop import train
from adjudge.train.settings import Settings
from adjudge.train.tabular import Tabular
from train import tiny
from train.letters import Letters, descend

CIRCLE = np.array([[0.5, 0.9, 0.2, 0.6], [0.1, 0.5, 0.95, 0.6], [0.8, 0.05, 0.5, 0.7], [0.4, 0.4, 0.3, 0.5]])
MU = np.array([0.4, 0.3, 0.1, 0.2])
BETA = 0.25
NAMES = ("rock", "paper", "scissors", "well")


def game(chance: np.ndarray = CIRCLE) -> Any:
    """Who wins, by their names."""

    def prefer(prompts: Any, left: Any, right: Any) -> np.ndarray:
        return chance[[NAMES.index(each) for each in left], [NAMES.index(each) for each in right]]

    return prefer


def table() -> Tabular:
    return Tabular(np.log(MU)[None], names=NAMES)


def settled(loss: Any, contest: Contest, *, chance: np.ndarray = CIRCLE, steps: int = 150, lr: float = 0.1) -> Any:
    """The policy to which contests in one context come: a mean of its last third, as draws never rest."""
    policy, seen = table(), []
    recipe = Duels(["0"] * 48, game(chance), loss, policy, contest=contest)
    settings = Settings(steps=steps, batch=48, lr=lr, schedule="cosine", clip=None, seed=3)

    def keep(moment: Any) -> None:
        if 3 * moment.step > 2 * moment.of:
            seen.append(policy.logits.detach()[0].softmax(0).numpy().copy())

    done = train(policy, recipe, settings, callbacks=[keep])
    return np.mean(seen, axis=0), done


@pytest.mark.parametrize("slow", [0.0, 0.8])
def test_mirror_prox_comes_to_the_equilibrium(slow: float) -> None:
    """Where the slow copy and the policy are one, the regression's root is the regularised equilibrium, at any step."""
    found, done = settled(partial(nash_mp.loss, beta=BETA), Contest(n=6, slow=slow))
    truth = regularised_nash(CIRCLE, MU, beta=BETA)
    assert abs(truth - MU).max() > 0.1
    np.testing.assert_allclose(found, truth, atol=0.02)
    assert gap(CIRCLE, found, reference=MU, beta=BETA) < 0.02 * gap(CIRCLE, MU, reference=MU, beta=BETA)
    told = done.history[-1]
    assert told["kl"] == pytest.approx(float(found @ np.log(found / MU)), abs=0.02)
    assert told["unfinished"] == 0
    assert 0.2 < told["equal"] < 0.5


@pytest.mark.parametrize("eta", [0.4, 2.0])
def test_mirror_descent_comes_to_the_best_answer_to_its_own_mixture(eta: float) -> None:
    """π ∝ μ·exp(P(y ≻ π^{1−ηβ}μ^{ηβ})/β), which is the equilibrium as η falls, and beside it at a long step."""
    share = nash_md.mix(beta=BETA, eta=eta)
    assert share == eta * BETA
    found, _ = settled(partial(nash_md.loss, beta=BETA, eta=eta), Contest(n=6, mix=share))
    fixed = MU
    for _ in range(2000):
        mixture = softmax((1 - share) * np.log(fixed) + share * np.log(MU))
        fixed = softmax(0.9 * np.log(fixed) + 0.1 * (np.log(MU) + CIRCLE @ mixture / BETA))
    np.testing.assert_allclose(found, fixed, atol=0.02)
    apart = abs(fixed - regularised_nash(CIRCLE, MU, beta=BETA)).max()
    assert apart < 0.02 if eta == 0.4 else apart > 0.03


def test_online_dpo_comes_to_the_tilt_of_the_reward() -> None:
    reward = np.array([0.0, 0.5, 1.0, -0.5])
    world = tabular_preferences.bradley_terry(reward, reference=MU)
    found, _ = settled(partial(dpo.loss, beta=0.5), Contest(n=6), chance=world.chance)
    np.testing.assert_allclose(found, np.exp(world.best(0.5)), atol=0.02)


def test_online_ipo_is_self_play() -> None:
    found, _ = settled(partial(ipo.loss, beta=BETA), Contest(n=6))
    np.testing.assert_allclose(found, regularised_nash(CIRCLE, MU, beta=BETA), atol=0.02)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mixture_is_drawn_from(share: float) -> None:
    other, policy = table(), Tabular(np.array([[0.0, 1.0, 2.0, -1.0]]), names=NAMES)
    drawn = policy.sample([(0,)], torch.Generator().manual_seed(1), n=40_000, toward=(other, share))
    count = np.bincount([one.response[0] for one in drawn.exchanges], minlength=4) / 40_000
    wanted = softmax((1 - share) * policy.logits.detach().numpy()[0] + share * np.log(MU))
    np.testing.assert_allclose(count, wanted, atol=4 * 0.5 / 200)
    at = drawn.exchanges[7].response[0]
    assert drawn.chances.total[7].exp().item() == pytest.approx(wanted[at], abs=1e-9)


def test_a_language_model_is_mixed_token_by_token() -> None:
    policy, other = tiny.policy(), tiny.policy("gpt2")
    prompts = [(5, 9, 4), (7, 3)]
    for share, only in ((0.0, policy), (1.0, other)):
        one, two = (torch.Generator().manual_seed(2) for _ in range(2))
        mixed = policy.sample(prompts, one, n=4, max_tokens=7, toward=(other, share))
        assert mixed.exchanges == only.sample(prompts, two, n=4, max_tokens=7).exchanges
    drawn = policy.sample(prompts, torch.Generator().manual_seed(2), n=4, max_tokens=7, toward=(other, 0.4))
    one = drawn.exchanges[3]
    codes = torch.tensor([one.prompt + one.response])
    with torch.no_grad():
        ours, theirs = (each.module(input_ids=codes).logits[0].log_softmax(1) for each in (policy, other))
    said = (0.6 * ours + 0.4 * theirs).log_softmax(1)[len(one.prompt) - 1 : -1]
    wanted = said.gather(1, torch.tensor(one.response)[:, None])[:, 0]
    torch.testing.assert_close(drawn.chances.logp[3, : len(wanted)], wanted, atol=1e-4, rtol=0)


def shorter(prompts: Any, left: Any, right: Any) -> list[float]:
    return [1 / (1 + 2.0 ** (len(a) - len(b))) for a, b in zip(left, right, strict=True)]


@pytest.mark.parametrize("contest", [Contest(max_tokens=6), Contest(n=3, max_tokens=6, mix=0.4, slow=0.5, updates=2)])
def test_parts_of_one_prompt_are_the_step(contest: Contest) -> None:
    ends = []
    for micro in (1, 2, None):
        policy = Letters(dtype=torch.float64)
        recipe = Duels(("ab", "c", "dd", "fa", "g"), shorter, dpo.loss, policy, contest=contest)
        told = descend(policy, recipe, micro=micro, lr=1.0)
        assert told[-1]["loss"] == pytest.approx(told[-1]["summed"], abs=1e-12)
        ends.append(policy.table.detach().numpy())
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-14)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-14)


def test_the_objective_is_given_both_sides_better_first_and_where_the_step_starts() -> None:
    policy = Letters(dtype=torch.float64)
    recipe = Duels(("ab", "c"), shorter, dpo.loss, policy, contest=Contest(n=3, max_tokens=5, slow=0.75))
    recipe.warm_up(policy)
    recipe.prepare(policy, np.arange(2), torch.Generator().manual_seed(0))
    begun = policy.table.detach().clone()
    with torch.no_grad():
        policy.table[1:, 3] += 2.0
    now = policy.table.detach().clone()
    step = recipe.prepare(policy, np.array([1, 0]), torch.Generator().manual_seed(0))
    assert torch.equal(policy.table, now), "the copy's weights are worn for a while only"
    batch = step.batch(policy, np.ones(len(step.pairs), dtype=bool))
    slow = Letters(dtype=torch.float64)
    with torch.no_grad():
        slow.table.copy_(0.75 * begun + 0.25 * now)
    better, worse = step.pairs.T
    assert set(better // 3) == {0, 1}
    for name, asked in (("", policy), ("ref_", recipe.reference), ("old_", slow)):
        for side, at in (("chosen", better), ("rejected", worse)):
            wanted = asked.chances([step.exchanges[each] for each in at]).total
            torch.testing.assert_close(getattr(batch, name + side), wanted, atol=1e-12, rtol=0)
    step.loss(policy, slice(0, 2))
    assert step.metrics()["logp_chosen"] == pytest.approx(batch.chosen.mean().item(), abs=1e-12)
    told = shorter([], [step.texts[at] for at in better], [step.texts[at] for at in worse])
    np.testing.assert_allclose(batch.preference, told, atol=1e-12)
    assert (batch.preference >= 0.5).all()
    assert [one.prompt for one in step.exchanges] == [(3,)] * 3 + [(1, 2)] * 3


def test_pairs_that_teach_nothing_are_counted_and_not_asked() -> None:
    asked: list[tuple[str, str]] = []

    def prefer(prompts: Any, left: Any, right: Any) -> list[float]:
        asked.extend(zip(left, right, strict=True))
        return [np.nan if "paper" in pair else 1.0 for pair in zip(left, right, strict=True)]

    policy = table()
    recipe = Duels(["0"] * 50, prefer, dpo.loss, policy)
    told = descend(policy, recipe, steps=1, batch=50)[0]
    assert all(a != b for a, b in asked)
    assert told["equal"] == pytest.approx(1 - len(asked) / 50)
    assert told["unjudged"] == pytest.approx(sum("paper" in pair for pair in asked) / len(asked))
    sure = Tabular(np.array([[0.0, -np.inf, -np.inf, -np.inf]]), names=NAMES)
    asked.clear()
    step = Duels(["0"], prefer, dpo.loss, sure).prepare(sure, np.zeros(1, dtype=int), torch.Generator())
    assert step.loss(sure, slice(0, 1)) == 0
    assert not asked
    assert step.metrics()["equal"] == 1


def test_a_run_that_died_goes_on_bit_by_bit_and_keeps_what_was_compared(tmp_path: Path) -> None:
    ends, said = [], []
    for name, dies in (("whole", 0), ("died", 5)):
        for until in (dies, 0) if dies else (0,):
            policy = Letters()
            recipe = Duels(
                ("ab", "c", "dd e"), shorter, partial(nash_mp.loss, beta=0.5), policy, samples=tmp_path / name / "d",
                contest=Contest(max_tokens=6, slow=0.7, mix=0.1, updates=2),
            )  # fmt: skip

            def die(moment: Any, until: int = until) -> None:
                if until and moment.step == until:
                    raise RuntimeError("power cut")

            settings = Settings(steps=12, batch=2, lr=0.05, checkpoint_every=4)
            try:
                train(policy, recipe, settings, out=tmp_path / name, callbacks=[die])
            except RuntimeError:
                assert until
                with (tmp_path / name / "d").open("ab") as file:
                    file.write('{"step": 6, "prompt": "é'.encode()[:-1])  # it died within a letter
        ends.append(policy.table.detach())
        said.append([json.loads(line) for line in (tmp_path / name / "d").read_text().splitlines()])
    assert torch.equal(ends[0], ends[1])
    assert said[0] == said[1]
    kept = read(said[0])
    assert kept.n == len(said[0])


def test_adapters_begin_where_everything_is_one_and_go_on_bit_by_bit(tmp_path: Path) -> None:
    """Reference, slow copy and policy agree at first, so that the loss is that of h = 0; the base stands still."""

    def shorter_texts(prompts: Any, left: Any, right: Any) -> list[float]:
        return [float(len(a) < len(b)) for a, b in zip(left, right, strict=True)]

    ends = []
    for name, dies in (("whole", 0), ("died", 5)):
        for until in (dies, 0) if dies else (0,):
            model = lora.adapted(tiny.model(), lora.Lora(rank=2), seed=3)
            policy = CausalLM(model, tiny.tokenizer())
            recipe = Duels(
                ("ab:", "c:", "d e:"), shorter_texts, partial(dpo.loss, beta=0.3), policy, batch=4,
                contest=Contest(n=3, max_tokens=6, slow=0.7, mix=0.25),
            )  # fmt: skip

            def die(moment: Any, until: int = until) -> None:
                if until and moment.step == until:
                    raise RuntimeError("power cut")

            settings = Settings(steps=8, batch=3, lr=0.02, checkpoint_every=4)
            try:
                done = train(policy, recipe, settings, out=tmp_path / name, callbacks=[die])
            except RuntimeError:
                assert until
        ends.append([each.detach().clone() for each in policy.module.parameters() if each.requires_grad])
        if not dies:
            assert done.history[0]["loss"] == pytest.approx(np.log(2) * (1 - done.history[0]["equal"]), abs=1e-5)
            assert abs(done.history[-1]["log_ratio_chosen"]) > 0.01
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("options", [
    {"n": 1}, {"temperature": 0.0}, {"max_tokens": 0}, {"updates": 0}, {"mix": 1.5}, {"slow": 1.0},
])  # fmt: skip
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(AdjudgeError, match=f"duels: {next(iter(options))} = "):
        Contest(**options)


def test_what_cannot_be_compared_is_refused() -> None:
    policy = table()
    with pytest.raises(AdjudgeError, match="0 prompts"):
        Duels([], game(), dpo.loss, policy)
    with pytest.raises(AdjudgeError, match=r"mix = 0\.5"):
        Duels(["0"], game(), dpo.loss, policy, contest=Contest(mix=0.5), reference=False)
    for said in ([0.5], lambda n: [2.0] * n):
        recipe = Duels(["0"] * 9, lambda p, a, b, said=said: said if isinstance(said, list) else said(len(a)),
                       dpo.loss, policy)  # fmt: skip
        with pytest.raises(AdjudgeError, match=r"a comparison gave \["):
            recipe.prepare(policy, np.arange(9), torch.Generator().manual_seed(1))
