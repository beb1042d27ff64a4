"""Raters who push one policy are named by `rank`; honest ones, a handful and trusted ones are not looked at in vain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adjudge.flows import rank_audits
from adjudge.flows.rank import rank
from adjudge.sim.leagues import League

HONEST = League(policies=5, votes=2000, raters=40, taste=0.3)
RIGGED = replace(HONEST, riggers=1, rigged=4, rig_focus=0.9)


def rows(table):
    """Votes as a user has them: a column of names each."""
    words = np.where(table.outcome == 0.5, "tie", np.where(table.outcome > 0.5, "left", "right"))
    return {
        "left": np.array(table.policies)[table.left].tolist(),
        "right": np.array(table.policies)[table.right].tolist(),
        "outcome": words.tolist(),
        "user": np.array(table.raters)[table.rater].tolist(),
    }


def codes(found):
    return [finding.code for finding in found.findings]


def test_a_rigger_is_named_with_the_policy_that_is_pushed():
    season = RIGGED.draw(3).comparisons
    found = rank(rows(season), rater="user")
    told = [finding for finding in found.findings if finding.code == "votes-rigged"]
    assert [finding.subject for finding in told] == [(season.raters[0], season.policies[4])]
    assert season.raters[0] in told[0].message
    assert "lift" in told[0].message
    assert "data.vote_rigging" in found.run.methods


def test_an_honest_league_makes_no_alarm():
    alarms = sum(bool(rank_audits.rigging(HONEST.draw(seed).comparisons)[0]) for seed in range(20))
    assert alarms <= 2  # 20 leagues at 0.01 each: more than 2 has chance 0.001
    found = rank(rows(HONEST.draw(1).comparisons), rater="user")
    assert "votes-rigged" not in codes(found)
    assert "data.vote_rigging" in found.run.methods


def test_a_handful_of_raters_or_none_named_is_not_examined():
    few = replace(RIGGED, raters=19).draw(3).comparisons
    assert rank_audits.rigging(few) == ((), ())
    found = rank(rows(RIGGED.draw(3).comparisons))  # the column of users is not named
    assert "votes-rigged" not in codes(found)
    assert "data.vote_rigging" not in found.run.methods


def test_trusted_votes_are_not_suspected():
    season = RIGGED.draw(3).comparisons
    trusted = replace(season, trusted=season.rater == 0)
    assert rank_audits.rigging(trusted) == ((), ("data.vote_rigging",))


def test_many_riggers_are_told_in_few_lines_and_a_huge_table_says_it_was_not_examined(monkeypatch):
    many = replace(RIGGED, votes=9000, raters=80, riggers=16, rig_focus=0.9, taste=0.1).draw(1).comparisons
    found, _ = rank_audits.rigging(many)
    assert len(found) == rank_audits.NAMED + 1
    assert found[-1].code == "votes-rigged-more"
    assert found[-1].number >= 12
    named = {finding.subject[0] for finding in found[:-1]} | set(found[-1].subject)
    assert named <= set(many.raters[:16])
    monkeypatch.setattr(rank_audits, "VOTES_UP_TO", 8999)
    found, methods = rank_audits.rigging(many)
    assert [finding.code for finding in found] == ["rigging-not-examined"]
    assert methods == ()
