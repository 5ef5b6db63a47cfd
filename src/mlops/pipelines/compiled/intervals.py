"""Intervals around predicted numbers: how far below and above a prediction of this size the truth may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class PredictionIntervals(Record):
    """What is added to a prediction for the ends of its interval, by the size of the prediction.

    `predicted` are increasing predictions; `low` (never above 0) and `high` (never below 0) belong to them.
    Between two of them the ends are interpolated, outside of all they are those of the nearest one.
    """

    coverage: float
    predicted: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def around(self, predicted: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper end of each prediction, shape (rows,)."""
        low, high = self.offsets(predicted)
        return predicted + low, predicted + high

    def offsets(self, predicted: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is added to each prediction for its two ends, shape (rows,)."""
        low = np.interp(predicted, self.predicted, self.low)
        return low, np.interp(predicted, self.predicted, self.high)
