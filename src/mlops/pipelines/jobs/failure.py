"""Why a step of a state machine failed, and what to do about it, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlops.models import errors
from mlops.models.record import Record

# What SageMaker puts around the sentence that our entry points leave.
_AROUND = re.compile(r"^(?:AlgorithmError: )?(?P<message>.*?)(?:, exit code: -?\d+)?$", re.DOTALL)
# What it says of a process that ended before it could leave one.
_NO_SENTENCE = re.compile(
    r"(?:AlgorithmError: )?(?:See job logs for more information)?(?:, exit code: (-?\d+))?"
)
_OUR_ERRORS = frozenset(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.MlopsError)
)
_ERRORS_OF_DATA = ("DatasetError", "DriftError", "ScoringError", "SettingsError", "TrainingError")
_STATUSES = ("TrainingJobStatus", "ProcessingJobStatus", "HyperParameterTuningJobStatus")
_LOST = ("CapacityError", "InternalServerError")  # how the reason of a job begins that AWS has lost
_MAX_CHARACTERS = 1_000
MAX_LOST_JOBS = 2  # a job that AWS has lost is run again so many times
OF_AN_ITEM = "States.ExceedToleratedFailureThreshold"  # of a Map state: an item failed, whatever the reason
# The errors of a step that took too long, and of a function that was killed.
_TIMED_OUT = ("States.Timeout", "Sandbox.Timedout", "Lambda.ClientExecutionTimeoutException")
_ENDED = ("Runtime.ExitError",)
_JOB_STEPS = ("Tune hyperparameters", "Train model", "Run inference in a job")
_MILLISECONDS, _ROUNDING_SECONDS = 1000, 1
TRIAL_TIME_LIMIT = "A trial of the search reached the time limit of its job."


@dataclass(frozen=True, slots=True)
class Failure(Record):
    """What Step Functions says of a step that failed; `cause` is often a JSON document.

    `version` is empty before the registration. `n_lost_jobs` counts the jobs of this execution that AWS has
    lost before this failure.
    """

    step: str
    error: str
    cause: str = ""
    job: Mapping[str, Any] = field(default_factory=dict)
    group: str = "GROUP"
    version: str = ""
    n_lost_jobs: int = 0

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
    """A failure for people; `error` is the name of one of our errors, and the execution fails under it.

    `run_again`: the job is to be run again at once, and nothing has failed yet. `is_mailed`: people have been
    notified.
    """

    error: str
    reason: str
    advice: str
    run_again: bool = False
    is_mailed: bool = False


def explain_failure(failure: Failure, *, trial_reason: str = "") -> Explanation:
    """Say what happened and what to do.

    A message of a library may quote the data, so only sentences of our own and of AWS are repeated. A tuning
    job says only that its trials failed; `trial_reason` is what they said themselves.
    """
    document = failure.document
    status = next((document[name] for name in _STATUSES if name in document), None)
    message = trial_reason or _message(document) or ("" if document else failure.cause)
    if failure.error in (*_TIMED_OUT, *_ENDED) and failure.step not in _JOB_STEPS:
        return _stopped_function(failure)
    if failure.error == "States.Timeout" or message == TRIAL_TIME_LIMIT or status in ("Stopped", "Stopping"):
        return _stopped(failure, message)
    of_aws = _explain_aws(failure, message, trial_reason or _raw_message(document))
    if of_aws is not None:
        return of_aws
    if status == "Failed" or failure.error in _OUR_ERRORS:
        return Explanation(_name(failure, status), _short(message), _advice(failure, message))
    # the message of an exception in a Lambda function is not ours
    sentence = f"The step stopped at an unexpected {failure.error}." if "errorType" in document else message
    reason = _short(sentence) or f"The step failed with {failure.error}."
    return Explanation("StepError", reason, f"{_UNEXPECTED} {how_to_repeat(failure)}")


def _explain_aws(failure: Failure, message: str, raw_message: str) -> Explanation | None:
    """Explain what neither the data nor our code has caused; None for any other failure."""
    again, killed = how_to_repeat(failure), _NO_SENTENCE.fullmatch(raw_message)
    is_lost = raw_message.startswith(_LOST)
    if is_lost or "ResourceLimitExceeded" in failure.error:
        run_again = is_lost and failure.n_lost_jobs < MAX_LOST_JOBS
        return replace(_not_run(message, again), run_again=run_again)
    too_many = ("Throttl", "TooManyRequests", "rate exceeded")
    if any(sign.casefold() in f"{failure.error} {message}".casefold() for sign in too_many):
        return Explanation("ThrottledError", _short(message), f"{_THROTTLED} {again}")
    is_failed_job = "Failed" in (failure.document.get(name) for name in _STATUSES)
    return _killed(killed[1], again) if killed and is_failed_job else None


def how_to_repeat(failure: Failure) -> str:
    """Return the sentences that say how the failed work is done again, which depends on the step."""
    sentences = _REPEAT.get(failure.step, _REPEAT_TRAINING)
    return sentences.format(group=failure.group, version=failure.version)


_REPEAT_TRAINING = "Nothing is wrong with the file: drop it again, or run `mlops retry {group}`."
_REPEAT_SCORING = "Nothing is wrong with the file: drop it again."
_REPEAT_PARTS = "Nothing is wrong with the parts: drop the closing file again."
_REPEAT_EMAIL = "Only the email failed: `mlops show {group} {version}` says what it would have said."
_REPEAT_DECISION = "The decision is kept, and is carried out at the next check of the approvals."
_REPEAT_ENDPOINT = (
    "Start an execution of the state machine MoveEndpoint with the input "
    '{{"detail": {{"group": "{group}"}}}}, or wait for the next promotion or rollback.'
)
_REPEAT: Mapping[str, str] = {
    "Run inference": _REPEAT_SCORING,
    "Run inference in a job": _REPEAT_SCORING,
    "Plan endpoint": _REPEAT_ENDPOINT,
    "Create model": _REPEAT_ENDPOINT,
    "Create configuration": _REPEAT_ENDPOINT,
    "Create endpoint": _REPEAT_ENDPOINT,
    "Update endpoint": _REPEAT_ENDPOINT,
    "Delete endpoint": _REPEAT_ENDPOINT,
    "Delete configuration": _REPEAT_ENDPOINT,
    "Delete model": _REPEAT_ENDPOINT,
    "List ranges": _REPEAT_SCORING,
    "Score ranges": _REPEAT_SCORING,
    "Merge ranges": _REPEAT_SCORING,
    "List parts": _REPEAT_PARTS,
    "Survey parts": _REPEAT_PARTS,
    "Merge parts": _REPEAT_PARTS,
    "Request approval": (
        "The version is kept. To request approval: `mlops reopen {group} {version} --reason WHY`."
    ),
    "Promote model": (
        "The approval is kept: the model goes into service at the next check of the approvals, or at once "
        "with `mlops promote {group} {version} --reason WHY`."
    ),
    "Mail promotion": _REPEAT_EMAIL,
    "Mail gate result": _REPEAT_EMAIL,
    "Supersede model": _REPEAT_DECISION,
    "Reject model": _REPEAT_DECISION,
    "Expire model": _REPEAT_DECISION,
}
_NO_CAPACITY = (
    "AWS has no machine of this type to give at the moment, or the account's quota is used up. Wait, ask for "
    "a higher quota (Service Quotas: Amazon SageMaker), or deploy with another TrainingInstanceType."
)
_THROTTLED = "AWS answered too many requests at once, and did so after every retry. Wait a few minutes."
_UNEXPECTED = "If it happens again, read the log of the step, correct the cause, and deploy."
_OF_DATA = "Change what the reason names, in the file or in model.toml, and drop the file again."
_TOO_LONG = (
    "Deploy with a higher TrainingTimeoutSeconds or a larger TrainingInstanceType, or name fewer columns or "
    "a quicker algorithm in model.toml."
)
_TOO_LONG_SCORING = (
    "Deploy with a higher TrainingTimeoutSeconds or a larger TrainingInstanceType, or divide the file."
)
_LARGER = "If it happens again, deploy with a larger TrainingInstanceType."
_IN_RANGES = "If it happens again, deploy with a lower MapScoringLimitBytes: a job scores larger files."
_SMALLER_PARTS = "If it happens again, divide the table into smaller parts."
_TOO_MUCH_FOR_A_FUNCTION: Mapping[str, str] = {
    "Run inference": (
        "If it happens again, deploy with a lower LambdaScoringLimitBytes: several functions score "
        "larger files."
    ),
    **dict.fromkeys(("List ranges", "Score ranges", "Merge ranges"), _IN_RANGES),
    **dict.fromkeys(("List parts", "Survey parts", "Merge parts"), _SMALLER_PARTS),
}


def plain_reason(text: str) -> str:
    """Return the sentence of our entry points without what SageMaker puts around it."""
    match = _AROUND.match(text)
    return match["message"].strip() if match else text


def _stopped_function(failure: Failure) -> Explanation:
    """Explain a function, or a request to a service, that took too long or was killed."""
    reason = "The step reached its time limit."
    if failure.error in _ENDED:
        reason = "The function ended without a reason: it was killed, or out of memory."
    advice = _TOO_MUCH_FOR_A_FUNCTION.get(failure.step, _UNEXPECTED)
    return Explanation("StepError", reason, f"{how_to_repeat(failure)} {advice}")


def _stopped(failure: Failure, message: str) -> Explanation:
    document = failure.document
    limits = document.get("StoppingCondition") or {}
    secondary, most = document.get("SecondaryStatus"), limits.get("MaxRuntimeInSeconds")
    too_long = _TOO_LONG_SCORING if failure.step == "Run inference in a job" else _TOO_LONG
    if message == TRIAL_TIME_LIMIT:
        reason, advice = message, too_long
    elif secondary == "MaxWaitTimeExceeded":
        reason = f"No Spot machine was free, or kept, for {limits.get('MaxWaitTimeInSeconds')} seconds."
        advice = "Deploy with SpotTraining off or a longer wait, or try at another time."
    elif document and secondary != "MaxRuntimeExceeded" and not _has_used_its_time(document):
        reason, advice = "The job was stopped by a person.", "Ask who stopped it, and why."
    else:
        reason, advice = "The step reached its time limit.", too_long
        reason = f"The job reached its time limit of {most} seconds." if most else reason
    return Explanation("JobStoppedError", reason, f"{advice} {how_to_repeat(failure)}")


def _has_used_its_time(job: Mapping[str, Any]) -> bool:
    """Whether a processing job ran as long as it may: SageMaker does not say why it has stopped one."""
    started, ended = job.get("ProcessingStartTime"), job.get("ProcessingEndTime")  # in milliseconds
    most = (job.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
    if most is None or not isinstance(started, (int, float)) or not isinstance(ended, (int, float)):
        return False
    return ended - started >= _MILLISECONDS * (float(most) - _ROUNDING_SECONDS)


def _not_run(message: str, again: str) -> Explanation:
    """Explain a job that AWS did not give a machine to, or has lost."""
    if message.startswith("InternalServerError"):
        return Explanation("JobStoppedError", _short(message), f"AWS had an internal error. {again}")
    return Explanation("CapacityError", _short(message), f"{_NO_CAPACITY} {again}")


def _killed(exit_code: str | None, again: str) -> Explanation:
    code = f" (exit code {exit_code})" if exit_code else ""
    reason = f"The job ended without a reason{code}: it was killed, or it ran out of memory."
    return Explanation("JobStoppedError", reason, f"{again} {_LARGER}")


def _message(document: Mapping[str, Any]) -> str:
    return plain_reason(_raw_message(document) or str(document.get("errorMessage") or ""))


def _raw_message(document: Mapping[str, Any]) -> str:
    return str(document.get("ExitMessage") or document.get("FailureReason") or "")


def _name(failure: Failure, status: object) -> str:
    if failure.error in _OUR_ERRORS:
        return failure.error
    return "ScoringError" if "ProcessingJobStatus" in failure.document or not status else "TrainingError"


def _advice(failure: Failure, reason: str) -> str:
    if failure.error == "ArtifactError" and failure.step == "Promote model":
        return "The approved model does not exist any more, so the approval has no effect. Train it again."
    advice = _OF_DATA
    if "out of memory" in reason:
        advice = f"Deploy with a larger TrainingInstanceType. {how_to_repeat(failure)}"
    elif _is_unexpected(failure, reason):
        advice = f"{_UNEXPECTED} {how_to_repeat(failure)}"
    elif failure.version:
        advice = f"Correct what the reason names. {how_to_repeat(failure)}"
    return advice


def _is_unexpected(failure: Failure, reason: str) -> bool:
    """Return whether a bug, an image or a permission is the cause, and not what people have written."""
    is_ours = failure.error in _OUR_ERRORS and failure.error not in _ERRORS_OF_DATA
    return "unexpected" in reason or reason.startswith("ClientError") or (is_ours and not failure.version)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."
