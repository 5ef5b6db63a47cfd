"""Reports of nights that are compared with earlier weeks, with the faults against the training rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal

from mlops.models.drift.report import DriftReport, Reference, SegmentDrift
from mlops.models.settings.monitoring import DriftReference
from mlops.monitoring.verdict.rule import Thresholds
from mlops.monitoring.verdict.segments import segment_reasons
from mlops.pages.number_format import counted, listing, rows

MIN_REFERENCE_ROWS = 300
MIN_REFERENCE_WEEKS = 3
MAX_REFERENCE_WEEKS = 8
MAX_WINDOW_DAYS = 7  # a longer one has some weekdays more often than others
WEEKS_BEFORE: Mapping[DriftReference, range] = {"weekday": range(1, 27), "season": range(50, 55)}

WeekState = Literal["usual", "faulty", "alerting"]


def state_of(report: DriftReport) -> WeekState:
    """Return whether the rows of a night may be a reference later.

    Rows with a fault may not. Nor may those that alerted against earlier weeks, or while such weeks were left
    out: a change that lasts would be the reference in the end. An alert against training alone is usual where
    a season differs from training.
    """
    if report.verdict != "ALERT":
        return "usual"
    reference = report.reference
    if reference is not None and reference.is_used:
        return "faulty" if reference.has_training_fault else "alerting"
    if report.has_fault:
        return "faulty"
    return "alerting" if reference is not None and reference.n_weeks_alerting else "usual"


def with_reference(
    training: DriftReport, reference: Reference, earlier: DriftReport | None = None
) -> DriftReport:
    """Return the report of a night that should be compared with earlier weeks.

    Parameters
    ----------
    training
        The comparison of the rows with the training rows.
    earlier
        The comparison of the same rows with earlier weeks; None where there are too few of them.
    """
    if earlier is None:
        return replace(training, reference=reference, rule=f"{training.rule} {_sentence(reference)}")
    compared = replace(reference, training_verdict=training.verdict, has_training_fault=training.has_fault)
    report = _with_faults(earlier, training)
    return replace(report, reference=compared, rule=f"{report.rule} {_sentence(compared)}")


def _with_faults(report: DriftReport, training: DriftReport) -> DriftReport:
    """Add the faults against the training rows: another unit or a missing column may last for weeks."""
    already_faulty = {anomaly.column for anomaly in report.anomalies if anomaly.is_fault}
    names = {anomaly.column for anomaly in training.anomalies if anomaly.is_fault} - already_faulty
    faulty = [name for name in training.features if name in names]
    segments = _with_faults_of_segments(report, training)
    in_segments = [
        (segment, change)
        for segment in segments
        for change in segment.changes
        if change.name in segment.faults and change.name not in {*already_faulty, *names}
    ]
    if not (faulty or segments != report.segments) or report.verdict == "INSUFFICIENT_DATA":
        return report
    features = {name: training.features[name] for name in faulty}
    features |= {name: each for name, each in report.features.items() if name not in names}
    effect = max([report.drift_score, *(features[name].psi + features[name].missing_psi for name in faulty)])
    reasons = [f"columns with a fault, compared with training: {listing(faulty)}"] if faulty else []
    reasons += segment_reasons(in_segments)
    verdict = "ALERT" if reasons else report.verdict
    return replace(
        report,
        verdict=verdict,
        reasons=(*reasons, *report.reasons),
        drift_score=Thresholds(report.threshold, report.alert_threshold).score(effect, verdict),
        features=features,
        features_with_drift=tuple(name for name, each in features.items() if each.has_drift),
        anomalies=(
            *(each for each in training.anomalies if each.column in names),
            *(each for each in report.anomalies if each.column not in names),
        ),
        segments=segments,
    )


def _with_faults_of_segments(report: DriftReport, training: DriftReport) -> tuple[SegmentDrift, ...]:
    judged = {segment.name: segment for segment in report.segments}
    for segment in training.segments:
        mine = judged.get(segment.name)
        new = set(segment.faults) - set(mine.faults if mine else ())
        if new:
            judged[segment.name] = _with_faults_of(
                mine or replace(segment, changes=(), faults=()), segment, new
            )
    return tuple(judged.values())


def _with_faults_of(mine: SegmentDrift, segment: SegmentDrift, new: Collection[str]) -> SegmentDrift:
    faulty = tuple(change for change in segment.changes if change.name in new)
    others = tuple(change for change in mine.changes if change.name not in new)
    return replace(mine, verdict="ALERT", changes=(*faulty, *others), faults=(*mine.faults, *sorted(new)))


def reference_rows(report: DriftReport) -> str:
    """Return what the rows were compared with: `training rows`, or rows of earlier weeks."""
    earlier = report.earlier_weeks
    return f"rows of {_weeks(earlier)}" if earlier else "training rows"


def _weeks(reference: Reference) -> str:
    if reference.setting == "season":
        return f"the same weekdays in {counted(reference.n_weeks, 'week')} a year earlier"
    return f"the same weekdays in {counted(reference.n_weeks, 'earlier week')}"


def _sentence(reference: Reference) -> str:
    """Say in the rule what was compared with what."""
    if reference.is_used:
        return (
            f"Compared with {_weeks(reference)} ({rows(reference.n_rows)}), faults with training too. "
            f"Compared with training alone: {reference.training_verdict}."
        )
    left_out = (
        f", without {counted(reference.n_weeks_alerting, 'week')} that alerted"
        if reference.n_weeks_alerting
        else ""
    )
    return (
        f"Compared with training, because only {rows(reference.n_rows)} of {_weeks(reference)} can be "
        f"used{left_out}; {MIN_REFERENCE_ROWS} of {MIN_REFERENCE_WEEKS} weeks are needed."
    )
