"""The steps of the validate_parts machine: list the parts, survey each, merge them and decide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops.dataset.catalog.acceptance import DatasetStorage, current_contract
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.limits import Limits
from mlops.dataset.validation.parts.check_agreement import agree
from mlops.dataset.validation.parts.joining import text_of_part, write_joined
from mlops.dataset.validation.parts.validate_parts import (
    Merge,
    merge_facts,
    skipped_bytes,
    survey_part_file,
    with_content,
)
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.intake import read_settings, settings_problem
from mlops.intake.parts.deciding import JudgedTable, decide_table
from mlops.intake.parts.listing import Listing, Part, list_closed_parts, too_large
from mlops.intake.parts.request import PartsRequest
from mlops.intake.ports import IntakePorts
from mlops.models.dataset import Claim, Finding, ValidationReport
from mlops.models.errors import ObjectNotFoundError, SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings

_MAX_READINGS = 2


@dataclass(frozen=True, slots=True)
class PartsStorage:
    """What listing needs of the places where datasets are kept."""

    objects: ObjectStore
    versions: DatasetVersions
    artifact_bucket: str


def list_parts(upload: Upload, *, storage: DatasetStorage, limits: Limits) -> dict[str, Any]:
    """Write down which parts a closing object speaks of, and how all of them are read.

    Everything that the next steps look at is pinned here: versions of the parts, settings, contract.

    Returns
    -------
    dict
        `request` and `parts`: where the two documents lie; `n_parts`: how many surveys there are to make.
    """
    settings, listing = GroupSettings(), Listing()
    try:
        settings = read_settings(upload, storage)
        listing = list_closed_parts(upload, storage.objects, limits)
    except SettingsError as error:
        listing = Listing(problems=(settings_problem(upload, error),))
    contract = current_contract(str(upload.group), storage)
    with TemporaryDirectory() as folder:
        agreement = agree(
            _downloads(listing.parts, storage.objects, Path(folder)),
            settings,
            contract,
            limits=limits,
            size_bytes=sum(part.size_bytes for part in listing.parts),
        )
    request = PartsRequest(
        storage.artifact_bucket,
        upload,
        settings,
        contract,
        limits,
        agreement,
        listing.parts,
        listing.problems,
    )
    items = json.dumps([part.to_dict() for part in listing.parts]).encode()
    storage.objects.write(request.parts_ref, items, "application/json")
    return _written(request, storage.objects)


def survey_part(request_ref: ObjectRef, part: Part, objects: ObjectStore) -> None:
    """Survey one part and keep its facts; of a part that is gone nothing is kept, and the merge says so."""
    request = PartsRequest.from_json(objects.read(request_ref))
    with TemporaryDirectory() as folder:
        # the suffix is all that validation may see of a name that somebody else chose
        path = Path(folder) / ("part.csv.gz" if part.name.lower().endswith(".gz") else "part.csv")
        facts = Path(folder) / "facts.npz"
        try:
            objects.download(part.ref, path)
        except ObjectNotFoundError:
            return
        survey_part_file(path, part.name, request.table, facts)
        objects.upload(facts, request.facts_ref(part), "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Merging:
    """The merge of one folder's parts, with the files that it works on."""

    request: PartsRequest
    objects: ObjectStore
    folder: Path

    def judge(self, merge: Merge) -> JudgedTable:
        """Judge the table; when it can be used, join its parts to one file in the artifact bucket."""
        request, size_bytes = self.request, sum(p.inspection.expanded_bytes for p in merge.parts)
        is_too_large = size_bytes > request.limits.max_expanded_bytes
        report = merge.report([too_large(size_bytes, request.limits)] if is_too_large else [])
        if report.verdict == "reject":
            digest = hashlib.sha256("\n".join(p.inspection.sha256 for p in merge.parts).encode()).hexdigest()
            return JudgedTable(with_content(report, digest, size_bytes), request.settings)
        path = self.folder / "data.csv"
        digest, size_bytes = write_joined(self._texts(merge), path)
        content = self.objects.upload(path, request.joined_ref, "text/csv")
        self._keep_lineage(digest, merge)
        return JudgedTable(with_content(report, digest, size_bytes), request.settings, content)

    def _keep_lineage(self, digest: str, merge: Merge) -> None:
        """Write beside the dataset which parts it was made of."""
        key = f"datasets/{self.request.upload.group}/{digest}/parts.json"
        made_of = [
            {**part.to_dict(), "sha256": facts.inspection.sha256}
            for part, facts in zip(self.request.parts, merge.parts, strict=True)
        ]
        content = json.dumps({"closed_by": self.request.upload.ref.to_dict(), "parts": made_of}, indent=2)
        self.objects.write(ObjectRef(self.request.bucket, key), content.encode(), "application/json")

    def _texts(self, merge: Merge) -> Iterator[bytes]:
        """Yield the text of the joined file; one part at a time lies on the disk."""
        every = zip(self.request.parts, merge.parts, skipped_bytes(merge.parts), strict=True)
        for part, facts, skipped in every:
            if facts.is_table:
                path = self.folder / "part"
                self.objects.download(part.ref, path)
                yield from text_of_part(path, facts.inspection, skipped)
                path.unlink()

    def merge(self) -> Merge | ValidationReport:
        """Merge the facts of all parts; a report when there is nothing to merge."""
        if self.request.problems:
            return _refusal(self.request, self.request.problems)
        paths = [self._facts(part) for part in self.request.parts]
        gone = [part for part, path in zip(self.request.parts, paths, strict=True) if path is None]
        if gone:
            message = f"{gone[0].name} was deleted before it could be read ({len(gone):,} of the parts)."
            advice = "Upload the part again and drop the closing file again."
            return _refusal(self.request, (Finding("parts", "reject", message, advice=advice),))
        return merge_facts([path for path in paths if path is not None], self.request.table)

    def _facts(self, part: Part) -> Path | None:
        path = self.folder / f"{part.index:05d}.npz"
        try:
            self.objects.download(self.request.facts_ref(part), path)
        except ObjectNotFoundError:
            return None
        return path


def merge_parts(request_ref: ObjectRef, *, ports: IntakePorts, claim: Claim, now: datetime) -> dict[str, Any]:
    """Judge all parts as one table and decide, as a single file is decided about.

    Returns
    -------
    dict
        As `list_parts` returns when the parts must be read once more; else `received`: what became of the
        folder. Both have `is_decided`.

    Raises
    ------
    UploadBusyError
        If another run works on the upload at this moment.
    """
    request = PartsRequest.from_json(ports.objects.read(request_ref))
    with TemporaryDirectory() as folder:
        merging = Merging(request, ports.objects, Path(folder))
        merge = merging.merge()
        if isinstance(merge, ValidationReport):
            judged = JudgedTable(merge, request.settings)
            received = decide_table(
                request.upload, lambda: judged, ports=ports, limits=request.limits, claim=claim, now=now
            )
        else:
            correction = merge.correction
            if correction is not None and request.reading < _MAX_READINGS:
                again = replace(request, agreement=correction, reading=request.reading + 1)
                return _written(again, ports.objects)
            received = decide_table(
                request.upload,
                lambda: merging.judge(merge),
                ports=ports,
                limits=request.limits,
                claim=claim,
                now=now,
            )
    return {"is_decided": True, "received": received.to_dict()}


def _downloads(parts: tuple[Part, ...], objects: ObjectStore, folder: Path) -> Iterator[Path]:
    for part in parts:
        path = folder / ("part.csv.gz" if part.name.lower().endswith(".gz") else "part.csv")
        objects.download(part.ref, path)
        yield path


def _written(request: PartsRequest, objects: ObjectStore) -> dict[str, Any]:
    objects.write(request.ref, request.to_json().encode(), "application/json")
    place, parts = request.ref, request.parts_ref
    return {
        "is_decided": False,
        "request": {"bucket": place.bucket, "key": place.key},
        "parts": {"bucket": parts.bucket, "key": parts.key},
        "n_parts": len(request.parts),
    }


def _refusal(request: PartsRequest, problems: tuple[Finding, ...]) -> ValidationReport:
    size_bytes = sum(part.size_bytes for part in request.parts)
    return ValidationReport("reject", problems, 0, 0, "", size_bytes, "training")
