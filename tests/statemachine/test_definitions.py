"""No tool checks a definition before it runs, so these tests read each one as a graph."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops.models import errors
from tests.statemachine.definition import ENDINGS, Definition
from tests.statemachine.retrying import is_run_again

FOLDER = Path(__file__).resolve().parents[2] / "statemachine"
MACHINES = [Definition.load(path) for path in sorted(FOLDER.glob("*.asl.json"))]
DEFINITIONS = [*MACHINES, *(nested for machine in MACHINES for nested in machine.nested)]

each_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
each_definition = pytest.mark.parametrize("machine", DEFINITIONS, ids=lambda machine: machine.name)


@each_machine
def test_it_is_jsonata_with_a_comment(machine: Definition) -> None:
    assert machine.document["QueryLanguage"] == "JSONata"
    assert machine.document["Comment"]


@each_definition
def test_every_target_exists(machine: Definition) -> None:
    missing = {
        (name, target)
        for name in machine.states
        for target in machine.targets(name)
        if target not in machine.states
    }
    assert not missing


@each_definition
def test_every_state_is_reachable(machine: Definition) -> None:
    assert machine.reachable(machine.document["StartAt"]) == set(machine.states)


@each_definition
def test_every_path_ends(machine: Definition) -> None:
    for name in machine.states:
        ends = [s for s in machine.reachable(name) if machine.states[s]["Type"] in ENDINGS]
        assert ends, f"no ending can be reached from {name!r}"
        if machine.states[name]["Type"] in ENDINGS:
            assert not list(machine.targets(name))
        else:
            assert list(machine.targets(name)), f"{name!r} neither ends nor goes on"


@each_definition
def test_no_failure_ends_well(machine: Definition) -> None:
    for name, state in machine.states.items():
        for catcher in state.get("Catch", []):
            if catcher["ErrorEquals"] != ["States.ALL"]:
                continue  # an error that is expected by name, such as the time limit of an approval
            reached = machine.reachable(catcher["Next"], without="Wait for capacity")  # a lost job runs again
            endings = {machine.states[s]["Type"] for s in reached if machine.states[s]["Type"] in ENDINGS}
            assert endings == {"Fail"}, f"a failure of {name!r} can end in success"


@each_definition
def test_every_task_has_a_time_limit_a_retry_and_a_catch(machine: Definition) -> None:
    for name, task in machine.tasks.items():
        assert re.fullmatch(r"[1-9]\d*|\{% [1-9]\d* %\}", str(task["TimeoutSeconds"])), name
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        for retry in task["Retry"]:
            assert "States.ALL" not in retry["ErrorEquals"], f"{name} retries what cannot be caught either"
            if retry["MaxAttempts"]:
                assert retry["JitterStrategy"] == "FULL", name
                assert retry["IntervalSeconds"] < retry["MaxDelaySeconds"], name
                assert retry["BackoffRate"] > 1, name


# what a state need not retry, and why
NOT_RETRIED = {
    "Request approval": (
        {"States.Timeout"},
        "its time limit is that of the decision, and has an ending of its own",
    ),
    **dict.fromkeys(
        ("Train model", "Tune hyperparameters", "Run inference in a job"),
        (
            {"States.Timeout", "States.TaskFailed"},
            "a job that failed is a TaskFailed whatever the reason: Explain failure reads why, and states "
            "behind it run a job again that AWS has lost",
        ),
    ),
}
OF_LAMBDA = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Lambda.ClientExecutionTimeoutException",
}
OF_SAGEMAKER = {
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ThrottlingException",
    "SageMaker.AmazonSageMakerException",
    "SageMaker.SdkClientException",
}


def is_retried(task: dict, error: str) -> bool:
    return is_run_again(task, error, n_earlier_errors=0)


@each_definition
def test_every_task_repeats_what_may_succeed_the_next_time(machine: Definition) -> None:
    for name, task in machine.tasks.items():
        required = {"States.Timeout", "States.TaskFailed"} - NOT_RETRIED.get(name, (set(), ""))[0]
        required |= OF_LAMBDA if ":lambda:" in task["Resource"] else set()
        required |= OF_SAGEMAKER if ":sagemaker:" in task["Resource"] else set()
        named = {
            error for retrier in task["Retry"] for error in retrier["ErrorEquals"] if retrier["MaxAttempts"]
        }
        assert required <= named, f"{name} does not retry {required - named}"
        assert not NOT_RETRIED.get(name, (set(), ""))[0] & named, (
            f"{name} retries what is listed as not retried"
        )


@each_definition
def test_a_function_is_not_repeated_after_an_error_that_will_come_again(machine: Definition) -> None:
    permanent = {error.__name__ for error in errors.PERMANENT_ERRORS}
    for name, task in machine.tasks.items():
        if ":lambda:" in task["Resource"]:
            first = task["Retry"][0]
            assert (set(first["ErrorEquals"]), first["MaxAttempts"]) == (permanent, 0), name
            assert not any(is_retried(task, error) for error in permanent), name
            # TaskFailed matches what the others name too, so it must be the last
            assert task["Retry"][-1]["ErrorEquals"] == ["States.TaskFailed"], name
            transient = ("RegistryConflictError", "ClientError", "KeyError", "Lambda.Unknown")
            assert all(is_retried(task, error) for error in transient), name


def test_every_error_of_ours_is_permanent_or_transient_or_the_name_of_an_ending() -> None:
    ours = {v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.MlopsError)}
    endings = {
        errors.MlopsError,
        errors.JobError,
        errors.JobStoppedError,
        errors.StepError,
        errors.BackupError,  # a person makes backups
        errors.LedgerError,  # no state machine writes the ledger
        errors.MlflowError,
        errors.QueryError,  # no state machine asks queries
        errors.RequestError,  # no state machine answers requests
        errors.RequestTooLargeError,
        errors.QualityError,  # no state machine measures quality
        errors.FeatureStoreError,  # no state machine uses features
        errors.WebhookError,  # no state machine sends to the webhook
        errors.EndpointError,
    }
    assert ours == {*errors.PERMANENT_ERRORS, *errors.TRANSIENT_ERRORS, *endings}
    assert not {*errors.PERMANENT_ERRORS} & {*errors.TRANSIENT_ERRORS}


@each_machine
def test_a_lost_job_is_run_again_under_another_name(machine: Definition) -> None:
    jobs = {n: t for n, t in machine.tasks.items() if t["Resource"].endswith("Job.sync")}
    if not jobs:
        return
    again = machine.states["Run the job again?"]
    assert again["Choices"] == [{"Condition": "{% $explanation.run_again %}", "Next": "Wait for capacity"}]
    assert machine.states["Wait for capacity"]["Assign"] == {"lostJobs": "{% $lostJobs + 1 %}"}
    assert set(jobs) <= machine.reachable("Wait for capacity")
    for name, task in jobs.items():
        (name_of_job,) = (v for k, v in task["Arguments"].items() if k.endswith("JobName"))
        # at most nine retries are named above, so no two jobs of an execution share a name
        assert "$string($lostJobs * 10 + $states.context.State.RetryCount)" in name_of_job, name
        assert sum(retrier["MaxAttempts"] for retrier in task["Retry"]) < 10, name


@each_definition
def test_a_map_tolerates_no_failure_and_catches_it(machine: Definition) -> None:
    for name, state in machine.states.items():
        if state["Type"] == "Map":
            assert state["ToleratedFailureCount"] == 0, name
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
            assert re.fullmatch(r"\{% [1-9]\d* %\}", state["MaxConcurrency"]), name


@each_definition
def test_an_item_of_a_map_waits_for_a_function_that_may_run_and_fails_under_its_own_error(
    machine: Definition,
) -> None:
    """A new account runs ten functions at once; `Explain failure` reads why an item failed from its end."""
    if ":" not in machine.name:
        return
    for name, task in machine.tasks.items():
        waits = [r for r in task["Retry"] if r["ErrorEquals"] == ["Lambda.TooManyRequestsException"]]
        (wait,) = waits
        assert is_retried(task, "Lambda.TooManyRequestsException")
        delays = [wait["IntervalSeconds"] * wait["BackoffRate"] ** n for n in range(wait["MaxAttempts"])]
        assert sum(min(delay, wait["MaxDelaySeconds"]) for delay in delays) / 2 >= 3_000, name
        (catcher,) = task["Catch"]
        ending = machine.states[catcher["Next"]]
        assert (ending["Type"], ending["Error"]) == ("Fail", "{% $failure.error %}"), name
        assert "$failure.cause" in ending["Cause"], name


@each_machine
def test_what_explains_a_failure_knows_the_execution_whose_items_may_have_failed(machine: Definition) -> None:
    if any(state["Type"] == "Map" for state in machine.states.values()):
        payload = machine.states["Explain failure"]["Arguments"]["Payload"]
        assert payload["execution_arn"] == "{% $states.context.Execution.Id %}"


@each_machine
def test_every_failure_is_named_counted_and_mailed(machine: Definition) -> None:
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    for name, state in machine.states.items():
        if state["Type"] == "Fail":
            assert state["Error"] in ours, (
                f"{name!r} ends in {state['Error']}, which is not in mlops.models.errors"
            )
    resources = " ".join(task["Resource"] for task in machine.tasks.values())
    assert "cloudwatch:putMetricData" in resources
    assert "sns:publish" in resources


@each_definition
def test_every_error_name_is_a_service_error_or_ours(machine: Definition) -> None:
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    services = re.compile(r"(States|Lambda|SageMaker|Sandbox|Runtime)\.[A-Z]\w+")
    for name, state in machine.states.items():
        for handler in [*state.get("Retry", []), *state.get("Catch", [])]:
            for error in handler["ErrorEquals"]:
                assert error in ours or services.fullmatch(error), (
                    f"{name!r} handles the unknown error {error}"
                )


@each_definition
def test_every_expression_is_one_line_and_reads_only_assigned_variables(machine: Definition) -> None:
    assigned = {v for state in machine.states.values() for v in state.get("Assign", {})}
    assigned |= {
        v for state in machine.states.values() for c in state.get("Catch", []) for v in c.get("Assign", {})
    }
    functions = {"string", "substring", "exists", "join", "split"}
    for name, text in machine.expressions():
        assert text.endswith("%}"), f"{name!r}: {text} is not closed"
        used = set(re.findall(r"\$([A-Za-z]\w*)", text)) - {"states"}
        assert used <= assigned | functions, f"{name!r} reads {used - assigned - functions}"


@each_definition
def test_names_read_as_steps_questions_and_outcomes(machine: Definition) -> None:
    for name, state in machine.states.items():
        assert name[0].isupper(), name
        assert name.endswith("?") == (state["Type"] == "Choice"), name


@each_machine
def test_every_failure_is_explained_before_it_is_counted_and_mailed(machine: Definition) -> None:
    without_explanation = [
        name
        for name, state in machine.states.items()
        for catcher in state.get("Catch", [])
        if catcher["ErrorEquals"] == ["States.ALL"]
        and "failure" in catcher.get("Assign", {})
        and catcher["Next"] != "Explain failure"
    ]
    assert not without_explanation


@each_machine
def test_a_failure_ends_under_the_name_of_its_kind(machine: Definition) -> None:
    choice = machine.states["What kind of failure?"]
    for branch in choice["Choices"]:
        assert f"'{machine.states[branch['Next']]['Error']}'" in branch["Condition"]
    assert machine.states[choice["Default"]]["Type"] == "Fail"


@each_machine
def test_a_failure_can_be_explained_from_every_start(machine: Definition) -> None:
    """An execution may fail before the states have run that give most variables their value."""
    explain = machine.states["Explain failure"]
    used = set(re.findall(r"\$([a-z]\w*)", str(explain["Arguments"]))) - {"states", "failure"}
    starts = [state for name, state in machine.states.items() if name in ("Read the request", "Ask again")]
    assert starts
    for start in starts:
        assert used <= set(start["Assign"])
