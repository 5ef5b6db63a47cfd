"""The calls that wrote the data of this folder; they run on release 0.1 and on later ones alike."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.experiment.training_runs import record_training
from mlops.models.approval import Answer, ApprovalRequest, Evidence, RequestStatus, RollbackOffer
from mlops.models.dataset import DatasetVersion, ObjectRef
from mlops.models.experiment import RunDataset
from mlops.models.registry import Artifact, Candidate, Source, TrainingJob
from mlops.models.training import EvaluationMetrics, GateResult

try:
    from mlops.models.intake.trainings import TrainingRecord
    from mlops.models.intake.uploads import Claim, UploadRecord
except ImportError:  # release 0.1
    from mlops.models.dataset import Claim, TrainingRecord, UploadRecord

GROUP = "adherence"
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
KEY = "the-signing-key-of-the-fixture-of-release-0.1"
APPROVAL_ID = "an-approval-id-of-release-0.1"


class Clock:
    """A clock that moves by a minute whenever it is read."""

    def __init__(self) -> None:
        self.minutes = -1

    def __call__(self) -> datetime:
        self.minutes += 1
        return START + timedelta(minutes=self.minutes)


def candidate(number: int, **changes: Any) -> Candidate:
    """Return a trained model; its dataset is `d<number>`."""
    job = TrainingJob(f"job-{number}", f"arn:aws:sagemaker:::job-{number}", started_at=START, ended_at=START)
    made = Candidate(
        algorithm="RandomForest",
        hyperparameters={"n_estimators": 100, "max_features": 1.0, "class_weight": None},
        metrics=EvaluationMetrics(roc_auc=0.75 + number / 1000, task="binary", n_rows=200, primary="roc_auc"),
        dataset_version=f"d{number}",
        artifact=Artifact(f"s3://artifacts/models/{number}/model.tar.gz", f"{number:064x}", f"v-{number}"),
        features=("age", "region"),
        target="stopped",
        task="binary",
        source=Source("c" * 64),
        training_job=job,
        feature_importance={"age": 0.25, "region": 1.0},
        tags={"team": "claims"},
    )
    return replace(made, **changes)


def drive_registry(registry: Any) -> None:
    """Register eleven versions and leave one in each status."""
    for number in range(1, 11):
        registry.register(GROUP, candidate(number), job_key=f"job-{number}", by="train")
    refused = GateResult(passed=False, reasons=("roc_auc 0.5 is below 0.7.",))
    registry.register(GROUP, candidate(11, gate=refused), job_key="job-11", by="train")
    for patch in (0, 1, 2, 3):
        registry.approve_model(GROUP, f"v1.0.{patch}", by="ada", reason="Better on every slice.")
    for patch in (0, 1, 2):
        registry.promote_model(GROUP, f"v1.0.{patch}", by="ada", reason="Better on every slice.")
    registry.rollback(GROUP, by="bob", reason="Wrong unit in a column.")
    registry.request_approval(GROUP, "v1.0.4", "4" * 64, by="approvals")
    registry.record_answer(GROUP, "v1.0.4", by="ada", reason="Fine.", at=START)
    registry.reject_model(GROUP, "v1.0.5", by="ada", reason="A leak.")
    registry.expire(GROUP, "v1.0.6", by="approvals")
    registry.supersede(GROUP, "v1.0.7", by="approvals", reason="v1.0.8 is newer.")
    registry.expire(GROUP, "v1.0.8", by="approvals")
    registry.reopen(GROUP, "v1.0.8", by="ada", reason="Was on leave.")
    registry.annotate_model(GROUP, "v1.0.1", tags={"team": None, "audit": "é 2026"}, note="Kept.", by="ada")
    wide = tuple(f"measurement_{column:04d}" for column in range(1500))
    registry.register("wide", candidate(1, features=wide), job_key="job-wide", by="train")


def drive_datasets(versions: Any) -> None:
    """Record uploads, datasets, a training and contracts."""
    place = ObjectRef("artifacts", "datasets/x", "1")
    for number in (1, 2):
        upload = UploadRecord(
            GROUP, f"upload{number}", f"{GROUP}/training/é {number}.csv", f"v-{number}", "received",
            START + timedelta(minutes=number), "training", claim=Claim("run", START + timedelta(minutes=15)),
        )  # fmt: skip
        versions.record_upload(upload)
        dataset = DatasetVersion(
            GROUP, f"{number:064x}", "training", place, place, ObjectRef("data", upload.key, "1"),
            upload.upload_id, 1234, 200, 3, "warn", {"age": "integer", "region": "category"},
            START + timedelta(minutes=number), place,
        )  # fmt: skip
        versions.record_dataset(dataset)
        versions.record_contract(GROUP, number, replace(place, version_id=str(number)), now=START)
    event = {"kind": "event", "title": "DatasetAccepted", "detail": {"rows": 200, "share": 1.0}}
    accepted = upload.changed(state="accepted", finished_at=START).to_dict() | {"outbox": [event]}
    versions.save_upload(UploadRecord.from_dict(accepted))
    settings = {"seed": 1, "test_fraction": 0.2, "hyperparameters": {"rate": 1.0}}
    versions.record_training(TrainingRecord(GROUP, "t1", f"{1:064x}", "upload1", settings, START))


def drive_runs(tracker: Any, model: Any) -> None:
    """Log one run that finishes, one that fails and one that goes on, and record a training."""
    data = RunDataset("d1", "a" * 64, "s3://data/d1.csv")
    with tracker.start_run(
        GROUP, run_id="finished", params={"depth": 3, "rate": 1.0}, dataset=data, code_digest="c" * 64
    ) as run:
        for step in range(3):
            run.log_metric("loss", 1 / (step + 1), step=step)
        run.log_text("<p>é</p>", "pages/card.html")
    with (
        suppress(ZeroDivisionError),
        tracker.start_run(GROUP, run_id="failed", tags={"who": "ada"}, code_digest="c" * 64) as run,
    ):
        run.log_metric("loss", float("nan"))
        _ = 1 / 0
    long = {f"a_long_name_of_a_param_{number:04d}": number / 7 for number in range(600)}
    tracker.start_run(GROUP, run_id="going-on", params=long, code_digest="c" * 64)
    record_training(tracker.store, model)


def approval_request() -> ApprovalRequest:
    """Return a request that two people must answer."""
    return ApprovalRequest(
        id_hash=hashlib.sha256(APPROVAL_ID.encode()).hexdigest(), group=GROUP, version="v1.0.4",
        artifact=candidate(5).artifact, execution_arn="arn:execution",
        approvers=("ada@example.com", "bob@example.com"), created_at=START,
        expires_at=START + timedelta(days=30), required_approvals=2,
        evidence=Evidence("RandomForest", "binary", "stopped", "d5", 200, 100, "roc_auc"), sealed="sealed",
    )  # fmt: skip


def drive_approvals(requests: Any, offers: Any) -> None:
    """Store a request with one answer, one that has expired, and an offer to roll back."""
    request = approval_request()
    requests.put(request)
    answer = Answer("bob@example.com", "approved", "Fine.", START)
    requests.put(replace(request, answers=(answer,), revision=2))
    requests.put(replace(request, id_hash="b" * 64, status=RequestStatus.EXPIRED))
    end = START + timedelta(days=7)
    offers.put(
        RollbackOffer("c" * 64, GROUP, "v1.0.1", "v1.0.0", request.artifact, request.approvers, START, end)
    )
