"""What bounds the stack in its account: roles, concurrency and cost, each only where a parameter is set."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

from tests.conftest import REPOSITORY
from tests.infrastructure import template as t

BOUNDARY = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}


class _NoManagedPolicies:
    """The template names none of AWS's managed policies by a short name."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def expanded() -> dict[str, Any]:
    """The template as CloudFormation gets it."""
    text = (REPOSITORY / "template.yaml").read_text("utf-8")
    validator = SamTemplateValidator(yaml_parse(text), _NoManagedPolicies(), region="us-east-1")
    return dict(yaml_parse(validator.get_translated_template_if_valid()))


def test_every_role_has_the_boundary_also_those_that_sam_makes() -> None:
    roles = {
        name: resource["Properties"]
        for name, resource in expanded()["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert len(roles) > len(t.functions())
    assert [name for name, role in roles.items() if role.get("PermissionsBoundary") != BOUNDARY] == []


def test_only_intake_takes_concurrency_from_the_account() -> None:
    reserved = {
        name: function["ReservedConcurrentExecutions"]
        for name, function in t.functions().items()
        if "ReservedConcurrentExecutions" in function
    }
    limit = {"Ref": "IntakeReservedConcurrency"}
    assert reserved == {
        "ReceiveUploadFunction": {"Fn::If": ["IntakeIsReserved", limit, {"Ref": "AWS::NoValue"}]}
    }


def test_a_budget_is_announced_before_and_when_it_is_used_up() -> None:
    (budget,) = t.resources("AWS::Budgets::Budget").values()
    assert budget["Condition"] == "HasBudget"
    announced = [
        (entry["Notification"]["NotificationType"], entry["Notification"]["Threshold"], entry["Subscribers"])
        for entry in budget["Properties"]["NotificationsWithSubscribers"]
    ]
    people = [{"SubscriptionType": "EMAIL", "Address": {"Ref": "ApproverEmail"}}]
    assert announced == [("ACTUAL", 80, people), ("ACTUAL", 100, people), ("FORECASTED", 100, people)]


@pytest.mark.parametrize(
    ("condition", "parameter", "off"),
    [
        ("HasPermissionsBoundary", "PermissionsBoundaryArn", ""),
        ("IntakeIsReserved", "IntakeReservedConcurrency", 0),
        ("HasBudget", "MonthlyBudgetUsd", 0),
        ("HasWebhook", "WebhookUrl", ""),
    ],
)
def test_nothing_is_bounded_by_default(condition: str, parameter: str, off: object) -> None:
    assert t.template()["Parameters"][parameter]["Default"] == off
    used = t.template()["Conditions"][condition]
    assert used == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, off]}]}


def test_what_the_webhook_needs_exists_with_its_address_only() -> None:
    conditional = {
        name for name, r in t.template()["Resources"].items() if r.get("Condition") == "HasWebhook"
    }
    assert conditional == {
        "WebhookSecret",
        "SendWebhookFunction",
        "SendWebhookLogGroup",
        "WebhookErrorsAlarm",
    }


def test_the_webhook_gets_notifications_and_never_links_to_approve() -> None:
    topics = {
        (name, event["Properties"]["Topic"]["Ref"])
        for name, function in t.functions().items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SNS"
    }
    assert topics == {("SendWebhookFunction", "NotificationTopic")}


@pytest.mark.parametrize(
    "address", ["http://a.example/x", "ftp://a", 'https://a/"', "https://a/ b", "https://a\\"]
)
def test_the_address_of_the_webhook_is_https_hidden_and_stays_inside_its_json(address: str) -> None:
    parameter = t.template()["Parameters"]["WebhookUrl"]
    assert parameter["NoEcho"] is True
    assert not re.fullmatch(parameter["AllowedPattern"], address)
    assert re.fullmatch(parameter["AllowedPattern"], "https://hooks.slack.com/services/T0/B0/x?a=1&b=2")
    assert re.fullmatch(parameter["AllowedPattern"], "")


# ── What is there only where a parameter is set ──────────────────────────────────────────


def is_true(condition: Any, parameters: dict[str, Any]) -> bool:
    """Whether a condition of the template holds with these values of the parameters."""
    ((function, arguments),) = condition.items()
    match function:
        case "Fn::Not":
            return not is_true(arguments[0], parameters)
        case "Fn::And":
            return all(is_true(each, parameters) for each in arguments)
        case "Condition":
            return is_true(t.template()["Conditions"][arguments], parameters)
        case "Fn::Equals":
            left, right = (parameters[each["Ref"]] if isinstance(each, dict) else each for each in arguments)
            return str(left) == str(right)
    raise AssertionError(condition)


def parameters_of(condition: Any) -> set[str]:
    """The parameters that a condition of the template asks."""
    text = str(condition)
    named = re.findall(r"'Condition': '(\w+)'", text)
    inner = {each for name in named for each in parameters_of(t.template()["Conditions"][name])}
    return {*re.findall(r"'Ref': '(\w+)'", text), *inner}


@pytest.mark.parametrize("name", sorted(t.template()["Conditions"]))
def test_what_is_optional_is_off_by_default_and_on_with_its_parameters(name: str) -> None:
    template = t.template()
    defaults = {key: value.get("Default", "") for key, value in template["Parameters"].items()}
    condition = template["Conditions"][name]
    is_retention = name in ("ReplacedUploadsExpire", "QuarantineExpires")
    assert is_true(condition, defaults) is is_retention
    chosen = dict.fromkeys(parameters_of(condition), 0 if is_retention else "something")
    assert is_true(condition, defaults | chosen) is not is_retention
    used = [r.get("Condition") for r in (*template["Resources"].values(), *template["Outputs"].values())]
    assert name in used or f"'Fn::If': ['{name}'" in str(template)


@pytest.mark.parametrize(
    ("resource", "condition", "address"),
    [
        ("ApproverSubscription", None, "ApproverEmail"),
        ("SecondApproverSubscription", "HasSecondApprover", "SecondApproverEmail"),
        ("ThirdApproverSubscription", "HasThirdApprover", "ThirdApproverEmail"),
    ],
)
def test_each_approver_gets_only_the_emails_to_that_approver(
    resource: str, condition: str | None, address: str
) -> None:
    subscription = t.template()["Resources"][resource]
    properties = subscription["Properties"]
    assert subscription.get("Condition") == condition
    assert properties["Endpoint"] == {"Ref": address}
    assert properties["FilterPolicy"] == {"approver": [{"Ref": address}]}


def test_jobs_use_the_image_of_the_account_where_it_is_named() -> None:
    machines = [
        r["Properties"]["DefinitionSubstitutions"]
        for r in t.resources("AWS::Serverless::StateMachine").values()
    ]
    images = [values["TrainingImageUri"] for values in machines if "TrainingImageUri" in values]
    assert len(images) == 2  # to train, and to score
    assert all(image["Fn::If"][:2] == ["HasTrainingImage", {"Ref": "TrainingImageUri"}] for image in images)
