"""How long a job may wait for Spot capacity."""

from typing import Any

from local.sagemaker import lifecycle
from local.sagemaker.errors import validation_error


def check_waiting_time(request: dict[str, Any]) -> None:
    """A Spot job needs a waiting time that includes its run; another job must not name one."""
    condition = request.get("StoppingCondition") or {}
    waits, runs = condition.get("MaxWaitTimeInSeconds"), condition.get("MaxRuntimeInSeconds")
    longest_run = lifecycle.DEFAULT_MAX_RUNTIME_SECONDS if runs is None else runs
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
