"""Decides which column of a table of votes plays which part: by name when told, by its usual names when not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from .columns import Names, as_names, listing, require

#: Usual names of both sides, surest first; they are taken as a pair.
SIDES = (
    ("left", "right"),
    ("left_model", "right_model"),
    ("model_a", "model_b"),
    ("model_1", "model_2"),
    ("policy_a", "policy_b"),
    ("player_a", "player_b"),
    ("option_a", "option_b"),
    ("system_a", "system_b"),
    ("a", "b"),
)
OUTCOMES = ("outcome", "winner", "verdict", "preference", "preferred", "vote", "result", "label")
COUNTS = (
    (("left_wins", "wins_left", "a_wins", "wins_a"), 1.0),
    (("right_wins", "wins_right", "b_wins", "wins_b"), 0.0),
    (("tie", "ties", "draws"), 0.5),
    (("tie_bothbad", "bothbad", "both_bad"), 0.5),
)


@dataclass(frozen=True, slots=True)
class PairColumns:
    """Names of the user's columns by the part they play; empty where there is none.

    Arguments:
        left, right: the policies compared.
        outcomes: verdict columns; one unless several raters have a column each.
        gold: verdict columns of trusted raters.
        counts: columns of how often each outcome occurred, with the outcome; instead of `outcomes`.
        covariates: (name, column of left, column of right); the last is empty for a column of differences.
    """

    left: str
    right: str
    outcomes: tuple[str, ...] = ()
    gold: tuple[str, ...] = ()
    counts: tuple[tuple[str, float], ...] = ()
    rater: str = ""
    item: str = ""
    cluster: tuple[str, ...] = ()
    weight: str = ""
    count: str = ""
    first: str = ""
    time: str = ""
    covariates: tuple[tuple[str, str, str], ...] = ()

    def needed(self) -> tuple[str, ...]:
        """Every column to read, once each."""
        sides = [name for _, left, right in self.covariates for name in (left, right)]
        single = (self.left, self.right, self.rater, self.item, self.weight, self.count, self.first, self.time)
        everything = (*single, *self.outcomes, *self.gold, *(name for name, _ in self.counts), *self.cluster, *sides)
        return tuple(dict.fromkeys(name for name in everything if name))


def sides(names: Sequence[str]) -> tuple[str, str] | None:
    """The pair of columns that usually hold the two policies, if the table has one."""
    lower = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
    return next(((lower[a], lower[b]) for a, b in SIDES if a in lower and b in lower), None)


def resolve(
    names: Sequence[str],
    *,
    left: str | None,
    right: str | None,
    outcome: Names,
    gold: Names,
    rater: str | None,
    item: str | None,
    cluster: Names,
    weight: str | None,
    count: str | None,
    first: str | None,
    time: str | None,
    covariates: Sequence[str],
) -> tuple[PairColumns, tuple[Finding, ...]]:
    """Which column plays which part; findings tell what was guessed.

    Errors: a column that is named and missing; no pair of columns for the policies; no verdict.
    """
    left_named, right_named = left is not None, right is not None
    left, right = _both(names, left, right)
    golds = tuple(name for name in as_names(gold) if name in names)
    for name in as_names(gold):
        if rater is None and name not in names:
            raise AdjudgeError(
                f"--gold {name!r} is no column, and no column says who voted.",
                f"A column of verdicts among {listing(list(names))}, or a rater.",
                "Name the column of raters with --rater, or a column of trusted verdicts with --gold.",
            )
    counts = () if as_names(outcome) else _counts(names)
    if counts and (gold or rater or count):
        option = "--gold" if gold else "--rater" if rater else "--count"
        raise AdjudgeError(
            f"The table counts outcomes ({', '.join(name for name, _ in counts)}), and {option} was given.",
            "Counted outcomes have no raters and no further counts.",
            f"Leave {option} out, or name the column of single verdicts with --outcome.",
        )
    verdicts = () if counts else _verdicts(names, outcome, golds)
    optional = {"rater": rater, "weight": weight, "count": count, "first": first, "time": time, "item": item}
    given = {part: require(names, name, f"--{part}") if name else "" for part, name in optional.items()}
    columns = PairColumns(
        left=left,
        right=right,
        outcomes=verdicts,
        gold=golds,
        counts=counts,
        cluster=tuple(dict.fromkeys(require(names, name, "--cluster") for name in as_names(cluster))),
        covariates=_covariates(names, covariates),
        **given,
    )
    if len(columns.cluster) > 2:
        raise AdjudgeError(
            f"{len(columns.cluster)} columns of clusters.", "One or two.", "Name --cluster at most twice."
        )
    return columns, (*_told_sides(names, columns, left_named, right_named), *_told(columns, outcome))


def _both(names: Sequence[str], left: str | None, right: str | None) -> tuple[str, str]:
    """The columns of the two policies."""
    found = sides(names)
    if found is None and (left is None or right is None):
        raise AdjudgeError(
            "No two columns hold the policies that were compared.",
            f"The columns are: {listing(list(names))}.",
            "Name them with --left and --right.",
        )
    usual = found or ("", "")
    left, right = require(names, left or usual[0], "--left"), require(names, right or usual[1], "--right")
    if left == right:
        raise AdjudgeError(f"Column {left!r} is named for both sides.", "Two columns.", "Name another with --right.")
    return left, right


def _told_sides(names: Sequence[str], columns: PairColumns, left: bool, right: bool) -> tuple[Finding, ...]:
    """That one side was named and the other guessed, when the two are no usual pair."""
    if left == right or sides(names) == (columns.left, columns.right):
        return ()
    guessed, option = (columns.right, "--right") if left else (columns.left, "--left")
    told = Finding(
        "column-guessed",
        Severity.WARNING,
        f"Column {guessed!r} was taken for the other side.",
        remedy=f"Name it with {option}.",
        subject=(guessed,),
    )
    return (told,)


def _told(columns: PairColumns, outcome: Names) -> tuple[Finding, ...]:
    """That the verdict column was guessed, when its name is not the plain one."""
    if outcome or not columns.outcomes or columns.outcomes[0] == OUTCOMES[0]:
        return ()
    name = columns.outcomes[0]
    told = Finding(
        "column-guessed",
        Severity.INFO,
        f"Column {name!r} was taken for the outcome.",
        remedy="Name another with --outcome if that is wrong.",
        subject=(name,),
    )
    return (told,)


def _verdicts(names: Sequence[str], outcome: Names, golds: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(require(names, name, "--outcome") for name in as_names(outcome)))
    if named:
        return tuple(name for name in named if name not in golds)
    lower = {name.strip().lower(): name for name in reversed(names)}
    usual = [lower[name] for name in OUTCOMES if name in lower and lower[name] not in golds]
    if not usual and not golds:
        raise AdjudgeError(
            "No column says who won.", f"The columns are: {listing(list(names))}.", "Name it with --outcome."
        )
    return tuple(usual[:1])


def _counts(names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Columns that count outcomes, when both wins and losses are counted."""
    lower = {name.strip().lower(): name for name in reversed(names)}
    found = [(lower[name], value) for group, value in COUNTS for name in group if name in lower]
    both = {value for _, value in found} >= {0.0, 1.0}
    return tuple(found) if both else ()


def _covariates(names: Sequence[str], texts: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Each covariate with its columns. Errors: one without a name, one named twice, one column for both sides."""
    found = tuple(_covariate(names, text) for text in ([texts] if isinstance(texts, str) else texts))
    told = [name for name, _, _ in found]
    for name, left, right in found:
        if not name or told.count(name) > 1 or left == right:
            what = "has no name" if not name else "is named twice" if told.count(name) > 1 else "has one column twice"
            raise AdjudgeError(
                f"Covariate {name or left!r} {what}.",
                "Each covariate has a name of its own, and a column for each side or one of differences.",
                "Write it as --covariate NAME=LEFT_COLUMN,RIGHT_COLUMN.",
            )
    return found


def _covariate(names: Sequence[str], text: str) -> tuple[str, str, str]:
    """`length=left_chars,right_chars`, one column of differences, or a name that both sides carry as left_/right_."""
    name, equals, rest = text.partition("=")
    if equals:
        left, comma, right = rest.partition(",")
        option = "--covariate NAME=LEFT_COLUMN,RIGHT_COLUMN"
        return name, require(names, left, option), require(names, right, option) if comma else ""
    if text in names:
        return text, text, ""
    forms = (("left_{}", "right_{}"), ("{}_left", "{}_right"), ("{}_a", "{}_b"), ("{}_1", "{}_2"))
    for a, b in forms:
        if a.format(text) in names and b.format(text) in names:
            return text, a.format(text), b.format(text)
    option = "--covariate: a column, a name that both sides carry, or NAME=LEFT_COLUMN,RIGHT_COLUMN"
    return text, require(names, text, option), ""
