"""Who may do what: every statement is as narrow as the code and the job allow."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure import template as t
from tests.infrastructure.client_calls import actions_of_function, actions_on_a_table
from tests.statemachine.definition import Definition

# read without importing cfn-lint, which takes two seconds
CFN_LINT = Path(find_spec("cfnlint").origin).parent
SPECIFICATION = json.loads((CFN_LINT / "data" / "AdditionalSpecs" / "Policies.json").read_bytes())
ACTIONS_WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",  # its only resource is a kind of data we do not use
    "cloudwatch:DescribeAlarms",  # a list of several alarms is asked for all of them
}
# Done by services in the name of a function: SNS and SQS encrypt, Lambda keeps dead letters.
DONE_FOR_FUNCTIONS = {"kms:GenerateDataKey", "kms:Decrypt", "sqs:SendMessage"}

TABLES = {
    "PolicyTable": ("approval/policy/store.py",),
    "ApprovalTable": ("approval/store.py",),
    "RegistryTable": (
        "registry/store.py",
        "experiment/store.py",
        "dataset/catalog/versions.py",
        "dataset/catalog/trainings.py",
        "feature_store/registry/versions.py",
        "feature_store/offline/state.py",
    ),
    "FeatureTable": (
        "feature_store/online/reading.py",
        "feature_store/online/materialization.py",
        "feature_store/forgetting.py",
    ),
}
SAGEMAKER = "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}"
JOB_ROLES = ("TrainingJobRole", "ScoringJobRole", "EndpointRole")


def of_role(role: str, sid: str) -> dict[str, Any]:
    """The statement of a role by its Sid."""
    (statement,) = (
        statement for owner, statement in t.statements() if (owner, statement["Sid"]) == (role, sid)
    )
    return statement


def _resources_of(action: str) -> list[str] | None:
    """Resource types of an action; None when AWS knows no such action."""
    service, name = action.split(":")
    actions = SPECIFICATION[service]["Actions"]
    entry = {key.lower(): value for key, value in actions.items()}.get(name.lower())
    return None if entry is None else entry.get("Resources", [])


@pytest.mark.parametrize(
    ("owner", "statement"), t.statements(), ids=lambda x: x if isinstance(x, str) else x["Sid"]
)
def test_a_policy_statement_is_as_narrow_as_its_actions_allow(owner: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    for action in t.actions(statement):
        assert "*" not in action, f"{owner} allows {action}"
        resources = _resources_of(action)
        assert resources is not None, f"{owner} allows {action}, which does not exist"
        if "*" in t.listed(statement["Resource"]):
            assert not resources or action in ACTIONS_WITHOUT_RESOURCES, (
                f"{action} takes {resources}, so * is too wide"
            )


@pytest.mark.parametrize("function", sorted(t.functions()))
def test_a_function_may_do_nothing_that_its_code_paths_do_not_call(function: str) -> None:
    allowed = {action for owner, s in t.statements() if owner == function for action in t.actions(s)}
    assert allowed - DONE_FOR_FUNCTIONS - actions_of_function(t.snake_case(function)) == set()


@pytest.mark.parametrize("table", TABLES)
def test_the_actions_on_a_table_are_those_of_the_modules_that_own_it(table: str) -> None:
    allowed = set()
    for _, statement in t.statements():
        if any(table in resource for resource in t.reached(statement)):
            allowed |= t.actions(statement)
    assert allowed == actions_on_a_table(*TABLES[table])


def test_no_role_scans_a_table() -> None:
    # a backup does, with the credentials of the administrator; a function would read the items of all groups
    assert [owner for owner, s in t.statements_of_roles() if "dynamodb:Scan" in t.actions(s)] == []


def test_attributes_of_the_registry_are_set_by_those_that_list_a_group_or_close_a_training() -> None:
    setting = {
        owner
        for owner, s in t.statements()
        if "dynamodb:UpdateItem" in t.actions(s) and "FeatureTable.Arn" not in t.reached(s)
    }
    assert setting == {
        "ReceiveUploadFunction",
        "MergePartsFunction",
        "RegisterModelFunction",
        "ExplainFailureFunction",
        "WatchTrainingsFunction",
        "MergePredictionsFunction",
        "PersonalDataAdministrator",
    }


def test_requests_are_found_by_the_index_of_the_open_ones_only() -> None:
    queries = [
        (owner, t.reached(statement))
        for owner, statement in t.statements()
        if "dynamodb:Query" in t.actions(statement) and "ApprovalTable" in json.dumps(statement)
    ]
    assert queries == [("WatchApprovalsFunction", {"${ApprovalTable.Arn}/index/OpenIndex"})]


def test_no_role_may_remove_items_of_a_table_or_objects_of_the_system() -> None:
    removing = {
        (owner, action, resource)
        for owner, statement in t.statements_of_roles()
        for action in t.actions(statement)
        for resource in t.reached(statement)
        if "Delete" in action and not action.startswith(("logs:", "ec2:"))  # network interfaces of a job
    }
    assert removing == {
        ("ReceiveUploadFunction", "s3:DeleteObjectVersion", "${DataBucket.Arn}/*"),
        ("RecoverUploadsFunction", "s3:DeleteObjectVersion", "${DataBucket.Arn}/*"),
        ("ReceiveUploadFunction", "s3:DeleteObjectVersion", "${ArtifactBucket.Arn}/features/*"),
        ("MergePartsFunction", "s3:DeleteObjectVersion", "${DataBucket.Arn}/*/training/*"),
        ("MergePredictionsFunction", "s3:DeleteObjectVersion", "${ArtifactBucket.Arn}/ledger/*"),
        ("MergePredictionsFunction", "s3:DeleteObjectVersion", "${ArtifactBucket.Arn}/shadow/rows/*"),
        ("PlanEndpointFunction", "s3:DeleteObjectVersion", "${ArtifactBucket.Arn}/serving/*"),
        *(
            ("MoveEndpointStateMachine", f"sagemaker:Delete{kind}", f"{SAGEMAKER}:{name}/mlops-${{Stack}}-*")
            for kind, name in (
                ("Endpoint", "endpoint"),
                ("Endpoint", "endpoint-config"),  # in one statement with what needs both
                ("EndpointConfig", "endpoint-config"),
                ("Model", "model"),
            )
        ),
    }


def test_objects_are_written_below_named_prefixes_of_the_artifact_bucket_only() -> None:
    for owner, statement in t.statements_of_roles():
        if "s3:PutObject" in t.actions(statement):
            for resource in t.reached(statement):
                bucket, prefix = resource.split("/", 1)
                assert bucket == "${ArtifactBucket.Arn}", f"{owner} writes to {resource}"
                assert not prefix.startswith("*"), f"{owner} writes to {resource}"


def test_a_training_job_reads_what_it_learns_from_and_writes_its_own_prefix() -> None:
    read = of_role("TrainingJobRole", "ReadInputs")
    assert t.actions(read) == {"s3:GetObject"}
    assert t.reached(read) == {
        "${ArtifactBucket.Arn}/code/*",
        "${ArtifactBucket.Arn}/datasets/*",
        "${ArtifactBucket.Arn}/row-keys/*",
        "${ArtifactBucket.Arn}/training/*",
    }
    write = of_role("TrainingJobRole", "WriteResults")
    assert t.actions(write) == {"s3:PutObject"}
    assert t.reached(write) == {"${ArtifactBucket.Arn}/training/*"}


def test_a_training_job_reaches_nothing_but_objects_logs_metrics_and_its_image() -> None:
    actions = {a for owner, s in t.statements() if owner == "TrainingJobRole" for a in t.actions(s)}
    assert {action.split(":")[0] for action in actions} == {"s3", "cloudwatch", "logs", "ecr"}
    metrics = of_role("TrainingJobRole", "PublishMetrics")["Condition"]
    assert metrics == {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}}


def test_a_scoring_job_reads_files_to_score_and_models_and_writes_what_the_function_writes() -> None:
    read = of_role("ScoringJobRole", "ReadInputs")
    assert t.actions(read) == {"s3:GetObject", "s3:GetObjectVersion"}
    assert t.reached(read) == {
        "${ArtifactBucket.Arn}/code/*",
        "${ArtifactBucket.Arn}/training/*",
        "${ArtifactBucket.Arn}/converted/*",
        "${DataBucket.Arn}/*/inference/*",
    }
    written = of_role("ScoringJobRole", "WritePredictionsAndProfiles")
    assert written == of_role("RunInferenceFunction", "WritePredictionsAndProfiles")
    assert t.reached(written) == {"${ArtifactBucket.Arn}/predictions/*", "${ArtifactBucket.Arn}/profiles/*"}


def test_what_scores_can_sign_links_to_results_but_no_approval_and_the_page_reads_predictions_only() -> None:
    readers: dict[str, set[str]] = {}
    for owner, statement in t.statements():
        if "secretsmanager:GetSecretValue" in t.actions(statement):
            for secret in t.reached(statement):
                readers.setdefault(secret, set()).add(owner)
    signers = readers["ResultSigningSecret.Id.Arn"]
    assert signers == {
        *("MergeRangesFunction", "RunInferenceCompiledFunction", "RunInferenceFunction"),
        *("ScoringJobRole", "ShowResultFunction"),
    }
    assert not signers & readers["ApprovalSigningSecret.Id.Arn"]
    of_page = [statement for owner, statement in t.statements() if owner == "ShowResultFunction"]
    assert set().union(*map(t.actions, of_page)) == {
        "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket",
        "secretsmanager:GetSecretValue", "kms:Decrypt",
    }  # fmt: skip
    assert t.reached(of_role("ShowResultFunction", "ReadPredictions")) == {
        "${ArtifactBucket.Arn}/predictions/*"
    }


def test_the_page_of_a_drift_alert_reads_reports_and_writes_nothing_but_the_registry() -> None:
    of_page = [statement for owner, statement in t.statements() if owner == "AnswerAlertFunction"]
    assert set().union(*map(t.actions, of_page)) == {
        "s3:GetObject", "s3:ListBucket", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
        "sns:ListSubscriptionsByTopic", "secretsmanager:GetSecretValue", "kms:Decrypt",
    }  # fmt: skip
    read = of_role("AnswerAlertFunction", "ReadReportsAndAlertState")
    assert t.reached(read) == {"${ArtifactBucket.Arn}/drift/*"}
    assert t.reached(of_role("AnswerAlertFunction", "ChangeRegistry")) == {"RegistryTable.Arn"}


@pytest.mark.parametrize("role", JOB_ROLES)
def test_the_role_of_a_job_is_assumed_by_sagemaker_for_this_account_only(role: str) -> None:
    (trust,) = t.template()["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


@pytest.mark.parametrize(
    ("machine", "role"),
    [
        ("TrainModelStateMachine", "TrainingJobRole"),
        ("RunInferenceStateMachine", "ScoringJobRole"),
        ("MoveEndpointStateMachine", "EndpointRole"),
    ],
)
def test_a_state_machine_passes_the_role_of_its_own_jobs_to_sagemaker_and_no_other(
    machine: str, role: str
) -> None:
    passing = {owner: s for owner, s in t.statements() if "iam:PassRole" in t.actions(s)}
    assert set(passing) == {"TrainModelStateMachine", "RunInferenceStateMachine", "MoveEndpointStateMachine"}
    assert t.reached(passing[machine]) == {f"{role}.Arn"}
    assert passing[machine]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    properties = t.resources("AWS::Serverless::StateMachine")[machine]["Properties"]
    assert properties["DefinitionSubstitutions"][f"{role}Arn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_an_endpoint_reads_the_archives_that_are_served_and_reaches_nothing_else() -> None:
    actions = {a for owner, s in t.statements() if owner == "EndpointRole" for a in t.actions(s)}
    assert {action.split(":")[0] for action in actions} == {"s3", "logs", "ecr"}
    read = of_role("EndpointRole", "ReadServedArchives")
    assert t.actions(read) == {"s3:GetObject"}
    assert t.reached(read) == {"${ArtifactBucket.Arn}/serving/*"}
    writers = {
        owner
        for owner, s in t.statements_of_roles()
        if "s3:PutObject" in t.actions(s) and any("/serving/" in resource for resource in t.reached(s))
    }
    assert writers == {"PlanEndpointFunction"}


def test_endpoints_are_changed_and_called_below_the_prefix_of_the_stack_only() -> None:
    kinds = ("model", "endpoint-config", "endpoint")
    own = {f"{SAGEMAKER}:{kind}/mlops-${{Stack}}-*" for kind in kinds}
    owners = ("MoveEndpointStateMachine", "PlanEndpointFunction", "EndpointCaller")
    for owner, statement in t.statements():
        if owner in owners and any(action.startswith("sagemaker:") for action in t.actions(statement)):
            assert t.reached(statement) <= own, statement["Sid"]


def test_training_and_its_trials_run_without_a_network() -> None:
    states = Definition.load(t.REPOSITORY / "statemachine" / "train_model.asl.json").states
    training = states["Train model"]["Arguments"]
    trial = states["Tune hyperparameters"]["Arguments"]["TrainingJobDefinition"]
    assert training["EnableNetworkIsolation"] is trial["EnableNetworkIsolation"] is True


def test_no_function_reads_or_writes_the_tags_of_objects() -> None:
    actions = {action for _, statement in t.statements() for action in t.actions(statement)}
    assert not {action for action in actions if action.startswith("s3:") and "Tagging" in action}, (
        "copies state that tags are left out, so they need no such right"
    )


def test_what_reads_objects_of_a_bucket_learns_when_one_of_them_is_missing() -> None:
    """Without s3:ListBucket, S3 answers 403 for a missing object, which looks like a fault to be retried."""
    reading, listing = (
        {
            (owner, resource.removeprefix("${").split(".")[0])
            for owner, statement in t.statements()
            if t.actions(statement) & actions
            for resource in t.reached(statement)
        }
        for actions in ({"s3:GetObject", "s3:GetObjectVersion"}, {"s3:ListBucket"})
    )
    assert {bucket for _, bucket in reading} == {"DataBucket", "ArtifactBucket"}
    # the items of the state machines were written by the step before
    blind = {"RunInferenceStateMachine", "ValidatePartsStateMachine"}
    assert reading - listing == {(machine, "ArtifactBucket") for machine in blind}


def test_what_explains_a_failure_reads_the_executions_of_maps_and_no_others() -> None:
    read = of_role("ExplainFailureFunction", "ReadTheCauseOfAFailedItem")
    definitions = (t.REPOSITORY / "statemachine").glob("*.asl.json")
    machines = {path.name.split(".")[0] for path in definitions if '"Type": "Map"' in path.read_text()}
    assert machines == {"run_inference", "validate_parts"}
    kinds = {(r.split(":")[-2], r.split(":")[-1]) for r in t.reached(read)}
    assert kinds == {
        (kind, f"*{machine}StateMachine-*")
        for kind in ("execution", "mapRun")
        for machine in ("RunInference", "ValidateParts")
    }


def test_schedules_may_encrypt_what_they_could_not_deliver() -> None:
    schedules = {
        f"{function}{name}Role"
        for function, properties in t.functions().items()
        for name, event in properties.get("Events", {}).items()
        if event["Type"] == "ScheduleV2"
    }
    encrypting = {owner for owner, s in t.statements() if s["Sid"] == "EncryptDeadLetters"}
    assert encrypting == schedules
    for role in schedules:
        statement = of_role(role, "EncryptDeadLetters")
        assert t.actions(statement) == {"kms:GenerateDataKey", "kms:Decrypt"}
        assert t.reached(statement) == {"PlatformKey.Arn"}


def test_no_function_or_job_may_write_the_policies_and_those_that_decide_read_them() -> None:
    allowed: dict[str, set[str]] = {}
    for owner, statement in t.statements():
        # the whole document is searched: a name inside of Fn::Sub reaches the table too
        everything = "*" in t.reached(statement) and min(t.actions(statement)).startswith("dynamodb:")
        if "PolicyTable" in json.dumps(statement["Resource"]) or everything:
            assert t.reached(statement) == {"PolicyTable.Arn"}, owner
            allowed[owner] = allowed.get(owner, set()) | t.actions(statement)
    administrator = allowed.pop("PolicyAdministrator")
    assert administrator == {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
    readers = {
        "ReceiveUploadFunction",
        "MergePartsFunction",
        "RegisterModelFunction",
        "RequestApprovalFunction",
        "CheckRetrainingFunction",
        "RetrainModelFunction",
    }
    assert allowed == {reader: {"dynamodb:GetItem"} for reader in readers}


def test_the_permission_to_change_policies_is_attached_to_no_role_of_the_stack() -> None:
    text = json.dumps({k: v for k, v in t.template()["Resources"].items() if k != "PolicyAdministrator"})
    assert "PolicyAdministrator" not in text
    policy = t.template()["Resources"]["PolicyAdministrator"]["Properties"]
    assert not {"Roles", "Users", "Groups"} & set(policy)


def test_a_function_that_keeps_failed_events_in_an_encrypted_queue_may_use_its_key() -> None:
    may_encrypt = {
        owner
        for owner, statement in t.statements()
        if {"kms:GenerateDataKey", "kms:Decrypt"} <= t.actions(statement) and "PlatformKey" in str(statement)
    }
    keeping = {
        name
        for name, properties in t.functions().items()
        if "OnFailure" in properties.get("EventInvokeConfig", {}).get("DestinationConfig", {})
    }
    assert len(keeping) > 5
    assert keeping <= may_encrypt


def test_what_reads_dropped_files_reaches_every_kind_of_them() -> None:
    for owner, sid in (
        ("ReceiveUploadFunction", "ReadAndRemoveDroppedFiles"),
        ("ConvertUploadFunction", "ReadDroppedFiles"),
    ):
        reached = str(of_role(owner, sid)["Resource"])
        for kind in ("training", "inference", "labels"):
            assert f"/*/{kind}/*" in reached or "DataBucket.Arn}/*'" in reached, (owner, kind)


@pytest.mark.parametrize("owner", ["RunInferenceFunction", "MergeRangesFunction"])
def test_what_repeats_a_batch_reads_the_version_that_it_wrote(owner: str) -> None:
    assert "s3:GetObjectVersion" in t.actions(of_role(owner, "WritePredictionsAndProfiles"))
