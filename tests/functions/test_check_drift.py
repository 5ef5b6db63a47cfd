"""The function as EventBridge Scheduler starts it, on moto."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from functions.check_drift import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import DriftError
from mlops.monitoring import build_baseline, profile_batch
from mlops.registry.model_registry import ModelRegistry

BUCKET = "artifacts"
GROUP = "adherence"

type Check = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class LambdaContext:
    function_name: str = "check-drift"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:check-drift"
    aws_request_id: str = "1"


@pytest.fixture
def check(registry_table: str) -> Check:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client("events").create_event_bus(Name="mlops")
    secret = client("secretsmanager").create_secret(
        Name="keys", SecretString=json.dumps({"current": "k" * 64})
    )
    variables = {
        "ALERT_BASE_URL": "https://api.example.com/alerts",
        "APPROVAL_SIGNING_SECRET_ARN": secret["ARN"],
        "APPROVAL_TOPIC_ARN": client("sns").create_topic(Name="approval")["TopicArn"],
        "ARTIFACT_BUCKET_NAME": BUCKET,
        "EVENT_BUS_NAME": "mlops",
        "METRICS_NAMESPACE": "Trial",
        "NOTIFICATION_TOPIC_ARN": client("sns").create_topic(Name="notifications")["TopicArn"],
        "REGISTRY_TABLE_NAME": registry_table,
    }
    dependencies = Dependencies("check_drift", variables)
    return lambda event: app.handler(event, LambdaContext(), dependencies=dependencies)


@pytest.fixture
def event(repository: Path) -> dict[str, Any]:
    return json.loads((repository / "events/check_drift.json").read_text())


def put(key: str, text: str) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())


def a_champion_with_scored_rows(registry_table: str, tmp_path: Path, *, age: float) -> None:
    (tmp_path / "model.txt").write_text("a model")
    now = datetime(2026, 11, 1, tzinfo=UTC)
    registry = ModelRegistry(use_dynamodb=True, table_name=registry_table, actor="tester", now=lambda: now)
    registry.register_model(GROUP, tmp_path / "model.txt", {}, {}, "d1", "RandomForest")
    registry.approve_model(GROUP, "v1.0.0")
    registry.promote_model(GROUP, "v1.0.0")
    rng = np.random.default_rng(0)
    baseline = build_baseline(pd.DataFrame({"age": rng.normal(41, 10, 500)}))
    batch = profile_batch(pd.DataFrame({"age": rng.normal(age, 10, 200)}), baseline)
    put(f"models/{GROUP}/v1.0.0/baseline_statistics.json", baseline.to_json())
    put(f"profiles/{GROUP}/v1.0.0/2026-11-21/batch.json", batch.to_json())


def emails() -> dict[str, list[tuple[str, str]]]:
    """Return subject and body of the emails of each topic."""
    topics = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics
    return {
        arn.rpartition(":")[2]: [(subject, body) for _, body, subject, *_ in topic.sent_notifications]
        for arn, topic in topics.items()
    }


def published() -> dict[tuple[str, str], float]:
    """Return the largest published value per metric and group (empty for the stack)."""
    cloudwatch = client("cloudwatch")
    values = {}
    for metric in cloudwatch.list_metrics(Namespace="Trial")["Metrics"]:
        points = cloudwatch.get_metric_statistics(
            Namespace="Trial",
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=datetime(2000, 1, 1, tzinfo=UTC),
            EndTime=datetime(2100, 1, 1, tzinfo=UTC),
            Period=86400,
            Statistics=["Maximum"],
        )["Datapoints"]
        group = "".join(dimension["Value"] for dimension in metric["Dimensions"])
        values[metric["MetricName"], group] = max(point["Maximum"] for point in points)
    return values


def test_a_stack_without_models_beats_its_heart(check: Check, event: dict[str, Any]):
    assert check(event) == {"groups": []}
    assert published() == {("DriftChecksCompleted", ""): 1.0}


def test_a_champion_is_checked_reported_and_measured(
    check: Check, event: dict[str, Any], registry_table: str, tmp_path: Path
):
    a_champion_with_scored_rows(registry_table, tmp_path, age=60)
    answer = check(event)
    assert answer == {
        "groups": [
            {
                "group": GROUP,
                "verdict": "ALERT",
                "n_batches": 1,
                "n_rows": 200,
                "report_uri": f"s3://{BUCKET}/drift/{GROUP}/2026-11-22/drift_report.html",
                "arrivals": "INSUFFICIENT_DATA",
            }
        ]
    }
    page = client("s3").get_object(Bucket=BUCKET, Key=f"drift/{GROUP}/2026-11-22/drift_report.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert b"Inputs changed a lot." in page["Body"].read()
    values = published()
    assert {("DriftAlerts", ""), ("DriftAlerts", GROUP), ("DriftChecksCompleted", "")} <= set(values)
    assert values["FeaturesWithDrift", GROUP] == 1.0


def test_the_second_night_of_drift_is_emailed_to_each_approver_with_a_link_of_their_own(
    check: Check, event: dict[str, Any], registry_table: str, tmp_path: Path
):
    a_champion_with_scored_rows(registry_table, tmp_path, age=60)
    (topic,) = [t["TopicArn"] for t in client("sns").list_topics()["Topics"] if "approval" in t["TopicArn"]]
    for address in ("ada@example.com", "grace@example.com"):
        client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    check(event)
    assert emails() == {"notifications": [], "approval": []}
    check({"scheduled_at": "2026-11-23T02:00:00Z"})
    links = [
        re.search(r"^https://api.example.com/alerts/(\S+)$", body, re.MULTILINE)
        for _, body in emails()["approval"]
    ]
    assert len({link[1] for link in links}) == 2
    assert {subject for subject, _ in emails()["approval"]} == {f"Inputs changed: {GROUP} (age)"}
    assert emails()["notifications"] == []


def test_a_group_without_its_baseline_fails_the_function_without_heartbeat(
    check: Check, event: dict[str, Any], registry_table: str, tmp_path: Path
):
    a_champion_with_scored_rows(registry_table, tmp_path, age=41)
    client("s3").delete_object(Bucket=BUCKET, Key=f"models/{GROUP}/v1.0.0/baseline_statistics.json")
    with pytest.raises(DriftError, match=GROUP):
        check(event)
    assert published() == {}
