"""Preference pairs that were built from samples, by position, and the batch that an objective reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import ArrayLike, FloatArray, IntArray
from ..core.finding import Finding
from ..errors import AdjudgeError
from .pair_batch import Array, PairBatch
from .samples import Samples


@dataclass(frozen=True, slots=True, eq=False)
class PairedSamples:
    """m pairs of responses to one prompt each.

    Arguments:
        samples: what they were built from.
        chosen, rejected: [m] positions in `samples`.
        preference: [m] probability that the chosen one is truly better, in [0, 1]; ½ is a tie.
        margin: [m] score of the chosen one less that of the rejected one, >= 0, in the scores' unit.
        accepted: positions of the samples that were let into pairs, in their order; some may have found no partner.
        findings: what was noticed on the way.
        share: [m] weight of each pair among those of its prompt; None where each counts as much as the prompt.
    """

    samples: Samples
    chosen: IntArray
    rejected: IntArray
    preference: FloatArray
    margin: FloatArray
    accepted: IntArray
    findings: tuple[Finding, ...] = ()
    share: FloatArray | None = None

    @property
    def weight(self) -> FloatArray:
        """[m] how many equal pairs each stands for: the weight of its prompt, times its share of it."""
        of_prompt = self.samples.weight[self.samples.prompt[self.chosen]]
        return of_prompt if self.share is None else of_prompt * self.share

    def batch(self, policy: Array, *, length: ArrayLike = 1.0) -> PairBatch:
        """The pairs under a policy, with the policy that gave the samples as the reference.

        Arguments:
            policy: [n] log π(y|x) of every sample; a torch tensor keeps its gradient.
            length: [n] tokens of every sample, or one number, >= 1.

        Errors: samples in pairs whose log-probability is unknown; as many log-probabilities as samples are needed.

        >>> from .samples import from_arrays
        >>> rows = from_arrays([0, 0], [1.0, 3.0], log_probability=[-2.0, -1.0])
        >>> one = PairedSamples(rows, *(np.array([each]) for each in (1, 0, 0.9, 2.0)), np.array([0, 1]))
        >>> one.batch(np.array([-2.5, -0.5])).log_ratio.tolist()
        [1.0]
        """
        known = self.samples.log_probability
        if np.isnan(known[np.r_[self.chosen, self.rejected].astype(int)]).any() or len(policy) != known.size:
            raise AdjudgeError(
                f"paired samples: {int(np.isnan(known).sum())} of {known.size} log-probabilities are unknown, and the "
                f"policy gives {len(policy)}.",
                "The log-probability of every paired sample, under its sampler and under the policy.",
                "Record log_probability while sampling, and give one of the policy for each sample.",
            )
        tensor = type(policy).__module__.partition(".")[0] == "torch"
        alike = policy.new_tensor if tensor else np.asarray
        steps = np.broadcast_to(np.asarray(length, dtype=float), known.shape)
        won, lost = self.chosen, self.rejected
        return PairBatch(
            policy[won],
            policy[lost],
            alike(known[won]),
            alike(known[lost]),
            alike(steps[won]),
            alike(steps[lost]),
            preference=alike(self.preference),
            weight=alike(self.weight),
            margin=alike(self.margin),
        )
