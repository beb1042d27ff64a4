"""Runs judged code, and unit tests over it, in a process that can reach nothing and lasts only a moment.

What holds, and where:

- **Linux with namespaces** (root, or an ordinary user where the kernel lets users make user namespaces; x86-64 and
  ARM64, kernel 5.12 or later): own mount, process, network, user and IPC namespaces. The code sees a root of its own:
  the interpreter and the system's libraries (`/usr`, `/lib`), read-only, and one folder in memory of `disk_mb`. It runs
  without any capability, never as root; a system-call filter refuses new namespaces, mounts, tracing and hidden memory.
  When it ends, the kernel ends every process that it started. `network_isolated`, `files_isolated` and
  `calls_filtered` are True.
- **Elsewhere** (macOS, a container that forbids namespaces): limits of the kernel where there are any, an empty
  environment, a folder of its own, a wall clock, and an audit hook inside Python that refuses sockets, foreign files
  and new processes. Native code can pass such a hook, so the flags are False; `strict=True` (the default) refuses to
  run there.

Limits: the judged code shares an interpreter with its tests, so a hostile answer that hunts through the interpreter
can forge its own verdict (leaving early, `os._exit(0)` included, never passes); it cannot reach your machine by that.
Memory is bounded per process, hence by `processes` × `memory_mb` + `disk_mb` in all. A hole in the kernel is a hole in
the wall: for code written by an enemy rather than a model, put a virtual machine around it. Windows is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adjudge.errors import AdjudgeError

REPORT_BYTES = 65_536
CHILD = Path(__file__).with_name("sandbox_child.py")


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Arguments:
        passed: the code and all its tests ran to their end, and nothing was raised.
        status: "passed", "failed" (something was raised), "exited" (left before the tests' end), "killed" or "limit".
        stdout: what it wrote, at most `output_bytes` bytes; data, never instructions.
        stderr: the same for its errors.
        seconds: wall-clock time, s.
        limit: the argument whose limit ended it, e.g. "seconds"; None otherwise.
        network_isolated: no packet could leave: the kernel gave it a network of its own with nothing in it.
        files_isolated: the files of this machine were not there.
        calls_filtered: the system-call filter stood.
    """

    passed: bool
    status: str
    stdout: str
    stderr: str
    seconds: float
    limit: str | None
    network_isolated: bool
    files_isolated: bool
    calls_filtered: bool


def run(
    code: str,
    *,
    tests: str = "",
    files: Mapping[str, str] | None = None,
    seconds: float = 10.0,
    memory_mb: int = 512,
    disk_mb: int = 64,
    output_bytes: int = 65_536,
    processes: int = 1,
    strict: bool = True,
    namespaces: bool = True,
) -> Outcome:
    """Run `code`, then `tests` in the same module, behind the barriers told at the head of this file.

    Limits: only the standard library is there; nothing installed beside it can be imported.

    Arguments:
        code: the judged answer, Python.
        tests: Python run after it: bare asserts, functions `test_…` without arguments, or `unittest` cases.
        files: name -> text, laid into its folder first; names are relative and stay inside.
        seconds: wall clock, > 0; every process of the run is killed after it.
        memory_mb: address space per process, MiB, >= 64.
        disk_mb: its folder, MiB, >= 1; without namespaces, each file.
        output_bytes: cap on each of stdout and stderr, bytes; past it, the run is ended.
        processes: processes and threads at one time, >= 1.
        strict: refuse to run where a barrier cannot be had.
        namespaces: False leaves only the second line (then `strict` must be False).

    Raises:
        AdjudgeError: on Windows, on a limit out of range, on a file name that leaves the folder, and with `strict`
            where a barrier cannot be had.

    >>> run("def double(x): return 2 * x", tests="assert double(3) == 6", strict=False).passed
    True
    """
    plan = _plan(seconds, memory_mb, disk_mb, output_bytes, processes, files or {})
    plan |= {"code": code, "tests": tests, "strict": strict, "namespaces": namespaces, "nonce": secrets.token_hex(16)}
    with tempfile.TemporaryDirectory(prefix="adjudge-", ignore_cleanup_errors=True) as folder:
        return _outcome(plan, folder, seconds, output_bytes)


def _plan(
    seconds: float, memory_mb: int, disk_mb: int, output_bytes: int, processes: int, files: Mapping[str, str]
) -> dict[str, object]:
    if os.name != "posix":
        raise AdjudgeError(
            "sandbox: this is not a POSIX system.",
            "Judged code runs only where the system can fence it in.",
            "Run it on Linux.",
        )
    least = {"memory_mb": 64, "disk_mb": 1, "output_bytes": 1, "processes": 1}
    limits = {"memory_mb": memory_mb, "disk_mb": disk_mb, "output_bytes": output_bytes, "processes": processes}
    for name, value in limits.items():
        if value < least[name]:
            raise AdjudgeError(f"sandbox.{name} is {value}.", f"It must be >= {least[name]}.", f"Raise {name}.")
    if not 0 < seconds < float("inf"):
        raise AdjudgeError(f"sandbox.seconds is {seconds}.", "It must be positive and finite.", "Say seconds=10.")
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise AdjudgeError(
                f"sandbox.files: {name!r} leaves the folder.", "Names are relative, without '..'.", "Rename it."
            )
    return {**limits, "seconds": seconds, "files": dict(files)}


def _outcome(plan: dict[str, object], folder: str, seconds: float, output_bytes: int) -> Outcome:
    reading, writing = os.pipe()
    plan = {**plan, "folder": os.path.realpath(folder), "report": writing}
    started = time.monotonic()
    with os.fdopen(reading, "rb", buffering=0) as report, tempfile.TemporaryFile() as text:
        try:
            text.write(json.dumps(plan).encode())
            text.seek(0)
            child = subprocess.Popen(
                [os.path.realpath(sys.executable), "-I", "-S", "-B", str(CHILD)],
                stdin=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env={"HOME": folder, "LANG": "C.UTF-8", "PATH": "/usr/bin"},
                pass_fds=(writing,),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        try:
            caps = {"stdout": output_bytes, "stderr": output_bytes, "report": REPORT_BYTES}
            streams = {"stdout": child.stdout, "stderr": child.stderr, "report": report}
            told, limit = _read(child, {name: stream.fileno() for name, stream in streams.items() if stream}, caps,
                                started + seconds)  # fmt: skip
        finally:
            _end(child)
    return _verdict(told, limit, str(plan["nonce"]), time.monotonic() - started, strict=bool(plan["strict"]))


def _read(
    child: subprocess.Popen[bytes], streams: dict[str, int], caps: dict[str, int], deadline: float
) -> tuple[dict[str, bytes], str | None]:
    """Read what comes until the box has ended, the clock has run out or a cap is passed; never more than the caps."""
    told = {name: bytearray() for name in streams}
    with selectors.DefaultSelector() as waiting:
        for name, number in streams.items():
            waiting.register(number, selectors.EVENT_READ, name)
        while waiting.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return {name: bytes(text) for name, text in told.items()}, "seconds"
            ready = waiting.select(min(left, 0.05))
            for key, _ in ready:
                piece = os.read(key.fd, 65_536)
                if not piece:
                    waiting.unregister(key.fd)
                    continue
                told[key.data] += piece[: caps[key.data] - len(told[key.data]) + 1]
                if len(told[key.data]) > caps[key.data]:
                    del told[key.data][caps[key.data] :]
                    return {name: bytes(text) for name, text in told.items()}, "output_bytes"
            if not ready and child.poll() is not None:
                break  # a process that outlived the box may hold the pipes open: nobody waits for it
    return {name: bytes(text) for name, text in told.items()}, None


def _end(child: subprocess.Popen[bytes]) -> None:
    """Have the builder end the box and wait for its last process; then kill whatever is left of the group."""
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=0.5)
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        child.kill()  # macOS denies a group that is already dead; as root-born nobody, the builder alone is enough
    child.wait()
    for stream in (child.stdout, child.stderr):
        if stream:
            stream.close()


def _verdict(told: dict[str, bytes], limit: str | None, nonce: str, seconds: float, *, strict: bool) -> Outcome:
    lines = [line.split(" ", 2) for line in told["report"].decode(errors="replace").splitlines()]
    said = {line[1]: line[2] for line in lines if len(line) == 3 and line[0] == nonce}
    stands = json.loads(said.get("stands", "{}"))
    flags = [bool(stands.get(name)) for name in ("network", "files", "calls")]
    if strict and "stands" in said and not all(flags):
        missing = ", ".join(name for name in ("network", "files", "calls") if not stands[name])
        raise AdjudgeError(
            f"sandbox: this system grants no barrier for: {missing}.",
            "Judged code runs behind namespaces and a system-call filter of Linux.",
            "Allow user namespaces, or say strict=False and trust the code.",
        )
    if "stands" not in said and limit is None:
        raise AdjudgeError(
            f"sandbox: it could not be built: {told['stderr'].decode(errors='replace')[-300:]!r}.",
            "A bare interpreter starts and reads its plan.",
            "Check memory and the number of processes of this user.",
        )
    word, ended = said.get("word", ""), said.get("exit", "")
    if limit is None and word == "memory":
        limit = "memory_mb"
    if limit is None and word == "":
        limit = {str(-signal.SIGXCPU): "seconds", str(-signal.SIGXFSZ): "disk_mb"}.get(ended)
    status = "limit" if limit else word or ("exited" if ended.isdigit() else "killed")
    stdout, stderr = (told[name].decode(errors="replace") for name in ("stdout", "stderr"))
    return Outcome(status == "passed" and ended == "0", status, stdout, stderr, seconds, limit, *flags)
