"""Why a step of a state machine failed, and what to do about it, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops.models import errors
from mlops.models.record import Record

# What SageMaker puts around the sentence that our entry points leave.
_AROUND = re.compile(r"^(?:AlgorithmError: )?(?P<message>.*?)(?:, exit code: -?\d+)?$", re.DOTALL)
_AGAIN = "Then start the execution again with the same input (Step Functions: New execution)."
_OUR_ERRORS = frozenset(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.MlopsError)
)
_STATUSES = ("TrainingJobStatus", "ProcessingJobStatus", "HyperParameterTuningJobStatus")
_MAX_CHARACTERS = 1_000
TRIAL_TIME_LIMIT = "A trial of the search reached the time limit of its job."


@dataclass(frozen=True, slots=True)
class Failure(Record):
    """What Step Functions says of a step that failed; `cause` is often a JSON document."""

    step: str
    error: str
    cause: str = ""
    job: Mapping[str, Any] = field(default_factory=dict)

    @property
    def document(self) -> Mapping[str, Any]:
        """The cause as a document; empty where it is none."""
        try:
            document = json.loads(self.cause)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def tuning_job_name(self) -> str | None:
        """The tuning job that failed; None for none."""
        return self.document.get("HyperParameterTuningJobName")

    @property
    def ended_job(self) -> Mapping[str, Any]:
        """The SageMaker training job that failed, or whose model could not be registered; empty for none."""
        return self.document if "TrainingJobName" in self.document else self.job


@dataclass(frozen=True, slots=True)
class Explanation(Record):
    """A failure for people; `error` is the name of one of our errors, and the execution fails under it."""

    error: str
    reason: str
    advice: str


def explain_failure(failure: Failure, *, trial_reason: str = "") -> Explanation:
    """Say what happened and what to do.

    A message of a library may quote the data, so only sentences of our own and of AWS are repeated. A tuning
    job says only that its trials failed; `trial_reason` is what they said themselves.
    """
    document = failure.document
    status = next((document[name] for name in _STATUSES if name in document), None)
    message = trial_reason or _message(document) or ("" if document else failure.cause)
    is_late = failure.error == "States.Timeout" or message == TRIAL_TIME_LIMIT
    if is_late or status in ("Stopped", "Stopping"):
        return _stopped(document, message)
    if "ResourceLimitExceeded" in failure.error or message.startswith("CapacityError"):
        return Explanation("CapacityError", _short(message), _NO_CAPACITY)
    if "Throttl" in failure.error or "Throttling" in message or "Rate exceeded" in message:
        return Explanation("ThrottledError", _short(message), _THROTTLED)
    if status == "Failed" or failure.error in _OUR_ERRORS:
        reason = message or "The job gave no reason."
        return Explanation(_name(failure, status), _short(reason), _advice(reason))
    if "errorType" in document:  # a Lambda function; its message is not ours
        return Explanation("StepError", f"The step stopped at an unexpected {failure.error}.", _UNEXPECTED)
    return Explanation("StepError", _short(message) or f"The step failed with {failure.error}.", _UNEXPECTED)


_NO_CAPACITY = (
    "AWS has no machine of this type to give at the moment, or the account's quota is used up. Wait, ask for "
    "a higher quota (Service Quotas: Amazon SageMaker), or deploy with another TrainingInstanceType. "
    f"{_AGAIN}"
)
_THROTTLED = (
    f"AWS answered too many requests at once, and did so after every retry. Wait a few minutes. {_AGAIN}"
)
_UNEXPECTED = (
    f"This is not a fault of the file. Read the log of the step, mend the cause, and deploy. {_AGAIN}"
)
_OF_DATA = "Change what the reason names, in the file or in model.toml, and drop the file again."
_TOO_LONG = (
    "Deploy with a higher TrainingTimeoutSeconds or a larger TrainingInstanceType, or name fewer columns or "
    f"a quicker algorithm in model.toml. {_AGAIN}"
)


def plain_reason(text: str) -> str:
    """Return the sentence of our entry points without what SageMaker puts around it."""
    match = _AROUND.match(text)
    return match["message"].strip() if match else text


def _stopped(document: Mapping[str, Any], message: str) -> Explanation:
    limits = document.get("StoppingCondition") or {}
    secondary, most = document.get("SecondaryStatus"), limits.get("MaxRuntimeInSeconds")
    if message == TRIAL_TIME_LIMIT:
        reason, advice = message, _TOO_LONG
    elif secondary == "MaxWaitTimeExceeded":
        reason = f"No Spot machine was free, or kept, for {limits.get('MaxWaitTimeInSeconds')} seconds."
        advice = f"Deploy with SpotTraining off or a longer wait. {_AGAIN}"
    elif document and secondary != "MaxRuntimeExceeded":
        reason, advice = "The job was stopped by a person.", f"If it was by mistake: {_AGAIN}"
    else:
        reason, advice = "The step reached its time limit.", _TOO_LONG
        reason = f"The job reached its time limit of {most} seconds." if most else reason
    return Explanation("JobStoppedError", reason, advice)


def _message(document: Mapping[str, Any]) -> str:
    text = document.get("ExitMessage") or document.get("FailureReason") or document.get("errorMessage") or ""
    return plain_reason(str(text))


def _name(failure: Failure, status: object) -> str:
    if failure.error in _OUR_ERRORS:
        return failure.error
    return "ScoringError" if "ProcessingJobStatus" in failure.document or not status else "TrainingError"


def _advice(reason: str) -> str:
    if "unexpected" in reason:
        return _UNEXPECTED
    if "out of memory" in reason:
        return f"Deploy with a larger TrainingInstanceType. {_AGAIN}"
    return _OF_DATA


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."
