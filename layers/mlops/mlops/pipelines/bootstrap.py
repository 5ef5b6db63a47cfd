"""Bootstrap intervals: how far a score would move with other rows of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from mlops.models.training import Interval

N_RESAMPLES = 200
MAX_RESAMPLED = 5_000
_LEVELS = (2.5, 97.5)

ScoreRows = Callable[[np.ndarray], Mapping[str, float]]


def bootstrap_intervals(
    score_rows: ScoreRows, members: np.ndarray, rng: np.random.Generator, *, n_resamples: int = N_RESAMPLES
) -> dict[str, Interval]:
    """Return the 95 % interval of every score.

    Whole members (persons, groups) are drawn, because rows of one person are not independent. Of more than
    5,000 members only so many are drawn, and the spread is scaled to what all of them would have given
    (it shrinks with the root of the number): the cost stays flat however large the file is.

    Parameters
    ----------
    score_rows
        Returns scores for row positions, shape (m,); a score that those rows do not define is absent.
    members
        Whom each row belongs to, as integers, shape (n,).
    rng
        Source of the draws.
    n_resamples
        Number of draws.

    Returns
    -------
    dict
        (low, high) by score name, for the scores that all rows define.
    """
    points = score_rows(np.arange(len(members)))
    draws = [score_rows(rows) for rows in _resamples(members, rng, n_resamples)]
    shrink = min(1.0, (MAX_RESAMPLED / len(np.unique(members))) ** 0.5)
    intervals = {}
    for name, point in points.items():
        values = [draw[name] for draw in draws if name in draw]
        low, high = np.percentile(values, _LEVELS) if values else (point, point)
        intervals[name] = (point + (float(low) - point) * shrink, point + (float(high) - point) * shrink)
    return intervals


def _resamples(members: np.ndarray, rng: np.random.Generator, n_resamples: int) -> Iterator[np.ndarray]:
    """Yield row positions of members drawn with replacement."""
    order = np.argsort(members, kind="stable")
    _, first, counts = np.unique(members[order], return_index=True, return_counts=True)
    n_members = len(first)
    for _ in range(n_resamples):
        drawn = rng.integers(0, n_members, size=min(n_members, MAX_RESAMPLED))
        lengths = counts[drawn]
        offsets = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
        yield order[np.repeat(first[drawn], lengths) + offsets]
