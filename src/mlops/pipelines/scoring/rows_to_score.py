"""The rows to score of a file or a frame, read as those of the training were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.notation.stated import stated_notation
from mlops.dataset.table.frames import lost_numbers
from mlops.dataset.table.table import Table, UnreadableCells
from mlops.dataset.validation.pieces import MarkedRows, TablePieces
from mlops.dataset.validation.reading import find_table
from mlops.dataset.validation.scoring import FileToScore, ScoringTerms, open_scoring_file
from mlops.dataset.validation.survey.names import matched_names
from mlops.models.dataset import ColumnContract, ColumnKind, Contract, ValidationReport
from mlops.models.errors import DatasetError
from mlops.pipelines.artifacts.model import ModelSchema, with_made_features
from mlops.pipelines.scoring.row_status import unreadable_dates

_MAX_REASONS = 3
# findings of validation that the counts of the pieces do not say already
_SHOWN_RULES = frozenset(("renamed_columns", "absent_ids", "missing_ids"))


@dataclass(frozen=True, slots=True)
class ReadRows:
    """What was noticed about all rows that were read.

    `unreadable` counts the cells that could not be read, by column, with their lines in the file; `remarks`
    are sentences about the file.
    """

    unreadable: Mapping[str, UnreadableCells]
    remarks: tuple[str, ...]


class RowsToScore(Protocol):
    """The rows of a file or a frame, with all features of the model."""

    @property
    def name(self) -> str:
        """The name of the file."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, named as the contract names them."""

    @property
    def compression(self) -> str | None:
        """The compression of the text that is read."""

    def read[T](self, use: Callable[[Iterator[MarkedRows]], T]) -> tuple[T, ReadRows]:
        """Hand the rows, piece by piece, to `use`; return what it returned.

        `use` may be called a second time. Then what it did before does not count.

        Raises
        ------
        DatasetError
            If the file cannot be scored: the same files as intake refuses.
        """


def open_rows(source: str | Path | pd.DataFrame, terms: ScoringTerms, schema: ModelSchema) -> RowsToScore:
    """Open a file, a directory that contains one, or a frame.

    Raises
    ------
    DatasetError
        If there is no such file, or no table in it.
    """
    if isinstance(source, pd.DataFrame):
        return _rows_of_frame(source, terms, schema)
    return open_file(source, terms, schema)


def open_file(source: str | Path, terms: ScoringTerms, schema: ModelSchema) -> FileRows:
    """Open a file, or a directory that holds one, as `open_rows` does."""
    path = find_table(Path(source))
    file = open_scoring_file(path, terms)
    if isinstance(file, ValidationReport):
        _refuse(path.name, file)
    return FileRows(path, file, schema)


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of a file, which is read once, and checked meanwhile."""

    path: Path
    file: FileToScore
    schema: ModelSchema

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, named as the contract names them."""
        return self.file.names

    @property
    def compression(self) -> str | None:
        """The compression of the text that is read."""
        return self.file.survey.inspection.compression

    def read[T](self, use: Callable[[Iterator[MarkedRows]], T]) -> tuple[T, ReadRows]:
        """See `RowsToScore`."""
        report, result = self.file.check_and_use(lambda pieces: use(with_dates(pieces, self.schema)))
        if result is None or report.verdict == "reject":
            _refuse(self.name, report)
        return result, self._read_rows(report)

    def check(self) -> tuple[TablePieces | None, ReadRows]:
        """Check the file without its rows; return them to be read later, None of a file that was converted.

        Raises
        ------
        DatasetError
            As `read`.
        """
        report = self.file.check()
        if report.verdict == "reject":
            _refuse(self.name, report)
        is_converted = self.file.path != self.path
        return None if is_converted else self.file.pieces(), self._read_rows(report)

    def _read_rows(self, report: ValidationReport) -> ReadRows:
        remarks = (f.message for f in report.of_severity("warn") if f.rule_id in _SHOWN_RULES)
        return ReadRows(self.file.unreadable, tuple(remarks))


def _refuse(name: str, report: ValidationReport) -> NoReturn:
    reasons = " ".join(finding.message for finding in report.of_severity("reject")[:_MAX_REASONS])
    raise DatasetError(f"{name} cannot be scored: {reasons}")


def contract_of_model(schema: ModelSchema) -> Contract:
    """Return how files to score are read; a model before 0.3 has no contract but its schema."""
    if schema.contract is not None:
        return schema.contract
    of_features: dict[str, ColumnKind] = {"categorical": "category", "text": "text", "numeric": "number"}
    kinds = {
        feature.name: of_features[feature.kind]
        for feature in schema.features
        if feature.name not in schema.sources
    }
    kinds |= dict.fromkeys(schema.date_parts, "text")
    columns = [ColumnContract(name, kind, "feature") for name, kind in kinds.items()]
    columns += [ColumnContract(name, "text", "id") for name in schema.id_columns]
    return Contract(tuple(columns), schema.target, version=0)


def with_dates(pieces: Iterable[MarkedRows], schema: ModelSchema) -> Iterator[MarkedRows]:
    """Add the parts of dates, and mark the rows whose cell is not a date."""
    for rows in pieces:
        frame = with_made_features(rows.frame, schema)
        yield MarkedRows(frame, {**rows.unreadable, **unreadable_dates(frame, schema)})


@dataclass(frozen=True, slots=True)
class _FrameRows:
    """The rows of a frame, which are one piece."""

    name: str
    columns: tuple[str, ...]
    rows: MarkedRows
    noticed: ReadRows
    compression: None = None

    def read[T](self, use: Callable[[Iterator[MarkedRows]], T]) -> tuple[T, ReadRows]:
        """See `RowsToScore`."""
        return use(iter((self.rows,))), self.noticed


def _rows_of_frame(frame: pd.DataFrame, terms: ScoringTerms, schema: ModelSchema) -> _FrameRows:
    names, renamed = matched_names([str(name) for name in frame.columns], terms.contract)
    named = frame.set_axis(list(names), axis=1)
    table = Table.from_frame(named, terms.settings, terms.contract, has_target=False)
    marked = MarkedRows(table.frame, _unreadable(named, table, terms))
    (rows,) = with_dates([marked], schema)
    remarks = tuple(f"Column {written} was taken for {name}." for name, written in renamed.items())
    return _FrameRows(table.name, table.names, rows, ReadRows(table.unreadable, remarks))


def _unreadable(frame: pd.DataFrame, table: Table, terms: ScoringTerms) -> dict[str, NDArray[np.bool_]]:
    """Mark the cells of a frame that the table made from it holds as missing, although they say something."""
    form = terms.settings.format.of("inference")
    marks = {}
    for name in table.unreadable:
        if table.columns[name].is_number:
            notation = stated_notation(terms.contract.column(name) if terms.contract else None, form, ".")
            marks[name] = lost_numbers(frame[name], table[name], notation)
    return marks
