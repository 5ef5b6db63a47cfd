"""A linear model over encoded features without their matrix: each category adds a number of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.encoding import Cells, Encoding, n_rows


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Coefficients of shape (outputs, columns of the matrix), and an intercept for each output."""

    encoding: Encoding
    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def raw(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the sums, shape (rows, outputs)."""
        sums = np.empty((len(self.intercept), n_rows(cells)))
        sums[:] = self.intercept[:, None]
        if self.encoding.numbers is not None:
            for column, values in self.encoding.numbers.values(cells):
                for output, weight in enumerate(self.coefficients[:, column]):
                    sums[output] += values * weight
        for table in self.encoding.tables:
            contributions = self.coefficients[:, table.columns] @ table.rows.T
            places = table.places(cells)
            for output, of_row in enumerate(contributions):
                sums[output] += of_row[places]
        return sums.T
