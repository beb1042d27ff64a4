"""Whether labels tell a judge from one that answers at random; a calibrator only where they do.

A judge passes where shuffled scores go with gold as closely at most once in twenty times: of judges that know nothing,
at most 5 % pass, however few labels there are. Only what is told within prompts counts where both scores and gold are
alike within prompts, and enough of the labels are two of a prompt: such a judge may know easy prompts from hard ones
and no two answers apart. A judge that does not pass gets a constant in the place of a curve. Limits: with fewer than
ten prompts with two labels that differ, the test is over all labels, and a judge that knows prompts apart passes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import rankdata

from .._typing import FloatArray, IntArray
from ..calibration import mean
from ..calibration.auto import FEW
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.two_labels import TWICE, chance_of_noise, pairs_within
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from ..tables.read import from_arrays
from .calibrate import FEWEST, calibrator_for

PASSES = 0.05  # of judges that know nothing
NUDGE = 1e-6  # of the unit of gold: what scores of a judge who is not believed move an order by


def ratings_of(
    score: FloatArray, gold: FloatArray, item: IntArray, bounds: tuple[float, float] | None = None
) -> Ratings:
    """Samples as ratings of one policy, clustered by prompt; with bounds, differences of two. Errors: few prompts."""
    units = np.unique(item[np.isfinite(gold)]).size
    if units < FEWEST:
        raise AdjudgeError(
            f"Gold is known of {units} prompts{' with two labelled responses' if bounds else ''}.",
            f"At least {FEWEST}; dozens for a curve.",
            "Label more, or leave --gold out: preferences are then the judge's own.",
        )
    n = len(gold)
    return from_arrays(
        policy=["policy"] * n, score=score, item=item, gold=gold, cluster=item, draw=np.arange(n), bounds=bounds
    )


def doubted(
    score: FloatArray, gold: FloatArray, item: IntArray, calibration: str, *, pairs: bool = False, seed: int = 0
) -> tuple[Finding, ...]:
    """Why the judge is not believed; nothing where it is.

    Arguments:
        score: [n, J] of the judges.
        gold: [n] labels; NaN where there is none.
        item: [n] prompts.
        calibration: `auto`, or the calibrator that somebody named, who is obeyed.
        pairs: whether pairs are what is calibrated, and so within prompts is all that counts.
        seed: of the shuffles.
    """
    known = np.isfinite(gold) & np.isfinite(score).all(axis=1)
    score, gold, (units, code) = score[known], gold[known], np.unique(item[known], return_inverse=True)
    size, (one, two) = np.bincount(code, minlength=1), pairs_within(code)
    twice = np.unique(code[one][gold[one] != gold[two]]).size
    enough = twice >= TWICE and 2 * int(size[size > 1].sum()) >= gold.size
    within = pairs or (enough and _alike(score, code) and _alike(gold[:, None], code))
    p = chance_of_noise(score, gold, code, within=within, bent=not pairs and units.size >= FEW, seed=seed)
    if p <= PASSES:
        return ()
    of = f"{twice} prompts with two labels that differ" if within else f"{gold.size} labels of {units.size} prompts"
    text = f"{of[0].upper()}{of[1:]} do not tell the judge from one that answers at random (p = {p:.2g}): "
    text += (
        "two responses without a label are given a chance of 50 %."
        if calibration == "auto"
        else "the curve may be luck."
    )
    remedy = (
        "Label two responses of more prompts: ten such pairs of unlike gold mostly tell a judge that is right in nine "
        "of ten, 15 one in eight of ten, 35 one in seven of ten."
    )
    return (Finding("judge-like-noise", Severity.WARNING, text, p, PASSES, remedy),)


def calibrator_of(ratings: Ratings, calibration: str, doubts: tuple[Finding, ...], *, seed: int) -> Calibrator:
    """The calibrator asked for, or a constant where the judge is not believed and nobody named one."""
    if doubts and calibration == "auto":
        return replace(mean.fit(ratings, seed=seed), findings=doubts)
    fitted = calibrator_for(ratings, calibration, seed=seed)
    return replace(fitted, findings=(*fitted.findings, *doubts))


def nudges(score: FloatArray) -> FloatArray:
    """[n] numbers that are next to nothing, in the order of the judges' mean rank: whom else should a pair go by?"""
    ranks = rankdata(score, axis=0, nan_policy="omit") / max(len(score), 1)
    return np.asarray(NUDGE * np.where(np.isfinite(ranks), ranks, 0.5).mean(axis=1))


def _alike(values: FloatArray, code: IntArray) -> bool:
    """Whether two of one prompt are more alike than two of different ones, in some column."""
    ranks = rankdata(values, axis=0) - (len(values) + 1) / 2
    one, two = pairs_within(code)
    return bool(((ranks[one] * ranks[two]).sum(axis=0) > 0).any())
