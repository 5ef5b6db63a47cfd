"""Documents of the nightly check in the artifact bucket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from mlops.infrastructure.object_store import ObjectStore, read_all
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.monitoring.alert_state import AlertState, Topic
from mlops.monitoring.report.report import render


@dataclass(frozen=True, slots=True)
class NightlyArchive:
    """Baselines, batch profiles, reports and alert states of all groups."""

    objects: ObjectStore
    bucket: str

    def baseline(self, group: str, version: str) -> BaselineStatistics:
        """Return the training statistics of a version."""
        return BaselineStatistics.from_json(
            self.objects.read(self._ref(f"models/{group}/{version}/baseline_statistics.json"))
        )

    def batches(self, group: str, version: str, days: Iterable[date]) -> list[BatchProfile]:
        """Return the profiles of what the version scored on those days."""
        prefixes = [f"profiles/{group}/{version}/{day.isoformat()}/" for day in days]
        refs = [facts.ref for prefix in prefixes for facts in self.objects.list(self.bucket, prefix)]
        return [BatchProfile.from_json(content) for content in read_all(self.objects, refs)]

    def report(self, group: str, night: date) -> DriftReport:
        """Return the report of one night."""
        return DriftReport.from_json(self.objects.read(self._report_ref(group, night, "json")))

    def find_report(self, group: str, night: date) -> DriftReport | None:
        """Return the report of one night; None where the night was not checked."""
        try:
            return self.report(group, night)
        except ObjectNotFoundError:
            return None

    def last_report(self, group: str) -> DriftReport | None:
        """Return the report of the newest night; None before the first."""
        return next(iter(self.newest_reports(group, 1).values()), None)

    def newest_reports(self, group: str, n: int) -> dict[date, DriftReport]:
        """Return the reports of the last `n` nights that were checked, the oldest first."""
        refs = [
            facts.ref
            for facts in self.objects.list(self.bucket, f"drift/{group}/")
            if facts.ref.key.endswith("/drift_report.json")
        ][-n:]
        reports = [DriftReport.from_json(content) for content in read_all(self.objects, refs)]
        nights = [date.fromisoformat(ref.key.split("/")[-2]) for ref in refs]
        return dict(zip(nights, reports, strict=True))

    def report_uri(self, group: str, night: date) -> str:
        """Return the address of the report as a page."""
        return self._report_ref(group, night, "html").uri

    def write_report(self, group: str, night: date, report: DriftReport) -> None:
        """Store the report of one night; it replaces an earlier one for the same night."""
        page = render(report, title="Nightly drift check").encode()
        self.objects.write(self._report_ref(group, night, "html"), page, "text/html; charset=utf-8")
        document = report.to_json().encode()
        self.objects.write(self._report_ref(group, night, "json"), document, "application/json")

    def state(self, group: str, topic: Topic = "drift") -> AlertState | None:
        """Return the alert state of a group; None before its first night."""
        try:
            return AlertState.from_json(self.objects.read(self._state_ref(group, topic)))
        except ObjectNotFoundError:
            return None

    def write_state(self, group: str, state: AlertState, topic: Topic = "drift") -> None:
        """Store the alert state of a group."""
        content = state.to_json().encode()
        self.objects.write(self._state_ref(group, topic), content, "application/json")

    def _state_ref(self, group: str, topic: Topic) -> ObjectRef:
        return self._ref(f"drift/{group}/{'' if topic == 'drift' else f'{topic}_'}state.json")

    def _report_ref(self, group: str, night: date, extension: str) -> ObjectRef:
        return self._ref(f"drift/{group}/{night.isoformat()}/drift_report.{extension}")

    def _ref(self, key: str) -> ObjectRef:
        return ObjectRef(self.bucket, key)
