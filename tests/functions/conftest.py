"""The stage on which asking and answering is tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.archive import pack, sha256_of
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.use_cases import score_ranges
from tests.conftest import create_table
from tests.functions.approval_stage import Stage, moto_with_executions
from tests.functions.parts_stage import PartsStage
from tests.functions.scoring_stage import RangesStage
from tests.functions.uploads_stage import UploadsStage

REPEATS = 160  # of the rows of the example: several blocks of the reader


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, atomic_dynamodb: None):
    with moto_with_executions(monkeypatch):
        create_table("registry", "pk", "sk")
        create_table("policies", "pk", "sk")
        create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
        yield Stage()


@pytest.fixture
def parts_stage(registry_table: str, repository: Path) -> PartsStage:
    """Buckets, table and machine for a folder of parts."""
    return PartsStage(repository, registry_table)


@pytest.fixture(scope="session")
def scoring_archive(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the example, as a training job leaves it."""
    folder, example = tmp_path_factory.mktemp("model"), repository / "examples" / "medication-adherence"
    settings = GroupSettings.from_toml((example / "model.toml").read_text())
    TrainingPipeline(settings).execute(example / "train.csv", folder / "model")
    pack(folder / "model", folder / "model.tar.gz")
    return folder / "model.tar.gz"


@pytest.fixture
def scoring_event(aws, repository: Path, scoring_archive: Path) -> dict[str, Any]:
    """The sample event, with the versions that the objects really have."""
    document = json.loads((repository / "events" / "run_inference.json").read_text())
    s3 = client("s3")
    for bucket in ("artifact-bucket", "data-bucket"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    artifact = document["model"]["artifact"]
    key = artifact["uri"].removeprefix("s3://artifact-bucket/")
    stored = s3.put_object(Bucket="artifact-bucket", Key=key, Body=scoring_archive.read_bytes())
    artifact.update(sha256=sha256_of(scoring_archive), version_id=stored["VersionId"])
    rows = (repository / "examples" / "medication-adherence" / "score.csv").read_bytes()
    upload = document["upload"]
    stored = s3.put_object(Bucket="data-bucket", Key=upload["key"], Body=rows)
    upload["version_id"] = stored["VersionId"]
    return document


@pytest.fixture
def ranges_stage(scoring_event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> RangesStage:
    """The sample event for a file of several ranges of 39,520 rows."""
    monkeypatch.setattr(score_ranges, "RANGE_BYTES", 1)
    upload, s3 = scoring_event["upload"], client("s3")
    header, *rows = s3.get_object(Bucket="data-bucket", Key=upload["key"])["Body"].read().splitlines(True)
    stored = s3.put_object(Bucket="data-bucket", Key=upload["key"], Body=header + b"".join(rows) * REPEATS)
    upload["version_id"] = stored["VersionId"]
    return RangesStage(scoring_event)


@pytest.fixture
def uploads(registry_table: str) -> UploadsStage:
    """A data bucket whose files are handed to intake."""
    return UploadsStage(registry_table)


@pytest.fixture
def link(stage) -> str:
    """The link of the one approver of v1.0.0."""
    stage.subscribe("ada@example.com")
    return stage.ask(stage.register())[0]
