"""Files of labels, recorded on plain files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mlops.context.files import FilesContext
from mlops.dataset.catalog.acceptance import contract_of_version
from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.infrastructure.clock import utc_now
from mlops.ledger.labels.recording import LabelFile
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.errors import DatasetError, QualityError
from mlops.models.registry import ModelMetadata
from mlops.pipelines.artifact_files import SCHEMA
from mlops.pipelines.artifacts.model import ModelSchema
from mlops.use_cases.quality.record_labels import record_label_file, terms_of


def record_labels_of(group: str, path: Path, context: FilesContext) -> ValidationReport:
    """Record the labels of a file for the champion of a group; the same content is recorded once.

    Raises
    ------
    DatasetError
        If the file does not exist.
    QualityError
        If the group has no champion.
    """
    if not path.is_file():
        raise DatasetError(f"There is no file {path}.")
    champion = context.registry.champion(group)
    if champion is None:
        raise QualityError(f"The group {group} has no approved model; approve and promote a version first.")
    upload_id = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    form, limits = champion.settings.format, Limits()
    contract = _contract_of(champion) or contract_of_version(champion, context.datasets)
    terms = terms_of(champion, contract, form, context.ledger.batches)
    file = LabelFile(group, upload_id, path.name, utc_now())
    with as_table_file(path, SheetChoice.of(form.of("labels")), limits) as table:
        return record_label_file(table, terms, file, context.label_files, limits=limits)


def _contract_of(model: ModelMetadata) -> Contract | None:
    """Return the contract in the directory of a model; None where there is none."""
    path = Path(model.artifact.uri) / SCHEMA
    return ModelSchema.from_json(path.read_bytes()).contract if path.is_file() else None
