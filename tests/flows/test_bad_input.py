"""Whatever is wrong with the input: three parts or a finding, no traceback, and no input file is ever changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adjudge.cli.main import main
from adjudge.errors import AdjudgeError
from adjudge.flows.evaluate import evaluate
from adjudge.sim.judging import Judging

ITEMS, K = 59, 3


def _frame() -> pl.DataFrame:
    ratings = Judging(truth=(0.7, 0.6, 0.5), items=ITEMS, labels=61).draw(1).ratings
    return pl.DataFrame(
        {
            "policy": np.array(ratings.policies)[ratings.policy],
            "prompt_id": ratings.item,
            "judge_score": ratings.score[:, 0],
            "gold": pl.Series(ratings.gold).fill_nan(None),
        }
    )


FRAME = _frame()
LABELLED = FRAME["gold"].is_not_null().to_numpy()
ROW = np.arange(FRAME.height)


def _with(**columns: object) -> pl.DataFrame:
    return FRAME.with_columns(**{name: pl.Series(values).fill_nan(None) for name, values in columns.items()})


def _gold(values: np.ndarray) -> pl.DataFrame:
    return _with(gold=np.where(LABELLED, values, np.nan))


def _score(values: np.ndarray) -> pl.DataFrame:
    return FRAME.with_columns(judge_score=pl.Series(values))


GOLD, SCORE = FRAME["gold"].to_numpy(), FRAME["judge_score"].to_numpy()
FIRST = int(np.flatnonzero(LABELLED)[0])

# name -> (table, options, a word of the error)
IMPOSSIBLE: dict[str, tuple[pl.DataFrame, list[str], str]] = {
    "no judge column": (FRAME.drop("judge_score"), [], "No judge column"),
    "column that is not there": (FRAME, ["--judge", "nope"], "no column 'nope'"),
    "score infinite": (_score(np.where(ROW == 4, np.inf, SCORE)), [], "infinite"),
    "score beyond arithmetic": (_score(SCORE * 1e200), [], "beyond"),
    "score is a word": (FRAME.with_columns(judge_score=pl.lit("abc")), [], "are not numbers"),
    "score never given": (FRAME.with_columns(judge_score=pl.lit(None, pl.Float64)), [], "missing"),
    "gold outside the range": (_gold(np.where(ROW == FIRST, 7.0, GOLD)), ["--range", "0,1"], "outside 0 to 1"),
    "weights all zero": (_with(w=np.zeros(FRAME.height)), ["--weight", "w"], "all weights are 0"),
    "weight negative": (_with(w=np.where(ROW == 4, -1.0, 1.0)), ["--weight", "w"], "negative"),
    "weight beyond arithmetic": (_with(w=np.full(FRAME.height, 1e308)), ["--weight", "w"], "beyond"),
    "propensity 0": (_with(p=np.zeros(FRAME.height)), ["--propensity", "p"], "outside (0, 1]"),
    "propensity 2": (_with(p=np.full(FRAME.height, 2.0)), ["--propensity", "p"], "outside (0, 1]"),
    "no rows": (FRAME.head(0), [], "no rows"),
    "policy missing": (FRAME.with_columns(policy=pl.lit(None, pl.String)), [], "have no policy"),
    "prompt missing": (FRAME.with_columns(prompt_id=pl.lit(None, pl.String)), [], "have no item"),
    "level 0": (FRAME, ["--level", "0"], "level is 0"),
    "level 1": (FRAME, ["--level", "1"], "level is 1"),
    "level 95": (FRAME, ["--level", "95"], "level is 95"),
    "level 95 in batches": (FRAME, ["--level", "95", "--stream"], "level is 95"),
    "seed negative": (FRAME, ["--seed", "-1"], "seed is -1"),
    "method unknown": (FRAME, ["--method", "nope"], "value.nope"),
    "method a path": (FRAME, ["--method", "../../nope"], "nothing lives at"),
    "calibration unknown": (FRAME, ["--calibration", "nope"], "calibration.nope"),
    "condition that keeps nothing": (FRAME, ["--where", "judge_score > 99"], "No row"),
    "condition that is no condition": (FRAME, ["--where", "judge_score >"], "--where"),
    "gold as judge": (FRAME, ["--judge", "gold", "--gold", "gold"], "named for two parts"),
    "gold file missing": (FRAME, ["--gold-file", "nope.csv"], "no file nope.csv"),
}

# name -> (table, options, code of a finding)
DOUBTFUL: dict[str, tuple[pl.DataFrame, list[str], str]] = {
    "one label": (_gold(np.where(ROW == FIRST, GOLD, np.nan)), [], "gold-single"),
    "no labels": (FRAME.with_columns(gold=pl.lit(None, pl.Float64)), [], "gold-absent"),
    "no gold column": (FRAME.drop("gold"), [], "not-verified"),
    "labels all 1": (_gold(np.ones(FRAME.height)), [], "gold-constant"),
    "labels all one half": (_gold(np.full(FRAME.height, 0.5)), [], "gold-constant"),
    "judge constant": (_score(np.full(FRAME.height, 0.5)), [], "score-constant"),
    "judge silent on labelled rows": (_with(judge_score=np.where(LABELLED, np.nan, SCORE)), [], "score-missing"),
    "judge silent on some rows": (_with(judge_score=np.where(ROW < 5, np.nan, SCORE)), [], "score-missing"),
    "duplicate rows": (pl.concat([FRAME, FRAME]), [], "draws-ambiguous"),
    "no prompt column": (FRAME.drop("prompt_id"), [], "item-absent"),
    "no policy column": (FRAME.drop("policy"), [], "policy-from-file"),
    "labels on one policy": (_gold(np.where(ROW < ITEMS, GOLD, np.nan)), [], "not-verified"),
    "one row outweighs all": (_with(w=np.where(ROW % ITEMS == 4, 1e9, 1.0)), ["--weight", "w"], "weights-uneven"),
    "a gold label of 7": (_gold(np.where(ROW == FIRST, 7.0, GOLD)), [], "range-unknown"),
    "one row": (FRAME.head(1), [], "not-verified"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line on files that must stay as they are: (exit code, output, errors)."""

    def command(*words: str) -> tuple[int, str, str]:
        before = {path: _state(path) for path in folder.rglob("*") if path.is_file()}
        code = main(list(words))
        shown = capsys.readouterr()
        assert {path: _state(path) for path in before} == before, "an input file was changed"
        assert "Traceback" not in shown.out + shown.err
        assert "did not foresee" not in shown.err
        return code, shown.out, shown.err

    return command


def _state(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


def _finite(found: object) -> None:
    """Every number of a JSON answer is finite; what is not known is null."""
    if isinstance(found, dict):
        for value in found.values():
            _finite(value)
    elif isinstance(found, list):
        for value in found:
            _finite(value)
    elif isinstance(found, float):
        assert np.isfinite(found)


def _ordered(found: dict[str, object], bounds: tuple[float, float]) -> None:
    for row in found["policies"]:  # type: ignore[attr-defined]
        ends = [row["low"], row["value"], row["high"]]
        known = [end for end in ends if end is not None]
        assert known == sorted(known)
        assert all(bounds[0] <= end <= bounds[1] for end in known)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_impossible_is_told_in_three_parts(
    name: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    table, options, words = IMPOSSIBLE[name]
    table.write_csv("table.csv")
    code, out, err = run("evaluate", "table.csv", "--no-report", *options)
    assert (code, out) == (1, "")
    labels = [line.partition(":")[0] for line in err.splitlines()]
    assert labels == ["Found", "Expected", "Do"]
    assert words in err.splitlines()[0]
    assert not list(folder.glob("adjudge-report"))


@pytest.mark.parametrize("name", DOUBTFUL)
def test_the_doubtful_is_a_finding(name: str, run: Callable[..., tuple[int, str, str]]) -> None:
    table, options, finding = DOUBTFUL[name]
    table.write_csv("table.csv")
    code, out, _ = run("evaluate", "table.csv", "--no-report", "--format", "json", *options)
    found = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} in the JSON"))
    told = {each["code"]: each["severity"] for each in found["findings"]}
    assert finding in told
    assert code == (2 if "severe" in told.values() else 0)
    _finite(found)
    _ordered(found, (-np.inf, np.inf))
    code, out, _ = run("evaluate", "table.csv", *options)
    assert "nan" not in out.lower().replace("financ", "")
    assert Path("adjudge-report/report.html").stat().st_size < 3_000_000
    assert run("plan", "table.csv", *options)[0] == 0


@pytest.mark.parametrize("name", ["no labels", "labels on one policy", "labels all 1", "one label"])
def test_python_answers_as_the_command_line_does(name: str) -> None:
    table, _, finding = DOUBTFUL[name]
    before = table.clone()
    answer = evaluate(table)
    assert finding in {each.code for each in answer.findings}
    assert table.equals(before)


@pytest.mark.parametrize("name", ["no judge column", "score infinite", "no rows", "policy missing"])
def test_python_raises_the_three_parts(name: str) -> None:
    with pytest.raises(AdjudgeError) as raised:
        evaluate(IMPOSSIBLE[name][0])
    assert all((raised.value.found, raised.value.expected, raised.value.do))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "0 bytes"),
        ("empty.parquet", b"", "0 bytes"),
        ("bytes.jsonl", bytes(range(256)) * 9, "not UTF-8"),
        ("bytes.csv", bytes(range(256)) * 9, ""),
        ("cut.json", b'[{"policy": "a", "judge_sc', "cannot be read as JSON"),
        ("notes.txt", b"policy,judge_score", "suffix .txt"),
        ("fake.parquet", b"PAR1 but not really PAR1", "cannot be read as PARQUET"),
    ],
)
def test_files_that_are_no_tables(
    name: str, content: bytes, words: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    (folder / name).write_bytes(content)
    code, _, err = run("evaluate", name, "--no-report")
    assert code == 1
    assert err.startswith("Found:")
    assert words in err
    assert all(sign.isprintable() or sign == "\n" for sign in err)


def test_a_truncated_parquet(folder: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    FRAME.write_parquet("whole.parquet")
    whole = Path("whole.parquet").read_bytes()
    for length in (7, len(whole) // 2, len(whole) - 5):
        (folder / "cut.parquet").write_bytes(whole[:length])
        code, _, err = run("evaluate", "cut.parquet", "--no-report")
        assert code == 1
        assert "cut.parquet cannot be read as PARQUET" in err


@pytest.mark.parametrize("words", [["nowhere.csv"], ["*.nope"], ["."], ["nowhere/"]])
def test_a_source_that_is_not_there(words: list[str], run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run("evaluate", *words, "--no-report")
    assert code == 1
    assert err.startswith("Found:")


def test_mixed_types_are_named_by_row(folder: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    lines = [{"policy": "a", "prompt_id": i, "judge_score": 0.5 if i != 3 else {"deep": 1}} for i in range(9)]
    (folder / "mixed.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    code, _, err = run("evaluate", "mixed.jsonl", "--no-report")
    assert code == 1
    assert "judge_score" in err


def test_a_hundred_thousand_policies_are_a_column_named_by_mistake(run: Callable[..., tuple[int, str, str]]) -> None:
    n = 100_000
    pl.DataFrame({"policy": np.arange(n), "prompt_id": np.arange(n), "judge_score": np.arange(n) / n}).write_parquet(
        "many.parquet"
    )
    code, _, err = run("evaluate", "many.parquet", "--no-report")
    assert code == 1
    assert "100,000 distinct values" in err


def test_a_thousand_policies_get_an_answer(run: Callable[..., tuple[int, str, str]]) -> None:
    k, items = 1009, 7
    rng = np.random.default_rng(1)
    score = rng.random(k * items)
    gold = np.where(rng.random(k * items) < 0.2, score, np.nan)
    pl.DataFrame(
        {
            "policy": np.tile(np.arange(k), items).astype(str),
            "prompt_id": np.repeat(np.arange(items), k),
            "judge_score": score,
            "gold": pl.Series(gold).fill_nan(None),
        }
    ).write_parquet("many.parquet")
    _, out, _ = run("evaluate", "many.parquet")
    assert len(out) < 60_000
    assert Path("adjudge-report/report.html").stat().st_size < 3_000_000


HOSTILE = {"p00": "\x1b[31mred\x1b[0m\x07", "p01": "<script>alert(1)</script>", "p02": "\u202egnp\r\n=1+1 \N{SNOWMAN}"}


def test_names_of_policies_are_text_and_nothing_else(run: Callable[..., tuple[int, str, str]]) -> None:
    FRAME.with_columns(policy=pl.col("policy").replace(HOSTILE)).write_parquet("hostile.parquet")
    told = [run("evaluate", "hostile.parquet"), run("plan", "hostile.parquet", "--between", HOSTILE["p00"], "x\x1b[2J")]
    told += [run("plan", "hostile.parquet"), run("evaluate", "hostile.parquet", "--format", "md", "--no-report")]
    for _, out, err in told:
        assert not {"\x1b", "\x07", "\u202e", "\r"} & set(out + err)
    page = Path("adjudge-report/report.html").read_text()
    assert "<script>alert" not in page
    assert not {"\x1b", "\x07", "\u202e"} & set(page)
    _, out, _ = run("evaluate", "hostile.parquet", "--format", "json", "--no-report")
    assert {row["policy"] for row in json.loads(out)["policies"]} == set(HOSTILE.values())


@pytest.mark.parametrize("out", ["table.csv", "table.csv/deeper", "/proc/nowhere/report"])
def test_an_output_that_cannot_be_written(out: str, run: Callable[..., tuple[int, str, str]]) -> None:
    FRAME.write_csv("table.csv")
    for words in (["evaluate", "table.csv"], ["plan", "table.csv", "--labels", "5"]):
        code, _, err = run(*words, "--out", out)
        assert code == 1
        assert err.startswith("Found:    output")


def test_results_never_overwrite_an_input_inside_the_output_folder(
    folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    FRAME.write_csv("results.csv")
    code, _, err = run("evaluate", "results.csv", "--out", ".")
    assert code == 1
    assert "it is the input file" in err


@pytest.mark.parametrize(
    "words",
    [["--gold-cost", "0"], ["--gold-cost", "-1"], ["--judge-cost", "-1"], ["--budget", "-5"], ["--target", "0"],
     ["--power", "2"], ["--power", "0"], ["--labels", "-3"], ["--labels", "0"], ["--labels", "100000"],
     ["--uniform", "3"], ["--between", "p00", "nope"], ["--between", "p00", "p00"]],
)  # fmt: skip
def test_plans_that_make_no_sense(words: list[str], run: Callable[..., tuple[int, str, str]]) -> None:
    FRAME.write_csv("table.csv")
    code, _, err = run("plan", "table.csv", *words)
    assert code == 1
    assert [line.partition(":")[0] for line in err.splitlines()] == ["Found", "Expected", "Do"]
    assert not Path("to_label.csv").exists()


def test_interrupted_in_the_middle(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., tuple[int, str, str]], folder: Path
) -> None:
    FRAME.write_csv("table.csv")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adjudge.cli.evaluate.evaluate", interrupt)
    code, out, err = run("evaluate", "table.csv")
    assert (code, out, err.strip()) == (130, "", "Interrupted.")
    assert [path.name for path in folder.iterdir()] == ["table.csv"]


def test_as_a_process_of_its_own(folder: Path) -> None:
    """Exit codes and streams as a shell sees them: an error, then a reader who leaves after one line."""
    FRAME.write_csv("table.csv")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    start = [sys.executable, "-W", "error::RuntimeWarning", "-m", "adjudge", "evaluate"]
    failed = subprocess.run([*start, "nowhere.csv"], capture_output=True, text=True, env=environment, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("Found:    There is no file nowhere.csv.")
    piped = subprocess.run(
        [
            "bash",
            "-c",
            f'"{sys.executable}" -m adjudge evaluate table.csv --no-report | head -1; echo "${{PIPESTATUS[0]}}"',
        ],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert piped.stdout.startswith("Policy")
    assert piped.stdout.splitlines()[-1] in ("0", "141")
    assert piped.stderr == ""


# -- whatever comes --------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, 0.5, -1.0, 5.0, 1e-300, 1e300]),
    st.floats(0, 1),
    st.integers(-3, 10),
)
CELLS = {
    "policy": st.sampled_from(["a", "b", "c", None, 7, ""]) | st.just("a"),
    "prompt_id": st.integers(0, 6) | st.sampled_from(["x", None]),
    "judge_score": NUMBERS | st.booleans(),
    "gold": st.one_of(st.none(), st.sampled_from([0.0, 1.0]), NUMBERS),
}
USUAL = {
    "policy": st.sampled_from(["a", "b", "c"]),
    "prompt_id": st.integers(0, 9),
    "judge_score": st.floats(0, 1) | st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    "gold": st.none() | st.floats(0, 1) | st.sampled_from([0.0, 1.0]),
}


def _survives(rows: list[dict[str, object]], **options: str) -> None:
    try:
        answer = evaluate(rows, **options)  # type: ignore[arg-type]
    except AdjudgeError:
        return
    found = json.loads(answer.text("json"), parse_constant=lambda word: pytest.fail(f"{word} in the JSON"))
    _finite(found)
    _ordered(found, answer.estimate.bounds)
    for form in ("table", "csv", "md"):
        assert answer.text(form)


# Without shrinking: a failing table is small already, and shrinking one can take minutes.
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


@FUZZ
@given(st.lists(st.fixed_dictionaries(CELLS), max_size=24))
def test_any_cells_give_an_answer_or_three_parts(rows: list[dict[str, object]]) -> None:
    _survives(rows)


@FUZZ
@given(st.lists(st.fixed_dictionaries(USUAL), min_size=1, max_size=60))
def test_small_tables_of_sound_numbers_give_an_answer(rows: list[dict[str, object]]) -> None:
    _survives(rows)


@settings(FUZZ, max_examples=30)
@given(
    st.lists(
        st.fixed_dictionaries(USUAL | {"w": st.floats(0, 1e12), "p": st.floats(1e-9, 1)}), min_size=4, max_size=40
    ),
    st.sampled_from(["auto", "ppi", "ppi_plus", "ppi_cross", "labels_only", "plug_in", "calibrated"]),
)
def test_any_weights_and_propensities_too(rows: list[dict[str, object]], method: str) -> None:
    _survives(rows, weight="w", propensity="p", method=method)


def test_an_argument_of_the_wrong_kind_is_told(run: Callable[..., tuple[int, str, str]]) -> None:
    FRAME.write_csv("table.csv")
    code, _, err = run("evaluate", "table.csv", "--method", "cvar", "--set", "tail=abc", "--no-report")
    assert code == 1
    assert err.startswith("Found:    cvar cannot work with tail='abc'.")
