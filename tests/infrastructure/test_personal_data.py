"""Retention of data, and who may remove the data of a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure import template as t


def rules(bucket: str) -> list[dict[str, Any]]:
    """The lifecycle rules of a bucket; a rule that depends on a parameter as it is when active."""
    configured = t.template()["Resources"][bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    return [rule["Fn::If"][1] if "Fn::If" in rule else rule for rule in configured]


@pytest.mark.parametrize(
    ("bucket", "condition", "parameter", "prefix"),
    [
        ("DataBucket", "ReplacedUploadsExpire", "ReplacedUploadRetentionDays", None),
        ("ArtifactBucket", "QuarantineExpires", "QuarantineRetentionDays", "quarantine/"),
        ("ArtifactBucket", "PredictionsExpire", "PredictionRetentionDays", "predictions/"),
    ],
)
def test_data_expires_after_the_days_of_a_parameter_and_0_keeps_it(
    bucket: str, condition: str, parameter: str, prefix: str | None
) -> None:
    configured = t.template()["Resources"][bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    [rule] = [rule["Fn::If"] for rule in configured if rule.get("Fn::If", [None])[0] == condition]
    assert rule[2] == {"Ref": "AWS::NoValue"}
    assert t.template()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, 0]}]}
    days = {"Ref": parameter}
    assert rule[1].get("Prefix") == prefix
    if prefix is None:
        assert rule[1]["NoncurrentVersionExpiration"]["NoncurrentDays"] == days
    else:
        assert rule[1]["ExpirationInDays"] == days
        assert rule[1]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1


def test_no_rule_deletes_the_newest_version_of_settings_or_anything_that_models_need() -> None:
    assert not [rule for rule in rules("DataBucket") if "ExpirationInDays" in rule]
    expiring = {rule["Prefix"] for rule in rules("ArtifactBucket") if "ExpirationInDays" in rule}
    assert expiring == {
        "parts/",
        "converted/",
        "retraining/",
        "quarantine/",
        "predictions/",
        "labels/",
        "ledger/",
        "shadow/",
        "queries/",
    }


def test_only_people_with_the_policy_may_remove_data_and_read_tombstones() -> None:
    def allows(statement: dict[str, Any], *words: str) -> bool:
        return all(word in str(statement) for word in words)

    owners = {owner for owner, statement in t.statements() if allows(statement, "forgotten/")}
    assert owners == {"PersonalDataAdministrator"}
    deleting = [
        owner
        for owner, statement in t.statements()
        if allows(statement, "s3:DeleteObjectVersion", "${ArtifactBucket.Arn}")
    ]
    # ReceiveUpload removes files of features that it has written and could not record, PlanEndpoint archives
    # that no endpoint loads any more
    assert set(deleting) == {
        "PersonalDataAdministrator",
        "MergePredictionsFunction",
        "PlanEndpointFunction",
        "ReceiveUploadFunction",
    }
    policy = t.resources("AWS::IAM::ManagedPolicy")["PersonalDataAdministrator"]["Properties"]
    assert "Roles" not in policy
    assert "PersonalDataAdministrator" not in str(t.functions())


def test_the_policy_covers_every_prefix_that_is_searched_and_no_other() -> None:
    resources = [
        resource["Fn::Sub"]
        for owner, statement in t.statements()
        if owner == "PersonalDataAdministrator" and "s3:DeleteObjectVersion" in statement["Action"]
        for resource in (
            statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        )
    ]
    prefixes = {resource.split("/", 1)[1] for resource in resources if "Artifact" in resource}
    tables = {"ledger/*", "labels/*", "retraining/*", "features/*"}
    assert prefixes == {"datasets/*", "quarantine/*", "converted/*", "parts/*", "predictions/*"} | tables
    assert "${DataBucket.Arn}/*" in resources
