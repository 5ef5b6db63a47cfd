"""The function that plans the endpoint of a group, on moto, with the event of `sam local invoke`."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.plan_endpoint import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import ArtifactError
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.training import EvaluationMetrics
from mlops.registry.model_registry import ModelRegistry

GROUP = "medication-adherence"
KEY = f"training/{GROUP}/j/output/model.tar.gz"
CONTEXT = SimpleNamespace(
    function_name="plan-endpoint",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:plan-endpoint",
    aws_request_id="request",
)


@pytest.fixture
def source(repository: Path, tmp_path: Path) -> Path:
    """The training source as the layer has it, with a library of one file."""
    folder = tmp_path / "source"
    (folder / "mlops").mkdir(parents=True)
    (folder / "mlops" / "__init__.py").write_text("")
    shutil.copy(repository / "training" / "inference.py", folder)
    return folder


@pytest.fixture
def plan(registry_table: str, source: Path, scoring_archive: Path, repository: Path) -> Callable[..., dict]:
    """Put the model of the example into service, and run the handler; keywords are variables."""
    s3 = client("s3")
    s3.create_bucket(Bucket="artifact-bucket")
    s3.put_bucket_versioning(Bucket="artifact-bucket", VersioningConfiguration={"Status": "Enabled"})
    content = scoring_archive.read_bytes()
    stored = s3.put_object(Bucket="artifact-bucket", Key=KEY, Body=content)
    digest = hashlib.sha256(content).hexdigest()
    artifact = Artifact(f"s3://artifact-bucket/{KEY}", digest, stored["VersionId"])
    registry = ModelRegistry(True, table_name=registry_table, actor="test")
    registry.register(GROUP, Candidate("LogisticRegression", {}, EvaluationMetrics(), "d", artifact))
    registry.approve_model(GROUP, "v1.0.0")
    registry.promote_model(GROUP, "v1.0.0")
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifact-bucket",
        "REGISTRY_TABLE_NAME": registry_table,
        "NOTIFICATION_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:t",
        "EVENT_BUS_NAME": "default",
        "METRICS_NAMESPACE": "MLOps/test",
        "TRAINING_SOURCE_DIRECTORY": str(source),
        "SERVERLESS_ENDPOINT_GROUPS": f"other, {GROUP}",
        "ENDPOINT_NAME_PREFIX": "mlops-0a1b2c3d",
        "ENDPOINT_IMAGE_URI": "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0",
        "ENDPOINT_MEMORY_MEGABYTES": "2048",
        "ENDPOINT_MAX_CONCURRENCY": "5",
    }

    def run(before: dict | None = None, **changes: str) -> dict:
        event = json.loads((repository / "events" / "plan_endpoint.json").read_text()) | {"plan": before}
        return app.handler(event, CONTEXT, dependencies=Dependencies("plan_endpoint", variables | changes))

    return run


def archive_of(planned: dict, folder: Path) -> set[str]:
    key = planned["model_data_uri"].removeprefix("s3://artifact-bucket/")
    client("s3").download_file("artifact-bucket", key, str(folder / "served.tar.gz"))
    with tarfile.open(folder / "served.tar.gz") as archive:
        return set(archive.getnames())


def test_the_archive_of_a_champion_without_serving_code_is_served_with_it(plan, tmp_path: Path) -> None:
    first = plan()
    assert (first["step"], first["version"]) == ("create model", "v1.0.0")
    assert first["endpoint"] == "mlops-0a1b2c3d-medication-adherence"
    names = archive_of(first, tmp_path)
    assert {"manifest.json", "code/inference.py", "code/packages.zip"} <= names


def test_what_exists_in_sagemaker_decides_the_next_step(plan) -> None:
    sagemaker, role = client("sagemaker"), "arn:aws:iam::123456789012:role/r"
    planned = plan()
    image = {"Image": "image", "ModelDataUrl": planned["model_data_uri"]}
    sagemaker.create_model(ModelName=planned["name"], ExecutionRoleArn=role, PrimaryContainer=image)
    assert plan(planned)["step"] == "create configuration"
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variant = {"VariantName": "champion", "ModelName": planned["name"], "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName=planned["name"], ProductionVariants=[variant])
    assert plan(planned)["step"] == "create endpoint"
    sagemaker.create_endpoint(EndpointName=planned["endpoint"], EndpointConfigName=planned["name"])
    assert plan(planned)["step"] == "done"


def test_the_archive_that_an_endpoint_no_longer_loads_is_deleted(plan) -> None:
    planned = plan()
    served = f"serving/{GROUP}/{planned['name']}/model.tar.gz"
    before = {**planned, "step": "delete model", "previous": planned["name"]}
    before.pop("model_data_uri")
    for groups, expected in (("*", [served]), ("other", [])):  # in the end the group has no endpoint
        plan(before, SERVERLESS_ENDPOINT_GROUPS=groups)
        stored = client("s3").list_object_versions(Bucket="artifact-bucket", Prefix="serving/")
        assert [entry["Key"] for entry in stored.get("Versions", [])] == expected


def test_a_group_that_the_parameter_does_not_name_has_no_endpoint(plan) -> None:
    for names in ("", "other", "medication"):
        assert plan(SERVERLESS_ENDPOINT_GROUPS=names)["step"] == "done"
    assert plan(SERVERLESS_ENDPOINT_GROUPS="*")["step"] == "create model"


def test_an_archive_that_was_not_registered_is_not_served(plan, registry_table: str) -> None:
    registry = ModelRegistry(True, table_name=registry_table, actor="test")
    forged = client("s3").put_object(Bucket="artifact-bucket", Key=KEY, Body=b"another archive")
    artifact = Artifact(f"s3://artifact-bucket/{KEY}", "0" * 64, forged["VersionId"])
    registry.register(GROUP, Candidate("LogisticRegression", {}, EvaluationMetrics(), "d2", artifact))
    registry.approve_model(GROUP, "v1.0.1")
    registry.promote_model(GROUP, "v1.0.1")
    with pytest.raises(ArtifactError, match="is not the registered model"):
        plan()
