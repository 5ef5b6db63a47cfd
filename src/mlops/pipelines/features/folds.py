"""Folds: parts of the training rows that are judged by models that were fitted without them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

N_FOLDS = 5


def fold_parts(folds: np.ndarray, *, by_time: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows to fit to and the rows to judge as boolean masks, one pair per fold that has both.

    Parameters
    ----------
    folds
        The fold of each row, 0..N_FOLDS-1.
    by_time
        The folds follow one another in time: each is judged by models of the earlier ones alone, the latest
        fold first. Otherwise each is judged by models of all others.
    """
    for fold in reversed(range(N_FOLDS)) if by_time else range(N_FOLDS):
        judged = folds == fold
        fitted = folds < fold if by_time else ~judged
        if judged.any() and fitted.any():
            yield fitted, judged


def folds_by_time(times: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return folds that follow one another in time, about equally large.

    Parameters
    ----------
    times
        The time of each row; NaN counts as the earliest.
    train
        Marks the training rows: they alone decide where a fold begins.
    """
    moments = np.where(np.isnan(times), -np.inf, times)
    ordered = np.sort(moments[train])
    starts = ordered[[len(ordered) * fold // N_FOLDS for fold in range(1, N_FOLDS)]]
    return np.searchsorted(starts, moments, side="right")
