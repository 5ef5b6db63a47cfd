"""Start and stop the emulator as a background process of its own session."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from local.environment import BIND_HOST, emulator_environment, endpoint_url
from local.errors import StartError
from local.limits import check_settings
from local.state import LOG_FILE, STATE_FILE, RunningCloud, is_ours, read_state, session_members, write_state

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DIRECTORY = REPOSITORY_ROOT / ".local"
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 15.0
# Everything the cloud writes in its directory; `down` removes these and no other file.
OWN_ENTRIES = (STATE_FILE, LOG_FILE, "iam.jsonl", "tmp", "builds")
# Emulators started by this very process: they are its children and must be collected when they end.
_started: dict[int, subprocess.Popen[bytes]] = {}


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


def stop(directory: Path = DEFAULT_DIRECTORY, *, keep: bool = False) -> RunningCloud | None:
    """Stop the cloud of `directory` with everything it started, and remove its files unless `keep`.

    Returns what was running, or None. A process id that was reused by somebody else is left alone.
    """
    state = read_state(directory)
    stopped = state if state is not None and is_ours(state) else None
    if state is not None:
        children = session_members(state.pid) if stopped else []
        if stopped:
            _terminate([state.pid], lambda _: is_ours(state))
        # The session id stays reserved while members live, so these can only be ours.
        _terminate([*children, *(session_members(state.pid) if stopped else [])], is_alive)
        _collect(state.pid)
    if not keep:
        remove_files(directory)
    else:
        (directory / STATE_FILE).unlink(missing_ok=True)
    return stopped


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


def _terminate(pids: Iterable[int], is_target: Callable[[int], bool]) -> None:
    """Ask processes to end, wait for them together, then kill the rest."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pids = [pid for pid in dict.fromkeys(pids) if is_target(pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < deadline and any(is_target(pid) for pid in pids):
            time.sleep(0.02)


def _collect(pid: int) -> None:
    """Wait for the end of an emulator that this very process started."""
    process = _started.pop(pid, None)
    if process is not None:
        process.wait(timeout=STOP_TIMEOUT_SECONDS)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended but was not collected yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        with suppress(OSError):
            return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not Path("/proc/self").exists()
