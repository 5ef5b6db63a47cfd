"""From the raw sums of a model to probabilities, and from these to classes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

type Link = Literal["identity", "logistic", "softmax", "shares"]


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


def decide(shares: NDArray[np.float64], threshold: float | None) -> NDArray[np.int64]:
    """Return the chosen class per row: the second one from `threshold` on, else the most probable.

    Parameters
    ----------
    shares
        Probabilities, shape (rows, classes).
    threshold
        Of the second of two classes; None, and for more classes, takes the most probable.
    """
    if shares.shape[1] == 2 and threshold is not None:
        return (shares[:, 1] >= threshold).astype(np.int64)
    return shares.argmax(axis=1)


def _logistic(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # exp(-raw) may be infinite; then the result is 0, as it should be
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-raw))
    return result
