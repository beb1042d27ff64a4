"""What a watch tells of labels that are no use to it, and of a fall that one look shows and no STOP proves."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.core.finding import Finding, Severity
from adjudge.errors import AdjudgeError
from adjudge.flows import watch_monitors
from adjudge.flows.watch import watch
from adjudge.tables import read_run_log

STEPS, ITEMS = np.arange(12) * 10, 31
DISTANCE = np.linspace(0, 3, STEPS.size)


def rows(seed: int = 5) -> dict[str, np.ndarray]:
    """Gold that follows a law past its peak, with noise, beside a proxy that rises."""
    rng, step = np.random.default_rng(seed), np.repeat(np.arange(STEPS.size), ITEMS)
    d = DISTANCE[step]
    gold = np.clip(0.2 + d * (0.8 - 0.28 * d) + rng.normal(0, 0.05, d.size), 0, 1)
    item = np.array([f"p{at}" for at in range(ITEMS)] * STEPS.size)
    return {"step": STEPS[step], "item": item, "kl": d**2, "proxy": d + rng.normal(0, 0.1, d.size), "gold": gold}


def test_labels_of_another_run_are_refused() -> None:
    run = {name: column for name, column in rows().items() if name != "gold"}
    labels = [{"item": f"Q{at}", "step": 0, "gold": 0.5} for at in range(7)]
    with pytest.raises(AdjudgeError, match=r"none of 7 labels.*Items such as 'p0'"):
        watch(run, gold=labels)
    assert "labels-of-nobody" in {
        one.code for one in watch(run, gold=[*labels, {"item": "p0", "step": 0, "gold": 0.5}]).findings
    }


def test_one_look_at_a_fall_is_no_go_on_and_names_steps_as_the_run_does() -> None:
    """All labels are there, and few may be staked."""
    seen = watch(rows(), labels=20)
    assert not seen.stopped
    assert seen.story.verdict.startswith("Past the peak by a law, but no STOP: ")
    apart = next(one for one in seen.findings if one.code == "proxy-gold-apart")
    assert f"to step {STEPS[-1]} the proxy rose" in apart.message


def test_a_budget_beyond_the_prompts_is_that_of_the_prompts():
    """A prompt is staked once, so that labels for more of them may not be spent as if they could be had."""
    table = rows()
    most, more = watch(table, labels=2 * ITEMS), watch(table, labels=10_000)
    assert more.walked.watched == most.walked.watched
    assert more.stopped
    assert more.keep == most.keep


def test_what_monitors_say_and_advise_is_by_the_numbers_of_the_run():
    table = read_run_log.read(rows())
    found = Finding("fell", Severity.WARNING, "From step 0 to step 3 it fell.", remedy="Go back to step 2, not 99.")
    (told,) = watch_monitors._called([found], table)
    assert told.message == f"From step 0 to step {STEPS[3]} it fell."
    assert told.remedy == f"Go back to step {STEPS[2]}, not 99."
