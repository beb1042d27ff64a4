"""Stories to show: ordinary, tiny, huge and hostile. Figures are made up and say so."""

from __future__ import annotations

import math

import numpy as np

from adjudge.core.card import Paper
from adjudge.core.finding import Finding, Severity
from adjudge.core.run import Run
from adjudge.reports.pairs import Matrix
from adjudge.reports.story import (
    Curve,
    Dots,
    Findings,
    Forest,
    ForestRow,
    Histogram,
    LabelPlan,
    Line,
    MethodUsed,
    Prose,
    Provenance,
    Story,
    Table,
)

RUN = Run(
    command="adjudge evaluate ratings.parquet --judge judge_score --gold oracle_label",
    created="2026-01-31T09:30:00Z",
    seed=7,
    versions={"adjudge": "0.1.0", "python": "3.11.9", "numpy": "2.4.6"},
    data={"ratings.parquet": "sha256:" + "0f" * 32},
    settings={"level": 0.95, "calibrator": "calibration.isotonic", "folds": 5},
    methods=("value.calibrated", "calibration.isotonic"),
)


def forest() -> Forest:
    rows = (
        ForestRow(
            "base",
            0.7621,
            0.0112,
            0.739,
            0.783,
            0.733,
            0.789,
            1,
            3,
            0.31,
            1000,
            480,
            "value.calibrated",
            True,
            0.735,
            0.761,
            0.787,
        ),
        ForestRow(
            "clone",
            0.7702,
            0.0143,
            0.741,
            0.797,
            0.732,
            0.803,
            1,
            3,
            0.52,
            1000,
            50,
            "value.calibrated",
            True,
            0.67,
            0.748,
            0.826,
        ),
        ForestRow(
            "parallel_universe_prompt",
            0.7541,
            0.0162,
            0.721,
            0.785,
            0.711,
            0.792,
            1,
            3,
            0.17,
            1000,
            50,
            "value.calibrated",
            True,
            0.70,
            0.78,
            0.86,
        ),
        ForestRow(
            "unhelpful",
            0.1418,
            0.0219,
            0.102,
            0.189,
            0.09,
            0.2,
            4,
            4,
            0.0,
            1000,
            50,
            "value.calibrated",
            True,
            0.09,
            0.159,
            0.228,
        ),
        ForestRow(
            "premium",
            0.58,
            0.16,
            0.17,
            0.91,
            0.1,
            0.95,
            1,
            4,
            0.0003,
            1000,
            0,
            "value.calibrated",
            False,
            note="no labels of its own; transport is not tested",
        ),
    )
    return Forest(
        rows,
        unit="mean gold label, 0 to 1",
        bounds=(0.0, 1.0),
        caption="Judge scores calibrated to the trusted labels, and corrected policy by policy by their residuals.",
    )


def matrix(block: Forest) -> Matrix:
    rows = [row for row in block.ordered if not math.isnan(row.value)]
    value = np.array([row.value for row in rows])
    error = np.array([row.stderr for row in rows])
    difference = value[:, None] - value
    stderr = np.sqrt(error[:, None] ** 2 + error**2) * 0.8
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.exp(-0.7 * (difference / stderr) ** 2)
    return Matrix(
        tuple(row.policy for row in rows), difference, difference - 2.6 * stderr, difference + 2.6 * stderr, p, stderr
    )


def calibration() -> Curve:
    grid = np.linspace(0, 1, 61)
    value = 0.08 + 0.8 * grid**1.6
    band = 0.02 + 0.06 * (grid - 0.7) ** 2
    x = np.linspace(0.12, 0.95, 9)
    rng = np.random.default_rng(11)
    edges = np.linspace(0, 1, 21)
    histograms = tuple(
        Histogram(name, edges, np.histogram(rng.beta(a, b, 1000), edges)[0].astype(float))
        for name, a, b in (
            ("base", 6, 2),
            ("clone", 6, 2),
            ("parallel_universe_prompt", 5, 2),
            ("unhelpful", 2, 4),
            ("premium", 9, 1.5),
        )
    )
    return Curve(
        "What a judge’s score is worth",
        (Line(grid, value, value - band, value + band),),
        Dots(x, 0.08 + 0.8 * x**1.6 + rng.normal(0, 0.03, 9), np.array([7, 11, 13, 23, 41, 67, 101, 150, 83.0])),
        histograms,
        x_name="judge_score",
        y_name="oracle_label",
        caption="Mean trusted label at each judge score, with its 95 % band; dots are bins of labelled rows.",
        support=(0.1, 0.97),
        identity=True,
    )


def plan() -> LabelPlan:
    labels = np.linspace(50, 800, 40)
    return LabelPlan(
        "Label 180 more rows of base and clone to tell them apart: they differ by 0.008, give or take 0.031.",
        half_width=0.0312,
        target=0.0079,
        extra=(("base", 60), ("clone", 120)),
        curve=Curve(
            "Expected half-width",
            (Line(labels, 0.22 / np.sqrt(labels)),),
            x_name="trusted labels",
            y_name="half-width",
            target=0.0129,
            target_name="settled below this",
            mark=100,
            mark_name="today",
            zero=True,
        ),
        path="to-label.csv",
        command="adjudge evaluate ratings.parquet to-label.csv --judge judge_score --gold oracle_label",
    )


FINDINGS = (
    Finding(
        "duplicate-rows",
        Severity.INFO,
        "150 probe rows repeat fresh rows; their labels were attached and no row is counted twice.",
        150,
        math.nan,
        "",
        ("clone", "parallel_universe_prompt", "unhelpful"),
    ),
    Finding(
        "transport-failed",
        Severity.SEVERE,
        "The judge overrates unhelpful: its labelled rows are worth 0.57 less than their scores promise.",
        -0.57,
        0.05,
        "Do not rank unhelpful by its judge score; keep its own labels in the data.",
        ("unhelpful",),
    ),
    Finding(
        "not-verified",
        Severity.WARNING,
        "No trusted label stands behind premium; its interval allows for a residual of ± 0.4.",
        0,
        20,
        "Label 20 or more of its rows.",
        ("premium",),
    ),
    Finding(
        "labels-few",
        Severity.WARNING,
        "clone has 50 labels; the correction for it borrows strength from the other policies.",
        50,
        100,
        "Label 50 more rows of clone.",
        ("clone",),
    ),
)


def ordinary() -> Story:
    values = forest()
    papers = (
        Paper(
            "Prediction-powered inference",
            "Angelopoulos, Bates, Fannjiang, et al.",
            2023,
            "Science 382",
            "https://doi.org/10.1126/science.adi6000",
            "Algorithm 1",
        ),
    )
    return Story(
        "Which of 5 policies is best?",
        "clone leads, but two others cannot be told apart from it; unhelpful is last with certainty.",
        (
            values,
            matrix(values),
            calibration(),
            plan(),
            Findings(FINDINGS),
            Table(
                "Slices",
                ("slice", "policy", "value", "rows"),
                (("short prompts", "clone", 0.7912, 412), ("long prompts", "clone", 0.7421, 588)),
            ),
            Prose("How to read this", ("An interval holds the truth in 95 of 100 studies like this one.",)),
            Provenance(
                RUN,
                (
                    MethodUsed(
                        "value.calibrated",
                        "Calibrated judge scores, augmented by the residuals of the labelled rows.",
                        papers,
                    ),
                    MethodUsed("calibration.isotonic", "A rising step curve from score to label."),
                ),
            ),
        ),
        lede="Means of trusted labels, from 5,000 judged responses of which 630 carry one. P(clone is best) is 52 %.",
        facts=("5 policies", "5,000 responses", "630 trusted labels", "95 % level"),
    )


def many(k: int) -> Story:
    rng = np.random.default_rng(k)
    value = np.sort(rng.normal(0.6, 0.1, k))[::-1]
    rows = tuple(
        ForestRow(
            f"policy-{i:02d}" + ("-with-a-very-long-name/checkpoint@2026-01-31+instructions" if i % 7 == 3 else ""),
            float(v),
            0.02,
            float(v) - 0.04,
            float(v) + 0.04,
            float(v) - 0.06,
            float(v) + 0.06,
            max(1, i - 3),
            min(k, i + 5),
            0.5 ** (i + 1),
            500,
            int(rng.integers(0, 60)),
            verified=bool(i % 5),
        )
        for i, v in enumerate(value)
    )
    block = Forest(rows, bounds=(0.0, 1.0), unit="pass rate")
    findings = tuple(
        Finding(
            "not-verified",
            Severity.WARNING,
            f"No trusted label stands behind {row.policy}.",
            0,
            20,
            "Label 20 of its rows.",
            (row.policy,),
        )
        for row in rows
        if not row.verified
    )
    return Story(
        f"Which of {k} policies is best?",
        f"{rows[0].policy} is ahead.",
        (block, matrix(block), Findings(findings), Provenance(RUN)),
    )


def lonely() -> Story:
    rows = (ForestRow("only", 0.25, 0.05, 0.16, 0.36, n_rows=100, n_labels=20),)
    return Story(
        "What is only worth?",
        "only is worth 0.25, give or take 0.1.",
        (Forest(rows), matrix(Forest(rows)), Findings(())),
    )


def empty_handed() -> Story:
    rows = (ForestRow("a", math.nan), ForestRow("b", 0.5, math.nan), ForestRow("c", math.nan, n_rows=3))
    return Story(
        "Which of 3 policies is best?",
        "Nothing can be said yet.",
        (Forest(rows, reference=0.0, reference_name="zero"), LabelPlan("Label some rows.")),
    )


HOSTILE = '<script>alert("x")</script>'


def hostile() -> Story:
    row = ForestRow(HOSTILE, 0.5, 0.1, 0.3, 0.7, note=HOSTILE)
    other = ForestRow("[bold red]& \x1b[31mred‮", 0.4, 0.1, 0.2, 0.6)
    block = Forest((row, other), title=HOSTILE, caption=HOSTILE, unit=HOSTILE, reference=0.5, reference_name=HOSTILE)
    ones = np.ones(2)
    curve = Curve(
        HOSTILE,
        (Line(np.arange(2.0), ones, name=HOSTILE), Line(np.arange(2.0), ones, name=HOSTILE)),
        Dots(ones, ones, ones),
        (Histogram(HOSTILE, np.arange(3.0), ones),),
        x_name=HOSTILE,
        y_name=HOSTILE,
        target=1.0,
        target_name=HOSTILE,
    )
    finding = Finding("x", Severity.SEVERE, HOSTILE, remedy=HOSTILE, subject=(HOSTILE,))
    run = Run(HOSTILE, HOSTILE, data={HOSTILE: HOSTILE}, settings={HOSTILE: HOSTILE})
    paper = Paper(HOSTILE, HOSTILE, 2026, HOSTILE, "javascript:alert(1)", HOSTILE)
    return Story(
        HOSTILE,
        HOSTILE,
        (
            block,
            matrix(block),
            curve,
            LabelPlan(HOSTILE, extra=((HOSTILE, 3),), path=HOSTILE),
            Table(HOSTILE, (HOSTILE,), ((HOSTILE,),)),
            Findings((finding,)),
            Provenance(run, (MethodUsed(HOSTILE, HOSTILE, (paper,)),)),
        ),
        lede=HOSTILE,
        facts=(HOSTILE,),
    )
