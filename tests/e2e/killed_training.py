"""A training that is killed, and started again in every way there is until it has a model."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.stack import DeployedStack, read_form, wait
from tests.e2e.approvals import run_mlops
from tests.e2e.walks import a_regression_table, start_training

GROUP = "killed"


@dataclass(frozen=True)
class KilledTraining:
    """The executions of its attempts, the emails about the first two, and the answer of the retry page."""

    executions: tuple[str, ...]
    mail: dict[str, Any]
    second_mail: dict[str, Any]
    page_status: int


def kill_and_retry(stack: DeployedStack) -> KilledTraining:
    """Kill the job, drop the file again; stop that, press the button; stop that, run the command."""
    content = a_regression_table(seed=21).to_csv(index=False).encode()
    first = start_training(stack, GROUP, content, 'target = "price"')
    kill_job(stack)
    stack.finish(first)
    mail = stack.wait_for_email(lambda m: m["subject"].startswith(f"{GROUP}: training failed"), "failure")
    second = start_training(stack, GROUP, content, 'target = "price"')
    second_mail = stack.wait_for_email(
        lambda m: m["subject"] == f"[{GROUP}] train.csv: training again", "retry"
    )
    stop(stack, second)
    answer, third = press(stack, silent_link(stack, after=second_mail["id"]))
    stop(stack, third)
    silent_link(stack, after=stack.cloud.newest_email_id())
    existing = stack.executions("TrainModel")
    run_mlops(stack, "retry", GROUP)
    fourth = stack.wait_for_execution("TrainModel", existing)
    stack.wait_for_approval_link(GROUP)
    return KilledTraining((first, second, third, fourth), mail, second_mail, answer)


def kill_job(stack: DeployedStack) -> None:
    """Send SIGKILL to the process of the training job, as a machine that dies does."""

    def job() -> int | None:
        processes = Path("/proc").glob("[0-9]*")
        return next((int(process.name) for process in processes if is_job(process, stack)), None)

    os.kill(wait(job, "the process of the job", 60), signal.SIGKILL)


def is_job(process: Path, stack: DeployedStack) -> bool:
    """Whether a process is the entry point of a training job of the group, in this local cloud."""
    try:
        command, environment = ((process / name).read_text() for name in ("cmdline", "environ"))
    except (OSError, UnicodeDecodeError):
        return False
    is_ours = f"TRAINING_JOB_NAME={GROUP}-" in environment and str(stack.cloud.directory) in environment
    return is_ours and "train.py" in command


def stop(stack: DeployedStack, execution: str) -> None:
    """Stop an execution, which therefore reports nothing."""
    stack.cloud.client("stepfunctions").stop_execution(executionArn=execution)


def silent_link(stack: DeployedStack, *, after: int) -> str:
    """Run the round over open trainings, and return the link in the email about the stopped one."""
    stack.run_scheduled("WatchTrainings", datetime.now(UTC) + timedelta(minutes=30))
    mail = stack.wait_for_email(
        lambda m: m["id"] > after and m["subject"].startswith(f"{GROUP}: training failed"), "failure"
    )
    return re.search(r"^http\S+/retries/\S+$", mail["body"], re.MULTILINE)[0]


def press(stack: DeployedStack, link: str) -> tuple[int, str]:
    """Press the button on the retry page; return the status of the answer, and the execution it started."""
    form = read_form(stack.cloud.request("GET", link).text)
    body, headers = urlencode(form.hidden).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    existing = stack.executions("TrainModel")
    answer = stack.cloud.request("POST", link, body, headers)
    return answer.status, stack.wait_for_execution("TrainModel", existing)
