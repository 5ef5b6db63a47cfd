"""The MeasureQuality function over moto: labels of a group with a champion and a ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functions.measure_quality import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.labels.recording import LabelFile, record_labels
from mlops.ledger.recording import record_batch
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.quality import QualityReport
from mlops.models.training import EvaluationMetrics
from tests.unit.ledger.conftest import write_csv

GROUP = "medication-adherence"
NIGHT = {"scheduled_at": "2026-03-20T02:30:00Z"}


@dataclass
class LambdaContext:
    function_name: str = "measure_quality"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:measure_quality"
    aws_request_id: str = "1"


@dataclass
class Recorder:
    """A notifier that keeps what is sent."""

    emails: list[tuple[str, str]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        self.emails.append((subject, body))

    def publish_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        self.events.append((detail_type, json.loads(json.dumps(detail))))

    def publish_metrics(self, metrics: Any, *, group: str | None) -> None:
        self.metrics |= {metric.name: metric.value for metric in metrics}


class Stage:
    """A stack with a champion that was approved with a ROC AUC of 0.76."""

    def __init__(self, table: str, folder: Path) -> None:
        for bucket in ("artifact-bucket", "data-bucket"):
            client("s3").create_bucket(Bucket=bucket)
            client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        variables = {
            "ARTIFACT_BUCKET_NAME": "artifact-bucket",
            "DATA_BUCKET_NAME": "data-bucket",
            "REGISTRY_TABLE_NAME": table,
        }
        self.notified = Recorder()
        self.dependencies = Dependencies(
            "measure_quality", variables, now=lambda: datetime(2026, 3, 19, tzinfo=UTC)
        )
        self.dependencies.notifier = self.notified
        self._folder = folder
        self._rng = np.random.default_rng(0)
        metrics = EvaluationMetrics(
            roc_auc=0.76,
            primary="roc_auc",
            intervals={"roc_auc": (0.73, 0.79)},
            labels=("no", "yes"),
            positive_label="yes",
            task="binary",
        )
        registry = self.dependencies.registry
        artifact = Artifact("s3://artifact-bucket/m", "0")
        registry.register(GROUP, Candidate("Ridge", {}, metrics, "d1", artifact, task="binary"))
        registry.approve_model(GROUP, "v1.0.0")
        registry.promote_model(GROUP, "v1.0.0")

    def score_and_label(self, day: int, *, distance: float, n: int = 400, has_labels: bool = True) -> None:
        """One batch of a day, whose labels come two days later."""
        y = (self._rng.random(n) < 0.3).astype(int)
        probability = 1 / (1 + np.exp(-self._rng.normal(distance * y, 1.0)))
        columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", [])
        rows = [
            (i, f"P{day}-{i}", "yes" if p >= 0.5 else "no", round(1 - p, 9), round(p, 9), "scored", "v1.0.0")
            for i, p in enumerate(probability.tolist(), start=1)
        ]
        at = datetime(2026, 3, day, 8, tzinfo=UTC)
        path = write_csv(self._folder / f"{day}" / "predictions.csv", columns.names, rows)
        batch = ScoredBatch(GROUP, f"batch{day}", "march.csv", "v1.0.0", at)
        record_batch(batch, path, columns, self.dependencies.ledger)
        if has_labels:
            cells = [
                (i, f"P{day}-{i}", "", "", ("no", "yes")[label], "") for i, label in enumerate(y, start=1)
            ]
            self.label(f"u{day}", cells, at.replace(day=day + 2))

    def label(self, upload_id: str, cells: list[tuple[object, ...]], at: datetime) -> None:
        """A file of labels."""
        header = ("label_row", "patient_id", "batch_id", "row", "label", "label_time")
        path = write_csv(self._folder / upload_id / "labels.csv", header, cells)
        file = LabelFile(GROUP, upload_id, "labels.csv", at)
        record_labels(file, path, ("patient_id",), self.dependencies.label_files)

    def measure(self, event: dict[str, Any]) -> dict[str, Any]:
        return app.handler(event, LambdaContext(), self.dependencies)


@pytest.fixture
def stage(registry_table: str, tmp_path: Path) -> Stage:
    return Stage(registry_table, tmp_path)


@pytest.fixture
def labels_event(repository: Path) -> Callable[..., dict[str, Any]]:
    document = json.loads((repository / "events/measure_quality.json").read_text())
    return lambda upload_id: {**document, "detail": {**document["detail"], "upload_id": upload_id}}


def test_quality_as_approved_is_reported_measured_and_announced_by_an_event_alone(
    stage: Stage, labels_event: Callable[..., dict[str, Any]]
) -> None:
    stage.score_and_label(2, distance=1.0)
    answer = stage.measure(labels_event("u2"))
    (result,) = answer["groups"]
    assert (result["verdict"], result["n_labels"]) == ("OK", 400)
    assert result["report_uri"].endswith(f"quality/{GROUP}/2026-03-19/quality_report.html")
    assert stage.notified.emails == []
    assert [name for name, _ in stage.notified.events] == ["QualityMeasured"]
    assert stage.notified.metrics["LabelledPredictions"] == 400
    assert stage.notified.metrics["RealisedQuality"] == pytest.approx(0.76, abs=0.06)
    report = stage.dependencies.quality_archive.last_report(GROUP)
    assert isinstance(report, QualityReport)
    assert (report.counts.n_matched, report.overall.verdict) == (400, "OK")
    page = client("s3").get_object(
        Bucket="artifact-bucket", Key=f"quality/{GROUP}/2026-03-19/quality_report.html"
    )
    assert b"The quality is as approved." in page["Body"].read()


def test_a_drop_and_its_end_are_emailed_once_each(stage: Stage) -> None:
    for day in (2, 3):
        stage.score_and_label(day, distance=1.0)
    stage.score_and_label(4, distance=0.0)
    for _ in range(3):
        stage.measure(NIGHT)
    ((subject, body),) = stage.notified.emails
    assert subject == f"[{GROUP}] Quality dropped below the approved score"
    assert "2026-03-04" in body
    assert [name for name, _ in stage.notified.events].count("QualityDropped") == 1
    for day in range(5, 12):
        stage.score_and_label(day, distance=1.1)
    for night in ("21", "21", "22", "23", "24"):
        stage.measure(NIGHT | {"scheduled_at": f"2026-03-{night}T03:00:00Z"})
        assert len(stage.notified.emails) == (1 if night in ("21", "22") else 2)
    assert [email[0] for email in stage.notified.emails[1:]] == [f"[{GROUP}] Quality is as approved again"]


def test_an_email_that_a_killed_run_did_not_send_is_sent_by_the_next(stage: Stage) -> None:
    stage.score_and_label(4, distance=0.0)

    def fails(*_: Any, **__: Any) -> None:
        raise ConnectionError

    send, stage.notified.send_email = stage.notified.send_email, fails  # type: ignore[method-assign]
    with pytest.raises(Exception, match="could not be measured"):
        stage.measure(NIGHT)
    stage.notified.send_email = send  # type: ignore[method-assign]
    stage.measure(NIGHT)
    assert [email[0] for email in stage.notified.emails] == [
        f"[{GROUP}] Quality dropped below the approved score"
    ]


def test_labels_that_match_nothing_are_said(
    stage: Stage, labels_event: Callable[..., dict[str, Any]]
) -> None:
    stage.score_and_label(2, distance=1.0)
    stage.label("u9", [(1, "X1", "", "", "yes", "")], datetime(2026, 3, 9, tzinfo=UTC))
    stage.measure(labels_event("u9"))
    ((subject, body),) = stage.notified.emails
    assert subject == f"[{GROUP}] No label belongs to a prediction"
    assert "same zeros in front" in body


def test_the_settings_of_model_toml_count_as_they_are_now(stage: Stage) -> None:
    stage.score_and_label(2, distance=-1.0, n=90)
    assert stage.measure(NIGHT)["groups"][0]["verdict"] == "INSUFFICIENT_DATA"
    client("s3").put_object(
        Bucket="data-bucket", Key=f"{GROUP}/model.toml", Body=b"[quality]\nmin_labels = 50\n"
    )
    assert stage.measure(NIGHT)["groups"][0]["verdict"] == "DROPPED"


def test_a_group_without_labels_has_an_estimate_and_sends_nothing(stage: Stage) -> None:
    stage.score_and_label(2, distance=1.0, has_labels=False)
    (result,) = stage.measure(NIGHT)["groups"]
    assert (result["verdict"], result["n_labels"]) == ("INSUFFICIENT_DATA", 0)
    assert (stage.notified.emails, stage.notified.events) == ([], [])
    report = stage.dependencies.quality_archive.last_report(GROUP)
    assert report is not None
    (estimate,) = report.estimates
    assert stage.notified.metrics["EstimatedQuality"] == estimate.score.value
    assert "RealisedQuality" not in stage.notified.metrics
