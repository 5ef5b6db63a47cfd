"""A training that fails twice and is started again, each function in a process of its own."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from local.stack import read_form
from tests.functions.approval_stage import an_http_event
from tests.proofs.walk import PATIENTS, Walk
from tests.proofs.world import poll

_LOST = {"step": "Prepare training", "error": "Lambda.Unknown", "cause": "The function ended."}


class FailedTraining(Walk):
    """One group's file whose training fails; it is started again by the same file, and then by the link."""

    def to_the_end(self) -> dict[str, Any]:
        """Drop, fail, drop again, fail again, press the button; return the final state."""
        for number in (1, 2):
            self._drop(f"UPLOAD {number}")
            self._fail()
        token = poll(lambda: self._token(attempt=2), "no email with a link")
        route = "/retries/{token}"
        page = self.runner("retry_training", an_http_event(token, route=route))[0]
        body = urlencode(read_form(page["body"]).hidden)
        shown = self.step("retry_training", an_http_event(token, "POST", body=body, route=route))
        assert shown["statusCode"] == 303, shown["body"]
        execution, _ = self._waiting()
        assert execution.endswith("-3")
        return self.state()

    def _drop(self, name: str) -> None:
        stored = self.world.cloud.client("s3").put_object(
            Bucket="data", Key=f"{self.group}/training/a.csv", Body=PATIENTS.encode()
        )
        received = self.step("receive_upload", self._object_created(stored["VersionId"]))
        self.names |= {received["upload_id"]: name}

    def _fail(self) -> None:
        execution, _ = self._waiting()
        described = self.world.cloud.client("stepfunctions").describe_execution(executionArn=execution)
        document = json.loads(described["input"])
        self.names |= {document["training_id"]: "TRAINING"}
        passed = {name: document[name] for name in ("group", "training_id", "dataset_id", "settings")}
        event = passed | {"execution_arn": execution, "failure": _LOST, "n_lost_jobs": 0, "version": ""}
        assert self.step("explain_failure", event)["is_mailed"]

    def _token(self, *, attempt: int) -> str | None:
        """Return the token in the email about the failure of an attempt."""
        for mail in self.world.cloud.emails():
            link = re.search(r"https://api\.example\.com/retries/(\S+)", mail["body"])
            execution = re.search(r"^Execution: (\S+)$", mail["body"], re.MULTILINE)
            if link and execution and self.group in mail["subject"] and execution[1].endswith(f"-{attempt}"):
                return link[1]
        return None
