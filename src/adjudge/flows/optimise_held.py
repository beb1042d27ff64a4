"""What a trained policy makes of pairs that it did not learn from: does it prefer what people do, and at what price?

    accuracy = P(h > 0),    h = log π/π_ref (chosen) − log π/π_ref (rejected)
    moved    = (log π − log π_ref)/|y|, nats by token, of chosen and of rejected responses

Both likelihoods may fall while h grows: then probability has gone to responses that nobody has seen. Means are by
weight, errors by cluster of prompts, flips and ties taken out of the accuracy as in `stats.held_pairs`. Limits: without
a reference, h is the difference of log-probabilities by token, and nothing says how far they moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..stats.held_pairs import split
from ..stats.means import clustered_means
from ..tables.preferences import Preferences

if TYPE_CHECKING:
    from ..train.pairs import Pairs
    from ..train.policy import Policy

FEWEST = 20  # clusters that a share may leave for the evaluation; below, all pairs are learnt from
AT_ONCE = 16


def split_off(preferences: Preferences, share: float, seed: int) -> tuple[Preferences, Preferences | None]:
    """Pairs to learn from, and those of some clusters that are kept back; None where they would be too few.

    Arguments:
        preferences: all.
        share: of the clusters to keep back, in [0, 1).
        seed: of the choice.
    """
    parts = 0 if share <= 0 else max(round(1 / share), 2)
    if not parts or preferences.units < FEWEST * parts:
        return preferences, None
    out = split(preferences.units, parts, seed)[preferences.cluster] == 0
    return preferences.take(~out), preferences.take(out)


def too_few(preferences: Preferences, share: float, asked: bool) -> tuple[Finding, ...]:
    """What to say where a share was to be kept back and all pairs are learnt from.

    Arguments:
        preferences: all.
        share: that was to be kept back.
        asked: whether the recipe says so itself.
    """
    if share <= 0:
        return ()
    needed = FEWEST * max(round(1 / share), 2)
    text = (
        "No pairs are kept back, so that nothing here is said of pairs that the policy did not learn from: "
        f"{100 * share:.0f} % of {preferences.units:,} prompts are too few."
    )
    remedy = (
        f"Give {needed:,} prompts or more, or a larger held_out under [data] (0 keeps none back, and says nothing)."
    )
    severity = Severity.WARNING if asked else Severity.INFO
    return (Finding("held-out-too-few", severity, text, float(preferences.units), float(needed), remedy),)


def figures(kept: Pairs, policy: Policy) -> Mapping[str, Estimate]:
    """`accuracy`, and with a reference `moved`, of the pairs kept back.

    Arguments:
        kept: the pairs as a recipe, warmed up before the policy was trained.
        policy: as it is now.
    """
    import torch

    columns, step = [], kept.prepare(policy, np.arange(kept.n), torch.Generator())
    with torch.no_grad():
        for start in range(0, kept.n, AT_ONCE):
            batch = step.batch(policy, slice(start, start + AT_ONCE))
            chosen, rejected = batch.chosen / batch.chosen_length, batch.rejected / batch.rejected_length
            moved = (batch.chosen - batch.ref_chosen) / batch.chosen_length
            other = (batch.rejected - batch.ref_rejected) / batch.rejected_length
            lead = batch.log_ratio if kept.reference.given is not None else chosen - rejected
            columns.append(torch.stack([lead, moved, other]).double().cpu().numpy())
    lead, moved, other = np.concatenate(columns, axis=1)
    return _means(kept, lead, np.concatenate([moved, other]))


def _means(kept: Pairs, lead: FloatArray, moved: FloatArray) -> dict[str, Estimate]:
    rows, n = kept.rows, kept.n
    weight, code = rows.weight, np.unique(rows.cluster, return_inverse=True)[1]
    chance = np.ones(n) if rows.preference is None else rows.preference
    if rows.flip is not None:
        chance = (chance - rows.flip) / (1 - 2 * rows.flip)
    right = np.where(lead == 0, 0.5, np.where(lead > 0, chance, 1 - chance))
    found = {"accuracy": clustered_means(("held-out pairs",), code, np.zeros(n, int), right, weight, bounds=(0.0, 1.0))}
    if kept.reference.given is not None:
        side = np.repeat([0, 1], n)
        found["moved"] = clustered_means(("chosen", "rejected"), np.tile(code, 2), side, moved, np.tile(weight, 2))
    return found


def findings(found: Mapping[str, Estimate], level: float) -> tuple[Finding, ...]:
    """Held-out pairs that are no better than a coin, and likelihoods that fell on both sides."""
    made = []
    low, high = found["accuracy"].interval(level)[0]
    if not low > 0.5:
        made.append(
            Finding(
                "held-out-no-better", Severity.WARNING,
                "On pairs that were kept back the policy prefers what was chosen in "
                f"{100 * found['accuracy'].value[0]:.0f} % "
                f"({100 * low:.0f} % to {100 * high:.0f} %): a coin is not excluded.", float(low), 0.5,
                "Train longer, or with a larger lr; if accuracy in training rises, there are too few pairs.",
            )
        )  # fmt: skip
    if "moved" in found and (found["moved"].interval(level)[:, 1] < 0).all():
        chosen, rejected = -found["moved"].value
        made.append(
            Finding(
                "both-likelihoods-fall", Severity.WARNING,
                f"On pairs that were kept back chosen responses lost {chosen:.3g} nats a token and rejected ones "
                f"{rejected:.3g}: probability has gone to responses that nobody has compared.", float(chosen), 0.0,
                "Read what the policy writes now; take a larger beta, objectives.rpo or fewer updates.",
            )
        )  # fmt: skip
    return tuple(made)
