"""monitor.overoptimisation: says passed, ahead or cannot tell as often as its intervals promise; shows its figures."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.monitor.overoptimisation import watch
from adjudge.sim.overoptimisation import Overoptimisation
from adjudge.stats import best_of_n
from adjudge.tables.proxy_curve import ProxyCurve, from_arrays

WORLD = Overoptimisation()
PROXY = np.array([1.0, 0.5, 0.0, 0.0, 0.5, 0.0])
RISE, FALL = WORLD.law(PROXY)
PEAK = RISE / (2 * FALL)
FAR = np.linspace(0, 2 * PEAK, 7)


def drawn(d: np.ndarray, prompts: int = 53, seed: int = 0) -> ProxyCurve:
    return WORLD.tilted(PROXY, d, prompts, samples=3, seed=seed)


def codes(table: ProxyCurve, **options: object) -> list[str]:
    return [finding.code for finding in watch(table, **options).findings]


def test_a_run_far_past_its_peak_is_told() -> None:
    seen = watch(drawn(FAR), law="best_of_n")
    assert [finding.code for finding in seen.findings] == ["peak-passed", "proxy-gold-apart"]
    assert all(finding.severity == Severity.SEVERE for finding in seen.findings)
    at, low, high = seen.figures["peak"].value
    assert low < PEAK < high
    assert low < at < high < FAR[-1]
    lost = seen.figures["change"]
    assert abs(lost.value.item() + FALL * PEAK**2) < 4 * lost.stderr.item()


def test_a_run_before_its_peak_is_not_stopped() -> None:
    assert codes(drawn(FAR * 0.3, prompts=499), law="best_of_n") == ["peak-ahead"]


def test_nothing_is_promised_at_the_peak() -> None:
    assert codes(drawn(FAR / 2), law="best_of_n")[0] == "peak-undecided"


@pytest.mark.parametrize("interval", ["fieller", "bootstrap"])
def test_false_alarms_at_the_peak_are_as_rare_as_promised(interval: str) -> None:
    """A run that stands exactly at its peak is called passed in 2.5 % of draws, and ahead in 2.5 %."""
    runs = 200
    said = [codes(drawn(FAR / 2, seed=seed), law="best_of_n", interval=interval)[0] for seed in range(runs)]
    most = 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs) + (0.015 if interval == "bootstrap" else 0)
    assert said.count("peak-passed") / runs < most
    assert said.count("peak-ahead") / runs < most
    assert said.count("peak-undecided") > 0.85 * runs


def test_a_proxy_without_a_habit_has_no_peak() -> None:
    honest = np.array([1.0, 0, 0, 0, 0, 0])
    assert WORLD.law(honest)[1] == 0
    seen = watch(WORLD.tilted(honest, np.linspace(0, 3, 7), 211, seed=2), law="best_of_n")
    assert seen.findings[0].severity == Severity.INFO
    assert seen.figures["peak"].value[2] == np.inf


def test_best_of_n_of_samples_is_watched() -> None:
    proxy, gold = WORLD.samples(np.array([1.0, 1.5, 0, 0, 0, 0]), 61, 512, seed=1)
    seen = watch(best_of_n.table(proxy, gold, 2 ** np.arange(10)), law="best_of_n")
    assert seen.findings[0].code == "peak-passed"
    apart = seen.figures["proxy"].value - seen.figures["gold"].value
    np.testing.assert_allclose(seen.figures["gap"].value, apart - (proxy - gold).mean(), atol=1e-12)


def test_auto_takes_the_better_law_and_says_when_they_disagree() -> None:
    rng = np.random.default_rng(4)
    d, (prompt, step) = np.linspace(0.1, 3.2, 8), np.divmod(np.arange(8 * 97), 8)
    mean = d * (1 - 0.7 * np.log(d))
    gold = mean[step] + 0.2 * rng.normal(size=step.size)
    table = from_arrays(d[step] ** 2, d[step], gold, step=step, prompt=prompt)
    seen = watch(table)
    np.testing.assert_allclose(seen.figures["law"].value[1:], [1, 0.7], atol=0.15)
    assert seen.findings[0].message.startswith("The law policy_gradient")
    apart = [finding for finding in watch(drawn(FAR * 0.55, prompts=997)).findings if finding.code == "laws-disagree"]
    assert len(apart) == 1
    assert "best_of_n says" in apart[0].message
    assert "policy_gradient says" in apart[0].message


def test_a_curve_that_no_law_fits_is_doubted() -> None:
    d, (prompt, step) = np.linspace(0, 3, 7), np.divmod(np.arange(7 * 11), 7)
    gold = np.cos(6 * d)[step] + 0.1 * np.random.default_rng(5).normal(size=step.size)
    assert "law-fits-badly" in codes(from_arrays(d[step] ** 2, d[step], gold, step=step, prompt=prompt))


def test_too_little_gold_is_said_not_guessed() -> None:
    table = drawn(FAR, prompts=5)
    hidden = np.where(table.step < 3, table.gold, np.nan)
    seen = watch(from_arrays(table.kl, table.proxy, hidden, step=table.step, prompt=table.prompt))
    assert [finding.code for finding in seen.findings] == ["curve-too-short"]
    assert np.isnan(seen.figures["gold"].value[3:]).all()
    assert set(seen.figures) == {"proxy", "gold", "gap"}
    nothing = from_arrays(table.kl, table.proxy, np.full(table.kl.size, np.nan), step=table.step, prompt=table.prompt)
    assert codes(nothing) == ["curve-too-short"]
    one = from_arrays([0, 1, 2, 3, 4], np.arange(5), np.arange(5), step=np.arange(5), prompt=np.zeros(5))
    assert codes(one) == ["curve-too-short"]


def test_order_of_rows_and_the_unit_of_gold_change_nothing() -> None:
    table = drawn(FAR)
    order = np.random.default_rng(0).permutation(table.kl.size)
    other = from_arrays(
        table.kl[order],
        table.proxy[order],
        7 * table.gold[order] - 3,
        step=table.step[order],
        prompt=table.prompt[order],
    )
    one, two = watch(table), watch(other)
    np.testing.assert_allclose(one.figures["peak"].value, two.figures["peak"].value)
    assert [finding.code for finding in one.findings] == [finding.code for finding in two.findings]


def test_bad_input_is_named() -> None:
    table = drawn(FAR, prompts=5)
    for options in ({"level": 1.0}, {"law": "cubic"}, {"interval": "wald"}):
        with pytest.raises(AdjudgeError):
            watch(table, **options)
    with pytest.raises(AdjudgeError, match="negative"):
        from_arrays([-1.0], [0.0], [0.0], step=[0], prompt=[0])
    with pytest.raises(AdjudgeError, match="none left out"):
        from_arrays([1.0], [0.0], [0.0], step=[1], prompt=[0])
    with pytest.raises(AdjudgeError, match="0 steps"):
        from_arrays([], [], [], step=[], prompt=[])


def test_a_law_that_noise_does_not_refute_widens_the_interval_of_the_peak() -> None:
    """The one that explains more may do so by luck: its own interval alone covered 78 % with few labels."""
    steps, rng = np.repeat(np.arange(9), 8), np.random.default_rng(191)
    truth = 0.3 + 2 * np.arange(9) / 8 - 2 * (np.arange(9) / 8) ** 2
    hit = []
    for _ in range(150):
        gold = (rng.random(steps.size) < truth[steps]) + 0.0
        table = from_arrays((steps * 3 / 8) ** 2, steps + 0.0, gold, step=steps, prompt=np.arange(steps.size))
        _, low, high = watch(table).figures["peak"].value
        own = [watch(table, law=law).figures["peak"].value[1:] for law in ("best_of_n", "policy_gradient")]
        assert low == min(ends[0] for ends in own)
        assert high == max(ends[1] for ends in own)
        hit.append(low <= 1.5 <= high)
    assert np.mean(hit) > 0.95 - 3 * (0.05 * 0.95 / 150) ** 0.5
