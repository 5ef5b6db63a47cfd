"""From the probabilities of a model to calibrated ones: those that come true as often as they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.models.record import Record
from mlops.pipelines.compiled.links import probabilities

# a forest says 0 and 1; without a limit one such row would decide about the calibration
_MIN_PROBABILITY = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration(Record):
    """Scale and bias of the logarithms of a model's probabilities, by class.

    A positive `scale` keeps the order of the rows. With two classes it is known as beta calibration, of which
    Platt's method is the case of one scale for both.
    `log_loss_gain` is by how much it lowers the log loss of rows that it was not fitted to.

    References
    ----------
    Kull et al., Beta calibration, AISTATS 2017; Guo et al., On calibration of modern neural networks, ICML
    2017 (vector scaling).
    """

    scale: tuple[float, ...]
    bias: tuple[float, ...]
    log_loss_gain: float = 0.0


def calibrated(shares: NDArray[np.float64], calibration: Calibration | None) -> NDArray[np.float64]:
    """Return the calibrated probabilities, shape (rows, classes); the same ones without a calibration."""
    if calibration is None:
        return shares
    return probabilities(log_shares(shares) * calibration.scale + calibration.bias, "softmax")


def log_shares(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of probabilities, none of them below that of one in a million."""
    logarithms: NDArray[np.float64] = np.log(np.maximum(shares, _MIN_PROBABILITY))
    return logarithms
