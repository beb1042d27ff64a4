"""Watch a stream and stop when you like: intervals that hold at every moment at once, from scores and some labels.

    Z_t = f_t + R_t/π_t · (Y_t − f_t)                                 E Z_t = E Y, whatever the forecast f
    betting      K_t(m) = ½ Π (1 + λ_i (X_i − m)) ∨ ½ Π (1 − λ_i (X_i − m)),     {m: K_t(m) < 1/(1 − level)}
                 λ_i = √(2 log(2/(1 − level)) / (s²_{i−1}·i·log(i + 1))), cut so that no bet loses more than half
    asymptotic   Z̄_t ± s_t √( 2(tρ² + 1)/(t²ρ²) · log(√(tρ² + 1)/(1 − level)) )

X is Z moved to [0, 1] by the range that π >= `least` leaves it. Arms are paired: a row is one prompt answered by all,
and each difference is a stream of its own, as narrow as the pairing makes it. Betting holds at any sample size and is
wide when π is small; the asymptotic sequence is near the fixed-time interval and wants some dozens of labels first.

Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86(1), doi:10.1093/jrsssb/qkad009 (hedged capital); Waudby-Smith,
Arbour, Sinha, Kennedy and Ramdas (2024), Ann. Stat. 52(6), arXiv:2103.06476, Theorem 2.2; Robins, Rotnitzky and Zhao
(1994), J. Am. Stat. Assoc. 89, for Z. Limits: π = 1 is the sequence of the labels themselves; a forecast that equals
the label, that of the forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._typing import ArrayLike, BoolArray, FloatArray
from ..errors import AdjudgeError

GRID = 401
FEWEST = 20  # labels of an arm before the asymptotic sequence says anything
BATCH = 256


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Everything that the past still says; k arms and k(k−1)/2 differences make s streams.

    Arguments:
        names: [s] arms, then differences "a − b" of an earlier and a later arm.
        arms: k.
        bounds: range of gold and forecast.
        least: smallest propensity that will ever be used.
        level: coverage of each stream over all times.
        rows: seen so far.
        labels: [k] gold labels seen.
        total: [s] Σ Z.
        squares: [s] Σ Z².
        deviation: [s] Σ (X − running mean)², for the bets.
        wealth: [2, GRID, s] log Π (1 ± λ(X − m)) for each candidate m.
        low_high: [s, 2] the betting sequence so far, which only narrows.
    """

    names: tuple[str, ...]
    arms: int
    bounds: tuple[float, float]
    least: float
    level: float
    rows: int
    labels: FloatArray
    total: FloatArray
    squares: FloatArray
    deviation: FloatArray
    wealth: FloatArray
    low_high: FloatArray


def init(
    names: tuple[str, ...], *, bounds: tuple[float, float] = (0.0, 1.0), least: float = 1.0, level: float = 0.95
) -> Stream:
    """An empty stream.

    Arguments:
        names: [k] arms.
        bounds: range of gold and forecast, finite.
        least: smallest label propensity that will be used, in (0, 1].
        level: coverage of each stream over all times; for several to hold together, give 1 − (1 − level)/s.

    Raises `AdjudgeError` when the range is not finite or a number lies outside its own.
    """
    low, high = bounds
    if not (np.isfinite(high - low) and high > low and 0 < least <= 1 and 0 < level < 1):
        raise AdjudgeError(
            f"confseq: bounds are {bounds}, least is {least:g}, level is {level:g}.",
            "A finite range, a propensity in (0, 1] and a level in (0, 1).",
            "Rescale gold and forecast, or drop rows that could never be labelled.",
        )
    k = len(names)
    left, right = np.triu_indices(k, 1)
    every = (*names, *(f"{names[i]} − {names[j]}" for i, j in zip(left, right, strict=True)))
    ends = np.array([[low, high]] * k + [[low - high, high - low]] * left.size)
    zero = np.zeros(len(every))
    wealth = np.zeros((2, GRID, len(every)))
    return Stream(every, k, bounds, least, level, 0, np.zeros(k), zero, zero, zero, wealth, ends)


def update(stream: Stream, forecast: ArrayLike, gold: ArrayLike, propensity: ArrayLike = 1.0) -> Stream:
    """The stream with more rows; the old one is untouched.

    Arguments:
        forecast: [n, k] of gold, made before the row's label was seen, inside the bounds.
        gold: [n, k] labels; NaN where there is none.
        propensity: recorded probability that the row was to be labelled: [n, k], or anything that spreads to it.

    Raises `AdjudgeError` for values outside the bounds, missing forecasts and propensities below `least`.

    >>> rng = np.random.default_rng(0)
    >>> quality = rng.uniform(size=(2003, 1)) * [0.9, 0.6]
    >>> gold = np.where(rng.random((2003, 1)) < 0.5, quality, np.nan)
    >>> seen = update(init(("a", "b"), least=0.5), quality, gold, 0.5)
    >>> betting(seen).round(2)[2]
    array([0.14, 0.16])
    """
    f = np.atleast_2d(np.asarray(forecast, dtype=float))
    y, pi = (np.broadcast_to(np.asarray(each, dtype=float), f.shape) for each in (gold, propensity))
    _check(stream, f, y, pi)
    known = np.isfinite(y)
    z = f + np.where(known, (np.where(known, y, f) - f) / pi, 0.0)
    left, right = np.triu_indices(stream.arms, 1)
    z = np.column_stack([z, z[:, left] - z[:, right]])
    for start in range(0, z.shape[0], BATCH):
        stream = _bet(stream, z[start : start + BATCH])
    return replace(stream, labels=stream.labels + known.sum(axis=0))


def merge(one: Stream, other: Stream) -> Stream:
    """Two streams of different rows as one: fortunes won in separate games multiply.

    Both must have the same names, bounds, `least` and level. The merged betting sequence starts to narrow anew.
    """
    sums = ("rows", "labels", "total", "squares", "deviation", "wealth")
    merged = replace(one, **{name: getattr(one, name) + getattr(other, name) for name in sums})
    fresh = init(one.names[: one.arms], bounds=one.bounds, least=one.least, level=one.level)
    return _narrowed(replace(merged, low_high=fresh.low_high))


def betting(stream: Stream) -> FloatArray:
    """[s, 2] the interval that has held at every row so far with probability `level`, at any sample size."""
    return stream.low_high.copy()


def asymptotic(stream: Stream, *, planned: int = 1000) -> FloatArray:
    """[s, 2] the asymptotic sequence, narrowest at `planned` rows; NaN before an arm has 20 labels.

    >>> seen = update(init(("a",)), np.full((400, 1), 0.5), np.tile([[0.0], [1.0]], (200, 1)))
    >>> asymptotic(seen).round(3)
    array([[0.422, 0.578]])
    """
    t, error = max(stream.rows, 2), 1 - stream.level
    mean = stream.total / t
    spread = np.sqrt(np.maximum(stream.squares / t - mean**2, 0.0) * t / (t - 1))
    rho2 = (-2 * np.log(error) + np.log(-2 * np.log(error) + 1)) / planned
    half = spread * np.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / error))
    left, right = np.triu_indices(stream.arms, 1)
    enough = np.r_[stream.labels, np.minimum(stream.labels[left], stream.labels[right])] >= FEWEST
    first, last = _candidates(stream)[[0, -1]]
    low_high = np.column_stack([np.maximum(mean - half, first), np.minimum(mean + half, last)])
    return np.where(enough[:, None], low_high, np.nan)


def _check(stream: Stream, f: FloatArray, y: FloatArray, pi: FloatArray) -> None:
    low, high = stream.bounds
    if f.shape[1] != stream.arms:
        raise AdjudgeError(
            f"confseq: forecasts have {f.shape[1]} columns.", f"One for each of {stream.arms} arms.", "Pass [n, k]."
        )
    for name, bad, rule in (
        ("forecast", ~((f >= low) & (f <= high)), f"A number in [{low:g}, {high:g}]."),
        ("gold", np.isfinite(y) & ~((y >= low) & (y <= high)), f"A number in [{low:g}, {high:g}], or NaN."),
        ("propensity", ~((pi >= stream.least) & (pi <= 1)), f"At least {stream.least:g}, as promised, and at most 1."),
    ):
        if bad.any():
            row, arm = np.argwhere(bad)[0]
            value = {"forecast": f, "gold": y, "propensity": pi}[name][row, arm]
            raise AdjudgeError(
                f"confseq: {int(bad.sum())} values of {name} are out of range (first: {value:g}, row {row}).",
                rule,
                "Set the range or `least` when the stream begins.",
            )


def _scale(stream: Stream) -> tuple[FloatArray, FloatArray]:
    """[s] lowest possible Z and the width of its range."""
    low, high = stream.bounds
    width = high - low
    ends = np.array([high - width / stream.least, low + width / stream.least])
    arms, pairs = stream.arms, len(stream.names) - stream.arms
    least = np.r_[np.full(arms, ends[0]), np.full(pairs, ends[0] - ends[1])]
    return least, np.r_[np.full(arms, ends[1] - ends[0]), np.full(pairs, 2 * (ends[1] - ends[0]))]


def _candidates(stream: Stream) -> FloatArray:
    """[GRID, s] the means that the streams could have."""
    low, high = stream.bounds
    pairs = len(stream.names) - stream.arms
    first = np.r_[np.full(stream.arms, low), np.full(pairs, low - high)]
    last = np.r_[np.full(stream.arms, high), np.full(pairs, high - low)]
    return first + np.linspace(0, 1, GRID)[:, None] * (last - first)


def _bet(stream: Stream, z: FloatArray) -> Stream:
    """One batch of rows; each bet knows only the rows before its own."""
    least, range_ = _scale(stream)
    x, m = (z - least) / range_, (_candidates(stream) - least) / range_
    t = stream.rows + np.arange(1, z.shape[0] + 1)[:, None]
    # The first guess of the spread: half of gold's range, thinned by the rarest label.
    guess = (0.5 * (stream.bounds[1] - stream.bounds[0]) / range_) ** 2 / stream.least
    start = (stream.total - stream.rows * least) / range_
    before = start + np.cumsum(x, axis=0) - x
    mean = (0.5 + before + x) / (t + 1)
    gap = (x - mean) ** 2
    spread = (guess + stream.deviation + np.cumsum(gap, axis=0) - gap) / t
    bet = np.sqrt(2 * np.log(2 / (1 - stream.level)) / (spread * t * np.log1p(t)))
    gain = x[:, None, :] - m
    up = np.log1p(np.minimum(bet[:, None, :], 0.5 / np.maximum(m, 1e-12)) * gain).sum(axis=0)
    down = np.log1p(-np.minimum(bet[:, None, :], 0.5 / np.maximum(1 - m, 1e-12)) * gain).sum(axis=0)
    return _narrowed(
        replace(
            stream,
            rows=stream.rows + z.shape[0],
            total=stream.total + z.sum(axis=0),
            squares=stream.squares + (z**2).sum(axis=0),
            deviation=stream.deviation + gap.sum(axis=0),
            wealth=stream.wealth + np.array([up, down]),
        )
    )


def _narrowed(stream: Stream) -> Stream:
    """The candidates on which nobody has grown rich, and one step of the grid on either side."""
    m = _candidates(stream)
    alive: BoolArray = stream.wealth.max(axis=0) < np.log(2 / (1 - stream.level))
    step = m[1] - m[0]
    some = alive.any(axis=0)
    low = np.where(some, m[np.argmax(alive, axis=0), np.arange(m.shape[1])] - step, stream.low_high[:, 0])
    high = np.where(
        some, m[GRID - 1 - np.argmax(alive[::-1], axis=0), np.arange(m.shape[1])] + step, stream.low_high[:, 1]
    )
    low = np.clip(low, stream.low_high[:, 0], stream.low_high[:, 1])
    return replace(stream, low_high=np.column_stack([low, np.clip(high, low, stream.low_high[:, 1])]))
