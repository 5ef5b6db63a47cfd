"""What `make up` writes for `sam local`, of the deployed stack."""

from __future__ import annotations

import json

import pytest

from local.containers import write_container_template
from local.deploy import BUILD_DIRECTORY
from local.stack import STACK_NAME, DeployedStack
from mlops.infrastructure.aws.account.cloudformation import stack_resources
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
    cloudformation = stack.cloud.client("cloudformation")
    deployed = stack_resources(STACK_NAME, "AWS::Lambda::Function", cloudformation=cloudformation)
    assert set(variables) == set(deployed)
    assert variables["CheckDriftFunction"]["ARTIFACT_BUCKET_NAME"] == stack.outputs["ArtifactBucketName"]
