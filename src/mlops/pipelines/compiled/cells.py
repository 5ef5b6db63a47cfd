"""The cells of rows in the model's form, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Categories:
    """The cells of a feature of texts: each distinct text once, and its position per row, -1 = missing."""

    values: NDArray[np.object_]
    codes: NDArray[np.integer]


type Cells = Floats | Categories


def n_rows(cells: Mapping[str, Cells]) -> int:
    """Return the number of rows of the cells; 0 without a feature."""
    first = next(iter(cells.values()), np.empty(0))
    return len(first.codes) if isinstance(first, Categories) else len(first)


def take_cells(column: Cells, rows: NDArray[np.intp]) -> Cells:
    """Return the cells of some rows, by position."""
    if isinstance(column, Categories):
        return Categories(column.values, column.codes[rows])
    return column[rows]
