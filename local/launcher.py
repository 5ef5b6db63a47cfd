"""Start and stop the emulator as a background process of its own session.

What was started is kept in `state.json` beside the logs.
"""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.environment import BIND_HOST, emulator_environment, endpoint_url
from local.errors import StartError
from local.limits import check_settings
from local.processes import (
    STOP_TIMEOUT_SECONDS,
    command_line,
    is_alive,
    processes_of,
    session_members,
    terminate,
)

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DIRECTORY = REPOSITORY_ROOT / ".local"
START_TIMEOUT_SECONDS = 60.0
STATE_FILE = "state.json"
LOG_FILE = "cloud.log"
CONTAINER_TEMPLATE = (
    "made-by-make-up.json"  # the name is the advice in the message of sam when the file is missing
)
# Everything the cloud writes in its directory; `down` removes these and no other file.
OWN_ENTRIES = (STATE_FILE, LOG_FILE, "iam.jsonl", "tmp", "builds", CONTAINER_TEMPLATE)
# Emulators started by this very process: they are its children and must be collected when they end.
_started: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class RunningCloud:
    """One emulator process as `up` started it."""

    pid: int
    port: int
    endpoint: str
    started_at: str
    instance: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """What `stop` ended: a running emulator, or only processes that a crashed one had left."""

    running: RunningCloud | None
    orphans: int


def start(directory: Path = DEFAULT_DIRECTORY, port: int | None = None) -> RunningCloud:
    """Start an emulator and return once it answers.

    Parameters
    ----------
    directory
        Where state, logs and temporary files go; what an earlier cloud left there is removed first.
    port
        TCP port on 127.0.0.1; a free one when None.

    Raises
    ------
    StartError
        The port is taken, the process died or it did not answer in time; the message quotes its log.
    """
    check_settings()
    directory = directory.resolve()
    stop(directory)
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    port = _checked_port(port)
    instance = secrets.token_hex(8)
    with (directory / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve", "--port", str(port), "--instance", instance],
            cwd=REPOSITORY_ROOT,
            env=emulator_environment(port, directory),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[process.pid] = process
    running = RunningCloud(process.pid, port, endpoint_url(port), datetime.now(UTC).isoformat(), instance)
    write_state(directory, running)
    try:
        _wait_until_ready(running, process, directory / LOG_FILE)
    except BaseException:
        stop(directory, keep=True)
        raise
    return running


def stop(directory: Path = DEFAULT_DIRECTORY, *, keep: bool = False) -> Stopped | None:
    """Stop the cloud of `directory` with everything it started, and remove its files unless `keep`.

    This also ends what a killed emulator has left, and does not need the state file. A process id that was
    reused by another program is left alone. Returns None when nothing ran.
    """
    directory = directory.resolve()
    state = read_state(directory)
    running = state if state is not None and is_ours(state) else None
    orphans = [] if running else processes_of(directory)
    if running is not None:
        # listed before its end, for systems without /proc
        members = session_members(running.pid)
        terminate([running.pid])
        terminate(members)
    terminate(processes_of(directory))
    if state is not None:
        _collect(state.pid)
    if not keep:
        remove_files(directory)
    else:
        (directory / STATE_FILE).unlink(missing_ok=True)
    return Stopped(running, len(orphans)) if running is not None or orphans else None


def write_state(directory: Path, running: RunningCloud) -> None:
    """Keep what was started."""
    (directory / STATE_FILE).write_text(json.dumps(asdict(running), indent=2) + "\n", encoding="utf-8")


def read_state(directory: Path) -> RunningCloud | None:
    """Return what `up` has started, or None when there is nothing readable."""
    try:
        return RunningCloud(**json.loads((directory / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def running_cloud(directory: Path) -> RunningCloud | None:
    """Return the cloud of this directory if its process runs and is ours."""
    state = read_state(directory)
    return state if state is not None and is_ours(state) else None


def is_ours(state: RunningCloud) -> bool:
    """Tell whether `state.pid` still is what was started: its command line has our random id."""
    return is_alive(state.pid) and state.instance in command_line(state.pid)


def remove_files(directory: Path) -> None:
    """Remove what a cloud leaves in its directory, and the directory itself when nothing else is in it."""
    for name in OWN_ENTRIES:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        directory.rmdir()


def _checked_port(port: int | None) -> int:
    """Return a port that can be bound now: the given one, or a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((BIND_HOST, port or 0))
        except OSError as error:
            raise StartError(f"Port {port} is taken on {BIND_HOST}: choose another with --port.") from error
        return int(probe.getsockname()[1])


def _wait_until_ready(running: RunningCloud, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    last_seen = "no answer yet"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"The emulator ended with code {process.returncode}:\n{_tail(log)}")
        try:
            with urllib.request.urlopen(f"{running.endpoint}/_local/ready", timeout=2) as response:
                if response.read().decode() == running.instance:
                    return
                last_seen = "another process answers on this port"
        except (urllib.error.URLError, OSError) as error:
            last_seen = str(error)
        time.sleep(0.05)
    raise StartError(
        f"The emulator was not ready in {START_TIMEOUT_SECONDS:.0f} s ({last_seen}):\n{_tail(log)}"
    )


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _collect(pid: int) -> None:
    """Wait for the end of an emulator that this very process started."""
    process = _started.pop(pid, None)
    if process is not None:
        process.wait(timeout=STOP_TIMEOUT_SECONDS)
