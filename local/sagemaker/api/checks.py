"""What is checked before a job starts: the permissions of its caller, its role, and its time limits."""

from collections.abc import Callable
from typing import Any

from local.authorization import role_exists, trusts_service
from local.sagemaker.errors import access_denied, validation_error
from local.sagemaker.jobs.lifecycle import DEFAULT_MAX_RUNTIME_SECONDS

Authorise = Callable[[str, str, dict[str, Any]], str | None]
"""May the caller do (action, resource, context)? None, or the sentence why not."""

_SERVICE = "sagemaker.amazonaws.com"


def check_caller(role_arn: str, arn: str, authorise: Authorise, *, has_tags: bool) -> None:
    """Refuse a caller who may not hand over the role or tag the job, and a role that does not trust us."""
    checks: list[tuple[str, str, dict[str, Any]]] = [
        ("iam:PassRole", role_arn, {"iam:PassedToService": _SERVICE})
    ]
    if has_tags:
        checks.append(("sagemaker:AddTags", arn, {}))
    for action, resource, context in checks:
        refusal = authorise(action, resource, context)
        if refusal is not None:
            raise access_denied(refusal)
    if not (role_exists(role_arn) and trusts_service(role_arn, _SERVICE)):
        raise validation_error(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{_SERVICE}' to assume the role."
        )


def check_waiting_time(request: dict[str, Any]) -> None:
    """A Spot job needs a waiting time that includes its run; another job must not name one."""
    condition = request.get("StoppingCondition") or {}
    waits, runs = condition.get("MaxWaitTimeInSeconds"), condition.get("MaxRuntimeInSeconds")
    longest_run = DEFAULT_MAX_RUNTIME_SECONDS if runs is None else runs
    if request.get("EnableManagedSpotTraining"):
        if waits is None or waits < longest_run:
            raise validation_error(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds."
            )
    elif waits is not None:
        raise validation_error(
            "MaxWaitTimeInSeconds is for managed spot training: enable it, or leave it out."
        )
