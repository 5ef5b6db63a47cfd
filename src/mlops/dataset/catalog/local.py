"""The records of datasets in a file below a directory, and the import of what release 0.1 stored there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.file_import import import_once
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.dataset import DatasetVersion
from mlops.models.intake.trainings import TrainingRecord
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import ObjectRef

FILENAME = "datasets.sqlite3"


def local_versions(root: Path) -> DatasetVersions:
    """Return the records below a directory; what release 0.1 stored there is imported first."""
    versions = DatasetVersions(SqliteTable(root / FILENAME))
    import_once(
        root,
        lambda: (path for path in root.glob("[!.]*") if path.is_dir()),
        lambda folder: _import_group(folder, versions),
    )
    return versions


def _import_group(folder: Path, versions: DatasetVersions) -> None:
    """Record what release 0.1 stored in `<group>/<kind>/<id>.json`."""
    for path in sorted(folder.glob("*/*.json")):
        text = path.read_text("utf-8")
        match path.parent.name:
            case "uploads":
                versions.record_upload(UploadRecord.from_json(text))
            case "datasets":
                versions.record_dataset(DatasetVersion.from_json(text))
            case "trainings":
                versions.record_training(TrainingRecord.from_json(text))
            case "contracts":
                written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                document = ObjectRef.from_json(text)
                versions.record_contract(folder.name, int(path.stem), document, now=written_at)
