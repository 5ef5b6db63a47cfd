"""The last step of the validate_parts machine: judge the parts as one table and decide about the upload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops.dataset.validation.parts.joining import joined_mark, text_of_part, write_joined
from mlops.dataset.validation.parts.validate_parts import Merge, merge_facts, skipped_bytes, with_content
from mlops.infrastructure.object_store import ObjectStore
from mlops.intake.decisions import (
    Attempt,
    Decision,
    accept_for_training,
    complete,
    decide_unless_deleted,
    reject,
    result_of,
)
from mlops.intake.parts.listing import Part, too_large
from mlops.intake.parts.request import PartsRequest, write_request
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.intake.uploads import take_upload
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import ObjectNotFoundError, UploadBusyError
from mlops.models.intake.uploads import Claim
from mlops.models.objects import ObjectRef

_MAX_READINGS = 2


def merge_parts(request_ref: ObjectRef, *, ports: IntakePorts, claim: Claim, now: datetime) -> dict[str, Any]:
    """Judge all parts as one table, and accept or reject it as a single file is.

    Returns
    -------
    dict
        As `list_parts` returns when the parts must be read once more; else `received`: the result for the
        folder. Both have `is_decided`.

    Raises
    ------
    UploadBusyError
        If another run has the claim on the upload.
    """
    request = PartsRequest.from_json(ports.objects.read(request_ref))
    with TemporaryDirectory() as folder:
        table = _FolderTable(request, ports.objects, Path(folder))
        merge = table.merge()
        if isinstance(merge, ValidationReport):
            report = merge
            result = _decide(request, lambda: (report, None), ports=ports, claim=claim, now=now)
        elif merge.correction is not None and request.reading < _MAX_READINGS:
            corrected = replace(request, agreement=merge.correction, reading=request.reading + 1)
            return write_request(corrected, ports.objects)
        else:
            result = _decide(request, lambda: table.validate(merge), ports=ports, claim=claim, now=now)
    return {"is_decided": True, "received": result.to_dict()}


def _decide(
    request: PartsRequest,
    validate: Callable[[], tuple[ValidationReport, ObjectRef | None]],
    *,
    ports: IntakePorts,
    claim: Claim,
    now: datetime,
) -> IntakeResult:
    """Accept the table and start a training, or reject it: once, however often this is repeated.

    `validate` is called when this run is the one to decide; it returns the report and the joined file.
    """
    upload = request.upload
    record = take_upload(upload, ports.versions, claim, now)
    if record.claim != claim:
        if record.is_open:
            raise UploadBusyError(f"Another run processes upload {upload.upload_id}; try again later.")
        return result_of(record, is_repeated=True)
    attempt = Attempt(upload, record, ports, request.limits, now)

    def decide() -> Decision:
        report, content = validate()
        if report.verdict == "reject":
            return reject(attempt, report)
        return accept_for_training(attempt, report, request.settings, content)

    return complete(attempt, lambda: decide_unless_deleted(attempt, decide))


@dataclass(frozen=True, slots=True)
class _FolderTable:
    """The table in the parts of one folder; `folder` is a local directory for the files of the merge."""

    request: PartsRequest
    objects: ObjectStore
    folder: Path

    def merge(self) -> Merge | ValidationReport:
        """Merge the facts of all parts; return a rejection when there is nothing to merge."""
        if self.request.problems:
            return _rejection(self.request, self.request.problems)
        paths = [self._facts(part) for part in self.request.parts]
        deleted = [part for part, path in zip(self.request.parts, paths, strict=True) if path is None]
        if deleted:
            message = (
                f"{deleted[0].name} was deleted before it could be read ({len(deleted):,} of the parts)."
            )
            advice = "Upload the part again and drop the closing file again."
            return _rejection(self.request, (Finding("parts", "reject", message, advice=advice),))
        return merge_facts([path for path in paths if path is not None], self.request.table)

    def validate(self, merge: Merge) -> tuple[ValidationReport, ObjectRef | None]:
        """Return the report; unless it rejects the parts, join them to one file in the artifact bucket."""
        request, size_bytes = self.request, sum(p.inspection.expanded_bytes for p in merge.parts)
        is_too_large = size_bytes > request.limits.max_expanded_bytes
        report = merge.report([too_large(size_bytes, request.limits)] if is_too_large else [])
        if report.verdict == "reject":
            digest = hashlib.sha256("\n".join(p.inspection.sha256 for p in merge.parts).encode()).hexdigest()
            return with_content(report, digest, size_bytes), None
        path = self.folder / "data.csv"
        digest, size_bytes = write_joined(self._texts(merge), path, mark=joined_mark(request.table.form))
        content = self.objects.upload(path, request.joined_ref, "text/csv")
        self._write_lineage(digest, merge)
        return with_content(report, digest, size_bytes), content

    def _write_lineage(self, digest: str, merge: Merge) -> None:
        """Store in the folder of the dataset which parts it was made of."""
        key = f"datasets/{self.request.upload.group}/{digest}/parts.json"
        parts = [
            {**part.to_dict(), "sha256": facts.inspection.sha256}
            for part, facts in zip(self.request.parts, merge.parts, strict=True)
        ]
        content = json.dumps({"closed_by": self.request.upload.ref.to_dict(), "parts": parts}, indent=2)
        self.objects.write(ObjectRef(self.request.bucket, key), content.encode(), "application/json")

    def _texts(self, merge: Merge) -> Iterator[bytes]:
        """Yield the text of the joined file; one part at a time is on the disk."""
        parts = zip(self.request.parts, merge.parts, skipped_bytes(merge.parts), strict=True)
        for part, facts, skipped in parts:
            if facts.is_table:
                path = self.folder / "part"
                self.objects.download(part.ref, path)
                yield from text_of_part(path, facts.inspection, skipped)
                path.unlink()

    def _facts(self, part: Part) -> Path | None:
        """Download the facts of a part; None when the part was deleted before it was surveyed."""
        path = self.folder / f"{part.index:05d}.npz"
        try:
            self.objects.download(self.request.facts_ref(part), path)
        except ObjectNotFoundError:
            return None
        return path


def _rejection(request: PartsRequest, problems: tuple[Finding, ...]) -> ValidationReport:
    size_bytes = sum(part.size_bytes for part in request.parts)
    return ValidationReport("reject", problems, 0, 0, "", size_bytes, "training")
