"""What a report shows, as plain data: a verdict and a list of blocks. Nothing here knows how the numbers came about.

Every command fills a `Story`; `page`, `terminal` and `export` show it. A command picks the blocks it needs: a
`Forest` of values, `Curve`s, a `Matrix` of pairs, a `LabelPlan`, `Table`s and `Prose`, the `Findings`, and last the
`Provenance`. NaN always means "not estimable" and is shown as such.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .._typing import FloatArray
from ..core.card import Paper
from ..core.finding import Finding, Severity
from ..core.run import Run
from .numbers import error
from .pairs import Matrix, Wins

NAN = math.nan


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One value with everything that is known of its uncertainty.

    Arguments:
        policy: what the value is of; any text, shown as data.
        value: point estimate, in the unit of the forest.
        stderr: its standard error.
        low, high: confidence interval.
        sim_low, sim_high: interval that holds simultaneously with those of the other rows.
        rank_low, rank_high: ranks not excluded; 1 is best.
        p_best: probability of being the best, in [0, 1].
        n_rows, n_labels: rows, and rows with a trusted label, behind the value.
        method: address of the method, such as `value.calibrated`.
        verified: whether trusted labels of its own stand behind the value.
        labels_low, labels_value, labels_high: what the trusted labels alone say, for comparison.
        note: one short remark about this row.
    """

    policy: str
    value: float
    stderr: float = NAN
    low: float = NAN
    high: float = NAN
    sim_low: float = NAN
    sim_high: float = NAN
    rank_low: float = NAN
    rank_high: float = NAN
    p_best: float = NAN
    n_rows: int = 0
    n_labels: int = 0
    method: str = ""
    verified: bool = True
    labels_low: float = NAN
    labels_value: float = NAN
    labels_high: float = NAN
    note: str = ""

    @property
    def error(self) -> float:
        """What the value is rounded by."""
        return error(self.stderr, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Forest:
    """Values on one axis, best first, or in an order of their own.

    Arguments:
        rows, in_order: shown by falling value, NaN last; where `in_order` as given, such as checkpoints as trained.
        unit: of the values, such as "gold label, 0 to 1".
        bounds: range in which every truth lies; ±inf when there is none.
        level: of the intervals.
        reference, reference_name: a value to draw a line at, such as the incumbent or 0, NaN for none; what it is.
        subject: head of the first column.
        count_name: head of the last column; `Labels` counts trusted labels, anything else rows; none when empty.
        ranked: whether the rows are the answer: with ranks, a place in exported tables; or effects and such, beside it.
    """

    rows: tuple[ForestRow, ...]
    title: str = "Values"
    caption: str = ""
    unit: str = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    level: float = 0.95
    reference: float = NAN
    reference_name: str = ""
    subject: str = "Policy"
    count_name: str = "Labels"
    ranked: bool = True
    in_order: bool = False

    @property
    def with_ranks(self) -> bool:
        """Whether some row has a rank: verdicts of a sequential test, for one, give none."""
        return self.ranked and any(not math.isnan(row.rank_low) for row in self.rows)

    @property
    def with_counts(self) -> bool:
        """Whether there is a column of counts."""
        return self.ranked and bool(self.count_name)

    def counted(self, row: ForestRow) -> int:
        """What the last column counts."""
        return row.n_labels if self.count_name == "Labels" else row.n_rows

    @property
    def ordered(self) -> tuple[ForestRow, ...]:
        """The rows as they are shown: by falling value, NaN last, equal values in their order; or as they are given."""
        falling = sorted(self.rows, key=lambda row: math.inf if math.isnan(row.value) else -row.value)
        return self.rows if self.in_order else tuple(falling)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line, with its band if it has one.

    Arguments:
        x, y: [m] points, x rising.
        low, high: [m] band; empty for none.
        name: written beside the line when there are several.
    """

    x: FloatArray
    y: FloatArray
    low: FloatArray = field(default_factory=lambda: np.zeros(0))
    high: FloatArray = field(default_factory=lambda: np.zeros(0))
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """[m] points, such as a binned score and its gold label, of area `n`; `low` and `high` end error bars, if any."""

    x: FloatArray
    y: FloatArray
    n: FloatArray
    low: FloatArray = field(default_factory=lambda: np.zeros(0))
    high: FloatArray = field(default_factory=lambda: np.zeros(0))
    name: str = "labelled rows in bins"


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How one policy's scores are spread: [b + 1] rising edges, [b] counts."""

    name: str
    edges: FloatArray
    counts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Lines with bands, dots on top and histograms below on the same axis: calibration, planned width, a trajectory.

    Arguments:
        x_name, y_name: of the axes.
        support: x-range beyond which is shade, such as that of the labels; None for none. `support_name` says why.
        identity: draw y = x.
        target: a y to reach, drawn across and named `target_name`; NaN for none.
        mark: an x to mark, such as today's number of labels, named `mark_name`; NaN for none.
        zero: let the y-axis start at 0.
    """

    title: str
    lines: tuple[Line, ...]
    dots: Dots | None = None
    histograms: tuple[Histogram, ...] = ()
    x_name: str = ""
    y_name: str = ""
    caption: str = ""
    support: tuple[float, float] | None = None
    support_name: str = "where no trusted label reaches"
    identity: bool = False
    target: float = NAN
    target_name: str = ""
    mark: float = NAN
    mark_name: str = ""
    zero: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlan:
    """How many more trusted labels would settle the question, and which.

    Arguments:
        text: the advice, in a sentence or two.
        half_width: of the interval that matters, today.
        target: half-width at which the question would be settled.
        extra: (policy, further labels) pairs.
        curve: expected half-width by number of labels.
        path: the file of rows to label; empty when none was written.
        command: the line to type to write or to feed back that file.
    """

    text: str
    half_width: float = NAN
    target: float = NAN
    extra: tuple[tuple[str, int], ...] = ()
    curve: Curve | None = None
    path: str = ""
    command: str = ""
    title: str = "What would settle it"


@dataclass(frozen=True, slots=True)
class Table:
    """Anything else in rows and columns.

    Arguments:
        columns: heads.
        rows: cells; numbers are set flush right with three significant digits, text as it is.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Prose:
    """Plain paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What to distrust; shown by severity, the worst first."""

    findings: tuple[Finding, ...]
    title: str = "What to distrust"

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Those of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)


@dataclass(frozen=True, slots=True)
class MethodUsed:
    """A method that had a part in the result.

    Arguments:
        address: such as `value.ppi`.
        answers: one sentence: what it did here.
        papers: where it comes from.
    """

    address: str
    answers: str = ""
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the report was made."""

    run: Run
    methods: tuple[MethodUsed, ...] = ()
    title: str = "How this was made"


Block = Forest | Curve | Matrix | Wins | LabelPlan | Table | Prose | Findings | Provenance


@dataclass(frozen=True, slots=True)
class Story:
    """A report: what was asked, the answer in one sentence, and the evidence in the order to read it.

    Arguments:
        title: what was asked, such as "Which of 4 policies is best?".
        verdict: the answer, one sentence that a person who decides can act on.
        blocks: the evidence.
        lede: a short paragraph under the verdict.
        facts: short facts for the line under it, such as "4 policies", "4,000 responses", "630 trusted labels".
    """

    title: str
    verdict: str
    blocks: tuple[Block, ...]
    lede: str = ""
    facts: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[ForestRow, ...]:
        """Rows of the forests that rank, best first, or in the forest's own order."""
        forests = (block for block in self.blocks if isinstance(block, Forest) and block.ranked)
        return tuple(row for forest in forests for row in forest.ordered)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, the worst first; within a severity in the order given."""
        found = [finding for block in self.blocks if isinstance(block, Findings) for finding in block.findings]
        return tuple(sorted(found, key=lambda finding: -finding.severity))
