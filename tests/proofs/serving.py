"""A day in service, each function in a process of its own: a file is scored, the night finds drift."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.upload_events import Upload
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.requests import ScoredRequest
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.scored_table import ScoredTable
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.artifacts.archive import pack
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.store import RegistryStore
from tests.conftest import create_table
from tests.proofs.walk import PATIENTS, Walk
from tests.proofs.world import Runner

ONE_PLAN = "patient_id,age,plan\n" + "".join(f"P{number},{20 + number % 60},a\n" for number in range(130))


class ServingDay(Walk):
    """One group's file from the bucket to predictions and the nightly check; the registry is its own."""

    def to_the_end(self) -> dict[str, Any]:
        """Score, check, record, merge, and return the final state."""
        model = self._put_into_service(self._own_registry())
        content = ONE_PLAN.encode()
        key = f"{self.group}/inference/a.csv"
        stored = self.world.cloud.client("s3").put_object(Bucket="data", Key=key, Body=content)
        upload = Upload("data", key, stored["VersionId"], len(content))
        self.names |= {upload.upload_id: "UPLOAD"}
        request = {"group": self.group, "batch_id": upload.upload_id, "upload": upload.to_dict()}
        settings = {"target": "offtrt", "id_columns": ["patient_id"]}
        request |= {"model": model, "settings": settings}
        scored = self._score(request)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        checked = self.step("check_drift", {"scheduled_at": tomorrow.isoformat()})
        assert [group["verdict"] for group in checked["groups"]] == ["ALERT"], checked
        self.step("record_predictions", {"detail": scored})
        self._await_approval(request)
        assert self.step("score_shadow", {"detail": scored})["version"] == "v1.0.1"
        self._store_another_batch()
        message = {"messageId": "1", "body": self._a_request().to_message()}
        assert self.step("record_requests", {"Records": [message]}) == {"batchItemFailures": []}
        self.step("merge_predictions", {"scheduled_at": tomorrow.isoformat()})
        (day,) = self._ledger_keys()
        self.names |= {day.rpartition("/day-")[2].removesuffix(".parquet"): "DAY"}
        state = self.state() | {"scored": self._plain(scored), "files": self._files(upload.upload_id)}
        n_rows, n_in_shadow = self._rows_of_the_ledger()
        return state | {"rows in the ledger": n_rows, "rows scored in shadow": n_in_shadow}

    def _own_registry(self) -> str:
        """Make a registry of this walk alone, and return its table."""
        table = f"registry-{self.group}"
        create_table(table, "pk", "sk", dynamodb=self.world.cloud.client("dynamodb"))
        self._use({"REGISTRY_TABLE_NAME": table})
        return table

    def _use(self, variables: dict[str, str]) -> None:
        """Run the functions with other values of some variables."""
        self.world = replace(self.world, variables={**self.world.variables, **variables})
        self.runner = Runner(self.world)

    def _score(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the summary of the batch."""
        summary: dict[str, Any] = self.step("run_inference", request)
        return summary

    def _put_into_service(self, table: str) -> dict[str, Any]:
        s3 = self.world.cloud.client("s3")
        archive, baseline = a_model()["archive"], a_model()["baseline"]
        key = f"training/{self.group}/model.tar.gz"
        stored = s3.put_object(Bucket="artifacts", Key=key, Body=archive)
        digest = hashlib.sha256(archive).hexdigest()
        artifact = Artifact(f"s3://artifacts/{key}", digest, stored["VersionId"])
        store = RegistryStore(DynamoDBTable(table, dynamodb=self.world.cloud.client("dynamodb")))
        registry = ModelRegistry(store=store, actor="proof")
        candidate = Candidate("LogisticRegression", {}, EvaluationMetrics(), "d", artifact)
        version = registry.register(self.group, candidate).model.version
        registry.approve_model(self.group, version)
        registry.promote_model(self.group, version)
        key = f"models/{self.group}/{version}/baseline_statistics.json"
        s3.put_object(Bucket="artifacts", Key=key, Body=baseline)
        return {"version": version, "artifact": artifact.to_dict(), "source_uri": None}

    def _await_approval(self, request: dict[str, Any]) -> None:
        """Let a candidate with the same model wait for approval, and store the request as intake does."""
        self._use({"LAMBDA_SCORING_LIMIT_BYTES": "1000000"})
        table = DynamoDBTable(f"registry-{self.group}", dynamodb=self.world.cloud.client("dynamodb"))
        registry = ModelRegistry(store=RegistryStore(table), actor="proof")
        artifact = Artifact.from_dict(request["model"]["artifact"])
        candidate = Candidate("LogisticRegression", {}, EvaluationMetrics(), "newer", artifact)
        version = registry.register(self.group, candidate).model.version
        registry.request_approval(self.group, version, "hash")
        key = f"predictions/{self.group}/{request['batch_id']}/request.json"
        body = json.dumps(request).encode()
        self.world.cloud.client("s3").put_object(Bucket="artifacts", Key=key, Body=body)

    def _files(self, batch_id: str) -> dict[str, Any]:
        """Return what must be the same: the predictions that the manifest names, and the alert state."""
        folder = f"predictions/{self.group}/{batch_id}"
        manifest = self._read(f"{folder}/manifest.json")
        actual = manifest["files"]["predictions.csv"]
        stored = self.world.cloud.client("s3").get_object(
            Bucket="artifacts", Key=f"{folder}/predictions.csv", VersionId=actual["version_id"]
        )
        content = stored["Body"].read()
        assert hashlib.sha256(content).hexdigest() == actual["sha256"]
        assert content.count(b"\n") == ONE_PLAN.count("\n")
        state = self._read(f"drift/{self.group}/state.json")
        return {"predictions": actual["sha256"], "state": self._plain(state)}

    def _store_another_batch(self) -> None:
        """Store the rows of the batch once more, so that the day has two files."""
        (key,) = self._ledger_keys()
        source = {"Bucket": "artifacts", "Key": key}
        target = key.replace("/batch-", "/batch-copy-of-")
        self.world.cloud.client("s3").copy_object(Bucket="artifacts", Key=target, CopySource=source)

    def _a_request(self) -> ScoredRequest:
        """Return what `predict` puts into the queue for one row."""
        batch = ScoredBatch(self.group, "request-1", "request", "v1.0.0", datetime.now(UTC))
        columns = PredictionColumns.of(["patient_id"], ["0", "1"], "row_status", [])
        row = ("1", "P1", "1", "0.25", "0.75", "scored", "v1.0.0")
        return ScoredRequest(batch, ScoredTable(columns, (row,)))

    def _rows_of_the_ledger(self) -> tuple[int, int]:
        """Return how many rows the one file of the day has, and how many a candidate has scored as well."""
        (key,) = self._ledger_keys()
        with TemporaryDirectory() as folder:
            path = f"{folder}/day.parquet"
            self.world.cloud.client("s3").download_file("artifacts", key, path)
            counted = f"SELECT count(*), count(shadow_prediction) FROM read_parquet('{path}')"
            ((n_rows, n_in_shadow),) = duckdb.sql(counted).fetchall()
            return n_rows, n_in_shadow

    def _ledger_keys(self) -> list[str]:
        listed = self.world.cloud.client("s3").list_objects_v2(
            Bucket="artifacts", Prefix=f"ledger/model_group={self.group}/"
        )
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def _read(self, key: str) -> Any:
        body = self.world.cloud.client("s3").get_object(Bucket="artifacts", Key=key)["Body"]
        return json.loads(body.read())


class RangesDay(ServingDay):
    """The same day, with the file scored in ranges of its rows."""

    def _score(self, request: dict[str, Any]) -> dict[str, Any]:
        listed = self.step("list_ranges", request)
        body = self.world.cloud.client("s3").get_object(
            Bucket=listed["ranges"]["bucket"], Key=listed["ranges"]["key"]
        )["Body"]
        for row_range in json.loads(body.read()):
            self.step("score_range", {"request": listed["request"], "range": row_range})
        summary: dict[str, Any] = self.step("merge_ranges", {"request": listed["request"]})
        return summary


@cache
def a_model() -> Mapping[str, bytes]:
    """Train the one model that all walks put into service."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.csv").write_text(PATIENTS)
        config = {"target": "offtrt", "id_columns": "patient_id", "algorithm": "LogisticRegression"}
        TrainingPipeline(config).execute(folder / "train.csv", folder / "model")
        pack(folder / "model", folder / "model.tar.gz")
        return {
            "archive": (folder / "model.tar.gz").read_bytes(),
            "baseline": (folder / "model" / "baseline_statistics.json").read_bytes(),
        }
