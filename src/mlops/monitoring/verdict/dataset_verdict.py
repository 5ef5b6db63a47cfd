"""From the verdicts of the features to the verdict of all of them, by the limits in `rule`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlops.models.drift.report import Anomaly, DriftVerdict, FeatureDrift
from mlops.monitoring.verdict.rule import MANY_FEATURES, MIN_ROWS, SIGNIFICANT
from mlops.pages.number_format import listing


def judge_dataset(
    features: Sequence[FeatureDrift], anomalies: Iterable[Anomaly], *, n_rows: int
) -> tuple[DriftVerdict, tuple[str, ...]]:
    """Judge all features together by the rule (`rule_text`), and say why."""
    if n_rows < MIN_ROWS:
        return "INSUFFICIENT_DATA", (f"{n_rows} of at least {MIN_ROWS} rows",)
    anomalies = list(anomalies)
    reasons = list(_alert_reasons(features, anomalies))
    if reasons:
        return "ALERT", tuple(reasons)
    moved = [feature.name for feature in features if feature.has_drift]
    if moved:
        return "WARN", tuple(_warn_reasons(features))
    warnings = [anomaly.message for anomaly in anomalies if anomaly.verdict in ("WARN", "ALERT")]
    return ("WARN", tuple(warnings[:5])) if warnings else ("OK", ())


def _alert_reasons(features: Sequence[FeatureDrift], anomalies: Sequence[Anomaly]) -> Iterable[str]:
    faults = {anomaly.column for anomaly in anomalies if anomaly.is_fault}
    if faulty := [feature.name for feature in features if feature.name in faults]:
        yield f"columns with a fault: {listing(faulty)}"
    alerting = [feature.name for feature in features if feature.verdict == "ALERT" and feature.is_important]
    if alerting:
        yield f"important features changed a lot: {listing(alerting)}"
    n_moved = sum(feature.has_drift for feature in features)
    if n_moved > MANY_FEATURES * len(features):
        yield f"{n_moved} of {len(features)} features changed"


def _warn_reasons(features: Sequence[FeatureDrift]) -> Iterable[str]:
    alerting = [feature.name for feature in features if feature.verdict == "ALERT"]
    warning = [feature.name for feature in features if feature.verdict == "WARN"]
    if alerting:
        yield f"changed a lot, but of little importance: {listing(alerting)}"
    if warning:
        yield f"changed: {listing(warning)}"


def largest_effect(features: Iterable[FeatureDrift], anomalies: Iterable[Anomaly]) -> float:
    """Return the largest PSI of a significant change: of values, or of the missing share."""
    missing = {anomaly.column for anomaly in anomalies if anomaly.kind == "missing_values"}
    effects = [
        max(
            feature.psi if feature.q_value <= SIGNIFICANT else 0.0,
            feature.missing_psi if feature.name in missing else 0.0,
        )
        for feature in features
    ]
    return max(effects, default=0.0)
