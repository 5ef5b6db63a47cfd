"""Calibration of counted predictions: what was predicted, beside what came true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops.models.evaluation import CalibrationBin
from mlops.models.settings.group import TaskName
from mlops.monitoring.quality.counts import ClassCounts

_N_PARTS = 10


def calibration_bins(counts: ClassCounts, task: TaskName) -> tuple[CalibrationBin, ...]:
    """Return ten parts of about equal size by probability; equal probabilities stay together."""
    is_known = np.isfinite(counts.probability)
    bins, positions = np.unique(counts.bins[is_known], return_inverse=True)
    if not len(bins):
        return ()
    came_true = counts.label == 1 if task == "binary" else counts.label == counts.predicted
    n = np.bincount(positions, counts.n[is_known], len(bins))
    predicted = np.bincount(positions, counts.probability[is_known], len(bins))
    observed = np.bincount(positions, (counts.n * came_true)[is_known], len(bins))
    middle = (n.cumsum() - n / 2.0) / n.sum()
    parts = np.minimum((middle * _N_PARTS).astype(int), _N_PARTS - 1)
    sums = [np.bincount(parts, values, _N_PARTS) for values in (predicted, observed, n)]
    return tuple(
        CalibrationBin(float(of_predicted / size), float(of_observed / size), int(size))
        for of_predicted, of_observed, size in zip(*sums, strict=True)
        if size
    )


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float | None:
    """Return the expected calibration error: the mean distance of prediction and outcome over the rows.

    Few rows raise it: also a perfectly calibrated model is off in parts of ten rows.

    Parameters
    ----------
    bins
        Rows by prediction.

    Returns
    -------
    float or None
        0.0 = what is predicted comes true as often; None without rows.

    References
    ----------
    Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015;
    with parts of equal numbers of rows, as Nguyen and O'Connor, EMNLP 2015. Of several classes it is that of
    the most probable one, as Guo et al., ICML 2017.
    """
    n_rows = sum(part.n_rows for part in bins)
    distances = (part.n_rows * abs(part.predicted - part.observed) for part in bins)
    return sum(distances) / n_rows if n_rows else None
