"""Builds the box around judged code and runs it there: the far side of `sandbox`, in a bare interpreter.

Three processes: the builder (outside), a first process of the box (it only waits, and its death ends every process of
the box), and the judged one. It imports nothing of the house, since the house is not there.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys
import traceback
import types
from pathlib import Path
from typing import Any

NEW_MOUNTS, NEW_NAMES, NEW_IPC, NEW_USERS, NEW_PIDS, NEW_NET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
SPACES = NEW_MOUNTS | NEW_NAMES | NEW_IPC | NEW_PIDS | NEW_NET
NOSUID, NODEV, BIND, REC, PRIVATE, DETACH = 2, 4, 4096, 16384, 1 << 18, 2
DEATH_SIGNAL, SECCOMP, BOUNDING_DROP, NO_NEW_PRIVILEGES = 1, 22, 24, 38
NOBODY, OWN_FOLDER = 65534, "/box"
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
MOUNT_SETATTR, CLONE3 = 442, 435
REFUSED = {  # unshare, setns, mount, umount2, ptrace, bpf, perf, keys, memory files and System V memory
    "x86_64": (272, 308, 165, 166, 101, 321, 298, 248, 249, 250, 319, 29, 68, 64, 310, 311, 323),
    "aarch64": (97, 268, 40, 39, 117, 280, 241, 217, 218, 219, 279, 194, 186, 190, 270, 271, 282),
}
REFUSED_EVERYWHERE = (
    425,
    426,
    427,
    428,
    429,
    430,
    431,
    432,
    433,
    442,
    447,
)  # io_uring, the new mount calls, secret memory
CLONE = {"x86_64": (0xC000003E, 56), "aarch64": (0xC00000B7, 220)}
STARTS = ("os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec", "os.spawn", "subprocess.", "pty.")
FOREIGN = ("socket.", "ctypes.", "os.kill", "signal.pthread_kill", "syslog.")
WRITES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
          "os.chown", "os.utime", "os.chdir", "os.listdir", "os.scandir", "shutil.", "os.setxattr")  # fmt: skip


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


def _enter(libc: Any) -> bool:
    """New namespaces; True where they were made by the true root, who must still give up being root."""
    if os.geteuid() == 0 and libc.unshare(SPACES) == 0:
        return True
    user, group = os.geteuid(), os.getegid()
    _checked(libc.unshare(SPACES | NEW_USERS))
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(text)
    return False


def _mount(libc: Any, source: str, target: str, *, kind: str = "", flags: int = 0, options: str = "") -> None:
    words = (word.encode() if word else None for word in (source, target, kind))
    _checked(libc.mount(*words, ctypes.c_ulong(flags), options.encode() if options else None))


def _read_only(libc: Any, path: str, *, deep: bool) -> None:
    attributes = struct.pack("QQQQ", 1 | NOSUID | NODEV, 0, 0, 0)
    _checked(libc.syscall(MOUNT_SETATTR, -100, path.encode(), 0x8000 if deep else 0, attributes, len(attributes)))


def _furnish(libc: Any, root: str, disk_mb: int) -> None:
    """A root of our own: interpreter and system libraries read-only, three devices, one small folder to write."""
    _mount(libc, "", "/", flags=REC | PRIVATE)
    _mount(libc, "tmpfs", root, kind="tmpfs", flags=NOSUID | NODEV, options="size=1m,mode=755")
    for source in dict.fromkeys(("/usr", "/lib", "/lib64", os.path.realpath(sys.base_prefix))):
        target = root + source
        if Path(source).is_symlink():
            Path(target).symlink_to(Path(source).readlink())
        elif Path(source).is_dir() and not Path(target).exists():
            Path(target).mkdir(parents=True)
            _mount(libc, source, target, flags=BIND | REC)
            _read_only(libc, target, deep=True)
    Path(root + "/dev").mkdir()
    for name in ("/dev/null", "/dev/zero", "/dev/urandom"):
        Path(root + name).touch()
        _mount(libc, name, root + name, flags=BIND)
    Path(root + OWN_FOLDER).mkdir()
    Path(root + "/tmp").symlink_to(OWN_FOLDER)
    limits = f"size={disk_mb}m,nr_inodes=4096,mode=777"
    _mount(libc, "tmpfs", root + OWN_FOLDER, kind="tmpfs", flags=NOSUID | NODEV, options=limits)
    os.chdir(root)
    _checked(libc.syscall(PIVOT_ROOT[platform.machine()], b".", b"."))
    _checked(libc.umount2(b".", DETACH))
    os.chdir("/")
    _read_only(libc, "/", deep=False)


def _disarm(libc: Any) -> None:
    """No capability is left, and no program started from here can gain one."""
    for capability in range(64):
        libc.prctl(BOUNDING_DROP, capability, 0, 0, 0)
    _checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24)))


def _refuse_calls(libc: Any) -> None:
    """A seccomp filter: calls that make namespaces, mounts, hidden memory or trace others answer EPERM."""
    architecture, clone = CLONE[platform.machine()]
    refused = sorted({*REFUSED[platform.machine()], *REFUSED_EVERYWHERE})
    denied, allowed = 0x00050001, 0x7FFF0000
    lines = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0)]
    lines += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, denied)]  # the x32 door to the same calls
    lines += [(0x15, 0, 1, CLONE3), (0x06, 0, 0, 0x00050000 | 38)]  # "unknown": libc falls back to clone
    for number in refused:
        lines += [(0x15, 0, 1, number), (0x06, 0, 0, denied)]
    spaces = SPACES | NEW_USERS | 0x02000000
    lines += [(0x15, 0, 3, clone), (0x20, 0, 0, 16), (0x45, 0, 1, spaces), (0x06, 0, 0, denied), (0x06, 0, 0, allowed)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    header = struct.pack("HxxxxxxP", len(lines), ctypes.addressof(program))
    _checked(libc.prctl(SECCOMP, 2, header, 0, 0))


def isolate(plan: dict[str, Any]) -> dict[str, bool]:
    """Raise what barriers the kernel grants; say which stand."""
    stands = {"network": False, "files": False, "calls": False}
    if not (plan["namespaces"] and sys.platform == "linux" and platform.machine() in PIVOT_ROOT):
        return stands
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(OSError):
        was_root = _enter(libc)
        stands["network"] = True
        with contextlib.suppress(OSError):
            _furnish(libc, plan["folder"], plan["disk_mb"])
            stands["files"] = True
        if was_root and stands["files"]:  # without a root of our own, nobody might not read the interpreter
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            _checked(libc.unshare(NEW_USERS))  # processes are counted per user namespace, hence per box
        _disarm(libc)
        with contextlib.suppress(OSError):
            _refuse_calls(libc)
            stands["calls"] = True
    return stands


def _watch(folder: str, processes: int) -> None:
    """The second line: an audit hook. It holds against ordinary Python, not against a determined attacker."""
    readable = tuple({os.path.realpath(place) + os.sep for place in (folder, sys.base_prefix, "/usr", "/lib", "/dev")})
    own = os.path.realpath(folder)

    def inside(path: object, *, writes: bool) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return not writes or isinstance(path, int)
        place = os.path.realpath(os.fsdecode(path))
        return (place + os.sep).startswith(own + os.sep) or place == os.devnull or (
            not writes and (place + os.sep).startswith(readable)
        )  # fmt: skip

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = bool((flags or 0) & 3) or any(letter in (mode or "") for letter in "wax+")
            allowed = inside(path, writes=writes)
        elif event.startswith(WRITES):
            looks = event in ("os.listdir", "os.scandir", "os.chdir")
            paths = [item for item in arguments if isinstance(item, str | bytes)]
            allowed = all(inside(item, writes=not looks) for item in paths)
        else:
            allowed = not event.startswith(FOREIGN) and (processes > 1 or not event.startswith(STARTS))
        if not allowed:
            raise PermissionError(f"{event} is not allowed in the sandbox")

    sys.addaudithook(hook)


def _limit(plan: dict[str, Any]) -> None:
    """Hard limits of the kernel, for the judged process and all it starts."""
    memory, disk = plan["memory_mb"] << 20, plan["disk_mb"] << 20
    wanted = {
        resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: disk, resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CPU: int(plan["seconds"]) + 2, resource.RLIMIT_AS: memory,
    }  # fmt: skip
    if plan["count_processes"]:  # builder and first process live in the same user namespace
        wanted[resource.RLIMIT_NPROC] = plan["processes"] + 2
    for name, most in wanted.items():
        hard = resource.getrlimit(name)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
            resource.setrlimit(name, (most, most))


def _run_tests(scope: dict[str, Any], known: set[int]) -> None:
    """What the tests define and do not run themselves: functions `test_…` and unittest cases."""
    fresh = [(name, thing) for name, thing in list(scope.items()) if id(thing) not in known]
    for name, thing in fresh:
        if name.startswith("test_") and isinstance(thing, types.FunctionType):
            thing()
    unit = sys.modules.get("unittest")
    cases = [thing for _, thing in fresh if unit and isinstance(thing, type) and issubclass(thing, unit.TestCase)]
    for case in cases:
        result = unit.TextTestRunner().run(unit.defaultTestLoader.loadTestsFromTestCase(case))  # type: ignore[union-attr]
        if not result.wasSuccessful():
            raise AssertionError(f"{case.__name__}: unit tests failed")


def judge(plan: dict[str, Any]) -> str:
    """Run the answer, then its tests, in one module; one word says how it went."""
    for name, text in plan["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    if plan["second_line"]:
        _watch(str(Path.cwd()), plan["processes"])
    try:
        exec(compile(plan["code"], "answer.py", "exec"), module.__dict__)
        known = {id(thing) for thing in module.__dict__.values()}
        exec(compile(plan["tests"], "tests.py", "exec"), module.__dict__)
        _run_tests(module.__dict__, known)
    except MemoryError:
        return "memory"
    except SystemExit:
        return "exited"
    except BaseException:  # whatever judged code throws, an interrupt included, is its failure
        with contextlib.suppress(BaseException):
            traceback.print_exc()
        return "failed"
    return "passed"


def _judged(plan: dict[str, Any], report: int) -> None:
    nonce = plan.pop("nonce")
    if plan["count_processes"]:  # without namespaces, the group is all that the wall clock can kill
        os.setsid()
    os.chdir(OWN_FOLDER if plan["files_stand"] else plan["folder"])
    os.environ["HOME"] = os.environ["TMPDIR"] = str(Path.cwd())
    _limit(plan)
    word = judge(plan)
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os.write(report, f"{nonce} word {word}\n".encode())
    os._exit(0)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _first(plan: dict[str, Any], report: int) -> None:
    """The first process of the box: waits for the judged one; when it ends, the kernel ends all others."""
    _die_with_parent()
    judged = os.fork()
    if judged == 0:
        _die_with_parent()
        _judged(plan, report)
    while True:
        ended, status = os.wait()
        if ended == judged:
            os.write(report, f"{plan['nonce']} exit {os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)


def main() -> None:
    """Read the plan from standard input, raise the barriers, run, report on the descriptor named by the plan."""
    plan = json.loads(sys.stdin.buffer.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    report = plan["report"]
    stands = isolate(plan)
    plan |= {"files_stand": stands["files"], "count_processes": stands["network"]}
    plan["second_line"] = not (stands["files"] and stands["network"])
    _die_with_parent()  # after the change of user, which forgets it
    os.write(report, f"{plan['nonce']} stands {json.dumps(stands)}\n".encode())
    if plan["strict"] and not all(stands.values()):
        os._exit(0)
    first = os.fork()
    if first == 0:
        _first(plan, report)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
    os.waitpid(first, 0)  # returns when the kernel has ended every process of the box


if __name__ == "__main__":
    main()
