"""The handful of numbers that a drift report publishes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from mlops.infrastructure.aws.cloudwatch import Metric, publish
from mlops.infrastructure.metric_names import (
    DRIFT_SCORE,
    FEATURES_WITH_DRIFT,
    PREDICTION_DRIFT_SCORE,
    REASON_DRIFT_SCORE,
)
from mlops.models.drift.report import DriftReport

MetricSink = Callable[[DriftReport, Mapping[str, float]], None]


def metrics_of(report: DriftReport) -> dict[str, float]:
    """Return the numbers of a report by name; those of predictions and reasons where they were judged."""
    score = report.prediction_drift_score
    is_judged = report.prediction_verdict != "INSUFFICIENT_DATA"
    of_predictions = {"prediction_drift_score": score} if score is not None and is_judged else {}
    of_reasons = report.reason_drift_score
    return {
        **of_predictions,
        **({} if of_reasons is None else {"reason_drift_score": of_reasons}),
        "overall_drift_score": report.drift_score,
        "features_with_drift": len(report.features_with_drift),
        "drift_alerts": int(report.verdict == "ALERT"),
        "features_checked": len(report.features),
        "rows_checked": report.n_rows,
    }


def cloudwatch_sink(namespace: str) -> MetricSink:
    """Return a sink that publishes to CloudWatch, for the report's model group and for the stack."""

    def send(report: DriftReport, metrics: Mapping[str, float]) -> None:
        publish(namespace, as_cloudwatch(metrics), group=report.model_group)

    return send


def as_cloudwatch(metrics: Mapping[str, float]) -> list[Metric]:
    """Return the numbers for dashboards; the alarm depends on the alert state, not on one check."""
    optional = {"prediction_drift_score": PREDICTION_DRIFT_SCORE, "reason_drift_score": REASON_DRIFT_SCORE}
    return [
        Metric(DRIFT_SCORE, metrics["overall_drift_score"], "None"),
        Metric(FEATURES_WITH_DRIFT, metrics["features_with_drift"]),
        *(Metric(name, metrics[key], "None") for key, name in optional.items() if key in metrics),
    ]


def default_sink() -> MetricSink:
    """Return the sink that the environment asks for: CloudWatch with METRICS_NAMESPACE, nowhere without."""
    namespace = os.environ.get("METRICS_NAMESPACE")
    return cloudwatch_sink(namespace) if namespace else _nowhere


def _nowhere(report: DriftReport, metrics: Mapping[str, float]) -> None:
    """Publish nothing."""
    del report, metrics
