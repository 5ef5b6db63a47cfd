"""`sagemaker:createTrainingJob`, `createProcessingJob` and `createHyperParameterTuningJob` in state machines,
with and without `.sync`, and what creates and updates endpoints.

As on AWS: Step Functions tags the job as its own (so the role needs AddTags), waits for its end, returns
the Describe result with times in milliseconds, fails with States.TaskFailed and the job as JSON in Cause
when the job failed or was stopped, and stops the job when the execution is stopped or the state runs out of
time.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local.authorization import decide
from local.fixes.stepfunctions.callback_tasks import STOPPED
from local.fixes.stepfunctions.running_task import RunningTask, current_task
from local.fixes.stepfunctions.task_permissions import managed_rule_permissions
from local.sagemaker import tuning
from local.sagemaker.api import tuning_service
from local.sagemaker.api.checks import Authorise
from local.sagemaker.api.service import call, resource_of
from local.sagemaker.errors import SageMakerError
from local.sagemaker.jobs import lifecycle
from local.sagemaker.jobs.describe import describe, epoch_milliseconds, with_times_as
from local.sagemaker.jobs.job import Kind, find_job

_POLL_SECONDS = 0.1
_RULES = {
    "Training": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "Processing": "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    "HyperParameterTuning": "StepFunctionsGetEventsForSageMakerTuningJobsRule",
}
_ENDPOINT_OPERATIONS = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint")
# Errors that Step Functions names after the exception; the others share one name.
_OWN_NAMES = {
    "ResourceInUse": "ResourceInUseException",
    "ResourceLimitExceeded": "ResourceLimitExceededException",
}
_COMMON_NAME = "AmazonSageMakerException"


def install() -> None:
    """Register the integrations with Step Functions."""
    for kind in _RULES:
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::sagemaker:create{kind}Job"] = _task(kind)
    for operation in _ENDPOINT_OPERATIONS:
        name = operation[0].lower() + operation[1:]
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::sagemaker:{name}"] = _request_task(operation)


def _request_task(operation: str) -> Any:
    """Return what answers as soon as the API has answered."""

    def run_task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
        task = _running_task()
        arn = resource_of(operation, arguments, get_region(), get_account_id())
        return _called(operation, arguments, task, [(f"sagemaker:{operation}", arn)])

    return run_task


def _task(kind: str) -> Any:
    def run_task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        task = _running_task()
        waits = ".sync" in resource
        started = time.monotonic()
        answer = _create(kind, arguments, task, waits=waits)
        if not waits:
            return answer
        return _wait(_waiting_for(kind, str(arguments[f"{kind}JobName"])), task, started)

    return run_task


def _running_task() -> RunningTask:
    task = current_task.get()
    if task is None:
        raise stepfunctions._ExecutionError(
            "States.Runtime", "This integration runs in a state machine only."
        )
    return task


def _create(kind: str, arguments: dict[str, Any], task: RunningTask, *, waits: bool) -> dict[str, Any]:
    arn = resource_of(f"{kind}Job", arguments, get_region(), get_account_id())
    needed = [(f"sagemaker:Create{kind}Job", arn)]
    if waits:
        needed += [(f"sagemaker:{verb}{kind}Job", arn) for verb in ("Describe", "Stop")]
        needed += [(entry.action, entry.resource) for entry in managed_rule_permissions(_RULES[kind], "")]
        ours = [{"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}]
        arguments = {**arguments, "Tags": [*arguments.get("Tags", []), *ours]}
    return _called(f"Create{kind}Job", arguments, task, needed)


def _called(
    operation: str, arguments: dict[str, Any], task: RunningTask, needed: list[tuple[str, str]]
) -> dict[str, Any]:
    """Call an operation as the state machine, whose role needs these actions on these resources."""
    authorise = _as_machine(task)
    for action, resource in needed:
        refusal = authorise(action, resource, {})
        if refusal is not None:
            raise stepfunctions._ExecutionError(f"SageMaker.{_COMMON_NAME}", refusal)
    try:
        return call(operation, arguments, authorise)
    except SageMakerError as error:
        name = _OWN_NAMES.get(error.code, _COMMON_NAME)
        details = f"Service: AmazonSageMaker; Status Code: {error.status}; Error Code: {error.code}"
        cause = f"{error.message} ({details})"
        raise stepfunctions._ExecutionError(f"SageMaker.{name}", cause) from error


def _as_machine(task: RunningTask) -> Authorise:
    def authorise(action: str, resource: str, context: dict[str, Any]) -> str | None:
        decision = decide(task.role_arn, task.session_name, action, resource, context)
        return None if decision.allowed else decision.message

    return authorise


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job of any kind, as far as a state that waits for it needs to know."""

    ended: threading.Event
    stop: Callable[[], None]
    describe: Callable[[], dict[str, Any]]
    status: Callable[[], str]
    tags: dict[str, str]


def _waiting_for(kind: str, name: str) -> _Waiting:
    if kind == "HyperParameterTuning":
        tuned = tuning.find(name)
        return _Waiting(
            tuned.ended,
            lambda: tuning.stop(tuned),
            lambda: tuning_service.describe(tuned),
            lambda: tuned.status,
            tuned.tags,
        )
    job = find_job(cast("Kind", kind), name)
    return _Waiting(
        job.ended, lambda: lifecycle.stop(job), lambda: describe(job), lambda: job.status, job.tags
    )


def _wait(job: _Waiting, task: RunningTask, started: float) -> dict[str, Any]:
    timeout_seconds = float(task.state.get("TimeoutSeconds", 99_999_999))
    while not job.ended.wait(_POLL_SECONDS):
        if task.execution["status"] != "RUNNING":
            job.stop()
            raise stepfunctions._ExecutionError(STOPPED, "The execution was stopped.")
        if time.monotonic() - started >= timeout_seconds:
            job.stop()
            raise stepfunctions._ExecutionError("States.Timeout", "")
    described: dict[str, Any] = with_times_as(job.describe(), epoch_milliseconds)
    described["Tags"] = dict(job.tags)
    if job.status() != "Completed":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
    return described
