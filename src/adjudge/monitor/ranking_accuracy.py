"""Does a policy rank the better response above the worse, how often could it at best, and does a falling loss show it?

    accuracy   1[log π(y_w) > log π(y_l)];      implicit   1[h > 0],  h = log π/π_ref (y_w) − log π/π_ref (y_l)
    ideal      1[log π_ref(y_w)/π_ref(y_l) + logit(p)/β > 0]     at the optimum of DPO, p = probability that w is better
    flip       π ranks a pair rightly  ⟺  −log σ(β·h) < −log σ(β·c),      c = log π_ref(y_l)/π_ref(y_w)

A pair that the reference ranks wrongly by far (c large) needs a tiny loss before its order turns: the loss can fall on
every pair while few orders change. The alignment gap is ideal less accuracy.

Chen, Malladi, Zhang et al. (2024), Sections 3 and 4. Limits: at π = π_ref accuracy is the
reference's; with p = 1 the ideal is 1 whatever β; β → 0 with p > ½ makes it 1 too, β → ∞ the reference's accuracy.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.arrays import plain
from ..stats.cluster import group_sums
from ..tables.pair_batch import PairBatch

GAP = 0.1  # alignment gap worth a remark
NAMES = ("accuracy", "reference", "implicit", "ideal")

CARD = Card(
    answers="Does a policy rank better responses above worse ones, and how far is it from the best that DPO could do?",
    equation=(
        "accuracy = 1[log π(y_w) > log π(y_l)];   ideal = 1[log π_ref(y_w)/π_ref(y_l) + logit(p)/β > 0];\n"
        "a pair flips when −log σ(β·h) < −log σ(β·c),  c = log π_ref(y_l)/π_ref(y_w)"
    ),
    papers=(
        Paper(
            "Preference Learning Algorithms Do Not Learn Preference Rankings",
            "Chen, Malladi, Zhang et al.",
            2024,
            "NeurIPS",
            "https://arxiv.org/abs/2405.19534",
            "Sections 3 and 4",
        ),
    ),
    needs=("chosen", "rejected", "ref_chosen", "ref_rejected"),
    assumes=(
        "Pairs, or their clusters, are independent.",
        "p is the chance that the chosen response is the better one.",
    ),
    limits=(
        "With labels taken as certain the ideal is 1: give `preference`, or `flip`, for a bound that says something.",
        "A ranking of two responses is not quality: what the policy writes may be neither of them.",
    ),
    when="Beside the loss of any preference training; monitor.overoptimisation where there is gold.",
    rows=(43,),
)


def watch(
    batch: PairBatch,
    *,
    beta: float = 0.1,
    by_length: bool = False,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> Audit:
    """Findings on how the policy ranks the pairs, and the figures that they rest on.

    Arguments:
        batch: log-probabilities under policy and reference; `preference` or `flip` where labels are not certain.
        beta: β > 0 of the training.
        by_length: whether `accuracy` and `reference` compare log-probabilities by token; the ideal and flips never do.
        level: coverage of the intervals, in (0, 1).
        cluster: [b] code of the independent unit, >= 0, such as the prompt; each pair by itself when None.

    Errors: β that is not above 0; a level outside (0, 1); no pair that has a better response; values not finite.

    Returns findings, and the figures `rankings` (accuracy, reference, implicit, ideal; ties count ½), `gap` (ideal −
    accuracy), and, where the reference ranks some pairs wrongly, `flips`: of those pairs, the share that the policy
    ranks rightly, their mean loss, and the mean loss at which each would just flip.

    >>> ref, one = np.array([-1.0, -5.0, -2.0]), np.ones(3)
    >>> pairs = PairBatch(ref + 0.5, one * -3, ref, one * -3, one, one, preference=one * 0.6)
    >>> watch(pairs, beta=0.1).figures["rankings"].value.round(2).tolist()
    [0.67, 0.67, 1.0, 1.0]
    """
    if not (beta > 0 and 0 < level < 1):
        raise AdjudgeError(f"ranking_accuracy: β {beta}, level {level}.", "β > 0, 0 < level < 1.", "Change them.")
    policy, reference, p, weight = _leads(batch)
    implicit = policy - reference
    with np.errstate(divide="ignore"):
        ideal = reference + special.logit(p) / beta
    sizes = np.stack([plain(batch.chosen), plain(batch.rejected), plain(batch.ref_chosen), plain(batch.ref_rejected)])
    shown = policy, reference
    if by_length:
        long = np.stack([plain(batch.chosen_length), plain(batch.rejected_length)])
        each = np.sign(_sure(batch) - 0.5) * np.array([1.0, -1.0])[:, None]
        shown = (each * sizes[:2] / long).sum(axis=0), (each * sizes[2:] / long).sum(axis=0)
    unit = np.arange(p.size) if cluster is None else np.asarray(cluster, dtype=np.int64)
    right = np.stack([_right(lead) for lead in (*shown, implicit, ideal)])
    rankings = _means(NAMES, right, weight, unit)
    figures = {"rankings": rankings, "gap": rankings.difference("ideal", "accuracy")}
    wrong = weight * (reference < 0)
    if wrong.any():
        loss, needed = -special.log_expit(beta * implicit), -special.log_expit(-beta * reference)
        figures["flips"] = _means(
            ("flipped", "loss", "loss to flip"), np.stack([_right(policy), loss, needed]), wrong, unit
        )
    return Audit(tuple(_told(figures, level)), figures)


def _sure(batch: PairBatch) -> FloatArray:
    """[b] probability that the chosen response is the better one: 1 less the rate of flips where nobody said more."""
    if batch.preference is not None:
        return np.asarray(plain(batch.preference), dtype=float)
    certain = np.ones(np.shape(plain(batch.chosen)))
    return certain if batch.flip is None else certain - plain(batch.flip)


def _leads(batch: PairBatch) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """[b] log-ratio of the better response to the worse under policy and reference, p >= ½, and weight (0 for ties)."""
    p = _sure(batch)
    side = np.sign(p - 0.5)
    policy = side * (plain(batch.chosen) - plain(batch.rejected))
    reference = side * (plain(batch.ref_chosen) - plain(batch.ref_rejected))
    weight = (side != 0) * (np.ones(p.size) if batch.weight is None else np.asarray(plain(batch.weight), dtype=float))
    if not np.isfinite(policy + reference + p + weight).all() or not weight.sum() > 0:
        raise AdjudgeError(
            f"ranking_accuracy: {p.size} pairs, {int((weight > 0).sum())} of them with a better response.",
            "Finite log-probabilities and weights, and one pair or more that is not a tie.",
            "Leave out pairs whose log-probabilities are missing.",
        )
    return policy, reference, np.maximum(p, 1 - p), weight


def _right(lead: FloatArray) -> FloatArray:
    """1 where the better response leads, ½ where none does."""
    return np.asarray(0.5 + 0.5 * np.sign(lead))


def _means(names: tuple[str, ...], values: FloatArray, weight: FloatArray, unit: IntArray) -> Estimate:
    """Weighted means with their joint error over the units that have weight."""
    mean = values @ weight / weight.sum()
    _, code = np.unique(unit[weight > 0], return_inverse=True)
    psi = ((values - mean[:, None]) * weight / weight.sum())[:, weight > 0]
    influence = group_sums(code, psi, int(code.max()) + 1)
    units = influence.shape[1]
    part = Part.from_influence("sampling", influence.T)
    return Estimate(names, mean, (part,), np.full(len(names), max(units - 1.0, 1.0)), method="monitor.ranking_accuracy")


def _told(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """What the figures say."""
    said = []
    gap, ranking = figures["gap"], figures["rankings"]
    low, high = gap.interval(level)[0]
    if low > GAP:
        accuracy, reference, implicit, ideal = ranking.value
        said.append(
            Finding(
                "rankings-unlearned",
                Severity.WARNING,
                f"The policy ranks {100 * accuracy:.0f} % of pairs rightly where DPO's optimum would rank "
                f"{100 * ideal:.0f} % (gap {low:.2f} to {high:.2f}); the reference ranks {100 * reference:.0f} %, "
                f"and implicit rewards {100 * implicit:.0f} %.",
                float(gap.value[0]),
                GAP,
                "Do not read accuracy of implicit rewards as a ranking; train the reference on chosen responses first.",
            )
        )
    if "flips" in figures:
        flipped, loss, needed = figures["flips"].value
        (_, most), (_, highest) = figures["flips"].interval(level)[:2]
        if highest < np.log(2) and most < 0.5:
            said.append(
                Finding(
                    "loss-falls-without-flips",
                    Severity.WARNING,
                    f"Of pairs that the reference ranks wrongly the loss fell to {loss:.3f}, but "
                    f"{100 * flipped:.0f} % flipped (at most {100 * most:.0f} %): a flip needs "
                    f"{needed:.3f} on average.",
                    float(flipped),
                    0.5,
                    "Judge the run by ranking accuracy or gold, not by its loss; a smaller β lets orders turn.",
                )
            )
    return said
