"""Failures in plain words: the kind by what AWS says, the reason whole, the advice one can follow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mlops.models import errors
from mlops.pipelines.jobs.failure import TRIAL_TIME_LIMIT, Failure, explain_failure, how_to_repeat


def a_failure(error: str = "States.TaskFailed", step: str = "Train model", **cause: object) -> Failure:
    return Failure(step, error, json.dumps(cause) if cause else "")


def a_job(**changes: object) -> Failure:
    limits = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    return a_failure(
        **{"TrainingJobName": "a", "TrainingJobStatus": "Failed", "StoppingCondition": limits, **changes}
    )


@pytest.mark.parametrize(
    ("failure", "kind", "reason", "advice"),
    [
        (
            a_job(TrainingJobStatus="Stopped", SecondaryStatus="MaxRuntimeExceeded"),
            "JobStoppedError",
            "time limit of 3600 seconds",
            "TrainingTimeoutSeconds",
        ),
        (
            a_job(TrainingJobStatus="Stopped", SecondaryStatus="MaxWaitTimeExceeded"),
            "JobStoppedError",
            "No Spot machine was free, or kept, for 7200 seconds",
            "SpotTraining off",
        ),
        (
            a_job(TrainingJobStatus="Stopped", SecondaryStatus="Stopped"),
            "JobStoppedError",
            "stopped by a person",
            "mlops retry GROUP",
        ),
        (a_failure("States.Timeout"), "JobStoppedError", "The step reached its time limit", "deploy"),
        (
            a_job(FailureReason="CapacityError: Unable to provision requested ML compute capacity."),
            "CapacityError",
            "Unable to provision",
            "TrainingInstanceType",
        ),
        (
            Failure("Train model", "SageMaker.ResourceLimitExceededException", "The quota is 0 Instances."),
            "CapacityError",
            "quota is 0",
            "Service Quotas",
        ),
        (
            Failure("Train model", "SageMaker.AmazonSageMakerException", "Rate exceeded (Throttling)"),
            "ThrottledError",
            "Rate exceeded",
            "Wait a few minutes",
        ),
        (
            a_job(FailureReason='AlgorithmError: The column "a \\ b" is \n text., exit code: 1'),
            "TrainingError",
            'The column "a \\ b" is \n text.',
            "drop the file again",
        ),
        (
            a_job(
                FailureReason="AlgorithmError: Training stopped at an unexpected KeyError; see., exit code: 1"
            ),
            "TrainingError",
            "unexpected KeyError",
            "nothing is wrong with the file",
        ),
        (
            a_job(FailureReason="AlgorithmError: The job ran out of memory; choose., exit code: 1"),
            "TrainingError",
            "out of memory",
            "larger TrainingInstanceType",
        ),
        (
            a_failure(
                "SettingsError", errorType="SettingsError", errorMessage='Unknown "Cc": did you mean "C"?'
            ),
            "SettingsError",
            'Unknown "Cc": did you mean "C"?',
            "model.toml",
        ),
        (a_job(), "JobStoppedError", "ended without a reason", "nothing is wrong with the file"),
        (
            a_job(FailureReason="AlgorithmError: See job logs for more information, exit code: 137"),
            "JobStoppedError",
            "(exit code 137)",
            "mlops retry GROUP",
        ),
        (
            a_job(FailureReason="ClientError: Data download failed: AccessDenied"),
            "TrainingError",
            "Data download failed",
            "nothing is wrong with the file",
        ),
        (Failure("Train model", "States.Runtime", "not JSON"), "StepError", "not JSON", "log of the step"),
    ],
)
def test_a_failure_is_named_explained_and_answered(failure, kind: str, reason: str, advice: str):
    message = explain_failure(failure)
    assert message.error == kind
    assert reason in message.reason
    assert advice.lower() in message.advice.lower()
    assert issubclass(getattr(errors, message.error), errors.MlopsError)


def test_what_a_library_says_of_the_data_is_not_repeated():
    message = explain_failure(
        a_failure("ValueError", errorType="ValueError", errorMessage="could not convert 'Ana, 123-45-6789'")
    )
    assert "Ana" not in message.reason + message.advice
    assert "ValueError" in message.reason


@pytest.mark.parametrize("cause", ["", "[]", "7", '"x"', "{", "null", "{}"])
def test_a_cause_of_any_form_is_explained(cause: str):
    message = explain_failure(Failure("Train model", "States.TaskFailed", cause))
    assert message.reason
    assert message.advice


@pytest.mark.parametrize(
    ("status", "of_trials", "kind", "reason", "advice"),
    [
        (
            "Failed",
            "The target has one value.",
            "TrainingError",
            "The target has one value.",
            "drop the file",
        ),
        ("Failed", "CapacityError: none free.", "CapacityError", "none free", "TrainingInstanceType"),
        ("Failed", TRIAL_TIME_LIMIT, "JobStoppedError", "time limit", "TrainingTimeoutSeconds"),
        ("Failed", "", "TrainingError", "No training job succeeded", "drop the file"),
        ("Stopped", "", "JobStoppedError", "stopped by a person", "mlops retry GROUP"),
    ],
)
def test_a_tuning_job_is_explained_by_its_trials(
    status: str, of_trials: str, kind: str, reason: str, advice: str
):
    document = {
        "HyperParameterTuningJobName": "a",
        "HyperParameterTuningJobStatus": status,
        "FailureReason": "No training job succeeded after 5 attempts.",
    }
    failure = a_failure(step="Tune hyperparameters", **document)
    message = explain_failure(failure, trial_reason=of_trials)
    assert (failure.tuning_job_name, message.error) == ("a", kind)
    assert reason in message.reason
    assert advice in message.advice


TASK_TIMED_OUT = '{"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out"}'
KILLED = '{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: Runtime exited"}'


@pytest.mark.parametrize(
    ("step", "advice"),
    [
        ("Prepare training", "read the log of the step"),
        ("Register model", "read the log of the step"),
        ("Promote model", "read the log of the step"),
        ("Create endpoint", "read the log of the step"),
        ("Run inference", "lower LambdaScoringLimitBytes"),
        ("Score ranges", "lower MapScoringLimitBytes"),
        ("Merge ranges", "lower MapScoringLimitBytes"),
        ("Survey parts", "divide the table"),
    ],
)
@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        ("States.Timeout", "", "The step reached its time limit."),
        ("Sandbox.Timedout", TASK_TIMED_OUT, "The step reached its time limit."),
        (
            "Runtime.ExitError",
            KILLED,
            "The function ended without a reason: it was killed, or out of memory.",
        ),
    ],
)
def test_a_function_that_is_stopped_has_advice_about_functions_and_not_about_jobs(
    step, advice, error, cause, reason
):
    message = explain_failure(Failure(step, error, cause))
    assert (message.error, message.reason) == ("StepError", reason)
    assert advice in message.advice
    assert "Training" not in message.advice
    assert message.advice.startswith(how_to_repeat(Failure(step, error))), "what to do first comes first"


def test_a_scoring_job_that_takes_too_long_has_advice_about_its_machine_and_file():
    advice = explain_failure(Failure("Run inference in a job", "States.Timeout")).advice
    assert "TrainingInstanceType" in advice
    assert "divide the file" in advice
    assert "quicker algorithm" not in advice


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (3_601, "The job reached its time limit of 3600 seconds."),
        (3_599.6, "The job reached its time limit of 3600 seconds."),
        (1_200, "The job was stopped by a person."),
        (None, "The job was stopped by a person."),
    ],
)
def test_a_scoring_job_that_ran_as_long_as_it_may_was_not_stopped_by_a_person(
    seconds: float | None, reason: str
) -> None:
    started = 1_790_000_000_000
    ended = {} if seconds is None else {"ProcessingEndTime": started + seconds * 1000}
    failure = a_failure(
        step="Run inference in a job",
        ProcessingJobName="score-1",
        ProcessingJobStatus="Stopped",
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        ProcessingStartTime=started,
        **ended,
    )
    assert explain_failure(failure).reason == reason


LOST = "InternalServerError: We encountered an internal error. Please try again."
OF_AWS = [
    a_failure("States.Timeout"),
    a_failure("Sandbox.Timedout", errorType="Sandbox.Timedout", errorMessage="Task timed out"),
    Failure("Prepare training", "Lambda.Unknown", "The Lambda function returned an unknown error"),
    Failure("Train model", "SageMaker.ResourceLimitExceededException", "The quota is 0 Instances."),
    Failure("Train model", "SageMaker.ThrottlingException", "Rate exceeded"),
    a_job(TrainingJobStatus="Stopped", SecondaryStatus="MaxRuntimeExceeded"),
    a_job(TrainingJobStatus="Stopped", SecondaryStatus="Stopped"),
    a_job(FailureReason=LOST),
    a_job(FailureReason="CapacityError: Unable to provision requested ML compute capacity."),
    a_job(FailureReason="AlgorithmError: See job logs for more information, exit code: -9"),
    a_job(FailureReason="AlgorithmError: , exit code: 137"),
]


@pytest.mark.parametrize("failure", OF_AWS, ids=lambda failure: failure.error + failure.cause[-60:])
def test_a_failure_of_the_infrastructure_never_asks_for_another_file(failure: Failure):
    advice = explain_failure(failure).advice
    assert "Nothing is wrong with the file: drop it again, or run `mlops retry GROUP`." in advice
    assert "Change what the reason names" not in advice


@pytest.mark.parametrize(
    ("reason", "n_lost", "is_run_again"),
    [
        (LOST, 0, True),
        (LOST, 1, True),
        (LOST, 2, False),
        ("CapacityError: Unable to provision requested ML compute capacity.", 0, True),
        ("AlgorithmError: InternalServerError is a category of the target., exit code: 1", 0, False),
        ("AlgorithmError: The target has one value., exit code: 1", 0, False),
        ("AlgorithmError: See job logs for more information, exit code: 137", 0, False),
    ],
)
def test_only_a_job_that_aws_has_lost_is_run_again_and_at_most_twice(reason, n_lost, is_run_again):
    failure = replace(a_job(FailureReason=reason), n_lost_jobs=n_lost)
    assert explain_failure(failure).run_again is is_run_again


@pytest.mark.parametrize(
    ("step", "command"),
    [
        ("Request approval", "mlops reopen g v1.0.0 --reason"),
        ("Promote model", "mlops promote g v1.0.0 --reason"),
        ("Mail promotion", "mlops show g v1.0.0"),
        ("Run inference", "drop it again"),
        ("Merge parts", "drop the closing file again"),
    ],
)
def test_the_advice_of_a_step_names_the_command_that_continues_from_it(step: str, command: str):
    failure = Failure(step, "Lambda.Unknown", "unknown", group="g", version="v1.0.0")
    assert command in explain_failure(failure).advice
    assert "mlops retry" not in explain_failure(failure).advice
