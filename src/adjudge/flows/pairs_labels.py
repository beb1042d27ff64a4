"""How probable it is that the chosen one of two samples is better in gold: what a calibrator makes of a judge's scores.

    gold of 0 or 1:    P(i ≻ j) = ½ + b·(p_i − p_j)/2                      p: calibrated chance of 1; a tie counts half
    gold on a scale:   P(i ≻ j) = Φ(b·(f_i − f_j)/√(s_i² + s_j² + c²))     f: calibrated score, s: spread of gold about
    comparisons:       P(i ≻ j) = f(margin)                                f: fitted on pairs whose two golds are known
    b = (Σ Δg·Δf + κ)/(Σ Δf² + κ),   κ = 4·Var(Δg − Δf)                    over two labels of one prompt, Δf held out

b is what a difference of forecasts is worth within a prompt: a judge that knows easy prompts from hard ones may not
know two answers apart. It is 1 until ten pairs of labels tell; κ is a guess of 1 ± ½ before. s is told from held-out
forecasts, within prompts where enough are labelled twice. A labelled sample has its gold, s = 0 and b = 1; of how far
it leads its forecast the other has a share, too. c is the standard error of b·(f_i − f_j). Limit: linear in forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from .._typing import FloatArray, IntArray
from ..stats.cluster import group_sums
from ..stats.two_labels import beside, pairs_within, slope_within, spread_about
from ..tables.calibrator import Calibrator
from ..tables.read_samples import SampledTexts
from .pairs_told import calibrator_of, doubted, nudges, ratings_of


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Calibrated scores, and the chance that one of two is better.

    Arguments:
        value: [n] score on the scale of gold; gold itself where it is known.
        order: [n] the same, but where the judge is not believed ties are broken as it would.
        spread: [n] standard deviation of gold about it; 0 where gold is known.
        covariance: [q, q] of the calibrator's parameters.
        gradient: [n, q] of the value by them.
        lead: [n] gold less its forecast; 0 where gold is not known.
        beside: (share of a lead that another sample of the prompt has, too; spread of gold about its forecast then).
        slope, slope_error: b, at least 0, and its standard error.
        binary: whether gold is one of two values.
        calibrator: behind them.
        said, true: [q] held-out chance of pairs whose golds are known and forecasts differ; which came true (½ a tie).
        unit: [q] their prompts.
    """

    value: FloatArray
    order: FloatArray
    spread: FloatArray
    covariance: FloatArray
    gradient: FloatArray
    lead: FloatArray
    beside: tuple[float, float]
    slope: float
    slope_error: float
    binary: bool
    calibrator: Calibrator
    said: FloatArray
    true: FloatArray
    unit: IntArray

    def chance(self, one: IntArray, two: IntArray) -> tuple[FloatArray, FloatArray]:
        """([m] P(gold of one > gold of two), ties half; [m] its standard error from the calibration)."""
        apart, first, second = self.gradient[one] - self.gradient[two], self.spread[one], self.spread[two]
        told, mixed = (first > 0) & (second > 0), (first > 0) != (second > 0)  # by forecasts alone, by one of them
        shared, wide = self.beside
        gap = self.value[one] - self.value[two] - np.where(mixed, shared * (self.lead[one] - self.lead[two]), 0.0)
        slope, loose = np.where(told, self.slope, 1.0), np.where(told, self.slope_error, 0.0)
        noise = slope**2 * np.einsum("mq,qr,mr->m", apart, self.covariance, apart).clip(0) + (loose * gap) ** 2
        first, second = (np.where(mixed & (each > 0), wide, each) for each in (first, second))
        return _chance(slope * gap, first, second, np.sqrt(noise), self.binary)


def from_scores(samples: SampledTexts, calibration: str, *, seed: int) -> Labels:
    """Calibrates the scores of samples on those whose gold is known.

    Arguments:
        samples: scores and gold.
        calibration: of the family `calibration`, or `auto`.
        seed: of its folds.

    Errors: gold of fewer than four prompts.
    """
    ratings = ratings_of(samples.score, samples.gold, samples.item)
    doubts = doubted(samples.score, samples.gold, samples.item, calibration, seed=seed)
    calibrator = calibrator_of(ratings, calibration, doubts, seed=seed)
    forecast = calibrator(ratings).forecast
    assert forecast is not None
    labelled = ratings.labelled
    held = forecast.held_out[labelled]
    gold, code = ratings.gold[labelled], samples.item[labelled]
    binary = bool(np.isin(gold, ratings.bounds).all())
    one, two = pairs_within(code)
    known = np.isfinite(held[one] + held[two])
    first = held[one] >= held[two]  # the judge's choice of the two
    won, lost = np.where(first, one, two)[known], np.where(first, two, one)[known]
    gap = held[won] - held[lost]
    slope, slope_error, without = slope_within(gold[won] - gold[lost], gap, code[won])
    spread = spread_about(gold - held, gold[won] - gold[lost] - slope * gap)
    wide = np.full(won.size, spread)
    said = _chance(without * gap, wide, wide, np.zeros(won.size), binary)[0]
    chosen = gap > 0  # of two that are alike to it the judge chooses none
    value = np.where(labelled, ratings.gold, forecast.value)
    return Labels(
        value=value,
        order=value + nudges(samples.score) * ~labelled if doubts and calibration == "auto" else value,
        spread=np.where(labelled, 0.0, spread),
        covariance=_covariance(forecast.influence, calibrator.cluster),
        gradient=np.where(labelled[:, None], 0.0, forecast.gradient),
        lead=np.where(labelled, ratings.gold - forecast.value, 0.0),
        beside=beside(gold - held, one, two),
        slope=slope,
        slope_error=slope_error,
        binary=binary,
        calibrator=calibrator,
        said=said[chosen],
        true=(1 + np.sign(gold[won] - gold[lost]))[chosen] / 2,
        unit=code[won][chosen],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """The chance that the favoured of two is better, from how far the judge puts them apart.

    Arguments:
        score: [n] a judge's, such as the share of comparisons won.
        calibrator: of margins.
        said, true, unit: as in `Labels`.
    """

    score: FloatArray
    calibrator: Calibrator
    said: FloatArray
    true: FloatArray
    unit: IntArray

    @property
    def order(self) -> FloatArray:
        """[n] the score: margins are calibrated, not scores."""
        return self.score

    def chance(self, one: IntArray, two: IntArray) -> tuple[FloatArray, FloatArray]:
        """([m] P(gold of one > gold of two), ties half; [m] its standard error from the calibration)."""
        value, error = self.calibrator.curve(np.abs(self.score[one] - self.score[two]))
        return np.where(self.score[one] >= self.score[two], value, 1 - value), error


def from_margins(score: FloatArray, samples: SampledTexts, calibration: str, *, seed: int) -> Margins:
    """Calibrates differences of scores within prompts on pairs whose two golds are known.

    Arguments:
        score: [n].
        samples, calibration, seed: as in `from_scores`.

    Errors: such pairs in fewer than four prompts.
    """
    labelled = np.flatnonzero(np.isfinite(samples.gold) & np.isfinite(score))
    one, two = (labelled[each] for each in pairs_within(samples.item[labelled]))
    first = score[one] >= score[two]
    won, lost = np.where(first, one, two), np.where(first, two, one)
    true = (1 + np.sign(samples.gold[won] - samples.gold[lost])) / 2
    unit = samples.item[won]
    doubts = doubted(score[:, None], samples.gold, samples.item, calibration, pairs=True, seed=seed)
    even = bool(doubts) and calibration == "auto"  # a pair, both ways round
    ratings = ratings_of(
        (score[won] - score[lost])[:, None], np.full(true.size, 0.5) if even else true, unit, bounds=(0.0, 1.0)
    )
    calibrator = calibrator_of(ratings, calibration, doubts, seed=seed)
    known = np.isfinite(calibrator.held_out)
    return Margins(score, calibrator, calibrator.held_out[known], true[known], unit[known])


def _covariance(influence: FloatArray, cluster: IntArray) -> FloatArray:
    """[q, q] of a calibrator's parameters, by cluster."""
    units, code = np.unique(cluster, return_inverse=True)
    total = group_sums(code, influence.T, units.size).T
    total = total - total.mean(axis=0)
    return total.T @ total * (units.size / max(units.size - 1, 1))


def _chance(
    gap: FloatArray, one: FloatArray, two: FloatArray, noise: FloatArray, binary: bool
) -> tuple[FloatArray, FloatArray]:
    """Chance that a gap is truly above 0, and its standard error by the error of the gap."""
    if binary:
        return (0.5 + gap / 2).clip(0, 1), noise / 2
    wide = np.sqrt(one**2 + two**2 + noise**2)
    z = gap / np.where(wide > 0, wide, 1.0)
    known = wide > 0
    error = np.where(known, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * noise / np.where(known, wide, 1.0), 0.0)
    return np.where(known, ndtr(z), (1 + np.sign(gap)) / 2), error
