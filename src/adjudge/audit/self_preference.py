"""Does a judge favour answers that it, or its own family, has written?

    excess_j = mean over matches of its own answer against another's of  1{own wins} − reference
    logit P_j(left) = s_j·own + γ_j·(2g − 1) + λ_j·(2ō − 1) + κ_j·(q_l − q_r) + δ_j·first + covariates;   own = ±1, 0

The reference is gold where there is gold, else ō, the mean verdict on the same match of judges who have no answer of
their own in it. An excess against gold is noise as well: a judge that errs at random takes wins from a good answer of
its own. s_j, which holds gold's and the others' verdicts fixed and learns the judge's noise from all its matches, is
free of that, and is what findings rest on where there is gold. q is a policy's log-odds of winning at large, by the
same reference: an answer that wins by far is judged with fewer errors than one that just wins, and that is no love. It
stands in from five policies on; with fewer, one's own and the strongest can hardly be told apart. Its error goes into
that of s.

Panickssery, Bowman, Feng (2024), §3; Zheng, Chiang, Sheng et al. (2023), §3.3. Errors are summed by item.
Limits: without gold, a judge that merely sees more than the others do is taken for one that loves its own; binary gold
does not say how much better an answer is, so that among few policies answers that win by far can look loved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.certain import never_certain
from ..stats.cluster import group_sums
from ..stats.power import POWER, detectable
from ..tables.comparisons import Comparisons
from ..tables.families import with_families
from ._judge_votes import Learned, Votes, beside, share, votes

METHOD = "audit.self_preference"
OWN = "self_family"
LEAGUE = 5  # policies from which their strength at large is a control of its own
MOST = 200  # policies up to which it is
SMALL = 0.3  # log-odds that a powerful audit should see
SMALL_SHARE = 0.05  # likewise, where only shares can be told

CARD = Card(
    answers="Does a judge favour answers that it, or its own family, has written?",
    equation="excess_j = own wins − reference\n"
    "logit P_j(left) = s_j·own + γ_j·(2g − 1) + λ_j·(2ō − 1) + κ_j·(q_l − q_r) + δ_j·first",
    papers=(
        Paper(
            "LLM Evaluators Recognize and Favor Their Own Generations",
            "Panickssery, Bowman, Feng",
            2024,
            "NeurIPS",
            "https://arxiv.org/abs/2404.13076",
            "§3",
        ),
        Paper(
            "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
            "Zheng, Chiang, Sheng et al.",
            2023,
            "NeurIPS Datasets and Benchmarks",
            "https://arxiv.org/abs/2306.05685",
            "Section 3.3",
        ),
    ),
    needs=("left", "right", "outcome", "raters", "match"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "With gold: what gold, the others, order and covariates do not tell of quality does not go with own answers.",
        "Without gold: judges who have no answer in a match err as much as the judge does.",
    ),
    limits=(
        "A judge whose answers meet no others' cannot be audited.",
        "Without gold, seeing more than the others do looks like self-preference.",
        "Own answers are told by name: a judge that does not know which are its own may still favour its style.",
    ),
    when="When a judge's own model, or a relative, is among the policies that it judges.",
    unit="log-odds of an own answer",
)


def check(table: Comparisons, *, families: Mapping[str, str] | None = None, level: float = 0.95) -> Audit:
    """Measures how much more often own answers win with each judge than they should.

    Arguments:
        table: votes; raters whose votes are not trusted are the judges.
        families: family by name of policy or judge; None takes the covariate `self_family` if the table has it, else
            judges that carry the name of a policy.
        level: 1 − the chance of naming any judge without cause, in (0, 1).

    Errors: a level outside (0, 1); no judge has a family.

    Returns findings, and by judge with answers of its own the figures `own` (share of its decisive verdicts that go
    to its own answer), `reference` (the same of gold, or else of judges without a stake, on the same matches),
    `excess` (their difference) and `effect` (s, log-odds).

    >>> from adjudge.sim.biased_judges import BiasedJudges
    >>> drawn = BiasedJudges(items=601, policies=3, acuity=(1.0, 1.0), own=(1.5, 0.0)).draw(1)
    >>> [(finding.code, *finding.subject) for finding in check(drawn.comparisons, families=drawn.families).findings]
    [('favours-own', 'judge 0')]
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"self_preference: level is {level}.", "0 < level < 1.", "Change it.")
    marked = _marked(table, families)
    if OWN not in marked.covariate_names:
        return Audit((_nothing(),), {})
    found = votes(_with_policies(marked))
    column = marked.covariate_names.index(OWN)
    own = np.nan_to_num(found.covariates[:, column])
    given = found.covariates.shape[1] - marked.k
    rest, sides = np.delete(found.covariates[:, :given], column, axis=1), found.covariates[:, given:]
    others = _others(found, own)
    gold = bool((np.isfinite(found.gold) & (found.gold != 0.5) & (own != 0)).any())
    figures = _figures(found, own, others, rest, _strength(found, sides, own, gold=gold), gold=gold)
    if not figures:
        return Audit((_nothing(),), {})
    said = _told(figures, level, gold=gold)
    return Audit(tuple(said if gold else [*said, _confounded(np.isfinite(others)[own != 0])]), figures)


def _marked(table: Comparisons, families: Mapping[str, str] | None) -> Comparisons:
    """The table with the covariate that says whose own answer is on which side."""
    if families is None and OWN in table.covariate_names:
        return table
    kept = [at for at, name in enumerate(table.covariate_names) if name != OWN]
    plain = replace(
        table, covariates=table.covariates[:, kept], covariate_names=tuple(table.covariate_names[at] for at in kept)
    )
    if families is not None:
        return with_families(plain, families)
    by_name = {name: name for name in set(table.policies) & set(table.raters)}
    return with_families(plain, by_name) if by_name else plain


def _with_policies(marked: Comparisons) -> Comparisons:
    """With a covariate for each policy: +1 where it is left, −1 where it is right."""
    every = np.arange(marked.k)
    sides = (marked.left[:, None] == every) * 1.0 - (marked.right[:, None] == every)
    return replace(marked, covariates=np.column_stack([marked.covariates, sides]))


def _strength(found: Votes, sides: FloatArray, own: FloatArray, *, gold: bool) -> Learned | None:
    """Log-odds of winning at large of each policy, by gold or else by judges without a stake.

    None for few policies, among which the own one's strength and its being one's own are nearly one.
    """
    known = np.isfinite(found.gold) if gold else own == 0
    rows = np.flatnonzero(known & (found.weight > 0))
    if gold:
        rows = rows[np.unique(found.match[rows], return_index=True)[1]]  # one gold verdict a match
    if not LEAGUE <= int((sides != 0).any(axis=0).sum()) <= MOST or not rows.size:
        return None
    told, w = (found.gold if gold else found.won)[rows], np.ones(rows.size) if gold else found.weight[rows]
    up, down = np.maximum(sides[rows], 0), np.maximum(-sides[rows], 0)
    won, lost = (
        (each @ up + other @ down) + 0.5 for each, other in ((w * told, w - w * told), (w - w * told, w * told))
    )
    influence = np.zeros(sides.shape)
    influence[rows] = w[:, None] * (
        up * (told[:, None] / won - (1 - told[:, None]) / lost)
        + down * ((1 - told[:, None]) / won - told[:, None] / lost)
    )
    return Learned(sides, np.log(won / lost), influence)


def _others(found: Votes, own: FloatArray) -> FloatArray:
    """[n] mean verdict on the same match of other judges who have no answer in it; NaN where there is none."""
    judges, m = len(found.judges), int(found.match.max(initial=-1)) + 1
    free = found.weight * (own == 0)
    cell = found.match * judges + found.judge
    mine_mass, mine = (group_sums(cell, each, m * judges)[cell] for each in (free, free * found.won))
    all_mass, everybody = (group_sums(found.match, each, m)[found.match] for each in (free, free * found.won))
    mass = all_mass - mine_mass
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mass > 1e-12 * all_mass, (everybody - mine) / mass, np.nan)


def _figures(
    found: Votes, own: FloatArray, others: FloatArray, rest: FloatArray, strength: Learned | None, *, gold: bool
) -> dict[str, Estimate]:
    """What is measured, for judges whose own answers stand beside a reference."""
    known = np.isfinite(found.gold) & (found.gold != 0.5) if gold else np.isfinite(others)
    reference = (found.gold > 0.5).astype(float) if gold else others
    rows = np.flatnonzero(known & found.decided & (own != 0))
    with_own = np.unique(found.judge[rows])
    if not with_own.size:
        return {}
    names = [found.judges[j] for j in with_own]
    won, meant = (np.where(own > 0, each, 1 - each)[rows] for each in (found.won, reference))
    sure = np.ones(rows.size)
    fitted = np.flatnonzero(np.isfinite(found.gold) if gold else known)
    controls = [2 * found.gold - 1, 2 * others - 1, found.first, *rest.T]
    return {
        "effect": beside(found, own, fitted, controls[not gold :], method=METHOD, learned=strength).select(names),
        "own": share(found, rows, won, sure, method=METHOD).select(names),
        "reference": share(found, rows, meant, sure, method=METHOD).select(names),
        "excess": never_certain(share(found, rows, won - meant, sure, method=METHOD, low=-1.0)).select(names),
    }


def _told(figures: dict[str, Estimate], level: float, *, gold: bool) -> list[Finding]:
    """Judges who favour or slight their own, and what could not have been seen."""
    effect, excess = figures["effect"], figures["excess"]
    lead, matters = (effect, SMALL) if gold else (excess, SMALL_SHARE)
    # where everything is told without error no log-odds are finite; the share against the reference still is
    chance = np.where(np.isfinite(lead.value), lead.stepdown(), excess.stepdown())
    reach = detectable(lead.stderr, lead.df, level=level, names=len(lead.names))
    said = []
    for at, (name, p, least) in enumerate(zip(lead.names, chance, reach, strict=True)):
        shares = float(figures["own"].value[at]), float(figures["reference"].value[at])
        odds = float(effect.value[at])
        if p <= 1 - level:
            more = odds > 0 if gold and np.isfinite(odds) else shares[0] > shares[1]
            said.append(_favours(name, shares, odds, float(p), level, more=more, gold=gold))
        elif not least <= matters:
            said.append(_weak(name, shares, float(least), matters, gold=gold))
    return said


def _words(shares: tuple[float, float], *, gold: bool) -> str:
    beside = "gold gives them" if gold else "judges without a stake give them"
    return (
        f"gives its own answers {100 * shares[0]:.1f} % of its decisive verdicts where {beside} {100 * shares[1]:.1f} %"
    )


def _favours(
    name: str, shares: tuple[float, float], odds: float, p: float, level: float, *, more: bool, gold: bool
) -> Finding:
    by = f"; being its own moves the log-odds by {odds:+.2f}" if np.isfinite(odds) else ""
    return Finding(
        "favours-own" if more else "slights-own",
        Severity.WARNING,
        f"{name} {_words(shares, gold=gold)}{by} ({p_text(p)}).",
        p,
        1 - level,
        "Do not let a judge rank its own family: leave these verdicts out, or take the effect out (the covariate "
        "self_family of ranking.bradley_terry).",
        (name,),
    )


def _weak(name: str, shares: tuple[float, float], least: float, matters: float, *, gold: bool) -> Finding:
    unit = "log-odds" if gold else "share"
    seen = (
        f"would be seen with {100 * POWER:.0f} % chance from {least:.2f} on ({unit})"
        if np.isfinite(least)
        else "is unseen"
    )
    return Finding(
        "self-preference-not-shown",
        Severity.INFO,
        f"{name} {_words(shares, gold=gold)}; an effect {seen}.",
        least,
        matters,
        "For smaller effects let it judge more of its own answers against others'.",
        (name,),
    )


def _confounded(referred: BoolArray) -> Finding:
    return Finding(
        "self-preference-confounded",
        Severity.INFO,
        f"There is no gold on matches of own answers: judges without a stake stand in on {100 * referred.mean():.1f} % "
        "of them, and a judge that sees more than they do looks like one that loves its own.",
        float(referred.mean()),
        1.0,
        "Label some of these matches with trusted votes.",
    )


def _nothing() -> Finding:
    return Finding(
        "own-answers-absent",
        Severity.INFO,
        "No judge has a decisive verdict on an answer of its own family against another, beside gold or a judge "
        "without a stake: nothing can be said about self-preference.",
        0,
        1,
        "Say with families= whose answers are whose, and let further judges or people judge the same matches.",
    )
