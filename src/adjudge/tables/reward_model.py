"""What a fitted reward model is: features of a response -> its reward, and of two -> which is better, with their error.

    r = r(x; θ̂),      P(left better) = σ(u),  u = s·(r_left − r_right),      Var u ≈ ∂u/∂θ · Cov θ̂ · ∂u/∂θᵀ

A model is two functions and the covariance of what they were fitted with, wherever the features come from: numbers,
hashed words or the last layer of a transformer. Limits: a model of general preferences has no reward, only `log_odds`;
the error is that of the sample, and knows nothing of preferences that the model cannot express.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.finding import Finding
from ..errors import AdjudgeError
from .preferences import Features, dense

Reward = Callable[[Features], tuple[FloatArray, Features]]
"""features [n, d] -> (reward [n], its gradient by the q parameters [n, q])."""
Compare = Callable[[Features, Features], tuple[FloatArray, Features]]
"""features of both sides [n, d] -> (log-odds that the left is better [n], gradient [n, q])."""

BLOCK = 1 << 12  # rows whose gradients are held as a dense table at once


@dataclass(frozen=True, slots=True)
class Held:
    """How good predictions are on pairs that the fit did not see.

    Arguments:
        n: pairs, and `weight` their sum of weights.
        weight: Σ w.
        accuracy: chance that the side said to be better is; a prediction of ½ counts half.
        accuracy_stderr: its standard error by cluster.
        log_loss, brier: mean −log p and mean (1 − p)² of the side that won, nats and [0, 1].
        ece: expected calibration error in up to ten bins, less what chance adds to a gap that is there; where there is
            none, three fifths of what chance alone would show remain. May be a little below 0.
        balance: mean of how much more often than said the favoured side wins; negative where it was too sure.
    """

    n: int
    weight: float
    accuracy: float
    accuracy_stderr: float
    log_loss: float
    brier: float
    ece: float
    balance: float


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What a model's functions are made of beside its parameters, so that a file can hold it.

    Arguments:
        kind: `linear`, `rated`, `quality`, `members` or `skew`; `stats.reward_forms.functions` tells what each is.
        how: the rule that brings members together.
        numbers, arrays: by name.
    """

    kind: str
    how: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RewardModel:
    """A fitted model; `score` and `difference` take the features that it was fitted on.

    Arguments:
        method: address, such as `rewards.bradley_terry`.
        parameters: [q] fitted numbers; a linear reward's are its d coefficients, in the order of `feature_names`.
        covariance: [q, q] of the parameters; NaN where there is too little data.
        feature_names: [d].
        compare: log-odds that one response is better than another.
        reward: of one response; None where preferences need not follow any.
        held_out: [n] probability, by a fit without the row's cluster, that the left response of it is better; NaN
            where there is none.
        report: what `held_out` is worth: over all rows, and by source where there are several.
        figures: further numbers of the fit, by name.
        findings: what to distrust.
        form: what the functions are made of; None where they are of one's own, so that no file can hold them.
    """

    method: str
    parameters: FloatArray
    covariance: FloatArray
    feature_names: tuple[str, ...]
    compare: Compare
    reward: Reward | None = None
    held_out: FloatArray = field(default_factory=lambda: np.zeros(0))
    report: Mapping[str, Held] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    form: Form | None = None

    def score(self, features: Features) -> FloatArray:
        """[n] rewards of responses with features [n, d].

        Errors: another number of features; a model of preferences that follow no reward.
        """
        return self._rewarded(features)[0]

    def score_stderr(self, features: Features) -> FloatArray:
        """[n] standard error of each reward; rewards without a natural zero are compared by `difference` instead."""
        return self._stderr(self._rewarded(features)[1])

    def log_odds(self, left: Features, right: Features) -> tuple[FloatArray, FloatArray]:
        """([n] log-odds that the left response is better, [n] standard error)."""
        self._require(left, right)
        value, gradient = self.compare(left, right)
        return value, self._stderr(gradient)

    def difference(self, left: Features, right: Features) -> tuple[FloatArray, FloatArray]:
        """([n] probability that the left response is better, [n] standard error)."""
        value, error = self.log_odds(left, right)
        chance = special.expit(value)
        return chance, chance * (1 - chance) * error

    def _rewarded(self, features: Features) -> tuple[FloatArray, Features]:
        if self.reward is None:
            raise AdjudgeError(
                f"{self.method}: these preferences follow no reward.",
                "A response is better than some and worse than others, in circles.",
                "Compare two responses with difference(left, right).",
            )
        self._require(features)
        return self.reward(features)

    def _require(self, *features: Features) -> None:
        for table in features:
            if table.ndim != 2 or table.shape[1] != len(self.feature_names):
                raise AdjudgeError(
                    f"{self.method}: features of shape {table.shape}.",
                    f"It was fitted on {len(self.feature_names)} features a response.",
                    "Make them as those of the fit were made.",
                )

    def _stderr(self, gradient: Features) -> FloatArray:
        """[n] root of g·Cov·gᵀ, in blocks."""
        found = np.empty(gradient.shape[0])
        for start in range(0, found.size, BLOCK):
            rows = gradient[start : start + BLOCK]
            slopes = dense(rows)
            found[start : start + BLOCK] = np.einsum("nq,nq->n", slopes @ self.covariance, slopes)
        return np.sqrt(found.clip(0))


def linear(coefficients: FloatArray, *, scale: float | None = None) -> tuple[Reward, Compare]:
    """The two functions of a reward x·β.

    Arguments:
        coefficients: [d] β.
        scale: s of the log-odds s·(r_left − r_right), itself fitted: the parameters are then (β, s). None is 1, known.

    >>> reward, compare = linear(np.array([2.0]))
    >>> reward(np.array([[3.0]]))[0].tolist(), compare(np.array([[3.0]]), np.array([[1.0]]))[0].tolist()
    ([6.0], [4.0])
    """

    def reward(features: Features) -> tuple[FloatArray, Features]:
        return features @ coefficients, features if scale is None else _beside(features, 0.0)

    def compare(left: Features, right: Features) -> tuple[FloatArray, Features]:
        apart = left - right
        lead = apart @ coefficients
        if scale is None:
            return lead, apart
        return scale * lead, _beside(scale * apart, lead)

    return reward, compare


def _beside(table: Features, last: FloatArray | float) -> FloatArray:
    """The table with one more column."""
    return np.column_stack([dense(table), np.broadcast_to(last, table.shape[0])])
