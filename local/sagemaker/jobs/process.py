"""The subprocess of a job: its log lines, the metrics in them, and the ways it can end."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

# AWS gives a container two minutes between SIGTERM and SIGKILL.
STOP_GRACE_SECONDS = float(os.environ.get("LOCAL_STOP_GRACE_SECONDS", "120"))
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Ending:
    """How the process ended: it exited (`exit_code`), was stopped, or ran out of time."""

    cause: Literal["exited", "stopped", "timed out"]
    exit_code: int


@dataclass(slots=True)
class MetricReader:
    """Finds metric values in log lines by the expressions of MetricDefinitions; the last value wins."""

    definitions: list[dict[str, str]]
    latest: dict[str, tuple[float, float]] = field(default_factory=dict)

    def read(self, line: str) -> None:
        """Look at one line."""
        for definition in self.definitions:
            match = re.search(definition["Regex"], line)
            if match and match.groups():
                with suppress(ValueError):
                    self.latest[definition["Name"]] = (float(match.group(1)), time.time())


def run(
    command: list[str],
    *,
    environment: dict[str, str],
    directory: str,
    on_line: Callable[[str], None],
    stop_requested: threading.Event,
    max_runtime_seconds: float,
) -> Ending:
    """Run a command to its end, its output line by line to `on_line`.

    A stop request, or the end of its time, sends SIGTERM to its process group, and SIGKILL after the grace
    time.
    """
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,  # its own group to signal, but the emulator's session, so that `down` finds it
    )
    reader = threading.Thread(target=_read_lines, args=(process, on_line), daemon=True)
    reader.start()
    deadline = time.monotonic() + max_runtime_seconds
    cause: Literal["exited", "stopped", "timed out"] = "exited"
    while process.poll() is None:
        if stop_requested.is_set() or time.monotonic() >= deadline:
            cause = "stopped" if stop_requested.is_set() else "timed out"
            _end(process)
            break
        time.sleep(_POLL_SECONDS)
    exit_code = process.wait()
    _signal_group(process, signal.SIGKILL)  # grandchildren that outlived it would hold the pipe open
    reader.join()
    return Ending(cause, exit_code)


def _read_lines(process: subprocess.Popen[str], on_line: Callable[[str], None]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            on_line(line.rstrip("\n"))


def _end(process: subprocess.Popen[str]) -> None:
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(timeout=STOP_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
