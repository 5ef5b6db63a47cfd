"""Starts intake again for uploads that were not finished, reports folders that were not closed, and deletes
uploads that are older than the stack keeps them.

Started every day by EventBridge Scheduler. Reads the list of the object versions in the data bucket and the
records of uploads; starts ReceiveUpload once for every unfinished one, sends emails, marks the uploads that a
digest was sent about, deletes old versions in the data bucket (UploadRetentionDays), and publishes metrics.
Raises only faults of AWS services. A repeated call is harmless, except that it sends its emails again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.upload_events import Upload
from mlops.intake.answers.digest import Digests
from mlops.intake.expiry import expire_uploads
from mlops.intake.recovery import notify_recovery, recover_uploads

logger = Logger()
DEPENDENCIES = Dependencies("recover_uploads")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Sweep the data bucket as of the time the event was scheduled for."""

    def start_intake(upload: Upload) -> None:
        logger.info("upload handed over again", group=upload.group, upload_id=upload.upload_id)
        dependencies.start_intake(upload)

    digests = Digests()
    recovery = recover_uploads(
        dependencies.objects,
        dependencies.versions,
        start_intake,
        digests.add,
        bucket=dependencies.data_bucket,
        now=datetime.fromisoformat(event["scheduled_at"]),
    )
    n_expired = expire_uploads(
        dependencies.objects,
        dependencies.versions,
        bucket=dependencies.data_bucket,
        days=dependencies.upload_retention_days,
        now=datetime.fromisoformat(event["scheduled_at"]),
    )
    n_digests = digests.send(dependencies.versions, dependencies.notifier)
    notify_recovery(recovery, dependencies.notifier)
    # the folders themselves are not logged: people name them as they like
    n_waiting, recovered = len(recovery.waiting), recovery.n_recovered
    counts = {"looked_at": recovery.n_looked_at, "recovered": recovered, "waiting": n_waiting}
    logger.info("uploads swept", extra=counts | {"digests": n_digests, "expired": n_expired})
    return recovery.to_dict()
