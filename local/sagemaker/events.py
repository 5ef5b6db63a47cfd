"""State changes of jobs on the default event bus."""

import json
import logging
from typing import Any

from ministack.services import eventbridge

from local.sagemaker.describe import describe, epoch_milliseconds, with_times_as
from local.sagemaker.jobs import Job

logger = logging.getLogger("local.sagemaker")


def publish_state(job: Job) -> None:
    """Publish `SageMaker <Kind> Job State Change`; a failing target changes nothing for the job."""
    detail: dict[str, Any] = with_times_as(describe(job), epoch_milliseconds) | {"Tags": job.tags}
    entry = {
        "Source": "aws.sagemaker",
        "DetailType": f"SageMaker {job.kind} Job State Change",
        "Detail": json.dumps(detail),
        "Resources": [job.arn],
    }
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        logger.exception("The state change of %s could not be published.", job.name)
