"""Hands uploads whose event was lost to intake again, and tells of folders of parts that nobody closes.

Started every day by EventBridge Scheduler. Reads the list of the data bucket's versions and what is recorded
of uploads; starts ReceiveUpload once for every unfinished one, sends mails and publishes metrics. What it
raises are faults of AWS services; sweeping again does no harm but to mail again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.lambda_functions import start_function
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.environment import read
from mlops.infrastructure.metric_names import UPLOAD_SWEEPS_COMPLETED, UPLOADS_RECOVERED
from mlops.infrastructure.notifications import AwsNotifier
from mlops.infrastructure.upload_events import Upload, s3_event
from mlops.intake.emails import waiting_mail
from mlops.intake.recovery import recover_uploads

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    data_bucket_name: str
    event_bus_name: str
    metrics_namespace: str
    notification_topic_arn: str
    receive_upload_function_name: str
    registry_table_name: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    notifier: AwsNotifier
    environment: Environment
    objects: S3Objects
    versions: DatasetVersions


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = read(Environment)
    notifier = AwsNotifier(
        variables.notification_topic_arn, variables.event_bus_name, variables.metrics_namespace
    )
    return Dependencies(
        notifier, variables, S3Objects(), DatasetVersions(DynamoDBTable(variables.registry_table_name))
    )


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sweep the data bucket as of the time the event was scheduled for."""
    needed = dependencies()
    variables = needed.environment

    def hand_over(upload: Upload) -> None:
        logger.info("upload handed over again", group=upload.group, upload_id=upload.upload_id)
        start_function(variables.receive_upload_function_name, s3_event(upload))

    recovery = recover_uploads(
        needed.objects,
        needed.versions,
        hand_over,
        bucket=variables.data_bucket_name,
        now=datetime.fromisoformat(event["scheduled_at"]),
    )
    metrics = [Metric(UPLOADS_RECOVERED, recovery.n_recovered), Metric(UPLOAD_SWEEPS_COMPLETED, 1)]
    for waiting in recovery.waiting:
        needed.notifier.send_email(*waiting_mail(waiting), group=waiting.group)
    needed.notifier.publish_metrics(metrics, group=None)
    # not the folders themselves: people name them as they like
    n_waiting, recovered = len(recovery.waiting), recovery.n_recovered
    logger.info("uploads swept", looked_at=recovery.n_looked_at, recovered=recovered, waiting=n_waiting)
    return recovery.to_dict()
