"""Where a pipeline's rows come from: one CSV, read the way that intake read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from mlops.dataset.validation.reading import read_pieces, read_table
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.columns import as_categories
from mlops.pipelines.features.date_parts import with_date_parts
from mlops.pipelines.features.schema import ModelSchema

_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".txt")


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


def read_training_table(path: Path, settings: GroupSettings) -> pd.DataFrame:
    """Read the whole table, texts as categories.

    Raises
    ------
    DatasetError
        If it is no table, or has no rows.
    """
    frame = read_table(path, settings=settings)
    if frame.empty:
        raise DatasetError(f"{path.name} has no rows.")
    columns = {
        n: column if is_numeric_dtype(column) else as_categories(column) for n, column in frame.items()
    }
    return pd.DataFrame(columns, copy=False)


def read_scoring_pieces(path: Path, schema: ModelSchema) -> Iterator[pd.DataFrame]:
    """Read the table in pieces of whole rows, with the parts of dates that the model takes.

    Ids and what was text at training stay text.

    Raises
    ------
    DatasetError
        If it is no table.
    """
    kinds = {column.name: "category" for column in schema.features if column.kind == "categorical"}
    for piece in read_pieces(path, kinds, GroupSettings(id_columns=schema.id_columns)):
        yield with_date_parts(piece, schema.date_parts)
