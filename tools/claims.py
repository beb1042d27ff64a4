"""Runs every script of claims/ and writes docs/claims.md from what each saw.

A script ends with a line `CLAIM 029: reproduced …`, `CLAIM 029: partly …` or `CLAIM 029: not reproduced …`. A claim
that does not reproduce stays in the table and says why; a script that fails or gives no verdict fails the run.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERDICT = re.compile(r"^CLAIM (\d+): (reproduced|partly|not reproduced)\b[\s.,:;–—-]*(.*)$", re.MULTILINE)
HEAD = """<!-- made by `make claims` -->

# Claims, re-run

Each method follows a paper, and each paper claims something. These scripts check the claim in a world where the truth
is known, and the numbers decide the verdict. `make claims` runs them all; a script also runs alone.

| row | script | what is checked | verdict | what was seen |
|--:|---|---|---|---|
"""


def run(script: Path) -> tuple[int, str]:
    """Exit code and everything that a script printed."""
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def line(script: Path, output: str) -> str | None:
    """The script's row of the table; None when it gave no verdict."""
    verdicts = VERDICT.findall(output)
    if not verdicts:
        return None
    number, verdict, seen = verdicts[-1]
    docstring = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    checked = " ".join(docstring.partition("\n\n")[0].split())
    cells = (number, f"`{script.name}`", checked, f"**{verdict}**", seen)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Run the scripts in order of their numbers."""
    rows, failed = [], []
    for script in sorted((ROOT / "claims").glob("[0-9]*.py")):
        started = time.perf_counter()
        code, output = run(script)
        row = line(script, output)
        print(f"{output.rstrip()}\n({script.name}: {time.perf_counter() - started:.1f} s)\n", flush=True)
        if code or row is None:
            failed.append(script.name)
        else:
            rows.append(row)
    (ROOT / "docs" / "claims.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    if failed:
        print(f"No verdict from {', '.join(failed)}.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
