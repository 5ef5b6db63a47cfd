"""Scoring an upload exactly once, over objects kept as files."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.upload_events import Upload
from mlops.ledger.batches import LedgerBatches
from mlops.ledger.files import FolderFiles
from mlops.ledger.recording import Ledger
from mlops.models.drift.profiles import BatchProfile
from mlops.models.errors import ArtifactError
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.scoring.batch import BatchManifest, BatchSummary
from mlops.models.scoring.batch_folder import batch_folder
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.archive import pack, sha256_of
from mlops.use_cases.batch_notification import compose_email
from mlops.use_cases.record_predictions import record_predictions
from mlops.use_cases.score_batch import (
    ModelCache,
    ScoringModel,
    ScoringRequest,
    score_batch,
)
from tests.memory_table import MemoryTable

from .conftest import build_table

LINK = "https://api.example.com/results/token"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Announcements(list):
    """Remembers what was announced, in the place of AWS."""

    def __call__(self, summary, quality, drift) -> None:
        self.append((summary, quality, drift))


class Bench:
    """A bucket of models and uploads, and everything that scoring needs."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.objects = FilesystemObjects(folder / "objects")
        self.models = ModelCache(folder / "models")
        self.announced = Announcements()
        pack(model, folder / "model.tar.gz")
        ref = ObjectRef("artifacts", "training/trial/job/output/model.tar.gz")
        stored = self.objects.upload(folder / "model.tar.gz", ref, "application/gzip")
        sha256 = sha256_of(folder / "model.tar.gz")
        self.model = ScoringModel("v1.0.0", Artifact(ref.uri, sha256, stored.version_id))

    def request(self, rows: int = 150, seed: int = 2) -> ScoringRequest:
        content = build_table(rows, seed=seed).to_csv(index=False).encode()
        ref = self.objects.write(ObjectRef("data", f"trial/inference/{seed}.csv"), content, "text/csv")
        upload = Upload(ref.bucket, ref.key, ref.version_id, len(content))
        return self.requested(upload)

    def requested(self, upload: Upload) -> ScoringRequest:
        folder = batch_folder("trial", upload.upload_id, upload.filename, NOW.date())
        return ScoringRequest("trial", upload.upload_id, upload, self.model, folder=folder)

    def score(self, request: ScoringRequest) -> BatchSummary:
        return score_batch(
            request,
            self.objects,
            artifact_bucket="artifacts",
            models=self.models,
            notify=self.announced,
            now=NOW,
        )

    def manifest(self, request: ScoringRequest) -> BatchManifest:
        key = f"{request.folder}/manifest.json"
        return BatchManifest.from_json(self.objects.read(ObjectRef("artifacts", key)))


@pytest.fixture
def bench(trained, tmp_path: Path) -> Bench:
    return Bench(trained("LogisticRegression", "binary").model_path, tmp_path)


def test_a_batch_is_stored_whole_with_its_digests_and_profile(bench: Bench):
    request = bench.request()
    summary = bench.score(request)
    manifest = bench.manifest(request)
    assert manifest.summary == summary
    assert set(manifest.files) == {
        "predictions.csv",
        "batch_profile.json",
        "drift_report.json",
        "drift_report.html",
        "data_quality.json",
    }
    for name, file in manifest.files.items():
        key = f"{request.folder}/{name}"
        content = bench.objects.read(ObjectRef("artifacts", key, file.version_id))
        assert hashlib.sha256(content).hexdigest() == file.sha256
    key = f"profiles/trial/v1.0.0/2026-03-01/{request.batch_id}.json"
    assert BatchProfile.from_json(bench.objects.read(ObjectRef("artifacts", key))).n_rows == 150


def test_an_upload_that_was_converted_is_scored_from_its_table(bench: Bench):
    plain, other = bench.request(), bench.request(seed=3)
    table = bench.objects.read(plain.upload.ref)
    content = bench.objects.write(
        ObjectRef("artifacts", "converted/trial/u/converted.csv"), table, "text/csv"
    )
    converted = replace(other, content=content)
    summaries = [bench.score(request) for request in (plain, converted)]
    digests = [bench.manifest(request).files["predictions.csv"].sha256 for request in (plain, converted)]
    assert (summaries[0].n_rows, digests[0]) == (summaries[1].n_rows, digests[1])
    assert bench.manifest(converted).source == other.upload.ref


def test_predictions_of_a_compressed_upload_are_compressed_and_recorded(bench: Bench, tmp_path: Path):
    plain = bench.request()
    content = gzip.compress(bench.objects.read(plain.upload.ref))
    ref = bench.objects.write(ObjectRef("data", "trial/inference/2.csv.gz"), content, "application/gzip")
    request = bench.requested(Upload(ref.bucket, ref.key, ref.version_id, len(content)))
    bench.score(plain)
    summary = bench.score(request)
    assert summary.predictions_uri == f"s3://artifacts/{request.folder}/predictions.csv.gz"
    delivered = [
        bench.objects.read(ObjectRef("artifacts", f"{each.folder}/{name}"))
        for each, name in ((plain, "predictions.csv"), (request, "predictions.csv.gz"))
    ]
    assert gzip.decompress(delivered[1]) == delivered[0]
    assert "predictions.csv" not in bench.manifest(request).files
    ledger = Ledger(FolderFiles(tmp_path / "ledger"), LedgerBatches(MemoryTable()))
    assert record_predictions(summary, bench.objects, ledger).n_rows == 150


def test_a_job_and_a_function_store_the_same_bytes_of_gzip(bench: Bench):
    settings = GroupSettings.from_toml('[output]\ncompression = "gzip"\n')
    requests = [replace(bench.request(seed=2 + number), settings=settings) for number in (0, 1)]
    requests[1] = replace(requests[1], content=requests[0].upload.ref)
    for request, engine in zip(requests, ("lambda", "job"), strict=True):
        score_batch(
            request,
            bench.objects,
            artifact_bucket="artifacts",
            models=bench.models,
            notify=bench.announced,
            now=NOW,
            engine=engine,
        )
    files = [bench.manifest(request).files["predictions.csv.gz"] for request in requests]
    assert files[0].sha256 == files[1].sha256


def test_the_summary_is_what_the_state_machine_passes_on(bench: Bench):
    request = bench.request()
    summary = bench.score(request)
    folder = f"predictions/trial/2026-03-01/2-{request.batch_id[:12]}"
    assert json.loads(summary.to_json()) == {
        "group": "trial",
        "batch_id": summary.batch_id,
        "n_rows": 150,
        "predictions_uri": f"s3://artifacts/{folder}/predictions.csv",
        "report_uri": f"s3://artifacts/{folder}/drift_report.html",
        "drift_verdict": "OK",
        "drift_score": 0.0,
        "features_with_drift": [],
        "file_name": "2.csv",
        "model_version": "v1.0.0",
        "manifest_uri": f"s3://artifacts/{folder}/manifest.json",
        "row_statuses": {"scored": 150},
        "cost_usd": None,
    }


def test_a_second_delivery_answers_the_same_and_scores_and_announces_nothing(bench: Bench):
    request = bench.request()
    first = bench.score(request)
    stored = list(bench.objects.list("artifacts", "predictions/"))
    assert bench.score(request) == first
    assert list(bench.objects.list("artifacts", "predictions/")) == stored
    assert len(bench.announced) == 1


def test_a_run_that_died_before_the_manifest_is_done_again(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    request = bench.request()
    write = bench.objects.write

    def die(ref: ObjectRef, content: bytes, content_type: str) -> ObjectRef:
        if ref.key.endswith("manifest.json"):
            raise KeyboardInterrupt
        return write(ref, content, content_type)

    monkeypatch.setattr(bench.objects, "write", die)
    with pytest.raises(KeyboardInterrupt):
        bench.score(request)
    assert not bench.announced
    monkeypatch.undo()
    assert bench.score(request).n_rows == 150
    assert len(bench.announced) == 1


def test_a_batch_whose_announcement_failed_is_announced_by_the_next_run(bench: Bench):
    request = bench.request()
    notify, bench.announced = bench.announced, _failing
    with pytest.raises(RuntimeError):
        bench.score(request)
    bench.announced = notify
    bench.score(request)
    summary, quality, drift = notify[0]
    assert summary.n_rows == quality.n_rows == drift.n_rows == 150
    bench.score(request)
    assert len(notify) == 1


def _failing(summary, quality, drift) -> None:
    raise RuntimeError("no mail today")


def test_a_model_whose_bytes_changed_is_not_loaded(bench: Bench):
    ref = ObjectRef.from_uri(bench.model.artifact.uri)
    changed = bench.objects.write(ref, b"something else", "application/gzip")
    artifact = Artifact(ref.uri, bench.model.artifact.sha256, changed.version_id)
    bench.model = ScoringModel("v1.0.0", artifact)
    with pytest.raises(ArtifactError, match="not the registered model"):
        bench.score(bench.request())
    assert not bench.announced


def test_an_overwritten_model_does_not_matter_because_its_version_is_named(bench: Bench):
    bench.objects.write(ObjectRef.from_uri(bench.model.artifact.uri), b"newer", "application/gzip")
    assert bench.score(bench.request()).n_rows == 150


def test_a_warm_worker_downloads_a_model_once(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    downloads = []
    download = bench.objects.download

    def note(ref: ObjectRef, path: Path) -> None:
        downloads.append(ref.key)
        download(ref, path)

    monkeypatch.setattr(bench.objects, "download", note)
    for seed in (2, 3):
        bench.score(bench.request(seed=seed))
    assert len([key for key in downloads if key.endswith("model.tar.gz")]) == 1


def test_the_mail_about_an_extra_column_does_not_speak_of_drift(bench: Bench):
    request = bench.request(rows=300)
    content = build_table(300, seed=2).assign(extra=1).to_csv(index=False).encode()
    stored = bench.objects.write(request.upload.ref, content, "text/csv")
    upload = Upload(stored.bucket, stored.key, stored.version_id, len(content))
    bench.score(bench.requested(upload))
    summary, quality, drift = bench.announced[0]
    subject, body = compose_email(summary, quality, drift, LINK)
    assert subject == "trial: 300 predictions of 2.csv are ready, with remarks"
    assert "have not drifted" in body
    assert "extra" in body


def test_one_row_is_not_many(bench: Bench):
    bench.score(bench.request(rows=1))
    subject, body = compose_email(*bench.announced[0], LINK)
    assert subject == "trial: 1 prediction of 2.csv is ready"
    assert "1 row of 2.csv was scored." in body
    assert "1 row is too few" in body


def test_the_mail_says_in_plain_words_what_changed(bench: Bench):
    request = bench.request(rows=300)
    frame = build_table(300, seed=2)
    content = frame.assign(age=frame.age + 30).to_csv(index=False).encode()
    stored = bench.objects.write(request.upload.ref, content, "text/csv")
    upload = Upload(stored.bucket, stored.key, stored.version_id, len(content))
    bench.score(bench.requested(upload))
    subject, body = compose_email(*bench.announced[0], LINK)
    assert subject.startswith("trial: 300 predictions of 2.csv are ready, inputs have changed")
    assert subject.isascii()
    assert len(subject) <= 100
    assert "- age: median" in body
    assert "predictions.csv\n" in body
    assert f"{LINK}\n" in body
    assert "P000" not in body
