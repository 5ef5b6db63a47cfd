"""The RecordPredictions function over moto: the sample event, and what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.record_predictions import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.ledger.reading import FolderEngine, Predictions
from mlops.ledger.sql import Selection
from mlops.models.errors import LedgerError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import BatchFile, BatchManifest, BatchSummary

CONTEXT = SimpleNamespace(
    function_name="record_predictions",
    function_version="1",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:record_predictions",
    aws_request_id="1",
)
GROUP = "medication-adherence"
ROWS = b"""\
patient_id,prediction,probability,model_version
P1,yes,0.9,v1.0.0
P2,no,0.2,v1.0.0
P3,yes,0.6,v1.0.0
"""
SCORED_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def dependencies(registry_table: str) -> Dependencies:
    client("s3").create_bucket(Bucket="artifact-bucket")
    client("s3").put_bucket_versioning(
        Bucket="artifact-bucket", VersioningConfiguration={"Status": "Enabled"}
    )
    variables = {"ARTIFACT_BUCKET_NAME": "artifact-bucket", "REGISTRY_TABLE_NAME": registry_table}
    return Dependencies("record_predictions", variables)


@pytest.fixture
def event(repository: Path, dependencies: Dependencies) -> dict[str, Any]:
    """The sample event, after its batch was delivered; its file was overwritten later."""
    document: dict[str, Any] = json.loads((repository / "events" / "record_predictions.json").read_text())
    summary = BatchSummary.from_dict(document["detail"])
    delivered = ObjectRef.from_uri(summary.predictions_uri)
    stored = dependencies.objects.write(delivered, ROWS, "text/csv")
    source = ObjectRef("data-bucket", f"{GROUP}/inference/week 9/märz.csv", "1")
    files = {"predictions.csv": BatchFile(sha256(ROWS).hexdigest(), stored.version_id)}
    manifest = BatchManifest(summary, "v1.0.0", "0" * 64, source, SCORED_AT, files, source_sha256="ab12")
    place = ObjectRef(delivered.bucket, delivered.key.replace("predictions.csv", "manifest.json"))
    dependencies.objects.write(place, manifest.to_json().encode(), "application/json")
    dependencies.objects.write(delivered, b"prediction,model_version\nother,v1.0.0\n", "text/csv")
    return document


def ledger_keys() -> list[str]:
    versions = client("s3").list_object_versions(Bucket="artifact-bucket", Prefix="ledger/")
    return [version["Key"] for version in versions.get("Versions", [])]


def test_the_batch_of_the_event_is_in_the_ledger_once_however_often_it_comes(
    event: dict[str, Any], dependencies: Dependencies, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [app.handler(event, CONTEXT, dependencies) for _ in range(2)]
    batch_id = event["detail"]["batch_id"]
    assert answers[0] == answers[1]
    assert answers[0] == {"group": GROUP, "batch_id": batch_id, "n_rows": 3, "model_version": "v1.0.0"}
    (key,) = ledger_keys()
    assert key == f"ledger/model_group={GROUP}/batch_date=2026-03-02/batch-{batch_id}.parquet"
    copy = tmp_path / key.removeprefix("ledger/")
    copy.parent.mkdir(parents=True)
    client("s3").download_file("artifact-bucket", key, str(copy))
    predictions = Predictions(dependencies.ledger.batches, FolderEngine(tmp_path))
    rows = predictions.select(Selection(GROUP)).records()
    assert [(row["row"], row["patient_id"], row["prediction"], row["file"]) for row in rows] == [
        (number, f"P{number}", prediction, "week 9/märz.csv")
        for number, prediction in enumerate(("yes", "no", "yes"), 1)
    ]
    assert {row["input_digest"] for row in rows} == {"ab12"}
    assert "P1" not in repr([vars(entry) for entry in caplog.records])


def test_a_batch_that_was_deleted_is_an_error(event: dict[str, Any], dependencies: Dependencies) -> None:
    event["detail"]["predictions_uri"] = "s3://artifact-bucket/predictions/g/gone/predictions.csv"
    with pytest.raises(ObjectNotFoundError, match=r"predictions/g/gone/manifest\.json"):
        app.handler(event, CONTEXT, dependencies)


def test_a_file_that_is_not_the_one_of_the_batch_is_an_error_and_leaves_nothing(
    event: dict[str, Any], dependencies: Dependencies, caplog: pytest.LogCaptureFixture
) -> None:
    delivered = ObjectRef.from_uri(event["detail"]["predictions_uri"])
    place = ObjectRef(delivered.bucket, delivered.key.replace("predictions.csv", "manifest.json"))
    manifest = json.loads(dependencies.objects.read(place))
    manifest["files"]["predictions.csv"]["version_id"] = None
    dependencies.objects.write(place, json.dumps(manifest).encode(), "application/json")
    with pytest.raises(LedgerError, match="is not the file that the manifest of its batch names"):
        app.handler(event, CONTEXT, dependencies)
    assert ledger_keys() == []


def test_a_folder_of_another_name_is_read_by_the_address_in_the_event(
    event: dict[str, Any], dependencies: Dependencies, with_folder: Callable[[str], str]
) -> None:
    event["detail"]["predictions_uri"] = with_folder(event["detail"]["predictions_uri"])
    assert app.handler(event, CONTEXT, dependencies)["n_rows"] == 3


@pytest.fixture
def with_folder(dependencies: Dependencies) -> Callable[[str], str]:
    """Moves the files of a batch into a folder of another name."""

    def move(uri: str) -> str:
        source = ObjectRef.from_uri(uri)
        folder = source.key.rpartition("/")[0]
        manifest = json.loads(
            dependencies.objects.read(ObjectRef("artifact-bucket", f"{folder}/manifest.json"))
        )
        target = ObjectRef(
            "artifact-bucket", "predictions/medication-adherence/2026-03-02/march-8a1f/predictions.csv"
        )
        stored = dependencies.objects.write(target, ROWS, "text/csv")
        manifest["files"]["predictions.csv"]["version_id"] = stored.version_id
        place = ObjectRef("artifact-bucket", target.key.replace("predictions.csv", "manifest.json"))
        dependencies.objects.write(place, json.dumps(manifest).encode(), "application/json")
        return target.uri

    return move
