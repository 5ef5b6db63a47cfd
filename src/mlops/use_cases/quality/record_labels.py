"""A file of labels becomes rows beside the ledger, when it fits the champion of its group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.labels.reading import check_labels
from mlops.dataset.labels.terms import LabelTerms, NamedBatch, label_terms
from mlops.dataset.limits import Limits
from mlops.ledger.batches import LedgerBatches, RecordedBatch
from mlops.ledger.files import LedgerFiles
from mlops.ledger.labels.recording import LabelFile, is_recorded, record_labels
from mlops.ledger.requests import FILE, is_of_request
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.answer import MAX_ROWS
from mlops.models.scoring.batch_folder import batch_folder
from mlops.models.settings.format import FormatSettings

_MIN_ID = 8  # characters of a batch id that name it


def terms_of(
    champion: ModelMetadata, contract: Contract | None, form: FormatSettings, batches: LedgerBatches
) -> LabelTerms:
    """Return what files of labels are read by: the ids, target and classes of the champion.

    `form` is the `[format]` of the group as it is now.
    """
    recorded = batches.list(champion.model_group)
    settings = replace(champion.settings, format=form, id_columns=id_columns_of(champion, recorded))
    target = champion.target or settings.target
    classes = champion.metrics.labels
    return label_terms(settings, contract, target, classes, named_batches(recorded))


def id_columns_of(champion: ModelMetadata, recorded: Sequence[RecordedBatch]) -> tuple[str, ...]:
    """Return the columns that name a row: as stated, else those of the newest scored file, else of a request.

    Requests may leave out the ids, which says nothing about those of the group.
    """
    if champion.settings.id_columns:
        return champion.settings.id_columns
    with_ids = [each for each in reversed(recorded) if each.id_columns]
    of_files = [each for each in with_ids if each.batch.file != FILE]
    return next((each.id_columns for each in of_files or with_ids), ())


def record_label_file(
    table: TableFile, terms: LabelTerms, file: LabelFile, labels: LedgerFiles, *, limits: Limits
) -> ValidationReport:
    """Check a file of labels and record its rows, once, unless it is refused."""
    with TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        report = check_labels(table, terms, rows, file_name=file.file, now=file.received_at, limits=limits)
        if report.verdict != "reject" and not is_recorded(file, labels):
            record_labels(file, rows, terms.id_columns, labels)
    return report


def named_batches(recorded: Sequence[RecordedBatch]) -> Callable[[str], Sequence[NamedBatch]]:
    """Return what finds the batches of a name: their id or its beginning, their folder, or their file.

    A request is known by the form of its id: its label waits where there was no such request.
    """
    batches = [_named(each) for each in recorded if each.batch.file != FILE]

    def find(name: str) -> Sequence[NamedBatch]:
        if is_of_request(name):
            return [NamedBatch(name, (name,), MAX_ROWS)]
        is_id = len(name) >= _MIN_ID
        return [b for b in batches if name in b.names or (is_id and b.batch_id.startswith(name))]

    return find


def _named(recorded: RecordedBatch) -> NamedBatch:
    batch = recorded.batch
    file = PurePosixPath(batch.file).name
    folder = batch_folder(batch.group, batch.batch_id, file, batch.batch_date).rsplit("/", 1)[-1]
    stem = file.removesuffix(".gz").rsplit(".", 1)[0]
    return NamedBatch(batch.batch_id, (folder, batch.file, file, stem), recorded.n_rows)
