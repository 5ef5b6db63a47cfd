"""A training on plain files as a stack does it: dataset, run, comparison, gate, registered version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.catalog.acceptance import current_contract
from mlops.dataset.catalog.catalog import DatasetCatalog
from mlops.experiment.origins import library_digest
from mlops.experiment.tracker import ExperimentTracker, new_run_id
from mlops.experiment.training_runs import record_failed_training, record_training
from mlops.experiment.values import failure_of
from mlops.infrastructure.clock import utc_now
from mlops.models.dataset import Contract, DatasetVersion
from mlops.models.experiment import RunDataset
from mlops.models.registry import Candidate, DataFindings, ModelMetadata, Source, TrainingJob
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, TrainingResult
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.artifacts import describe_artifact
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.training_facts import ModelFiles, training_facts
from mlops.use_cases.register_training import compared_with


@dataclass(frozen=True, slots=True)
class LocalTraining:
    """Trains models of groups on files of this machine.

    `models` is the directory for the model directories, `<group>/<run id>/` each. `n_jobs` are the cores to
    use, None for all.
    """

    registry: ModelRegistry
    datasets: DatasetCatalog
    runs: ExperimentTracker
    models: Path
    gate_floors: Mapping[str, GateRule] = field(default_factory=dict)
    now: Callable[[], datetime] = utc_now
    new_id: Callable[[], str] = new_run_id
    n_jobs: int | None = None

    def train(self, group: str, file: Path, settings: GroupSettings) -> tuple[TrainingResult, ModelMetadata]:
        """Train on a file, and register the model as the next version of the group.

        The file becomes a dataset, the training a run, also one that fails. The champion is compared on the
        same held-out rows. A version that its gate rejects is registered with that status.

        Returns
        -------
        tuple
            The result, with the comparison and the gate as registered, and the version.

        Raises
        ------
        DatasetError
            If the file is rejected.
        TrainingError
            If nothing can be learned from it.
        """
        pipeline = TrainingPipeline(settings, n_jobs=self.n_jobs)
        dataset = self.datasets.add(group, file, settings=settings, now=self.now())
        run_id, started_at = self.new_id(), self.now()
        try:
            trained = self._fit(pipeline, group, dataset, self.models / group / run_id)
        except Exception as error:
            self._record_failure(group, run_id, dataset, settings, error=error, started_at=started_at)
            raise
        result = self._judged(trained, group, settings)
        model = self._register(result, group, dataset, run_id)
        record_training(self.runs.store, model, job_name=run_id, started_at=started_at, ended_at=self.now())
        return result, model

    def _fit(
        self, pipeline: TrainingPipeline, group: str, dataset: DatasetVersion, output: Path
    ) -> TrainingResult:
        champion = self.registry.champion(group)
        with TemporaryDirectory() as folder:
            table = Path(folder, Path(dataset.ref.key).name)
            self.datasets.objects.download(dataset.ref, table)
            return pipeline.execute(
                table,
                output,
                contract=self._contract(dataset),
                champion_path=_unchanged_directory(champion),
                champion_version=champion.version if champion else None,
                group=group,
                now=self.now(),
            )

    def _contract(self, dataset: DatasetVersion) -> Contract | None:
        if dataset.contract is None:
            return current_contract(dataset.group, self.datasets)
        return Contract.from_json(self.datasets.objects.read(dataset.contract))

    def _judged(self, result: TrainingResult, group: str, settings: GroupSettings) -> TrainingResult:
        """Return the result with its comparison and gate, as the registry and the policy have them."""
        comparison = self._comparison(result, group)
        gate = judge(result.metrics, comparison, settings.gate, self.gate_floors)
        return replace(result, comparison=comparison, gate=gate)

    def _comparison(self, result: TrainingResult, group: str) -> ChampionComparison | None:
        champion = self.registry.champion(group)
        if champion is None:
            return None
        why_not = f"the directory of {champion.version}, {champion.artifact.uri}, is missing or changed."
        return compared_with(champion, result.comparison, self.registry.list_models(group), why_not=why_not)

    def _register(
        self, result: TrainingResult, group: str, dataset: DatasetVersion, run_id: str
    ) -> ModelMetadata:
        candidate = Candidate(
            result.algorithm,
            result.hyperparameters,
            result.metrics,
            dataset.dataset_id,
            describe_artifact(str(result.model_path)),
            source=Source(library_digest()),
            gate=result.gate,
            data=DataFindings(dataset.verdict, dataset.n_rows, changes=result.changes),
            is_compiled=ModelFiles.of(result.model_path).is_compiled,
            **training_facts(result),
        )
        return self.registry.register(group, candidate, job_key=run_id).model

    def _record_failure(
        self,
        group: str,
        run_id: str,
        dataset: DatasetVersion,
        settings: GroupSettings,
        *,
        error: Exception,
        started_at: datetime,
    ) -> None:
        record_failed_training(
            self.runs.store,
            group=group,
            job=TrainingJob(run_id, arn="", started_at=started_at),
            failure=failure_of(error),
            at=self.now(),
            settings=settings,
            dataset=RunDataset(dataset.dataset_id, dataset.dataset_id),
            code_digest=library_digest(),
        )


def _unchanged_directory(model: ModelMetadata | None) -> Path | None:
    """Return the directory of a version; None when it is not here, or no longer what was registered."""
    if model is None or not Path(model.artifact.uri).is_dir():
        return None
    same = describe_artifact(model.artifact.uri).sha256 == model.artifact.sha256
    return Path(model.artifact.uri) if same else None
