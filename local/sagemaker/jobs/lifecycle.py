"""From Starting to Completed: what happens to a job, in its own thread."""

import contextvars
import logging
import os
import threading
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.authorization import session_credentials
from local.environment import endpoint_url
from local.limits import Limit, max_sagemaker_jobs
from local.sagemaker.errors import JobFailedError
from local.sagemaker.jobs import container
from local.sagemaker.jobs.describe import output_uri
from local.sagemaker.jobs.events import publish_state
from local.sagemaker.jobs.job import Job, Status, all_jobs
from local.sagemaker.jobs.logs import LogStream
from local.sagemaker.jobs.process import Ending, MetricReader, run
from local.sagemaker.jobs.storage import download, has_objects, role_client, upload_archive, upload_directory

logger = logging.getLogger("local.sagemaker")
_FAILURE_LENGTH = 1024
DEFAULT_MAX_RUNTIME_SECONDS = 86400


def start(job: Job) -> None:
    """Begin the job; returns at once."""
    move(
        job,
        "Starting",
        "Starting the training job" if job.kind == "Training" else "Starting the processing job",
    )
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_live, job), daemon=True, name=f"job-{job.name}").start()


def stop(job: Job) -> None:
    """Ask a job to end; one that has ended already stays as it is."""
    with job.lock:
        if job.is_final:
            return
        if job.status != "Stopping":
            move(job, "Stopping", "Stopping the job", "Stopping")
    job.stop_requested.set()


def stop_all_jobs() -> None:
    """End every process of every job, when the emulator ends."""
    running = [job for job in all_jobs() if not job.is_final]
    for job in running:
        job.stop_requested.set()
    for job in running:
        job.ended.wait(timeout=5)


def move(job: Job, secondary_status: str, message: str, status: Status | None = None) -> None:
    """Enter a secondary status and tell EventBridge."""
    job.enter(secondary_status, message, status)
    publish_state(job)


def _live(job: Job) -> None:
    try:
        _work_in_turn(job)
    except JobFailedError as failure:
        _finish(job, "Failed", "Failed", str(failure))
    except Exception as error:
        logger.exception("The job %s ended by an error of the local cloud.", job.name)
        _finish(job, "Failed", "Failed", f"InternalServerError: {error}")
    finally:
        job.ended.set()


@cache
def _limit() -> Limit:
    return Limit(max_sagemaker_jobs())


def _work_in_turn(job: Job) -> None:
    """Work when fewer than `LOCAL_MAX_SAGEMAKER_JOBS` run; until then the job stays in Starting."""
    if not _limit().enter(is_cancelled=job.stop_requested.is_set):
        _finish(job, "Stopped", "Stopped")
        return
    try:
        _work(job)
    finally:
        _limit().leave()


def _work(job: Job) -> None:
    credentials = session_credentials(job.role_arn, "SageMaker")
    endpoint = endpoint_url(int(os.environ["GATEWAY_PORT"]))
    client = role_client("s3", endpoint, credentials)
    container.check_image_access(job)
    container.prepare_directories(job)
    if job.stop_requested.is_set():
        _finish(job, "Stopped", "Stopped")
        return
    move(job, "Downloading", "Downloading input data")
    _download_inputs(job, client)
    _restore_checkpoints(job, client)
    move(job, "Training" if job.kind == "Training" else "InProgress", "Running the container")
    log = LogStream(
        role_client("logs", endpoint, credentials),
        f"/aws/sagemaker/{job.kind}Jobs",
        f"{job.name}/algo-1-{os.getpid()}",
    )
    metrics = MetricReader((job.request.get("AlgorithmSpecification") or {}).get("MetricDefinitions") or [])
    job.started_at = datetime.now(UTC)
    ending = _run_container(job, credentials, log, metrics)
    job.ended_at = datetime.now(UTC)
    log.flush()
    _keep_metrics(job, metrics, role_client("cloudwatch", endpoint, credentials))
    _conclude(job, ending, client)


def _run_container(job: Job, credentials: dict[str, str], log: LogStream, metrics: MetricReader) -> Ending:
    def on_line(line: str) -> None:
        log.write(line)
        metrics.read(line)

    condition = job.request.get("StoppingCondition") or {}
    try:
        return run(
            container.command(job),
            environment=container.environment(job, credentials),
            directory=str(job.directory),
            on_line=on_line,
            stop_requested=job.stop_requested,
            max_runtime_seconds=float(condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)),
        )
    except OSError as error:
        raise JobFailedError(f"AlgorithmError: The entry point could not be started: {error}") from error


def _conclude(job: Job, ending: Ending, client: Any) -> None:
    """Upload what there is and enter the final status."""
    if job.kind == "Processing":
        message = container.base_directory(job) / "output" / "message"
        job.exit_message = _text(message)
    failed = ending.cause == "exited" and ending.exit_code != 0
    if not failed or job.kind == "Training":
        move(job, "Uploading", "Uploading generated output")
        _upload_outputs(job, client, failed=failed)
    if ending.cause == "stopped":
        _finish(job, "Stopped", "Stopped")
    elif ending.cause == "timed out":
        _finish(job, "Stopped", "MaxRuntimeExceeded")
    elif failed:
        _finish(job, "Failed", "Failed", _failure_reason(job, ending.exit_code))
    else:
        _finish(job, "Completed", "Completed")


def _finish(job: Job, status: Status, secondary_status: str, failure_reason: str | None = None) -> None:
    job.ended_at = job.ended_at or datetime.now(UTC)
    job.failure_reason = failure_reason
    move(job, secondary_status, failure_reason or f"{job.kind} job {status.lower()}", status)


def _failure_reason(job: Job, exit_code: int) -> str:
    message = _text(
        container.base_directory(job) / "output" / ("failure" if job.kind == "Training" else "message")
    )
    if message is None:
        return f"AlgorithmError: See job logs for more information, exit code: {exit_code}"
    return f"AlgorithmError: {message}, exit code: {exit_code}"[:_FAILURE_LENGTH]


def _text(path: Path) -> str | None:
    return (
        path.read_text(encoding="utf-8", errors="replace").strip()[:_FAILURE_LENGTH]
        if path.is_file()
        else None
    )


def _download_inputs(job: Job, client: Any) -> None:
    base = container.base_directory(job)
    for channel in job.request.get("InputDataConfig") or []:
        source = channel["DataSource"]["S3DataSource"]
        gunzip = channel.get("CompressionType") == "Gzip"
        download(client, source, base / "input" / "data" / channel["ChannelName"], gunzip=gunzip)
    for entry in job.request.get("ProcessingInputs") or []:
        source = entry["S3Input"]
        gunzip = source.get("S3CompressionType") == "Gzip"
        download(client, source, Path(container.local_path(job, source["LocalPath"])), gunzip=gunzip)


def _restore_checkpoints(job: Job, client: Any) -> None:
    """Copy what earlier attempts kept; there need not be anything."""
    uri = (job.request.get("CheckpointConfig") or {}).get("S3Uri")
    if uri and has_objects(client, uri):
        download(client, {"S3Uri": uri}, _checkpoints(job))


def _checkpoints(job: Job) -> Path:
    chosen = (job.request.get("CheckpointConfig") or {}).get("LocalPath", "/opt/ml/checkpoints")
    return Path(container.local_path(job, chosen))


def _upload_outputs(job: Job, client: Any, *, failed: bool) -> None:
    base = container.base_directory(job)
    if job.kind == "Processing":
        outputs = job.request.get("ProcessingOutputConfig") or {}
        for entry in outputs.get("Outputs", []):
            target = entry["S3Output"]
            directory = Path(container.local_path(job, target["LocalPath"]))
            upload_directory(client, directory, target["S3Uri"], outputs.get("KmsKeyId"))
        return
    key_id = job.request["OutputDataConfig"].get("KmsKeyId")
    checkpoints_uri = (job.request.get("CheckpointConfig") or {}).get("S3Uri")
    if checkpoints_uri and _checkpoints(job).is_dir():
        upload_directory(client, _checkpoints(job), checkpoints_uri, key_id)
    if any((base / "output" / "data").iterdir()):
        upload_archive(client, base / "output" / "data", output_uri(job, "output.tar.gz"), key_id)
    if not failed:
        upload_archive(client, base / "model", output_uri(job, "model.tar.gz"), key_id)


def _keep_metrics(job: Job, metrics: MetricReader, client: Any) -> None:
    """Keep the last value of each metric, and publish it with the role, as the platform does."""
    for name, (value, at) in metrics.latest.items():
        moment = datetime.fromtimestamp(at, UTC)
        job.final_metrics.append({"MetricName": name, "Value": value, "Timestamp": moment})
        datum = {"MetricName": name, "Value": value, "Timestamp": moment}
        dimensions = [{"Name": "TrainingJobName", "Value": job.name}]
        try:
            client.put_metric_data(
                Namespace="/aws/sagemaker/TrainingJobs", MetricData=[datum | {"Dimensions": dimensions}]
            )
        except ClientError as error:
            logger.warning("The role of the job may not publish its metrics: %s", error)
