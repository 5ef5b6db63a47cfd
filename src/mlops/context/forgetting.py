"""What removes the rows of persons, for the datasets of a stack or of plain files."""

from __future__ import annotations

from mlops.dataset.catalog.acceptance import current_contract
from mlops.dataset.catalog.catalog import DatasetCatalog
from mlops.feature_store.store import FeatureStore
from mlops.intake.answers.settings_file import read_group_settings
from mlops.ledger.files import LedgerFiles
from mlops.ledger.recording import Ledger
from mlops.models.errors import DatasetError, SettingsError
from mlops.models.settings.group import GroupSettings
from mlops.use_cases.forgetting.forget import Forgetting
from mlops.use_cases.forgetting.locations import Storage, personal_data
from mlops.use_cases.forgetting.tombstones import TombstoneStore


def forgetting_in(
    group: str,
    datasets: DatasetCatalog,
    ledger: Ledger,
    labels: LedgerFiles,
    features: FeatureStore,
    data_bucket: str | None = None,
) -> Forgetting:
    """Return what forgets persons of a group; `data_bucket` is None where no one uploads files.

    Files are read by the settings in `model.toml`; where these cannot be read, by how the files look.

    Raises
    ------
    DatasetError
        If no file of the group was ever received, and no one was forgotten in it: a restored backup may be
        older than the first file.
    """
    settings, contract = GroupSettings(), current_contract(group, datasets)
    tombstones = TombstoneStore(datasets.objects, datasets.artifact_bucket)
    has_files = contract is not None or datasets.versions.list_uploads(group)
    if not has_files and not any(tombstones.list(group)):
        raise DatasetError(f"The group {group} has no files; `mlops groups` lists the groups.")
    if data_bucket is not None:
        try:
            settings = read_group_settings(data_bucket, group, datasets)
        except SettingsError:
            settings = GroupSettings()
    storage = Storage(
        datasets.objects,
        datasets.versions,
        datasets.artifact_bucket,
        data_bucket,
        settings,
        contract,
        ledger,
        labels,
        features,
    )
    return Forgetting(group, personal_data(group, storage), tombstones, settings, contract)
