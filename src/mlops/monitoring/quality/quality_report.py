"""The report of a group: its labelled predictions by period, segment, delay and version, with one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol

from mlops.models.evaluation import CalibrationBin, SliceQuality
from mlops.models.scoring.quality import (
    LabelCounts,
    PartKind,
    QualityPart,
    QualityReport,
    QualityScore,
    QualityVerdict,
)
from mlops.models.settings.quality import QualitySettings
from mlops.monitoring.quality.calibration import calibration_bins
from mlops.monitoring.quality.counts import ClassCounts, ExpectedCounts
from mlops.monitoring.quality.estimate import estimate_periods
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.periods import Labelled, joined, mature_days, name_of, periods_of
from mlops.monitoring.quality.verdict import judge


class LabelledPredictions(Protocol):
    """The predictions of one version, and those of them that have a label."""

    label_counts: LabelCounts

    def days(self) -> Mapping[date, Labelled]:
        """Return them by the day on which they were scored, in UTC; days without predictions are left out."""

    def expected_days(self) -> Mapping[date, ExpectedCounts]:
        """Return what is expected of all outcomes by day; days of which nothing is known are left out."""

    def delays(self, days: Sequence[date]) -> Mapping[str, Labelled]:
        """Return those of some days by the days between prediction and label."""

    def segments(
        self, days: Sequence[date], slices: Sequence[SliceQuality]
    ) -> Sequence[tuple[SliceQuality, Labelled]]:
        """Return those of some days by slice; slices of columns that are not stored are left out."""


def report_quality(
    labelled: LabelledPredictions,
    measure: Measure,
    settings: QualitySettings,
    *,
    group: str,
    version: str,
    slices: Sequence[SliceQuality] = (),
    versions: Sequence[QualityPart] = (),
    now: datetime,
) -> QualityReport | None:
    """Return the report; None when no prediction of the version has a label or can be estimated.

    Parameters
    ----------
    measure
        That of the version.
    slices
        The quality on its held-out rows of the slices that the group names.
    versions
        What other versions have reached.
    now
        The time of the report, in UTC; its day decides which predictions are old enough.
    """
    days, expected = labelled.days(), labelled.expected_days()
    sizes = {day: each.counts.n_labels for day, each in days.items()}
    if not any(sizes.values()) and not expected:
        return None
    mature = mature_days(days, now.date(), settings.label_delay_days)
    young = [day for day in sorted(days) if day not in mature] if mature else []
    shown = mature or tuple(sorted(days))
    together = joined(shown, days)
    approved = measure.approved if mature else None
    runs = periods_of(mature, sizes, measure.min_labels)
    overall, *others = judge(
        [
            _part(measure, "overall", name_of(shown), together, approved),
            *(_part(measure, "period", name_of(run), joined(run, days), measure.approved) for run in runs),
            *(
                _part(measure, "segment", f"{entry.column}: {entry.value}", each, _approved(entry, measure))
                for entry, each in labelled.segments(shown, slices)
            ),
        ],
        measure,
    )
    periods = tuple(part for part in others if part.kind == "period")
    report = QualityReport(
        group,
        version,
        now.date(),
        now,
        measure.task,
        measure.metric,
        "INSUFFICIENT_DATA",
        overall,
        labelled.label_counts,
        settings.window_days,
        measure.min_labels,
        settings.label_delay_days,
        periods=periods,
        segments=tuple(part for part in others if part.kind == "segment"),
        delays=tuple(_part(measure, "delay", *entry) for entry in labelled.delays(shown).items()),
        versions=tuple(versions),
        young=_part(measure, "young", name_of(young), joined(young, days)) if young else None,
        calibration=_calibration(together, measure),
        estimates=estimate_periods(expected, list(zip(runs, periods, strict=True)), measure),
    )
    return replace(report, verdict=_verdict(report))


def _verdict(report: QualityReport) -> QualityVerdict:
    if report.dropped:
        return "DROPPED"
    is_judged = any(part.verdict == "OK" for part in (report.overall, *report.periods, *report.segments))
    return "OK" if is_judged else "INSUFFICIENT_DATA"


def _approved(entry: SliceQuality, measure: Measure) -> QualityScore | None:
    """Return the score of the same slice of the held-out rows; None where another score is judged."""
    if entry.score is None or not measure.is_primary:
        return None
    return QualityScore(entry.score, entry.interval)


def _calibration(labelled: Labelled, measure: Measure) -> tuple[CalibrationBin, ...]:
    counts = labelled.counts
    return calibration_bins(counts, measure.task) if isinstance(counts, ClassCounts) else ()


def _part(
    measure: Measure, kind: PartKind, name: str, labelled: Labelled, approved: QualityScore | None = None
) -> QualityPart:
    return measure.part(kind, name, labelled.counts, labelled.n_predictions, approved)
