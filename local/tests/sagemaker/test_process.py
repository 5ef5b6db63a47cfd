"""The subprocess of a job ends when it should, with everything it started."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.processes import is_alive
from local.sagemaker.api.request_model import check_request
from local.sagemaker.errors import SageMakerError
from local.sagemaker.jobs import process
from local.sagemaker.jobs.process import Ending, MetricReader
from local.sagemaker.jobs.storage import relative_name

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", sleep])
print(child.pid, flush=True)
time.sleep(60)
"""


def run(script: str, tmp_path: Path, on_line: Callable[[str], None], **changes: Any) -> Ending:
    settings = {"stop_requested": threading.Event(), "max_runtime_seconds": 30.0, **changes}
    environment = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", script]
    return process.run(command, environment=environment, directory=str(tmp_path), on_line=on_line, **settings)


def test_output_and_exit_code_arrive(tmp_path: Path) -> None:
    lines: list[str] = []
    ending = run("import sys; print('out'); sys.stderr.write('err\\n'); sys.exit(4)", tmp_path, lines.append)
    assert ending == Ending("exited", 4)
    assert sorted(lines) == ["err", "out"]


def test_a_process_that_ignores_sigterm_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., Any]
) -> None:
    monkeypatch.setattr(process, "STOP_GRACE_SECONDS", 0.3)
    stop, pids = threading.Event(), []

    def on_line(line: str) -> None:
        pids.append(int(line))
        stop.set()

    ending = run(STUBBORN, tmp_path, on_line, stop_requested=stop)
    assert (ending.cause, ending.exit_code) == ("stopped", -9)
    assert eventually(lambda: not is_alive(pids[0]))


def test_time_runs_out(tmp_path: Path) -> None:
    ending = run("import time; time.sleep(60)", tmp_path, print, max_runtime_seconds=0.3)
    assert ending.cause == "timed out"


def test_the_last_value_of_a_metric_wins() -> None:
    reader = MetricReader([{"Name": "auc", "Regex": r"auc=(\S+)"}, {"Name": "none", "Regex": "never"}])
    for line in ("auc=0.5", "auc=0.7 done", "auc=oops"):
        reader.read(line)
    assert {name: value for name, (value, _) in reader.latest.items()} == {"auc": 0.7}


@pytest.mark.parametrize(
    ("key", "prefix", "expected"),
    [
        ("a/b.csv", "a/b.csv", "b.csv"),
        ("a/b/c.csv", "a/", "b/c.csv"),
        ("a/b/c.csv", "a", "b/c.csv"),
        ("a/train2/c.csv", "a/train", "train2/c.csv"),
        ("c.csv", "", "c.csv"),
    ],
)
def test_where_a_key_lands_in_its_channel(key: str, prefix: str, expected: str) -> None:
    assert relative_name(key, prefix) == expected


def test_all_that_is_wrong_with_a_request_is_named_at_once() -> None:
    request = {
        "TrainingJobName": "-a",
        "RoleArn": 5,
        "AlgorithmSpecification": {"TrainingInputMode": "file", "Extra": 1},
        "OutputDataConfig": {},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": "5"},
        "Tags": [{"Key": "Naïve key", "Value": "ok"}],
    }
    with pytest.raises(SageMakerError) as refused:
        check_request("CreateTrainingJob", request)
    message = refused.value.message
    for part in (
        "'-a' at 'trainingJobName'",
        "'roleArn' must be of type string",
        "enum value set: [Pipe, File, FastFile]",
        "'algorithmSpecification.extra' is not a member",
        "'outputDataConfig.s3OutputPath' failed to satisfy constraint: Member must not be null",
        "'resourceConfig.volumeSizeInGB' must be of type integer",
    ):
        assert part in message, message
    assert "tags" not in message
