"""Where a command works: on plain files below a directory, or on a deployed stack."""

from __future__ import annotations

import argparse
import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.infrastructure.announcing import Announcer, AwsAnnouncer, SilentAnnouncer

if TYPE_CHECKING:  # each is imported by the command that needs it: pandas and boto3 are slow
    from mlops.dataset.catalog import DatasetCatalog
    from mlops.experiment.tracker import ExperimentTracker
    from mlops.infrastructure.cloudformation import Stack
    from mlops.registry.model_registry import ModelRegistry

STACK_VARIABLE = "MLOPS_STACK"
RULE = (
    f"Works on the deployed stack that --stack or {STACK_VARIABLE} names: on AWS with your credentials, or "
    'on the local cloud after `eval "$(python -m local env)"`. Without either it works on plain files below '
    "--root."
)


@dataclass(frozen=True, slots=True)
class Workplace:
    """One place with a registry, datasets and runs; `stack` is None for plain files below `root`."""

    root: Path
    stack: Stack | None = None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Workplace:
        """Return the place that the arguments of `add_place` name.

        Raises
        ------
        SettingsError
            If there is no such stack.
        """
        if not arguments.stack:
            return cls(arguments.root)
        from mlops.infrastructure.cloudformation import read_stack  # noqa: PLC0415

        return cls(arguments.root, read_stack(arguments.stack))

    def registry(self) -> ModelRegistry:
        """Return the registry of the place; what is done through it is done by `actor()`."""
        from mlops.registry.model_registry import ModelRegistry  # noqa: PLC0415

        if self.stack is None:
            return ModelRegistry(root=self.root / "model-registry")
        return ModelRegistry(use_dynamodb=True, table_name=self.stack.registry_table_name)

    def datasets(self) -> DatasetCatalog:
        """Return the datasets of the place."""
        from mlops.dataset.catalog import DatasetCatalog  # noqa: PLC0415

        if self.stack is None:
            return DatasetCatalog.in_files(self.root / "datasets", self.root / "model-registry")
        return DatasetCatalog.in_table(self.stack.registry_table_name)

    def runs(self) -> ExperimentTracker:
        """Return the training runs of the place."""
        from mlops.experiment.filesystem import FilesystemRuns  # noqa: PLC0415
        from mlops.experiment.tracker import ExperimentTracker  # noqa: PLC0415

        if self.stack is None:
            return ExperimentTracker(FilesystemRuns(self.root / "experiment-runs"))
        from mlops.experiment.dynamodb import DynamoDBRuns  # noqa: PLC0415

        return ExperimentTracker(
            DynamoDBRuns(self.stack.registry_table_name, self.stack.artifact_bucket_name)
        )

    def announcer(self) -> Announcer:
        """Return who tells people and systems what was done here; nobody listens to plain files."""
        if self.stack is None:
            return SilentAnnouncer()
        return AwsAnnouncer(
            self.stack.notification_topic_arn, self.stack.event_bus_name, self.stack.metrics_namespace
        )

    def actor(self) -> str:
        """Return who acts, as the audit log names them: the AWS identity, or the user of this machine."""
        if self.stack is None:
            return getpass.getuser()
        from mlops.infrastructure.sts import caller_arn  # noqa: PLC0415

        return caller_arn()


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the command works."""
    place = parser.add_argument_group("where", RULE)
    place.add_argument(
        "--stack",
        metavar="NAME",
        default=os.environ.get(STACK_VARIABLE),
        help=f"a deployed stack (default: {STACK_VARIABLE} of the environment)",
    )
    place.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        default=Path(),
        help="directory of model-registry/, datasets/ and experiment-runs/ (default: this one)",
    )
