"""Fitting a calibration to what models predict of training rows that they have not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlops.pipelines.compiled.outputs import Calibration, calibrated, log_shares

MIN_ROWS = 50
_N_PARTS = 5
# deviations of the logarithm of the scale, and of a bias, that a few rows do not bring about
_SPREAD_OF_SCALE, _SPREAD_OF_BIAS = 1.0, 3.0


def fit_calibration(y: np.ndarray, probabilities: np.ndarray) -> Calibration | None:
    """Return the calibration that lowers the log loss of rows that it was not fitted to; None without one.

    A fifth of the rows after the other is left out, so that each is judged by a calibration of the others.

    Parameters
    ----------
    y
        Positions of labels, shape (n,).
    probabilities
        Out of fold, shape (n, labels).
    """
    if len(y) < MIN_ROWS or len(np.unique(y)) < 2:
        return None
    parts = np.random.default_rng(0).permutation(len(y)) % _N_PARTS
    after = np.empty(len(y))
    for part in range(_N_PARTS):
        left_out = parts == part
        fitted = _fit(y[~left_out], probabilities[~left_out])
        after[left_out] = _losses(y[left_out], calibrated(probabilities[left_out], fitted))
    gain = float(_losses(y, probabilities).mean() - after.mean())
    return replace(_fit(y, probabilities), log_loss_gain=gain) if gain > 0.0 else None


def _losses(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    losses: np.ndarray = -log_shares(probabilities[np.arange(len(y)), y])
    return losses


def _fit(y: np.ndarray, probabilities: np.ndarray) -> Calibration:
    """Fit scale and bias by penalised maximum likelihood."""
    from scipy.optimize import minimize

    logs = log_shares(probabilities)
    n_rows, n_labels = logs.shape
    is_truth = np.eye(n_labels)[y]

    def loss_and_gradient(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        log_scale, bias = parameters[:n_labels], parameters[n_labels:]
        calibration = Calibration(tuple(np.exp(log_scale)), tuple(bias))
        shares = calibrated(probabilities, calibration)
        penalty = ((log_scale / _SPREAD_OF_SCALE) ** 2).sum() + ((bias / _SPREAD_OF_BIAS) ** 2).sum()
        loss = -log_shares(shares[np.arange(n_rows), y]).sum() + penalty / 2.0
        too_much = shares - is_truth
        of_scale = np.exp(log_scale) * (too_much * logs).sum(axis=0) + log_scale / _SPREAD_OF_SCALE**2
        of_bias = too_much.sum(axis=0) + bias / _SPREAD_OF_BIAS**2
        return loss / n_rows, np.concatenate([of_scale, of_bias]) / n_rows

    solution = minimize(loss_and_gradient, np.zeros(2 * n_labels), jac=True, method="L-BFGS-B").x
    return Calibration(tuple(np.exp(solution[:n_labels]).tolist()), tuple(solution[n_labels:].tolist()))
