"""Notifications of people, other systems and dashboards: emails, events and metrics behind one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlops.infrastructure.aws.cloudwatch import Metric, publish
from mlops.infrastructure.aws.eventbridge import publish_event
from mlops.infrastructure.aws.sns import send_email


class Notifier(Protocol):
    """Where notifications are sent. Every call may be repeated after a crash: at least once."""

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        """Send a plain-text email to the subscribers of the group."""

    def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish an event that other systems can react to."""

    def publish_metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Publish metrics for the stack and, unless `group` is None, for the group."""


@dataclass(frozen=True, slots=True)
class AwsNotifier:
    """Sends through SNS, EventBridge and CloudWatch; clients that are not passed are created on first use."""

    topic_arn: str
    event_bus_name: str
    metrics_namespace: str
    cloudwatch: Any = None
    events: Any = None
    sns: Any = None

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        """Send a plain-text email."""
        send_email(self.topic_arn, subject, body, attributes={"model_group": group}, sns=self.sns)

    def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish an event."""
        publish_event(detail_type, detail, self.event_bus_name, events=self.events)

    def publish_metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Publish metrics."""
        publish(self.metrics_namespace, metrics, group=group, cloudwatch=self.cloudwatch)


class NullNotifier:
    """Sends nothing: for a registry in plain files, which has no subscribers."""

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        """Drop the email."""

    def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Drop the event."""

    def publish_metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        """Drop the metrics."""
