"""Decides about a closed folder of parts as about a single file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mlops.dataset.limits import Limits
from mlops.infrastructure.upload_events import Upload
from mlops.intake.decisions import (
    Decision,
    Delivery,
    accept_for_training,
    carry_out,
    received_of,
    refuse,
    unless_gone,
)
from mlops.intake.ports import IntakePorts, Received
from mlops.intake.uploads import take_upload
from mlops.models.dataset import Claim, ValidationReport
from mlops.models.errors import UploadBusyError
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings


@dataclass(frozen=True, slots=True)
class JudgedTable:
    """A table that came in parts: the report, and where the joined file lies when it can be used."""

    report: ValidationReport
    settings: GroupSettings
    content: ObjectRef | None = None


def decide_table(
    upload: Upload,
    judge: Callable[[], JudgedTable],
    *,
    ports: IntakePorts,
    limits: Limits,
    claim: Claim,
    now: datetime,
) -> Received:
    """Accept the table and train, or refuse it: once, however often and by how many this is asked.

    Parameters
    ----------
    judge
        Called when this run is the one to decide.

    Raises
    ------
    UploadBusyError
        If another run works on the upload at this moment.
    """
    record = take_upload(upload, ports.versions, claim, now)
    if record.claim != claim:
        if record.is_open:
            raise UploadBusyError(f"Another run works on upload {upload.upload_id}; try again later.")
        return received_of(record, is_repeated=True)
    delivery = Delivery(upload, record, ports, limits, now)

    def decide() -> Decision:
        table = judge()
        if table.report.verdict == "reject":
            return refuse(delivery, table.report)
        return accept_for_training(delivery, table.report, table.settings, table.content)

    return carry_out(delivery, lambda: unless_gone(delivery, decide))
