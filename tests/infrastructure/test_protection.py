"""Data at rest, in transit and in logs; queues, topics and keys; the approval policy's parameters."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.infrastructure import template as t

KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "PlatformKey"}]}
WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}
THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def statements_of_resources(kind: str, names: str) -> dict[str, list[dict[str, Any]]]:
    """The statements of all policies of a kind, by the resource that they belong to."""
    return {
        name["Ref"]: policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in t.resources(kind).values()
        for name in t.listed(policy["Properties"][names])
    }


def key_grants() -> dict[str, dict[str, Any]]:
    """The statements of the key's policy by the service that they let in."""
    statements = t.template()["Resources"]["PlatformKey"]["Properties"]["KeyPolicy"]["Statement"]
    return {
        service: statement
        for statement in statements
        for service in t.listed(statement["Principal"].get("Service", []))
    }


@pytest.mark.parametrize(
    ("kind", "policies", "names", "action"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket", "s3:*"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    ],
)
def test_buckets_topics_and_queues_are_reached_over_tls_only(
    kind: str, policies: str, names: str, action: str
) -> None:
    statements = statements_of_resources(policies, names)
    assert set(statements) == set(t.resources(kind))
    for name, own in statements.items():
        (deny,) = (statement for statement in own if statement["Effect"] == "Deny")
        assert (deny["Principal"], deny["Action"], deny["Condition"]) == ("*", action, WITHOUT_TLS)
        objects = {f"${{{name}.Arn}}/*"} if kind == "AWS::S3::Bucket" else set()
        assert t.reached(deny) == {f"{name}.Arn"} | objects


def test_resource_policies_let_in_named_services_only() -> None:
    allowed = {
        (name, t.listed(statement["Principal"]["Service"])[0], statement["Action"])
        for kind, names in (
            ("AWS::S3::BucketPolicy", "Bucket"),
            ("AWS::SNS::TopicPolicy", "Topics"),
            ("AWS::SQS::QueuePolicy", "Queues"),
        )
        for name, own in statements_of_resources(kind, names).items()
        for statement in own
        if statement["Effect"] == "Allow"
    }
    assert allowed == {
        ("NotificationTopic", "cloudwatch.amazonaws.com", "sns:Publish"),
        ("UploadDeadLetterQueue", "events.amazonaws.com", "sqs:SendMessage"),
        ("LedgerDeadLetterQueue", "events.amazonaws.com", "sqs:SendMessage"),
    }


def test_buckets_are_private_encrypted_versioned_and_kept() -> None:
    for bucket in t.resources("AWS::S3::Bucket").values():
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        properties = bucket["Properties"]
        assert all(properties["PublicAccessBlockConfiguration"].values())
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["BucketEncryption"]
        assert properties["LifecycleConfiguration"]


def test_tables_are_kept_encrypted_and_recoverable() -> None:
    for table in t.resources("AWS::DynamoDB::Table").values():
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        assert table["Properties"]["SSESpecification"]["SSEEnabled"] is True
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_topics_are_encrypted_and_approval_mails_reach_one_person_each() -> None:
    for topic in t.resources("AWS::SNS::Topic").values():
        assert topic["Properties"]["KmsMasterKeyId"] == KEY
    for subscription in t.resources("AWS::SNS::Subscription").values():
        properties = subscription["Properties"]
        if properties["TopicArn"] == {"Ref": "ApprovalTopic"}:
            assert properties["FilterPolicy"] == {"approver": [properties["Endpoint"]]}


def test_every_queue_is_encrypted_kept_two_weeks_and_watched() -> None:
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in t.resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("Namespace") == "AWS/SQS"
    }
    queues = t.resources("AWS::SQS::Queue")
    assert watched == set(queues)
    for queue in queues.values():
        assert queue["Properties"]["KmsMasterKeyId"] == KEY
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 86400


def test_the_key_is_rotated_and_used_by_three_services() -> None:
    assert t.template()["Resources"]["PlatformKey"]["Properties"]["EnableKeyRotation"] is True
    assert set(key_grants()) == {
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
        "scheduler.amazonaws.com",
    }
    for grant in key_grants().values():
        assert {action.removesuffix("*") for action in t.actions(grant)} == {
            "kms:GenerateDataKey",
            "kms:Decrypt",
        }


def test_alarms_use_the_key_for_this_account_only() -> None:
    assert key_grants()["cloudwatch.amazonaws.com"]["Condition"] == THIS_ACCOUNT


@pytest.mark.parametrize("service", ["events.amazonaws.com", "scheduler.amazonaws.com"])
def test_dead_letters_are_encrypted_without_a_condition_that_their_sender_does_not_meet(service: str) -> None:
    assert "Condition" not in key_grants()[service]


def test_the_keys_that_sign_links_are_random_and_encrypted_with_the_key_of_the_stack() -> None:
    for secret in t.resources("AWS::SecretsManager::Secret").values():
        assert secret["Properties"]["KmsKeyId"] == KEY
        assert secret["Properties"]["GenerateSecretString"]["PasswordLength"] >= 64


def test_who_reads_keys_that_sign_links_may_decrypt_them() -> None:
    reading = {owner for owner, s in t.statements_of_roles() if "SigningSecret" in json.dumps(s["Resource"])}
    decrypting = {
        owner
        for owner, s in t.statements_of_roles()
        if "kms:Decrypt" in t.actions(s) and s["Resource"] == {"Fn::GetAtt": ["PlatformKey", "Arn"]}
    }
    assert reading
    assert reading <= decrypting


def test_who_scores_does_not_read_the_keys_that_sign_approvals() -> None:
    reading = {owner for owner, s in t.statements() if "ApprovalSigningSecret" in json.dumps(s["Resource"])}
    assert not {owner for owner in reading if owner.startswith(("RunInference", "ScoringJob", "ShowResult"))}


def test_state_machines_log_errors_without_the_data_of_executions() -> None:
    for machine in t.resources("AWS::Serverless::StateMachine").values():
        logging = machine["Properties"]["Logging"]
        assert logging["Level"] in ("ERROR", "ALL")
        assert logging["IncludeExecutionData"] is False
        assert logging["Destinations"]
        assert machine["Properties"]["Tracing"] == {"Enabled": True}


def test_access_logs_contain_nothing_of_a_link() -> None:
    settings = t.template()["Resources"]["ApprovalApi"]["Properties"]["AccessLogSettings"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["ApprovalApiLogGroup", "Arn"]}
    assert set(json.loads(settings["Format"]).values()) == set(
        re.findall(r"\$context[\w.]+", settings["Format"])
    )
    # the path, the query and the error messages of an integration contain the link
    assert set(re.findall(r"\$context[\w.]+", settings["Format"])) <= {
        "$context.requestId",
        "$context.requestTime",
        "$context.routeKey",
        "$context.status",
        "$context.responseLatency",
    }


def test_requests_to_the_api_are_throttled() -> None:
    limits = t.template()["Resources"]["ApprovalApi"]["Properties"]["DefaultRouteSettings"]
    assert 0 < limits["ThrottlingRateLimit"] <= 100
    assert 0 < limits["ThrottlingBurstLimit"] <= 200


def test_pages_are_below_a_token_and_no_other_function_answers_the_api() -> None:
    routes = {
        (function, event["Properties"]["Path"])
        for function, properties in t.functions().items()
        for event in properties.get("Events", {}).values()
        if event["Type"] in ("HttpApi", "Api")
    }
    assert {function for function, _ in routes} == {
        "DecideApprovalFunction",
        "RollBackModelFunction",
        "RetryTrainingFunction",
        "ShowResultFunction",
        "AnswerAlertFunction",
        "DecideRetrainingFunction",
    }
    assert all("/{token}" in path for _, path in routes)
    assert not [name for name, properties in t.functions().items() if "FunctionUrlConfig" in properties]


def test_people_may_find_the_stack_by_its_name() -> None:
    """A command names the stack, and then AWS checks the ARN with * in place of the id."""
    people = t.resources("AWS::IAM::ManagedPolicy")
    resources = [
        statement["Resource"]["Fn::Sub"]
        for owner, statement in t.statements()
        if owner in people and "cloudformation:DescribeStacks" in t.actions(statement)
    ]
    assert len(resources) > 3
    assert all(resource.endswith(":stack/${AWS::StackName}/*") for resource in resources)


def test_promotions_start_no_execution_where_no_group_has_an_endpoint() -> None:
    machine = t.resources("AWS::Serverless::StateMachine")["MoveEndpointStateMachine"]["Properties"]
    assert machine["Events"]["ChampionChanged"]["Properties"]["State"] == {
        "Fn::If": ["HasEndpointGroups", "ENABLED", "DISABLED"]
    }
    assert t.template()["Conditions"]["HasEndpointGroups"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ServerlessEndpointGroups"}, ""]}]
    }


def test_the_predict_api_is_authorised_by_iam_or_else_by_tokens_and_limited() -> None:
    (route,) = (route["Properties"] for route in t.resources("AWS::ApiGatewayV2::Route").values())
    assert route["RouteKey"] == "POST /groups/{group}/predict"
    assert route["AuthorizationType"] == {"Fn::If": ["HasJwtIssuer", "JWT", "AWS_IAM"]}
    (authorizer,) = t.resources("AWS::ApiGatewayV2::Authorizer").values()
    assert (authorizer["Condition"], authorizer["Properties"]["AuthorizerType"]) == ("HasJwtIssuer", "JWT")
    (stage,) = t.resources("AWS::ApiGatewayV2::Stage").values()
    limits = stage["Properties"]["DefaultRouteSettings"]
    assert limits == {
        "ThrottlingRateLimit": {"Ref": "PredictRateLimit"},
        "ThrottlingBurstLimit": {"Ref": "PredictBurstLimit"},
    }
    calling = {owner: t.reached(s) for owner, s in t.statements() if "execute-api:Invoke" in t.actions(s)}
    assert set(calling) == {"PredictCaller"}, "a role of the stack calls the API, or people have two policies"
    (route_of_caller,) = calling["PredictCaller"]
    assert route_of_caller.endswith(":${PredictApi}/*/POST/groups/*/predict")


def test_a_check_that_the_scan_leaves_out_has_a_reason() -> None:
    text = (t.REPOSITORY / ".checkov.yaml").read_text(encoding="utf-8")
    left_out = [line for line in text.splitlines() if "CKV" in line]
    assert len(left_out) == len(yaml.safe_load(text)["skip-check"])
    for line in left_out:
        assert re.fullmatch(r"  - CKV2?_AWS_\d+  # [^:]+: .{30,}", line), line
    assert "skip-check" not in (t.REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_approval_is_by_people_unless_a_parameter_says_otherwise() -> None:
    parameters = t.template()["Parameters"]
    assert parameters["AllowAutomaticApproval"]["Default"] == "off"
    assert parameters["MinimumApprovals"]["Default"] == 1


def test_an_automatic_approval_is_an_alarm_at_once() -> None:
    alarm = t.template()["Resources"]["AutomaticApprovalAlarm"]["Properties"]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["EvaluationPeriods"]) == ("Sum", 0, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
