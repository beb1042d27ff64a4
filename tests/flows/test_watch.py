"""A watched run: stops where gold fell, goes on where it rose, asks people, remembers, and says what it cannot know."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from adjudge.errors import AdjudgeError
from adjudge.flows.watch import watch

D = np.linspace(0, 3, 16)
LAW = 0.1 + 0.7 * np.r_[0, D[1:] * (1 - np.log(D[1:]))]
STEPS = np.arange(16) * 10


def rows(mean=LAW, items=150, seed=0, noise=0.1):
    """Responses whose text is their gold, of a run whose proxy rises to the end."""
    rng = np.random.default_rng((seed, 977))
    gold = np.clip(mean[:, None] + rng.normal(0, 0.05, items) + rng.normal(0, noise, (len(mean), items)), 0, 1)
    return [
        {"step": int(STEPS[at]), "item": f"p{who}", "prompt": f"Question {who}", "response": f"{gold[at, who]:.6f}",
         "reward": float(D[at] + rng.normal(0, 0.3)), "kl": float(D[at] ** 2 + rng.normal(0, 0.3))}
        for at in range(len(mean)) for who in range(items)
    ]  # fmt: skip


def kept(folder: Path, what: list[dict[str, object]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in what))
    return folder


def truth(prompts, responses):
    return [float(text) for text in responses]


def codes(seen):
    return [finding.code for finding in seen.findings]


def test_a_run_past_its_peak_is_stopped_and_its_peak_kept(tmp_path):
    run = kept(tmp_path / "run", rows())
    seen = watch(run, gold=truth)
    assert seen.stopped
    assert seen.severe
    assert codes(seen)[0] == "gold-has-fallen"
    at = int(STEPS.tolist().index(seen.keep))
    assert LAW[at] - LAW[0] >= 0.9 * (LAW.max() - LAW[0])
    assert STEPS[seen.walked.watched.stopped] > 50
    assert seen.spent <= 200
    assert [row.policy for row in seen.story.rows] == [f"step {step:g}" for step in STEPS]  # not by value
    assert seen.story.verdict.startswith("Stop: gold has fallen at step")
    page = seen.save(tmp_path / "out").read_text()
    assert "whisker" in page
    assert "chance that STOP is ever said is at most 5 %" in page
    kept_numbers = json.loads(seen.text("json"))
    assert kept_numbers["findings"][0]["severity"] == "severe"
    behind = {row["What"]: row for row in kept_numbers["tables"]["Behind it"]}
    assert behind["Fortune of the bet on a fall"]["Value"] >= behind["Fortune at which STOP is said"]["Value"]
    assert behind["Fortune at which STOP is said"]["Value"] == pytest.approx(20)
    assert behind["Step to keep"]["Value"] == seen.keep
    assert behind["Prompts staked"]["Value"] == seen.walked.watched.pairs
    peak = behind["Law: its peak (√KL)"]
    found = seen.seen["monitor.overoptimisation"].figures["peak"].value
    assert [peak["Value"], peak["Low"], peak["High"]] == pytest.approx(found.tolist())
    assert "Law: beta" in behind
    drop = f"Gold of {seen.table.name(seen.walked.watched.best)} less {seen.table.name(seen.walked.watched.latest)}"
    assert behind[drop]["Value"] == pytest.approx(seen.walked.watched.drop[0])


def test_a_run_that_rises_goes_on(tmp_path):
    seen = watch(kept(tmp_path / "run", rows(np.linspace(0.2, 0.8, 16))), gold=truth)
    assert not seen.stopped
    assert not seen.severe
    assert seen.keep == 150
    assert seen.story.verdict.startswith("Go on:")


def test_false_stops_are_no_more_than_promised():
    """Gold that never changes, and labels that are noise: each look and each label is a chance to be fooled."""
    runs, wrong = 61, 0
    for seed in range(runs):
        table = rows(np.full(8, 0.5), items=101, seed=seed, noise=0.4)
        wrong += watch(table, gold=truth, level=0.8, final=False).stopped
    assert wrong <= stats.binom.ppf(0.999, runs, 0.2)


def test_weights_count_in_what_stop_promises():
    """Gold falls for half the prompts and rises as far, by weight, for those that stand for nine times as many."""
    heavy, step, item = np.arange(400) % 2, np.repeat(np.arange(9), 400), np.tile(np.arange(400), 9)
    run = {"step": step, "item": item, "kl": step + 0.0, "proxy": step + 0.0}

    def seen(light: float, rest: float, *weights: float, **options):
        gold = np.where(step == 0, 0.5, np.where(heavy, rest, light)[item])
        return watch(run | {"gold": gold, "weight": np.array(weights)[heavy][item]}, labels=600, **options)

    assert seen(0.0, 0.55, 1, 1).stopped, "each prompt counts once"
    assert not any(seen(0.0, 0.56, 1, 9, seed=seed).stopped for seed in range(12))
    assert seen(0.9, 0.0, 1, 9).stopped
    nothing = seen(0.0, 0.55, 0, 1)
    assert not nothing.stopped
    assert all(int(pair.item) % 2 for pair in nothing.walked.saved.pairs), "no label goes to what counts for 0"


def test_a_fifth_of_the_labels_is_never_staked():
    seen = watch(rows(np.full(16, 0.5), items=150, noise=0.3), gold=truth, labels=60, final=False)
    assert not seen.stopped
    assert seen.spent <= 48


def test_called_again_nothing_changes_and_nobody_is_asked_twice(tmp_path):
    run, asked = kept(tmp_path / "run", rows()), []

    def counted(prompts, responses):
        asked.extend(prompts)
        return truth(prompts, responses)

    first = watch(run, gold=counted)
    state, number = (run / "watch.json").read_bytes(), len(asked)
    again = watch(run, gold=counted)
    assert len(asked) == number == first.spent
    assert (run / "watch.json").read_bytes() == state
    assert again.story.verdict == first.story.verdict
    assert again.walked.watched == first.walked.watched
    without = watch(run)  # what was said before is remembered without the labels
    assert without.walked.watched == first.walked.watched


def test_looks_at_a_growing_run_find_what_one_look_at_its_end_finds(tmp_path):
    everything = rows()
    whole = watch(kept(tmp_path / "whole", everything), gold=truth, final=False)
    run = tmp_path / "live"
    for done in (1, 2, 5, 9, 16):
        part = [row for row in everything if row["step"] < 10 * done]
        kept(run, part)
        with (run / "samples.jsonl").open("a") as file:
            file.write('{"step": 999, "it')  # the next line is being written
        seen = watch(run, gold=truth)
        assert "last-line-cut" in codes(seen)
    assert seen.walked.watched == whole.walked.watched
    assert seen.stopped


def test_people_are_asked_and_the_watch_goes_on_where_it_stopped(tmp_path):
    run, labels = kept(tmp_path / "run", rows()), tmp_path / "gold.jsonl"
    labels.touch()
    for _ in range(60):
        seen = watch(run, gold=str(labels), final=True)
        if seen.ask is None:
            break
        assert "labels-wanted" in codes(seen)
        assert seen.story.verdict.startswith("Stop: " if seen.stopped else "Label ")
        wanted = [json.loads(line) for line in seen.ask.read_text().splitlines()]
        assert len(wanted) == 2 * len(seen.walked.open)
        assert all(row["gold"] is None for row in wanted)
        with labels.open("a") as file:
            file.writelines(json.dumps({**row, "gold": float(row["response"])}) + "\n" for row in wanted)
    assert seen.stopped
    assert LAW[int(seen.keep) // 10] - LAW[0] >= 0.9 * (LAW.max() - LAW[0])
    assert not (run / "ask.jsonl").exists()
    assert len(labels.read_text().splitlines()) == seen.spent <= 200
    items = [pair.item for pair in seen.walked.saved.pairs]
    assert len(set(items)) == len(items)  # each prompt is staked once


def test_ask_filled_in_place_is_taken_and_half_an_answer_waits(tmp_path):
    run = kept(tmp_path / "run", rows())
    ask = watch(run).ask
    wanted = [json.loads(line) for line in ask.read_text().splitlines()]
    wanted[0]["gold"] = 0.25
    ask.write_text("".join(json.dumps(row) + "\n" for row in wanted))
    seen = watch(run, gold=str(ask))
    assert seen.spent == 0
    assert 0.25 in [json.loads(line)["gold"] for line in ask.read_text().splitlines()]


def test_labels_that_are_there_are_used_before_people_are_asked(tmp_path):
    table = rows()
    labels = [{"item": row["item"], "step": row["step"], "gold": float(row["response"])} for row in table
              if int(str(row["item"])[1:]) < 120]  # fmt: skip
    seen = watch(kept(tmp_path / "run", table), gold=labels)
    assert seen.ask is None
    assert seen.stopped
    assert {int(pair.item[1:]) for pair in seen.walked.saved.pairs} <= set(range(120))


def test_labels_in_the_table_need_no_file():
    table = [{**row, "gold": float(str(row["response"]))} for row in rows(items=110)]
    seen = watch(table)
    assert seen.stopped
    assert seen.ask is None


def test_the_order_of_rows_does_not_matter():
    table = rows(items=101)
    order = np.random.default_rng(3).permutation(len(table))
    one, two = watch(table, gold=truth), watch([table[place] for place in order], gold=truth)
    assert one.walked.watched == two.walked.watched
    assert one.keep == two.keep


def test_gold_that_never_varies_a_constant_proxy_and_few_prompts_are_told():
    flat = watch(rows(np.full(6, 1.0), noise=0.0), gold=lambda prompts, responses: [1.0] * len(prompts))
    assert "gold-constant" in codes(flat)
    assert not flat.stopped
    still = watch([{**row, "reward": 3.0} for row in rows(items=11)], gold=truth)
    assert {"proxy-constant", "prompts-spent"} <= set(codes(still))
    spent = watch(rows(np.linspace(0.2, 0.8, 16)), gold=truth, labels=20)
    assert "labels-spent" in codes(spent)
    assert spent.spent == 20
    for answer in (flat, still, spent):
        assert "nan" not in " ".join([answer.story.verdict, *(str(each) for each in answer.findings)]).lower()


def test_repeated_and_strange_labels_are_told(tmp_path):
    run = kept(tmp_path / "run", rows(items=31))
    labels = [{"item": "p0", "step": 0, "gold": 0.2}, {"item": "p0", "step": 0, "gold": 0.4},
              {"item": "nobody", "step": 0, "gold": 1}, {"item": "p1", "step": 7, "gold": 1}]  # fmt: skip
    seen = watch(run, gold=labels)
    told = {finding.code: finding.number for finding in seen.findings}
    assert told["labels-repeated"] == 1
    assert told["labels-of-nobody"] == 2
    assert np.nanmax(seen.gold) == pytest.approx(0.3)


def test_a_judge_may_be_gold(tmp_path):
    (tmp_path / "model.py").write_text(
        "import json, re\n"
        "def answer(text):\n"
        "    gold = float(re.findall(r'[01]\\.\\d{6}', text)[-1])\n"
        "    return json.dumps({'score': 1 + round(4 * gold)})\n"
    )
    seen = watch(rows(items=61), gold=f"judge:python:{tmp_path / 'model.py'}:answer", bounds=(1, 5), labels=60)
    assert seen.spent == 60
    assert set(np.unique(seen.gold[np.isfinite(seen.gold)])) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert 20 <= seen.keep <= 90


def test_no_gold_and_one_checkpoint_are_said(tmp_path):
    assert "no-gold" in codes(watch(rows(items=11), labels=0))
    seen = watch(rows(LAW[:1], items=11))
    assert "one-checkpoint" in codes(seen)
    assert seen.text("table")


@pytest.mark.parametrize("item", [{}, {"item": np.arange(240)}])
def test_prompts_that_no_two_checkpoints_share_say_nothing(item):
    step = np.repeat(np.arange(6), 40)
    seen = watch({"step": step, "proxy": step + 0.0, "gold": np.r_[np.ones(200), np.zeros(40)], **item})
    assert seen.story.verdict.startswith("Nobody can say"), "to go on would be no advice of 0 labels"
    remedy = next(finding.remedy for finding in seen.findings if finding.code == "prompts-spent")
    assert "--item" in remedy


def test_pairs_and_likelihoods_are_watched_beside(tmp_path):
    likely = [{**row, "entropy": 2 - row["step"] / 100, "mass": 0.9 - row["step"] / 400} for row in rows(items=31)]
    run = kept(tmp_path / "run", likely)
    pairs = [{"step": 5, "logp_chosen": -9.0 - n, "logp_rejected": -5.0, "ref_logp_chosen": -9.5 - n,
              "ref_logp_rejected": -5.0} for n in range(40)]  # fmt: skip
    (run / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs))
    seen = watch(run, gold=truth, labels=0)
    assert {"monitor.likelihood", "monitor.ranking_accuracy", "monitor.overoptimisation"} == set(seen.seen)
    assert {"entropy-and-mass-fall", "rankings-unlearned"} <= set(codes(seen))
    assert not seen.severe  # one look is no guarantee
    learnt = [row | {"step": 9, "logp_chosen": -1.0} for row in pairs]
    (run / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs + learnt))
    latest = watch(run, gold=truth, labels=0).seen["monitor.ranking_accuracy"].figures["rankings"]
    assert latest.value[0] == 1, "pairs of the latest step alone"
    (run / "pairs.jsonl").write_text('{"logp_chosen": 1}\n')
    assert "monitor-left-out" in codes(watch(run, gold=truth, labels=0))


def test_bad_input_is_named(tmp_path):
    run = kept(tmp_path / "run", rows(items=31))
    watch(run, gold=truth)
    for other in ({"level": 0.9}, {"seed": 1}, {"bounds": (0.0, 2.0)}):
        with pytest.raises(AdjudgeError, match="the watch began with"):
            watch(run, gold=truth, **other)
    (run / "watch.json").write_text("{}")
    with pytest.raises(AdjudgeError, match="cannot be read as a watch"):
        watch(run, gold=truth)
    table = rows(items=31)
    with pytest.raises(AdjudgeError, match="the function gave 7"):
        watch(table, gold=lambda prompts, responses: [7.0] * len(prompts))
    with pytest.raises(AdjudgeError, match="0 labels for"):
        watch(table, gold=lambda prompts, responses: [])
    with pytest.raises(AdjudgeError, match="has no such columns"):
        watch([{"step": 0, "reward": 1, "kl": 0, "item": 1}], gold=truth)
    with pytest.raises(AdjudgeError, match="no column holds the gold"):
        watch(table, gold=[{"item": "p0", "step": 0}])
    with pytest.raises(AdjudgeError, match="-1 labels"):
        watch(table, labels=-1)
    (tmp_path / "bad.py").write_text("def score(prompt, response):\n    return 1 / 0\n")
    with pytest.raises(AdjudgeError, match="ZeroDivisionError"):
        watch(table, gold=f"python:{tmp_path / 'bad.py'}:score")
