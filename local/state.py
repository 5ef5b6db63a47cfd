"""What is running: `state.json` beside the logs, and whether that process is still ours."""

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

STATE_FILE = "state.json"
LOG_FILE = "cloud.log"


@dataclass(frozen=True, slots=True)
class RunningCloud:
    """One emulator process as `up` wrote it down."""

    pid: int
    port: int
    endpoint: str
    started_at: str
    instance: str


def write_state(directory: Path, running: RunningCloud) -> None:
    """Write down what was started."""
    (directory / STATE_FILE).write_text(json.dumps(asdict(running), indent=2) + "\n", encoding="utf-8")


def read_state(directory: Path) -> RunningCloud | None:
    """Return what `up` wrote, or None when nothing (or nothing readable) is there."""
    try:
        return RunningCloud(**json.loads((directory / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def running_cloud(directory: Path) -> RunningCloud | None:
    """Return the cloud of this directory if its process lives and is ours."""
    state = read_state(directory)
    return state if state is not None and is_ours(state) else None


def is_ours(state: RunningCloud) -> bool:
    """Tell whether `state.pid` still is what was started: its command line holds our random id."""
    return state.instance in command_line(state.pid)


def command_line(pid: int) -> str:
    """Return the command line of a process, or an empty string when there is none (a zombie has none)."""
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listing = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout


def session_members(session_id: int) -> list[int]:
    """Return the processes started by the emulator: Lambda workers and jobs stay in its session."""
    if Path("/proc/self").exists():
        candidates = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    else:
        listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False)
        candidates = [int(pid) for pid in listing.stdout.split()]
    return [pid for pid in candidates if pid != session_id and _session_of(pid) == session_id]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
