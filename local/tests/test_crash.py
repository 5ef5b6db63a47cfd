"""After kill -9 of the emulator, `down` and `up` end what it has left, and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import processes
from local.cloud import LocalCloud, connect
from local.launcher import REPOSITORY_ROOT, STATE_FILE, read_state
from local.processes import DIRECTORY_MARK, is_alive, session_members, terminate
from local.tests.resources import invoke, make_function, make_role
from local.tests.sagemaker.training_jobs import job_request

# A function and a job that start processes of their own, the second one without any mark in its environment.
CHILD = "import time; time.sleep(120)"
FUNCTION = f"""
import subprocess, sys

def handler(event, context):
    return subprocess.Popen([sys.executable, "-c", {CHILD!r}]).pid
"""
JOB = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {CHILD!r}], env={{}})
time.sleep(120)
"""


def run(directory: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "local", *arguments, "--directory", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY_ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def crashed(tmp_path: Path, eventually: Callable[..., Any]) -> tuple[Path, list[int]]:
    """The directory of a cloud whose emulator was killed, and the four processes that still run."""
    directory = tmp_path / "cloud"
    run(directory, "up")
    cloud, state = connect(directory), read_state(directory)
    assert cloud is not None
    assert state is not None
    role = make_role(cloud)
    make_function(cloud, role, "leaves", FUNCTION)
    invoke(cloud, "leaves", {})
    start_job(cloud, role)
    eventually(lambda: len(session_members(state.pid)) == 4, 60)
    left = session_members(state.pid)
    os.kill(state.pid, signal.SIGKILL)
    eventually(lambda: not is_alive(state.pid))
    return directory, left


def start_job(cloud: LocalCloud, role: str) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="jobs")
    s3.put_object(Bucket="jobs", Key="code/train.py", Body=JOB.encode())
    s3.put_object(Bucket="jobs", Key="data/train.csv", Body=b"a\n1\n")
    cloud.client("sagemaker").create_training_job(**job_request({"BucketName": "jobs", "JobRoleArn": role}))


@pytest.mark.parametrize("has_state", [True, False])
def test_down_ends_what_a_killed_emulator_has_left(crashed: tuple[Path, list[int]], has_state: bool) -> None:
    directory, left = crashed
    assert [pid for pid in left if is_alive(pid)], "nothing is left that could be ended"
    if not has_state:
        (directory / STATE_FILE).unlink()
    others = {**os.environ, DIRECTORY_MARK: f"{directory}-of-another-cloud"}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=others, stdin=subprocess.PIPE) as another:
        printed = run(directory, "down")
        assert another.poll() is None
        another.kill()
    assert [pid for pid in left if is_alive(pid)] == []
    assert "processes that a killed emulator had left" in printed
    assert not directory.exists()
    assert run(directory, "down") == "Nothing was running.\n"


def test_up_ends_it_before_it_starts(crashed: tuple[Path, list[int]]) -> None:
    directory, left = crashed
    try:
        assert "Running on" in run(directory, "up")
        assert [pid for pid in left if is_alive(pid)] == []
        assert connect(directory) is not None
    finally:
        run(directory, "down")


def test_a_process_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_TIMEOUT_SECONDS", 0.3)
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        terminate([stubborn.pid])
        assert stubborn.wait(5) == -signal.SIGKILL
