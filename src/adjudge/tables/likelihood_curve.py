"""The table of a preference training watched by likelihood: one row is one prompt at one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import ArrayLike, FloatArray, IntArray
from ..errors import AdjudgeError


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodCurve:
    """Plain arrays; r rows, J steps, m prompts.

    Arguments:
        step: [r] code of the step, 0 … J−1, in the order of training.
        chosen: [r] mean log-probability by token of the chosen response; NaN where not measured.
        rejected: [r] the same of the rejected response.
        entropy: [r] mean entropy over the top k tokens of each position, in nats, >= 0; NaN where not measured.
        mass: [r] mean probability of the top k tokens together, in [0, 1]; NaN where not measured.
        prompt: [r] code of the independent unit, 0 … m−1.
        diversity: [r] how unlike the responses to the prompt are, any unit, such as the effective number of them or
            `stats.diversity.distinct`; NaN where not measured. None where nobody did.
        win: [r] chance that a response of the policy beats one of a fixed policy, such as the reference, in [0, 1]; by
            gold, a person or a judge; NaN where not measured. None where nobody did.
    """

    step: IntArray
    chosen: FloatArray
    rejected: FloatArray
    entropy: FloatArray
    mass: FloatArray
    prompt: IntArray
    diversity: FloatArray | None = None
    win: FloatArray | None = None

    @property
    def steps(self) -> int:
        """J, the number of steps."""
        return int(self.step.max()) + 1


def from_arrays(
    chosen: ArrayLike,
    rejected: ArrayLike,
    entropy: ArrayLike,
    mass: ArrayLike,
    *,
    step: ArrayLike,
    prompt: ArrayLike,
    diversity: ArrayLike | None = None,
    win: ArrayLike | None = None,
) -> LikelihoodCurve:
    """A checked table; arguments as of `LikelihoodCurve`.

    Errors: no row; columns of different lengths; codes below 0; steps that leave a number out; infinite values; an
    entropy below 0; a mass or a win rate outside [0, 1].

    >>> from_arrays([-1, -2], [-2, -3], [0.5, 0.4], [0.9, 0.8], step=[0, 1], prompt=[0, 0]).steps
    2
    """
    at, unit = np.asarray(step, dtype=np.int64), np.asarray(prompt, dtype=np.int64)
    columns = [np.asarray(column, dtype=float) for column in (chosen, rejected, entropy, mass)]
    more = [None if column is None else np.asarray(column, dtype=float) for column in (diversity, win)]
    columns += [column for column in more if column is not None]
    alike = at.ndim == 1 and at.size > 0 and all(column.shape == at.shape for column in (*columns, unit))
    if not alike or at.min() < 0 or unit.min() < 0 or np.unique(at).size != at.max() + 1:
        raise AdjudgeError(
            f"likelihood curve: {at.size} steps, {unit.size} prompts, {[column.size for column in columns]} values.",
            "One of each a row; steps 0, 1, 2 … with none left out; prompts 0, 1, 2 ….",
            "Number the steps in the order of training, and bring the columns to one length.",
        )
    if np.isinf(columns).any() or (columns[2] < 0).any() or ((columns[3] < 0) | (columns[3] > 1 + 1e-9)).any():
        raise AdjudgeError(
            "likelihood curve: a value is infinite, an entropy below 0, or a mass outside [0, 1].",
            "Finite log-probabilities or NaN, entropy >= 0 in nats, mass in [0, 1].",
            "Correct the columns.",
        )
    if more[1] is not None and ((more[1] < 0) | (more[1] > 1)).any():
        raise AdjudgeError(
            "likelihood curve: a win rate is outside [0, 1].", "A chance in [0, 1] or NaN.", "Correct the column."
        )
    first, second, spread, held = columns[:4]
    return LikelihoodCurve(at, first, second, spread, held, unit, *more)
