"""What DescribeTrainingJob and DescribeProcessingJob return, with datetimes where AWS has times."""

from datetime import datetime
from typing import Any

from local.sagemaker.jobs.job import Job

_TRAINING_REQUEST_FIELDS = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "CheckpointConfig",
    "Environment",
    "RetryStrategy",
    "ExperimentConfig",
    "TuningJobArn",
)
_PROCESSING_REQUEST_FIELDS = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingJobName",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)


def describe(job: Job) -> dict[str, Any]:
    """Return the job as its Describe operation does."""
    with job.lock:
        described = _training(job) if job.kind == "Training" else _processing(job)
    return {name: value for name, value in described.items() if value is not None}


def output_uri(job: Job, archive: str) -> str:
    """Return where a training job puts `model.tar.gz` or `output.tar.gz`."""
    prefix = str(job.request["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
    return f"{prefix}/{job.name}/output/{archive}"


def with_times_as(described: Any, convert: Any) -> Any:
    """Return a copy with every datetime converted: the API says seconds, Step Functions milliseconds."""
    if isinstance(described, datetime):
        return convert(described)
    if isinstance(described, dict):
        return {name: with_times_as(value, convert) for name, value in described.items()}
    if isinstance(described, list):
        return [with_times_as(value, convert) for value in described]
    return described


def epoch_milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def _training(job: Job) -> dict[str, Any]:
    has_artifact = job.status == "Completed" or (job.status == "Stopped" and job.started_at is not None)
    return {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "ModelArtifacts": {"S3ModelArtifacts": output_uri(job, "model.tar.gz")} if has_artifact else None,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary_status,
        "FailureReason": job.failure_reason,
        **{name: job.request.get(name) for name in _TRAINING_REQUEST_FIELDS},
        "CreationTime": job.created_at,
        "TrainingStartTime": job.started_at,
        "TrainingEndTime": job.ended_at,
        "LastModifiedTime": job.modified_at,
        "SecondaryStatusTransitions": [dict(entry) for entry in job.transitions],
        "FinalMetricDataList": list(job.final_metrics) or None,
        "EnableNetworkIsolation": bool(job.request.get("EnableNetworkIsolation")),
        "EnableInterContainerTrafficEncryption": bool(
            job.request.get("EnableInterContainerTrafficEncryption")
        ),
        "EnableManagedSpotTraining": bool(job.request.get("EnableManagedSpotTraining")),
        "TrainingTimeInSeconds": job.seconds_running() if job.ended_at else None,
        "BillableTimeInSeconds": job.seconds_running() if job.ended_at else None,
        "ProfilingStatus": "Disabled",
    }


def _processing(job: Job) -> dict[str, Any]:
    return {
        **{name: job.request.get(name) for name in _PROCESSING_REQUEST_FIELDS},
        "ProcessingJobArn": job.arn,
        "ProcessingJobStatus": job.status,
        "ExitMessage": job.exit_message,
        "FailureReason": job.failure_reason,
        "CreationTime": job.created_at,
        "ProcessingStartTime": job.started_at,
        "ProcessingEndTime": job.ended_at,
        "LastModifiedTime": job.modified_at,
    }
