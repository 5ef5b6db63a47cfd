"""State changes of jobs on the default event bus."""

import json
import logging
from typing import TYPE_CHECKING, Any

from ministack.services import eventbridge

from local.sagemaker.jobs.describe import describe, epoch_milliseconds, with_times_as
from local.sagemaker.jobs.job import Job

if TYPE_CHECKING:
    from local.sagemaker.tuning import TuningJob

logger = logging.getLogger("local.sagemaker")


def publish_state(job: Job) -> None:
    """Publish `SageMaker <Kind> Job State Change`; a failing target changes nothing for the job."""
    _publish(f"SageMaker {job.kind} Job State Change", job.arn, describe(job) | {"Tags": job.tags})


def publish_tuning_state(job: "TuningJob") -> None:
    """Publish `SageMaker HyperParameter Tuning Job State Change`."""
    detail = {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": job.arn,
        "HyperParameterTuningJobStatus": job.status,
        "CreationTime": job.created_at,
        "LastModifiedTime": job.modified_at,
        "Tags": job.tags,
    }
    _publish("SageMaker HyperParameter Tuning Job State Change", job.arn, detail)


def _publish(kind: str, arn: str, detail: dict[str, Any]) -> None:
    entry = {
        "Source": "aws.sagemaker",
        "DetailType": kind,
        "Detail": json.dumps(with_times_as(detail, epoch_milliseconds)),
        "Resources": [arn],
    }
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        logger.exception("The state change of %s could not be published.", arn)
