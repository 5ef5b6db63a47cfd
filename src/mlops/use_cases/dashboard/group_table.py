"""The table of groups: what is in service, what was scored last, its verdicts, what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mlops.ledger.batches import RecordedBatch
from mlops.models.drift.report import DriftVerdict
from mlops.models.experiment import Run, RunStatus
from mlops.models.metrics import describe_metric, metric_value
from mlops.models.registry import ModelMetadata, Status
from mlops.models.scoring.quality import QualityReport
from mlops.monitoring.alert_state import TOPICS, AlertState
from mlops.monitoring.quality.report import BADGES
from mlops.use_cases.dashboard.sources import DashboardSources

# An open request of an older version is superseded by the next one.
_VERSIONS_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group as the table shows it on the day `today` (UTC).

    `waiting` are the versions that wait for an approval; `drift`, `arrivals` (of files) and `quality`
    are about the champion, and None until they are known of this version.
    """

    group: str
    today: date
    champion: ModelMetadata | None
    waiting: Sequence[ModelMetadata]
    batch: RecordedBatch | None
    drift: AlertState | None
    arrivals: AlertState | None
    quality: QualityReport | None
    run: Run | None

    @property
    def drift_verdict(self) -> DriftVerdict | None:
        """The verdict of the last judged night."""
        return self.drift.nights[-1].verdict if self.drift else None

    @property
    def arrivals_verdict(self) -> DriftVerdict | None:
        """The last verdict on how files arrive, where it is not OK."""
        verdict = self.arrivals.nights[-1].verdict if self.arrivals else "OK"
        return None if verdict == "OK" else verdict

    @property
    def drift_note(self) -> str:
        """What was announced and answered about the drift of the group, as of now; empty without either."""
        return self._note(self.drift)

    @property
    def arrivals_note(self) -> str:
        """The same about how the files of the group arrive."""
        return self._note(self.arrivals)

    def _note(self, alert: AlertState | None) -> str:
        if alert is None or self.champion is None:
            return ""
        since = alert.alert_since
        notes = (
            (f"alert since {since:%d %b}" if since else "", since),
            ("acknowledged", alert.open_answer(self.champion.drift_acknowledged)),
            ("snoozed", self.champion.snoozed_until(self.today)),
        )
        return ", ".join(text for text, holds in notes if holds)

    @property
    def quality_badge(self) -> str:
        """The verdict on realised quality in words."""
        return BADGES[self.quality.verdict] if self.quality else ""

    @property
    def quality_note(self) -> str:
        """The judged score, or its estimate where labels are missing, beside the approved one."""
        if self.quality is None:
            return ""
        metric, overall, estimate = self.quality.metric, self.quality.overall, self.quality.newest_estimate
        score = overall.scores.get(metric)
        if score is None:
            return "estimated " + describe_metric(estimate.metric, estimate.score.value) if estimate else ""
        text = describe_metric(metric, score.value)
        return (
            f"{text}, approved {metric_value(metric, overall.approved.value)}" if overall.approved else text
        )

    @property
    def urgency(self) -> int:
        """How soon someone should look; 0 = nothing to do."""
        is_dropped = self.quality is not None and self.quality.verdict == "DROPPED"
        has_failed = self.run is not None and self.run.status is RunStatus.FAILED
        verdicts = self.drift_verdict, self.arrivals_verdict
        if "ALERT" in verdicts or is_dropped or has_failed:
            return 2
        return 1 if self.waiting or "WARN" in verdicts else 0


def read_groups(sources: DashboardSources) -> list[GroupRow]:
    """Return the rows, those that need someone first."""
    rows = sources.for_each_group(lambda group: _read_group(group, sources))
    return sorted(rows, key=lambda row: (-row.urgency, row.group))


def _read_group(group: str, sources: DashboardSources) -> GroupRow:
    newest = sources.registry.newest_models(group, _VERSIONS_LOOKED_AT)
    champion = sources.registry.champion(group) if newest else None
    version = champion.version if champion else None
    quality = sources.quality.last_report(group)
    drift, arrivals = (_of_version(sources.drift.state(group, topic), version) for topic in TOPICS)
    return GroupRow(
        group,
        sources.now().date(),
        champion=champion,
        waiting=[model for model in newest if model.status is Status.PENDING_APPROVAL],
        batch=next(iter(sources.batches.newest(group, 1)), None),
        drift=drift,
        arrivals=arrivals,
        quality=quality if quality and quality.model_version == version else None,
        run=next(sources.runs.runs(group), None),
    )


def _of_version(state: AlertState | None, version: str | None) -> AlertState | None:
    """Return a state that has verdicts about the version; None of any other."""
    return state if state and state.nights and state.model_version == version else None
