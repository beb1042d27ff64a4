"""`evaluate` for tables larger than memory: prepare on the labels, fold over batches, finish; a sample for the audits.

The estimate is that of the table in memory, to rounding. Audits and drawings see all labelled rows and a simple random
sample of the others, weighted up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import AdjudgeError
from ..stats import difference, label_rates, leaning
from ..tables.ratings import Ratings, stacked
from ..tables.stream import Scan
from ..value import auto, calibrated, labels_only
from .calibrate import FEWEST, calibrator_for
from .conclude import conclude
from .evaluation import Evaluation
from .made import Setting

SAMPLE = 300_000  # rows without a label that the audits see
BATCH = 200_000
_OWN = 7919  # tells this draw from the default_rng(seed) that a simulated table may itself come from


def evaluate_scan(
    scan: Scan,
    setting: Setting,
    *,
    method: str = "auto",
    calibration: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    rows: int = BATCH,
) -> Evaluation:
    """The evaluation of a table that is read batch by batch.

    Arguments:
        scan: of `tables.stream.scan`.
        setting: level, seed, and what is to be remembered of the source.
        method: `auto` or `calibrated`.
        calibration: as in `evaluate`.
        progress: called with (rows done, rows in all) after each batch.
        rows: of a batch.

    Errors: fewer than four labelled clusters, from which no calibration can be fitted.
    """
    labelled = scan.labelled()
    clusters = np.unique(labelled.cluster).size
    if clusters < FEWEST:
        raise AdjudgeError(
            f"The table has {scan.n:,} rows and {clusters} labelled prompts.",
            f"A table that is read in batches needs at least {FEWEST}, to calibrate the judge on.",
            "Label more rows, or read a sample of the table with --where.",
        )
    if len(scan.strata) > 1:  # one pass more, to learn which part of each stratum is labelled
        total = np.sum([label_rates.sizes(batch) for batch in scan.batches(rows)], axis=0)
        labelled = label_rates.by_stratum(labelled, total)
    calibrator = calibrator_for(labelled, calibration, seed=setting.seed)
    ready = calibrator(labelled)
    sums, leans = difference.prepare(ready, forecast=True), leaning.prepare(ready)
    counts, done = np.zeros(len(scan.policies), dtype=np.int64), 0
    rng, kept = np.random.default_rng((setting.seed, _OWN)), [ready]
    share = min(1.0, SAMPLE / max(scan.n, 1))
    for batch in scan.batches(rows):
        seen = calibrator(batch)
        sums, leans = difference.fold(sums, seen), leaning.fold(leans, seen)
        counts += np.bincount(batch.policy, minlength=counts.size)
        kept.append(_sampled(batch, share, rng))
        done += batch.n
        if progress is not None:
            progress(done, scan.n)
    if method == "auto":
        estimate = auto.finish(sums, leans, calibrator=calibrator.method)
    else:
        estimate = calibrated.finish(sums, leans)
    ratings = replace(calibrator(stacked(kept)), findings=scan.findings + labelled.findings)
    alone = labels_only.estimate(labelled)
    return conclude(ratings, estimate, alone, calibrator, setting, rows=counts, units=scan.units)


def _sampled(batch: Ratings, share: float, rng: np.random.Generator) -> Ratings:
    """Rows without a label, each kept with chance `share` and weighted up by it."""
    part = batch.take(~batch.labelled & (rng.random(batch.n) < share))
    return replace(part, weight=part.weight / share, findings=())
