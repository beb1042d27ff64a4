"""monitor.likelihood: stops where entropy and mass fall together, rarely where nothing changes, and says what fell."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.monitor.likelihood import watch
from adjudge.tables.likelihood_curve import LikelihoodCurve, from_arrays

ENTROPY, MASS = [2.0, 1.6, 1.3, 1.1, 0.9], [0.8, 0.85, 0.9, 0.84, 0.7]
CHOSEN, REJECTED = [-2.0, -1.9, -1.9, -2.2, -2.8], [-2.5, -2.7, -3.0, -4.0, -5.0]


def run(
    entropy: list[float] = ENTROPY, mass: list[float] = MASS, *, prompts: int = 43, noise: float = 0.02, seed: int = 0
) -> LikelihoodCurve:
    """A run of five steps whose prompts differ, with noise at each step."""
    rng = np.random.default_rng((seed, 11))
    prompt, step = np.divmod(np.arange(prompts * 5), 5)
    lines = [np.array(line)[step] for line in (CHOSEN, REJECTED, entropy, mass)]
    noisy = [line + noise * (rng.normal(size=prompts)[prompt] + rng.normal(size=step.size)) for line in lines]
    return from_arrays(*noisy[:2], np.maximum(noisy[2], 0), np.clip(noisy[3], 0, 1), step=step, prompt=prompt)


def test_it_stops_at_the_first_fall_of_both_and_names_the_step_before() -> None:
    seen = watch(run())
    assert [finding.code for finding in seen.findings] == ["entropy-and-mass-fall", "both-likelihoods-fall"]
    assert (seen.findings[0].number, seen.findings[0].threshold) == (3, 2)
    np.testing.assert_allclose(seen.figures["margin"].value, np.subtract(CHOSEN, REJECTED), atol=0.03)
    assert seen.findings[1].number == pytest.approx(-0.8, abs=0.03)


def test_a_policy_that_grows_surer_is_not_stopped() -> None:
    codes = [finding.code for finding in watch(run(mass=[0.5, 0.6, 0.7, 0.8, 0.9])).findings]
    assert "entropy-and-mass-fall" not in codes
    codes = [finding.code for finding in watch(run(entropy=ENTROPY[::-1])).findings]
    assert "entropy-and-mass-fall" not in codes


def test_a_run_without_change_is_rarely_stopped() -> None:
    """Where entropy surely falls and mass does not move, mass alone decides: the least favourable case."""
    runs, stops = 300, 0
    for seed in range(runs):
        found = watch(run(mass=[0.5] * 5, prompts=23, noise=0.05, seed=seed), level=0.9).findings
        stops += any(finding.code == "entropy-and-mass-fall" for finding in found)
    assert stops / runs < 0.1 + 4 * np.sqrt(0.1 * 0.9 / runs)
    assert stops > 0, "a rule that never stops would pass"


def test_too_little_is_silent_and_missing_values_are_left_out() -> None:
    assert watch(run(prompts=1)).findings == ()
    table = run()
    first = table.step == 0
    one = from_arrays(table.chosen[first], table.rejected[first], table.entropy[first], table.mass[first],
                      step=table.step[first], prompt=table.prompt[first])  # fmt: skip
    assert watch(one).findings == ()
    hidden = from_arrays(table.chosen, table.rejected, np.full(table.step.size, np.nan), table.mass,
                         step=table.step, prompt=table.prompt)  # fmt: skip
    assert [finding.code for finding in watch(hidden).findings] == ["both-likelihoods-fall"]


def with_more(win: list[float], diversity: list[float], seed: int = 0) -> LikelihoodCurve:
    """The run with win rates and diversities of each prompt, with noise."""
    table, rng = run(mass=[0.5, 0.6, 0.7, 0.8, 0.9], seed=seed), np.random.default_rng((seed, 13))
    noise = 0.1 * rng.normal(size=(2, table.step.size))
    wins = np.clip(np.array(win)[table.step] + noise[0], 0, 1)
    return from_arrays(table.chosen, table.rejected, table.entropy, table.mass, step=table.step, prompt=table.prompt,
                       win=wins, diversity=np.array(diversity)[table.step] + noise[1])  # fmt: skip


def test_a_win_rate_that_falls_stops_where_entropy_and_mass_are_silent() -> None:
    seen = watch(with_more([0.5, 0.6, 0.7, 0.6, 0.5], [3.0, 2.5, 2.0, 1.5, 1.2]))
    codes = [finding.code for finding in seen.findings]
    assert codes == ["win-rate-falls", "both-likelihoods-fall", "diversity-falls"]
    assert (seen.findings[0].number, seen.findings[0].threshold) == (3, 2)
    np.testing.assert_allclose(seen.figures["win"].value, [0.5, 0.6, 0.7, 0.6, 0.5], atol=0.04)
    quiet = watch(with_more([0.5, 0.6, 0.7, 0.7, 0.7], [1.0] * 5))
    assert [finding.code for finding in quiet.findings] == ["both-likelihoods-fall"]


def test_a_win_rate_that_stays_rarely_stops() -> None:
    runs = 300
    stops = sum("win-rate-falls" in {finding.code for finding in watch(with_more([0.6] * 5, [1.0] * 5, seed),
                level=0.9).findings} for seed in range(runs))  # fmt: skip
    assert 0 < stops / runs < 0.1 + 4 * np.sqrt(0.1 * 0.9 / runs)


def test_bad_input_is_named() -> None:
    with pytest.raises(AdjudgeError, match="level 0"):
        watch(run(), level=0)
    with pytest.raises(AdjudgeError, match="mass outside"):
        from_arrays([-1.0], [-1.0], [0.1], [1.2], step=[0], prompt=[0])
    with pytest.raises(AdjudgeError, match="0 steps"):
        from_arrays([], [], [], [], step=[], prompt=[])
    with pytest.raises(AdjudgeError, match="win rate"):
        from_arrays([-1.0], [-1.0], [0.1], [0.2], step=[0], prompt=[0], win=[1.5])
    many = np.arange(101)
    with pytest.raises(AdjudgeError, match="101 steps"):
        watch(from_arrays(-many, -many, many, many * 0, step=many, prompt=many * 0))
