"""`adjudge judge` as a user types it: servers, juries, interruptions, stores, folders; keys are written nowhere."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from adjudge.cli.main import main
from backends.chat_server import completion, serving

KEY = "sk-never-to-be-seen-7Q"
RUN = [sys.executable, "-c", "import sys; from adjudge.cli.main import main; sys.exit(main())", "judge"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    Path("m.py").write_text(
        "import time\n"
        'def first(text): return \'{"verdict": "A"}\'\n'
        "def slow(text):\n    time.sleep(0.2)\n    with open('calls', 'a') as f: f.write('x')\n"
        '    return \'{"verdict": "A"}\'\n'
    )
    rows = [{"id": at // 2, "prompt": f"{at}?"[-2:], "model": "ab"[at % 2], "response": f"{at}"} for at in range(40)]
    rows = [{**row, "prompt": f"{row['id']}+1?"} for row in rows]
    Path("r.jsonl").write_text("\n".join(json.dumps(row) for row in rows))


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_prompts_stand_in_the_run_with_version_and_hash_and_the_key_stands_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        server.script = [("body", completion('{"verdict": "A"}'))] * 19 + [("status", 401)]
        models = ["--model", f"tiny@{server.url}", "--concurrency", "1"]
        assert main(["judge", "r.jsonl", *models, "--out", "o"]) == 1  # the key is refused at the last
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
        server.script = [("body", completion('{"verdict": "B"}'))]
        assert main(["judge", "r.jsonl", *models, "--out", "o"]) == 0
        assert len(server.bodies) == 21  # 20 questions, one of them asked twice
    run = json.loads(Path("o/run.json").read_text())
    assert run["settings"]["prompts"]["pairwise"].startswith("pairwise 1 (")
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err
    assert KEY.encode() not in everything(tmp_path)


def test_a_key_in_a_models_address_is_refused_and_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for word in (f"tiny@http://me:{KEY}@127.0.0.1:9/v1", f"http://127.0.0.1:9/v1?key={KEY}"):
        assert main(["judge", "r.jsonl", "--model", word, "--out", "o"]) == 1
        assert KEY not in capsys.readouterr().err
        assert not Path("o").exists() or KEY.encode() not in everything(Path("o"))


def test_a_jury_goes_on_without_a_member_that_always_fails(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--model", "python:m.py:first", "--model", "tiny@http://127.0.0.1:9/v1", "--tries", "1"]
    assert main(["judge", "r.jsonl", *words, "--out", "o"]) in (0, 2)
    said = capsys.readouterr().out
    assert "gave no answer to 20 of 20 questions (connection failed 20 times); there the others decide alone" in (
        " ".join(said.split())
    )
    votes = pl.read_parquet("o/votes.parquet")
    assert votes.filter(pl.col("rater") == "python:m.py:first")["outcome"].is_not_nan().all()


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_that_was_stopped_goes_on_and_pays_nothing_twice(sent: signal.Signals, code: int) -> None:
    words = ["r.jsonl", "--model", "python:m.py:slow", "--out", "o"]
    process = subprocess.Popen(
        [*RUN, *words, "--concurrency", "1"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a job in the background is deaf to it
    )
    until = time.monotonic() + 60
    while (not Path("calls").exists() or len(Path("calls").read_text()) < 3) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if sent is signal.SIGINT:
        assert b"type the same command to go on" in said
    with sqlite3.connect("o/replies.sqlite") as store:
        kept = store.execute("SELECT count(*) FROM replies").fetchone()[0]
    store.close()
    before = len(Path("calls").read_text())
    assert before - 1 <= kept <= before  # the call under way may be lost
    assert main(["judge", *words]) == 0
    assert len(Path("calls").read_text()) == before + 20 - kept


def test_a_changed_prompt_is_asked_again_and_an_unchanged_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = "version = 1\nsystem = 'Judge.'\nuser = '''{{ answers[0].text | data('answer_A') }}'''\n"
    asked = []
    for text in (prompt, prompt, prompt.replace("Judge", "Judge well")):
        Path("p.toml").write_text(text)
        main(["judge", "r.jsonl", "--model", "python:m.py:first", "--template", "p.toml", "--format", "json"])
        capsys.readouterr()
        run = json.loads(Path("adjudge-report/run.json").read_text())
        asked.append((run["data"]["p.toml"], run["settings"]["prompts"]["p"]))
    assert asked[0] == asked[1] != asked[2]


@pytest.mark.parametrize(
    "words",
    [
        ["--store", "r.jsonl"],
        ["--store", "nowhere/x.sqlite"],
        ["--out", "r.jsonl"],
        ["--template", "bad.toml"],
        ["--template", "loop.toml"],
        ["--samples", "0"],
        ["--limit", "-1"],
        ["--tokens", "nan"],
        ["--budget", "5"],
        ["--as", "lists"],
    ],
)
def test_mistakes_are_told_in_three_parts_and_no_input_is_changed(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.toml").write_text("version = 1\nsystem = ''\nuser = '{{ nope }}'\n")
    Path("loop.toml").write_text("version = 1\nsystem = ''\nuser = '{% for i in range(10**12) %}x{% endfor %}'\n")
    before = Path("r.jsonl").read_bytes()
    assert main(["judge", "r.jsonl", "--model", "python:m.py:first", *words]) == 1
    said = capsys.readouterr().err
    assert all(part in said for part in ("Found:", "Expected:", "Do:"))
    assert Path("r.jsonl").read_bytes() == before


def test_the_report_may_lie_beside_its_input_and_never_over_it(capsys: pytest.CaptureFixture[str]) -> None:
    table = pl.read_ndjson("r.jsonl")
    Path("in").mkdir()
    table.write_parquet("in/verdicts.parquet")
    assert main(["judge", "in/verdicts.parquet", "--model", "python:m.py:first", "--out", "in"]) == 1
    assert "it is the input file" in capsys.readouterr().err
    assert pl.read_parquet("in/verdicts.parquet").equals(table)


def test_people_fill_in_a_sheet_that_is_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["judge", "r.jsonl", "--protocol", "people", "--set", "sheet=s.csv", "--limit", "2"]
    assert main(words) == 0
    assert "Fill in the sheet" in capsys.readouterr().out
    sheet = pl.read_csv("s.csv", infer_schema=False)
    verdict = next(name for name in sheet.columns if name.startswith("verdict"))
    sheet.with_columns(pl.lit("4").alias(verdict)).write_csv("s.csv")
    assert main(words) == 0
    assert pl.read_parquet("adjudge-report/verdicts.parquet")["score"].to_list() == [4.0, 4.0]
