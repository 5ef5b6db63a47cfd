"""The functions that score a file, on moto."""

from __future__ import annotations

import json
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client

CONTEXT = SimpleNamespace(
    function_name="scoring",
    memory_limit_in_mb=2048,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:scoring",
    aws_request_id="request",
)


def scoring_variables() -> dict[str, str]:
    """Return the variables of the functions, with a topic and a secret that exist."""
    return {
        "ARTIFACT_BUCKET_NAME": "artifact-bucket",
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "Mlops",
        "NOTIFICATION_TOPIC_ARN": client("sns").create_topic(Name="notifications")["TopicArn"],
        "RESULT_BASE_URL": "https://api.example.com/results",
        "RESULT_SIGNING_SECRET_ARN": client("secretsmanager").create_secret(
            Name="results", SecretString=json.dumps({"current": "k" * 64})
        )["ARN"],
    }


def call(function: str, event: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    """Run a function as a new worker does."""
    app = import_module(f"functions.{function}.app")
    answer: dict[str, Any] = app.handler(event, CONTEXT, dependencies=Dependencies(function, variables))
    return answer


class RangesStage:
    """A file of several ranges, and the functions in the order of the run_inference machine."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.variables = scoring_variables()

    def call(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Run a function."""
        return call(function, event, self.variables)

    def list(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return what the first function answers, and the ranges that it listed."""
        listed = self.call("list_ranges", self.request)
        return listed, json.loads(self.read(listed["ranges"]["key"]))

    def score(self) -> dict[str, Any]:
        """Score the file in ranges, which end in any order."""
        listed, ranges = self.list()
        for row_range in reversed(ranges):
            self.call("score_range", {"request": listed["request"], "range": row_range})
        return self.call("merge_ranges", {"request": listed["request"]})

    def read(self, key: str) -> bytes:
        """Return an object of the artifact bucket."""
        content: bytes = client("s3").get_object(Bucket="artifact-bucket", Key=key)["Body"].read()
        return content

    def versions(self, prefix: str) -> list[dict[str, Any]]:
        """Return every version below a prefix."""
        listed = client("s3").list_object_versions(Bucket="artifact-bucket", Prefix=prefix)
        return listed.get("Versions", [])
