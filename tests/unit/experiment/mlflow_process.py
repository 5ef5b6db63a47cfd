"""A real MLflow tracking server: installed once into an environment of its own, started on a free port."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

MLFLOW_VERSION = "3.17.2"
START_SECONDS = 180


def installed_mlflow() -> Path:
    """Return the directory of MLflow's programs, installed under the cache directory when absent.

    The smaller `mlflow-skinny` does not start a server by itself, so it is the whole package.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "serverless-mlops"
    cache.mkdir(parents=True, exist_ok=True)
    environment = cache / f"mlflow-{MLFLOW_VERSION}"
    with (cache / "mlflow.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes must not install into one place
        if not (environment / ".complete").exists():
            _uv("venv", "--clear", "--python", sys.executable, str(environment))
            _uv(
                "pip", "install", "--python", str(environment / "bin" / "python"), f"mlflow=={MLFLOW_VERSION}"
            )
            (environment / ".complete").touch()
    return environment / "bin"


@contextmanager
def mlflow_server(programs: Path, directory: Path) -> Iterator[str]:
    """Run a server over SQLite in the directory, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [programs / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{directory}/mlflow.db"]
    variables = os.environ | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    log = directory / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=variables, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _uv(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *arguments], check=True, capture_output=True, text=True
    )


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"MLflow did not start, exit code {process.poll()}: {log.read_text()[-2000:]}")
