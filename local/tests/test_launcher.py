"""Start, second start, stop: one process, and nothing left."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local import launcher
from local.__main__ import main
from local.cloud import connect
from local.errors import StartError
from local.launcher import RunningCloud, is_ours, write_state
from local.processes import is_alive, session_members


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local", *arguments, "--directory", str(directory)]
    return subprocess.run(command, capture_output=True, text=True, cwd=launcher.REPOSITORY_ROOT, check=False)


def test_up_says_what_runs_on_a_second_call_and_down_leaves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "cloud"
    first = run(directory, "up")
    assert first.returncode == 0, first.stderr
    running = connect(directory)
    assert running is not None
    pid = launcher.read_state(directory).pid
    try:
        second = run(directory, "up")
        assert second.stdout.startswith(f"Already running on {running.endpoint}")
        assert run(directory, "status").stdout == f"Running on {running.endpoint}.\n"
        assert f"export AWS_ENDPOINT_URL={running.endpoint}" in run(directory, "env").stdout
        assert running.request("GET", f"{running.endpoint}/_local/ready").status == 200
    finally:
        down = run(directory, "down")
    assert down.stdout == f"Stopped {running.endpoint}.\n"
    assert not directory.exists()
    assert not is_alive(pid)
    assert session_members(pid) == []
    assert run(directory, "down").stdout == "Nothing was running.\n"
    assert run(directory, "status").returncode == 1


def test_only_the_loopback_address_listens(cloud) -> None:
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", cloud.port)) == 0
    listening = Path("/proc/net/tcp").read_text().splitlines()
    addresses = {line.split()[1] for line in listening if line.split()[3] == "0A"}
    assert f"0100007F:{cloud.port:04X}" in addresses
    assert f"00000000:{cloud.port:04X}" not in addresses


def test_a_taken_port_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartError, match="choose another with --port"):
            launcher.start(tmp_path / "cloud", taken.getsockname()[1])


def test_a_cloud_that_does_not_answer_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    waiting = [sys.executable, "-c", "input()", "its-instance"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE) as starting:
        state = RunningCloud(
            starting.pid, 9, "http://127.0.0.1:9", "2026-01-01T00:00:00+00:00", "its-instance"
        )
        write_state(tmp_path, state)
        words = [["drop", str(tmp_path / "a.csv"), "g"], ["check-drift"]]
        codes = [main([*each, "--directory", str(tmp_path)]) for each in words]
        starting.communicate(b"\n")
    assert codes == [1, 1]
    sentences = capsys.readouterr().err.splitlines()
    assert sentences == ["The local cloud does not answer: wait a moment, or start it with `make up`."] * 2


def test_a_process_id_that_belongs_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    stranger = RunningCloud(
        os.getpid(), 1, "http://127.0.0.1:1", "2026-01-01T00:00:00+00:00", "not-in-our-arguments"
    )
    write_state(tmp_path, stranger)
    assert not is_ours(stranger)
    assert launcher.stop(tmp_path) is None
    assert connect(tmp_path) is None
