"""The one way in which pipelines read a file of data: as `validate` understood it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.form.inspection import header_of
from mlops.dataset.limits import Limits
from mlops.dataset.table.cells import view_as_missing, view_as_numbers
from mlops.dataset.table.chunks import Chunk, Plan, parse
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.records import RecordCutter
from mlops.dataset.table.table import Table, UnreadableCells, unreadable_cells
from mlops.dataset.validation.contracts import contract_of, contract_of_frame
from mlops.dataset.validation.survey.expectations import expected_contract, overlaid
from mlops.dataset.validation.survey.survey import Survey, blocks_of, notations_of, survey_file
from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError
from mlops.models.settings.format import FormatPurpose
from mlops.models.settings.group import GroupSettings

_SUFFIXES = (
    *(".csv", ".csv.gz", ".tsv", ".txt"),
    *(".parquet", ".jsonl", ".ndjson", ".xlsx", ".zip", ".zst"),
)


def load_table(
    source: str | os.PathLike[str] | pd.DataFrame,
    settings: GroupSettings | None = None,
    contract: Contract | None = None,
) -> Table:
    """Return the rows of a file or a frame with the kind and the role of every column.

    Parameters
    ----------
    source
        A file as for `read_table`, a directory that holds one, or a frame.
    settings, contract
        As for `validate`: what they say of a column decides its kind and its role.

    Raises
    ------
    DatasetError
        If the file does not exist, cannot be read as a table, or has no rows.
    """
    return load_with_contract(source, settings, contract)[0]


def load_with_contract(
    source: str | os.PathLike[str] | pd.DataFrame,
    settings: GroupSettings | None = None,
    contract: Contract | None = None,
) -> tuple[Table, Contract | None]:
    """Return a table as `load_table` does, and the contract that it was read by.

    Without a contract that is the one that validation would learn from the same rows.
    """
    columns = settings.columns if settings else {}
    if isinstance(source, pd.DataFrame):
        taught = None if contract else contract_of_frame(source, settings)
        stated = expected_contract(contract, settings or GroupSettings(), "inference")
        known = overlaid(taught, columns) if taught else stated
        table = Table.from_frame(source, settings, known)
        table = replace(table, sha256=table.digest())
    else:
        chunks: list[Chunk] = []
        path = find_table(Path(source))
        with _surveyed(path, contract, settings, chunks, purpose="training") as (_, survey):
            pass  # the rows were kept
        taught = None if contract else contract_of(survey)
        known = overlaid(taught, columns) if taught else survey.contract
        roles, digest = survey.roles, survey.inspection.sha256
        table = Table(
            _frame(chunks, survey), {}, roles.target, roles.is_target_assumed, path.name, digest
        ).typed({column.name: column for column in _named(survey)}, roles, survey.settings)
    if not len(table):
        raise DatasetError(f"{table.name} has no rows.")
    return table, known and replace(known, target=table.target)


def find_table(path: Path) -> Path:
    """Return the file itself, or the one table that a directory holds.

    Raises
    ------
    DatasetError
        If there is nothing there, or a directory holds no or several tables.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise DatasetError(f"{path} does not exist.")
    tables = sorted(entry for entry in path.iterdir() if entry.name.lower().endswith(_SUFFIXES))
    if len(tables) != 1:
        raise DatasetError(f"{path} must hold exactly one CSV; it holds {len(tables)}.")
    return tables[0]


def read_table(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None = None,
    settings: GroupSettings | None = None,
    *,
    purpose: FormatPurpose = "inference",
) -> pd.DataFrame:
    """Read a file of data into a frame.

    Encoding, delimiter, quotes, comments, decimal mark, header and missing values are those that the settings
    state, else they are detected exactly as `validate` does. Blank rows and nameless columns are left out.

    Parameters
    ----------
    path
        The file: CSV in any delimiter and common encoding, also gzip-compressed.
    schema
        Decides which columns are numbers: a `Contract`, its dict, or a mapping of column name to kind
        (`integer`, `number`, `date`, `category`, `text`). Columns that it does not name are decided by their
        values. A cell that is not a number in a column of numbers becomes missing.
    settings
        `id_columns` stay text, and `format` says how the file is written.
    purpose
        What the file is for: `[format.<purpose>]` counts.

    Returns
    -------
    pandas.DataFrame
        Columns in the order of the file, index 0..n-1. Numbers are `float64`, or `int64` when all are whole
        and none is missing; everything else is `object`: stripped text, NaN where missing. Ids and numbers
        with leading zeros stay text.

    Raises
    ------
    DatasetError
        If the file does not exist, has too many columns or cannot be read as a table; the message says what
        it is instead.
    """
    chunks: list[Chunk] = []
    with _surveyed(path, schema, settings, chunks, purpose=purpose) as (_, survey):
        return _frame(chunks, survey)


@dataclass(frozen=True, slots=True)
class TablePieces:
    """The rows of a file, piece by piece, and by column the cells that could not be read."""

    path: Path
    survey: Survey
    unreadable: Mapping[str, UnreadableCells]
    resources: ExitStack = field(default_factory=ExitStack)  # holds a converted file as long as the pieces

    def __iter__(self) -> Iterator[pd.DataFrame]:
        n_rows = 0
        for piece in _pieces(self.path, self.survey):
            frame = _of_arrays(piece)
            frame.index = pd.RangeIndex(n_rows, n_rows + len(frame))
            n_rows += len(frame)
            yield frame
        if n_rows == 0:
            yield _frame([], self.survey)


def read_pieces(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None = None,
    settings: GroupSettings | None = None,
) -> TablePieces:
    """Read a file of data piece by piece: the rows of `read_table`, in order, in memory that stays flat.

    Takes and raises what `read_table` does. Every numeric column is `float64` in every piece, the index goes
    on from piece to piece. A file without rows yields one empty piece.
    """
    stack = ExitStack()
    file, survey = stack.enter_context(_surveyed(path, schema, settings))
    return TablePieces(file, survey, unreadable_cells(_named(survey)), stack)


@contextmanager
def _surveyed(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None,
    settings: GroupSettings | None,
    kept: list[Chunk] | None = None,
    *,
    purpose: FormatPurpose = "inference",
) -> Iterator[tuple[Path, Survey]]:
    """Provide the file of text that holds the table, which may exist only meanwhile, and its survey."""
    file, stated = Path(path), settings or GroupSettings()
    if not file.is_file():
        raise DatasetError(f"There is no file {file}.")
    with as_table_file(file, SheetChoice.of(stated.format.of(purpose)), _LIMITS) as table:
        if table.conversion is not None and table.conversion.is_refused:
            raise DatasetError(f"{file.name}: {table.conversion.findings[0].message}")
        survey = survey_file(
            table.path,
            stated,
            _contract(schema),
            purpose="inference",
            limits=_LIMITS,
            form=stated.format.of(purpose),
            kept=kept,
            conversion=table.conversion,
        )
        _refuse_unreadable(survey, file.name)
        yield table.path, survey


# beyond this a float does not hold every integer
_EXACT_INTEGER = 2.0**53
_LIMITS = Limits(min_rows=0, max_header_characters=10_000)


def _contract(schema: Contract | Mapping[str, Any] | None) -> Contract | None:
    from mlops.models.dataset import ColumnContract  # noqa: PLC0415

    if schema is None or isinstance(schema, Contract):
        return schema
    if "columns" in schema and not isinstance(schema["columns"], str):
        return Contract.from_dict(schema, strict=True)
    return Contract(tuple(ColumnContract(name, kind, "feature") for name, kind in schema.items()))


def _refuse_unreadable(survey: Survey, name: str) -> None:
    from mlops.dataset.validation.validate import report_on  # noqa: PLC0415  validation reads nothing

    names, shape = [column.name for column in survey.columns if column.name], survey.shape
    is_ambiguous = len(set(names)) < len(names)
    is_contradicted = survey.dialect is not None and survey.dialect.contradicted is not None
    is_broken = shape.ragged or shape.unclosed_quote_line or shape.bad_quotes
    if names and not (is_ambiguous or is_contradicted or is_broken):
        return
    rejections = report_on(survey).of_severity("reject")
    reason = rejections[0].message if rejections else "It cannot be read as a table."
    raise DatasetError(f"{name}: {reason}")


def _frame(chunks: Sequence[Chunk], survey: Survey) -> pd.DataFrame:
    return _of_arrays({c.name: _whole(chunks, c, survey) for c in _named(survey)})


def _of_arrays(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return the columns as a frame of their own dtypes; pandas 3 would make `object` into `str`."""
    cells = {name: pd.Series(values, dtype=values.dtype, copy=False) for name, values in columns.items()}
    return pd.DataFrame(cells, copy=False)


def _named(survey: Survey) -> list[ColumnProfile]:
    return [column for column in survey.columns if column.name]


def _is_numeric(column: ColumnProfile, survey: Survey) -> bool:
    return column.is_numeric and column.name not in survey.id_names


def _pieces(file: Path, survey: Survey) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of each block of records, by name."""
    dialect, columns = _dialect(survey), _named(survey)
    plans: dict[int, Plan] = {
        c.position: "number" if _is_numeric(c, survey) and c.notation.is_plain(dialect.decimal) else "text"
        for c in columns
    }
    tokens = {c.position: tuple(c.tokens) for c in columns if plans[c.position] == "number"}
    cutter = RecordCutter(dialect, header_of(file, survey.inspection, dialect.skipped_bytes), survey.limits)
    for block in blocks_of(file, survey.inspection, dialect, cutter):
        chunk = parse(block, dialect, plans, tokens, notations_of(survey))
        yield {c.name: _cells(chunk, c, survey) for c in columns}


def _dialect(survey: Survey) -> Dialect:
    assert survey.dialect is not None  # noqa: S101  a file without one was refused
    return survey.dialect


def _cells(chunk: Chunk, column: ColumnProfile, survey: Survey) -> NDArray[Any]:
    """Return a column of one block: numbers when all of the column is numbers, else stripped text."""
    if column.position in chunk.numbers:
        return chunk.numbers[column.position]
    cells = chunk.texts[column.position]
    if _is_numeric(column, survey):
        numbers: NDArray[Any] = view_as_numbers(cells.values, column.notation).numbers[cells.codes]
        return numbers
    missing = view_as_missing(cells.values, column.notation.kept)
    clean = np.array(
        [np.nan if is_gap else value.strip() for value, is_gap in zip(cells.values, missing, strict=True)],
        dtype=object,
    )
    taken: NDArray[Any] = clean[cells.codes]
    return taken


def _whole(chunks: Sequence[Chunk], column: ColumnProfile, survey: Survey) -> NDArray[Any]:
    """Return a column of all blocks; whole numbers without a gap become integers."""
    is_numeric = _is_numeric(column, survey)
    parts = [_cells(chunk, column, survey) for chunk in chunks]
    if not parts:
        return np.empty(0, np.float64 if is_numeric else object)
    whole = np.concatenate(parts)
    if is_numeric and (np.abs(whole) < _EXACT_INTEGER).all() and (np.rint(whole) == whole).all():
        return whole.astype(np.int64)
    return whole
