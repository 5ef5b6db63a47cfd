"""The parts of the library for one target: plain files below a directory, or a deployed stack."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.infrastructure.notifications import AwsNotifier, Notifier, NullNotifier

if TYPE_CHECKING:  # each is imported by the command that needs it: pandas and boto3 are slow
    from mlops.dataset.catalog.catalog import DatasetCatalog
    from mlops.experiment.tracker import ExperimentTracker
    from mlops.infrastructure.aws.cloudformation import Stack
    from mlops.registry.model_registry import ModelRegistry


@dataclass(frozen=True, slots=True)
class Context:
    """A registry, datasets and runs that belong together; `stack` is None for plain files below `root`."""

    root: Path
    stack: Stack | None = None

    @classmethod
    def open(cls, root: Path, stack_name: str | None = None) -> Context:
        """Return the context of plain files below `root`, or of the deployed stack of that name.

        Raises
        ------
        SettingsError
            If there is no such stack.
        """
        if not stack_name:
            return cls(root)
        from mlops.infrastructure.aws.cloudformation import read_stack  # noqa: PLC0415

        return cls(root, read_stack(stack_name))

    def registry(self) -> ModelRegistry:
        """Return the model registry; pass `actor()` for what is done through it."""
        from mlops.registry.model_registry import ModelRegistry  # noqa: PLC0415

        if self.stack is None:
            return ModelRegistry(root=self.root / "model-registry")
        return ModelRegistry(use_dynamodb=True, table_name=self.stack.registry_table_name)

    def datasets(self) -> DatasetCatalog:
        """Return the datasets."""
        from mlops.dataset.catalog.catalog import DatasetCatalog  # noqa: PLC0415

        if self.stack is None:
            from mlops.dataset.catalog.local import local_versions  # noqa: PLC0415
            from mlops.infrastructure.local_objects import FilesystemObjects  # noqa: PLC0415

            folder = self.root / "datasets"
            return DatasetCatalog(
                local_versions(folder / "records"),
                FilesystemObjects(folder / "objects"),
                self.registry(),
            )
        from mlops.dataset.catalog.versions import DatasetVersions  # noqa: PLC0415
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable  # noqa: PLC0415
        from mlops.infrastructure.aws.s3 import S3Objects  # noqa: PLC0415

        return DatasetCatalog(
            DatasetVersions(DynamoDBTable(self.stack.registry_table_name)), S3Objects(), self.registry()
        )

    def runs(self) -> ExperimentTracker:
        """Return the training runs."""
        from mlops.experiment.tracker import ExperimentTracker  # noqa: PLC0415

        if self.stack is None:
            from mlops.experiment.local import local_runs  # noqa: PLC0415

            return ExperimentTracker(local_runs(self.root / "experiment-runs"))
        from mlops.experiment.factory import stack_runs  # noqa: PLC0415

        return ExperimentTracker(stack_runs(self.stack.registry_table_name, self.stack.artifact_bucket_name))

    def notifier(self) -> Notifier:
        """Return what notifies people and systems; plain files notify no one."""
        if self.stack is None:
            return NullNotifier()
        return AwsNotifier(
            self.stack.notification_topic_arn, self.stack.event_bus_name, self.stack.metrics_namespace
        )

    def actor(self) -> str:
        """Return who acts, as the audit log names them: the AWS identity, or the user of this machine."""
        if self.stack is None:
            return getpass.getuser()
        from mlops.infrastructure.aws.sts import caller_arn  # noqa: PLC0415

        return caller_arn()
