"""The MaterializeFeatures function over moto: new values are online, and stale views are counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.materialize_features import app
from mlops.context.dependencies import Dependencies
from mlops.feature_store.definitions import Entity, FeatureView, Field, ValueType
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import FeatureStoreError
from tests.conftest import create_table

CONTEXT = SimpleNamespace(
    function_name="materialize_features",
    function_version="1",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:materialize_features",
    aws_request_id="1",
)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
PATIENT = Entity("patient_id")
BMI = (Field("bmi", ValueType.FLOAT64),)


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    client("s3").create_bucket(Bucket="artifact-bucket")
    client("s3").put_bucket_versioning(
        Bucket="artifact-bucket", VersioningConfiguration={"Status": "Enabled"}
    )
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifact-bucket",
        "REGISTRY_TABLE_NAME": registry_table,
        "FEATURE_TABLE_NAME": create_table("features", "pk", "sk"),
        "NOTIFICATION_TOPIC_ARN": "unused",
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "Trial",
    }
    return Dependencies("materialize_features", variables, now=lambda: NOW)


@pytest.fixture
def event(repository: Path) -> dict[str, str]:
    document: dict[str, str] = json.loads((repository / "events" / "materialize_features.json").read_text())
    return document


def fill(dependencies: Dependencies, folder: Path, *views: FeatureView) -> None:
    """Apply views and store one value in each."""
    dependencies.features.apply(views)
    path = folder / "values.csv"
    path.write_text("patient_id,event_timestamp,bmi\nA,2026-11-20T00:00:00Z,21.5\n", encoding="utf-8")
    for view in views:
        dependencies.features.ingest(view.name, path)


def stale_views() -> list[float]:
    metrics = client("cloudwatch").get_metric_statistics(
        Namespace="Trial",
        MetricName="FeatureViewsStale",
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=86400,
        Statistics=["Maximum"],
    )
    return [point["Maximum"] for point in metrics["Datapoints"]]


def test_new_values_are_online_and_views_without_new_values_are_counted(
    event: dict[str, str], dependencies: Dependencies, tmp_path: Path
) -> None:
    hourly = FeatureView("hourly", (PATIENT,), BMI, expected_every=timedelta(hours=1))
    vitals = FeatureView("vitals", (PATIENT,), BMI, ttl=timedelta(days=30))
    stored = FeatureView("stored", (PATIENT,), BMI, online=False)
    fill(dependencies, tmp_path, hourly, vitals, stored)
    views = {view["view"]: view for view in app.handler(event, CONTEXT, dependencies)["views"]}
    assert [views[name]["n_written"] for name in ("hourly", "vitals", "stored")] == [1, 1, 0]
    assert [views[name]["is_stale"] for name in ("hourly", "vitals", "stored")] == [True, False, False]
    assert stale_views() == [1.0]
    answer = dependencies.features.get_online_features(["vitals:bmi"], [{"patient_id": "A"}])
    assert answer.to_dict() == {"patient_id": ["A"], "bmi": [21.5]}
    again = app.handler(event, CONTEXT, dependencies)["views"]
    assert {view["n_written"] for view in again} == {0}


def test_a_view_that_cannot_be_copied_does_not_keep_back_the_others(
    event: dict[str, str], dependencies: Dependencies, tmp_path: Path
) -> None:
    fill(dependencies, tmp_path, *(FeatureView(name, (PATIENT,), BMI) for name in ("a", "b", "c")))
    bucket = dependencies.objects
    (damaged,) = bucket.list("artifact-bucket", "features/b/")
    bucket.write(damaged.ref, b"no parquet", "application/octet-stream")
    with pytest.raises(FeatureStoreError, match=r"Not everything was copied into the online store\. b: "):
        app.handler(event, CONTEXT, dependencies)
    answer = dependencies.features.get_online_features(
        ["a:bmi", "b:bmi", "c:bmi"], [{"patient_id": "A"}], full_feature_names=True
    )
    assert answer.to_dict() == {"patient_id": ["A"], "a__bmi": [21.5], "b__bmi": [None], "c__bmi": [21.5]}


def test_100_entities_are_read_from_two_views_in_one_request_to_dynamodb(
    event: dict[str, str], dependencies: Dependencies, tmp_path: Path
) -> None:
    fill(dependencies, tmp_path, *(FeatureView(name, (PATIENT,), BMI) for name in ("a", "b")))
    app.handler(event, CONTEXT, dependencies)
    features = dependencies.features
    entities = [{"patient_id": name} for name in ("A", *(f"P{number}" for number in range(99)))]
    requests: list[str] = []
    events = client("dynamodb").meta.events
    note = lambda model, **_: requests.append(model.name)  # noqa: E731
    events.register("before-call.dynamodb", note)
    try:
        answer = features.get_online_features(["a:bmi", "b:bmi"], entities, full_feature_names=True)
    finally:
        events.unregister("before-call.dynamodb", note)
    assert answer.to_dict()["a__bmi"][:2] == [21.5, None]
    assert requests.count("BatchGetItem") == 1
    assert set(requests) <= {"BatchGetItem", "GetItem", "Query"}  # the definitions are read, too
