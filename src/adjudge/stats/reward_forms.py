"""The two functions of each kind of reward model, from its numbers alone: what a fit makes, and a file brings back.

    linear   r = x·β                               rated    r = x·β + c,  u = s·(r_l − r_r)
    quality  r = x·q, of parameters (q, l)         members  r = agg_j x·β_j + c_j
    skew     u = φ(l, r)·θ, no reward

Limits: a kind that is not here cannot be written to a file.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._typing import FloatArray
from ..errors import AdjudgeError
from ..tables.preferences import Features, dense
from ..tables.reward_model import Compare, Form, Reward, linear
from .reward_members import Members, aggregate
from .skew import Skew


def functions(form: Form, parameters: FloatArray) -> tuple[Reward | None, Compare]:
    """Reward (None where preferences follow none) and log-odds, each with its gradient by the parameters.

    Arguments:
        form: which kind, and what it needs beside the parameters.
        parameters: [q] in the order of the kind.

    Errors: a kind that nobody knows.

    >>> functions(Form("linear"), np.array([2.0]))[1](np.array([[3.0]]), np.array([[1.0]]))[0].tolist()
    [4.0]
    """
    if form.kind == "linear":
        return linear(parameters)
    if form.kind == "rated":
        return _rated(parameters)
    if form.kind == "quality":
        return _quality(parameters)
    if form.kind == "members":
        features = int(form.numbers["features"])
        return _members(Members(parameters.reshape(-1, features + 1)), form.how, float(form.numbers["penalty"]))
    if form.kind == "skew":
        return None, _skew(Skew(form.arrays["axes"], form.arrays["centre"], form.numbers["stretch"]), parameters)
    raise AdjudgeError(
        f"reward model: there is no form {form.kind!r}.",
        "One of linear, rated, quality, members and skew.",
        "Fit the model again with this version.",
    )


def _rated(parameters: FloatArray) -> tuple[Reward, Compare]:
    """Gradients by (β, c, s)."""
    beta, intercept, scale = parameters[:-2], parameters[-2], parameters[-1]

    def reward(features: Features) -> tuple[FloatArray, Features]:
        return features @ beta + intercept, _columns(features, 1.0, 0.0)

    def compare(left: Features, right: Features) -> tuple[FloatArray, Features]:
        apart = left - right
        lead = apart @ beta
        return scale * lead, _columns(scale * apart, 0.0, lead)

    return reward, compare


def _quality(parameters: FloatArray) -> tuple[Reward, Compare]:
    """Gradients by (q, l), of which the second part does not count."""
    quality = parameters[: parameters.size // 2]

    def reward(features: Features) -> tuple[FloatArray, Features]:
        return features @ quality, _beside_zeros(features)

    def compare(left: Features, right: Features) -> tuple[FloatArray, Features]:
        return reward(left - right)

    return reward, compare


def _members(every: Members, how: str, penalty: float) -> tuple[Reward, Compare]:
    """The aggregated reward, and log-odds that are its differences."""

    def reward(features: Features) -> tuple[FloatArray, Features]:
        value, leaning = aggregate(every.rewards(features), how, penalty)
        return value, every.gradient(features, leaning)

    def compare(left: Features, right: Features) -> tuple[FloatArray, Features]:
        (ahead, by_left), (behind, by_right) = reward(left), reward(right)
        return ahead - behind, by_left - by_right

    return reward, compare


def _skew(form: Skew, parameters: FloatArray) -> Compare:
    def compare(left: Features, right: Features) -> tuple[FloatArray, Features]:
        beside = form.features(left, right)
        return beside @ parameters, beside

    return compare


def _columns(table: Features, by_intercept: float, by_scale: FloatArray | float) -> FloatArray:
    n = table.shape[0]
    return np.column_stack([dense(table), np.full(n, by_intercept), np.broadcast_to(by_scale, n)])


def _beside_zeros(table: Features) -> Features:
    """[n, 2d] the table, and as many zeros."""
    if sparse.issparse(table):
        return sparse.csr_array((table.data, table.indices, table.indptr), shape=(table.shape[0], 2 * table.shape[1]))
    return np.column_stack([table, np.zeros_like(table)])
