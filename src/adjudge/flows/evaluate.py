"""Which policy is better, from a cheap judge and a few trusted labels: read, calibrate, estimate, audit, answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from .. import catalogue
from ..audit import agreement, leakage, saturation, support, transport
from ..audit import labels as label_audit
from ..calibration import auto as auto_calibration
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run, array_fingerprint, file_fingerprint
from ..errors import AdjudgeError
from ..tables import bundled
from ..tables import read as door
from ..tables.calibrator import Calibrator
from ..tables.columns import Names
from ..tables.ratings import Ratings
from ..value import auto, labels_only
from .evaluation import Evaluation
from .unverified import unverified

CHECKS = (label_audit, support, transport, agreement, saturation, leakage)
FEWEST = 4  # labelled clusters below which no calibration is tried


def evaluate(
    source: object,
    *,
    judge: Names = None,
    gold: Names = None,
    policy: str | None = None,
    item: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    propensity: str | None = None,
    stratum: str | None = None,
    covariates: Sequence[str] = (),
    draw: str | None = None,
    rater: str | None = None,
    where: str | None = None,
    labels: object = None,
    bounds: tuple[float, float] | None = None,
    method: str = "auto",
    calibration: str = "auto",
    level: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Ranks policies with honest intervals, and says what to distrust.

    Arguments:
        source: a path or several, a pandas, Polars or Arrow frame, a list of dicts, a dict of arrays, or `Ratings`.
        judge, gold, policy, item, cluster, weight, propensity, stratum, covariates, draw, rater, where, labels,
            bounds: which column is what; see `adjudge.tables.read.read`.
        method: a method of the family `value`, such as `ppi_plus`; `auto` chooses and says why.
        calibration: a method of the family `calibration`, such as `isotonic`; `auto` chooses by out-of-fold error.
        level: coverage of the intervals, in (0, 1).
        seed: of every random draw; the same seed gives the same answer.

    Errors: `AdjudgeError` for input from which nothing can be computed; doubtful input is told in `findings`.

    >>> from adjudge.sim.judging import Judging
    >>> answer = evaluate(Judging(items=211, labels=97, truth=(0.8, 0.3)).draw(1).ratings)
    >>> answer.estimate.names[answer.order[0]]
    'p00'
    """
    source = bundled.path(source)
    if isinstance(source, Ratings):
        ratings, data = source, {"ratings": array_fingerprint({"score": source.score, "gold": source.gold})}
    else:
        ratings = door.read(
            source,
            judge=judge,
            gold=gold,
            policy=policy,
            item=item,
            cluster=cluster,
            weight=weight,
            propensity=propensity,
            stratum=stratum,
            covariates=covariates,
            draw=draw,
            rater=rater,
            where=where,
            labels=labels,
            bounds=bounds,
        )
        data = fingerprints(source, ratings)
    settings: dict[str, object] = {
        "judge": ratings.judges,
        "gold": gold,
        "method": method,
        "calibration": calibration,
        "level": level,
    }
    answer = evaluate_ratings(
        ratings, method=method, calibration=calibration, level=level, seed=seed, data=data, settings=settings
    )
    return replace(answer, source=source)


def evaluate_ratings(
    ratings: Ratings,
    *,
    method: str = "auto",
    calibration: str = "auto",
    level: float = 0.95,
    seed: int = 0,
    data: dict[str, str] | None = None,
    settings: dict[str, object] | None = None,
) -> Evaluation:
    """`evaluate` for a table that has been read."""
    if not 0 < level < 1:
        raise AdjudgeError(f"level is {level:g}.", "A coverage between 0 and 1, such as 0.95.", "Give such a level.")
    ratings, calibrator = calibrate(ratings, calibration, seed=seed)
    chosen = auto if method == "auto" else _method("value", method)
    estimate: Estimate = chosen.estimate(ratings)
    alone = estimate if estimate.method == "value.labels_only" else labels_only.estimate(ratings)
    audits = [check.check(ratings) for check in CHECKS]
    found = (
        *ratings.findings,
        *(finding for finding in estimate.findings if finding.code not in ("method-chosen", "not-verified")),
        *(calibrator.findings if calibrator else ()),
        *(finding for audit in audits for finding in audit.findings),
    )
    methods = [estimate.method, *([calibrator.method] if calibrator else [])]
    answer = Evaluation(
        ratings=ratings,
        estimate=estimate,
        labels_only=alone,
        calibrator=calibrator,
        findings=(),
        reason=_reason(estimate),
        run=Run.now(_command(), seed=seed, data=data, settings=settings, methods=methods),
        level=level,
        seed=seed,
    )
    return replace(answer, findings=_sorted((*found, *unverified(answer))))


def calibrate(ratings: Ratings, calibration: str, *, seed: int) -> tuple[Ratings, Calibrator | None]:
    """The ratings with a forecast of gold for every row; without one when labels do not allow it, or need none."""
    clusters = np.unique(ratings.cluster[ratings.labelled]).size
    if ratings.forecast is not None or clusters < FEWEST or ratings.labelled.all():
        return ratings, None
    chosen = auto_calibration if calibration == "auto" else _method("calibration", calibration)
    calibrator: Calibrator = chosen.fit(ratings, seed=seed)
    return calibrator(ratings), calibrator


def fingerprints(source: object, ratings: Ratings) -> dict[str, str]:
    """Name -> fingerprint of each input: files by their bytes, tables in memory by their numbers."""
    given = source if isinstance(source, (list, tuple)) else [source]
    paths = [Path(one) for one in given if isinstance(one, (str, Path))]
    found = {str(path): file_fingerprint(path) for path in paths if path.is_file()}
    return found or {"table": array_fingerprint({"score": ratings.score, "gold": ratings.gold, "row": ratings.row})}


def _reason(estimate: Estimate) -> str:
    told = [finding.message for finding in estimate.findings if finding.code == "method-chosen"]
    return told[0] if told else f"You asked for {estimate.method}."


def _method(family: str, name: str) -> ModuleType:
    return catalogue.load(name if name.startswith(f"{family}.") else f"{family}.{name}")


def _command() -> str:
    program = Path(sys.argv[0]).name if sys.argv else ""
    return " ".join(["adjudge", *sys.argv[1:]]) if program == "adjudge" else "adjudge.evaluate(…)"


def _sorted(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Each finding once, the worst first."""
    once = {(finding.code, finding.subject, finding.message): finding for finding in findings}
    return tuple(sorted(once.values(), key=lambda finding: -finding.severity))
