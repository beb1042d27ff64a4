"""What the numbers of a ranking are, in words: the unit on the axis of its report."""

from __future__ import annotations

import numpy as np

from ..core.estimate import Estimate

POINTS_SAID = "rating points; 400 are odds of ten to one"

UNITS = {
    "adastop": "mean score",
    "blind_trials": "chance of success",
    "borda": "share of wins against the others, ties half",
    "colley": "Colley rating; 0.5 is average",
    "copeland": "share of the others beaten by a majority, ties half",
    "curated": "mean score on the tasks kept",
    "disaggregated": "mean score over the groups",
    "elo": "Elo points",
    "glicko": "Glicko points",
    "guarded_leaderboard": "score as the leaderboard tells it",
    "iqm": "interquartile mean of the score",
    "kemeny": "minus the place in the best order",
    "learning_curves": "score along the run",
    "length_controlled": "share of wins against the baseline at equal length",
    "massey": "margin of victory; 0 is average",
    "maximal_lottery": "share in the mixture that nobody beats",
    "mean_win_rate": "share of the others beaten, mean over scenarios",
    "median": "score on the median task",
    "minimax": "margin in the worst match",
    "multiwinner": "worth to the voters, beside the best committee without it",
    "optimality_gap": "minus the shortfall from a good score",
    "performance_profile": "share of runs past the mark",
    "probability_of_improvement": "chance that a run beats another policy's",
    "prompt_ladder": "minus the rung needed; higher is easier",
    "repeats": "mean score over repeated runs",
    "schulze": "share of the others beaten along the strongest chains, ties half",
    "split_cycle": "share of the others that do not defeat it",
    "survival_game": "exponent of the tail of failures; higher is lighter",
    "task_borda": "mean place on the tasks, 1 is first and 0 last",
    "task_kemeny": "minus the place in the best order",
    "task_mean": "mean score over tasks",
    "thurstone": "standard deviations of one comparison",
    "top_two": "share of votes won",
}


def unit(estimate: Estimate) -> str:
    """The unit of an estimate: rating points where values average 1000, else what its method counts."""
    method = estimate.method.rpartition(".")[2]
    if method in UNITS:
        return UNITS[method]
    return POINTS_SAID if in_points(estimate) else method.replace("_", " ")


def in_points(estimate: Estimate) -> bool:
    """Whether values are rating points on the scale of odds: they then average 1000."""
    known = estimate.value[np.isfinite(estimate.value)]
    return bool(known.size) and abs(float(known.mean()) - 1000.0) < 1e-3
