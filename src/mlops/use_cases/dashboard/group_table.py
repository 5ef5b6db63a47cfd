"""The table of groups: what is in service, what was scored last, its verdicts, what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mlops.ledger.batches import RecordedBatch
from mlops.models.drift import DriftVerdict
from mlops.models.experiment import Run, RunStatus
from mlops.models.metrics import describe_metric, metric_value
from mlops.models.registry import ModelMetadata, Status
from mlops.models.scoring.quality import QualityReport
from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.quality.report import BADGES
from mlops.use_cases.dashboard.sources import DashboardSources

# An open request of an older version is superseded by the next one.
_VERSIONS_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group as the table shows it; `waiting` are the versions that wait for an approval."""

    group: str
    champion: ModelMetadata | None
    waiting: Sequence[ModelMetadata]
    batch: RecordedBatch | None
    drift: AlertState | None
    quality: QualityReport | None
    run: Run | None

    @property
    def checked(self) -> AlertState | None:
        """The state of the nightly check of this champion; None before its first judged night."""
        is_of_champion = self.champion and self.drift and self.drift.model_version == self.champion.version
        return self.drift if self.drift and is_of_champion and self.drift.nights else None

    @property
    def drift_verdict(self) -> DriftVerdict | None:
        """The verdict of the last judged night."""
        return self.checked.nights[-1].verdict if self.checked else None

    @property
    def drift_note(self) -> str:
        """What was said and answered about the alert of the group, if there is one."""
        if self.checked is None or self.checked.alert_since is None:
            return "snoozed" if self.checked and self.checked.is_snoozed else ""
        answers = (("acknowledged", self.checked.is_acknowledged), ("snoozed", self.checked.is_snoozed))
        since = f"alert since {_day(self.checked.alert_since)}"
        return ", ".join([since, *(text for text, holds in answers if holds)])

    @property
    def measured(self) -> QualityReport | None:
        """The newest report of realised quality of this champion."""
        is_of_champion = (
            self.champion and self.quality and self.quality.model_version == self.champion.version
        )
        return self.quality if is_of_champion else None

    @property
    def quality_badge(self) -> str:
        """The verdict on realised quality in words."""
        return BADGES[self.measured.verdict] if self.measured else ""

    @property
    def quality_note(self) -> str:
        """The judged score, or its estimate where labels are missing, beside the approved one."""
        if self.measured is None:
            return ""
        overall, estimate = self.measured.overall, self.measured.newest_estimate
        score = overall.scores.get(self.measured.metric)
        if score is None:
            return "estimated " + describe_metric(estimate.metric, estimate.score.value) if estimate else ""
        text = describe_metric(self.measured.metric, score.value)
        approved = overall.approved and metric_value(self.measured.metric, overall.approved.value)
        return f"{text}, approved {approved}" if approved else text

    @property
    def failed_run(self) -> Run | None:
        """The last training, if it failed."""
        return self.run if self.run and self.run.status is RunStatus.FAILED else None

    @property
    def urgency(self) -> int:
        """How soon someone should look; 0 = nothing to do."""
        is_dropped = self.measured is not None and self.measured.verdict == "DROPPED"
        if self.drift_verdict == "ALERT" or is_dropped or self.failed_run:
            return 2
        return 1 if self.waiting or self.drift_verdict == "WARN" else 0


def read_groups(sources: DashboardSources) -> list[GroupRow]:
    """Return the rows, those that need someone first."""
    rows = sources.for_each_group(lambda group: _read_group(group, sources))
    return sorted(rows, key=lambda row: (-row.urgency, row.group))


def _read_group(group: str, sources: DashboardSources) -> GroupRow:
    newest = sources.registry.newest_models(group, _VERSIONS_LOOKED_AT)
    return GroupRow(
        group,
        champion=sources.registry.champion(group) if newest else None,
        waiting=[model for model in newest if model.status is Status.PENDING_APPROVAL],
        batch=next(iter(sources.batches.newest(group, 1)), None),
        drift=sources.drift.state(group),
        quality=sources.quality.last_report(group),
        run=next(sources.runs.runs(group), None),
    )


def _day(day: date) -> str:
    return f"{day:%d %b}"
