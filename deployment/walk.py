"""The way of a user through a deployed stack: train, approve on the page, score, and look at the metrics."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import urllib3

from deployment.approver_queue import ApproverQueue
from deployment.errors import DeploymentError
from local.stack import approval_link, read_form, version_in
from mlops.infrastructure.aws.cloudwatch import MetricQuery, sum_of_values
from mlops.infrastructure.aws.signed_http import reachable_address
from mlops.infrastructure.aws.sns import confirmed_emails
from mlops.infrastructure.metric_names import (
    APPROVALS_REQUESTED,
    MODELS_PROMOTED,
    MODELS_REGISTERED,
    ROWS_SCORED,
)

GROUP = "medication-adherence"
MINUTES_TO_CONFIRM, MINUTES_OF_A_JOB, MINUTES_OF_METRICS = 60, 60, 15


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk through the stack with these outputs; `poll_seconds` is the time between two looks."""

    session: boto3.Session
    outputs: Mapping[str, str]
    example: Path
    say: Callable[[str], None] = print
    poll_seconds: float = 5

    def confirm(self, approver: str) -> None:
        """Wait until a person has confirmed the subscription of the approver, which no program can do."""
        topic, sns = self.outputs["ApprovalTopicArn"], self.session.client("sns")
        self.say(f"Confirm the subscription emails that {approver} has now ({MINUTES_TO_CONFIRM} minutes).")
        self._wait(
            lambda: approver in confirmed_emails(topic, sns=sns) or None, "confirmation", MINUTES_TO_CONFIRM
        )

    def train(self, queue: ApproverQueue) -> str:
        """Drop the training file, approve the model on its page, and return its version."""
        for name in ("model.toml", "training/train.csv"):
            self._drop(name)
        execution = self._execution("TrainModel")
        email = self._wait(lambda: self._request(queue, execution), "email to approve", MINUTES_OF_A_JOB)
        version = version_in(email["subject"])
        self._approve(str(approval_link(email)), version)
        self._finish(execution)
        self.say(f"{GROUP} {version} was approved on its page and is the champion.")
        return version

    def score(self) -> int:
        """Drop a file to score and return the number of its predictions.

        Raises
        ------
        DeploymentError
            Not each row has a prediction.
        """
        self._drop("inference/score.csv")
        result = self._finish(self._execution("RunInference"))
        n_rows = len((self.example / "score.csv").read_text(encoding="utf-8").splitlines()) - 1
        if result["n_rows"] != n_rows:
            raise DeploymentError(f"{result['n_rows']} of {n_rows} rows were scored.")
        self.say(f"{n_rows} rows were scored; drift: {result['drift_verdict']}.")
        return n_rows

    def check_metrics(self, n_rows: int) -> None:
        """Wait until CloudWatch has the metrics of this walk."""
        expected = {MODELS_REGISTERED: 1, APPROVALS_REQUESTED: 1, MODELS_PROMOTED: 1, ROWS_SCORED: n_rows}
        for name, value in expected.items():
            self._wait(lambda: self._metric(name) == value or None, f"{name} = {value}", MINUTES_OF_METRICS)  # noqa: B023
        self.say(f"CloudWatch has {', '.join(expected)}.")

    def _drop(self, name: str) -> None:
        content = (self.example / Path(name).name).read_bytes()
        bucket = self.outputs["DataBucketName"]
        self.session.client("s3").put_object(Bucket=bucket, Key=f"{GROUP}/{name}", Body=content)
        self.say(f"Dropped s3://{bucket}/{GROUP}/{name}.")

    def _execution(self, machine: str) -> str:
        arn, states = self.outputs[f"{machine}StateMachineArn"], self.session.client("stepfunctions")

        def look() -> str | None:
            executions = states.list_executions(stateMachineArn=arn)["executions"]
            return executions[0]["executionArn"] if executions else None

        return self._wait(look, f"execution of {machine}", 10)

    def _request(self, queue: ApproverQueue, execution: str) -> dict[str, Any] | None:
        self._check(execution)
        return next((email for email in queue.receive() if approval_link(email)), None)

    def _approve(self, link: str, version: str) -> None:
        status, page = browse("GET", link)
        form = read_form(page)
        if status != HTTPStatus.OK or "approved" not in form.choices:
            raise DeploymentError(f"The approval page answered {status} and cannot approve.")
        answer = {**form.hidden, "decision": "approved", "version": version, "reason": "Smoke test."}
        status, _ = browse("POST", link, answer)
        if status not in (HTTPStatus.OK, HTTPStatus.SEE_OTHER):
            raise DeploymentError(f"The approval page answered {status} to its form.")

    def _finish(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution and return its output."""

        def look() -> str | None:
            described = self._check(execution)
            return described.get("output", "{}") if described["status"] == "SUCCEEDED" else None

        output: dict[str, Any] = json.loads(self._wait(look, f"end of {execution}", MINUTES_OF_A_JOB))
        return output

    def _check(self, execution: str) -> dict[str, Any]:
        """Return the state of an execution that has not failed."""
        states: Any = self.session.client("stepfunctions")
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        if described["status"] not in ("RUNNING", "SUCCEEDED"):
            why = f"{described.get('error', '')} {described.get('cause', '')}".strip()
            raise DeploymentError(f"{execution} ended as {described['status']}: {why}")
        return described

    def _metric(self, name: str) -> float:
        """Return the sum of a metric of the stack over the last day."""
        now, query = datetime.now(UTC), MetricQuery(self.outputs["MetricsNamespace"], name)
        start, end = now - timedelta(days=1), now + timedelta(minutes=1)
        return sum_of_values(query, start, end, cloudwatch=self.session.client("cloudwatch"))

    def _wait[T](self, look: Callable[[], T | None], what: str, minutes: float) -> T:
        deadline = time.monotonic() + 60 * minutes
        while time.monotonic() < deadline:
            if (seen := look()) is not None:
                return seen
            time.sleep(self.poll_seconds)
        raise DeploymentError(f"After {minutes} minutes there was no {what}.")


def browse(method: str, url: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Open a page, or send a form to it; return the status and the text, also of a redirect."""
    answer = urllib3.request(
        method,
        reachable_address(url),
        body=urlencode(form) if form else None,
        headers={"Host": urlsplit(url).netloc, "Content-Type": "application/x-www-form-urlencoded"},
        redirect=False,
        timeout=60,
    )
    return answer.status, answer.data.decode()
