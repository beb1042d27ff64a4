"""Does a new version of a judge say the same as the old one, and would it rank the policies alike?

    Δ_p = mean over the cases of policy p of  v_new − v_old;    Δ = mean over all;    uneven_p = Δ_p − mean_q Δ_q

A shift that is the same for all policies moves every score and no ranking; one that is uneven changes who wins. Both
versions are one estimate with its covariance by item, so that cases that both have judged are pairs, and cases that
only one has judged are not thrown together with them. Of votes, v is what a policy wins; without common matches, each
pair of policies counts alike in both versions, so that another mix of opponents is no drift.

Chen, Zaharia, Zou (2024), §3 (drift of hosted models); Liang, Zeger (1986) for the errors.
Limits: without common cases other cases, harder or easier, look like drift, and it is said so. Two versions of one
column are no drift at all.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.certain import never_certain
from ..stats.means import clustered_means
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from ._versions import Versions, of_ratings, of_votes

METHOD = "audit.version_drift"
SMALL = 0.1  # standard deviations of the old version's scores that a powerful audit should see
FEW = 10  # cases from which a shift that is the same in all of them is no accident
MOST = 100  # policies up to which every pair is looked at

CARD = Card(
    answers="Does a new version of a judge say the same as the old one, and would it rank the policies alike?",
    equation="Δ_p = mean (v_new − v_old) of policy p;   uneven_p = Δ_p − mean_q Δ_q",
    papers=(
        Paper(
            "How Is ChatGPT's Behavior Changing over Time?",
            "Chen, Zaharia, Zou",
            2024,
            "Harvard Data Science Review 6(2)",
            "https://doi.org/10.1162/99608f92.5317da47",
            "§3",
        ),
        Paper(
            "Longitudinal data analysis using generalized linear models",
            "Liang, Zeger",
            1986,
            "Biometrika 73(1)",
            "https://doi.org/10.1093/biomet/73.1.13",
            "Eq. 13",
        ),
    ),
    needs=("score", "outcome", "rater", "time"),
    assumes=("Items, or clusters of them, are independent.", "Both versions saw the same answers of a policy."),
    limits=(
        "Without common cases a change of cases looks like drift.",
        "A shift says nothing of which version is right: that takes gold (audit.agreement, calibration).",
    ),
    when="Before scores of two judge versions, prompts or months are put into one table.",
    unit="as the scores, or share of wins",
)


def check(
    table: Ratings | Comparisons, *, old: str = "", new: str = "", since: float = np.nan, level: float = 0.95
) -> Audit:
    """Measures what changed from one version of a judge to another.

    Arguments:
        table: ratings with a score column for each version, or votes with a rater for each.
        old, new: the versions' names; empty takes the two that there are.
        since: of votes of one judge, the time from which it counts as new; NaN takes the middle of its votes.
        level: 1 − the chance of naming an overall shift, and of naming any policy, without cause, in (0, 1).

    Errors: a level outside (0, 1); no such version; more than two and none named.

    Returns findings, and the figures `old`, `new` (means by policy), `shift_by_policy` (Δ_p), of ratings `shift` (Δ),
    with two policies or more of ratings `uneven`, and with common cases `agreement` (share of equal verdicts).

    >>> from dataclasses import replace
    >>> from adjudge.sim.judging import Judging
    >>> made = Judging(items=401, truth=(0.6, 0.5)).draw(1).ratings
    >>> both = np.column_stack([made.score[:, 0], made.score[:, 0] + 0.2 * (made.policy == 1) * (made.item % 3 > 0)])
    >>> told = check(replace(made, judges=("v1", "v2"), score=both))
    >>> [(finding.code, *finding.subject) for finding in told.findings][:2]
    [('judge-drifted', 'v1', 'v2'), ('drift-uneven', 'p00')]
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"version_drift: level is {level}.", "0 < level < 1.", "Change it.")
    ratings = isinstance(table, Ratings)
    said = of_ratings(table, old, new) if isinstance(table, Ratings) else of_votes(table, old, new, since)
    if not said.policies:
        return Audit((_nothing(said),), {})
    figures = _figures(said, overall=ratings)
    return Audit((*_told(said, figures, level), *_reversed(said, figures, level), *_apart(said)), figures)


def _figures(said: Versions, *, overall: bool) -> dict[str, Estimate]:
    """Means of both versions by policy, and what lies between them."""
    k, names = len(said.policies), said.policies
    group = said.version * k + said.policy
    both = clustered_means(
        tuple(f"{version}: {name}" for version in ("old", "new") for name in names),
        said.cluster,
        group,
        said.value,
        said.weight,
        bounds=said.bounds,
    )
    one = np.eye(k)
    apart = np.hstack([-one, one])
    shift = never_certain(both.contrast(apart, names))
    figures = {
        "old": both.contrast(np.hstack([one, 0 * one]), names),
        "new": both.contrast(np.hstack([0 * one, one]), names),
        "shift_by_policy": shift,
    }
    if overall:
        figures["shift"] = never_certain(both.contrast(apart.mean(axis=0), ["new − old"]))
        if k > 1:
            figures["uneven"] = never_certain(both.contrast(apart - apart.mean(axis=0), names))
    if said.paired:
        first = said.version == 0
        equal = (said.value[first] == said.value[~first]).astype(float)
        columns = said.cluster[first], np.zeros(equal.size, dtype=np.int64), equal, said.weight[first]
        figures["agreement"] = scored_means(("equal",), *columns, bounds=(0.0, 1.0))
    return figures


def _told(said: Versions, figures: dict[str, Estimate], level: float) -> list[Finding]:
    """An overall shift, policies that it favours, and what could not have been seen."""
    found: list[Finding] = []
    matters = SMALL * said.spread
    if "shift" in figures:
        shift = figures["shift"]
        least = float(detectable(shift.stderr, shift.df, level=level)[0])
        p = float(shift.pvalue()[0])
        alike = said.paired and np.isnan(p) and shift.value[0] != 0 and shift.parts[0].units >= FEW
        if p <= 1 - level or alike:
            found.append(_drifted(said, shift, p, level, figures))
        elif not least <= matters:
            found.append(_weak(said, float(shift.value[0]), least, matters))
    by = figures.get("uneven", figures["shift_by_policy"])
    reach = detectable(by.stderr, by.df, level=level, names=len(by.names))
    silent = []
    for name, value, p, least in zip(by.names, by.value, by.stepdown(), reach, strict=True):
        if p <= 1 - level and ("shift" not in figures or "uneven" in figures):
            found.append(_uneven(said, name, float(value), float(p), beside="uneven" in figures))
        elif not least <= matters:
            silent.append(float(least))
    if silent and not any(finding.code == "drift-not-shown" for finding in found):
        found.append(_weak(said, np.nan, max(silent) if np.isfinite(silent).all() else np.nan, matters))
    return found


def _reversed(said: Versions, figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Pairs of policies whose order turns round, surely in both versions."""
    if not 1 < len(said.policies) <= MOST:
        return []
    old, new = (figures[name].differences() for name in ("old", "new"))
    # both ends must hold for a pair: each version's intervals hold over all pairs at once
    low_high = [each.simultaneous(level) for each in (old, new)]
    sure = [np.where(each[:, 0] > 0, 1, np.where(each[:, 1] < 0, -1, 0)) for each in low_high]
    turned = np.flatnonzero(sure[0] * sure[1] < 0)
    if not turned.size:
        return []
    drawn = int((old.value * new.value < 0).sum())
    worst = turned[np.argmax(np.abs(old.value - new.value)[turned])]
    return [
        Finding(
            "ranking-changed",
            Severity.SEVERE,
            f"{turned.size} of {len(old.names)} pairs of policies surely change their order from {said.old} to "
            f"{said.new} ({drawn} do in the point estimates), such as {old.names[worst]}: {old.value[worst]:+.3g}, "
            f"then {new.value[worst]:+.3g}.",
            float(turned.size),
            0.0,
            "Do not compare policies across versions: judge all of them with one, and settle by gold which is right.",
            tuple(old.names[worst].split(" − ")),
        )
    ]


def _drifted(said: Versions, shift: Estimate, p: float, level: float, figures: dict[str, Estimate]) -> Finding:
    low, high = shift.interval(level)[0]
    sure = (
        f"{100 * level:.0f} % interval {low:+.3g} to {high:+.3g}, {p_text(p)}"
        if np.isfinite(p)
        else "in all cases alike"
    )
    same = f"; {100 * figures['agreement'].value[0]:.1f} % of verdicts are equal" if "agreement" in figures else ""
    matters = SMALL * said.spread
    return Finding(
        "judge-drifted",
        Severity.INFO if -matters < low and high < matters else Severity.WARNING,
        f"{said.new} scores {shift.value[0]:+.3g} against {said.old} ({sure}){same}.",
        float(shift.value[0]),
        0.0,
        "Do not put both versions' scores into one column: judge again with one, or calibrate each against gold.",
        (said.old, said.new),
    )


def _uneven(said: Versions, name: str, value: float, p: float, *, beside: bool) -> Finding:
    than = "more than policies on average" if beside else "of its comparisons"
    return Finding(
        "drift-uneven",
        Severity.WARNING,
        f"From {said.old} to {said.new}, {name} gains {value:+.3g} {than} ({p_text(p)}).",
        value,
        0.0,
        "Compare policies within one version of the judge only.",
        (name,),
    )


def _weak(said: Versions, value: float, least: float, matters: float) -> Finding:
    seen = (
        f"would be seen with {100 * POWER:.0f} % chance from {least:.3g} on" if np.isfinite(least) else "cannot be seen"
    )
    what = (
        f"moves scores by {value:+.3g}; a shift" if np.isfinite(value) else "shows what it shows; a policy's own shift"
    )
    return Finding(
        "drift-not-shown",
        Severity.INFO,
        f"The step from {said.old} to {said.new} {what} {seen}.",
        least,
        matters,
        "For smaller shifts let both versions judge more of the same cases.",
        (said.old, said.new),
    )


def _apart(said: Versions) -> list[Finding]:
    """That versions share no case, so that cases may be what differs."""
    if said.paired:
        return []
    return [
        Finding(
            "versions-share-no-case",
            Severity.INFO,
            f"{said.old} and {said.new} share too few cases to be held against each other there: a difference is of "
            "the judge or of the cases.",
            0.0,
            1.0,
            "Let the new version judge some cases of the old one again.",
            (said.old, said.new),
        )
    ]


def _nothing(said: Versions) -> Finding:
    return Finding(
        "versions-not-comparable",
        Severity.INFO,
        f"No policy has verdicts of both {said.old or 'an old'} and {said.new or 'a new version'}: no drift can be "
        "told.",
        0.0,
        1.0,
        "Let both versions judge the same answers.",
    )
