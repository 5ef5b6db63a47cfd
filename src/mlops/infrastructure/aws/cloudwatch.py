"""CloudWatch metrics and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.metric_names import MODEL_GROUP_DIMENSION

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

_ALARMS_A_REQUEST = 100
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurement; `unit` is one of CloudWatch's (`Count`, `None`, `Seconds`, ...)."""

    name: str
    value: float
    unit: str = "Count"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it is now; `since` is when it came into this state."""

    name: str
    state: AlarmState
    description: str
    since: datetime


def describe_alarms(names: Sequence[str], *, cloudwatch: Any = None) -> list[Alarm]:
    """Return the alarms of these names; those that do not exist are left out."""
    pages = (cloudwatch or client("cloudwatch")).get_paginator("describe_alarms")
    return [
        Alarm(
            entry["AlarmName"],
            entry["StateValue"],
            entry.get("AlarmDescription", ""),
            entry["StateUpdatedTimestamp"],
        )
        for start in range(0, len(names), _ALARMS_A_REQUEST)
        for page in pages.paginate(AlarmNames=list(names[start : start + _ALARMS_A_REQUEST]))
        for entry in page["MetricAlarms"]
    ]


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One metric, by its namespace, its name and the values of its dimensions."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)


def sum_of_values(query: MetricQuery, start: datetime, end: datetime, *, cloudwatch: Any = None) -> float:
    """Return the sum of a metric between two times; 0 when nothing was published."""
    return float(sum(_daily_values(query, "Sum", start, end, cloudwatch)))


def count_of_values(query: MetricQuery, start: datetime, end: datetime, *, cloudwatch: Any = None) -> float:
    """Return how often a metric was published between two times."""
    return float(sum(_daily_values(query, "SampleCount", start, end, cloudwatch)))


def largest_value(
    query: MetricQuery, start: datetime, end: datetime, *, cloudwatch: Any = None
) -> float | None:
    """Return the largest value of a metric between two times; None when nothing was published."""
    return max(_daily_values(query, "Maximum", start, end, cloudwatch), default=None)


def _daily_values(
    query: MetricQuery, statistic: str, start: datetime, end: datetime, cloudwatch: Any
) -> list[float]:
    answer = (cloudwatch or client("cloudwatch")).get_metric_statistics(
        Namespace=query.namespace,
        MetricName=query.name,
        Dimensions=[{"Name": name, "Value": value} for name, value in query.dimensions.items()],
        StartTime=start,
        EndTime=end,
        Period=_DAY_SECONDS,
        Statistics=[statistic],
    )
    return [float(point[statistic]) for point in answer["Datapoints"]]


def publish(
    namespace: str, metrics: Sequence[Metric], *, group: str | None = None, cloudwatch: Any = None
) -> None:
    """Publish the metrics for the stack and, unless `group` is None, for that model group.

    One request: at most 500 metrics with a group, 1,000 without.
    """
    data = [_datum(metric, []) for metric in metrics]
    if group is not None:
        dimensions = [{"Name": MODEL_GROUP_DIMENSION, "Value": group}]
        data += [_datum(metric, dimensions) for metric in metrics]
    (cloudwatch or client("cloudwatch")).put_metric_data(Namespace=namespace, MetricData=data)


def _datum(metric: Metric, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "MetricName": metric.name,
        "Value": metric.value,
        "Unit": metric.unit,
        "Dimensions": dimensions,
    }
