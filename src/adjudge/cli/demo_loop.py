"""Show the whole loop in a world that knows the truth: judge, audit, evaluate, optimise, watch, evaluate."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from ..flows.demo_loop import demo_loop
from ..flows.demo_world import QUICK, Size, Told
from ._help import examples
from ._output import written


@click.command(
    name="demo-loop",
    epilog=examples(
        "adjudge demo-loop",
        "adjudge demo-loop --seed 1 --out out/demo-loop-1",
        "adjudge demo-loop --ablation",
        "adjudge demo-loop --quick",
    ),
)
@click.option(
    "--out", type=click.Path(path_type=Path), default="out/demo-loop", show_default=True, metavar="FOLDER",
    help="Where the runs and the page go; a run that was interrupted goes on from there.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything.")
@click.option("--quick", is_flag=True, help="In seconds, and so small that it shows no more than that it runs.")
@click.option(
    "--ablation", is_flag=True,
    help="Climb with some of the corrections only, too, and tell which does the work; it doubles the time.",
)  # fmt: skip
def command(out: Path, seed: int, quick: bool, ablation: bool) -> int:
    """Improve a small language model on a judge who likes length, and see what is true.

    It is trained from nothing, here; nothing is downloaded. The page says what the audit found, where the monitor
    stopped the judge alone, and what corrected feedback is worth instead, in gold. It takes minutes on two cores.
    """
    with _bars() as tell:
        answer = demo_loop(out, seed=seed, size=QUICK if quick else Size(), tell=tell, ablation=ablation)
    written(answer, "table", out, False)
    return 0


@contextmanager
def _bars() -> Iterator[Told]:
    """A bar for each part, on the error stream; silent in a pipe."""
    console = Console(file=sys.stderr)
    bars = Progress(console=console, disable=not console.is_terminal)
    tasks: dict[str, TaskID] = {}

    def tell(what: str, done: int, of: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=of)
        bars.update(tasks[what], completed=done, total=of)

    with bars:
        yield tell
