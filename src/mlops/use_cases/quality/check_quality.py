"""Realised quality of all groups, or of one after its labels came: reports, metrics, events and emails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mlops.dataset.privacy import shown
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.event_names import QUALITY_DROPPED, QUALITY_MEASURED
from mlops.infrastructure.metric_names import (
    ESTIMATED_QUALITY,
    LABELLED_PREDICTIONS,
    QUALITY_CHECKS_COMPLETED,
    QUALITY_DROPS,
    REALISED_QUALITY,
)
from mlops.infrastructure.notifications import Notifier
from mlops.ledger.shadow.archive import ShadowArchive
from mlops.models.errors import QualityError
from mlops.models.metrics import metric_shown
from mlops.models.record import Record
from mlops.models.scoring.quality import QualityReport
from mlops.monitoring.quality.quality_state import QualityState, advance
from mlops.monitoring.quality.report_text import render_text
from mlops.use_cases.every_group import check_every_group
from mlops.use_cases.quality.measure_quality import Measurement, QualitySources, measure_group
from mlops.use_cases.quality.quality_archive import QualityArchive


@dataclass(frozen=True, slots=True)
class CheckedQuality(Record):
    """The result for one group: only names, counts and codes, so that it may be logged."""

    group: str
    verdict: str
    n_labels: int = 0
    report_uri: str | None = None


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """The check, with its sources, its documents, those of shadow scoring, and the notifier."""

    sources: QualitySources
    archive: QualityArchive
    notifier: Notifier
    shadow: ShadowArchive

    def run(self, now: datetime) -> list[CheckedQuality]:
        """Check every group.

        Raises
        ------
        QualityError
            After all groups were checked, when some could not be.
        """
        checked = check_every_group(
            self.sources.versions.groups(),
            lambda group: [self.check(group, now)],
            lambda causes: QualityError(f"The quality could not be measured for {causes}"),
        )
        self.notifier.publish_metrics([Metric(QUALITY_CHECKS_COMPLETED, 1)], group=None)
        return checked

    def check_labels(self, group: str, upload_id: str, n_labels: int, now: datetime) -> CheckedQuality:
        """Check one group after a file of labels was recorded; say so when none of them has a prediction."""
        checked, measured = self._check(group, now, upload_id)
        if n_labels and not measured.n_matched_of_upload:
            self.notifier.send_email(*compose_unmatched(group, upload_id, n_labels), group=group)
        return checked

    def check(self, group: str, now: datetime) -> CheckedQuality:
        """Check one group."""
        return self._check(group, now)[0]

    def _check(
        self, group: str, now: datetime, upload_id: str | None = None
    ) -> tuple[CheckedQuality, Measurement]:
        state = self._send_pending(group, self.archive.state(group))
        measured = measure_group(group, self.sources, now, upload_id)
        if measured.shadow is not None:
            self.shadow.write_quality(group, measured.shadow)
        report = measured.report
        if report is None:
            return CheckedQuality(group, "INSUFFICIENT_DATA"), measured
        uri = self.archive.write_report(report)
        self.notifier.publish_metrics(_metrics(report), group=group)
        if report.overall.n_labels:
            self.notifier.publish_event(QUALITY_MEASURED, quality_detail(report, uri))
        state = advance(state, report)
        self.archive.write_state(group, state)
        self._send_pending(group, state)
        return CheckedQuality(group, report.verdict, report.overall.n_labels, uri), measured

    def _send_pending(self, group: str, state: QualityState) -> QualityState:
        """Send what is due, then record that it was sent; after a crash in between it is sent again."""
        report = self.archive.last_report(group) if state.pending else None
        if report is None:
            return state
        uri = self.archive.report_uri(report)
        self.notifier.send_email(*compose_change(report, state, uri), group=group)
        if state.pending == "dropped":
            self.notifier.publish_event(QUALITY_DROPPED, quality_detail(report, uri))
        sent = replace(state, pending=None)
        self.archive.write_state(group, sent)
        return sent


def compose_change(report: QualityReport, state: QualityState, uri: str) -> tuple[str, str]:
    """Return subject and body of the email about a drop, or about its end."""
    if state.pending == "dropped":
        subject = f"[{report.model_group}] Quality dropped below the approved score"
        advice = (
            "What to do: look at the report, and at the drift report of the group. If the change is\n"
            "permanent, drop newer training data, or return to the earlier version with\n"
            f"mlops rollback {report.model_group} --reason TEXT"
        )
    else:
        subject = f"[{report.model_group}] Quality is as approved again"
        advice = "Nothing to do. The earlier alert about this group is over."
    return subject, f"{render_text(report)}\n{advice}\n\nThe whole report:\n{uri}\n"


def compose_unmatched(group: str, upload_id: str, n_labels: int) -> tuple[str, str]:
    """Return subject and body of the email about labels of which none has a prediction."""
    body = (
        f"None of the {n_labels:,} labels of the last file belongs to a prediction of {shown(group)}.\n"
        "They are stored, and are used when the predictions of their rows come.\n\n"
        "If those rows were scored already, look whether the ids are written as in the scored file, with\n"
        "the same zeros in front, and whether the time of the outcome is after that of the prediction. Then\n"
        f"drop the corrected file. `mlops predictions {group}` shows the ids of the predictions.\n\n"
        f"Upload {upload_id}\n"
    )
    return f"[{group}] No label belongs to a prediction", body


def _metrics(report: QualityReport) -> list[Metric]:
    score = report.overall.scores.get(report.metric)
    metrics = [
        Metric(LABELLED_PREDICTIONS, report.overall.n_labels),
        Metric(QUALITY_DROPS, len(report.dropped)),
    ]
    if score is not None:
        metrics.append(Metric(REALISED_QUALITY, metric_shown(report.metric, score.value)))
    if newest := report.newest_estimate:
        metrics.append(Metric(ESTIMATED_QUALITY, metric_shown(newest.metric, newest.score.value)))
    return metrics


def quality_detail(report: QualityReport, uri: str) -> dict[str, Any]:
    """Return the content of the events about a report."""
    score, approved = report.overall.scores.get(report.metric), report.overall.approved
    return {
        "group": report.model_group,
        "model_version": report.model_version,
        "verdict": report.verdict,
        "metric": report.metric,
        "score": score and score.value,
        "approved": approved and approved.value,
        "n_labels": report.overall.n_labels,
        "dropped": [part.name for part in report.dropped],
        "report_uri": uri,
    }
