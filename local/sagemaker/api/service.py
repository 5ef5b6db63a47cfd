"""The SageMaker API: four operations per kind of job, those on tuning jobs and endpoints, and tags."""

import asyncio
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from local.environment import CLOUD_DIRECTORY
from local.sagemaker import tuning
from local.sagemaker.api import tuning_service
from local.sagemaker.api.checks import Authorise, check_caller, check_waiting_time
from local.sagemaker.api.request_model import check_request, service_model
from local.sagemaker.endpoints import api as endpoints_api
from local.sagemaker.errors import SageMakerError, validation_error
from local.sagemaker.jobs import lifecycle, script_mode
from local.sagemaker.jobs.describe import describe, with_times_as
from local.sagemaker.jobs.job import Job, Kind, all_jobs, find_by_arn, find_job, register

_JOB_OPERATION = re.compile(r"(?P<verb>Create|Describe|Stop|List)(?P<kind>Training|Processing)Jobs?")
_KINDS: tuple[Kind, ...] = ("Training", "Processing")


async def handle_request(
    method: str,  # noqa: ARG001 - this is how MiniStack calls a service
    path: str,
    headers: dict[str, str],
    body: bytes,
    query_params: dict[str, Any],
) -> tuple[int, dict[str, str], bytes]:
    """Answer one HTTP request, as MiniStack's services do."""
    endpoint = endpoints_api.invoked_endpoint(path)
    if endpoint is not None:
        return await asyncio.to_thread(endpoints_api.invoke, endpoint, headers, body)
    operation = headers.get("x-amz-target", "").partition(".")[2]
    try:
        result = call(operation, parsed(body), _caller(headers, query_params))
        status = 200
    except SageMakerError as error:
        result, status = {"__type": error.code, "message": error.message}, error.status
    answer = json.dumps(with_times_as(result, datetime.timestamp)).encode()
    return status, {"Content-Type": "application/x-amz-json-1.1"}, answer


def call(operation: str, request: dict[str, Any], authorise: Authorise) -> dict[str, Any]:
    """Do one operation for a caller whose main action is allowed; times in the answer are datetimes."""
    match = _JOB_OPERATION.fullmatch(operation)
    if match is not None and operation in service_model().operation_names:
        check_request(operation, request)
        verb, kind = match["verb"], cast("Kind", match["kind"])
        if verb == "Create":
            return _create(kind, request, authorise)
        if verb == "Describe":
            return describe(find_job(kind, request[f"{kind}JobName"]))
        return _stop(kind, request) if verb == "Stop" else _list(kind, request)
    if operation in tuning_service.OPERATIONS:
        arn = resource_of(operation, request, get_region(), get_account_id())
        return tuning_service.call(operation, request, authorise, arn)
    if operation in endpoints_api.OPERATIONS:
        arn = resource_of(operation, request, get_region(), get_account_id())
        return endpoints_api.call(operation, request, authorise, arn)
    if operation in ("AddTags", "ListTags", "DeleteTags"):
        check_request(operation, request)
        return _tags(operation, request)
    raise SageMakerError(
        "UnknownOperationException", f"The local cloud has no SageMaker operation {operation!r}."
    )


def parsed(body: bytes) -> dict[str, Any]:
    """Return the request body as a dict."""
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise SageMakerError("SerializationException", str(error)) from error
    return request if isinstance(request, dict) else {}


def resource_of(operation: str, request: dict[str, Any], region: str, account: str) -> str:
    """Return the ARN that IAM checks for an operation."""
    if "ResourceArn" in request:
        return str(request["ResourceArn"])
    if "HyperParameterTuningJobName" in request:
        name = request["HyperParameterTuningJobName"]
        return f"arn:aws:sagemaker:{region}:{account}:hyper-parameter-tuning-job/{name}"
    hosted = endpoints_api.resource_name(operation, request)
    if hosted is not None:
        return f"arn:aws:sagemaker:{region}:{account}:{hosted}"
    for kind in _KINDS:
        name = request.get(f"{kind}JobName")
        if name and f"{kind}Job" in operation:
            return f"arn:aws:sagemaker:{region}:{account}:{kind.lower()}-job/{name}"
    return "*"


def _caller(headers: dict[str, str], query_params: dict[str, Any]) -> Authorise:
    access_key = extract_access_key_id(headers, query_params)

    def authorise(action: str, resource: str, context: dict[str, Any]) -> str | None:
        service = action.partition(":")[0]
        denied = iam_evaluator.enforce(access_key, action, service, get_region(), resource, context)
        return (
            None
            if denied is None
            else f"{access_key} is not authorized to perform: {action} on resource: {resource}"
        )

    return authorise


def _create(kind: Kind, request: dict[str, Any], authorise: Authorise) -> dict[str, Any]:
    name, role_arn = str(request[f"{kind}JobName"]), str(request["RoleArn"])
    arn = resource_of(f"{kind}Job", request, get_region(), get_account_id())
    check_caller(role_arn, arn, authorise, has_tags=bool(request.get("Tags")))
    _check_what_is_not_emulated(kind, request)
    check_waiting_time(request)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    directory = Path(os.environ[CLOUD_DIRECTORY]) / "tmp" / "jobs" / f"{kind.lower()}-{name}"
    job = Job(kind, name, arn, request, directory, datetime.now(UTC), tags=tags)
    register(job)
    directory.mkdir(parents=True)
    lifecycle.start(job)
    return {f"{kind}JobArn": arn}


def _check_what_is_not_emulated(kind: Kind, request: dict[str, Any]) -> None:
    """Refuse clearly what would otherwise be ignored."""
    specification = request["AlgorithmSpecification" if kind == "Training" else "AppSpecification"]
    is_script = kind == "Training" and script_mode.is_requested(request.get("HyperParameters") or {})
    if not specification.get("ContainerEntrypoint") and not is_script:
        raise validation_error(
            "The local cloud pulls no images: give ContainerEntrypoint, so that it knows what to run."
        )
    channels = request.get("InputDataConfig") or []
    modes = {specification.get("TrainingInputMode"), *(channel.get("InputMode") for channel in channels)}
    if "Pipe" in modes:
        raise validation_error("The local cloud copies files: use the input mode File or FastFile, not Pipe.")
    if any("S3DataSource" not in channel["DataSource"] for channel in channels):
        raise validation_error("The local cloud reads channels from S3 only: use S3DataSource.")


def _stop(kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    job = find_job(kind, request[f"{kind}JobName"])
    if job.is_final:
        raise validation_error(
            f"The request was rejected because the {kind.lower()} job is in status {job.status}."
        )
    lifecycle.stop(job)
    return {}


def _list(kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    jobs = [job for job in all_jobs(kind) if request.get("NameContains", "") in job.name]
    jobs = [job for job in jobs if request.get("StatusEquals") in (None, job.status)]
    by_name = request.get("SortBy", "CreationTime") == "Name"
    jobs.sort(
        key=lambda job: job.name if by_name else job.created_at,
        reverse=request.get("SortOrder") != "Ascending",
    )
    start = int(request.get("NextToken") or 0)
    end = start + int(request.get("MaxResults") or 10)
    summaries = [
        {
            f"{kind}JobName": job.name,
            f"{kind}JobArn": job.arn,
            "CreationTime": job.created_at,
            "LastModifiedTime": job.modified_at,
            f"{kind}JobStatus": job.status,
            **({f"{kind}EndTime": job.ended_at} if job.ended_at else {}),
        }
        for job in jobs[start:end]
    ]
    return {f"{kind}JobSummaries": summaries, **({"NextToken": str(end)} if end < len(jobs) else {})}


def _tags(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    arn = str(request["ResourceArn"])
    if ":endpoint" in arn or ":model/" in arn:
        raise validation_error("The local cloud keeps no tags of models and endpoints.")
    is_tuning = ":hyper-parameter-tuning-job/" in arn
    job = tuning.find_by_arn(arn) if is_tuning else find_by_arn(arn)
    if operation == "AddTags":
        job.tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
    if operation == "DeleteTags":
        for key in request["TagKeys"]:
            job.tags.pop(key, None)
        return {}
    return {"Tags": [{"Key": key, "Value": value} for key, value in job.tags.items()]}
