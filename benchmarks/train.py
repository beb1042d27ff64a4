"""How fast is a step of DPO, and what does it hold: beside TRL's trainer and two loops written by hand, in turn.

    make bench BENCH=train          the tables below, and docs/speed_train.md
    python -m benchmarks.train --pairs 64 --rounds 1

Each run is a process of its own with two threads (benchmarks.train_sides), the sides one after the other, round by
round, so that what else the machine does falls on all alike. Ratios are within a round. Where there is a GPU, all sides
use it, and memory is the GPU's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from .train_sides import BATCH, PROMPT, RESPONSE, WORDS

PAGE = Path(__file__).parent.parent / "docs" / "speed_train.md"
SIDES = {
    "ours": "Adjudge",
    "hand": "by hand, all that helps",
    "plain": "by hand, as one writes it first",
    "trl": "TRL's DPOTrainer, float32, no checkpointing",
}
REFERENCES = {"live": "The reference asked at each step", "precomputed": "The reference asked once, before"}
Told = dict[str, float]


def run(side: str, reference: str, pairs: int, threads: int) -> Told | None:
    """What one run of a side told; None where it has not what it needs."""
    words = [sys.executable, "-W", "ignore", "-m", "benchmarks.train_sides", side, "--reference", reference]
    words += ["--pairs", str(pairs), "--threads", str(threads)]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": str(threads)}
    )
    if done.returncode:
        print(f"left out: {side} ({(done.stderr.strip().splitlines() or ['?'])[-1]})", flush=True)
        return None
    told: Told = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"{reference:12} {side:6}", {name: told[name] for name in ("wall", "cpu", "warm", "peak", "mean")}, flush=True
    )
    return told


def speed(told: Told, *, whole: bool = False) -> float:
    """Tokens of pairs a second, those of the prompt counted with each response; `whole` counts the asking before."""
    return told["tokens"] / (told["wall"] + (told["warm"] if whole else 0.0))


def memory(told: Told) -> float:
    return told["cuda"] or told["peak"]


def spread(values: list[float], form: str) -> str:
    """Median, and the least and most where there are several."""
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({format(min(values), form)} to {format(max(values), form)})"


def table(rounds: list[dict[str, Told]], reference: str) -> list[str]:
    """One table: a line a side, ratios to the best loop by hand."""
    once = reference == "precomputed"
    names = ["side", "tokens/s", *(["with the asking"] if once else []), "of the best by hand", "CPU s", "peak MB"]
    names.append("first loss")
    rule = [":--", *["--:"] * (len(names) - 1)]
    lines = [f"## {REFERENCES[reference]}", "", f"| {' | '.join(names)} |", f"|{'|'.join(rule)}|"]
    for side, name in SIDES.items():
        told = [each[side] for each in rounds if side in each]
        if not told:
            continue
        ratio = [speed(each[side]) / speed(each["hand"]) for each in rounds if side in each and "hand" in each]
        cells = [name, spread([speed(each) for each in told], ",.0f")]
        cells += [spread([speed(each, whole=True) for each in told], ",.0f")] if once else []
        cells += [spread(ratio, ".0%") if ratio else "–", spread([each["cpu"] for each in told], ".1f")]
        cells += [spread([memory(each) for each in told], ",.0f"), f"{told[0]['first']:.6f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def head(pairs: int, rounds: int, threads: int, device: str) -> list[str]:
    place = f"on one {device}" if device else f"with {threads} threads on {os.cpu_count()} {platform.machine()} cores"
    return [
        "<!-- made by `make bench BENCH=train` -->", "",
        "# How fast is a step of DPO?", "",
        f"A Llama of 4 layers, 256 wide, 4 heads and {WORDS:,} words, 5.3 million random weights; {pairs} pairs of "
        f"{PROMPT + RESPONSE} tokens, {PROMPT} of them the prompt's; {BATCH} pairs a step, one pass, AdamW, float32,",
        f"gradients no longer than 1. {place[0].upper()}{place[1:]}, each run in a process of its own, {rounds} rounds "
        "in turn: medians, with the least and most.",
        f"Python {platform.python_version()}, torch {version('torch').partition('+')[0]}, transformers "
        f"{version('transformers')}, TRL {version('trl')}. Ratios, taken within a round, matter more than seconds.", "",
    ]  # fmt: skip


TAIL = [
    "A token is counted with each response, the prompt's twice, whatever a side does with it. All that helps, by hand,",
    "is: the prompt read once for both responses, the head on responses alone, fused AdamW. Such a loop has no",
    "metrics, no checkpoints and no resuming; ours has, and TRL's. TRL's defaults, bfloat16 and gradient",
    "checkpointing, are made for other machines and not shown. Peak is the process's whole memory, Python and",
    "torch, about 415 MB, included. A first loss of log 2 = 0.693147 says that the reference is the policy itself.",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=SIDES)
    given = parser.parse_args()
    body, device = [], ""
    for reference in REFERENCES:
        rounds: list[dict[str, Told]] = []
        for _ in range(given.rounds):
            told = {side: run(side, reference, given.pairs, given.threads) for side in given.sides}
            rounds.append({side: each for side, each in told.items() if each is not None})
        device = next((str(each["device"]) for each in rounds[0].values()), device)
        body += table(rounds, reference)
    text = "\n".join([*head(given.pairs, given.rounds, given.threads, device), *body, *TAIL]) + "\n"
    print(text)
    if given.pairs >= 512 and len(given.sides) == len(SIDES):
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
