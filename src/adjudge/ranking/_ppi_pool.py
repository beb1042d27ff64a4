"""Lets the policies vouch for each other: the judges' errors on them are draws of one law, which labels show.

    θ_p = Σ_j a_j·r_jp + b_p,   b_p ~ N(0, τ²),        Σ_labelled (m/φ)·log P(y; θ) − Σ_p b_p²/(2τ²) → max

r_j are the ratings that judge j's own votes give; no label has a part in them. The posterior of θ is taken at its mode
for each τ (Laplace) and mixed over τ in proportion to the marginal likelihood, with a flat prior on τ. φ is by how much
the clustered variance of the labels' score exceeds the model's own.

Fay, Herriot (1979), Estimates of income for small places, JASA 74(366): the same idea for means.
Limits: τ → ∞ is the labels alone; τ → 0 is the judges' order, its scale set by the labels.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._typing import FloatArray
from . import _ppi_fit
from . import _soft_davidson as davidson
from ._matches import Matches

SLOPE = 0.04
"""Ridge of the slopes a: a normal prior with standard deviation 5."""
SPREADS = np.geomspace(0.05, 3.0, 13)


def pooled(matches: Matches, k: int) -> tuple[FloatArray, FloatArray]:
    """[k] posterior means and [k, k] posterior covariance of the ratings in log-odds, centred.

    Arguments:
        matches: of the fit.
        k: policies.
    """
    X = davidson.incidence(matches.left, matches.right, k)
    rows = matches.labelled
    q = int(bool(matches.label[rows, 1].any()))
    one = np.ones((rows.size, q))
    said = _by_judge(matches, X, k)
    design = sparse.hstack([X, sparse.csr_array(X @ said)], format="csr")[rows]
    label, mass, Z = matches.label[rows], matches.mass[rows], one[rows]
    y_lean, y_tie = (label[:, 0] - label[:, 2]) / 2, label[:, 1]
    inflation = _inflation(matches, X[rows], Z)
    weight = mass / inflation
    J = np.hstack([np.eye(k) - 1 / k, said])  # (b, a) → centred θ
    J = J - J.mean(axis=0)
    log_weight, means, covariances = [], [], []
    for spread in SPREADS:
        ridge = np.concatenate([np.full(k, spread**-2.0), np.full(said.shape[1] + q, SLOPE)])
        found = davidson.fit(design, Z, weight, weight * y_lean, weight * y_tie, ridge=ridge)
        u = Z @ found.gamma if q else np.full(mass.size, -np.inf)
        win, tie, loss = davidson.chances(np.asarray(design @ found.beta), u)
        fit = _support(label, np.column_stack([win, tie, loss]))
        _, logdet = np.linalg.slogdet(found.information)
        b = found.beta[:k]
        log_weight.append(float(weight @ fit) - b @ b / (2 * spread**2) - (k - 1) * np.log(spread) - logdet / 2)
        means.append(J @ found.beta)
        covariances.append(J @ np.linalg.inv(found.information)[: J.shape[1], : J.shape[1]] @ J.T)
    chance = np.exp(np.array(log_weight) - max(log_weight))
    chance /= chance.sum()
    mean = chance @ np.array(means)
    apart = np.array(means) - mean
    return mean, np.einsum("t,tij->ij", chance, np.array(covariances)) + (apart.T * chance) @ apart


def _by_judge(matches: Matches, X: sparse.csr_array, k: int) -> FloatArray:
    """[k, J] centred ratings from each judge's own votes."""
    ratings = []
    for votes in np.moveaxis(matches.votes, 1, 0):
        seen = votes.any(axis=1)
        lean = matches.mass * (votes[:, 0] - votes[:, 2]) / 2
        q = int(bool(votes[:, 1].any()))
        found = davidson.fit(
            X[seen],
            np.ones((int(seen.sum()), q)),
            matches.mass[seen],
            lean[seen],
            (matches.mass * votes[:, 1])[seen],
            ridge=SLOPE,
        )
        ratings.append(found.beta - found.beta.mean())
    return np.array(ratings).reshape(-1, k).T


def _support(label: FloatArray, chances: FloatArray) -> FloatArray:
    """[m] log-likelihood of soft labels under given chances."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(label > 0, label * np.log(chances), 0.0).sum(axis=1))


def _inflation(matches: Matches, X: sparse.csr_array, Z: FloatArray) -> float:
    """φ: trace of the clustered variance of the labels' score in units of the model's, at a fit that both explain."""
    rows = matches.labelled
    label, mass = matches.label[rows], matches.mass[rows]
    lean, even = (label[:, 0] - label[:, 2]) / 2, label[:, 1]
    found = davidson.fit(X, Z, mass, mass * lean, mass * even, ridge=1.0)
    d = np.asarray(X @ found.beta)
    win, _, loss = davidson.chances(d, Z @ found.gamma if Z.shape[1] else np.full(mass.size, -np.inf))
    score = sparse.csr_array(X.multiply((mass * (lean - (win - loss) / 2))[:, None]))
    k = X.shape[1]
    bread = np.linalg.inv(found.information[:k, :k] + np.eye(k) * 1e-9)
    none = np.zeros((mass.size, 0))
    meat = _ppi_fit.meat(matches.cluster[rows], score, none, np.zeros((0, k)), matches.labelled[rows])
    model = found.information[:k, :k] - np.eye(k)
    spent = float(np.trace(bread @ model))  # effective parameters: residuals are smaller than errors by their share
    left = max(1 - spent / mass.size, 0.1)
    return float(np.clip(np.trace(bread @ meat) / max(spent, 1e-12) / left**2, 0.05, 50.0))
