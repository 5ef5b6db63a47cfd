"""Accepted files: an immutable copy named by its content, a dataset record, the group's contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mlops.dataset.intake_ports import IntakePorts
from mlops.infrastructure.events import Upload
from mlops.infrastructure.objects import ObjectRef
from mlops.models.dataset import Contract, DatasetVersion, ValidationReport


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A training file that may be used, and what was found out about it."""

    upload: Upload
    group: str
    report: ValidationReport


def current_contract(group: str, ports: IntakePorts) -> Contract | None:
    """Return the contract that files of the group are checked against, None before the first file."""
    document = ports.versions.current_contract(group)
    return None if document is None else Contract.from_json(ports.objects.read(document))


def accept_dataset(file: AcceptedFile, ports: IntakePorts, now: datetime) -> DatasetVersion:
    """Store the file once as a dataset version; the same bytes give the version that is there already."""
    known = ports.versions.find_dataset(file.group, file.report.sha256)
    if known is not None:
        return known
    contract = _contract_for(file, ports, now)
    folder = f"datasets/{file.group}/{file.report.sha256}"
    copy = ports.objects.copy(file.upload.ref, ObjectRef(ports.artifact_bucket, f"{folder}/data.csv"))
    report = ports.objects.write(
        ObjectRef(ports.artifact_bucket, f"{folder}/report.json"),
        file.report.to_json().encode(),
        "application/json",
    )
    version = DatasetVersion(
        group=file.group,
        dataset_id=file.report.sha256,
        purpose=file.report.purpose,
        ref=copy,
        report_ref=report,
        source=file.upload.ref,
        upload_id=file.upload.upload_id,
        size_bytes=file.report.size_bytes,
        n_rows=file.report.n_rows,
        n_columns=file.report.n_columns,
        verdict=file.report.verdict,
        columns={column.name: column.kind for column in file.report.columns},
        created_at=now,
        contract=contract,
    )
    return ports.versions.record_dataset(version)


def _contract_for(file: AcceptedFile, ports: IntakePorts, now: datetime) -> ObjectRef | None:
    """Return the group's contract, learned from this file when it is the first."""
    known = ports.versions.current_contract(file.group)
    if known is not None or file.report.contract is None:
        return known
    contract = replace(file.report.contract, version=1)
    place = ObjectRef(ports.artifact_bucket, f"datasets/{file.group}/contracts/00000001.json")
    document = ports.objects.write(place, contract.to_json().encode(), "application/json")
    return ports.versions.record_contract(file.group, 1, document, now=now)
