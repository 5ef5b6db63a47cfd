"""The MergePredictions function over moto: the sample event, and what it leaves behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from functions.merge_predictions import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.recording import record_batch

CONTEXT = SimpleNamespace(
    function_name="merge_predictions",
    function_version="1",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:merge_predictions",
    aws_request_id="1",
)


def test_the_days_before_the_night_of_the_event_become_one_file_each(
    registry_table: str, repository: Path, tmp_path: Path
) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="artifact-bucket")
    s3.put_bucket_versioning(Bucket="artifact-bucket", VersioningConfiguration={"Status": "Enabled"})
    variables = {"ARTIFACT_BUCKET_NAME": "artifact-bucket", "REGISTRY_TABLE_NAME": registry_table}
    dependencies = Dependencies("merge_predictions", variables)
    event = json.loads((repository / "events" / "merge_predictions.json").read_text())
    (tmp_path / "predictions.csv").write_text("id,prediction,model_version\n1,2.5,v1.0.0\n")
    for number, day in enumerate((20, 21, 21, 22, 22)):
        scored_at = datetime(2026, 11, day, 1, tzinfo=UTC)
        batch = ScoredBatch("houses", f"b{number}", "new.csv", "v1.0.0", scored_at)
        record_batch(batch, tmp_path / "predictions.csv", None, dependencies.ledger)
    answer = app.handler(event, CONTEXT, dependencies)
    assert answer == {"days": [{"group": "houses", "day": "2026-11-21", "n_files": 2, "n_rows": 2}]}
    versions = s3.list_object_versions(Bucket="artifact-bucket")
    names = [version["Key"].split("/", 2)[2] for version in versions["Versions"]]
    assert sorted(name.split("-")[2] for name in names) == ["20/batch", "21/day", "22/batch", "22/batch"]
    assert "DeleteMarkers" not in versions
    assert app.handler(event, CONTEXT, dependencies) == {"days": []}
