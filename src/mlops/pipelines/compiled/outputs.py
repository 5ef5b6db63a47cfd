"""From the raw sums of a model to what it answers: probabilities, classes, intervals, sets of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlops.models.record import Record

type Link = Literal["identity", "logistic", "softmax", "shares"]

# a forest says 0 and 1; without a limit one such row would decide about the calibration
_MIN_PROBABILITY = 1e-6
_HALF = 0.5
_BINARY = 2


def probabilities(raw: NDArray[np.float64], link: Link) -> NDArray[np.float64]:
    """Return a column per class.

    Parameters
    ----------
    raw
        Shape (rows, columns): one column for `logistic`, which is that of the second class; one per class for
        `softmax`; for `shares` either, already probabilities.
    """
    if link == "softmax":
        exponentials = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return shares
    if raw.shape[1] > 1:
        return raw
    second = _logistic(raw[:, 0]) if link == "logistic" else raw[:, 0]
    return np.column_stack((1.0 - second, second))


def _logistic(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # exp(-raw) may be infinite; then the result is 0, as it should be
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-raw))
    return result


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


@dataclass(frozen=True, slots=True)
class PredictionSets(Record):
    """The least calibrated probability with which a class is in the set of a row, by class.

    The true class is in the set of at least the share `coverage` of the rows of each class. The predicted
    class is always in it, so that no set is empty.
    """

    coverage: float
    thresholds: tuple[float, ...]

    def members(self, shares: NDArray[np.float64], predicted: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each class is in the set of each row, shape (rows, classes).

        Parameters
        ----------
        shares
            Calibrated probabilities, shape (rows, classes).
        predicted
            The position of the predicted class of each row.
        """
        is_member: NDArray[np.bool_] = shares >= self.thresholds
        is_member[np.arange(len(predicted)), predicted] = True
        return is_member


@dataclass(frozen=True, slots=True)
class Decision:
    """How rows get a class.

    Of two classes it is the second one from `threshold` on, that of the probability before the calibration.
    Of more it is the most probable one, before the calibration as well. With `costs` (a row for each true
    class, a column for each predicted one) it is the one of the least expected cost, for which the calibrated
    probabilities count.

    References
    ----------
    Elkan, The foundations of cost-sensitive learning, IJCAI 2001.
    """

    threshold: float | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    calibration: Calibration | None = None

    def classes(self, shares: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the position of the class of each row, of probabilities of shape (rows, classes)."""
        if self.costs is not None:
            return self._expected_costs(shares).argmin(axis=1)
        if shares.shape[1] == _BINARY and self.threshold is not None:
            return (shares[:, 1] >= self.threshold).astype(np.int64)
        return shares.argmax(axis=1)

    def are_close(self, shares: NDArray[np.float64], rounding: float) -> NDArray[np.bool_]:
        """Mark the rows that could get another class if each probability were off by `rounding`."""
        if self.costs is not None:
            least = np.partition(self._expected_costs(shares), 1, axis=1)
            gaps: NDArray[np.bool_] = least[:, 1] - least[:, 0] < self._rounding_of_costs(rounding)
            return gaps
        if shares.shape[1] == _BINARY:
            at = _HALF if self.threshold is None else self.threshold
            near: NDArray[np.bool_] = np.abs(shares[:, 1] - at) < rounding
            return near
        largest = np.partition(shares, -2, axis=1)[:, -2:]
        close: NDArray[np.bool_] = largest[:, 1] - largest[:, 0] < rounding
        return close

    def _expected_costs(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cost to expect of each prediction, added up class by class whatever rows are beside."""
        assert self.costs is not None  # noqa: S101  only called with costs
        probabilities = calibrated(shares, self.calibration)
        expected = np.zeros_like(probabilities)
        for of_true, row in zip(probabilities.T, self.costs, strict=True):
            expected += np.outer(of_true, row)
        return expected

    def _rounding_of_costs(self, rounding: float) -> float:
        costs = np.abs(np.array(self.costs))
        steepest = max(1.0, *self.calibration.scale) if self.calibration else 1.0
        return float(2.0 * len(costs) * costs.max() * steepest * rounding)
