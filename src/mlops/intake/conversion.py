"""Uploads of other formats than CSV: requested to be converted once, then taken in again.

The result of a conversion is stored under a name that is derived from the upload and from what `[format]`
states about it, with the record last: a record shows that the table is there. So a conversion may be
repeated, and a run of intake finds the one that it needs, or requests it and ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.conversion.convert import convert
from mlops.dataset.conversion.recognition import HEAD_BYTES, format_of, local_name
from mlops.dataset.conversion.table_file import Conversion
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

RECORD = "conversion.json"


@dataclass(frozen=True, slots=True)
class ConversionRequest(Record):
    """One upload to convert, and what `[format]` of its group states about it."""

    upload: Upload
    choice: SheetChoice

    def stored_in(self, bucket: str, name: str) -> ObjectRef:
        """Return where a file of the result is stored."""
        choice = hashlib.sha256(self.choice.to_json().encode()).hexdigest()[:12]
        return ObjectRef(bucket, f"converted/{self.upload.group}/{self.upload.upload_id}/{choice}/{name}")


@dataclass(frozen=True, slots=True)
class StoredConversion(Record):
    """The result of a conversion; `content` is where the table is stored, None when it was refused."""

    conversion: Conversion
    content: ObjectRef | None = None


def needs_conversion(upload: Upload, objects: ObjectStore) -> bool:
    """Whether the file is of a format that is converted; only its first bytes are read.

    Raises
    ------
    ObjectNotFoundError
        If the object was deleted.
    """
    with objects.open(upload.ref) as stream:
        return format_of(upload.filename, stream.read(HEAD_BYTES)) is not None


def find_conversion(
    request: ConversionRequest, objects: ObjectStore, artifact_bucket: str
) -> StoredConversion | None:
    """Return the result of a conversion, None before its end."""
    try:
        document = objects.read(request.stored_in(artifact_bucket, RECORD))
    except ObjectNotFoundError:
        return None
    return StoredConversion.from_json(document)


def convert_upload(
    request: ConversionRequest,
    objects: ObjectStore,
    start_intake: Callable[[Upload], None],
    *,
    artifact_bucket: str,
    limits: Limits,
) -> StoredConversion | None:
    """Convert an uploaded file unless that was done, and start intake for it again.

    Parameters
    ----------
    start_intake
        Starts intake for an upload, without waiting for its end.

    Returns
    -------
    StoredConversion or None
        None when the object was deleted meanwhile; intake then records that.
    """
    stored = find_conversion(request, objects, artifact_bucket)
    if stored is None:
        stored = _convert(request, objects, artifact_bucket, limits)
    start_intake(request.upload)
    return stored


def _convert(
    request: ConversionRequest, objects: ObjectStore, artifact_bucket: str, limits: Limits
) -> StoredConversion | None:
    with TemporaryDirectory() as folder:
        source = Path(folder) / local_name(request.upload.filename)
        try:
            objects.download(request.upload.ref, source)
        except ObjectNotFoundError:
            return None
        conversion, table = convert(source, Path(folder), request.choice, limits)
        content = None
        if table is not None:
            content = objects.upload(table, request.stored_in(artifact_bucket, table.name), "text/csv")
    stored = StoredConversion(conversion, content)
    objects.write(request.stored_in(artifact_bucket, RECORD), stored.to_json().encode(), "application/json")
    return stored
