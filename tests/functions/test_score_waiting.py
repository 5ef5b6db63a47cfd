"""The function as EventBridge starts it for a new champion, on moto."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from functions.score_waiting import app
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload
from mlops.models.intake.uploads import UploadRecord, UploadState
from tests.functions.uploads_stage import BUCKET, UploadsStage

GROUP = "medication-adherence"
NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)


def dropped(uploads: UploadsStage, name: str, state: UploadState, *, group: str = GROUP) -> Upload:
    upload = uploads.drop(f"{group}/inference/{name}")
    record = UploadRecord(
        group, upload.upload_id, upload.key, upload.version_id, state, NOW, purpose="inference"
    )
    uploads.versions.record_upload(record)
    return upload


def test_only_the_files_of_the_group_that_wait_are_handed_to_intake(
    uploads: UploadsStage, repository: Path
) -> None:
    waiting = dropped(uploads, "a b+é.csv", "waiting")
    deleted = dropped(uploads, "gone.csv", "waiting")
    dropped(uploads, "scored.csv", "accepted")
    dropped(uploads, "other.csv", "waiting", group="other")
    client("s3").delete_object(Bucket=BUCKET, Key=deleted.key, VersionId=str(deleted.version_id))
    event = json.loads((repository / "events/score_waiting.json").read_text("utf-8"))
    assert uploads.handle(app, event) == {"group": GROUP, "n_started": 1}
    assert uploads.started == [waiting]
