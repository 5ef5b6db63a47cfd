"""What is written when the rows of a person were removed from an object that others refer to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import REWRITTEN, Upload
from mlops.models.dataset import DatasetVersion, ValidationReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import MANIFEST, BatchFile, BatchManifest
from mlops.models.scoring.batch_files import CONTENT_TYPES
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.use_cases.forgetting.personal_data import beside

_CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Stores the rest of a file: as an upload, as a dataset, or as a file of a batch."""

    objects: ObjectStore
    versions: DatasetVersions

    def keep_file(self, ref: ObjectRef, rest: Path, n_removed: int) -> None:  # noqa: ARG002
        """Store the rest under the same key."""
        self.objects.upload(rest, _newest(ref), _CSV)

    def keep_upload(self, ref: ObjectRef, rest: Path, n_removed: int) -> None:  # noqa: ARG002
        """Store the rest of an upload; intake ignores it when it has decided about the upload before.

        An upload that still waits is received again.
        """
        facts = self.objects.head(ref)
        record = self._upload_record(ref)
        mark = {REWRITTEN: "yes"} if record is not None and not record.is_undecided else {}
        self.objects.upload(rest, _newest(ref), _CSV, {**facts.metadata, **mark})

    def waits(self, ref: ObjectRef) -> bool:
        """Return whether a version of an upload was received and is still to be decided about."""
        record = self._upload_record(ref)
        return record is not None and record.is_undecided

    def keep_older_upload(self, ref: ObjectRef, rest: Path, n_removed: int) -> None:  # noqa: ARG002
        """Store the rest of an older version that waits under a name of its own: it is received again.

        Under the old name it would replace the newest version.
        """
        folder, _, name = ref.key.rpartition("/")
        version = re.sub(r"[^A-Za-z0-9]", "", ref.version_id or "")[:8]
        key = f"{folder}/version-{version}-{name}"
        self.objects.upload(rest, ObjectRef(ref.bucket, key), _CSV, self.objects.head(ref).metadata)

    def _upload_record(self, ref: ObjectRef) -> UploadRecord | None:
        facts = self.objects.head(ref)
        upload = Upload(ref.bucket, ref.key, facts.ref.version_id, facts.size_bytes)
        return self.versions.find_upload(upload.recorded_group, upload.upload_id)

    def keep_dataset(self, ref: ObjectRef, rest: Path, n_removed: int) -> None:
        """Store the rest as another dataset, which replaces the one that the object was stored for.

        An object that belongs to no dataset, or to one that was replaced before, is not kept.
        """
        _, group, dataset_id, name = ref.key.split("/", 3)
        dataset = self.versions.recorded_dataset(group, dataset_id)
        if dataset is None or dataset.replaced_by is not None:
            return
        new_id = sha256_of(rest)
        if self.versions.recorded_dataset(group, new_id) is None:
            self._record(dataset, new_id, name, rest, n_removed)
        self.versions.replace_dataset(dataset, new_id)

    def _record(self, dataset: DatasetVersion, new_id: str, name: str, rest: Path, n_removed: int) -> None:
        bucket, folder = dataset.ref.bucket, f"datasets/{dataset.group}/{new_id}"
        size_bytes, n_rows = rest.stat().st_size, max(dataset.n_rows - n_removed, 0)
        report = ValidationReport.from_json(self.objects.read(dataset.report_ref))
        report = replace(report, sha256=new_id, size_bytes=size_bytes, n_rows=n_rows)
        content = self.objects.upload(rest, ObjectRef(bucket, f"{folder}/{name}"), _CSV)
        report_ref = self.objects.write(
            ObjectRef(bucket, f"{folder}/report.json"), report.to_json().encode(), "application/json"
        )
        counted = replace(dataset, size_bytes=size_bytes, n_rows=n_rows)
        self.versions.record_dataset(replace(counted, dataset_id=new_id, ref=content, report_ref=report_ref))

    def keep_predictions(self, ref: ObjectRef, rest: Path, n_removed: int) -> None:  # noqa: ARG002
        """Store the rest of a file of a batch, and name the new version in the manifest of the batch."""
        name = ref.key.rsplit("/", 1)[-1]
        stored = self.objects.upload(rest, _newest(ref), CONTENT_TYPES.get(name, _CSV))
        place = ObjectRef(ref.bucket, beside(ref.key, MANIFEST))
        manifest = self._manifest(ref)
        if manifest is None:
            return
        files = {**manifest.files, name: BatchFile(sha256_of(rest), stored.version_id)}
        self.objects.write(place, replace(manifest, files=files).to_json().encode(), "application/json")

    def column_of_predictions(self, ref: ObjectRef, column: str) -> str:
        """Return what a column of the scored file is called in its predictions."""
        manifest = self._manifest(ref)
        if manifest is None or manifest.columns is None:
            return column
        return {**manifest.columns.inputs, **manifest.columns.ids}.get(column, column)

    def _manifest(self, ref: ObjectRef) -> BatchManifest | None:
        """Return the manifest of the batch of a file; None before the batch is complete."""
        try:
            content = self.objects.read(ObjectRef(ref.bucket, beside(ref.key, MANIFEST)))
        except ObjectNotFoundError:
            return None
        return BatchManifest.from_json(content)


def _newest(ref: ObjectRef) -> ObjectRef:
    return ObjectRef(ref.bucket, ref.key)
