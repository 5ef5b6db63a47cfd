"""The rules by which the tests decide what Step Functions runs again, against its documentation."""

from __future__ import annotations

import pytest

from tests.proofs.callers import Repeated, State, caller_of, error_name
from tests.proofs.step import FUNCTIONS
from tests.statemachine.retrying import is_run_again, names, next_state

STATE = {
    "Retry": [
        {"ErrorEquals": ["DatasetError"], "MaxAttempts": 0},
        {"ErrorEquals": ["Lambda.Unknown"], "MaxAttempts": 1},
        {"ErrorEquals": ["States.TaskFailed"]},
    ],
    "Catch": [
        {"ErrorEquals": ["States.Timeout"], "Next": "Late"},
        {"ErrorEquals": ["States.ALL"], "Next": "Failed"},
    ],
}


@pytest.mark.parametrize(
    ("listed", "error", "is_named"),
    [
        (["DatasetError"], "DatasetError", True),
        (["DatasetError"], "KeyError", False),
        (["States.TaskFailed"], "KeyError", True),
        (["States.TaskFailed"], "Lambda.Unknown", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.TaskFailed"], "States.Runtime", False),
    ],
)
def test_an_error_is_named_as_documented(listed: list[str], error: str, is_named: bool) -> None:
    assert names(listed, error) is is_named


@pytest.mark.parametrize(
    ("error", "n_earlier_errors", "expected"),
    [
        ("DatasetError", 0, False),  # the first Retrier that names it decides, although the last one does too
        ("Lambda.Unknown", 0, True),
        ("Lambda.Unknown", 1, False),
        ("KeyError", 2, True),  # three attempts by default
        ("KeyError", 3, False),
        ("States.Timeout", 0, False),
    ],
)
def test_the_first_retrier_that_names_the_error_decides(
    error: str, n_earlier_errors: int, expected: bool
) -> None:
    assert is_run_again(STATE, error, n_earlier_errors=n_earlier_errors) is expected


def test_a_catcher_is_found_in_the_same_way() -> None:
    assert [next_state(STATE, error) for error in ("States.Timeout", "KeyError")] == ["Late", "Failed"]
    assert next_state(STATE, "States.Runtime") is None


def test_every_function_of_the_proofs_is_started_by_what_starts_it_on_aws() -> None:
    callers = {function: caller_of(function) for function in FUNCTIONS}
    states = {function: caller.name for function, caller in callers.items() if isinstance(caller, State)}
    assert states == {
        "prepare_training": "Prepare training",
        "register_model": "Register model",
        "request_approval": "Request approval",
        "promote_model": "Promote model",
        "decline_model": "Supersede model",
        "mail_promotion": "Mail promotion",
        "list_parts": "List parts",
        "survey_part": "Survey part",
        "merge_parts": "Merge parts",
        "run_inference": "Run inference",
        "list_ranges": "List ranges",
        "score_range": "Score range",
        "merge_ranges": "Merge ranges",
        "explain_failure": "Explain failure",
        "plan_endpoint": "Plan endpoint",
    }
    assert callers["receive_upload"] == callers["check_drift"] == Repeated(2)


def test_each_retrier_counts_the_errors_that_it_decides_about() -> None:
    state = State("A step", STATE)
    assert state.starts_again(["Lambda.Unknown", "KeyError", "KeyError", "KeyError"])
    assert not state.starts_again(["KeyError", "KeyError", "KeyError", "KeyError"])
    assert not state.starts_again(["KeyError", "Lambda.Unknown", "Lambda.Unknown"])


def test_a_killed_function_and_an_exception_have_the_names_that_lambda_reports() -> None:
    assert error_name("killed") == "Runtime.ExitError"
    assert error_name("ClientError: An error occurred (500): no") == "ClientError"
