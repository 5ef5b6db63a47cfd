"""Where rows of persons are stored: the uploads of a group, and what is made of them.

Another store with such rows is a further `PersonalData` in this list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.object_store import ObjectStore
from mlops.ledger.columns import PREDICTIONS
from mlops.ledger.files import LedgerFiles
from mlops.ledger.label_columns import LABELS
from mlops.ledger.recording import Ledger
from mlops.models.dataset import Contract
from mlops.models.settings.group import GroupSettings
from mlops.use_cases.forgetting.feature_values import FeatureUploads, FeatureValues
from mlops.use_cases.forgetting.ledger_rows import LedgerRows
from mlops.use_cases.forgetting.personal_data import KeepRest, PersonalData, TableObjects
from mlops.use_cases.forgetting.rewriting import Rewriting

# what is stored beside tables and holds no rows
_OF_PEOPLE = ("/model.toml", "/_SUCCESS", ".manifest.json")
_OF_THE_SYSTEM = (".html", ".json", ".npz")
_OF_QUARANTINE = ("/report.html", "/report.json")


@dataclass(frozen=True, slots=True)
class Storage:
    """What is stored for a group: objects in two buckets, records, and how its files are read.

    `data_bucket` is None for plain files, to which no one uploads.
    """

    objects: ObjectStore
    versions: DatasetVersions
    artifact_bucket: str
    data_bucket: str | None
    settings: GroupSettings
    contract: Contract | None
    ledger: Ledger
    labels: LedgerFiles
    features: FeatureStore


def personal_data(group: str, storage: Storage) -> tuple[PersonalData, ...]:
    """Return the stores with rows of persons of a group; uploads first: nothing is made of them again."""
    keep = Rewriting(storage.objects, storage.versions)
    system, quarantine = _all_but(_OF_THE_SYSTEM), _all_but(_OF_QUARANTINE)
    stores = [
        _artifacts("uploads", f"dropped/{group}/", storage, _all_but(_OF_PEOPLE), keep.keep_file),
        _artifacts("datasets", f"datasets/{group}/", storage, system, keep.keep_dataset),
        _artifacts("quarantine", f"quarantine/{group}/", storage, quarantine, keep.keep_file),
        _artifacts("converted uploads", f"converted/{group}/", storage, system, beside=("conversion.json",)),
        _artifacts("joined parts", f"parts/{group}/", storage, system),
        _artifacts("training sets of retrainings", f"retraining/{group}/", storage, system),
    ]
    predictions = replace(
        _artifacts("predictions", f"predictions/{group}/", storage, system, keep.keep_predictions),
        settings=GroupSettings(),  # `[format]` is about files of people
        column_in=keep.column_of_predictions,
    )
    # after the predictions and the uploads, of which they are made
    tables = (
        LedgerRows("ledger", storage.ledger, PREDICTIONS),
        LedgerRows("labels", replace(storage.ledger, files=storage.labels), LABELS),
    )
    values = FeatureValues(storage.features)
    if storage.data_bucket is None:
        return (*stores, predictions, *tables, values)
    uploads = replace(
        stores[0],
        bucket=storage.data_bucket,
        prefix=f"{group}/",
        keep_rest=keep.keep_upload,
        waits=keep.waits,
        keep_older=keep.keep_older_upload,
    )
    of_features = FeatureUploads(storage.features, uploads, stores[2], storage.versions)
    return (uploads, of_features, *stores[1:], predictions, *tables, values)


def _artifacts(
    name: str,
    prefix: str,
    storage: Storage,
    is_table: Callable[[str], bool],
    keep_rest: KeepRest | None = None,
    *,
    beside: tuple[str, ...] = (),
) -> TableObjects:
    return TableObjects(
        name,
        storage.objects,
        storage.artifact_bucket,
        prefix,
        storage.settings,
        storage.contract,
        is_table,
        keep_rest,
        beside,
    )


def _all_but(endings: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda key: not f"/{key}".endswith(endings)
