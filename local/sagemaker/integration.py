"""`sagemaker:createTrainingJob` and `sagemaker:createProcessingJob` in state machines, with and without
`.sync`.

As on AWS: Step Functions tags the job as its own (so the role needs AddTags), waits for its end, returns
the Describe result with times in milliseconds, fails with States.TaskFailed and the job as JSON in Cause
when the job failed or was stopped, and stops the job when the execution is stopped or the state runs out of
time.
"""

import json
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local.authorization import decide
from local.sagemaker import lifecycle
from local.sagemaker.describe import describe, epoch_milliseconds, with_times_as
from local.sagemaker.errors import SageMakerError
from local.sagemaker.jobs import Job, Kind, find_job
from local.sagemaker.service import Authorise, call, resource_of
from local.stepfunctions import RunningTask, current_task
from local.task_permissions import managed_rule_permissions

_POLL_SECONDS = 0.1
# Errors that Step Functions names after the exception; the others share one name.
_OWN_NAMES = {
    "ResourceInUse": "ResourceInUseException",
    "ResourceLimitExceeded": "ResourceLimitExceededException",
}
_COMMON_NAME = "AmazonSageMakerException"


def install() -> None:
    """Register the two integrations with Step Functions."""
    for kind in ("Training", "Processing"):
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::sagemaker:create{kind}Job"] = _task(kind)


def _task(kind: Kind) -> Any:
    def run_task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        task = current_task.get()
        if task is None:
            raise stepfunctions._ExecutionError(
                "States.Runtime", "This integration runs in a state machine only."
            )
        waits = ".sync" in resource
        started = time.monotonic()
        answer = _create(kind, arguments, task, waits=waits)
        if not waits:
            return answer
        job = find_job(kind, str(arguments[f"{kind}JobName"]))
        return _wait(job, task, started)

    return run_task


def _create(kind: Kind, arguments: dict[str, Any], task: RunningTask, *, waits: bool) -> dict[str, Any]:
    authorise = _as_machine(task)
    arn = resource_of(f"{kind}Job", arguments, get_region(), get_account_id())
    needed = [(f"sagemaker:Create{kind}Job", arn)]
    if waits:
        needed += [(f"sagemaker:{verb}{kind}Job", arn) for verb in ("Describe", "Stop")]
        rule = f"StepFunctionsGetEventsForSageMaker{kind}JobsRule"
        needed += [(entry.action, entry.resource) for entry in managed_rule_permissions(rule, "")]
        ours = [{"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}]
        arguments = {**arguments, "Tags": [*arguments.get("Tags", []), *ours]}
    for action, resource in needed:
        refusal = authorise(action, resource, {})
        if refusal is not None:
            raise stepfunctions._ExecutionError(f"SageMaker.{_COMMON_NAME}", refusal)
    try:
        return call(f"Create{kind}Job", arguments, authorise)
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


def _wait(job: Job, task: RunningTask, started: float) -> dict[str, Any]:
    timeout_seconds = float(task.state.get("TimeoutSeconds", 99_999_999))
    while not job.ended.wait(_POLL_SECONDS):
        if task.execution["status"] != "RUNNING":
            lifecycle.stop(job)
            raise stepfunctions._ExecutionError("States.TaskFailed", "The execution was stopped.")
        if time.monotonic() - started >= timeout_seconds:
            lifecycle.stop(job)
            raise stepfunctions._ExecutionError("States.Timeout", "")
    described: dict[str, Any] = with_times_as(describe(job), epoch_milliseconds)
    described["Tags"] = dict(job.tags)
    if job.status != "Completed":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
    return described
