"""The processes of a local cloud, recognised by marks in their environment, also after a crash.

The emulator hands both marks on to each worker and job.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

DIRECTORY_MARK = "LOCAL_CLOUD_PROCESS_OF"  # the resolved directory of the cloud
EMULATOR_MARK = (
    "LOCAL_CLOUD_EMULATOR_PID"  # which is also the id of the session; the emulator itself has none
)
STOP_TIMEOUT_SECONDS = 15.0


def processes_of(directory: Path) -> list[int]:
    """Return the emulator of `directory`, if it runs, and everything that it started.

    A process without marks (its parent cleared its environment) is recognised by its session, the emulator's.
    Without /proc nothing is found; `session_members` then finds the processes of an emulator that runs.
    """
    marked = {
        pid: marks for pid in _all_pids() if (marks := _marks(pid)).get(DIRECTORY_MARK) == str(directory)
    }
    emulators = {int(marks.get(EMULATOR_MARK, pid)) for pid, marks in marked.items()}
    members = [pid for emulator in emulators for pid in session_members(emulator)]
    return sorted({*marked, *members} - {os.getpid()})


def session_members(session_id: int) -> list[int]:
    """Return the processes of a session but its leader; the id stays reserved while any of them lives."""
    return [pid for pid in _all_pids() if pid != session_id and _session_of(pid) == session_id]


def command_line(pid: int) -> str:
    """Return the command line of a process; empty when it has ended."""
    proc = Path(f"/proc/{pid}/cmdline")
    if _has_proc():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return _ps("-o", "command=", "-p", str(pid))


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended but was not collected yet does not."""
    if _has_proc():
        with suppress(OSError):
            return _stat_fields(pid)[0] != "Z"
        return False
    return _ps("-o", "stat=", "-p", str(pid)).strip()[:1] not in ("", "Z")


def terminate(pids: Iterable[int]) -> None:
    """Send SIGTERM to processes, wait for them together, then kill the rest.

    A process that took over the id of one of them meanwhile is left alone.
    """
    started = {pid: _started_at(pid) for pid in pids}
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _still_running(started):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < deadline and _still_running(started):
            time.sleep(0.02)


def _still_running(started: dict[int, str]) -> list[int]:
    return [pid for pid, at in started.items() if is_alive(pid) and _started_at(pid) == at]


def _started_at(pid: int) -> str:
    """Return when a process started, in the words of the system; empty when it has ended."""
    if _has_proc():
        with suppress(OSError):
            return _stat_fields(pid)[19]
        return ""
    return _ps("-o", "lstart=", "-p", str(pid)).strip()


def _marks(pid: int) -> dict[str, str]:
    """Return the marks of a process; the environment of another user's process cannot be read."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    pairs = (entry.partition("=") for entry in entries)
    return {name: value for name, _, value in pairs if name in (DIRECTORY_MARK, EMULATOR_MARK)}


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _all_pids() -> list[int]:
    if _has_proc():
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(pid) for pid in _ps("-A", "-o", "pid=").split()]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _has_proc() -> bool:
    return Path("/proc/self").exists()


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
