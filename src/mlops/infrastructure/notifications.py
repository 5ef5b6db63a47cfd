"""Telling people, other systems and dashboards: mails, events and metrics behind one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlops.infrastructure.aws.cloudwatch import Metric, publish
from mlops.infrastructure.aws.eventbridge import publish_event
from mlops.infrastructure.aws.sns import send_mail


class Notifier(Protocol):
    """Where news goes. Every call may be repeated after a crash: better told twice than never."""

    def mail(self, subject: str, body: str, *, group: str) -> None:
        """Send a plain-text mail to whoever follows the group."""

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish an event that other systems can react to."""

    def metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Publish numbers, for the stack and, when given, for the group."""


@dataclass(frozen=True, slots=True)
class AwsNotifier:
    """Speaks through SNS, EventBridge and CloudWatch; the clients are made on first use unless given."""

    topic_arn: str
    event_bus_name: str
    metrics_namespace: str
    cloudwatch: Any = None
    events: Any = None
    sns: Any = None

    def mail(self, subject: str, body: str, *, group: str) -> None:
        """Send a plain-text mail."""
        send_mail(self.topic_arn, subject, body, attributes={"model_group": group}, sns=self.sns)

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish an event."""
        publish_event(detail_type, detail, self.event_bus_name, events=self.events)

    def metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Publish numbers."""
        publish(self.metrics_namespace, metrics, group=group, cloudwatch=self.cloudwatch)


class NullNotifier:
    """Tells nobody: for a registry in plain files, which nobody listens to."""

    def mail(self, subject: str, body: str, *, group: str) -> None:
        """Drop the mail."""

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Drop the event."""

    def metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Drop the numbers."""
