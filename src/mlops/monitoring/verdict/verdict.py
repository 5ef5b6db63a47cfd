"""From numbers to the verdict of each feature, by the limits in `rule`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile, FeatureProfile
from mlops.models.drift.report import Anomaly, DriftVerdict, FeatureDrift, Histogram
from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg
from mlops.monitoring.verdict.anomalies import QValues, find_anomalies
from mlops.monitoring.verdict.compared_counts import Pair, commonest_value, without_commonest
from mlops.monitoring.verdict.description import describe_changes, feature_histogram
from mlops.monitoring.verdict.feature_comparison import FeatureComparison, Shift, compare_pairs
from mlops.monitoring.verdict.rule import (
    IMPORTANT_SHARE,
    MIN_OVERLAP,
    MIN_ROWS,
    SIGNIFICANT,
    Thresholds,
)

SEVERITY: tuple[DriftVerdict, ...] = ("INSUFFICIENT_DATA", "OK", "WARN", "ALERT")


@dataclass(frozen=True, slots=True)
class _JudgedShift:
    """A judged change of a feature's values; `is_rest` for the values beside the commonest."""

    shift: Shift
    q_value: float
    verdict: DriftVerdict
    is_rest: bool = False

    @property
    def is_fault(self) -> bool:
        """Whether numbers hardly overlap with those of training, as in another unit."""
        return self.verdict != "OK" and self.shift.ks is not None and self.shift.ks >= 1.0 - MIN_OVERLAP


def judge_features(
    baseline: BaselineStatistics,
    batch: BatchProfile,
    thresholds: Thresholds,
    *,
    with_anomalies: bool = True,
) -> tuple[list[FeatureDrift], list[Anomaly]]:
    """Return the features, ranked by importance x effect, and the anomalies of each.

    Those with drift have a histogram, and all of them where anomalies are not looked for, as of predictions.
    """
    comparisons = compare_features(baseline, batch)
    features, anomalies = judge_comparisons(
        baseline, batch, comparisons, correct(comparisons), thresholds, with_anomalies=with_anomalies
    )
    drawn = [feature for feature in features if feature.has_drift or not with_anomalies]
    histograms = {
        feature.name: feature_histogram(comparisons[feature.name].pair, n_rows=batch.n_rows)
        for feature in drawn
    }
    return [_with_histogram(feature, histograms.get(feature.name)) for feature in features], anomalies


def _with_histogram(feature: FeatureDrift, histogram: Histogram | None) -> FeatureDrift:
    return replace(feature, histogram=histogram) if histogram else feature


def compare_features(baseline: BaselineStatistics, batch: BatchProfile) -> dict[str, FeatureComparison]:
    """Compare every feature of the baseline."""
    pairs = [Pair(profile, batch.features[name]) for name, profile in baseline.features.items()]
    return dict(zip(baseline.features, compare_pairs(pairs), strict=True))


def judge_comparisons(
    baseline: BaselineStatistics,
    batch: BatchProfile,
    comparisons: Mapping[str, FeatureComparison],
    q_values: Mapping[str, QValues],
    thresholds: Thresholds,
    *,
    with_anomalies: bool,
) -> tuple[list[FeatureDrift], list[Anomaly]]:
    """Judge features that were compared, as `judge_features` does; the correction may be a wider one."""
    important = important_features(baseline.features.values())
    shifts = {name: _judge_shift(each, q_values[name], thresholds) for name, each in comparisons.items()}
    changes = describe_changes([_judged_values(comparisons[name].pair, shifts[name]) for name in comparisons])
    features: list[FeatureDrift] = []
    anomalies: list[Anomaly] = []
    for (name, comparison), change in zip(comparisons.items(), changes, strict=True):
        pair, judged = comparison.pair, shifts[name]
        irregular = (
            find_anomalies(pair, n_rows=batch.n_rows, q_values=q_values[name]) if with_anomalies else []
        )
        feature = _feature_drift(
            comparison,
            irregular,
            judged,
            change,
            n_rows=batch.n_rows,
            is_important=name in important,
        )
        features.append(feature)
        anomalies += [*irregular, *_shift_anomaly(feature, judged)]
    return sorted(features, key=_rank), anomalies


def correct[Name](comparisons: Mapping[Name, FeatureComparison]) -> dict[Name, QValues]:
    """Correct the p-values of all questions about all features together (Benjamini-Hochberg)."""
    p_values = {
        (name, question): p for name, each in comparisons.items() for question, p in _p_values(each).items()
    }
    corrected = dict(zip(p_values, benjamini_hochberg(list(p_values.values())).tolist(), strict=True))
    return {
        name: QValues(**{question: corrected[name, question] for question in _p_values(each)})
        for name, each in comparisons.items()
    }


def _p_values(comparison: FeatureComparison) -> dict[str, float]:
    """Return the p-value of each question that can be asked: none about missing values without them."""
    p_values = {"present": comparison.present.p_value}
    if comparison.rest is not None:
        p_values["rest"] = comparison.rest.p_value
    if comparison.missing.degrees_of_freedom:
        p_values["missing"] = comparison.missing.p_value
    if comparison.unseen_p_value < 1.0:
        p_values["unseen"] = comparison.unseen_p_value
    if comparison.outliers_p_value < 1.0:
        p_values["outliers"] = comparison.outliers_p_value
    return p_values


def _judge_shift(comparison: FeatureComparison, q_values: QValues, thresholds: Thresholds) -> _JudgedShift:
    """Judge the present values, and those beside the commonest one; the more serious verdict counts."""
    is_categorical = comparison.pair.profile.kind == "categorical"
    shifts = [(comparison.present, q_values.present, False)]
    if comparison.rest is not None:
        shifts.append((comparison.rest, q_values.rest, True))
    judged = [
        _JudgedShift(
            shift,
            q_value,
            judge_effect(shift, is_categorical=is_categorical, q_value=q_value, thresholds=thresholds),
            is_rest,
        )
        for shift, q_value, is_rest in shifts
    ]
    return max(judged, key=lambda each: (SEVERITY.index(each.verdict), each.is_fault, not each.is_rest))


def _feature_drift(
    comparison: FeatureComparison,
    anomalies: Sequence[Anomaly],
    judged: _JudgedShift,
    change: str,
    *,
    n_rows: int,
    is_important: bool,
) -> FeatureDrift:
    profile, counts = comparison.pair.profile, comparison.pair.batch
    notable = [anomaly for anomaly in anomalies if anomaly.verdict != "OK"]
    shift, test = judged.shift, judged.shift.chi_square
    compared = f"values other than {commonest_value(profile)}" if judged.is_rest else ""
    return FeatureDrift(
        name=profile.name,
        kind=profile.kind,
        verdict=worst(judged.verdict, *(a.verdict for a in notable))
        if n_rows >= MIN_ROWS
        else "INSUFFICIENT_DATA",
        psi=shift.psi,
        psi_by_chance=shift.psi_by_chance,
        chi_square=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=shift.p_value,
        q_value=judged.q_value,
        cramers_v=shift.cramers_v,
        jensen_shannon=shift.jensen_shannon,
        ks=comparison.present.ks,
        wasserstein=comparison.wasserstein,
        missing_share_reference=profile.missing_share,
        missing_share_current=counts.n_missing / n_rows if n_rows else 0.0,
        n_rows=n_rows,
        description=_description(profile.name, notable, change, compared),
        reasons=_reasons(judged, notable),
        importance=profile.importance,
        is_important=is_important,
        compared=compared,
        missing_psi=comparison.missing_psi,
    )


def _judged_values(pair: Pair, judged: _JudgedShift) -> Pair:
    """Return the values that were judged: all, or those beside the commonest one."""
    return (without_commonest(pair) if judged.is_rest else None) or pair


def _description(name: str, anomalies: Sequence[Anomaly], change: str, compared: str) -> str:
    facts = [anomaly.message.removeprefix(f"{name}: ") for anomaly in anomalies]
    if change and not (facts and change.startswith("share of other values")):
        facts.append(f"{compared}: {change}" if compared else change)
    return f"{name}: {'; '.join(facts) or 'no values'}"


def _reasons(judged: _JudgedShift, anomalies: Sequence[Anomaly]) -> tuple[str, ...]:
    """Say in terms of the statistics why the verdict is not OK."""
    effect = f"PSI {judged.shift.psi:.3f}, Cramer's V {judged.shift.cramers_v:.3f}, q {judged.q_value:.2g}"
    moved = [effect] if judged.verdict in ("WARN", "ALERT") else []
    return (*moved, *(f"{anomaly.kind}: {anomaly.share:.1%} of rows" for anomaly in anomalies))


def _shift_anomaly(feature: FeatureDrift, judged: _JudgedShift) -> list[Anomaly]:
    """Report a shifted distribution among the anomalies too; as a fault when the values hardly overlap."""
    if judged.verdict == "OK" or feature.n_rows < MIN_ROWS:
        return []
    return [
        Anomaly(feature.name, "distribution_shift", judged.verdict, feature.description, 1.0, judged.is_fault)
    ]


def _rank(feature: FeatureDrift) -> tuple[bool, float, float, str]:
    """Order by importance x effect, features with drift first; without importance by effect alone."""
    weight = 1.0 if feature.importance is None else max(feature.importance, 0.0)
    effect = feature.psi + feature.missing_psi
    return (not feature.has_drift, -weight * effect, -effect, feature.name)


def judge_effect(
    shift: Shift, *, is_categorical: bool, q_value: float, thresholds: Thresholds
) -> DriftVerdict:
    """Judge a change of values: it must be large, beyond what chance adds to few rows, *and* significant.

    For categories either effect size will do. Cramer's V shrinks when a small batch meets a large training
    set, so asking for both would let real drift pass.
    """
    if q_value > SIGNIFICANT:
        return "OK"
    beyond_chance = shift.psi - shift.psi_by_chance
    effect = max(beyond_chance, shift.cramers_v) if is_categorical else beyond_chance
    if effect >= thresholds.alert:
        return "ALERT"
    return "WARN" if effect >= thresholds.warn else "OK"


def important_features(profiles: Iterable[FeatureProfile]) -> frozenset[str]:
    """Return the features that together carry the first 80 % of the importance; all when none is known."""
    weights = {profile.name: max(profile.importance or 0.0, 0.0) for profile in profiles}
    total = sum(weights.values())
    if not total:
        return frozenset(weights)
    important, carried = set(), 0.0
    for name in sorted(weights, key=lambda name: -weights[name]):
        if carried >= IMPORTANT_SHARE * total:
            break
        important.add(name)
        carried += weights[name]
    return frozenset(important)


def worst(*verdicts: DriftVerdict) -> DriftVerdict:
    """Return the most serious of the verdicts."""
    return max(verdicts, key=SEVERITY.index)
