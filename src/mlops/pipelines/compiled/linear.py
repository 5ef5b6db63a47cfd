"""A linear model over encoded features without their matrix: each category adds a number of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.cells import Cells, Floats, n_rows
from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.compiled.encoding import CategoryTable, Encoding
from mlops.pipelines.compiled.texts import TextTable


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Coefficients of shape (outputs, columns of the matrix), and an intercept for each output.

    `means` are those of the columns of the matrix over the training rows; models of releases before 0.3 have
    none, and give no contributions.
    """

    encoding: Encoding
    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]
    means: NDArray[np.float64] | None = None

    def raw(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the sums, shape (rows, outputs)."""
        sums = np.empty((len(self.intercept), n_rows(cells)))
        sums[:] = self.intercept[:, None]
        if self.encoding.numbers is not None:
            for column, values in self.encoding.numbers.values(cells):
                for output, weight in enumerate(self.coefficients[:, column]):
                    sums[output] += values * weight
        for table in self.encoding.tables:
            rows, places = table.lookup(cells)
            contributions = self._added(table, rows)
            for output, of_row in enumerate(contributions):
                sums[output] += of_row[places]
        return sums.T

    @property
    def has_contributions(self) -> bool:
        """Whether `contributions` can be called."""
        return self.means is not None

    def contributions(
        self, cells: Mapping[str, Cells], outputs: NDArray[np.int64], groups: ColumnGroups
    ) -> NDArray[np.float64]:
        """Return by how much each column moves an output away from that of the mean training row.

        Parameters
        ----------
        cells, groups
            The rows, and the columns to sum up to.
        outputs
            The output that is looked at, by row.

        Returns
        -------
        Shape (rows, groups + 1): the last column is the output of the mean training row; the sum is `raw`.
        """
        assert self.means is not None  # noqa: S101  see `has_contributions`
        sums = np.zeros((len(groups.names) + 1, n_rows(cells)))
        sums[-1] = (self.intercept + self.coefficients @ self.means)[outputs]
        if self.encoding.numbers is not None:
            for column, values in self.encoding.numbers.values(cells):
                deviation = values - self.means[column]
                sums[groups.of_column[column]] += deviation * self.coefficients[outputs, column]
        for table in self.encoding.tables:
            rows, places = table.lookup(cells)
            of_places = self._added(table, rows - self.means[table.columns])
            sums[groups.of_column[table.columns[0]]] += of_places[outputs, places]
        return sums.T

    def _added(self, table: CategoryTable | TextTable, rows: Floats) -> Floats:
        """Return what rows of a table add to each output, shape (outputs, rows).

        A product of matrices rounds otherwise with other rows beside. Those of categories are always the
        same ones; those of texts are added up column by column.
        """
        coefficients = self.coefficients[:, table.columns]
        if isinstance(table, TextTable):
            added = np.zeros((len(coefficients), len(rows)))
            for of_column, values in zip(coefficients.T, rows.T, strict=True):
                added += np.outer(of_column, values)
            return added
        products: Floats = coefficients @ rows.T
        return products
