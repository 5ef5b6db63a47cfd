"""The matrix that a fitted preprocessing makes of features, from arrays instead of scikit-learn's objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.cells import Categories, Cells, Floats, n_rows
from mlops.pipelines.compiled.texts import TextTable

MISSING = "(missing)"  # the category of a missing value


@dataclass(frozen=True)
class NumberBlock:
    """Numeric features: missing ones filled, marked in columns of their own, then shifted and scaled.

    Parameters
    ----------
    names
        The m features, in the order of their columns.
    fill
        What takes the place of a missing value, by feature; NaN leaves it missing. Shape (m,).
    marked
        The positions of the features with a column that marks missing values. Shape (k,).
    mean, scale
        Of each column, the k marking ones last. Shape (m + k,).
    columns
        The columns of the matrix that these are. Shape (m + k,).
    """

    names: tuple[str, ...]
    fill: Floats
    marked: NDArray[np.int64]
    mean: Floats
    scale: Floats
    columns: NDArray[np.int64]

    def values(self, cells: Mapping[str, Cells]) -> Iterator[tuple[int, Floats]]:
        """Yield each column of the block: its position in the matrix, and its values by row."""
        missing: dict[int, NDArray[np.bool_]] = {}
        for position, name in enumerate(self.names):
            numbers = cells[name]
            assert isinstance(numbers, np.ndarray)  # noqa: S101  the schema says so
            is_missing = np.isnan(numbers)
            if position in self._marked:
                missing[position] = is_missing
            filled = np.where(is_missing, self.fill[position], numbers) if is_missing.any() else numbers
            yield int(self.columns[position]), self._scaled(position, filled)
        for place, position in enumerate(self.marked.tolist()):
            column = len(self.names) + place
            yield int(self.columns[column]), self._scaled(column, missing[position].astype(np.float64))

    @cached_property
    def _marked(self) -> frozenset[int]:
        return frozenset(self.marked.tolist())

    def _scaled(self, column: int, values: Floats) -> Floats:
        if self.mean[column] == 0.0 and self.scale[column] == 1.0:
            return values
        scaled: Floats = (values - self.mean[column]) / self.scale[column]
        return scaled


@dataclass(frozen=True)
class CategoryTable:
    """A categorical feature: each category is a row of numbers, the last row is that of all other texts.

    `missing` is the row of a missing value. `columns` are the columns of the matrix. `rows` has the shape
    (categories + 1, columns).
    """

    name: str
    categories: tuple[str, ...]
    rows: Floats
    missing: int
    columns: NDArray[np.int64]

    def lookup(self, cells: Mapping[str, Cells]) -> tuple[Floats, NDArray[np.intp]]:
        """Return the rows of the table, and the one of them for each row of the cells."""
        column = cells[self.name]
        assert isinstance(column, Categories)  # noqa: S101  the schema says so
        of_value = [self._row_of.get(value, len(self.categories)) for value in column.values]
        rows = np.array(
            [*of_value, self.missing], dtype=np.intp
        )  # the code of a missing value is -1, the last
        taken: NDArray[np.intp] = rows[column.codes]
        return self.rows, taken

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {category: row for row, category in enumerate(self.categories)}


def span_of(columns: NDArray[np.int64]) -> slice:
    """Return the neighbouring columns of a table as a slice, which is filled in half the time."""
    return slice(int(columns[0]), int(columns[-1]) + 1) if len(columns) else slice(0)


@dataclass(frozen=True, slots=True)
class Encoding:
    """All blocks of a matrix of `n_columns` columns; each column belongs to one of them."""

    n_columns: int
    numbers: NumberBlock | None
    tables: tuple[CategoryTable | TextTable, ...]

    def matrix(
        self, cells: Mapping[str, Cells], dtype: type[np.floating] = np.float64
    ) -> NDArray[np.floating]:
        """Return the matrix, shape (rows, `n_columns`), row by row in memory."""
        matrix = np.empty((n_rows(cells), self.n_columns), dtype=dtype)
        if self.numbers is not None:
            for column, values in self.numbers.values(cells):
                matrix[:, column] = values
        for table in self.tables:
            rows, places = table.lookup(cells)
            matrix[:, span_of(table.columns)] = rows.astype(dtype).take(places, axis=0)
        return matrix

    def means(self, cells: Mapping[str, Cells]) -> Floats:
        """Return the mean of each column of the matrix, shape (`n_columns`,)."""
        means = np.empty(self.n_columns)
        if self.numbers is not None:
            for column, values in self.numbers.values(cells):
                means[column] = values.mean()
        for table in self.tables:
            rows, places = table.lookup(cells)
            shares = np.bincount(places, minlength=len(rows)) / n_rows(cells)
            means[table.columns] = shares @ rows
        return means

    @property
    def features(self) -> tuple[str, ...]:
        """The feature of which each column of the matrix was made."""
        names = np.empty(self.n_columns, dtype=object)
        if self.numbers is not None:
            of_marks = [self.numbers.names[position] for position in self.numbers.marked.tolist()]
            names[self.numbers.columns] = [*self.numbers.names, *of_marks]
        for table in self.tables:
            names[table.columns] = table.name
        return tuple(names.tolist())
