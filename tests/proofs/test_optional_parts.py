"""What is off by default, deployed into a local cloud: each optional part exists, and is taken away again.

Without the budget, a type of resource that the local cloud does not have. It deploys functions without their
network, boundary and reserved concurrency, and buckets without their key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud, local_cloud
from local.deploy import deploy
from tests.conftest import REPOSITORY
from tests.infrastructure import template as t

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")
ALWAYS = {"ApproverEmail": "me@example.com"}
# how a person takes everything away again
NUMBERS = ("IntakeReservedConcurrency", "PredictionRetentionDays")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def account(cloud: LocalCloud) -> dict[str, str]:
    """Parameters that name a key, a network, a domain and a boundary of the account."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in (1, 2)
    ]
    group = ec2.create_security_group(GroupName="mlops", Description="mlops", VpcId=vpc)["GroupId"]
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    boundary = cloud.client("iam").create_policy(PolicyName="bound", PolicyDocument=json.dumps(everything))
    zone = cloud.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]
    certificate = cloud.client("acm").request_certificate(DomainName="models.example.com")
    return {
        "KmsKeyArn": cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
        "SubnetIds": ",".join(subnets),
        "SecurityGroupIds": group,
        "DomainName": "models.example.com",
        "CertificateArn": certificate["CertificateArn"],
        "HostedZoneId": zone["Id"].rpartition("/")[2],
        "PermissionsBoundaryArn": boundary["Policy"]["Arn"],
        "SecondApproverEmail": "two@example.com",
        "ThirdApproverEmail": "three@example.com",
        "WebhookUrl": "https://hooks.example.com/1",
        "IntakeReservedConcurrency": "2",
        "PredictionRetentionDays": "30",
        "PredictJwtIssuer": "https://issuer.example.com/",
        "PredictJwtAudience": "mlops",
        "TrainingImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1",
    }


def resources(cloud: LocalCloud) -> dict[str, str]:
    """Types of what the stack has, by logical id."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="mlops")
    summaries = [each for page in pages for each in page["StackResourceSummaries"]]
    return {each["LogicalResourceId"]: each["ResourceType"] for each in summaries}


def test_all_optional_parts_are_deployed_and_taken_away(cloud: LocalCloud, account: dict[str, str]) -> None:
    template = REPOSITORY / "template.yaml"
    plain, before = deploy(cloud, template, "mlops", ALWAYS), resources(cloud)
    conditional = {
        name: each["Type"]
        for name, each in t.template()["Resources"].items()
        if each.get("Condition", "HasBudget") != "HasBudget"
    }
    assert set(conditional) & set(before) == set()

    outputs = deploy(cloud, template, "mlops", ALWAYS | account)
    after = resources(cloud)
    assert set(before) | set(conditional) <= set(after)
    assert outputs["ApprovalDomainTarget"]
    assert outputs["ApprovalUrl"].startswith("https://models.example.com/")

    without = {name: "0" if name in NUMBERS else '""' for name in account}
    assert deploy(cloud, template, "mlops", ALWAYS | without) == plain
    assert resources(cloud) == before
