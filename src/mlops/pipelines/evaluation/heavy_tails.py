"""The interval of a root mean squared error, also where few rows have most of the error.

A bootstrap draws only errors that were seen. Where errors have heavy tails the largest one to come is larger,
and a percentile interval of 95 % holds the true error in 75 % of the samples. So the largest tenth is drawn
from a Pareto distribution that was fitted to it, and each draw is divided by its own standard error.
"""

from __future__ import annotations

import numpy as np

from mlops.models.training import Interval

MIN_MEMBERS = 30
_MAX_MEMBERS = 5_000
_N_RESAMPLES = 500
_TAIL_SHARE = 0.1
# of squared errors; tried on normal to lognormal errors: with 0.9 intervals of 200 rows are thrice as wide
_MAX_TAIL_INDEX = 0.7
_LEVELS = (97.5, 2.5)


def rmse_interval(errors: np.ndarray, members: np.ndarray, rng: np.random.Generator) -> Interval | None:
    """Return the 95 % interval of the root mean squared error; None where a bootstrap has to do.

    Parameters
    ----------
    errors
        Truth minus prediction, shape (n,).
    members
        The person or group of each row, as integers, shape (n,): their errors belong together.
    rng
        Source of the draws.

    References
    ----------
    Cowell and Flachaire, Income distribution and inequality measurement: the problem of extreme values,
    Journal of Econometrics 141, 2007; Hill, A simple general approach to inference about the tail of a
    distribution, Annals of Statistics 3, 1975.
    """
    _, positions, counts = np.unique(members, return_inverse=True, return_counts=True)
    squares = np.bincount(positions, errors**2) / counts.mean()
    n_members = len(squares)
    largest = squares if n_members <= _MAX_MEMBERS else rng.choice(squares, _MAX_MEMBERS, replace=False)
    quotients = None if n_members < MIN_MEMBERS else _quotients(np.sort(largest), rng)
    if quotients is None:
        return None
    mean = squares.mean()
    relative_error = squares.std(ddof=1) / n_members**0.5 / mean
    low, high = np.log(mean) - np.percentile(quotients, _LEVELS) * relative_error
    return float(np.exp(low / 2.0)), float(np.exp(high / 2.0))


def _quotients(ordered: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Return by how many standard errors the logarithm of the mean is off, for every draw."""
    n = len(ordered)
    n_tail = int(np.ceil(_TAIL_SHARE * n))
    body, tail = ordered[:-n_tail], ordered[-n_tail:]
    start = body[-1]
    if start <= 0.0:
        return None
    index = min(float(np.log(tail / start).mean()), _MAX_TAIL_INDEX)
    expected = (body.sum() + n_tail * start / (1.0 - index)) / n
    quotients = np.empty(_N_RESAMPLES)
    for draw in range(_N_RESAMPLES):
        values = body[rng.integers(0, len(body), n)]
        is_tail = rng.random(n) < n_tail / n
        values[is_tail] = start * rng.random(int(is_tail.sum())) ** -index
        mean = values.mean()
        quotients[draw] = np.log(mean / expected) * mean * n**0.5 / values.std(ddof=1)
    return quotients
