"""The tools behind `make new` and `make claims`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from adjudge.catalogue import FAMILIES

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


@pytest.mark.parametrize("family", FAMILIES)
def test_new_writes_stubs_that_fail_until_they_are_written(family: str, tmp_path: Path) -> None:
    import new

    (tmp_path / "docs").mkdir()
    module, test, index = new.write(tmp_path, f"{family}.switch")
    text = module.read_text(encoding="utf-8")
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert functions == [FAMILIES[family].verb]
    assert 'answers=""' in text  # which test_house.py refuses
    assert "NotImplementedError" in text  # and this too
    assert "pytest.fail" in test.read_text(encoding="utf-8")
    assert f"`{family}.switch`" in index.read_text(encoding="utf-8")
    linted = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "E,F,I",
            "--line-length",
            "120",
            module,
            test,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0 or "No module named ruff" in linted.stderr, linted.stdout


def test_new_never_overwrites(tmp_path: Path) -> None:
    import new

    (tmp_path / "docs").mkdir()
    new.write(tmp_path, "value.switch")
    with pytest.raises(SystemExit, match="exists"):
        new.write(tmp_path, "value.switch")


@pytest.mark.parametrize("address", ["", "switch", "nowhere.switch", "value.Switch", "value.", "value._switch"])
def test_new_wants_an_address(address: str, tmp_path: Path) -> None:
    import new

    with pytest.raises(SystemExit, match=r"not family\.method"):
        new.write(tmp_path, address)


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        (
            "x\nCLAIM 029: reproduced – 0.95 of 2,000",
            "| 029 | `029_x.py` | Checks it. | **reproduced** | 0.95 of 2,000 |",
        ),
        ("CLAIM 029: not reproduced, a|b", "| 029 | `029_x.py` | Checks it. | **not reproduced** | a\\|b |"),
        ("CLAIM 029: maybe", None),
        ("", None),
    ],
)
def test_claims_reads_the_verdict(output: str, verdict: str | None, tmp_path: Path) -> None:
    import claims

    script = tmp_path / "029_x.py"
    script.write_text('"""Checks\nit.\n\nMore.\n"""\n', encoding="utf-8")
    assert claims.line(script, output) == verdict
