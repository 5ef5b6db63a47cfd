"""Intake's ports on AWS: executions, mails, events, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.aws.cloudwatch import Metric, publish
from mlops.infrastructure.aws.eventbridge import publish_event
from mlops.infrastructure.aws.sns import send_mail
from mlops.infrastructure.aws.stepfunctions import start_execution


@dataclass(frozen=True, slots=True)
class StepFunctionsExecutions:
    """Starts the state machines; a function that never starts one of them need not name it."""

    train_model_arn: str
    run_inference_arn: str = ""
    validate_parts_arn: str = ""

    def start_training(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the train_model machine, once per name."""
        start_execution(self.train_model_arn, name, document)

    def start_validation(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the validate_parts machine, once per name."""
        start_execution(self.validate_parts_arn, name, document)

    def start_inference(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the run_inference machine, once per name."""
        start_execution(self.run_inference_arn, name, document)


@dataclass(frozen=True, slots=True)
class AwsIntakeNotifier:
    """Mails by SNS, events by EventBridge, metrics by CloudWatch."""

    topic_arn: str
    event_bus_name: str
    metrics_namespace: str

    def mail(self, subject: str, body: str) -> None:
        """Send a plain-text mail."""
        send_mail(self.topic_arn, subject, body)

    def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Publish a domain event."""
        publish_event(detail_type, detail, self.event_bus_name)

    def publish_metrics(self, group: str, metrics: Sequence[Metric]) -> None:
        """Publish metrics of a model group."""
        publish(self.metrics_namespace, metrics, group=group)
