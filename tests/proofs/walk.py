"""The path from a dropped file to a champion, each function in a process of its own, on a local cloud.

The state machine's part is played here: every answer is passed on, and a step that died or failed is run
again only if its Retry in the definition says so.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from local.stack import read_form
from tests.functions.approval_stage import an_http_event
from tests.functions.test_register_model import documents
from tests.proofs.callers import caller_of, error_name
from tests.proofs.step import Fault
from tests.proofs.world import Runner, World, poll

PATIENTS = "patient_id,age,plan,offtrt\n" + "".join(
    f"P{i},{20 + i * 37 % 60},{'abc'[i * 7 % 3]},{int((i * i + i // 3) % 5 < 3)}\n" for i in range(120)
)


@dataclass
class Walk:
    """One group's way from a file to a champion; `fault` happens in the first run of every function on it."""

    world: World
    runner: Runner
    group: str
    fault: Fault | None = None
    decision: str = "approved"
    errors: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def step(self, function: str, event: Any) -> Any:
        """Run a function until it answers, or what starts it on AWS gives up: then the walk has failed."""
        fault, errors, caller = self.fault, [], caller_of(function)
        while True:
            answer, error, calls = self.runner(function, event, fault)
            if error is None:
                self.calls.setdefault(function, calls)
                return answer
            self.errors.setdefault(function, []).append(error)
            errors.append(error_name(error))
            if not caller.starts_again(errors):
                raise AssertionError(f"{function} is not started again by {caller}: {self.errors[function]}")
            fault = None

    def to_the_end(self) -> dict[str, Any]:
        """Walk the whole path and return the final state, without times and random ids."""
        cloud = self.world.cloud
        upload = cloud.client("s3").put_object(
            Bucket="data", Key=f"{self.group}/training/a.csv", Body=PATIENTS.encode()
        )
        received = self.step("receive_upload", self._object_created(upload["VersionId"]))
        execution, token = self._waiting()
        described = cloud.client("stepfunctions").describe_execution(executionArn=execution)
        document = json.loads(described["input"])
        self.names |= {received["upload_id"]: "UPLOAD", document["training_id"]: "TRAINING"}
        expected = ("group", "training_id", "dataset_id", "dataset", "settings")
        prepared = self.step("prepare_training", {name: document[name] for name in expected})
        registered = self.step("register_model", document | self._finished(prepared))
        version = {"group": self.group, "version": registered["version"]}
        waiting = {"task_token": token, "execution_arn": execution, "timeout_seconds": 3000}
        self.step("request_approval", version | waiting)
        approval = self._decide(execution, registered["version"])
        if self.decision == "approved":
            self.step("promote_model", version | {"approval": approval})
        else:
            closed = {
                "outcome": "Rejected",
                "reason": approval["reason"],
                "decided_by": approval["decided_by"],
            }
            self.step("decline_model", version | closed)
        return self.state()

    def _object_created(self, version_id: str) -> dict[str, Any]:
        entry = {"key": f"{self.group}/training/a.csv", "version-id": version_id, "size": len(PATIENTS)}
        detail = {"bucket": {"name": "data"}, "object": entry | {"sequencer": "00", "etag": "e"}}
        return {"id": "e", "source": "aws.s3", "detail-type": "Object Created", "detail": detail, "time": "t"}

    def _waiting(self) -> tuple[str, str]:
        """Return the execution that the file started, and its task token."""
        machine = self.world.variables["TRAIN_MODEL_STATE_MACHINE_ARN"]
        states, sqs = self.world.cloud.client("stepfunctions"), self.world.cloud.client("sqs")

        def look() -> tuple[str, str] | None:
            answer = sqs.receive_message(QueueUrl=self.world.queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=self.world.queue, ReceiptHandle=message["ReceiptHandle"])
                name, token = message["Body"].split(" ", 1)
                arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
                document = json.loads(states.describe_execution(executionArn=arn)["input"])
                if document["group"] == self.group:
                    return arn, token
            return None

        return poll(look, "no execution waits")

    def _finished(self, prepared: dict[str, Any]) -> dict[str, Any]:
        """Leave behind what the training job would, and describe the job."""
        folder = f"training/{self.group}/{prepared['job_name']}/output"
        s3 = self.world.cloud.client("s3")
        s3.put_object(Bucket="artifacts", Key=f"{folder}/output.tar.gz", Body=a_tar(documents()))
        s3.put_object(Bucket="artifacts", Key=f"{folder}/model.tar.gz", Body=b"a model")
        job = {
            "TrainingJobName": prepared["job_name"],
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{prepared['job_name']}",
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://artifacts/{folder}/model.tar.gz"},
            "TrainingStartTime": 1_767_225_600_000,
            "TrainingEndTime": 1_767_225_660_000,
            "BillableTimeInSeconds": 60,
            "AlgorithmSpecification": {"TrainingImage": "image"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        }
        return {"prepared": prepared, "training_job": job}

    def _decide(self, execution: str, version: str) -> dict[str, Any]:
        """Answer on the page, as often as it takes, and return what was sent to the execution."""
        link = poll(self._link, "no mail with a link")
        token = link.rsplit("/", 1)[1]
        page = self.runner("decide_approval", an_http_event(token))[0]
        form = read_form(page["body"])
        answer = {**form.hidden, "decision": self.decision, "version": version, "reason": "Because."}
        shown = self.step("decide_approval", an_http_event(token, "POST", body=urlencode(answer)))
        assert shown["statusCode"] in (200, 303, 409), shown["body"]  # 409: the first answer had counted
        states = self.world.cloud.client("stepfunctions")

        def look() -> dict[str, Any] | None:
            described = states.describe_execution(executionArn=execution)
            return json.loads(described["output"]) if described["status"] == "SUCCEEDED" else None

        approval = poll(look, "nothing was sent to the execution")
        self.names |= {approval["approval_id_hash"]: "APPROVAL"}
        return approval

    def _link(self) -> str | None:
        links = [
            link
            for mail in self.world.cloud.emails()
            if self.group in mail["subject"]
            for link in re.findall(r"https://api\.example\.com/approvals/\S+", mail["body"])
        ]
        return next((link for link in links if link.count("/") == 4), None)

    def state(self) -> dict[str, Any]:
        """The content of registry and bucket, and the subjects of the emails."""
        items = {}
        pages = (
            self.world.cloud.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.world.variables["REGISTRY_TABLE_NAME"],
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"GROUP#{self.group}"}},
            )
        )
        for item in (item for page in pages for item in page["Items"]):
            items[self._plain(item["sk"]["S"])] = self._plain(item)
        pages = self.world.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket="artifacts")
        objects = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        keys = sorted({self._plain(key) for key in objects if self.group in key})
        subjects = {mail["subject"] for mail in self.world.cloud.emails() if self.group in mail["subject"]}
        return {"registry": items, "objects": keys, "emails": sorted(map(self._plain, subjects))}

    def _plain(self, value: Any) -> Any:
        """Take out what differs between any two runs: the group, ids, times and their cost, attempts."""
        match value:
            case dict():
                is_upload = "outbox" in value or "UPLOAD#" in str(value.get("sk"))
                counters = ("revision", "n_attempts", "fault") if is_upload else ()
                dropped = ("version_id", "claim", "cost_usd", *counters)
                return {self._plain(k): self._plain(v) for k, v in value.items() if k not in dropped}
            case list():
                return [self._plain(entry) for entry in value]
            case str() if value.startswith(("{", "[")) and value.rstrip().endswith(("}", "]")):
                try:
                    return self._plain(json.loads(value))
                except ValueError:
                    pass
        if not isinstance(value, str):
            return value
        text = value.replace(self.group, "GROUP")
        for name, plain in self.names.items():
            text = text.replace(name, plain).replace(name[:12], plain)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)", "TIME", text)
        return re.sub(r"JOB#[0-9a-f]{64}", "JOB#", text)


def a_tar(members: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz of the members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Say where two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            actual
            for name in sorted({*one, *other})
            for actual in differences(one.get(name), other.get(name), f"{place}/{name}")
        ]
    return [] if one == other else [f"{place}: {one!r} and {other!r}"]
