"""The verdicts of segments: the same rule within each, corrected over all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mlops.models.drift.profiles import (
    BaselineStatistics,
    BatchProfile,
    FeatureCounts,
    FeatureProfile,
    Segment,
    SegmentCounts,
)
from mlops.models.drift.report import Anomaly, DriftReport, FeatureDrift, SegmentDrift
from mlops.monitoring.profiles.reference import as_reference
from mlops.monitoring.verdict.dataset_verdict import largest_effect
from mlops.monitoring.verdict.rule import MIN_ROWS, RULE_OF_SEGMENTS, Thresholds
from mlops.monitoring.verdict.verdict import (
    SEVERITY,
    compare_features,
    correct,
    judge_comparisons,
    worst,
)
from mlops.pages.number_format import listing

type _Sides = tuple[BaselineStatistics, BatchProfile]


def judge_segments(
    baseline: BaselineStatistics, batch: BatchProfile, thresholds: Thresholds
) -> list[SegmentDrift]:
    """Return the segments of at least 100 rows now, those that changed most first.

    Its inputs are compared with the training rows of the segment, its predictions with those of its held-out
    rows, where there are at least 100. Benjamini-Hochberg is over all questions about all segments.
    """
    inputs, outputs = _sides(baseline, batch)
    compared = {
        (name, is_output, feature): comparison
        for is_output, sides in ((False, inputs), (True, outputs))
        for name, side in sides.items()
        for feature, comparison in compare_features(*side).items()
    }
    q_values = correct(compared)

    def judged(name: str, side: _Sides, *, is_output: bool) -> tuple[list[FeatureDrift], list[Anomaly]]:
        own = {key[2]: comparison for key, comparison in compared.items() if key[:2] == (name, is_output)}
        corrected = {feature: q_values[name, is_output, feature] for feature in own}
        return judge_comparisons(*side, own, corrected, thresholds, with_anomalies=not is_output)

    drifts = []
    for segment in baseline.segments:
        if segment.name in inputs:
            features, anomalies = judged(segment.name, inputs[segment.name], is_output=False)
            said = (
                judged(segment.name, outputs[segment.name], is_output=True)[0]
                if segment.name in outputs
                else []
            )
            drifts.append(_drift(segment, baseline, batch, [*said, *features], anomalies))
    return sorted(drifts, key=_rank)


def _sides(baseline: BaselineStatistics, batch: BatchProfile) -> tuple[dict[str, _Sides], dict[str, _Sides]]:
    """Return both sides of the inputs and of the outputs of each segment that can be judged."""
    inputs: dict[str, _Sides] = {}
    outputs: dict[str, _Sides] = {}
    for segment in baseline.segments:
        now, before = batch.segments.get(segment.name), segment.reference
        if now is None or now.n_rows < MIN_ROWS:
            continue
        watched = {name: profile for name, profile in baseline.features.items() if name in before.features}
        inputs[segment.name] = _side(baseline, batch, watched, before.features, now.features, now.n_rows)
        n_held_out, n_said = _n_rows(before), _n_rows(now)
        if min(n_held_out, n_said) >= MIN_ROWS:
            of_outputs = baseline.outputs
            outputs[segment.name] = _side(baseline, batch, of_outputs, before.outputs, now.outputs, n_said)
    return inputs, outputs


def _side(
    baseline: BaselineStatistics,
    batch: BatchProfile,
    profiles: Mapping[str, FeatureProfile],
    before: Mapping[str, FeatureCounts],
    now: Mapping[str, FeatureCounts],
    n_rows: int,
) -> _Sides:
    # a column that is constant in a segment is not judged there
    kept = {
        name: as_reference(profile, before[name])
        for name, profile in profiles.items()
        if np.count_nonzero(before[name].counts) > 1 and profile.n_distinct > 1
    }
    return (
        replace(baseline, features=kept),
        replace(batch, features={name: now[name] for name in kept}, n_rows=n_rows),
    )


def _n_rows(counts: SegmentCounts) -> int:
    return max((sum(each.counts) for each in counts.outputs.values()), default=0)


def _drift(
    segment: Segment,
    baseline: BaselineStatistics,
    batch: BatchProfile,
    judged: Sequence[FeatureDrift],
    anomalies: Sequence[Anomaly],
) -> SegmentDrift:
    now = batch.segments[segment.name]
    changes = tuple(feature for feature in judged if feature.has_drift)
    output = next(iter(now.output_sums), None)
    return SegmentDrift(
        segment.name,
        worst("OK", *(feature.verdict for feature in changes)),
        now.n_rows,
        segment.reference.n_rows / baseline.n_rows if baseline.n_rows else 0.0,
        now.n_rows / batch.n_rows,
        changes,
        tuple(dict.fromkeys(anomaly.column for anomaly in anomalies if anomaly.is_fault)),
        output,
        segment.reference.mean(output) if output else None,
        now.mean(output) if output else None,
    )


def with_segments(
    report: DriftReport, segments: Sequence[SegmentDrift], thresholds: Thresholds
) -> DriftReport:
    """Return the report of all rows with its segments, judged by what changed in these alone as well.

    A fault in a segment alone alerts; other changes warn, because the segment is a part of the rows.
    """
    if not segments:
        return report
    report = replace(report, segments=tuple(segments), rule=f"{report.rule} {RULE_OF_SEGMENTS}")
    own, verdict = report.changes_in_segments, report.verdict
    if own and verdict != "INSUFFICIENT_DATA":
        has_fault = any(change.name in segment.faults for segment, change in own)
        verdict = worst(verdict, "ALERT" if has_fault else "WARN")
    effect = max(
        largest_effect([*report.features.values(), *(change for _, change in own)], report.anomalies),
        largest_effect(report.predictions.values(), ()),
    )
    return replace(
        report,
        verdict=verdict,
        reasons=(*report.reasons, *segment_reasons(own)),
        drift_score=thresholds.score(effect, verdict),
    )


def segment_reasons(changes: Iterable[tuple[SegmentDrift, FeatureDrift]]) -> Iterator[str]:
    """Yield the reasons of a verdict that are changes in segments."""
    faulty: list[str] = []
    changed: list[str] = []
    for segment, change in changes:
        (faulty if change.name in segment.faults else changed).append(f"{change.name} of {segment.name}")
    if faulty:
        yield f"columns with a fault in a segment: {listing(faulty)}"
    if changed:
        yield f"changed in a segment: {listing(changed)}"


def _rank(drift: SegmentDrift) -> tuple[bool, int, float]:
    effect = max((feature.psi for feature in drift.changes), default=0.0)
    return not drift.faults, -SEVERITY.index(drift.verdict), -effect
