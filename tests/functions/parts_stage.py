"""A closed folder of parts on moto, and the three functions that the validate_parts machine calls."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mlops.context.dependencies import Dependencies
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.upload_events import Upload
from tests.policies import POLICY_VARIABLES

GROUP = "medication-adherence"
HEADER = "patient_id,age,plan,offtrt"
ROWS = [f"P{i},{20 + i * 37 % 60},{'abc'[i * 7 % 3]},{int((i * i + i // 3) % 5 < 3)}" for i in range(120)]
DEFINITION = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'
ROLE = "arn:aws:iam::123456789012:role/any"


def a_context(request_id: str = "1") -> SimpleNamespace:
    return SimpleNamespace(
        function_name="parts",
        function_version="1",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:parts",
        aws_request_id=request_id,
        get_remaining_time_in_millis=lambda: 900_000,
    )


class PartsStage:
    """Buckets, table, machine and topic; `call` runs a handler as its state would."""

    def __init__(self, repository: Path, table: str) -> None:
        self._repository = repository
        for bucket in ("data-bucket", "artifact-bucket"):
            client("s3").create_bucket(Bucket=bucket)
            client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        machine = client("stepfunctions").create_state_machine(
            name="train_model", definition=DEFINITION, roleArn=ROLE
        )
        self.train_model_arn = machine["stateMachineArn"]
        self.versions = DatasetVersions(DynamoDBTable(table))
        self._variables = {
            **POLICY_VARIABLES,
            "ARTIFACT_BUCKET_NAME": "artifact-bucket",
            "REGISTRY_TABLE_NAME": table,
            "FEATURE_TABLE_NAME": "features",
            "NOTIFICATION_TOPIC_ARN": client("sns").create_topic(Name="emails")["TopicArn"],
            "EVENT_BUS_NAME": "default",
            "METRICS_NAMESPACE": "mlops",
            "TRAIN_MODEL_STATE_MACHINE_ARN": self.train_model_arn,
        }

    def call(self, name: str, event: dict[str, Any], request_id: str = "1") -> dict[str, Any]:
        """Run a handler as a new worker does."""
        app = import_module(f"functions.{name}.app")
        dependencies = Dependencies(name, self._variables)
        answer: dict[str, Any] = app.handler(event, a_context(request_id), dependencies=dependencies)
        return answer

    def event(self, name: str) -> dict[str, Any]:
        """The sample event of a function."""
        actual: dict[str, Any] = json.loads((self._repository / "events" / f"{name}.json").read_text("utf-8"))
        return actual

    def drop(self, key: str, content: str = "") -> Upload:
        answer = client("s3").put_object(Bucket="data-bucket", Key=key, Body=content.encode())
        return Upload("data-bucket", key, answer["VersionId"], len(content.encode()))

    def drop_folder(self, n_parts: int = 3, *, canary: str = "") -> dict[str, Any]:
        """Drop parts and what closes them; return the event of the first step."""
        size = len(ROWS) // n_parts
        for n in range(n_parts):
            rows = ROWS[n * size : (n + 1) * size]
            if canary and n == n_parts - 1:
                rows[4] = f"P999,{canary},a,1"
            text = "\n".join([HEADER, *rows]) + "\n"
            self.drop(f"{GROUP}/training/2026-11/part-{n:05d}.csv", text)
        event = self.event("list_parts")
        event["upload"] = self.drop(event["upload"]["key"]).to_dict()
        return event

    def surveyed(self, **how: Any) -> dict[str, Any]:
        """Run the first two steps; return what the third is called with."""
        listed = self.call("list_parts", self.drop_folder(**how))
        for part in self.read_json(listed["parts"]):
            self.call("survey_part", {"request": listed["request"], "part": part})
        return {"request": listed["request"]}

    def read_json(self, place: dict[str, str]) -> Any:
        return json.loads(client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        actual = client("s3").list_objects_v2(Bucket="artifact-bucket", Prefix=prefix)
        return [entry["Key"] for entry in actual.get("Contents", ())]

    def trainings(self) -> list[str]:
        actual = client("stepfunctions").list_executions(stateMachineArn=self.train_model_arn)
        return [execution["name"] for execution in actual["executions"]]
