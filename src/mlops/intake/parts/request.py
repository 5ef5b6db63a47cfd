"""The validation of one closed folder: what is asked for, and where what is found out is kept."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.dataset.limits import Limits
from mlops.dataset.validation.parts.validate_parts import PartedTable
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.infrastructure.upload_events import Upload
from mlops.intake.parts.listing import Part
from mlops.models.dataset import Contract, Finding
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings


@dataclass(frozen=True, slots=True)
class PartsRequest(Record):
    """Everything that the steps of one validation share; `problems` say why there is nothing to survey.

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
        """What is the same for all parts."""
        return PartedTable(self.settings, self.contract, self.limits, self.agreement)

    @property
    def ref(self) -> ObjectRef:
        """Where this request lies."""
        return self._place(f"request-{self.reading}.json")

    @property
    def parts_ref(self) -> ObjectRef:
        """Where the list of the parts lies, one entry per survey."""
        return self._place("parts.json")

    @property
    def joined_ref(self) -> ObjectRef:
        """Where the joined file lies until it is a dataset."""
        return self._place("data.csv")

    def facts_ref(self, part: Part) -> ObjectRef:
        """Where the facts of a part lie."""
        return self._place(f"facts-{self.reading}/{part.index:05d}.npz")

    def _place(self, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"parts/{self.upload.group}/{self.upload.upload_id}/{name}")
