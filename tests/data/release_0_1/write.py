"""Writes this folder with release 0.1 of the library; see README.md. It does not run on a later release."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import boto3
import moto
import numpy as np
import pandas as pd
from mlops.approval.dynamodb import ApprovalTable, RollbackTable
from mlops.approval.signing_keys import SigningKeys
from mlops.dataset.versions_dynamodb import DynamoDatasetVersions
from mlops.dataset.versions_filesystem import FilesystemDatasetVersions
from mlops.experiment.dynamodb import DynamoDBRuns
from mlops.experiment.filesystem import FilesystemRuns
from mlops.registry.dynamodb import DynamoDBRegistry
from mlops.registry.filesystem import FilesystemRegistry

from mlops.approval.links import make_token
from mlops.dataset.catalog import DatasetCatalog
from mlops.experiment.tracker import ExperimentTracker
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.model_registry import ModelRegistry

sys.path.insert(0, str(Path(__file__).parent))
import scenario

HERE = Path(__file__).parent
KEYS = {"partition": ("pk", "HASH"), "sort": ("sk", "RANGE")}


def table(name: str) -> str:
    """Create a table with the keys, and the index, of the template."""
    keys = [{"AttributeName": key, "KeyType": kind} for key, kind in KEYS.values()]
    index = {
        "IndexName": "OpenIndex",
        "KeySchema": [{"AttributeName": "open_kind", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    attributes = [{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "open_kind")]
    boto3.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=attributes,
        GlobalSecondaryIndexes=[index],
    )  # fmt: skip
    return name


def items(name: str) -> list[dict]:
    """Return every item, by key, in DynamoDB's own form with bytes as hex."""
    stored = boto3.client("dynamodb").scan(TableName=name)["Items"]
    for item in stored:
        for value in item.values():
            if "B" in value:
                value["B"] = value["B"].hex()
    return sorted(stored, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def write_tables() -> None:
    """Write what the scenario leaves in a deployed stack's tables."""
    os.environ |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test")
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    with moto.mock_aws():
        boto3.client("s3").create_bucket(Bucket="artifacts")
        registry = ModelRegistry(store=DynamoDBRegistry(table("registry")), now=scenario.Clock())
        scenario.drive_registry(registry)
        scenario.drive_datasets(DynamoDatasetVersions("registry"))
        tracker = ExperimentTracker(DynamoDBRuns("registry", "artifacts"), now=scenario.Clock())
        scenario.drive_runs(tracker, registry.get_model(scenario.GROUP, "v1.0.0"))
        scenario.drive_approvals(ApprovalTable(table("approvals")), RollbackTable("approvals"))
        document = {name: items(name) for name in ("registry", "approvals")}
    (HERE / "tables.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def write_files(root: Path) -> None:
    """Write what the scenario leaves on a laptop below the folder `local`."""
    registry = ModelRegistry(store=FilesystemRegistry(root / "model-registry"), now=scenario.Clock())
    scenario.drive_registry(registry)
    scenario.drive_datasets(FilesystemDatasetVersions(root / "datasets" / "records"))
    tracker = ExperimentTracker(FilesystemRuns(root / "experiment-runs"), now=scenario.Clock())
    scenario.drive_runs(tracker, registry.get_model(scenario.GROUP, "v1.0.0"))
    catalog = DatasetCatalog.in_files(root / "datasets", root / "model-registry")
    for extra in (0, 20):
        path = HERE / "train.csv"
        a_table(120 + extra).to_csv(path, index=False)
        catalog.add("catalog", path, now=scenario.START + timedelta(minutes=extra))
        path.unlink()


def write_documents(root: Path) -> None:
    """Write the JSON documents of a trained model, without the model."""
    path = root / "train.csv"
    a_table(200).to_csv(path, index=False)
    TrainingPipeline({"algorithm": "RandomForest", "n_estimators": 5}).execute(path, root / "model")
    for document in (root / "model").glob("*.json"):
        (HERE / "documents" / document.name).write_text(document.read_text())


def a_table(rows: int) -> pd.DataFrame:
    """Return a table that a model can learn from."""
    rng = np.random.default_rng(1)
    age, region = rng.integers(20, 80, rows), rng.choice(["north", "south"], rows)
    return pd.DataFrame({"age": age, "region": region, "stopped": (age + rng.normal(0, 9, rows) > 50) * 1})


def write_link() -> None:
    """Write the link of one approver."""
    keys = SigningKeys((scenario.KEY.encode(),))
    request, approver = scenario.approval_request(), "ada@example.com"
    token = make_token(request, scenario.APPROVAL_ID, approver, keys=keys, now=scenario.START)
    (HERE / "link.txt").write_text(f"{token}\n")


if __name__ == "__main__":
    (HERE / "documents").mkdir(exist_ok=True)
    write_link()
    write_tables()
    write_files(HERE / "local")
    scratch = Path("/tmp/release-0.1")
    scratch.mkdir(exist_ok=True)
    write_documents(scratch)
