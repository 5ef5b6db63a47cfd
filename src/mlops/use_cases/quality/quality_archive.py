"""Documents of realised quality in the artifact bucket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.scoring.quality import QualityReport
from mlops.monitoring.quality.quality_state import QualityState
from mlops.monitoring.quality.report import render


@dataclass(frozen=True, slots=True)
class QualityArchive:
    """The reports of all groups, one a day, and their states."""

    objects: ObjectStore
    bucket: str

    def write_report(self, report: QualityReport) -> str:
        """Store the report of a day, over an earlier one of the same day; return the address of its page."""
        page = self._report_ref(report.model_group, report.measured_on, "html")
        self.objects.write(page, render(report).encode(), "text/html; charset=utf-8")
        document = self._report_ref(report.model_group, report.measured_on, "json")
        self.objects.write(document, report.to_json().encode(), "application/json")
        return page.uri

    def last_report(self, group: str) -> QualityReport | None:
        """Return the newest report of a group; None before the first."""
        refs = [
            facts.ref
            for facts in self.objects.list(self.bucket, f"quality/{group}/")
            if facts.ref.key.endswith("/quality_report.json")
        ]
        return QualityReport.from_json(self.objects.read(refs[-1])) if refs else None

    def report_uri(self, report: QualityReport) -> str:
        """Return the address of the report as a page."""
        return self._report_ref(report.model_group, report.measured_on, "html").uri

    def state(self, group: str) -> QualityState:
        """Return the state of a group."""
        try:
            return QualityState.from_json(self.objects.read(self._state_ref(group)))
        except ObjectNotFoundError:
            return QualityState()

    def write_state(self, group: str, state: QualityState) -> None:
        """Store the state of a group."""
        self.objects.write(self._state_ref(group), state.to_json().encode(), "application/json")

    def _report_ref(self, group: str, day: date, extension: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"quality/{group}/{day.isoformat()}/quality_report.{extension}")

    def _state_ref(self, group: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"quality/{group}/state.json")
