"""From numbers to OK, WARN, ALERT: decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops.models.drift import (
    Anomaly,
    BaselineStatistics,
    BatchProfile,
    DriftVerdict,
    FeatureCounts,
    FeatureDrift,
    FeatureProfile,
)
from mlops.models.errors import DriftError
from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg
from mlops.monitoring.verdict.anomalies import find_anomalies
from mlops.monitoring.verdict.description import describe_change, feature_histogram
from mlops.monitoring.verdict.feature_comparison import FeatureComparison, compare_feature
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
        """Refuse thresholds that are equal to each other or can never be reached."""
        if not 0.0 < self.warn <= self.alert:
            raise DriftError(
                f"threshold ({self.warn}) must be above 0 and at most alert_threshold ({self.alert})."
            )


def judge_features(
    baseline: BaselineStatistics, batch: BatchProfile, thresholds: Thresholds
) -> tuple[list[FeatureDrift], list[Anomaly]]:
    """Return the features, ranked by importance x effect, and the anomalies of each."""
    profiles = baseline.features
    comparisons = {name: compare_feature(profile, batch.features[name]) for name, profile in profiles.items()}
    q_values = benjamini_hochberg([each.chi_square.p_value for each in comparisons.values()]).tolist()
    missing = benjamini_hochberg([each.missing.p_value for each in comparisons.values()]).tolist()
    important = important_features(profiles.values())
    features: list[FeatureDrift] = []
    anomalies: list[Anomaly] = []
    for index, (name, comparison) in enumerate(comparisons.items()):
        profile, counts = profiles[name], batch.features[name]
        verdict = judge_effect(
            comparison,
            is_categorical=profile.kind == "categorical",
            q_value=q_values[index],
            thresholds=thresholds,
        )
        irregular = find_anomalies(profile, counts, n_rows=batch.n_rows, missing_q_value=missing[index])
        feature = _feature_drift(
            profile,
            counts,
            comparison,
            irregular,
            verdict,
            q_value=q_values[index],
            n_rows=batch.n_rows,
            is_important=name in important,
        )
        features.append(feature)
        anomalies += [*irregular, *_shift(feature, verdict)]
    return sorted(features, key=_rank), anomalies


def _feature_drift(
    profile: FeatureProfile,
    counts: FeatureCounts,
    comparison: FeatureComparison,
    anomalies: Sequence[Anomaly],
    verdict: DriftVerdict,
    *,
    q_value: float,
    n_rows: int,
    is_important: bool,
) -> FeatureDrift:
    notable = [anomaly for anomaly in anomalies if anomaly.verdict != "OK"]
    test = comparison.chi_square
    return FeatureDrift(
        name=profile.name,
        kind=profile.kind,
        verdict=worst(verdict, *(a.verdict for a in notable)) if n_rows >= MIN_ROWS else "INSUFFICIENT_DATA",
        psi=comparison.psi,
        chi_square=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=test.p_value,
        q_value=q_value,
        cramers_v=comparison.cramers_v,
        jensen_shannon=comparison.jensen_shannon,
        ks=comparison.ks,
        wasserstein=comparison.wasserstein,
        missing_share_reference=profile.missing_share,
        missing_share_current=counts.n_missing / n_rows if n_rows else 0.0,
        n_rows=n_rows,
        description=_description(profile, counts, notable, n_rows),
        reasons=_reasons(comparison, notable, verdict, q_value),
        importance=profile.importance,
        is_important=is_important,
        histogram=feature_histogram(profile, counts, n_rows=n_rows),
    )


def _description(
    profile: FeatureProfile, counts: FeatureCounts, anomalies: Sequence[Anomaly], n_rows: int
) -> str:
    facts = [anomaly.message.removeprefix(f"{profile.name}: ") for anomaly in anomalies]
    change = describe_change(profile, counts, n_rows=n_rows)
    if change and not (facts and change.startswith("share of other values")):
        facts.append(change)
    return f"{profile.name}: {'; '.join(facts) or 'no values'}"


def _reasons(
    comparison: FeatureComparison, anomalies: Sequence[Anomaly], verdict: DriftVerdict, q_value: float
) -> tuple[str, ...]:
    """Say in terms of the statistics why the verdict is not OK."""
    effect = f"PSI {comparison.psi:.3f}, Cramer's V {comparison.cramers_v:.3f}, q {q_value:.2g}"
    moved = [effect] if verdict in ("WARN", "ALERT") else []
    return (*moved, *(f"{anomaly.kind}: {anomaly.share:.1%} of rows" for anomaly in anomalies))


def _shift(feature: FeatureDrift, verdict: DriftVerdict) -> list[Anomaly]:
    """Report a shifted distribution among the anomalies too."""
    if verdict == "OK" or feature.n_rows < MIN_ROWS:
        return []
    return [Anomaly(feature.name, "distribution_shift", verdict, feature.description, 1.0)]


def _rank(feature: FeatureDrift) -> tuple[bool, float, float, str]:
    """Order by importance x effect, features with drift first; without importance by effect alone."""
    weight = 1.0 if feature.importance is None else max(feature.importance, 0.0)
    return (not feature.has_drift, -weight * feature.psi, -feature.psi, feature.name)


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
