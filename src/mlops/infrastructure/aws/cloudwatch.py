"""CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.metric_names import MODEL_GROUP_DIMENSION


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurement; `unit` is one of CloudWatch's (`Count`, `None`, `Seconds`, ...)."""

    name: str
    value: float
    unit: str = "Count"


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
