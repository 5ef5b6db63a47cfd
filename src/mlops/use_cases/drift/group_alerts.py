"""The alerts of a group: one about the values in its files, and one about how files arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import ARRIVAL_ALERTS, DRIFT_ALERTS
from mlops.infrastructure.notifications import Notifier
from mlops.models.drift.report import DriftReport
from mlops.models.registry import ModelMetadata
from mlops.monitoring.alert_state import AlertState, Topic, advance
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.drift.drift_notification import PersonalEmails, notify

_METRICS: Mapping[Topic, str] = {"drift": DRIFT_ALERTS, "arrivals": ARRIVAL_ALERTS}

type States = Mapping[Topic, AlertState | None]


@dataclass(frozen=True, slots=True)
class GroupAlerts:
    """The alert states of the group of a champion. Both alerts follow the same rules (`alert_state`)."""

    champion: ModelMetadata
    archive: NightlyArchive
    notifier: Notifier
    personal: PersonalEmails

    def read(self) -> States:
        """Return the stored states, after sending what an earlier run has not sent."""
        group = self.champion.model_group
        return {topic: self._send_pending(topic, self.archive.state(group, topic)) for topic in _METRICS}

    def advance(self, states: States, night: date, report: DriftReport) -> States:
        """Return the states after the report of a night, and send what is due; old nights change nothing."""
        acknowledged = self.champion.drift_acknowledged
        advanced: dict[Topic, AlertState | None] = dict(states)
        for topic, state in states.items():
            if state is None or night >= state.last_checked:
                after = advance(
                    state,
                    night=night,
                    verdict=report.verdict if topic == "drift" else report.arrivals_verdict,
                    model_version=self.champion.version,
                    snoozed_until=self.champion.drift_snoozed_until,
                    acknowledged_on=acknowledged.night if acknowledged else None,
                )
                self.archive.write_state(self.champion.model_group, after, topic)
                advanced[topic] = self._send_pending(topic, after)
        return advanced

    def publish(self, states: States) -> None:
        """Publish whether each alert is on."""
        on = {topic: int(state.is_alarming) for topic, state in states.items() if state is not None}
        metrics = [Metric(_METRICS[topic], is_on) for topic, is_on in on.items()]
        self.notifier.publish_metrics(metrics, group=self.champion.model_group)

    def _send_pending(self, topic: Topic, state: AlertState | None) -> AlertState | None:
        """Send the notification that is due according to the state, then record that it was sent.

        After a crash in between it is sent again: a repeated email is better than a missing one.
        """
        if state is None or state.pending is None:
            return state
        group, night = self.champion.model_group, state.pending.night
        notify(
            state.pending.kind,
            self.archive.report(group, night),
            night,
            report_uri=self.archive.report_uri(group, night),
            notifier=self.notifier,
            personal=self.personal,
            topic=topic,
        )
        sent = replace(state, pending=None)
        self.archive.write_state(group, sent, topic)
        return sent
