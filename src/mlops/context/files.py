"""The parts of the library on plain files below one directory."""

from __future__ import annotations

import getpass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.notifications import Notifier, NullNotifier

if TYPE_CHECKING:  # each is imported on first use: pandas is slow
    from mlops.approval.policy.store import Policies
    from mlops.dataset.catalog.catalog import DatasetCatalog
    from mlops.experiment.tracker import ExperimentTracker
    from mlops.feature_store.store import FeatureStore
    from mlops.ledger.files import LedgerFiles
    from mlops.ledger.reading import Predictions
    from mlops.ledger.recording import Ledger
    from mlops.models.scoring.answer import PredictionAnswer, PredictionRequest
    from mlops.models.scoring.quality import QualityReport
    from mlops.models.settings.group import GroupSettings
    from mlops.registry.model_registry import ModelRegistry
    from mlops.use_cases.forgetting.forget import Forgetting
    from mlops.use_cases.predict.predict import Predictor
    from mlops.use_cases.quality.measure_quality import QualitySources
    from mlops.use_cases.train_and_register import LocalTraining


class FilesContext:
    """A registry, datasets, runs and policies, each in a folder of its own below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def actor(self) -> str:
        """Who acts, as the audit log names them: the user of this machine."""
        return getpass.getuser()

    @cached_property
    def registry(self) -> ModelRegistry:
        """The model registry."""
        from mlops.registry.model_registry import ModelRegistry

        return ModelRegistry(root=self.root / "model-registry")

    @cached_property
    def datasets(self) -> DatasetCatalog:
        """The datasets of all groups."""
        from mlops.dataset.catalog.catalog import DatasetCatalog
        from mlops.dataset.catalog.local import local_versions
        from mlops.infrastructure.local_objects import FilesystemObjects

        versions = local_versions(self.root / "datasets" / "records")
        return DatasetCatalog(versions, FilesystemObjects(self.root / "datasets" / "objects"), self.registry)

    def forgetting(self, group: str) -> Forgetting:
        """What removes the rows of persons from all that is stored for a group."""
        from mlops.context.forgetting import forgetting_in

        return forgetting_in(group, self.datasets, self.ledger, self.label_files, self.features)

    @cached_property
    def runs(self) -> ExperimentTracker:
        """The training runs of all groups."""
        from mlops.experiment.factory import DEFAULT_DIRECTORY, open_store
        from mlops.experiment.tracker import ExperimentTracker

        return ExperimentTracker(open_store(self.root / DEFAULT_DIRECTORY))

    def training(self, group: str, settings: GroupSettings, *, n_jobs: int | None = None) -> LocalTraining:
        """What trains models of a group here; the gate is no lower than the policy of the group says."""
        from mlops.use_cases.train_and_register import LocalTraining

        floors = self.policies.of(group, settings).gate_floors
        models = self.root / "models"
        return LocalTraining(self.registry, self.datasets, self.runs, models, floors, n_jobs=n_jobs)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of predictions, to record and to change it."""
        from mlops.infrastructure.sqlite_table import SqliteTable
        from mlops.ledger.batches import LedgerBatches
        from mlops.ledger.files import FolderFiles
        from mlops.ledger.recording import Ledger

        folder = self.root / "ledger"
        return Ledger(FolderFiles(folder), LedgerBatches(SqliteTable(folder / "batches.sqlite3")))

    @cached_property
    def predictions(self) -> Predictions:
        """The predictions in the ledger, to read them with DuckDB."""
        from mlops.ledger.reading import FolderEngine, Predictions

        return Predictions(self.ledger.batches, FolderEngine(self.root / "ledger"))

    def predict(self, group: str, request: PredictionRequest) -> PredictionAnswer:
        """Predict rows with the champion of a group, here; the ledger does not get them."""
        from uuid import uuid4

        return self._predictor.predict(group, request, uuid4().hex)

    @cached_property
    def _predictor(self) -> Predictor:
        """What answers requests with the champions of the registry."""
        from mlops.use_cases.predict.local import load_registered
        from mlops.use_cases.predict.predict import Predictor

        load = cache(load_registered)
        return Predictor(
            self.registry,
            lambda model: load(model.artifact, model.version),
            lambda _: None,
            utc_now,
            self.features.add_online,
        )

    @cached_property
    def label_files(self) -> LedgerFiles:
        """The labels of all groups."""
        from mlops.ledger.files import FolderFiles

        return FolderFiles(self.root / "labels")

    @cached_property
    def quality_sources(self) -> QualitySources:
        """What realised quality is measured from; the settings are those of the champion's training."""
        from mlops.use_cases.quality.measure_quality import QualitySources

        return QualitySources(
            self.registry,
            self.ledger.files,
            self.label_files,
            self.ledger.batches,
            self.datasets.objects,
            lambda champion: champion.settings.quality,
        )

    def quality_report(self, group: str) -> QualityReport | None:
        """Return the realised quality of a group, measured now; None without a label or an estimate."""
        from mlops.use_cases.quality.measure_quality import measure_group

        return measure_group(group, self.quality_sources, utc_now()).report

    @cached_property
    def features(self) -> FeatureStore:
        """The feature store."""
        from mlops.feature_store.store import FeatureStore
        from mlops.infrastructure.local_objects import FilesystemObjects
        from mlops.infrastructure.sqlite_table import SqliteTable

        folder = self.root / "feature-store"
        return FeatureStore(
            SqliteTable(folder / "registry.sqlite3"),
            SqliteTable(folder / "online.sqlite3"),
            FilesystemObjects(folder),
            "offline",
            actor=self.actor,
        )

    @cached_property
    def policies(self) -> Policies:
        """The approval policies; the only approver is the user of this machine."""
        from mlops.approval.policy.store import Policies, PolicyStore
        from mlops.infrastructure.sqlite_table import SqliteTable
        from mlops.models.approval import StackPolicy

        table = SqliteTable(self.root / "approval-policies" / "policies.sqlite3")
        return Policies(StackPolicy((self.actor,)), PolicyStore(table))

    @cached_property
    def notifier(self) -> Notifier:
        """What notifies people and systems: on plain files it does nothing."""
        return NullNotifier()
