"""What `watch` remembers between two calls: which responses it asked about, in which order, and what gold said.

Evidence is not stored but made again from the labels in their order, so that no label is staked twice and the state
cannot disagree with itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import AdjudgeError
from ..reports.files import write

KIND, VERSION = "adjudge watch", 1
STOP, KEEP = "stop", "keep"


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt at two checkpoints.

    Arguments:
        earlier, later: steps by their own numbers.
        item: id of the prompt.
        use: `stop`, staked on STOP; `keep`, asked to know which checkpoint to keep.
        gold: labels at both; NaN where gold could say nothing; None while they are waited for.
    """

    earlier: float
    later: float
    item: str
    use: str
    gold: tuple[float, float] | None = None

    @property
    def counts(self) -> bool:
        """Whether both labels are numbers."""
        return self.gold is not None and not math.isnan(sum(self.gold))


@dataclass(frozen=True, slots=True)
class Saved:
    """A watch so far.

    Arguments:
        bounds: range of gold.
        level: 1 − the rate of false STOPs.
        seed: of the choice of prompts.
        closed: the last step that nothing more is asked about; −∞ before the first.
        pairs: in the order of asking.
        plan: how the loop looks, where one does: option -> value; `gold` is who gives labels at once, "" for people.
    """

    bounds: tuple[float, float] = (0.0, 1.0)
    level: float = 0.95
    seed: int = 0
    closed: float = -math.inf
    pairs: tuple[Pair, ...] = ()
    plan: Mapping[str, int | str] = field(default_factory=dict)

    def save(self, path: Path) -> Path:
        """Writes the state as JSON, whole or not at all."""
        body = {
            "kind": KIND,
            "version": VERSION,
            "bounds": list(self.bounds),
            "level": self.level,
            "seed": self.seed,
            "closed": None if math.isinf(self.closed) else self.closed,
            "pairs": [
                {
                    "earlier": one.earlier,
                    "later": one.later,
                    "item": one.item,
                    "use": one.use,
                    "gold": None if one.gold is None else [None if math.isnan(g) else g for g in one.gold],
                }
                for one in self.pairs
            ],
            **({"plan": dict(self.plan)} if self.plan else {}),
        }
        return write(path, json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def load(path: Path, asked: Saved) -> Saved:
    """The watch in a state file; `asked` where there is none.

    Errors: a file of another kind; one begun with another range, level or seed, which are fixed for the guarantee; one
    of a loop that looked otherwise.
    """
    if not path.exists():
        return asked
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["kind"] != KIND or body["version"] != VERSION:
            raise ValueError("it is of another kind or version")
        pairs = tuple(
            Pair(float(one["earlier"]), float(one["later"]), str(one["item"]), str(one["use"]), _labels(one["gold"]))
            for one in body["pairs"]
        )
        low, high = body["bounds"]
        closed = -math.inf if body["closed"] is None else float(body["closed"])
        found = Saved((float(low), float(high)), float(body["level"]), int(body["seed"]), closed, pairs,
                      dict(body.get("plan", {})))  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise AdjudgeError(
            f"state {path}: it cannot be read as a watch ({why}).",
            "A file that `adjudge watch` wrote.",
            "Restore it, or delete it to begin a new watch with new labels.",
        ) from None
    if (found.bounds, found.level, found.seed) != (asked.bounds, asked.level, asked.seed):
        raise AdjudgeError(
            f"state {path}: the watch began with range {found.bounds}, level {found.level:g} and seed {found.seed}.",
            f"The same in every call; here they are {asked.bounds}, {asked.level:g} and {asked.seed}.",
            "Give the options of the first call, or delete the file to begin a new watch with new labels.",
        )
    for name, now in asked.plan.items():
        was = found.plan.get(name, "")
        if was not in ("", now):
            raise AdjudgeError(
                f"state {path}: the watch began with {name} = {was!r}, and {name} is {now!r} now.",
                "A watch goes on as it began: labels count alike, and none is left out.",
                "Change it back, name another folder, or begin anew (--fresh; resume=False).",
            )
    return replace(found, plan=asked.plan) if asked.plan else found


def watched_by_loop(path: Path) -> bool:
    """Whether a state file is of a loop that watched itself, which stopped by it."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("plan"))
    except (OSError, ValueError, AttributeError):
        return False


def _labels(gold: list[float | None] | None) -> tuple[float, float] | None:
    if gold is None:
        return None
    one, two = (math.nan if each is None else float(each) for each in gold)
    return one, two
