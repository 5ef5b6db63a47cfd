"""The nightly check: scored data against training or earlier weeks of each champion, and how files arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from mlops.feature_store.freshness import ViewFreshness
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import DRIFT_CHECKS_COMPLETED
from mlops.infrastructure.notifications import Notifier
from mlops.ledger.batches import LedgerBatches
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.models.errors import DriftError
from mlops.models.record import Record
from mlops.models.registered import RegisteredModels
from mlops.models.registry import ModelMetadata
from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.drift_metrics import as_cloudwatch, metrics_of
from mlops.monitoring.profiles.batch import empty_batch, merge
from mlops.monitoring.profiles.reference import baseline_of
from mlops.monitoring.verdict.arrivals import judge_arrivals
from mlops.monitoring.verdict.reference import with_reference
from mlops.monitoring.verdict.rule import MIN_ROWS
from mlops.use_cases.drift.arrived_rows import ArrivedRows, read_arrived_rows
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.drift.drift_notification import PersonalEmails
from mlops.use_cases.drift.earlier_weeks import read_earlier_weeks
from mlops.use_cases.drift.group_alerts import GroupAlerts
from mlops.use_cases.every_group import check_every_group

WINDOWS_DAYS = (1, 7, 30)
MAX_NIGHTS = 30


@dataclass(frozen=True, slots=True)
class GroupCheck(Record):
    """The result of one night for one group."""

    group: str
    verdict: str
    n_batches: int
    n_rows: int
    report_uri: str
    arrivals: str = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class NightlyCheck:
    """The check, with its documents, champions, scored files and feature views, and its notifications."""

    archive: NightlyArchive
    champions: RegisteredModels
    notifier: Notifier
    personal: PersonalEmails
    batches: LedgerBatches
    views: ViewFreshness

    def run(self, scheduled_at: datetime) -> list[GroupCheck]:
        """Check every group that has a champion, also for nights that were missed since the last check.

        A repeat for the same night writes the same report and does not send a second email. A group that
        fails does not stop the others. The heartbeat is published only when all groups were checked.

        Raises
        ------
        DriftError
            At the end, if a group could not be checked; the causes are attached.
        """
        moment = scheduled_at.astimezone(UTC)
        checks = check_every_group(
            self.champions.groups(),
            lambda group: self._check_group(group, moment),
            lambda causes: DriftError(f"The drift check failed for {causes}"),
        )
        self.notifier.publish_metrics([Metric(DRIFT_CHECKS_COMPLETED, 1)], group=None)
        return checks

    def _check_group(self, group: str, scheduled_at: datetime) -> list[GroupCheck]:
        """Check the nights that were missed and the scheduled one; return the check of the latter."""
        champion = self.champions.champion(group)
        if champion is None:
            return []
        baseline = replace(self.archive.baseline(group, champion.version), model_version=champion.version)
        alerts = GroupAlerts(champion, self.archive, self.notifier, self.personal)
        states = alerts.read()
        nights = nights_due(states["drift"], scheduled_at.date())
        arrived = read_arrived_rows(self.batches, group, nights[0])
        for night in nights:
            report = self._judge(champion, baseline, night, scheduled_at, arrived)
            self.archive.write_report(group, night, report)
            if report.verdict != "INSUFFICIENT_DATA":
                self.notifier.publish_metrics(as_cloudwatch(metrics_of(report)), group=group)
            states = alerts.advance(states, night, report)
        alerts.publish(states)
        return [_group_check(group, report, self.archive.report_uri(group, scheduled_at.date()))]

    def _judge(
        self,
        champion: ModelMetadata,
        baseline: BaselineStatistics,
        night: date,
        created_at: datetime,
        arrived: ArrivedRows,
    ) -> DriftReport:
        batch, n_batches, days = self._collect(champion, baseline, night)
        settings = champion.settings.drift

        def compare(reference: BaselineStatistics) -> DriftReport:
            return DriftDetector(
                reference,
                settings.threshold,
                alert_threshold=settings.alert_threshold,
                exclude_columns=settings.exclude_columns,
            ).detect_drift(
                batch,
                created_at=created_at,
                model_group=champion.model_group,
                window_days=(night - days[0]).days,
                n_batches=n_batches,
            )

        report = compare(baseline)
        if settings.reference != "training" and batch.n_rows >= MIN_ROWS:
            reference, weeks = read_earlier_weeks(self.archive, champion, days)
            earlier = compare(baseline_of(baseline, merge(*weeks))) if reference.is_used else None
            report = with_reference(report, reference, earlier)
        expected = settings.expected_every_days
        return replace(
            report,
            arrivals=judge_arrivals(arrived, night, expected_every_days=expected),
            feature_views=self.views.describe(champion.settings.features, created_at),
        )

    def _collect(
        self, champion: ModelMetadata, baseline: BaselineStatistics, night: date
    ) -> tuple[BatchProfile, int, Sequence[date]]:
        """Merge the batches of the shortest window with enough rows, or of the longest; and return its days.

        A window ends with the day of the check, up to now, and starts that many days before it. Where it is
        compared by weekday it ends with the day before: of a part of a day the weekdays would be unequal.
        """
        merged: list[BatchProfile] = []  # none, or the one of all batches
        n_batches, start = 0, night
        is_of_whole_days = champion.settings.drift.reference != "training"
        end = unread_until = night if is_of_whole_days else night + timedelta(days=1)
        for window_days in WINDOWS_DAYS:
            start = night - timedelta(days=window_days)
            days = _days_between(start, unread_until)
            batches = self.archive.batches(champion.model_group, champion.version, days)
            merged = [merge(*merged, *batches)] if merged or batches else []
            n_batches, unread_until = n_batches + len(batches), start
            if sum(batch.n_rows for batch in merged) >= MIN_ROWS:
                break
        return merged[0] if merged else empty_batch(baseline), n_batches, list(_days_between(start, end))


def _group_check(group: str, report: DriftReport, report_uri: str) -> GroupCheck:
    n_batches = report.n_batches or 0
    return GroupCheck(group, report.verdict, n_batches, report.n_rows, report_uri, report.arrivals_verdict)


def nights_due(state: AlertState | None, night: date) -> Sequence[date]:
    """Return the nights to check, oldest first: `night`, and at most 29 missed ones before it."""
    if state is None or night <= state.last_checked:
        return [night]
    first = max(state.last_checked + timedelta(days=1), night - timedelta(days=MAX_NIGHTS - 1))
    return list(_days_between(first, night + timedelta(days=1)))


def _days_between(first: date, end: date) -> Iterator[date]:
    """Yield the days from `first` to the one before `end`."""
    return (first + timedelta(days=offset) for offset in range((end - first).days))
