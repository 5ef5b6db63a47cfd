"""A group whose champion has scored rows with known outcomes, on the stage of approvals."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import numpy as np

from mlops.context.dependencies import Dependencies
from mlops.dataset.catalog.acceptance import AcceptedFile, accept_dataset
from mlops.dataset.validation.validate import validate
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.labels.recording import LabelFile, record_labels
from mlops.ledger.recording import record_batch
from mlops.models.dataset import DatasetVersion
from mlops.models.intake.retraining import Retraining
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.quality import LabelCounts, QualityPart, QualityReport, QualityScore
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.quality.quality_state import QualityState
from tests.functions.approval_stage import CONTEXT, GROUP, Stage, a_candidate, an_http_event
from tests.unit.ledger.conftest import write_csv

RETRAINING_URL = "https://api.example.com/retrainings"
HEADER = ("patient_id", "age", "region", "outcome")
DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
PROPOSE = '[retrain]\npolicy = "propose"\nmin_new_rows = 50\n'


def some_rows(n: int, first: int = 1, seed: int = 0) -> list[tuple[object, ...]]:
    """Rows of the group: an id, a number, a category, and the outcome that follows from them."""
    rng = np.random.default_rng(seed)
    ages = np.round(rng.normal(50, 12, n), 1).tolist()
    regions = rng.choice(["north", "south", "west"], n).tolist()
    outcomes = np.where(rng.random(n) < 0.5, "yes", "no").tolist()
    return [(f"P{first + i}", *row) for i, row in enumerate(zip(ages, regions, outcomes, strict=True))]


class RetrainingStage:
    """The parts of the stack, and what was sent."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder, self.group = stage, folder, GROUP
        client("s3").create_bucket(Bucket="uploads")
        client("s3").put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        stage.variables |= {
            "DATA_BUCKET_NAME": "uploads",
            "RETRAINING_BASE_URL": RETRAINING_URL,
            "TRAIN_MODEL_STATE_MACHINE_ARN": stage.machine,
        }
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.now = DAY + timedelta(days=20)
        self.parts = self._parts("test")
        self.store = self.parts.retraining_store

    def _parts(self, function: str) -> Dependencies:
        parts = Dependencies(function, self.stage.variables, now=lambda: self.now)
        parts.link_signer = self.stage.signer
        notifier = parts.notifier
        publish = self.events

        class Kept:
            send_email = staticmethod(notifier.send_email)
            publish_metrics = staticmethod(notifier.publish_metrics)

            @staticmethod
            def publish_event(detail_type: str, detail: dict[str, Any]) -> None:
                publish.append((detail_type, json.loads(json.dumps(detail))))

        parts.notifier = Kept()  # type: ignore[assignment]
        return parts

    def write_settings(self, text: str) -> None:
        """Drop `model.toml`."""
        body = f'target = "outcome"\nid_columns = "patient_id"\n{text}'.encode()
        client("s3").put_object(Bucket="uploads", Key=f"{GROUP}/model.toml", Body=body)

    def accept(
        self, rows: list[tuple[object, ...]], name: str = "train.csv", header=HEADER
    ) -> DatasetVersion:
        """Accept a training file."""
        path = write_csv(self.folder / name, header, rows)
        key = f"{GROUP}/training/{name}"
        stored = client("s3").put_object(Bucket="uploads", Key=key, Body=path.read_bytes())
        settings = GroupSettings(target="outcome", id_columns=("patient_id",))
        report = validate(path, settings)
        assert report.verdict != "reject", report.findings
        upload = Upload("uploads", key, stored["VersionId"], path.stat().st_size)
        self.now += timedelta(seconds=1)
        return accept_dataset(AcceptedFile(upload, GROUP, report, settings), self.parts.datasets, self.now)

    def promote(self, dataset: DatasetVersion) -> ModelMetadata:
        """Put a version that was trained on a dataset into service."""
        candidate = a_candidate(
            dataset_version=dataset.dataset_id,
            features=("age", "region"),
            target="outcome",
            comparison=None,
            settings=GroupSettings(target="outcome", id_columns=("patient_id",)),
        )
        metrics = replace(candidate.metrics, labels=("no", "yes"), positive_label="yes")
        registry = self.parts.registry
        version = registry.register(GROUP, replace(candidate, metrics=metrics)).model.version
        registry.approve_model(GROUP, version, by="ada", reason="good")
        return registry.promote_model(GROUP, version, by="ada", reason="good").model

    def score(
        self, rows: list[tuple[object, ...]], batch_id: str = "b1", *, kept=("age", "region"), at=DAY
    ) -> None:
        """Record predictions: every second one is `yes`."""
        columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", list(kept))
        cells = [
            (
                i,
                row[0],
                ("no", "yes")[i % 2],
                0.5,
                0.5,
                "scored",
                "v1.0.0",
                *(row[HEADER.index(c)] for c in kept),
            )
            for i, row in enumerate(rows, start=1)
        ]
        path = write_csv(self.folder / batch_id / "predictions.csv", columns.names, cells)
        record_batch(
            ScoredBatch(GROUP, batch_id, "march.csv", "v1.0.0", at), path, columns, self.parts.ledger
        )

    def label(
        self, rows: list[tuple[object, ...]], upload_id: str = "u1", at: datetime | None = None
    ) -> None:
        """Record the outcomes of rows."""
        header = ("label_row", "patient_id", "batch_id", "row", "label", "label_time")
        cells = [(i, row[0], "", "", row[3], "") for i, row in enumerate(rows, start=1)]
        path = write_csv(self.folder / upload_id / "labels.csv", header, cells)
        file = LabelFile(GROUP, upload_id, "labels.csv", at or DAY + timedelta(days=5))
        record_labels(file, path, ("patient_id",), self.parts.label_files)

    def drop_quality(self) -> None:
        """Let the measurement have found a drop."""
        archive = self.parts.quality_archive
        approved = QualityScore(0.61)
        overall = QualityPart(
            "overall",
            "all",
            80,
            80,
            {"roc_auc": QualityScore(0.4)},
            None,
            approved,
            0.001,
            "DROPPED",
        )
        archive.write_report(
            QualityReport(
                GROUP,
                "v1.0.0",
                self.now.date(),
                self.now,
                "binary",
                "roc_auc",
                "DROPPED",
                overall,
                LabelCounts(80, 80),
                window_days=90,
                min_labels=50,
            )
        )
        archive.write_state(GROUP, QualityState("DROPPED", is_dropped=True))

    def handle(self, app: ModuleType, event: dict[str, Any]) -> dict[str, Any]:
        """Run a handler as a new worker does."""
        answer: dict[str, Any] = app.handler(event, CONTEXT, dependencies=self._parts(app.DEPENDENCIES.actor))
        return answer

    def visit(self, app: ModuleType, link: str, method: str = "GET", **form: str) -> dict[str, Any]:
        """Open the page of a proposal, or send its form."""
        token = link.removeprefix(f"{RETRAINING_URL}/")
        event = an_http_event(token, method, body=urlencode(form), route="/retrainings/{token}")
        return self.handle(app, event)

    def emails(self) -> list[dict[str, Any]]:
        """Return the emails to the subscribers of the notifications."""
        return self.stage.emails(self.stage.notifications)

    def link(self) -> str:
        """Return the link in the last email."""
        return re.search(rf"^{RETRAINING_URL}/\S+$", self.emails()[-1]["body"], re.MULTILINE)[0]

    def newest(self) -> Retraining:
        newest = self.store.newest(GROUP)
        assert newest is not None
        return newest

    def executions(self) -> set[str]:
        """Return the names of all executions of the machine."""
        listed = client("stepfunctions").list_executions(stateMachineArn=self.stage.machine)
        return {execution["name"] for execution in listed["executions"]}

    def training_set(self, retraining: Retraining) -> list[list[str]]:
        """Return the records of the training set of a started retraining."""
        dataset = self.parts.versions.find_dataset(GROUP, str(retraining.dataset_id))
        assert dataset is not None
        text = self.parts.objects.read(dataset.ref).decode()
        return list(csv.reader(io.StringIO(text)))
