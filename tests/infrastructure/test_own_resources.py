"""The key, the network and the domain of an account: used wherever a parameter names them, else nowhere."""

from __future__ import annotations

import json
import re
from functools import reduce
from typing import Any

import pytest
from jsonata import Jsonata

from tests.infrastructure import template as t
from tests.infrastructure.test_account import expanded

NOTHING = {"Ref": "AWS::NoValue"}
KEY = {"Ref": "KmsKeyArn"}
SUBNETS = {"Fn::Split": [",", {"Ref": "SubnetIds"}]}
GROUPS = {"Fn::Split": [",", {"Ref": "SecurityGroupIds"}]}
PLACEHOLDER = re.compile(r"\$\{(KmsKeyArn|SubnetIds|SecurityGroupIds)\}")


def chosen(node: Any, *conditions: str) -> Any:
    """A part of the template where these conditions hold, and no other does."""
    if isinstance(node, list):
        return [value for value in (chosen(each, *conditions) for each in node) if value != NOTHING]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::If"}:
        name, yes, no = node["Fn::If"]
        return chosen(yes if name in conditions else no, *conditions)
    pairs = {key: chosen(value, *conditions) for key, value in node.items()}
    return {key: value for key, value in pairs.items() if value != NOTHING}


def properties(kind: str, *conditions: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of a kind, as CloudFormation gets them, where these conditions hold."""
    resources = {name: r for name, r in expanded()["Resources"].items() if r["Type"] == kind}
    return {name: chosen(r["Properties"], *conditions) for name, r in resources.items()}


# ── Key ──────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "path", "without"),
    [
        ("AWS::DynamoDB::Table", "SSESpecification.KMSMasterKeyId", None),
        ("AWS::SNS::Topic", "KmsMasterKeyId", {"Ref": "PlatformKey"}),
        ("AWS::SQS::Queue", "KmsMasterKeyId", {"Ref": "PlatformKey"}),
        ("AWS::SecretsManager::Secret", "KmsKeyId", {"Ref": "PlatformKey"}),
        ("AWS::Logs::LogGroup", "KmsKeyId", None),
        (
            "AWS::Athena::WorkGroup",
            "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey",
            None,
        ),
    ],
)
def test_the_key_of_the_account_encrypts_every_resource_that_stores_data(
    kind: str, path: str, without: Any
) -> None:
    for conditions, expected in ((("HasKmsKey",), KEY), ((), without)):
        for name, resource in properties(kind, *conditions).items():
            key = reduce(lambda part, step: part.get(step), path.split("."), resource)
            assert key == expected, name


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (("HasKmsKey",), {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}),
        ((), {"SSEAlgorithm": "AES256"}),
    ],
)
def test_buckets_are_encrypted_with_the_key_once_for_many_objects(
    conditions: tuple[str, ...], expected: dict[str, Any]
) -> None:
    for bucket in properties("AWS::S3::Bucket", *conditions).values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == expected
        assert rule["BucketKeyEnabled"] is bool(conditions)


def test_every_role_may_use_the_key_through_the_services_that_it_encrypts() -> None:
    user = t.template()["Resources"]["KmsKeyUser"]
    roles = {name: r for name, r in expanded()["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
    conditions = {role["Condition"] for role in roles.values() if "Condition" in role}
    assert user["Condition"] == "HasKmsKey"
    assert {role["Ref"] for role in chosen(user["Properties"]["Roles"], *conditions)} == set(roles)
    (statement,) = user["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == KEY
    services = {name.removesuffix(".*") for name in statement["Condition"]["StringLike"]["kms:ViaService"]}
    assert services == {"athena", "dynamodb", "s3", "secretsmanager", "sns", "sqs"}


def test_task_tokens_stay_with_the_key_that_sealed_the_open_ones() -> None:
    keys = [
        function["Environment"]["Variables"]["TASK_TOKEN_KEY_ARN"]
        for function in t.functions().values()
        if "TASK_TOKEN_KEY_ARN" in function.get("Environment", {}).get("Variables", {})
    ]
    assert keys
    assert all(key == {"Fn::GetAtt": ["PlatformKey", "Arn"]} for key in keys)


def evaluate(machine: str, state: str, field: str, values: dict[str, str]) -> Any:
    """The value of a field of a task's arguments where the placeholders have these values."""
    text = (t.REPOSITORY / "statemachine" / f"{machine}.asl.json").read_text(encoding="utf-8")
    rendered = PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)
    arguments = json.loads(rendered)["States"][state]["Arguments"]
    expression = arguments.get("TrainingJobDefinition", arguments)[field]
    prepared = {"output_uri": "s3://b/training/", "tuning": {"output_uri": "s3://b/training/"}}
    return Jsonata.jsonata(expression.removeprefix("{%").removesuffix("%}")).evaluate(
        None, {"prepared": prepared}
    )


@pytest.mark.parametrize("state", ["Train model", "Tune hyperparameters"])
def test_models_are_encrypted_with_the_key(state: str) -> None:
    output = {"S3OutputPath": "s3://b/training/"}
    assert evaluate("train_model", state, "OutputDataConfig", {}) == output
    own = evaluate("train_model", state, "OutputDataConfig", {"KmsKeyArn": "arn:key"})
    assert own == {**output, "KmsKeyId": "arn:key"}


# ── Network ──────────────────────────────────────────


def test_every_function_is_in_the_subnets_of_the_account() -> None:
    for name, function in properties("AWS::Lambda::Function", "HasSubnets").items():
        assert function["VpcConfig"] == {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS}, name
    assert not [name for name, f in properties("AWS::Lambda::Function").items() if "VpcConfig" in f]


@pytest.mark.parametrize("subnets", ["subnet-1", "subnet-1,subnet-2"])
def test_jobs_that_score_are_in_the_subnets(subnets: str) -> None:
    values = {"SubnetIds": subnets, "SecurityGroupIds": "sg-1"}
    network = evaluate("run_inference", "Run inference in a job", "NetworkConfig", values)
    expected = {"Subnets": subnets.split(","), "SecurityGroupIds": ["sg-1"]}
    assert network == {"EnableNetworkIsolation": False, "VpcConfig": expected}
    without = evaluate("run_inference", "Run inference in a job", "NetworkConfig", {})
    assert without == {"EnableNetworkIsolation": False}
    policy = t.template()["Resources"]["ScoringJobNetworkPolicy"]
    assert (policy["Condition"], policy["Properties"]["Roles"]) == ("HasSubnets", [{"Ref": "ScoringJobRole"}])


def test_jobs_that_train_have_no_network_at_all() -> None:
    text = (t.REPOSITORY / "statemachine" / "train_model.asl.json").read_text(encoding="utf-8")
    states = json.loads(text)["States"]
    assert states["Train model"]["Arguments"]["EnableNetworkIsolation"] is True
    definition = states["Tune hyperparameters"]["Arguments"]["TrainingJobDefinition"]
    assert definition["EnableNetworkIsolation"] is True


# ── Domain ──────────────────────────────────────────


def addresses(node: Any) -> list[Any]:
    """Every `Pages` that a `!Sub` of the template puts before the path of a page."""
    if isinstance(node, list):
        return [address for each in node for address in addresses(each)]
    if not isinstance(node, dict):
        return []
    own = (
        [node["Fn::Sub"][1]["Pages"]]
        if isinstance(node.get("Fn::Sub"), list) and "Pages" in node["Fn::Sub"][1]
        else []
    )
    return own + [address for value in node.values() for address in addresses(value)]


def test_every_link_has_the_domain_of_the_account() -> None:
    links = addresses(t.template())
    assert links
    for address in links:
        assert chosen(address, "HasDomain") == {"Fn::Sub": "https://${DomainName}"}
        assert chosen(address) == {"Fn::GetAtt": ["ApprovalApi", "ApiEndpoint"]}
    text = (t.REPOSITORY / "template.yaml").read_text(encoding="utf-8")
    assert "${ApprovalApi.ApiEndpoint}" not in text


def test_the_domain_leads_to_the_pages_over_tls() -> None:
    resources = t.template()["Resources"]
    domain, mapping, record = (resources[f"ApprovalDomain{name}"] for name in ("", "Mapping", "Record"))
    assert (domain["Condition"], mapping["Condition"], record["Condition"]) == (
        "HasDomain",
        "HasDomain",
        "HasHostedZone",
    )
    (configuration,) = domain["Properties"]["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    assert mapping["Properties"]["DomainName"] == {"Ref": "ApprovalDomain"}
    stage = next(
        name for name, p in properties("AWS::ApiGatewayV2::Stage").items() if name.startswith("Approval")
    )
    expanded_mapping = expanded()["Resources"]["ApprovalDomainMapping"]["Properties"]
    assert expanded_mapping["Stage"] == {"Ref": stage}
    assert record["Properties"]["AliasTarget"]["DNSName"] == {
        "Fn::GetAtt": ["ApprovalDomain", "RegionalDomainName"]
    }


# ── Parameters ──────────────────────────────────────────


@pytest.mark.parametrize(
    ("condition", "parameter"),
    [("HasKmsKey", "KmsKeyArn"), ("HasSubnets", "SubnetIds"), ("HasDomain", "DomainName")],
)
def test_nothing_of_the_account_is_used_by_default(condition: str, parameter: str) -> None:
    assert t.template()["Parameters"][parameter]["Default"] == ""
    assert t.template()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        ("KmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd", "alias/mine"),
        ("SubnetIds", "subnet-0a1b,subnet-2c3d", "subnet-0a1b subnet-2c3d"),
        ("SecurityGroupIds", "sg-0a1b", "default"),
        ("DomainName", "models.example.com", "https://models.example.com"),
        ("CertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/1234", "models.example.com"),
    ],
)
def test_a_parameter_that_names_something_else_is_refused(
    parameter: str, accepted: str, refused: str
) -> None:
    pattern = t.template()["Parameters"][parameter]["AllowedPattern"]
    assert all(re.fullmatch(pattern, value) for value in ("", accepted))
    assert not re.fullmatch(pattern, refused)


def test_what_belongs_together_is_required_together() -> None:
    rules = t.template()["Rules"]
    for rule, given, needed in (
        ("SubnetsNeedASecurityGroup", "SubnetIds", "SecurityGroupIds"),
        ("DomainNeedsACertificate", "DomainName", "CertificateArn"),
    ):
        assert rules[rule]["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": given}, ""]}]}
        (assertion,) = rules[rule]["Assertions"]
        assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": needed}, ""]}]}
