"""The one way in which pipelines read a file of data: as `validate` understood it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.limits import Limits
from mlops.dataset.table.cells import view_as_missing, view_as_numbers
from mlops.dataset.table.chunks import Chunk, Plan, parse
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.records import RecordCutter
from mlops.dataset.validation.survey.column_facts import ColumnFacts
from mlops.dataset.validation.survey.survey import Survey, blocks_of, header_of, survey
from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings


def read_table(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None = None,
    settings: GroupSettings | None = None,
) -> pd.DataFrame:
    """Read a file of data into a frame.

    Encoding, delimiter, decimal mark, header and missing values are detected exactly as `validate` does.
    Blank rows and nameless columns are left out.

    Parameters
    ----------
    path
        The file: CSV in any delimiter and common encoding, also gzip-compressed.
    schema
        Decides which columns are numbers: a `Contract`, its dict, or a mapping of column name to kind
        (`integer`, `number`, `date`, `category`, `text`). Columns that it does not name are decided by their
        values. A cell that is no number in a column of numbers becomes missing.
    settings
        `id_columns` stay text.

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
    _, found = _survey(path, schema, settings, chunks)
    return _frame({c.name: _whole(chunks, c, found) for c in _named(found)})


def read_pieces(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None = None,
    settings: GroupSettings | None = None,
) -> Iterator[pd.DataFrame]:
    """Read a file of data piece by piece: the rows of `read_table`, in order, in memory that stays flat.

    Takes and raises what `read_table` does. Every numeric column is `float64` in every piece, the index goes
    on from piece to piece. A file without rows yields one empty piece.
    """
    file, found = _survey(path, schema, settings)
    n_rows = 0
    for piece in _pieces(file, found):
        frame = _frame(piece)
        frame.index = pd.RangeIndex(n_rows, n_rows + len(frame))
        n_rows += len(frame)
        yield frame
    if n_rows == 0:
        yield _frame({c.name: _whole([], c, found) for c in _named(found)})


def _frame(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return the columns as a frame of their own dtypes; pandas 3 would make `object` into `str`."""
    cells = {name: pd.Series(values, dtype=values.dtype, copy=False) for name, values in columns.items()}
    return pd.DataFrame(cells, copy=False)


def _survey(
    path: str | os.PathLike[str],
    schema: Contract | Mapping[str, Any] | None,
    settings: GroupSettings | None,
    kept: list[Chunk] | None = None,
) -> tuple[Path, Survey]:
    file = Path(path)
    if not file.is_file():
        raise DatasetError(f"There is no file {file}.")
    known = _contract(schema)
    found = survey(file, settings or GroupSettings(), known, purpose="inference", limits=_LIMITS, kept=kept)
    _refuse_unreadable(found, file.name)
    return file, found


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


def _refuse_unreadable(found: Survey, name: str) -> None:
    from mlops.dataset.validation.validate import report_on  # noqa: PLC0415  validation reads nothing

    names, shape = [column.name for column in found.columns if column.name], found.shape
    is_ambiguous = len(set(names)) < len(names)
    if names and not (is_ambiguous or shape.ragged or shape.unclosed_quote_line or shape.bad_quotes):
        return
    rejections = report_on(found).of_severity("reject")
    reason = rejections[0].message if rejections else "It cannot be read as a table."
    raise DatasetError(f"{name}: {reason}")


def _named(found: Survey) -> list[ColumnFacts]:
    return [column for column in found.columns if column.name]


def _is_numeric(column: ColumnFacts, found: Survey) -> bool:
    return column.is_numeric and column.name not in found.id_names


def _pieces(file: Path, found: Survey) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of each block of records, by name."""
    dialect, columns = _dialect(found), _named(found)
    plans: dict[int, Plan] = {c.position: "number" if _is_numeric(c, found) else "text" for c in columns}
    tokens = {c.position: tuple(c.tokens) for c in columns if plans[c.position] == "number"}
    cutter = RecordCutter(dialect, header_of(file, found.inspection, dialect), found.limits)
    for block in blocks_of(file, found.inspection, dialect, cutter):
        chunk = parse(block, dialect, plans, tokens)
        yield {c.name: _cells(chunk, c, found) for c in columns}


def _dialect(found: Survey) -> Dialect:
    assert found.dialect is not None  # noqa: S101  a file without one was refused
    return found.dialect


def _cells(chunk: Chunk, column: ColumnFacts, found: Survey) -> NDArray[Any]:
    """Return a column of one block: numbers when all of the column is numbers, else stripped text."""
    if column.position in chunk.numbers:
        return chunk.numbers[column.position]
    cells = chunk.texts[column.position]
    if _is_numeric(column, found):
        numbers: NDArray[Any] = view_as_numbers(cells.values, _dialect(found).decimal).numbers[cells.codes]
        return numbers
    missing = view_as_missing(cells.values)
    clean = np.array(
        [np.nan if gone else value.strip() for value, gone in zip(cells.values, missing, strict=True)],
        dtype=object,
    )
    taken: NDArray[Any] = clean[cells.codes]
    return taken


def _whole(chunks: Sequence[Chunk], column: ColumnFacts, found: Survey) -> NDArray[Any]:
    """Return a column of all blocks; whole numbers without a gap become integers."""
    is_numeric = _is_numeric(column, found)
    parts = [_cells(chunk, column, found) for chunk in chunks]
    if not parts:
        return np.empty(0, np.float64 if is_numeric else object)
    whole = np.concatenate(parts)
    if is_numeric and (np.abs(whole) < _EXACT_INTEGER).all() and (np.rint(whole) == whole).all():
        return whole.astype(np.int64)
    return whole
