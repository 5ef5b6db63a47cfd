"""The training set of a retraining: accepted files, and scored rows whose outcome is known.

Rows are read as training reads them, each once: where sources repeat a row, the newest one counts. The set is
written in the order of time, the oldest file first, and validated by the contract of the group like a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from mlops.dataset.conversion.refusal import RefusalError
from mlops.dataset.conversion.table_file import CONVERTED_TABLE, Conversion, TableFile, TableWriter
from mlops.dataset.limits import Limits
from mlops.dataset.validation.validate import validate_table_file
from mlops.intake.retraining.source_rows import (
    RowsOfGroup,
    RowSources,
    SourceRows,
    each_once,
    identity_of,
    keys_of,
)
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.errors import DatasetError, TrainingError
from mlops.models.intake.retraining import DatasetLineage
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.archive import sha256_of

_TEXT_KINDS = ("category", "text", "date")


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A training set that was made: its file, the report about it, and what it is made of.

    `settings` are those that it is trained with. `n_new_rows` were not in the dataset of the champion;
    `n_new_labels` of them come from the ledger.
    """

    path: Path
    report: ValidationReport
    lineage: DatasetLineage
    settings: GroupSettings
    n_new_rows: int
    n_new_labels: int

    @property
    def files_rows(self) -> int:
        """How many rows come from accepted files."""
        return sum(source.n_rows for source in self.lineage.sources if source.kind == "file")

    @property
    def ledger_rows(self) -> int:
        """How many rows come from the ledger."""
        return sum(source.n_rows for source in self.lineage.sources if source.kind == "ledger")

    @property
    def problem(self) -> str:
        """Why it cannot be trained on; empty when it can."""
        return next((finding.message for finding in self.report.of_severity("reject")), "")


def make_training_set(
    champion: ModelMetadata,
    settings: GroupSettings,
    sources: RowSources,
    folder: Path,
    *,
    limits: Limits,
    now: datetime,
) -> TrainingSet:
    """Write the training set of a group into a folder.

    With rows of the ledger the last rows are held out, unless a time column orders the rows anyway.

    Raises
    ------
    TrainingError
        If no file of the group was accepted, or no source has rows that can be used.
    DatasetError
        If the set is larger than a training file may be.
    """
    group = RowsOfGroup.of(champion, settings, sources, folder)
    files = group.of_files()
    ledger, labelled = group.of_ledger(now)
    row_sets = [*files, *([ledger] if ledger else [])]
    if not row_sets:
        reasons = " ".join(f"Left out: {sentence}" for sentence in group.left_out)
        raise TrainingError(f"No rows of {champion.model_group} can be trained on. {reasons}".rstrip())
    identity = _identity(group, files or row_sets)
    kept = each_once(row_sets, identity)
    n_new = _count_new(kept, group.of_champion(files), identity)
    if ledger is not None and settings.time_column is None:
        settings = replace(settings, split="last_rows")
    path = _write(kept, group.contract, folder, limits)
    return TrainingSet(
        path,
        _validate(path, group.contract, settings, limits),
        DatasetLineage(
            champion.model_group,
            tuple(source for rows in kept for source in rows.described()),
            labelled.labels,
            tuple(group.left_out),
        ),
        settings,
        sum(n_new),
        n_new[-1] if ledger is not None else 0,
    )


def count_new_labels(
    champion: ModelMetadata, settings: GroupSettings, sources: RowSources, folder: Path, *, now: datetime
) -> int:
    """Count the labelled rows that are new to the champion, without making the training set.

    Only the columns that tell rows apart are read, of the ledger, the newest file and that of the champion.

    Raises
    ------
    TrainingError
        If no file of the group was ever accepted.
    """
    group = RowsOfGroup.of(champion, settings, sources, folder)
    # the time is not among the needed columns where it is excluded from the inputs
    ledger, _ = group.of_ledger(now, (*group.ids, *group.needed, settings.time_column or ""))
    if ledger is None:
        return 0
    newest = group.of_newest_file()
    files = [] if newest is None else [newest]
    identity = _identity(group, files or [ledger])
    kept = each_once([ledger], identity)
    return sum(_count_new(kept, group.of_champion(files), identity))


def _identity(group: RowsOfGroup, files: Sequence[SourceRows]) -> tuple[str, ...]:
    """Return the columns that tell rows apart, and the time: a row of another time is another one."""
    time = group.settings.time_column
    identity = identity_of(files[-1], group.ids, group.needed)
    return tuple(dict.fromkeys((*identity, *([time] if time in group.contract.names and time else ()))))


def _count_new(
    kept: Sequence[SourceRows], trained: SourceRows | None, identity: tuple[str, ...]
) -> list[int]:
    """Return how many rows of each source the champion was not trained on."""
    if trained is None:
        return [len(rows.cells) for rows in kept]
    trained_keys = np.unique(keys_of(trained, identity))
    return [int((~np.isin(keys_of(rows, identity), trained_keys)).sum()) for rows in kept]


def _write(tables: Sequence[SourceRows], contract: Contract, folder: Path, limits: Limits) -> Path:
    path = folder / CONVERTED_TABLE
    with path.open("w", encoding="utf-8", newline="") as file:
        try:
            writer = TableWriter(file, contract.names, limits)
            for rows in tables:
                cells = rows.cells.astype(object).where(rows.cells.notna(), None)
                for row in zip(*(cells[name] for name in contract.names), strict=True):
                    writer.write_row(row)
        except RefusalError as error:
            raise DatasetError(
                f"The training set is too large: {error.finding.message} Train on the newest file only "
                '(`[retrain] files = "latest"`), or raise MaxUploadBytes.'
            ) from error
    return path


def _validate(path: Path, contract: Contract, settings: GroupSettings, limits: Limits) -> ValidationReport:
    """Check the set as intake checks a file."""
    texts = tuple(
        n for n, column in enumerate(contract.columns) if column.kind in _TEXT_KINDS or column.role == "id"
    )
    conversion = Conversion("csv", sha256_of(path), path.stat().st_size, first_line=0, text_columns=texts)
    table = TableFile(path, conversion)
    return validate_table_file(table, settings, contract, purpose="training", limits=limits)
