"""What `make up` writes for `sam local`, of the deployed stack."""

from __future__ import annotations

import json

import pytest

from local.containers import write_container_template
from local.deploy import BUILD_DIRECTORY
from local.stack import STACK_NAME, DeployedStack
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.e2e


def test_sam_local_gets_every_deployed_function_with_its_variables(stack: DeployedStack) -> None:
    built = REPOSITORY / BUILD_DIRECTORY / "template.yaml"
    path = write_container_template(stack.cloud, built, STACK_NAME)
    resources = json.loads(path.read_text(encoding="utf-8"))["Resources"]
    variables = {
        name: resource["Properties"]["Environment"]["Variables"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    deployed = stack.cloud.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)
    assert set(variables) == {
        resource["LogicalResourceId"]
        for resource in deployed["StackResources"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    assert variables["CheckDriftFunction"]["ARTIFACT_BUCKET_NAME"] == stack.outputs["ArtifactBucketName"]
