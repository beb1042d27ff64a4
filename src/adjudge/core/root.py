"""Where a function of one number crosses zero, without an optimiser's start-up time in every run of the command line.

    secant through two points, parabola (in y) through three; halving where those do not shrink the bracket

Brent (1973), Algorithms for Minimization without Derivatives, Chapter 4.
Limits: a straight line is solved in one step; a function without slope is halved.
"""

from __future__ import annotations

from collections.abc import Callable

RELATIVE = 4 * 2.0**-52
STEPS = 100


def root(f: Callable[[float], float], low: float, high: float, *, tolerance: float = 2e-12) -> float:
    """A zero of f between `low` and `high`, where f has different signs.

    Arguments:
        f: continuous.
        low, high: the bracket.
        tolerance: how far from the zero the answer may lie.

    Errors: `ValueError` where f has one sign at both ends.

    >>> round(root(lambda x: x * x - 2, 0.0, 2.0), 9)
    1.414213562
    """
    before, here, f_before, f_here = low, high, f(low), f(high)
    if f_before == 0:
        return before
    if f_here * f_before > 0:
        raise ValueError(f"root: f is {f_before:g} at {low:g} and {f_here:g} at {high:g}, without a change of sign.")
    other, f_other = before, f_before
    last = step = here - before
    for _ in range(STEPS):
        if f_here == 0:
            return here
        if f_before * f_here < 0:
            other, f_other, last, step = before, f_before, here - before, here - before
        if abs(f_other) < abs(f_here):  # the better end is where the next step starts
            before, here, other = here, other, here
            f_before, f_here, f_other = f_here, f_other, f_here
        least, half = (tolerance + RELATIVE * abs(here)) / 2, (other - here) / 2
        if abs(half) < least:
            return here
        last, step = _step((before, here, other), (f_before, f_here, f_other), last, step, half, least)
        before, f_before = here, f_here
        here += step if abs(step) > least else (least if half > 0 else -least)
        f_here = f(here)
    return here


def _step(
    x: tuple[float, float, float],
    y: tuple[float, float, float],
    last: float,
    step: float,
    half: float,
    least: float,
) -> tuple[float, float]:
    """The step before and the next one: by the curve where it is safe and shrinks fast enough, else half way."""
    (before, here, other), (f_before, f_here, f_other) = x, y
    if abs(last) > least and abs(f_here) < abs(f_before):
        if before == other:
            tried = -f_here * (here - before) / (f_here - f_before)
        else:
            own, far = (f_before - f_here) / (before - here), (f_other - f_here) / (other - here)
            tried = -f_here * (f_other * far - f_before * own) / (far * own * (f_other - f_before))
        if 2 * abs(tried) < min(abs(last), 3 * abs(half) - least):
            return step, tried
    return half, half
