"""From the columns of a matrix back to the columns of the file that they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.encoding import Encoding


@dataclass(frozen=True, slots=True)
class ColumnGroups:
    """The columns of a file, and for each column of the matrix the position of its own among them.

    One-hot columns, marks of missing values, target statistics and parts of a date belong to the column that
    they were made of. `of_column` has the shape (columns of the matrix,).
    """

    names: tuple[str, ...]
    of_column: NDArray[np.int64]

    @classmethod
    def of(cls, encoding: Encoding, sources: Mapping[str, str]) -> Self:
        """Group the columns of a matrix.

        Parameters
        ----------
        encoding
            Of the matrix.
        sources
            The column of the file by feature, where the two have different names.
        """
        names = [sources.get(feature, feature) for feature in encoding.features]
        positions = {name: position for position, name in enumerate(dict.fromkeys(names))}
        return cls(tuple(positions), np.array([positions[name] for name in names], dtype=np.int64))

    def sums(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum over the columns of each group: from (rows, columns) to (rows, groups)."""
        order = np.argsort(self.of_column, kind="stable")
        starts = np.searchsorted(self.of_column[order], np.arange(len(self.names)))
        sums: NDArray[np.float64] = np.add.reduceat(values[:, order], starts, axis=1, dtype=np.float64)
        return sums
