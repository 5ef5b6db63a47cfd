"""Checks every champion's inputs for drift.

Started every night by EventBridge Scheduler. Reads batch profiles, baselines and alert states in the artifact
bucket; writes one report per group and night, the alert states, metrics, and a mail and an event when a state
changes. Raises DriftError at the end when a group could not be checked; the others are done by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.environment import read
from mlops.infrastructure.notifications import AwsNotifier
from mlops.registry.model_registry import ModelRegistry
from mlops.use_cases.check_drift import NightlyCheck
from mlops.use_cases.drift_archive import NightlyArchive

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment variables of this function."""

    artifact_bucket_name: str
    event_bus_name: str
    metrics_namespace: str
    notification_topic_arn: str
    registry_table_name: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the check for the night the event was scheduled for."""
    scheduled_at = datetime.fromisoformat(event["scheduled_at"])
    checks = nightly_check().run(scheduled_at)
    logger.info("drift checked", extra={"groups": len(checks), "scheduled_at": event["scheduled_at"]})
    return {"groups": [check.to_dict() for check in checks]}


@cache
def nightly_check() -> NightlyCheck:
    """Build the check once per execution environment."""
    environment = read(Environment)
    return NightlyCheck(
        archive=NightlyArchive(S3Objects(), environment.artifact_bucket_name),
        champions=ModelRegistry(use_dynamodb=True, table_name=environment.registry_table_name),
        notifier=AwsNotifier(
            topic_arn=environment.notification_topic_arn,
            event_bus_name=environment.event_bus_name,
            metrics_namespace=environment.metrics_namespace,
        ),
    )
