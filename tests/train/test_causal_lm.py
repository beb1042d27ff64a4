from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from scipy import stats

from adjudge.backends import embeddings
from adjudge.errors import AdjudgeError
from adjudge.train import causal_lm
from adjudge.train.causal_lm import CausalLM
from adjudge.train.policy import Exchange

from . import tiny

SAID = [
    ("how?", "so."),
    ("how?", "not at all."),
    ("how?", ""),
    ("why is it?", "no"),
    ("why is it?", "yes."),
    ("a", "b"),
]


def exchanges(policy: CausalLM) -> list[Exchange]:
    return [policy.encode(prompt, response) for prompt, response in SAID]


def by_hand(policy: CausalLM, said: Exchange, temperature: float = 1.0) -> torch.Tensor:
    """One exchange alone in the model, the whole vocabulary kept."""
    codes = torch.tensor([said.prompt + said.response])
    rows = (policy.module(input_ids=codes).logits[0] / temperature).log_softmax(1)
    at = torch.arange(len(said.prompt) - 1, codes.shape[1] - 1)
    return rows[at, codes[0, at + 1]]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("layout", ["padded", "shared", "packed"])
def test_every_layout_gives_what_the_model_gives_to_an_exchange_alone(kind: str, attention: str, layout: str) -> None:
    model = tiny.model(kind, attn_implementation=attention)
    policy = CausalLM(model, tiny.tokenizer(), layout=layout, pack_to=40)
    said = [*exchanges(policy), Exchange((5, 6), ())]
    for temperature in (1.0, 0.7):
        found = policy.chances(said, temperature=temperature)
        for one, logp, mask in zip(said, found.logp, found.mask, strict=True):
            n = len(one.response)
            assert mask.tolist() == [1.0] * n + [0.0] * (len(mask) - n)
            assert not logp[n:].any()
            torch.testing.assert_close(logp[:n], by_hand(policy, one, temperature), atol=1e-5, rtol=0)
    assert policy.layout == layout
    assert not policy.findings


@pytest.mark.parametrize("layout", ["padded", "shared", "packed"])
def test_gradients_are_those_of_the_whole_softmax(layout: str) -> None:
    policy = tiny.policy(layout=layout, pack_to=48)
    said = exchanges(policy)
    weight = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0, 0.25])
    ours = torch.autograd.grad((policy.chances(said, temperature=0.8).total * weight).sum(), weights(policy))
    hand = sum(by_hand(policy, one, 0.8).sum() * by for one, by in zip(said, weight, strict=True))
    assert isinstance(hand, torch.Tensor)
    for found, expected in zip(ours, torch.autograd.grad(hand, weights(policy)), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5 * float(expected.abs().max()) + 1e-6, rtol=0)


def weights(policy: CausalLM) -> list[torch.nn.Parameter]:
    return list(policy.module.parameters())


class Blind(torch.nn.Module):
    """A model that does not mind the mask it is given."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.config, self.generation_config = model, model.config, model.generation_config

    def get_output_embeddings(self) -> Any:
        return self.model.get_output_embeddings()

    def get_input_embeddings(self) -> Any:
        return self.model.get_input_embeddings()

    def forward(self, input_ids: Any, attention_mask: Any = None, position_ids: Any = None, **inputs: Any) -> Any:
        return self.model(input_ids=input_ids, position_ids=position_ids, **inputs)


def test_a_model_that_does_not_mind_the_mask_is_found_out() -> None:
    policy = CausalLM(Blind(tiny.model()), tiny.tokenizer())
    said = exchanges(policy)
    found = policy.chances(said)
    torch.testing.assert_close(found.total[1], by_hand(policy, said[1]).sum(), atol=1e-5, rtol=0)
    assert policy.layout == "padded"
    assert [finding.code for finding in policy.findings] == ["layout-unsafe"]
    assert policy.findings[0].number > 0.1


def test_a_window_of_attention_is_never_trusted_with_shared_rows() -> None:
    policy = CausalLM(tiny.model(sliding_window=8), tiny.tokenizer())
    policy.chances(exchanges(policy))
    assert policy.layout == "padded"
    assert "8 codes back" in policy.findings[0].message


def test_a_window_that_no_exchange_outgrows_is_no_hindrance() -> None:
    policy = CausalLM(tiny.model(sliding_window=40), tiny.tokenizer(), context=40)
    policy.chances(exchanges(policy))
    assert policy.layout == "shared"


def test_a_head_that_is_not_called_by_name_is_read_all_the_same() -> None:
    model = tiny.model()
    policy = CausalLM(model, tiny.tokenizer())
    expected = policy.chances(exchanges(policy)).logp
    model.get_output_embeddings = lambda: torch.nn.Identity()
    torch.testing.assert_close(policy.chances(exchanges(policy)).logp, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_half_precision_stays_near_and_is_told_in_float32(attention: str) -> None:
    policy = CausalLM(tiny.model(attn_implementation=attention), tiny.tokenizer())
    exact = policy.chances(exchanges(policy))
    with torch.autocast("cpu", torch.bfloat16):
        near = policy.chances(exchanges(policy))
    assert near.logp.dtype == torch.float32
    assert float((near.logp - exact.logp).detach().abs().max()) < 0.15
    near.total.sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in weights(policy))
    half = CausalLM(tiny.model(attn_implementation=attention).to(torch.bfloat16), tiny.tokenizer())
    assert float((half.chances(exchanges(half)).logp - exact.logp).detach().abs().max()) < 0.3
    assert half.layout == "shared"


def test_samples_tell_the_chances_that_the_policy_gives_them() -> None:
    for kind in ("llama", "gpt2"):
        policy = tiny.policy(kind, context=24)
        prompts = [one.prompt for one in exchanges(policy)[2:]]
        before = torch.random.get_rng_state()
        drawn = policy.sample(prompts, torch.Generator().manual_seed(3), n=5, temperature=0.9, max_tokens=19)
        assert torch.equal(before, torch.random.get_rng_state())
        assert [one.prompt for one in drawn.exchanges] == [prompt for prompt in prompts for _ in range(5)]
        again = policy.chances(drawn.exchanges, temperature=0.9)
        torch.testing.assert_close(drawn.chances.logp, again.logp, atol=1e-4, rtol=0)
        assert torch.equal(drawn.chances.mask, again.mask)
        assert not drawn.chances.logp.requires_grad
        for one, ended in zip(drawn.exchanges, drawn.ended, strict=True):
            full = len(one.response) == min(19, 24 - len(one.prompt))
            assert ended == (one.response[-1] == 2)
            assert ended or full
            assert 2 not in one.response[:-1]
        assert 0 < sum(drawn.ended) < len(drawn.ended)
        same = policy.sample(prompts, torch.Generator().manual_seed(3), n=5, temperature=0.9, max_tokens=19)
        assert same.exchanges == drawn.exchanges
        assert torch.equal(same.chances.logp, drawn.chances.logp)
        two = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
        parts = [
            policy.sample(prompts, generator, n=5, temperature=0.9, max_tokens=19, part=part)
            for generator, part in zip(two, (slice(0, 1), slice(1, len(prompts))), strict=True)
        ]
        assert parts[0].exchanges + parts[1].exchanges == drawn.exchanges, "what one says does not hang on the others"


def test_samples_follow_the_distribution_of_the_model() -> None:
    policy = CausalLM(tiny.model(size=5), tiny.tokenizer("ab"))
    prompts, draws = [(3, 4), (4, 4, 3)], 4000
    drawn = policy.sample(prompts, torch.Generator().manual_seed(0), n=draws, temperature=1.3, max_tokens=2)
    every = [(2,), *((first, second) for first in (0, 1, 3, 4) for second in range(5))]
    for number, prompt in enumerate(prompts):
        chance = policy.chances([Exchange(prompt, said) for said in every], temperature=1.3).total.detach().exp()
        assert float(chance.sum()) == pytest.approx(1, abs=1e-5)
        here = [one.response for one in drawn.exchanges[number * draws : (number + 1) * draws]]
        count = np.array([here.count(said) for said in every])
        expected = chance.double().numpy()
        assert count.sum() == draws
        assert stats.chisquare(count, draws * expected / expected.sum()).pvalue > 1e-3


def test_a_reference_is_exact_and_stays_while_the_policy_moves() -> None:
    policy = tiny.policy()
    with torch.no_grad():
        for weight in weights(policy):
            weight.add_(0.05)  # in memory only: no folder knows of it
    reference, said = policy.reference(), exchanges(policy)
    first = reference.chances(said)
    assert torch.equal(first.logp, policy.chances(said).logp)
    assert not first.logp.requires_grad
    optimiser = torch.optim.SGD(weights(policy), lr=0.1)
    policy.chances(said).total.sum().backward()
    optimiser.step()
    assert torch.equal(reference.chances(said).logp, first.logp)
    assert float((policy.chances(said).logp.detach() - first.logp).abs().max()) > 1e-3
    assert all(weight.requires_grad for weight in weights(policy))


def test_what_was_saved_comes_back_bit_by_bit_and_into_the_same_weights(tmp_path: Path) -> None:
    policy, said = tiny.policy("gpt2"), [Exchange((4, 5), (6, 2))]
    policy.save(tmp_path)
    kept, before = [weight.clone() for weight in weights(policy)], weights(policy)
    with torch.no_grad():
        for weight in before:
            weight.mul_(1.5)
    policy.load(tmp_path)
    assert all(old is new for old, new in zip(before, weights(policy), strict=True))
    assert all(torch.equal(old, new) for old, new in zip(kept, before, strict=True))
    other = causal_lm.load(tmp_path, device="cpu")
    assert torch.equal(other.chances(said).logp, policy.chances(said).logp)


def test_bad_input_is_told(tmp_path: Path) -> None:
    policy = tiny.policy(context=16)
    with pytest.raises(AdjudgeError, match=r"longest of 17 codes.*At least one, each with a prompt, of at most 16"):
        policy.chances([Exchange((3,) * 10, (4,) * 7)])
    with pytest.raises(AdjudgeError, match="0 exchanges"):
        policy.chances([])
    with pytest.raises(AdjudgeError, match="each with a prompt"):
        policy.chances([Exchange((), (3,))])
    with pytest.raises(AdjudgeError, match="temperature of 0"):
        policy.sample([(3,)], torch.Generator(), temperature=0)
    with pytest.raises(AdjudgeError, match="longest of 17"):
        policy.sample([(3,) * 16], torch.Generator())
    with pytest.raises(AdjudgeError, match="layout = 'dense'"):
        tiny.policy(layout="dense")
    with pytest.raises(AdjudgeError, match="writes 34 codes, the model reads 20"):
        CausalLM(tiny.model(size=20), tiny.tokenizer())
    with pytest.raises(AdjudgeError, match="no such folder"):
        causal_lm.load(tmp_path / "nothing")


def test_a_disk_that_is_full_is_an_error_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tiny.policy()

    def full(*_: Any, **__: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(policy.module, "save_pretrained", full)
    with pytest.raises(OSError, match="No space left"):
        policy.save(tmp_path)


def test_places_that_hang_on_the_longest_row_are_told() -> None:
    rope = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 4, "long_factor": [3.0] * 4,
            "factor": 4.0, "original_max_position_embeddings": 16}  # fmt: skip
    model = tiny.model(rope_parameters=rope)
    policy = CausalLM(model, tiny.tokenizer())
    short, long = Exchange((3, 4, 5), (6, 7, 2)), Exchange((3,) * 20, (4, 2))
    apart = (policy.chances([short]).total[0] - policy.chances([short, long]).total[0]).abs().item()
    assert apart > 1e-3
    assert [finding.code for finding in policy.findings] == ["positions-by-batch"]
    assert CausalLM(model, tiny.tokenizer(), context=16).findings == ()


def test_weights_that_are_cut_or_of_other_sizes_are_told(tmp_path: Path) -> None:
    tiny.policy().save(tmp_path)
    config, weights = tmp_path / "config.json", tmp_path / "model.safetensors"
    said = config.read_text(encoding="utf-8")
    config.write_text(json.dumps({**json.loads(said), "hidden_size": 32}), encoding="utf-8")
    for read in (causal_lm.load, embeddings.opened):
        with pytest.raises(AdjudgeError, match=r"its weights are of other sizes than its config\.json"):
            read(tmp_path)
    config.write_text(said, encoding="utf-8")
    weights.write_bytes(weights.read_bytes()[:1000])
    for read in (causal_lm.load, embeddings.opened):
        with pytest.raises(AdjudgeError, match="its weights cannot be read"):
            read(tmp_path)
