"""The report of a group: its labelled predictions by period, segment, delay and version, with one verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, get_args

from mlops.models.evaluation import CalibrationBin, SliceQuality
from mlops.models.scoring.quality import (
    N_NEWEST,
    LabelCounts,
    PartKind,
    QualityPart,
    QualityReport,
    QualityScore,
    QualityVerdict,
)
from mlops.models.settings.monitoring import QualitySettings
from mlops.monitoring.quality.calibration import calibration_bins
from mlops.monitoring.quality.counts import ClassCounts, ExpectedCounts
from mlops.monitoring.quality.estimate import estimate_periods
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.periods import (
    Labelled,
    joined,
    mature_days,
    name_of,
    periods_of,
    recent_runs,
)
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


@dataclass(frozen=True, slots=True)
class JudgedVersion:
    """The version that is judged, and what it is held against.

    `slices` is the quality on its held-out rows of the slices that the group names, `versions` what other
    versions have reached.
    """

    group: str
    version: str
    measure: Measure
    settings: QualitySettings
    slices: Sequence[SliceQuality] = ()
    versions: Sequence[QualityPart] = ()


def report_quality(
    labelled: LabelledPredictions, judged: JudgedVersion, now: datetime
) -> QualityReport | None:
    """Return the report; None when no prediction of the version has a label or can be estimated.

    Parameters
    ----------
    now
        The time of the report, in UTC; its day decides which predictions are old enough.
    """
    days, expected = labelled.days(), labelled.expected_days()
    if not any(each.counts.n_labels for each in days.values()) and not expected:
        return None
    measure, settings = judged.measure, judged.settings
    mature = mature_days(days, now.date(), settings.label_delay_days)
    young = [day for day in sorted(days) if day not in mature] if mature else []
    shown = mature or tuple(sorted(days))
    together = joined(shown, days)
    runs = periods_of(mature, {day: each.counts.n_labels for day, each in days.items()}, measure.min_labels)
    overall, periods, recent, segments = _judged_parts(labelled, days, shown, runs, judged)
    report = QualityReport(
        judged.group,
        judged.version,
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
        segments=segments,
        delays=tuple(_part(measure, "delay", *entry) for entry in labelled.delays(shown).items()),
        versions=tuple(judged.versions),
        young=_part(measure, "young", name_of(young), joined(young, days)) if young else None,
        calibration=_calibration(together, measure),
        estimates=estimate_periods(expected, list(zip(runs, periods, strict=True)), measure),
        recent=recent,
    )
    return replace(report, verdict=_verdict(report))


def _judged_parts(
    labelled: LabelledPredictions,
    days: Mapping[date, Labelled],
    shown: Sequence[date],
    runs: Sequence[Sequence[date]],
    judged: JudgedVersion,
) -> tuple[QualityPart, tuple[QualityPart, ...], tuple[QualityPart, ...], tuple[QualityPart, ...]]:
    """Return all judged predictions, the periods, the newest periods together, and the segments.

    What decides about the group is one family of comparisons; an earlier period had its turn when it was new.
    """
    measure = judged.measure

    def part(kind: PartKind, chosen: Sequence[date]) -> QualityPart:
        return _part(measure, kind, name_of(chosen), joined(chosen, days), measure.approved)

    of_all = _part(
        measure, "overall", name_of(shown), joined(shown, days), measure.approved if runs else None
    )
    segments = [
        _part(measure, "segment", f"{entry.column}: {entry.value}", each, _approved(entry, measure))
        for entry, each in labelled.segments(shown, judged.slices)
    ]
    periods = [part("period", run) for run in runs]
    recent = [part("recent", run) for run in recent_runs(runs)]
    earlier, newest = periods[:-N_NEWEST], periods[-N_NEWEST:]
    parts = judge([of_all, *newest, *recent, *segments], measure)
    of_kind = {kind: tuple(each for each in parts if each.kind == kind) for kind in get_args(PartKind)}
    before = [each for period in earlier for each in judge([period], measure)]
    return of_kind["overall"][0], (*before, *of_kind["period"]), of_kind["recent"], of_kind["segment"]


def _verdict(report: QualityReport) -> QualityVerdict:
    if report.dropped:
        return "DROPPED"
    parts = (report.overall, *report.periods, *report.recent, *report.segments)
    is_judged = any(part.verdict == "OK" for part in parts)
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
