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
    scores_among: Callable[[np.ndarray], ScoreRows],
    members: np.ndarray,
    rng: np.random.Generator,
    *,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, Interval]:
    """Return the 95 % interval of every score.

    Whole members (persons, groups) are drawn, because rows of one person are not independent. Of more than
    5,000 members so many are looked at, and the spread is scaled to what all of them would have given (it
    shrinks with the root of the number): the cost stays flat however large the file is.

    Parameters
    ----------
    scores_among
        Takes the rows to look at, as positions, and returns a function from positions among those, shape
        (m,) with repetitions, to scores; a score that the rows do not define is absent.
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
    everyone, known = np.arange(len(members)), np.unique(members)
    points = scores_among(everyone)(everyone)
    looked_at, centres, shrink = everyone, points, 1.0
    if len(known) > MAX_RESAMPLED:
        some = rng.choice(known, MAX_RESAMPLED, replace=False)
        looked_at = np.flatnonzero(np.isin(members, some))
        shrink = (MAX_RESAMPLED / len(known)) ** 0.5
    score_rows = scores_among(looked_at)
    if shrink < 1.0:
        centres = score_rows(np.arange(len(looked_at)))
    draws = [score_rows(rows) for rows in _resamples(members[looked_at], rng, n_resamples)]
    intervals = {}
    for name, point in points.items():
        values = [draw[name] for draw in draws if name in draw]
        if not values or name not in centres:
            intervals[name] = (point, point)
            continue
        low, high = np.percentile(values, _LEVELS) - centres[name]
        intervals[name] = (point + float(low) * shrink, point + float(high) * shrink)
    return intervals


def _resamples(members: np.ndarray, rng: np.random.Generator, n_resamples: int) -> Iterator[np.ndarray]:
    """Yield row positions of members drawn with replacement."""
    order = np.argsort(members, kind="stable")
    _, first, counts = np.unique(members[order], return_index=True, return_counts=True)
    n_members = len(first)
    for _ in range(n_resamples):
        drawn = rng.integers(0, n_members, size=n_members)
        lengths = counts[drawn]
        offsets = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
        yield order[np.repeat(first[drawn], lengths) + offsets]
