"""The rows to score of a file or a frame, read as those of the training were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.notation.stated import stated_notation
from mlops.dataset.table.frames import lost_numbers
from mlops.dataset.table.table import Table, UnreadableCells
from mlops.dataset.validation.pieces import MarkedRows, TablePieces
from mlops.dataset.validation.reading import find_table
from mlops.dataset.validation.scoring import ScoringTerms, check_scoring_file
from mlops.dataset.validation.survey.names import matched_names
from mlops.models.dataset import ColumnContract, ColumnKind, Contract
from mlops.models.errors import DatasetError
from mlops.pipelines.artifacts.model import ModelSchema, with_made_features
from mlops.pipelines.scoring.row_status import unreadable_dates

_MAX_REASONS = 3
# findings of validation that the counts of the pieces do not say already
_SHOWN_RULES = frozenset(("renamed_columns", "absent_ids", "missing_ids"))


@dataclass(frozen=True, slots=True)
class RowsToScore:
    """The rows piece by piece, with all features of the model, and what was noticed about all of them.

    `unreadable` counts the cells that could not be read, by column, with their lines in the file. `table` is
    the file; None when the rows are those of a frame, or of a file that was converted to be read.
    `compression` is that of the text that was read.
    """

    name: str
    columns: tuple[str, ...]
    pieces: Iterator[MarkedRows]
    unreadable: Mapping[str, UnreadableCells]
    remarks: tuple[str, ...]
    table: TablePieces | None = None
    compression: str | None = None


def open_rows(source: str | Path | pd.DataFrame, terms: ScoringTerms, schema: ModelSchema) -> RowsToScore:
    """Open a file, a directory that holds one, or a frame.

    Raises
    ------
    DatasetError
        If the file cannot be scored: the same files as intake refuses.
    """
    if isinstance(source, pd.DataFrame):
        return _rows_of_frame(source, terms, schema)
    path = find_table(Path(source))
    report, pieces = check_scoring_file(path, terms)
    if pieces is None or report.verdict == "reject":
        reasons = " ".join(finding.message for finding in report.of_severity("reject")[:_MAX_REASONS])
        raise DatasetError(f"{path.name} cannot be scored: {reasons}")
    remarks = tuple(f.message for f in report.of_severity("warn") if f.rule_id in _SHOWN_RULES)
    rows = with_dates(pieces.marked(), schema)
    names = tuple(column.name for column in pieces.plan.columns)
    table = pieces if pieces.path == path else None
    return RowsToScore(
        path.name, names, rows, pieces.unreadable, remarks, table, pieces.inspection.compression
    )


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
    """Add the parts of dates, and mark the rows whose cell is no date."""
    for rows in pieces:
        frame = with_made_features(rows.frame, schema)
        yield MarkedRows(frame, {**rows.unreadable, **unreadable_dates(frame, schema)})


def _rows_of_frame(frame: pd.DataFrame, terms: ScoringTerms, schema: ModelSchema) -> RowsToScore:
    names, renamed = matched_names([str(name) for name in frame.columns], terms.contract)
    named = frame.set_axis(list(names), axis=1)
    table = Table.from_frame(named, terms.settings, terms.contract, has_target=False)
    rows = MarkedRows(table.frame, _unreadable(named, table, terms))
    remarks = tuple(f"Column {written} was taken for {name}." for name, written in renamed.items())
    return RowsToScore(table.name, table.names, with_dates([rows], schema), table.unreadable, remarks)


def _unreadable(frame: pd.DataFrame, table: Table, terms: ScoringTerms) -> dict[str, NDArray[np.bool_]]:
    """Mark the cells of a frame that the table made from it holds as missing, although they say something."""
    form = terms.settings.format.of("inference")
    marks = {}
    for name in table.unreadable:
        if table.columns[name].is_number:
            notation = stated_notation(terms.contract.column(name) if terms.contract else None, form, ".")
            marks[name] = lost_numbers(frame[name], table[name], notation)
    return marks
