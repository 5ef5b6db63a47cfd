"""How rows are cut into slices by a column: by its levels, or at the quartiles of its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

FEW_NUMBERS = 4
_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The numbers from `low` to below `high`; None is no limit."""

    name: str
    low: float | None = None
    high: float | None = None

    def contains(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Mark the numbers that are in the range; NaN never is."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        inside: NDArray[np.bool_] = (numbers >= low) & (numbers < high)
        return inside


def has_levels(cells: pd.Series, reference: pd.Series) -> bool:
    """Whether a column is cut by its levels: texts, and numbers of which the reference has at most four."""
    return not types.is_numeric_dtype(cells) or reference.nunique() <= FEW_NUMBERS


def quartile_ranges(
    reference: pd.Series, write: Callable[[float], str] = "{:.6g}".format
) -> Iterator[ValueRange]:
    """Yield the ranges between the quartiles of a column of numbers; `write` writes a number of it."""
    numbers = reference.dropna().to_numpy(dtype=np.float64)
    edges = np.unique(np.quantile(numbers, _QUARTILES)).tolist()
    yield ValueRange(f"below {write(edges[0])}", high=edges[0])
    for low, high in pairwise(edges):
        yield ValueRange(f"{write(low)} to {write(high)}", low, high)
    yield ValueRange(f"from {write(edges[-1])}", low=edges[-1])
