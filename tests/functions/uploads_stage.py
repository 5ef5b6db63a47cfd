"""A data bucket whose files are handed to intake; starts of intake are recorded, not carried out."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload, parse_s3_event
from tests.functions.approval_stage import CONTEXT

BUCKET = "data"


class UploadsStage:
    """The bucket, the table, and the calls that the functions made to start another one."""

    def __init__(self, registry_table: str) -> None:
        client("s3").create_bucket(Bucket=BUCKET)
        client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.variables = {
            "DATA_BUCKET_NAME": BUCKET,
            "EVENT_BUS_NAME": "default",
            "METRICS_NAMESPACE": "Trial",
            "NOTIFICATION_TOPIC_ARN": client("sns").create_topic(Name="news")["TopicArn"],
            "RECEIVE_UPLOAD_FUNCTION_NAME": "intake",
            "REGISTRY_TABLE_NAME": registry_table,
            "FEATURE_TABLE_NAME": "features",
        }
        self.versions = Dependencies("test", self.variables).versions
        self.calls: list[dict[str, Any]] = []

    @property
    def started(self) -> list[Upload]:
        """The uploads that were handed to intake, each without waiting for its end."""
        assert {(call["FunctionName"], call["InvocationType"]) for call in self.calls} <= {
            ("intake", "Event")
        }
        return [parse_s3_event(json.loads(call["Payload"])) for call in self.calls]

    def drop(self, key: str) -> Upload:
        """Put a small file into the bucket."""
        content = b"a,b\n1,2\n"
        version = client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]
        return Upload(BUCKET, key, version, len(content))

    def handle(self, app: ModuleType, event: dict[str, Any], **variables: str) -> dict[str, Any]:
        """Run a handler on the stage."""
        dependencies = Dependencies(app.DEPENDENCIES.actor, self.variables | variables)
        dependencies.lambda_client = SimpleNamespace(invoke=lambda **call: self.calls.append(call))
        answer: dict[str, Any] = app.handler(event, CONTEXT, dependencies=dependencies)
        return answer
