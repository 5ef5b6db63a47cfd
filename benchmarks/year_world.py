"""The group of the simulated year on plain files: its stores, and the functions that run on a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import year_patients as story
from mlops.approval.policy.store import PolicyStore
from mlops.context.files import FilesContext
from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.feature_store.freshness import ViewFreshness
from mlops.feature_store.offline.state import ValueStates
from mlops.feature_store.registry.versions import DefinitionStore
from mlops.infrastructure.event_names import RETRAINING_PROPOSED
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.infrastructure.table import Table
from mlops.infrastructure.upload_events import Upload
from mlops.intake.retraining.check import RetrainingCheck
from mlops.intake.retraining.planning import RetrainingPlanner
from mlops.intake.retraining.requests import RetrainingRequests
from mlops.intake.retraining.source_rows import RowSources
from mlops.intake.retraining.store import RetrainingStore
from mlops.ledger.labels.recording import LabelFile
from mlops.ledger.shadow.archive import ShadowArchive
from mlops.links.link import Purpose
from mlops.links.page_links import PageLinks
from mlops.links.signer import LinkSigner
from mlops.links.signing_keys import SigningKeys
from mlops.models.errors import DatasetError
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.registry import Candidate
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.archive import pack, sha256_of
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.training_facts import training_facts
from mlops.use_cases.drift.check_drift import NightlyCheck
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.model_cache import ModelCache, ScoringModel
from mlops.use_cases.quality.check_quality import QualityCheck
from mlops.use_cases.quality.measure_quality import QualitySources
from mlops.use_cases.quality.quality_archive import QualityArchive
from mlops.use_cases.quality.record_labels import record_label_file, terms_of
from mlops.use_cases.record_predictions import record_predictions
from mlops.use_cases.score_batch import ScoringRequest, score_batch
from mlops.use_cases.training_evidence import keep_evidence

GROUP, BUCKET, DATA = "therapy-stops", "artifacts", "data"
SETTINGS = {
    "target": story.TARGET,
    "id_columns": [story.ID],
    "algorithm": "LogisticRegression",
    "slices": {"columns": ["region"]},
    "output": {"keep_columns": ["*"], "reasons": 3},
    "drift": {"exclude_columns": ["temperature"]},
    "quality": {"label_delay_days": 25},
    "retrain": {"policy": "propose"},
}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a time of a day in UTC."""
    return datetime.combine(day, clock_time(hour, minute), tzinfo=UTC)


@dataclass
class Outbox:
    """A notifier that keeps what is sent, with the day of the clock."""

    today: Callable[[], date]
    emails: list[tuple[date, str]] = field(default_factory=list)
    proposals: list[tuple[date, dict[str, Any]]] = field(default_factory=list)

    def send_email(self, subject: str, *_: str, **_more: str) -> None:
        """Keep the subject."""
        self.emails.append((self.today(), subject))

    def publish_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        """Keep what is said of a proposed retraining."""
        if detail_type == RETRAINING_PROPOSED:
            self.proposals.append((self.today(), detail))

    def publish_metrics(self, *_: object, **_more: object) -> None:
        """Drop the metrics."""

    def send(self, *_: object) -> int:
        """Send no personal email: there are no approvers, so that the subscribers get it."""
        return 0


class World:
    """A group on plain files: its buckets, registry, ledger, labels, and the checks of the night."""

    def __init__(self, root: Path) -> None:
        self.now = at(story.FIRST, 0)
        self.root = root
        self.context = FilesContext(root)
        self.objects = FilesystemObjects(root / "objects")
        self.registry = ModelRegistry(
            root=root / "model-registry", objects=self.objects, actor="team", now=lambda: self.now
        )
        self.outbox = Outbox(lambda: self.now.date())  # noqa: PLW0108  the clock is replaced
        self.drift_archive = NightlyArchive(self.objects, BUCKET)
        self.quality_archive = QualityArchive(self.objects, BUCKET)
        ledger = self.context.ledger
        table = SqliteTable(root / "stack.sqlite3")
        views = ViewFreshness(DefinitionStore(table), ValueStates(table))
        self.drift = NightlyCheck(
            self.drift_archive, self.registry, self.outbox, self.outbox, ledger.batches, views
        )
        sources = QualitySources(
            self.registry,
            ledger.files,
            self.context.label_files,
            ledger.batches,
            self.objects,
            lambda champion: champion.settings.quality,
        )
        shadow = ShadowArchive(self.objects, BUCKET)
        self.quality = QualityCheck(sources, self.quality_archive, self.outbox, shadow)
        self.retraining = self._retraining_check(table)
        self.models = ModelCache(root / "models")
        self.refused: list[date] = []

    def _retraining_check(self, table: Table) -> RetrainingCheck:
        """Return what proposes retrainings; the settings are those of the trainings."""
        ledger, settings = self.context.ledger, GroupSettings.from_config(SETTINGS)
        sources = RowSources(self.context.datasets, ledger.files, self.context.label_files, ledger.batches)
        signer = LinkSigner(SigningKeys((bytes(64),)))
        return RetrainingCheck(
            self.registry,
            RetrainingPlanner(sources, self.registry, lambda _: settings, Limits()),
            RetrainingRequests(RetrainingStore(table), self.registry, self.outbox, BUCKET),
            PolicyStore(table),
            self.drift_archive,
            self.quality_archive,
            self.outbox,
            PageLinks("https://example.com/retrainings", signer, Purpose.RETRAINING),
        )

    def promote(self, rows: pd.DataFrame) -> str:
        """Train a model, register and promote it; return its version."""
        directory, archive = self.root / f"model-{self.now:%m%d}", self.root / "model.tar.gz"
        file, settings = self.root / "train.csv", GroupSettings.from_config(SETTINGS)
        rows.to_csv(file, index=False)
        dataset = self.context.datasets.add(GROUP, file, settings=settings, now=self.now)
        result = TrainingPipeline(settings, row_key=bytes(32)).execute(
            file, directory, now=self.now, group=GROUP
        )
        pack(directory, archive)
        stored = self.objects.upload(archive, ObjectRef(BUCKET, "model.tar.gz"), "application/gzip")
        artifact = Artifact(stored.uri, sha256_of(archive), stored.version_id)
        candidate = Candidate(
            result.algorithm,
            result.hyperparameters,
            result.metrics,
            dataset.dataset_id,
            artifact,
            **training_facts(result),
        )
        root = f"s3://{BUCKET}/models"
        model = self.registry.register(GROUP, candidate, evidence_root=root).model
        documents = {path.name: path.read_bytes() for path in directory.glob("*.json")}
        keep_evidence(documents, f"{root}/{GROUP}/{model.version}", self.objects)
        self.registry.approve_model(GROUP, model.version)
        self.registry.promote_model(GROUP, model.version)
        return model.version

    def score(self, file: pd.DataFrame, day: date) -> None:
        """Score the file of a day and record its predictions, as the functions of a stack do."""
        self.now = at(day, 9)
        champion = self.registry.champion(GROUP)
        assert champion is not None
        path = self.root / "new.csv"
        file.to_csv(path, index=False)
        key = f"{GROUP}/inference/{day}.csv"
        stored = self.objects.upload(path, ObjectRef(DATA, key), "text/csv")
        upload = Upload(DATA, key, stored.version_id, path.stat().st_size)
        model = ScoringModel(champion.version, champion.artifact)
        request = ScoringRequest(GROUP, f"{day:%Y%m%d}", upload, model, champion.settings)
        try:
            summary = score_batch(
                request,
                self.objects,
                artifact_bucket=BUCKET,
                models=self.models,
                notify=lambda *_: None,
                now=self.now,
            )
        except DatasetError:
            self.refused.append(day)
            return
        record_predictions(summary, self.objects, self.context.ledger)

    def label(self, outcomes: pd.DataFrame, day: date) -> None:
        """Record a file of outcomes, and measure the quality, as when a file is dropped."""
        self.now = at(day, 10)
        champion = self.registry.champion(GROUP)
        assert champion is not None
        path, limits = self.root / "labels.csv", Limits()
        outcomes.to_csv(path, index=False)
        form = champion.settings.format
        terms = terms_of(champion, None, form, self.context.ledger.batches)
        file = LabelFile(GROUP, f"labels-{day}", path.name, self.now)
        with as_table_file(path, SheetChoice.of(form.of("labels")), limits) as table:
            report = record_label_file(table, terms, file, self.context.label_files, limits=limits)
        if report.verdict == "reject":
            raise DatasetError(report.findings[0].message)
        self.quality.check_labels(GROUP, file.upload_id, len(outcomes), self.now)

    def night(self, day: date) -> None:
        """Run the checks of a night."""
        self.now = at(day, 2, 30)
        self.drift.run(self.now)
        self.quality.run(self.now)
        self.retraining.run(self.now)
