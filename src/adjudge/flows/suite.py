"""Scores a public benchmark of judges by its own metric, with intervals: load its published file, score, tell."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import catalogue
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..errors import AdjudgeError
from ..reports.story import Block, Findings, Forest, Story
from .derived import Derived
from .figure_tables import figure_tables, rows_of
from .made import Setting, Shown, fingerprints, provenance, worst_first
from .method_options import require_known
from .methods import called, method_at


@dataclass(frozen=True, eq=False, repr=False)
class Suite(Shown, Derived):
    """How judges or policies do on a benchmark.

    Arguments:
        estimate: the official metric, with its slices and secondary metrics as figures.
        findings: what to distrust, the worst first.
        run: how it was made.
        level, seed: of intervals and draws.
    """

    estimate: Estimate
    findings: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        card = catalogue.card(self.estimate.method)
        blocks: list[Block] = [
            Forest(
                rows_of(self.estimate, self.level),
                title="The official metric",
                caption=card.equation,
                unit=card.unit,
                bounds=self.estimate.bounds,
                level=self.level,
                subject="Of",
                count_name="",
            ),
            *figure_tables("Slices and further metrics", self.estimate.figures, self.level),
        ]
        if self.findings:
            blocks.append(Findings(self.findings))
        blocks.append(provenance(self.run))
        return Story(
            title=card.answers,
            verdict=_verdict(self),
            blocks=tuple(blocks),
            facts=(catalogue.card(self.estimate.method).unit, f"{len(self.estimate.names):,} scored"),
        )


def suite(
    name: str,
    source: str | Path | Sequence[str | Path],
    *,
    options: Mapping[str, object] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Suite:
    """Scores answers to a benchmark.

    Arguments:
        name: of the family `suites`, such as `sorry_bench`; hyphens may stand for underscores.
        source: file or folder in the benchmark's published format; several where its `load` takes several.
        options: of its `load` and `score`, such as `{"split": "arena"}`.
        level: coverage of the intervals, in (0, 1).
        seed: of every random draw.

    Errors: no such suite or option; a file that is not in its format.
    """
    module = method_at("suites", name.replace("-", "_"))
    address, options = module.__name__.partition(".")[2], dict(options or {})
    paths = [Path(one) for one in ([source] if isinstance(source, (str, Path)) else source)]
    files = [*paths, *(Path(one) for one in options.values() if isinstance(one, (str, Path)))]
    setting = Setting(level, seed, fingerprints(files), {"suite": name, **options}, source)
    of_load, of_score = _split(module.load, module.score, options, address)
    answers = called(module.load, _files(module.load, paths, address), address, of_load)
    for word, value in (("seed", seed), ("level", level)):
        if word in inspect.signature(module.score).parameters:
            of_score.setdefault(word, value)
    estimate: Estimate = called(module.score, answers, address, of_score)
    return Suite(
        estimate, worst_first(estimate.findings), setting.run("adjudge.suite(…)", [address]), level=level, seed=seed
    )


def _files(load: Callable[..., Any], paths: Sequence[Path], address: str) -> object:
    """One file, or several as `load` takes them. Errors: several where it takes one."""
    if len(paths) == 1:
        return paths[0]
    kind = str(next(iter(inspect.signature(load).parameters.values())).annotation)
    if "Mapping" in kind and len({path.stem for path in paths}) == len(paths):
        return {path.stem: path for path in paths}
    if "Sequence" not in kind:
        raise AdjudgeError(
            f"{address}: {len(paths)} files.",
            "One file, or one folder.",
            f"Type the command once for each; `adjudge show {address}` tells the suite's format.",
        )
    return paths


def _split(
    load: Callable[..., Any], score: Callable[..., Any], options: Mapping[str, object], address: str
) -> tuple[dict[str, object], dict[str, object]]:
    """Options of `load` and of `score`. Errors: one that neither has."""
    of_load, of_score = inspect.signature(load).parameters, inspect.signature(score).parameters
    names = [*list(of_load)[1:], *list(of_score)[1:]]
    require_known(address, names, options)
    for name in names:
        if {**of_load, **of_score}[name].default is inspect.Parameter.empty and name not in options:
            raise AdjudgeError(
                f"{address} needs {name}.",
                "Its options without a default are given; most name a further file of the benchmark.",
                f"Give it with --set {name}=FILE; `adjudge show {address}` tells more.",
            )
    return (
        {name: value for name, value in options.items() if name in of_load},
        {name: value for name, value in options.items() if name in of_score},
    )


def _verdict(answer: Suite) -> str:
    """The best and the worst by the official metric."""
    e = answer.estimate
    known = [p for p in answer.order if np.isfinite(e.value[p])]
    if not known:
        return "Nothing can be scored from these answers; the findings say what is missing."
    best, worst = ((e.names[p], _with_interval(e, p, answer.level)) for p in (known[0], known[-1]))
    if len(known) == 1:
        return f"{best[0]} scores {best[1]}."
    return f"Highest: {best[0]}, {best[1]}; lowest: {worst[0]}, {worst[1]}."


def _with_interval(estimate: Estimate, at: int, level: float) -> str:
    low, high = estimate.interval(level)[at]
    return f"{estimate.value[at]:.3g}" + (f" ({low:.3g} to {high:.3g})" if np.isfinite(high - low) else "")
