"""From numbers to OK, WARN, ALERT: decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops.models.drift import Anomaly, DriftVerdict, FeatureDrift, FeatureProfile
from mlops.models.errors import DriftError
from mlops.monitoring.verdict.feature_comparison import FeatureComparison
from mlops.pages.number_format import listing

MIN_ROWS = 100
SIGNIFICANT = 0.05
_IMPORTANT_SHARE = 0.8
_MANY_FEATURES = 0.3
_SEVERITY: tuple[DriftVerdict, ...] = ("INSUFFICIENT_DATA", "OK", "WARN", "ALERT")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Effects (PSI; for categories also Cramer's V) from which a significant change warns and alerts."""

    warn: float = 0.1
    alert: float = 0.2

    def __post_init__(self) -> None:
        """Refuse thresholds that could never be told apart or never be reached."""
        if not 0.0 < self.warn <= self.alert:
            raise DriftError(
                f"threshold ({self.warn}) must be above 0 and at most alert_threshold ({self.alert})."
            )


def judge_effect(
    comparison: FeatureComparison, *, is_categorical: bool, q_value: float, thresholds: Thresholds
) -> DriftVerdict:
    """Judge the change of one feature: it must be large *and* no accident.

    For categories either effect size will do. Cramer's V shrinks when a small batch meets a large training
    set, so asking for both would let real drift pass.
    """
    if q_value > SIGNIFICANT:
        return "OK"
    effect = max(comparison.psi, comparison.cramers_v) if is_categorical else comparison.psi
    if effect >= thresholds.alert:
        return "ALERT"
    return "WARN" if effect >= thresholds.warn else "OK"


def judge_dataset(
    features: Sequence[FeatureDrift], anomalies: Iterable[Anomaly], *, n_rows: int
) -> tuple[DriftVerdict, tuple[str, ...]]:
    """Judge all features together, and say why.

    ALERT when an important feature alerts or more than 30 % of the features have moved; WARN when anything
    at all has; INSUFFICIENT_DATA under 100 rows.
    """
    if n_rows < MIN_ROWS:
        return "INSUFFICIENT_DATA", (f"{n_rows} of at least {MIN_ROWS} rows",)
    alerting = [feature.name for feature in features if feature.verdict == "ALERT" and feature.is_important]
    moved = [feature.name for feature in features if feature.has_drift]
    reasons = []
    if alerting:
        reasons.append(f"important features changed: {listing(alerting)}")
    if len(moved) > _MANY_FEATURES * len(features):
        reasons.append(f"{len(moved)} of {len(features)} features changed")
    if reasons:
        return "ALERT", tuple(reasons)
    if moved:
        return "WARN", (f"changed: {listing(moved)}",)
    warnings = [anomaly.message for anomaly in anomalies if anomaly.verdict in ("WARN", "ALERT")]
    return ("WARN", tuple(warnings[:5])) if warnings else ("OK", ())


def important_features(profiles: Iterable[FeatureProfile]) -> frozenset[str]:
    """Return the features that together carry the first 80 % of the importance; all when none is known."""
    weights = {profile.name: max(profile.importance or 0.0, 0.0) for profile in profiles}
    total = sum(weights.values())
    if not total:
        return frozenset(weights)
    important, carried = set(), 0.0
    for name in sorted(weights, key=lambda name: -weights[name]):
        if carried >= _IMPORTANT_SHARE * total:
            break
        important.add(name)
        carried += weights[name]
    return frozenset(important)


def worst(*verdicts: DriftVerdict) -> DriftVerdict:
    """Return the most serious of the verdicts."""
    return max(verdicts, key=_SEVERITY.index)
