"""A deployed stack is backed up, its registry destroyed, and the backup restored into a second stack."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud, local_cloud
from local.deploy import deploy
from local.stack import PARAMETERS, DeployedStack, deploy_application
from tests.conftest import REPOSITORY
from tests.e2e.approvals import run_mlops
from tests.e2e.walks import a_regression_table, score, train_and_decide

pytestmark = pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it")

GROUP, BACKUPS = "houses", "backups-of-the-proof"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(directory=tmp_path_factory.mktemp("cloud")) as running:
        yield running


def test_a_destroyed_stack_goes_on_in_another_one(cloud: LocalCloud) -> None:
    old = deploy_application(cloud)
    table = a_regression_table()
    train_and_decide(old, GROUP, table, 'target = "price"\nid_columns = ["house_id"]\n', "approved")
    rows = table.drop(columns="price").to_csv(index=False).encode()
    score(old, GROUP, "before.csv", rows)
    audit = json.loads(run_mlops(old, "audit", GROUP, "--json"))
    run_mlops(old, "forget", GROUP, "10007", "--yes")
    cloud.client("s3").create_bucket(Bucket=BACKUPS)
    backup = json.loads(run_mlops(old, "backup", f"s3://{BACKUPS}/of", "--json"))
    destroy(old)
    new = DeployedStack(cloud, deploy(cloud, REPOSITORY / "template.yaml", "second", PARAMETERS))
    cloud.confirm_subscriptions()
    restored = json.loads(run_second(new, "restore", backup["backup"], "--yes", "--json"))
    (group,) = restored["groups"]
    assert (group["champion"], group["problem"]) == ("v1.0.0", "")
    again = json.loads(run_second(new, "audit", GROUP, "--json"))
    assert [(e["action"], e["by"], e["at"]) for e in again] == [
        (e["action"], e["by"], e["at"]) for e in audit
    ]
    assert score(new, GROUP, "after.csv", rows).status == "SUCCEEDED"
    assert "10007" not in run_second(new, "forgotten", GROUP, "--again")


def run_second(stack: DeployedStack, *arguments: str) -> str:
    return run_mlops(stack, *arguments, stack_name="second")


def destroy(stack: DeployedStack) -> None:
    """Delete every version of every object, and the tables."""
    s3, dynamodb = stack.cloud.client("s3"), stack.cloud.client("dynamodb")
    for output in ("ArtifactBucketName", "DataBucketName"):
        bucket = stack.outputs[output]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for entry in page.get("Versions", ()):
                s3.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
    for output in ("RegistryTableName", "ApprovalTableName", "PolicyTableName", "FeatureTableName"):
        dynamodb.delete_table(TableName=stack.outputs[output])
