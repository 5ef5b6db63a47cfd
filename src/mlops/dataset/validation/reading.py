"""The one way in which pipelines read a file of data: as `validate` understood it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.dataset.table.chunks import Chunk
from mlops.dataset.table.table import Table, unreadable_cells
from mlops.dataset.validation.contracts import contract_of, contract_of_frame
from mlops.dataset.validation.pieces import TablePieces, frame_of
from mlops.dataset.validation.reading_plan import ColumnPlan, column_plans, named_columns, plan_reading
from mlops.dataset.validation.survey.expectations import expected_contract, overlaid
from mlops.dataset.validation.survey.gathering import StartedSurvey, start_survey
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.surveyed_rows import SurveyedRows
from mlops.dataset.validation.validate import report_on
from mlops.models.dataset import ColumnContract, Contract
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

    Raises
    ------
    DatasetError
        If the file does not exist, cannot be read as a table, or has no rows.
    """
    columns = settings.columns if settings else {}
    if isinstance(source, pd.DataFrame):
        taught = None if contract else contract_of_frame(source, settings)
        stated = expected_contract(contract, settings or GroupSettings(), "inference")
        expected = overlaid(taught, columns) if taught else stated
        table = Table.from_frame(source, settings, expected)
        table = replace(table, sha256=table.digest())
    else:
        chunks: list[Chunk] = []
        path = find_table(Path(source))
        with _surveyed(path, contract, settings, chunks, purpose="training") as (_, survey):
            pass  # the rows were kept
        taught = None if contract else contract_of(survey)
        expected = overlaid(taught, columns) if taught else survey.contract
        roles, digest = survey.roles, survey.inspection.sha256
        table = Table(
            _frame(chunks, survey), {}, roles.target, roles.is_target_assumed, path.name, digest
        ).typed({column.name: column for column in named_columns(survey)}, roles, survey.settings)
    if not len(table):
        raise DatasetError(f"{table.name} has no rows.")
    return table, expected and replace(expected, target=table.target)


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
    unreadable = unreadable_cells(named_columns(survey))
    return TablePieces(file, survey.inspection, plan_reading(file, survey), unreadable, stack)


def use_pieces[T](
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None,
    settings: GroupSettings | None,
    use: Callable[[Iterator[pd.DataFrame]], T],
) -> T:
    """Hand the rows of `read_pieces` to `use`, with text as categories, and return what it returned.

    The file is read once. Where its end says that it is to be read in another way than its beginning, `use`
    is called once more; what it did before does not count. A file without rows is one empty piece.

    Raises
    ------
    DatasetError
        As `read_table`; of `use`, if the file can be read.
    """
    with _started(path, schema, settings) as (file, started):
        rows = SurveyedRows(file, started, lambda pieces: use(piece.frame for piece in pieces))
        _refuse_unreadable(rows.read(), Path(path).name)
        return rows.result()


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
    with _started(path, schema, settings, kept, purpose=purpose) as (file, started):
        survey = started.completed()
        _refuse_unreadable(survey, Path(path).name)
        yield file, survey


@contextmanager
def _started(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None,
    settings: GroupSettings | None,
    kept: list[Chunk] | None = None,
    *,
    purpose: FormatPurpose = "inference",
) -> Iterator[tuple[Path, StartedSurvey]]:
    """Provide the file of text that holds the table, and its survey before the rows are read."""
    file, stated = Path(path), settings or GroupSettings()
    if not file.is_file():
        raise DatasetError(f"There is no file {file}.")
    with as_table_file(file, SheetChoice.of(stated.format.of(purpose)), _LIMITS) as table:
        if table.conversion is not None and table.conversion.is_refused:
            raise DatasetError(f"{file.name}: {table.conversion.findings[0].message}")
        started = start_survey(
            table.path,
            stated,
            _contract(schema),
            purpose="inference",
            limits=_LIMITS,
            form=stated.format.of(purpose),
            kept=kept,
            conversion=table.conversion,
        )
        yield table.path, started


# beyond this a float does not hold every integer
_EXACT_INTEGER = 2.0**53
_LIMITS = Limits(min_rows=0, max_header_characters=10_000)


def _contract(schema: Contract | Mapping[str, Any] | None) -> Contract | None:
    if schema is None or isinstance(schema, Contract):
        return schema
    if "columns" in schema and not isinstance(schema["columns"], str):
        return Contract.from_dict(schema, strict=True)
    return Contract(tuple(ColumnContract(name, kind, "feature") for name, kind in schema.items()))


def _refuse_unreadable(survey: Survey, name: str) -> None:
    names, shape = [column.name for column in survey.columns if column.name], survey.shape
    is_ambiguous = len(set(names)) < len(names)
    is_contradicted = survey.dialect is not None and survey.dialect.contradicted is not None
    has_bad_rows = (shape.ragged or shape.bad_quotes) and not survey.form.ignore_errors
    is_broken = has_bad_rows or shape.unclosed_quote_line
    if names and not (is_ambiguous or is_contradicted or is_broken):
        return
    rejections = report_on(survey).of_severity("reject")
    reason = rejections[0].message if rejections else "It cannot be read as a table."
    raise DatasetError(f"{name}: {reason}")


def _frame(chunks: Sequence[Chunk], survey: Survey) -> pd.DataFrame:
    return frame_of({column.name: _whole(chunks, column) for column in column_plans(survey)})


def _whole(chunks: Sequence[Chunk], column: ColumnPlan) -> NDArray[Any]:
    """Return a column of all blocks; whole numbers without a gap become integers."""
    parts = [column.cells(chunk) for chunk in chunks]
    if not parts:
        return np.empty(0, np.float64 if column.is_number else object)
    whole = np.concatenate(parts)
    if column.is_number and (np.abs(whole) < _EXACT_INTEGER).all() and (np.rint(whole) == whole).all():
        return whole.astype(np.int64)
    return whole
