"""The request to validate one closed folder, and where its documents are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops.dataset.limits import Limits
from mlops.dataset.validation.parts.validate_parts import PartedTable
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.parts.listing import Part
from mlops.models.dataset import Contract, Finding
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings


@dataclass(frozen=True, slots=True)
class PartsRequest(Record):
    """What the steps of one validation share; with `problems` there is nothing to survey.

    `reading` counts how often the parts are read: once, or twice when the merge corrected the agreement.
    """

    bucket: str
    upload: Upload
    settings: GroupSettings
    contract: Contract | None
    limits: Limits
    agreement: Agreement | None
    parts: tuple[Part, ...]
    problems: tuple[Finding, ...] = ()
    reading: int = 1

    @property
    def table(self) -> PartedTable:
        """What all parts have in common."""
        return PartedTable(self.settings, self.contract, self.limits, self.agreement)

    @property
    def ref(self) -> ObjectRef:
        """Where this request is stored."""
        return self._ref(f"request-{self.reading}.json")

    @property
    def parts_ref(self) -> ObjectRef:
        """Where the list of the parts is stored, one entry per survey."""
        return self._ref("parts.json")

    @property
    def joined_ref(self) -> ObjectRef:
        """Where the joined file is stored until it is a dataset."""
        return self._ref("data.csv")

    def facts_ref(self, part: Part) -> ObjectRef:
        """Where the facts of a part are stored."""
        return self._ref(f"facts-{self.reading}/{part.index:05d}.npz")

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"parts/{self.upload.group}/{self.upload.upload_id}/{name}")


def write_request(request: PartsRequest, objects: ObjectStore) -> dict[str, Any]:
    """Store a request; return the input of the next steps: its address, and that of the list of parts."""
    objects.write(request.ref, request.to_json().encode(), "application/json")
    return {
        "is_decided": False,
        "request": {"bucket": request.ref.bucket, "key": request.ref.key},
        "parts": {"bucket": request.parts_ref.bucket, "key": request.parts_ref.key},
        "n_parts": len(request.parts),
    }
