"""`mlops doctor` says what a stack stores and what its month cost, and when that is too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mlops.infrastructure.aws.cloudwatch import MetricQuery
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.models.objects import ObjectFacts, ObjectRef
from mlops.use_cases.doctor import usage as doctor_usage
from mlops.use_cases.doctor.checks import Diagnosis
from mlops.use_cases.doctor.usage import UsageFacts, examine_usage

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
GB = 1e9


class Versions(FilesystemObjects):
    """A bucket with these versions: key and size in bytes."""

    def __init__(self, listed: list[tuple[str, int]]) -> None:
        super().__init__(Path("unused"))
        self.listed = listed

    def list_versions(self, bucket: str) -> Iterator[ObjectFacts]:
        for key, size_bytes in self.listed:
            yield ObjectFacts(ObjectRef(bucket, key, "v"), size_bytes, NOW)


@dataclass
class Metrics:
    """Values by namespace, name and the value of the dimension that matters."""

    values: dict[tuple[str, str, str], float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def largest(self, query: MetricQuery, start: datetime, end: datetime) -> float | None:
        key = query.dimensions.get("BucketName") or query.dimensions.get("FunctionName", "")
        self.asked.append((start, end))
        return self.values.get((query.namespace, query.name, key))

    def sum(self, query: MetricQuery, start: datetime, end: datetime) -> float:
        return self.largest(query, start, end) or 0.0

    def count(self, query: MetricQuery, start: datetime, end: datetime) -> float:
        return self.counts.get(query.name, 0.0)


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Metrics:
    published = Metrics()
    monkeypatch.setattr(doctor_usage, "largest_value", published.largest)
    monkeypatch.setattr(doctor_usage, "sum_of_values", published.sum)
    monkeypatch.setattr(doctor_usage, "count_of_values", published.count)
    return published


def usage(budget: float = 0.0, *listed: tuple[str, int]) -> list[Diagnosis]:
    objects, scoring, predict = Versions(list(listed)), {"score": 3.0}, {"predict": 3.0}
    facts = UsageFacts({"artifact": "artifacts"}, objects, "MLOps/m", scoring, predict, budget, NOW)
    return examine_usage(facts)


def test_a_new_stack_has_no_size_and_no_cost(metrics: Metrics) -> None:
    storage, cost = usage()
    assert storage.message == "S3 has not measured the artifact bucket yet."
    assert "0 trainings $0.0000, 0 scored files $0.0000, requests to predict $0.0000;" in cost.message
    assert not storage.is_fault
    assert not cost.is_fault


def test_what_is_stored_and_its_cost_are_said(metrics: Metrics) -> None:
    metrics.values = {
        ("AWS/S3", "BucketSizeBytes", "artifacts"): 12 * GB,
        ("AWS/S3", "NumberOfObjects", "artifacts"): 3400.0,
    }
    storage, _ = usage()
    assert storage.message == (
        "The artifact bucket has 12.00 GB in 3,400 objects and versions, about $0.28 a month."
    )
    assert not storage.is_fault


def test_much_storage_is_a_fault_that_names_the_largest_folders(metrics: Metrics) -> None:
    metrics.values = {("AWS/S3", "BucketSizeBytes", "artifacts"): 300 * GB}
    files = [
        ("predictions/g/a.csv", int(200 * GB)),
        ("predictions/h/b.csv", int(50 * GB)),
        ("models/m", 10**9),
    ]
    storage, _ = usage(0.0, *files)
    assert storage.is_fault
    assert storage.remedy.startswith("Most of it: predictions/ 250.00 GB, models/ 1.00 GB")
    assert "PredictionRetentionDays" in storage.remedy


@pytest.mark.parametrize(("budget", "is_fault"), [(0.0, False), (20.0, False), (12.0, True)])
def test_the_month_is_compared_with_the_budget(metrics: Metrics, budget: float, is_fault: bool) -> None:
    metrics.values = {
        ("MLOps/m", "TrainingCostUsd", ""): 12.5,
        ("AWS/Lambda", "Duration", "score"): 1_000_000.0,  # milliseconds
        ("AWS/Lambda", "Duration", "predict"): 100_000.0,
    }
    metrics.counts = {"TrainingCostUsd": 10, "RowsScored": 40}
    *_, cost = usage(budget)
    # 1,000 s and 100 s of 3 GB
    assert "10 trainings $12.50 ($1.25 each), 40 scored files $0.0500 ($0.0013 each)" in cost.message
    assert "requests to predict $0.0050;" in cost.message
    assert cost.message.startswith("Since 2026-11-01:")
    assert cost.is_fault == is_fault
    assert metrics.asked[-1][0] == datetime(2026, 11, 1, tzinfo=UTC)
    assert ("--max-trainings-per-day" in cost.remedy) == is_fault


def test_what_aws_refuses_is_said_and_the_other_check_goes_on(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        error = {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}
        raise ClientError(error, "GetMetricStatistics")  # type: ignore[arg-type]

    monkeypatch.setattr(doctor_usage, "largest_value", refuse)
    storage, cost = usage()
    assert storage.is_fault
    assert storage.message.startswith("Not checked: ")
    assert not cost.is_fault
