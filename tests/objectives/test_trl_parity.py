"""Each objective and credit rule that TRL has too agrees with it to 1e-6 on random log-probabilities, gradients too.

TRL 1.16.0, by its own code (see trl_side for files and methods), in double precision. What each is there:

    dpo            DPOTrainer "sigmoid", OnlineDPOTrainer "sigmoid"; on means by token "sigmoid_norm"
    cdpo           DPOTrainer "aot" with one pair, where its sorting does nothing; CPOTrainer's label_smoothing.
                   DPOTrainer's "sigmoid" takes label_smoothing and does not use it
    rdpo           DPOTrainer "robust"
    ipo            OnlineDPOTrainer "ipo"; with `per_token` DPOTrainer "ipo"
    slic           DPOTrainer "hinge"; without `reference` CPOTrainer "hinge"
    rpo            DPOTrainer "sigmoid" + "sft"; TRL takes one mean over all tokens of a batch, ours one of responses
    simpo          CPOTrainer "simpo"; its label_smoothing, where γ > 0, turns the margin too: no soft label of ours
    alpha_po       CPOTrainer "simpo" with alpha
    orpo           ORPOTrainer, in single precision, as it casts; one pair, as it takes one mean over all tokens
    kto            KTOTrainer "kto"
    policy_gradient   GRPOTrainer "grpo", "bnpo", "dr_grpo", tokens and sequences (GSPO); RLOOTrainer
    credit.rloo    RLOOTrainer's advantages, its KL penalty taken from the rewards
    credit.grpo    GRPOTrainer's scale_rewards, but for its 1e-4 and its n − 1 in the standard deviation
    credit.reinforce   GRPOTrainer's scale_rewards="none"

TRL lacks hypo, lipo, list_mle, list_softmax, pairwise_hinge, pairwise_logistic, nash_md (gone in 1.15) and nash_mp;
credit.bnpo (its "bnpo" is a mean over tokens), constrained, hybrid, noisy_verifier, rank_filter and self_play.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from adjudge.credit import grpo, reinforce, rloo
from adjudge.objectives import alpha_po, cdpo, dpo, ipo, kto, orpo, rdpo, rpo, simpo, slic
from adjudge.stats import policy_gradient
from adjudge.tables.pair_batch import PairBatch
from adjudge.tables.rollouts import Rollouts
from adjudge.tables.single_batch import SingleBatch
from objectives import trl_side

Tensor = torch.Tensor
PAIRS, TOKENS = 13, 7


@pytest.fixture(scope="module")
def trl() -> dict[str, Any]:
    return trl_side.trainers()


def masked(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Log-probabilities [rows, T] of tokens, 0 after each response's end, and their mask."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, TOKENS + 1, (rows,), generator=draw)
    mask = (torch.arange(TOKENS) < lengths[:, None]).double()
    return (-torch.rand(rows, TOKENS, generator=draw, dtype=torch.double) * 3 * mask).requires_grad_(), mask


class Pairs:
    """Random pairs: tokens, masks and reference, as TRL takes them and as ours do."""

    def __init__(self, rows: int = PAIRS, seed: int = 5) -> None:
        draw = torch.Generator().manual_seed(seed + 2)
        self.chosen, chosen = masked(rows, seed)
        self.rejected, rejected = masked(rows, seed + 1)
        self.masks = (chosen, rejected)
        noise = torch.randn(2, rows, generator=draw, dtype=torch.double) * 2
        self.reference = (self.chosen.detach().sum(1) + noise[0], self.rejected.detach().sum(1) + noise[1])

    @property
    def tokens(self) -> tuple[Tensor, Tensor]:
        return self.chosen, self.rejected

    def batch(self, *, reference: bool = True) -> PairBatch:
        first, second = self.reference if reference else (torch.zeros(len(self.chosen)).double(),) * 2
        lengths = (mask.sum(1) for mask in self.masks)
        return PairBatch(self.chosen.sum(1), self.rejected.sum(1), first, second, *lengths)

    def means(self) -> tuple[Tensor, Tensor]:
        batch = self.batch()
        return batch.chosen / batch.chosen_length, batch.rejected / batch.rejected_length


def agree(ours: Tensor, theirs: Tensor, *leaves: Tensor) -> None:
    """Both losses, and both gradients, which are not all 0; what stands after a response's end, 0, has none."""
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs.double(), rtol=0, atol=1e-6)
    slopes = [torch.autograd.grad(loss.mean(), leaves, retain_graph=True) for loss in (ours, theirs)]
    for leaf, mine, other in zip(leaves, *slopes, strict=True):
        assert other.abs().max() > 1e-3
        torch.testing.assert_close(mine * (leaf != 0), other * (leaf != 0), rtol=0, atol=1e-6)


Loss = Callable[[PairBatch], Tensor]


@pytest.mark.parametrize(
    ("loss", "kind", "smoothing"),
    [
        (lambda pairs: dpo.loss(pairs, beta=0.3), "sigmoid", 0.0),
        (lambda pairs: rdpo.loss(pairs, beta=0.3, rate=0.2), "robust", 0.2),
        (lambda pairs: ipo.loss(pairs, beta=0.3, per_token=True), "ipo", 0.0),
        (lambda pairs: slic.loss(pairs, beta=0.3), "hinge", 0.0),
    ],
    ids=["dpo", "rdpo", "ipo", "slic"],
)
def test_losses_against_a_reference(trl: dict[str, Any], loss: Loss, kind: str, smoothing: float) -> None:
    pairs = Pairs()
    theirs = trl_side.dpo(trl, *pairs.tokens, pairs.reference, pairs.masks, kinds=[kind], beta=0.3, smoothing=smoothing)
    agree(loss(pairs.batch()).mean(), theirs, *pairs.tokens)


def test_dpo_of_means_by_token(trl: dict[str, Any]) -> None:
    pairs = Pairs()
    batch = pairs.batch()
    means = replace(
        batch,
        chosen=batch.chosen / batch.chosen_length,
        rejected=batch.rejected / batch.rejected_length,
        ref_chosen=batch.ref_chosen / batch.chosen_length,
        ref_rejected=batch.ref_rejected / batch.rejected_length,
    )
    theirs = trl_side.dpo(trl, *pairs.tokens, pairs.reference, pairs.masks, kinds=["sigmoid_norm"], beta=0.9)
    agree(dpo.loss(means, beta=0.9).mean(), theirs, *pairs.tokens)


def test_cdpo_with_a_reference_is_one_pair_of_sorted_ones(trl: dict[str, Any]) -> None:
    for seed in range(5):
        pairs = Pairs(1, seed)
        theirs = trl_side.dpo(trl, *pairs.tokens, pairs.reference, pairs.masks, kinds=["aot"], beta=0.3, smoothing=0.2)
        agree(cdpo.loss(pairs.batch(), beta=0.3, smoothing=0.2).mean(), theirs, *pairs.tokens)


def test_a_soft_label_has_no_word_in_their_plain_loss(trl: dict[str, Any]) -> None:
    pairs = Pairs()
    plain, smoothed = (
        trl_side.dpo(trl, *pairs.tokens, pairs.reference, pairs.masks, kinds=["sigmoid"], beta=0.3, smoothing=share)
        for share in (0.0, 0.3)
    )
    assert plain == smoothed
    assert not torch.isclose(cdpo.loss(pairs.batch(), beta=0.3, smoothing=0.3).mean(), plain)


def test_rpo_with_one_mean_over_the_tokens_of_a_batch(trl: dict[str, Any]) -> None:
    pairs, beta, share = Pairs(), 0.3, 0.7
    theirs = trl_side.dpo(
        trl, *pairs.tokens, pairs.reference, pairs.masks, kinds=["sigmoid", "sft"], weights=[1.0, share], beta=beta
    )
    batch = pairs.batch()
    eta = share / (beta * batch.chosen_length.mean().item())
    agree(rpo.loss(batch, beta=beta, eta=eta).mean(), theirs, *pairs.tokens)


def test_rpo_by_token_is_theirs_for_one_pair(trl: dict[str, Any]) -> None:
    pairs, beta, share = Pairs(1), 0.3, 0.7
    theirs = trl_side.dpo(
        trl, *pairs.tokens, pairs.reference, pairs.masks, kinds=["sigmoid", "sft"], weights=[1.0, share], beta=beta
    )
    ours = rpo.loss(pairs.batch(), beta=beta, eta=share / beta, per_token=True)
    agree(ours.mean(), theirs, *pairs.tokens)


@pytest.mark.parametrize(
    ("loss", "kind", "smoothing"),
    [
        (lambda pairs: dpo.loss(pairs, beta=0.3), "sigmoid", 0.0),
        (lambda pairs: cdpo.loss(pairs, beta=0.3, smoothing=0.2), "sigmoid", 0.2),
        (lambda pairs: slic.loss(pairs, beta=0.3, reference=False), "hinge", 0.0),
    ],
    ids=["dpo", "cdpo", "slic"],
)
def test_losses_without_a_reference(trl: dict[str, Any], loss: Loss, kind: str, smoothing: float) -> None:
    pairs = Pairs()
    totals = (tokens.sum(1) for tokens in pairs.tokens)
    theirs = trl_side.cpo(trl, *totals, kind=kind, beta=0.3, smoothing=smoothing)
    agree(loss(pairs.batch(reference=False)), theirs, *pairs.tokens)


@pytest.mark.parametrize("shape", [0.0, 0.25, -0.5, 1.0])
def test_simpo_and_alpha_po(trl: dict[str, Any], shape: float) -> None:
    pairs = Pairs()
    ours = alpha_po.loss(pairs.batch(), beta=1.7, gamma=0.6, shape=shape)
    theirs = trl_side.cpo(trl, *pairs.means(), kind="simpo", beta=1.7, gamma=0.6, shape=shape)
    agree(ours, theirs, *pairs.tokens)
    if shape == 0:
        agree(simpo.loss(pairs.batch(), beta=1.7, gamma=0.6), theirs, *pairs.tokens)


@pytest.mark.parametrize("seed", range(3))
def test_orpo_from_logits(trl: dict[str, Any], seed: int) -> None:
    draw, words = torch.Generator().manual_seed(seed), 11
    logits = torch.randn(2, 1 + TOKENS, words, generator=draw, dtype=torch.double, requires_grad=True)
    ids = torch.randint(words, (2, 1 + TOKENS), generator=draw)
    logp = logits[:, :-1].log_softmax(2).gather(2, ids[:, 1:, None])[..., 0].sum(1, keepdim=True)
    length, none = torch.full((1,), float(TOKENS)), torch.zeros(1)
    ours = orpo.loss(PairBatch(logp[0], logp[1], none, none, length, length), odds=0.4)
    agree(ours.mean(), trl_side.orpo(trl, logits, ids, beta=0.4), logits)


@pytest.mark.parametrize("shift", [3.0, -3.0])
def test_kto(trl: dict[str, Any], shift: float) -> None:
    (tokens, mask), draw = masked(PAIRS, 7), torch.Generator().manual_seed(1)
    reference = tokens.detach().sum(1) + torch.randn(PAIRS, generator=draw).double()
    label = torch.rand(PAIRS, generator=draw) < 0.4
    drift = torch.randn(2, PAIRS, generator=draw).double()
    drift[0] += shift
    theirs = trl_side.kto(
        trl, tokens, reference, mask, label, (drift[0], drift[1]), beta=0.4, desirable=1.2, undesirable=0.7
    )
    batch = SingleBatch(tokens.sum(1), reference, mask.sum(1), label.double(), kl=(drift[0] - drift[1]).mean())
    agree(kto.loss(batch, beta=0.4, desirable=1.2, undesirable=0.7).mean(), theirs, tokens)


@pytest.mark.parametrize(("loss", "kind"), [(dpo.loss, "sigmoid"), (ipo.loss, "ipo")])
def test_losses_on_responses_just_sampled(trl: dict[str, Any], loss: Callable[..., Tensor], kind: str) -> None:
    tokens, mask = masked(2 * PAIRS, 3)
    other, _ = masked(2 * PAIRS, 4)
    reference = other.detach() * mask
    reward = torch.rand(2 * PAIRS, generator=torch.Generator().manual_seed(2))
    first = torch.arange(PAIRS) + (reward[:PAIRS] < reward[PAIRS:]) * PAIRS
    second = (first + PAIRS) % (2 * PAIRS)
    logp, ref, length = tokens.sum(1), reference.sum(1), mask.sum(1)
    batch = PairBatch(logp[first], logp[second], ref[first], ref[second], length[first], length[second])
    theirs = trl_side.online(trl, tokens, reference, mask, reward, kind=kind, beta=0.3)
    agree(loss(batch, beta=0.3).mean(), theirs, tokens)


@pytest.mark.parametrize("kind", ["grpo", "bnpo", "dr_grpo", "geometric", "rloo"])
def test_policy_gradients(trl: dict[str, Any], kind: str) -> None:
    (tokens, mask), draw = masked(PAIRS, 11), torch.Generator().manual_seed(9)
    old = tokens.detach() + 0.2 * torch.randn(PAIRS, TOKENS, generator=draw) * mask
    advantage = torch.randn(PAIRS, generator=draw).double()
    rows = Rollouts(advantage, torch.zeros(PAIRS), policy=tokens, old=old, mask=mask)
    ratio = {"geometric": "geometric", "rloo": "response"}.get(kind, "token")
    terms = policy_gradient.terms(rows, advantage, clip=(0.2, 0.28), ratio=ratio)
    ours = policy_gradient.mean(terms, rows, over="token" if kind in ("bnpo", "dr_grpo") else "response")
    if kind == "dr_grpo":  # theirs divides by the longest that a response may be
        ours = ours * mask.sum() / (PAIRS * 17)
    name = "RLOOTrainer" if kind == "rloo" else "GRPOTrainer"
    options = {
        "loss_type": "grpo" if kind == "geometric" else kind,
        "max_completion_length": 17,
        "importance_sampling_level": "sequence" if kind == "geometric" else "token",
    }
    agree(ours, trl_side.gradient_loss(trl, name, tokens, old, mask, advantage, **options), tokens)


def rewarded() -> tuple[Tensor, Tensor, Rollouts]:
    """Rewards of 5 prompts with 3 responses each, so large that 1e-4 beside them is nothing; one is not known."""
    draw = torch.Generator().manual_seed(6)
    reward = torch.randn(15, generator=draw, dtype=torch.double) * 1e6
    reward[4] = torch.nan
    drift = torch.randn(15, generator=draw, dtype=torch.double)
    return reward, drift, Rollouts(reward, torch.arange(15) // 3)


def test_credit_by_leaving_one_out(trl: dict[str, Any]) -> None:
    reward, drift, rows = rewarded()
    theirs = trl_side.advantages(trl, "RLOOTrainer", reward / 1e6, drift, size=3, beta=0.3)
    ours = rloo.advantages(replace(rows, reward=reward / 1e6 - 0.3 * drift))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("by", ["prompt", "all"])
def test_credit_by_a_groups_spread(trl: dict[str, Any], by: str) -> None:
    reward, drift, rows = rewarded()
    scale = {"prompt": "group", "all": "batch"}[by]
    theirs = trl_side.advantages(trl, "GRPOTrainer", reward, drift, size=3, scale_rewards=scale)
    ours = grpo.advantages(rows, by=by)
    known = ~reward.isnan()
    if by == "prompt":  # theirs has n − 1
        n = torch.bincount(rows.prompt[known])[rows.prompt]
        spread = ((n - 1) / n).sqrt()
    else:  # theirs is the spread of all rewards, not of their distances from the prompts' means
        lead = reinforce.advantages(rows)[known]
        spread = lead.square().mean().sqrt() / reward[known].std()
    torch.testing.assert_close(ours * spread, theirs, rtol=0, atol=1e-6)


def test_credit_by_distance_from_the_mean(trl: dict[str, Any]) -> None:
    reward, drift, rows = rewarded()
    small = replace(rows, reward=reward / 1e6)
    theirs = trl_side.advantages(trl, "GRPOTrainer", reward / 1e6, drift, size=3, scale_rewards="none")
    for ours in (reinforce.advantages(small), grpo.advantages(small, by="none")):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
