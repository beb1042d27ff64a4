"""What answers get from the sandbox: right, wrong, leaving early, forging; and what it refuses to begin."""

from __future__ import annotations

import sys

import pytest

from adjudge.backends.sandbox import Outcome, run
from adjudge.errors import AdjudgeError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the barriers are those of Linux")
each_line = pytest.mark.parametrize("namespaces", [True, False], ids=["best", "second-line"])


def tried(code: str, *, tests: str = "", namespaces: bool = True) -> Outcome:
    return run(code, tests=tests, seconds=5.0, namespaces=namespaces, strict=False)


# -- honest answers --------------------------------------------------------------------------------------------------


@each_line
@pytest.mark.parametrize(
    "tests",
    [
        "assert add(2, 3) == 5",
        "def test_add():\n    assert add(2, 3) == 5",
        "import unittest\nclass T(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(2, 3), 5)",
    ],
    ids=["bare", "function", "unittest"],
)
def test_right_code_passes_and_wrong_code_fails(tests: str, namespaces: bool) -> None:
    right = tried("def add(a, b): return a + b", tests=tests, namespaces=namespaces)
    wrong = tried("def add(a, b): return a - b", tests=tests, namespaces=namespaces)
    assert (right.passed, right.status, right.limit) == (True, "passed", None), right.stderr
    assert (wrong.passed, wrong.status) == (False, "failed")
    assert "AssertionError" in wrong.stderr


@each_line
def test_files_output_and_scratch_space(namespaces: bool) -> None:
    code = (
        "import json, os, sys, pathlib\nprint(open('data/a.txt').read())\npathlib.Path('b.txt').write_text('7')\n"
        "print(open('b.txt').read(), os.getcwd() == os.environ['HOME'])\nprint('é', file=sys.stderr)"
    )
    seen = run(code, files={"data/a.txt": "hällo"}, namespaces=namespaces, strict=False)
    assert (seen.passed, seen.stdout, seen.stderr) == (True, "hällo\n7 True\n", "é\n")


@each_line
@pytest.mark.parametrize(
    "leave", ["import os; os._exit(0)", "import sys; sys.exit(0)", "exit_code = 0; raise SystemExit"]
)
def test_leaving_before_the_tests_is_not_passing(leave: str, namespaces: bool) -> None:
    seen = tried(leave, tests="assert False", namespaces=namespaces)
    assert (seen.passed, seen.status) == (False, "exited")


def test_a_forged_report_is_not_believed() -> None:
    code = (
        "import os\nfor number in range(3, 64):\n    try: os.write(number, b'guess word passed\\nguess exit 0\\n')\n"
        "    except OSError: pass\nos._exit(0)"
    )
    assert not tried(code, tests="assert False").passed


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_missing_barrier_is_refused_or_told() -> None:
    with pytest.raises(AdjudgeError, match="no barrier for: network, files, calls"):
        run("print(1)", namespaces=False)
    seen = run("", strict=False, namespaces=False)
    assert (seen.passed, seen.network_isolated, seen.files_isolated, seen.calls_filtered) == (True, False, False, False)


@pytest.mark.parametrize(("name", "value"), [("memory_mb", 1), ("disk_mb", 0), ("processes", 0), ("output_bytes", 0)])
def test_limits_out_of_range(name: str, value: int) -> None:
    with pytest.raises(AdjudgeError, match=name):
        run("", **{name: value})
    with pytest.raises(AdjudgeError, match="seconds"):
        run("", seconds=float("nan"))
