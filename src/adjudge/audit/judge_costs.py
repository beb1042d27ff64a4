"""Is a cheaper judge as good? Accuracy and κ of judges beside the money and time that a verdict takes.

    δ_j = accuracy_j − accuracy_best,  paired over the same answers
    not shown worse at margin m:  lower bound of δ_j > −m,  all cheaper judges together
    front = judges that no other judge beats in accuracy at no higher cost

Xie, Qi, Zeng et al. (2025), SORRY-Bench, §3 (a small fine-tuned judge beside large ones, agreement beside time); Yu,
Yang, Li et al. (2024), MM-Vet (graders against people). Limits: margin 0 asks for a judge that is better; no difference
found is no equality: what the data could have shown is told by number.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.agreement import confusion
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.ratings import Ratings
from ._marked import Marked, marked

METHOD = "audit.judge_costs"

CARD = Card(
    answers="Is a cheaper judge as good as the best one, by a margin, and which judges are worth their price?",
    equation="δ_j = accuracy_j − accuracy_best;   j may stand in for the best when the lower bound of δ_j > −margin",
    papers=(
        Paper(
            "SORRY-Bench: Systematically Evaluating Large Language Model Safety Refusal Behaviors",
            "Xie, Qi, Zeng et al.",
            2025,
            "ICLR",
            "https://arxiv.org/abs/2406.14598",
            "Section 3",
        ),
        Paper(
            "MM-Vet: Evaluating Large Multimodal Models for Integrated Capabilities",
            "Yu, Yang, Li et al.",
            2024,
            "ICML",
            "https://arxiv.org/abs/2308.02490",
            "Section 4",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "Items, or clusters of them, are independent; gold labels a random part of the answers.",
        "Costs are those of the run to come.",
    ),
    limits=(
        "The best is the best in these data: a judge held against it is held against some luck, on the safe side.",
        "Kappa and accuracy are of right and wrong at one threshold.",
    ),
    when="Before a run is paid for, or when a judge's price has changed.",
    unit="share of verdicts",
    rows=(40, 116),
)


def check(
    ratings: Ratings,
    *,
    cost: FloatArray | None = None,
    seconds: FloatArray | None = None,
    margin: float = 0.02,
    level: float = 0.95,
    threshold: float = 0.5,
) -> Audit:
    """Accuracy, κ, cost and time of judges, which of them no other beats at its price, and which may stand in.

    Arguments:
        ratings: scores are the judges' verdicts, gold people's.
        cost: [J] or [n, J] price of a verdict of each judge, in any one currency, >= 0; NaN where unknown.
        seconds: [J] or [n, J] time that a verdict took, in s, >= 0; NaN where unknown.
        margin: loss of accuracy that one would put up with, in (0, 1).
        level: 1 − the chance of any wrong stand-in, in (0, 1).
        threshold: least score, and least gold label, that means yes.

    Errors: a level or margin outside (0, 1); costs or times of another shape, or below 0; no score column.

    Returns findings, and by judge the figures `accuracy`, `kappa`, `behind` (δ, without the best), and where given
    `cost` and `seconds` (means of a verdict).

    >>> from adjudge.sim.judging import Judging
    >>> from dataclasses import replace
    >>> one = Judging(items=199, labels=199, outcome="binary").draw(0).ratings
    >>> two = replace(one, judges=("large", "small"), score=np.column_stack([one.gold, one.gold]))
    >>> told = check(two, cost=np.array([0.02, 0.001]))
    >>> [finding.code for finding in told.findings], told.figures["cost"].value.round(6).tolist()
    (['cheaper-as-good'], [0.02, 0.001])
    """
    if not (0 < level < 1 and 0 < margin < 1):
        raise AdjudgeError(f"judge_costs: level {level}, margin {margin}.", "Both inside (0, 1).", "Change them.")
    found = marked(ratings, threshold, who="judge_costs")
    there = ratings.weight > 0
    prices = {"cost": _by_row(cost, ratings, "cost")[there], "seconds": _by_row(seconds, ratings, "seconds")[there]}
    figures = {name: _mean(found, each) for name, each in prices.items() if np.isfinite(each).any()}
    right = np.asarray(found.right)
    if not np.isfinite(right).any():
        return Audit((_nothing(),), figures)
    common = np.asarray(np.isfinite(right).all(axis=1), dtype=bool)
    paired = np.where(common[:, None], right, np.nan) if common.any() else right
    accuracy = found.share(paired)
    figures["accuracy"] = accuracy
    figures["kappa"] = confusion.joint(found.judges, found.cells, confusion.cohen, method=METHOD)
    findings = [] if common.any() or len(found.judges) < 2 else [_apart()]
    if len(found.judges) > 1 and common.any():
        best = _best(figures)
        others = [name for name in found.judges if name != best]
        figures["behind"] = _behind(accuracy, best, others)
        findings += _told(figures, best, margin, level)
    return Audit(tuple(findings), figures)


def _by_row(value: FloatArray | None, ratings: Ratings, name: str) -> FloatArray:
    """[n, J] prices, NaN where unknown."""
    shape = (ratings.n, len(ratings.judges))
    if value is None:
        return np.full(shape, np.nan)
    given = np.asarray(value, dtype=float)
    if given.shape not in (shape, shape[1:]) or (given < 0).any():
        raise AdjudgeError(
            f"judge_costs.{name}: shape {given.shape}, least {np.nanmin(given, initial=0.0):g}.",
            f"One number >= 0 a judge [{shape[1]}], or one a verdict {list(shape)}.",
            "Give them in the order of the score columns.",
        )
    return np.asarray(np.broadcast_to(given, shape), dtype=float)


def _mean(found: Marked, value: FloatArray) -> Estimate:
    """Mean of a price by judge; a price that is the same for all verdicts is a price list and has no error."""
    i, j = np.nonzero(np.isfinite(value))
    return scored_means(found.judges, found.cluster[i], j, value[i, j], found.weight[i])


def _best(figures: dict[str, Estimate]) -> str:
    """The most accurate judge; of equals the dearest, for the cheaper one is held against it."""
    accuracy = figures["accuracy"]
    price = [figures[name].value for name in ("cost", "seconds") if name in figures]
    return min(
        accuracy.names,
        key=lambda name: (
            -np.nan_to_num(accuracy.value[accuracy.index(name)], nan=-1.0),
            *(-each[accuracy.index(name)] for each in price),
        ),
    )


def _behind(accuracy: Estimate, best: str, others: list[str]) -> Estimate:
    turn = np.array([[float(name == other) - float(name == best) for name in accuracy.names] for other in others])
    return accuracy.contrast(turn, others)


def _told(figures: dict[str, Estimate], best: str, margin: float, level: float) -> list[Finding]:
    """By cheaper judge: as good, worse, or not to be told; and who is beaten at no higher price."""
    accuracy, behind = figures["accuracy"], figures["behind"]
    price = figures.get("cost", figures.get("seconds"))
    if price is None:
        return [_unpriced()]
    unit, top = "price" if "cost" in figures else "time", price.value[price.index(best)]
    cheaper = [name for name in behind.names if price.value[price.index(name)] < top]
    said = [] if cheaper else [_cheapest(best, unit, float(accuracy.value[accuracy.index(best)]))]
    for name in cheaper:
        one = behind.select([name])
        low, high = one.interval(1 - 2 * (1 - level) / len(cheaper))[0]
        delta, share = one.value[0], price.value[price.index(name)] / top
        if not np.isfinite(low):  # the two never differ, which they still may
            low, high = _never(accuracy, level, len(cheaper))
        text = (
            f"{name} has {100 * delta:+.1f} % accuracy against {best} ({100 * low:+.1f} % to {100 * high:+.1f} %) at "
            f"{100 * share:.1f} % of its {unit}"
        )
        if low > -margin:
            said.append(
                Finding(
                    "cheaper-as-good",
                    Severity.INFO,
                    f"{text}: not worse by more than {100 * margin:.0f} %.",
                    float(low),
                    -margin,
                    f"Use {name}, and check it again when the answers change.",
                    (name, best),
                )
            )
        elif high < -margin:
            text = f"{text}: worse by more than {100 * margin:.0f} %."
            said.append(
                Finding("cheaper-worse", Severity.INFO, text, float(high), -margin, f"Keep {best}.", (name, best))
            )
        else:
            said.append(_undecided(text, one, delta, margin, level, len(cheaper), (name, best)))
    said += _dominated(accuracy, price, unit, level)
    return said


def _never(accuracy: Estimate, level: float, names: int) -> tuple[float, float]:
    """What a difference that was 0 on every unit may still be, one way and the other: the rule of three."""
    units = max(accuracy.parts[0].units, 1)
    most = float(-np.expm1(np.log((1 - level) / names) / units))
    return -most, most


def _undecided(
    text: str, one: Estimate, delta: float, margin: float, level: float, names: int, subject: tuple[str, str]
) -> Finding:
    """Too few labels to tell, and how many would do."""
    reach = float(detectable(one.stderr, one.df, level=1 - 2 * (1 - level) / names)[0])
    need = np.ceil((one.df[0] + 1) * (reach / max(margin + min(delta, 0.0), margin / 4)) ** 2)
    return Finding(
        "cheaper-undecided",
        Severity.INFO,
        f"{text}: whether it is worse by more than {100 * margin:.0f} % cannot be told; losses show with "
        f"{100 * POWER:.0f} % chance "
        f"from {100 * reach:.1f} % on.",
        reach,
        margin,
        f"Label about {need:,.0f} items." if np.isfinite(need) else "Label more items.",
        subject,
    )


def _dominated(accuracy: Estimate, price: Estimate, unit: str, level: float) -> list[Finding]:
    """Judges that another one beats in accuracy, surely, at no higher price."""
    said: list[Finding] = []
    pairs = len(accuracy.names) * (len(accuracy.names) - 1) / 2
    for j, name in enumerate(accuracy.names):
        for i, other in enumerate(accuracy.names):
            if i == j or not price.value[i] <= price.value[j] or not accuracy.value[i] > accuracy.value[j]:
                continue
            if accuracy.difference(other, name).pvalue(0.0)[0] <= (1 - level) / pairs:
                text = f"{other} is more accurate than {name} at no higher {unit}."
                gap = float(accuracy.value[i] - accuracy.value[j])
                said.append(
                    Finding("judge-outpriced", Severity.WARNING, text, gap, 0.0, f"Drop {name}.", (name, other))
                )
                break
    return said


def _cheapest(best: str, unit: str, value: float) -> Finding:
    text = (
        f"No judge of lower {unit} than {best} is in the table, and none is more accurate here ({100 * value:.1f} %)."
    )
    return Finding("best-is-cheapest", Severity.INFO, text, value, remedy=f"Use {best}.", subject=(best,))


def _unpriced() -> Finding:
    return Finding(
        "costs-unknown",
        Severity.INFO,
        "Neither prices nor times are known: judges are compared by accuracy alone.",
        0.0,
        1.0,
        "Give cost= or seconds= by judge or by verdict.",
    )


def _apart() -> Finding:
    return Finding(
        "judges-unpaired",
        Severity.WARNING,
        "No labelled answer has a verdict of every judge: accuracies rest on different answers and are not compared.",
        0.0,
        1.0,
        "Let all judges mark the labelled answers.",
    )


def _nothing() -> Finding:
    return Finding(
        "gold-absent",
        Severity.INFO,
        "No answer has both a verdict and a gold label: how good a judge is cannot be told at any price.",
        0.0,
        1.0,
        "Let people mark a random part of the answers.",
    )
