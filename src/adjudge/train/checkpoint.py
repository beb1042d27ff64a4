"""What a run needs to go on as if nothing had happened, kept so that no crash and no full disk can spoil it.

A checkpoint is written to a folder beside its place, forced to the disk, and only then given its name:
`checkpoint-000100/` holds `policy/` (as such policies are published), `state.pt` (optimiser, scale, recipe) and
`run.json` (settings, data, how far). What has that name is whole; what has not is removed. Limits: as exact as the
library's arithmetic is on the machine that goes on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import AdjudgeError
from ..tables.read_run_log import ASK, DUELS, METRICS, SAMPLES, STATE
from .policy import Policy
from .settings import Settings

PARTIAL = ".partial"
FREE = frozenset({"micro", "log_every", "checkpoint_every", "keep"})
"""Settings that may change while a run is interrupted: they change no update."""
LENGTH = frozenset({"epochs", "steps"})
ANEW = "begin anew (--fresh, in Python resume=False)"
LEFT = (METRICS, SAMPLES, DUELS, STATE, ASK)
"""Files that a run leaves beside its checkpoints, and a watch of it."""


def write(out: Path, step: int, policy: Policy, state: Mapping[str, object], record: Mapping[str, object]) -> Path:
    """Keeps an update in `out`.

    Arguments:
        out: folder of the run.
        step: updates done.
        policy: as it is now.
        state: numbers, arrays and tensors, in dicts, lists and tuples.
        record: JSON-ready.

    Raises:
        AdjudgeError: it could not be written, as on a full disk; what was written is removed, earlier ones stand.
    """
    place = _name(out, step)
    partial = place.with_name(place.name + PARTIAL)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "policy").mkdir(parents=True)
        policy.save(partial / "policy")
        torch.save(_packed(state), partial / "state.pt")
        (partial / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
        _to_disk(partial)
        partial.rename(place)
        _sync(out)
    except Exception as error:  # each format raises its own kind where the disk is full
        shutil.rmtree(partial, ignore_errors=True)
        last = latest(out)
        raise AdjudgeError(
            f"train: the checkpoint of update {step:,} could not be written: {error}.",
            f"Room and the right to write in {out}.",
            f"The last good one is {last.name}: make room and start the run again, which goes on from there."
            if last
            else "No earlier one exists: make room and start the run again.",
        ) from error
    return place


def publish(place: Path, policy: Policy) -> None:
    """Writes the policy as it ended to a folder; what stands there is replaced once all is written.

    Raises:
        AdjudgeError: it could not be written, as on a full disk; what stood there stands.
    """
    partial = place.with_name(place.name + PARTIAL)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        policy.save(partial)
        _to_disk(partial)
        for one in sorted(partial.rglob("*")):
            if one.is_file():
                to = place / one.relative_to(partial)
                to.parent.mkdir(parents=True, exist_ok=True)
                one.replace(to)
    except Exception as error:  # each format raises its own kind where the disk is full
        raise AdjudgeError(
            f"train: the policy as it ended could not be written: {error}.",
            f"Room and the right to write in {place.parent}.",
            "Make room and start the run again: its last checkpoint holds this policy, and nothing is trained twice.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def latest(out: Path) -> Path | None:
    """The latest whole checkpoint; None where there is none."""
    return max((one for one in out.glob("checkpoint-*") if one.suffix != PARTIAL), default=None, key=_step)


def sweep(out: Path, *, keep: int) -> None:
    """Removes unfinished checkpoints, and whole ones but the `keep` latest."""
    whole = sorted((one for one in out.glob("checkpoint-*") if one.suffix != PARTIAL), key=_step)
    for one in (*out.glob(f"checkpoint-*{PARTIAL}"), *(whole[: len(whole) - keep] if keep < len(whole) else ())):
        shutil.rmtree(one, ignore_errors=True)


def clear(out: Path) -> None:
    """Removes all that runs, and those who watched them, have left in a folder, and nothing else: answers of a judge
    that were paid for stay."""
    for one in out.glob("checkpoint-*"):
        shutil.rmtree(one, ignore_errors=True)
    shutil.rmtree(out / "tensorboard", ignore_errors=True)
    for file in (*(out / name for name in LEFT), *out.glob("failed_batch*.json")):
        file.unlink(missing_ok=True)


def record(place: Path) -> dict[str, Any]:
    """`run.json` of a checkpoint.

    Raises:
        AdjudgeError: it cannot be read.
    """
    try:
        return dict(json.loads((place / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise _spoilt(place, error) from error


def state(place: Path) -> dict[str, Any]:
    """What a checkpoint holds beside the policy.

    Raises:
        AdjudgeError: it cannot be read.
    """
    try:
        return dict(_unpacked(torch.load(place / "state.pt", map_location="cpu", weights_only=True)))
    except Exception as error:  # each format raises its own kind
        raise _spoilt(place, error) from error


def give(place: Path, policy: Policy) -> None:
    """Gives the policy its weights of a checkpoint.

    Raises:
        AdjudgeError: they cannot be read.
    """
    try:
        policy.load(place / "policy")
    except Exception as error:  # each format raises its own kind
        raise _spoilt(place, error) from error


def check(place: Path, then: Mapping[str, Any], now: Mapping[str, Any], settings: Settings) -> None:
    """That a run goes on with what it began with.

    Raises:
        AdjudgeError: a setting or the data changed; it names the first.
    """
    whole = then["step"] % then["data"].get("updates", 1) == 0  # no update is left of its samples
    longer = settings.schedule == "constant" and not settings.warmup and whole
    before, after = then["settings"], now["settings"]
    changed = [name for name in after if name not in FREE | LENGTH and before.get(name) != after[name]]
    if then["of"] != now["of"] and not longer:
        changed += [name for name in sorted(LENGTH) if before.get(name) != after[name]] or ["the number of rows"]
    pairs = [(name, before.get(name), after.get(name)) for name in changed]
    pairs += [(f"data.{name}", then["data"].get(name), each) for name, each in now["data"].items()]
    for name, was, new in pairs:
        if was != new:
            if name == "data.fingerprint":  # of many words, few of which differ
                was, new = _apart(was, new)
            raise AdjudgeError(
                f"train: {place.parent} holds a run with {name} = {was!r}, and {name} is {new!r} now.",
                "A run goes on with the settings and the data it began with; of these, only memory, logging and, at a "
                "constant rate without warm-up and where no set of samples was cut short, the length may change.",
                f"Change it back, take another folder, or {ANEW}.",
            )


def _apart(was: object, new: object) -> tuple[str, str]:
    """The words in which two texts differ, of each."""
    some, other = str(was).split(), str(new).split()
    kept = [each for each in SequenceMatcher(None, some, other, autojunk=False).get_opcodes() if each[0] != "equal"]
    left = " … ".join(" ".join(some[start:end]) for _, start, end, _, _ in kept)
    return left, " … ".join(" ".join(other[start:end]) for _, _, _, start, end in kept)


def jsonable(settings: Mapping[str, object]) -> dict[str, Any]:
    """Settings as they come back from JSON."""
    return dict(json.loads(json.dumps(settings)))


def _name(out: Path, step: int) -> Path:
    return out / f"checkpoint-{step:06d}"


def _step(place: Path) -> int:
    digits = place.name.partition("-")[2]
    return int(digits) if digits.isdigit() else -1


def _spoilt(place: Path, error: Exception) -> AdjudgeError:
    return AdjudgeError(
        f"train: {place} cannot be read: {error}.",
        "A checkpoint that this policy wrote.",
        f"Remove that folder to go on from the one before it, or {ANEW}.",
    )


def _packed(value: Any) -> Any:
    """Arrays as tensors with a mark, so that reading them back runs no code from the file."""
    if isinstance(value, Mapping):
        return {name: _packed(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_packed(each) for each in value)
    if isinstance(value, np.generic):
        return value.item()
    return {"numpy": torch.from_numpy(np.array(value))} if isinstance(value, np.ndarray) else value


def _unpacked(value: Any) -> Any:
    """What `_packed` was given."""
    if isinstance(value, Mapping):
        if set(value) == {"numpy"}:
            return value["numpy"].cpu().numpy()
        return {name: _unpacked(each) for name, each in value.items()}
    return type(value)(_unpacked(each) for each in value) if isinstance(value, list | tuple) else value


def _to_disk(folder: Path) -> None:
    """Forces a folder and all in it out of the system's memory."""
    for one in (*folder.rglob("*"), folder):
        _sync(one)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
