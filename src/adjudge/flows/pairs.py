"""Makes preference pairs of a policy's own samples, with the chance that the chosen one is better in gold."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .._typing import BoolArray
from ..errors import AdjudgeError
from ..tables import read_samples, samples
from ..tables.columns import Names
from ..tables.paired_samples import PairedSamples
from ..tables.read_samples import SampledTexts
from .asking import Asking
from .judge import Progress
from .judged import Judged
from .made import Setting, fingerprints, worst_first
from .methods import called, method_at
from .pairs_answer import Pairs
from .pairs_checks import checked, doubtful, uncalibrated
from .pairs_labels import Labels, Margins, from_margins, from_scores
from .pairs_scores import judged_scores

LABELS = ("soft", "hard")


def pairs(
    source: object,
    *,
    judge: Names = None,
    protocol: str | None = None,
    model: Names = None,
    options: Mapping[str, object] | None = None,
    compare: bool = False,
    comparisons: int = 0,
    swap: bool = False,
    asking: Asking | None = None,
    method: str = "best_worst",
    arguments: Mapping[str, object] | None = None,
    gold: str | None = None,
    calibration: str = "auto",
    labels: str = "soft",
    prompt: str | None = None,
    response: str | None = None,
    error: str | None = None,
    log_probability: str | None = None,
    weight: str | None = None,
    where: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Pairs:
    """Makes pairs of a policy's samples: scored by a judge, calibrated on gold, matched by a rule of `pairing`.

    Arguments:
        source: samples, one a row, as `tables.read_samples.read` takes them, such as `flows.drawn.drawn` makes of a
            policy.
        judge: column or columns of scores that are there.
        protocol, model, options, swap, asking, progress: of a judge that is run over the samples, as in `flows.judge`.
        compare: two samples at a time, for protocols that take any number.
        comparisons: drawn for each prompt at most, where the protocol compares; 0 for all.
        method: of the family `pairing`; arguments: of it, such as `{"beta": 0.5}`.
        gold: column of trusted labels; None takes a usual name where there is one.
        calibration: of the family `calibration`, or `auto`.
        labels: "soft", the preference is a probability and the flip rate 0; "hard", it is 1 and the flip rate says how
            often that is wrong. An objective that is told both would correct twice.
        prompt, response, error, log_probability, weight, where: columns, as in `tables.read_samples.read`.
        seed: of every random draw.

    Errors: `AdjudgeError` for samples that cannot be read, both or neither of a column and a judge, gold of too few
    prompts, a method or an argument that is not there. Doubtful input is told in `findings`.

    >>> rows = {"prompt": ["a", "a", "b", "b"], "response": ["x", "y", "u", "v"], "score": [1, 3, 2, 0]}
    >>> [(one["chosen"], one["rejected"], one["preference"]) for one in pairs(rows, judge="score").records]
    [('y', 'x', 1.0), ('u', 'v', 1.0)]
    """
    _asked(judge, protocol, labels)
    columns = {"judge": judge, "prompt": prompt, "response": response, "gold": gold, "error": error}
    columns |= {"log_probability": log_probability, "weight": weight, "where": where}
    rows = read_samples.read(source, **columns)  # type: ignore[arg-type]
    told: dict[str, object] = {**columns, "protocol": protocol, "model": model, "options": dict(options or {})}
    told |= {
        "compare": compare,
        "comparisons": comparisons,
        "swap": swap,
        "method": method,
        "arguments": dict(arguments or {}),
    }
    told |= {"calibration": calibration, "labels": labels}
    setting = Setting(0.95, seed, fingerprints(source), {name: value for name, value in told.items() if value}, source)
    answer = None
    if protocol is not None:
        score, answer = judged_scores(
            rows, protocol=protocol, model=model, options=options, compare=compare, comparisons=comparisons,
            swap=swap, asking=asking, seed=seed, progress=progress,
        )  # fmt: skip
        rows = replace(rows, judges=(answer.rater,), score=score[:, None])
    calibrated = _calibrated(rows, calibration, compared=answer is not None and answer.paired, seed=seed)
    made = _made(rows, calibrated, method, arguments or {}, seed)
    return _labelled(rows, made, calibrated, answer, labels, setting, method)


def _asked(judge: Names, protocol: str | None, labels: str) -> None:
    """Errors: nobody who says which sample is better, or two who do; labels of another kind."""
    if not judge and protocol is None:
        raise AdjudgeError(
            "Nothing says which of two samples is better: neither --judge nor --protocol was given.",
            "A column of scores, or a judge that is run over the samples.",
            "Name the column with --judge COLUMN, or a judge of `adjudge methods judges` with --protocol JUDGE.",
        )
    if judge and protocol is not None:
        named = judge if isinstance(judge, str) else ", ".join(judge)
        raise AdjudgeError(
            f"Both --judge {named} and --protocol {protocol} were given.",
            "Scores that are there, or a judge that is run now.",
            "Leave one of the two out.",
        )
    if labels not in LABELS:
        raise AdjudgeError(f"Labels {labels!r}.", f"Labels are {' or '.join(LABELS)}.", "Choose one with --labels.")


def _calibrated(rows: SampledTexts, calibration: str, *, compared: bool, seed: int) -> Labels | Margins | None:
    """What gold says of the scores; None without gold."""
    if not np.isfinite(rows.gold).any():
        return None
    if compared:
        return from_margins(rows.score[:, 0], rows, calibration, seed=seed)
    return from_scores(rows, calibration, seed=seed)


def _made(
    rows: SampledTexts, calibrated: Labels | Margins | None, method: str, arguments: Mapping[str, object], seed: int
) -> PairedSamples:
    """The pairs, by the rule that was asked for. Errors: several judges and nothing that joins them."""
    if calibrated is None and len(rows.judges) > 1:
        raise AdjudgeError(
            f"{len(rows.judges)} judges and no gold.",
            "Gold, on which a calibrator joins them, or one judge.",
            "Name one with --judge, or add labels.",
        )
    value = rows.score[:, 0] if calibrated is None else calibrated.order
    error = rows.error if calibrated is None else 0.0
    table = samples.from_arrays(rows.item, value, error=error, log_probability=rows.log_probability, weight=rows.weight)
    rule = method_at("pairing", method).pairs
    given = dict(arguments)
    if "seed" in inspect.signature(rule).parameters:
        given.setdefault("seed", seed)
    found: PairedSamples = called(rule, table, f"pairing.{method.removeprefix('pairing.')}", given)
    return found


def _labelled(
    rows: SampledTexts,
    made: PairedSamples,
    calibrated: Labels | Margins | None,
    answer: Judged | None,
    labels: str,
    setting: Setting,
    method: str,
) -> Pairs:
    """The pairs with their preferences, flip rates and findings."""
    found = [*rows.findings, *made.findings, *(answer.findings if answer else ())]
    if calibrated is None:
        chance, error = made.preference, np.full(made.chosen.size, np.nan)
        found.append(uncalibrated())
    else:
        chance, error = calibrated.chance(made.chosen, made.rejected)
        found += [*calibrated.calibrator.findings, *checked(calibrated)]
    flip = np.zeros(chance.size)
    kept: BoolArray = np.ones(chance.size, dtype=bool)
    preference = chance
    if labels == "hard":
        kept = chance > 0.5
        if not kept.all():
            found.append(doubtful(int((~kept).sum()), kept.size))
        preference, flip = np.ones(chance.size), 1 - chance
    share = made.share if made.share is None else made.share[kept]
    used = replace(
        made, chosen=made.chosen[kept], rejected=made.rejected[kept], preference=preference[kept],
        margin=made.margin[kept], share=share,
    )  # fmt: skip
    methods = [f"pairing.{method.removeprefix('pairing.')}"]
    methods += [calibrated.calibrator.method] if calibrated else []
    methods += list(answer.run.methods) if answer else []
    run = setting.run("adjudge.pairs(…)", methods)
    return Pairs(rows, used, chance[kept], error[kept], flip[kept], calibrated, answer, worst_first(found), run)
