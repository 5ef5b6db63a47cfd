"""Every permission is enforced while the tests walk the path, and every statement was needed on the way."""

from __future__ import annotations

import pandas as pd
import pytest

from local.cloud import HttpAnswer
from local.stack import DeployedStack
from tests.e2e.approvals import watch
from tests.e2e.feature_walk import FeatureWalk
from tests.e2e.killed_training import KilledTraining
from tests.e2e.permissions import (
    UNSEEN,
    decisive_statements,
    declared_statements,
    denied_actions,
    statements_of,
)
from tests.e2e.walks import Walk, walk
from tests.infrastructure import template as t

pytestmark = pytest.mark.e2e

# Needed only while the training of the same parts runs, or after it has failed; where uploads expire; and for
# links to results that were deleted.
SELDOM = {
    ("MergePartsFunctionRole", "SeeWhetherAnExecutionContinues"),
    ("RecoverUploadsFunctionRole", "DeleteUsedFilesInTime"),
    ("ShowResultFunctionRole", "SeeWhetherAnObjectIsThere"),
}
# What no walk reaches yet; tests of the functions and of the template cover it.
NOT_WALKED = {
    ("SendWebhookFunctionRole", "ReadAddressAndKey"),  # of stacks with a webhook
    ("CheckDriftFunctionRole", "SendMails"),  # at the end of an alert
    # of groups with a feature service
    ("ReceiveUploadFunctionRole", "KeepJoinedFeatures"),
    ("ReceiveUploadFunctionRole", "ReadOnlineFeatures"),
    ("PredictFunctionRole", "ReadFeatureDefinitions"),
    ("PredictFunctionRole", "ReadOnlineFeatures"),
    ("MeasureQualityFunctionRole", "SendMails"),  # when quality drops
    ("MeasureQualityFunctionRole", "KeepQualityInShadow"),  # of labelled rows that a candidate scored
    *(
        (f"{name}FunctionRole", "SeeWhetherAnObjectIsThere")
        for name in ("AnswerAlert", "Predict", "RecordRequests")
    ),
    # where the stack has subnets
    ("ScoringJobRole", "JoinSubnets"),
    ("ScoringJobRole", "SeeTheNetwork"),
}
# Walked by tests that may run in another process, against another stack; retrainings and
# endpoints by `make prove`.
ELSEWHERE = {
    ("ReceiveUploadFunctionRole", "SeeWhetherAnExecutionContinues"),
    *statements_of("CheckRetrainingFunction", "RetrainModelFunction", "DecideRetrainingFunction"),
    *statements_of("EndpointRole", "MoveEndpointStateMachine", "PlanEndpointFunction"),
}


@pytest.fixture(scope="session")
def walked(  # noqa: PLR0917  pytest passes fixtures by name
    stack: DeployedStack,
    champion: Walk,
    scored_in_a_job: Walk,
    scored_workbook: Walk,
    checked_for_drift: dict,
    rejected_candidate: Walk,
    automatic_candidate: Walk,
    scored_after_waiting: dict,
    hopeless_candidate: Walk,
    forgotten_candidate: str,
    drift_mail: dict,
    dashboard: HttpAnswer,
    failed_scoring: str,
    failed_training: Walk,
    killed_training: KilledTraining,
    tuned_candidate: Walk,
    failed_tuning: Walk,
    swapped_artifact: tuple[str, list[str]],
    superseded_candidate: Walk,
    answer_after_a_stop: HttpAnswer,
    asked_again: tuple[HttpAnswer, Walk],
    late_delivery: Walk,
    late_rollback: HttpAnswer,
    refused_file: dict,
    lost_parts: dict,
    open_folder_mail: dict,
    failed_validation: str,
    dead_letter: str,
    recovered_file: Walk,
    merged_ledger: dict,
    missing_batch: dict,
    scored_in_ranges: Walk,
    labelled: dict,
    requested: pd.DataFrame,
    opened_result: tuple[HttpAnswer, HttpAnswer],
    acknowledged_alert: HttpAnswer,
    failed_range: dict,
    converted_range: dict,
    errors_of_a_deleted_file: set[str],
    featured: FeatureWalk,
    shadowed: HttpAnswer,
) -> DeployedStack:
    """The stack after every path was walked once."""
    walk(stack, forgotten_candidate)
    watch(stack)  # finds the approved version whose artifact is missing
    return stack


def test_nothing_that_the_path_needs_is_denied(walked: DeployedStack) -> None:
    assert not denied_actions(walked)


def test_without_any_one_statement_the_path_would_break(walked: DeployedStack) -> None:
    exempt = SELDOM | NOT_WALKED | ELSEWHERE
    needless = declared_statements() - decisive_statements(walked) - exempt
    idle = {pair for pair in needless if pair[1] not in UNSEEN}
    assert not idle, "\n".join(map(str, sorted(idle)))


def test_every_sender_of_email_has_the_statements_that_only_aws_checks() -> None:
    mailing = {owner for owner, s in t.statements() if s["Sid"] == "SendMails"}
    encrypting = {owner for owner, s in t.statements() if s["Sid"] == "EncryptMails"}
    assert mailing == encrypting
