"""The datasets of all groups: find them, add one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlops.dataset.catalog.acceptance import AcceptedFile, accept_dataset, current_contract
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.dataset.validation.validate import validate_table_file
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.models.dataset import Contract, DatasetVersion
from mlops.models.errors import DatasetError
from mlops.models.objects import ObjectRef
from mlops.models.registered import RegisteredModels
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings

_SHORTEST_ID = 6


@dataclass(frozen=True, slots=True)
class DatasetCatalog:
    """Datasets by name. A name is a digest or its beginning, a model version (`v1.2.0`: the file that it
    was trained on), or `latest`.
    """

    versions: DatasetVersions
    objects: ObjectStore
    models: RegisteredModels
    artifact_bucket: str = "artifacts"

    def list_datasets(self, group: str) -> tuple[DatasetVersion, ...]:
        """Return the datasets of a group, oldest first."""
        return self.versions.list_datasets(group)

    def find(self, group: str, name: str) -> DatasetVersion:
        """Return the dataset of that name.

        Raises
        ------
        DatasetError
            If no dataset, or more than one, has that name.
        RegistryError
            If the model version does not exist.
        """
        if name.startswith("v"):
            name = next(
                (m.dataset_version for m in self.models.list_models(group) if m.version == name), name
            )
        datasets = self.list_datasets(group)
        matches = datasets[-1:] if name == "latest" else [d for d in datasets if _is_named(d, name)]
        if not matches and (replacing := self.versions.find_dataset(group, name)):
            matches = (replacing,)
        if len(matches) != 1:
            problem = "no dataset" if not matches else f"{len(matches)} datasets"
            raise DatasetError(
                f"The group {group} has {problem} {name!r}; see `mlops datasets list {group}`."
            )
        return matches[0]

    def models_trained_on(self, dataset: DatasetVersion) -> Sequence[ModelMetadata]:
        """Return the model versions that were trained on a dataset, or on one that it has replaced."""
        models = self.models.list_models(dataset.group)
        ids = {dataset.dataset_id, *self.versions.replaced_ids(dataset)}
        return [model for model in models if model.dataset_version in ids]

    def contract(self, group: str, version: int | None = None) -> Contract:
        """Return the contract of a group, the current one unless a version is named.

        Raises
        ------
        DatasetError
            If there is none.
        """
        versions = self.versions
        document = (
            versions.current_contract(group) if version is None else versions.find_contract(group, version)
        )
        if document is None:
            which = "no contract yet" if version is None else f"no contract of version {version}"
            raise DatasetError(f"The group {group} has {which}; it is learned from the first accepted file.")
        return Contract.from_json(self.objects.read(document))

    def add(
        self, group: str, path: Path, *, settings: GroupSettings | None = None, now: datetime
    ) -> DatasetVersion:
        """Validate a training file and keep it as a dataset; the same bytes give the one that is there.

        Raises
        ------
        DatasetError
            If the file is rejected; `mlops validate` says why.
        """
        if not path.is_file():
            raise DatasetError(f"There is no file {path}.")
        stated, limits = settings or GroupSettings(), Limits()
        with as_table_file(path, SheetChoice.of(stated.format.of("training")), limits) as table:
            contract = current_contract(group, self)
            report = validate_table_file(table, stated, contract, purpose="training", limits=limits)
            if report.verdict == "reject":
                reason = report.of_severity("reject")[0].message
                raise DatasetError(f"{path.name} cannot be a dataset of {group}: {reason}")
            dropped = self._drop(group, path)
            content = self._drop(group, table.path) if table.conversion else None
        upload = Upload(dropped.bucket, dropped.key, dropped.version_id, report.size_bytes)
        return accept_dataset(AcceptedFile(upload, group, report, stated, content), self, now)

    def _drop(self, group: str, path: Path) -> ObjectRef:
        place = ObjectRef(self.artifact_bucket, f"dropped/{group}/{path.name}")
        return self.objects.upload(path, place, "text/csv")


def _is_named(dataset: DatasetVersion, name: str) -> bool:
    return len(name) >= _SHORTEST_ID and dataset.dataset_id.startswith(name)
