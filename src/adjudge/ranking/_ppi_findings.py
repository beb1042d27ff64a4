"""What to distrust in a prediction-powered ranking: judges that do not help, labels too few or unlike the matches."""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Finding, Severity
from ._matches import Matches
from ._ppi_fit import Solved

FEW = 10
USELESS = 0.05
UNLIKE = 0.001


def labelled_clusters(matches: Matches, k: int) -> IntArray:
    """[k] independent clusters in which people voted on a match of the policy; the scarcer way of two."""
    rows = np.flatnonzero(matches.labelled)
    policy = np.concatenate([matches.left[rows], matches.right[rows]])
    counts = []
    for column in matches.cluster.T:
        pairs = np.unique(np.column_stack([policy, np.tile(column[rows], 2)]), axis=0)
        counts.append(np.bincount(pairs[:, 0], minlength=k))
    return np.min(counts, axis=0)


def findings(
    matches: Matches, policies: tuple[str, ...], solved: Solved, apart: BoolArray, gain: float
) -> tuple[Finding, ...]:
    """What stands out.

    Arguments:
        matches: those of the fit.
        policies: [k] names.
        solved: the answer.
        apart: [k] policies that no chain of matches ties to the others.
        gain: by how much the judges lower the mean variance, as a share; NaN where there is nothing to compare with.
    """
    k = len(policies)
    seen = labelled_clusters(matches, k)
    found = [
        *_outside(matches, policies, solved, apart),
        *_scarce(policies, seen, ~apart),
        *_judges(matches, solved, gain),
    ]
    z, p = _unlike(matches, k)
    if p < UNLIKE:
        worst = int(np.argmax(np.abs(z)))
        side = "more" if z[worst] > 0 else "less"
        found.append(
            Finding(
                "labels-unlike-matches",
                Severity.WARNING,
                f"Labelled matches are unlike all matches: people saw {policies[worst]} {side} often than by chance.",
                p,
                UNLIKE,
                "Draw the matches to label at random from all matches.",
                (policies[worst],),
            )
        )
    return tuple(found)


def _outside(matches: Matches, policies: tuple[str, ...], solved: Solved, apart: BoolArray) -> list[Finding]:
    found = []
    if apart.any():
        names = _named(policies, apart)
        found.append(
            Finding(
                "policies-apart",
                Severity.SEVERE,
                f"No chain of matches ties {_listed(names)} to the others, so that they cannot be ranked together.",
                float(apart.sum()),
                0.0,
                "Add matches between the groups, or rank each group by itself.",
                names,
            )
        )
    lost = ~np.isfinite(solved.theta) & ~apart
    if not np.any(matches.label[matches.labelled][:, [0, 2]] > 0):
        text = "People called every match a tie: nobody is better, and nothing says by how little."
        found.append(Finding("votes-all-tied", Severity.SEVERE, text, remedy="Ask for a verdict where there is one."))
    elif lost.any():
        names = _named(policies, lost)
        found.append(
            Finding(
                "rating-infinite",
                Severity.SEVERE,
                f"{_listed(names)} won or lost every labelled match against the others: no finite rating fits.",
                float(lost.sum()),
                0.0,
                "Label more of their matches.",
                names,
            )
        )
    return found


def _scarce(policies: tuple[str, ...], seen: IntArray, inside: BoolArray) -> list[Finding]:
    found = []
    none, few = inside & (seen < 2), inside & (seen >= 2) & (seen < FEW)
    if none.any():
        names = _named(policies, none)
        found.append(
            Finding(
                "policy-unlabelled",
                Severity.WARNING,
                f"People voted on fewer than two independent matches of {_listed(names)}: no rating is given.",
                float(seen[none].min()),
                2.0,
                "Label at least two of their matches, better ten.",
                names,
            )
        )
    if few.any():
        names = _named(policies, few)
        found.append(
            Finding(
                "policy-labels-few",
                Severity.INFO,
                f"{_listed(names)}: fewer than {FEW} independent labelled matches, so their intervals are wide.",
                float(seen[few].min()),
                float(FEW),
                "Label more of their matches.",
                names,
            )
        )
    return found


def _judges(matches: Matches, solved: Solved, gain: float) -> list[Finding]:
    if not matches.judged.any():
        return [
            Finding(
                "no-judge-votes",
                Severity.INFO,
                "No judge voted: the ratings rest on the people's votes alone.",
                remedy="Let a judge vote on all matches, or use ranking.bradley_terry.",
            )
        ]
    if solved.lam == 0 or gain < USELESS:
        return [
            Finding(
                "judges-useless",
                Severity.WARNING,
                f"The judges' votes lower the ratings' variance by {100 * max(gain, 0.0):.0f} %: they say little of "
                f"people's.",
                gain,
                USELESS,
                "Use a better judge or more labels; the ratings are safe, only not sharper.",
                matches.judges,
            )
        ]
    return []


def _unlike(matches: Matches, k: int) -> tuple[FloatArray, float]:
    """[k] standard scores of each policy's labelled matches against a random draw of as many, and their joint p-value.

    The scores lean on each other, for a match has two policies: the p-value is χ² of the counts by their covariance.
    """
    M, m = matches.labelled.size, int(matches.labelled.sum())
    both = np.concatenate([matches.left, matches.right])
    of_all = np.bincount(both, minlength=k)
    of_label = np.bincount(both[np.tile(matches.labelled, 2)], minlength=k)
    met = np.bincount(matches.left * k + matches.right, minlength=k * k).reshape(k, k)
    spread = np.diag(of_all) + met + met.T - np.outer(of_all, of_all) / max(M, 1)
    spread = spread * (m * (M - m) / max(M * (M - 1), 1))
    off, variance = of_label - m * of_all / max(M, 1), np.diagonal(spread)
    z = np.divide(off, np.sqrt(np.maximum(variance, 0.0)), out=np.zeros(k), where=variance > 1e-9)
    values, vectors = np.linalg.eigh(spread)
    on = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)
    stat = float((((vectors[:, on].T @ off) ** 2) / values[on]).sum())
    return np.asarray(z), float(special.chdtrc(int(on.sum()), stat)) if m and m < M and on.any() else 1.0


def _named(policies: tuple[str, ...], which: BoolArray) -> tuple[str, ...]:
    return tuple(policies[p] for p in np.flatnonzero(which))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
