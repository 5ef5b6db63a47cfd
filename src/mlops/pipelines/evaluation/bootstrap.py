"""Bootstrap intervals: how far a score would move with other rows of the same kind.

A bootstrap needs every score 400 times. Called so often, scikit-learn's functions spend most of a small
training on checking their arguments and on sorting the same probabilities; here a draw is a weight per row,
and what does not change between draws is computed once. The point scores stay scikit-learn's, and a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mlops.models.settings.group import TaskName
from mlops.models.training import Interval
from mlops.monitoring.quality.proportions import Z_95
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.scores import ERROR_QUANTILES, Ranking

N_RESAMPLES = 400
MAX_RESAMPLED = 5_000
_N_PARTS = 50
_MIN_FREEDOM = 5.0
_NORMAL = NormalDist()

ScoreRows = Callable[[np.ndarray], Mapping[str, float]]
ScoreWeights = Callable[[np.ndarray], dict[str, float]]


def bootstrap_intervals(
    scores_among: Callable[[np.ndarray], ScoreRows],
    members: np.ndarray,
    rng: np.random.Generator,
    *,
    n_resamples: int = N_RESAMPLES,
) -> dict[str, Interval]:
    """Return the 95 % interval of every score, corrected for bias and skewness (BCa).

    Whole members (persons, groups) are drawn, because rows of one person are not independent. Of more than
    5,000 members so many are looked at, and the spread is scaled to what all of them would have given (it
    shrinks with the root of the number): the cost stays flat however large the file is.

    Parameters
    ----------
    scores_among
        Takes the rows to look at, as positions, and returns a function from positions among those, shape
        (m,) with repetitions, to scores; a score that the rows do not define is absent.
    members
        The person or group of each row, as integers, shape (n,).
    rng, n_resamples
        Source and number of the draws.

    Returns
    -------
    dict
        (low, high) by score name, for the scores that all rows define.
    """
    everyone = np.arange(len(members))
    points = scores_among(everyone)(everyone)
    looked_at, shrink = _looked_at(members, rng)
    score_rows = scores_among(looked_at)
    centres = score_rows(np.arange(len(looked_at))) if shrink < 1.0 else points
    draws = [score_rows(rows) for rows in _resamples(members[looked_at], rng, n_resamples)]
    without_part = [score_rows(rows) for rows in _without_parts(members[looked_at], rng)]
    return {
        name: _interval(point, centres.get(name), _of(name, draws), _of(name, without_part), shrink)
        for name, point in points.items()
    }


def _looked_at(members: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return the rows that are drawn from, as positions, and by what the spread of their scores shrinks."""
    distinct = np.unique(members)
    if len(distinct) <= MAX_RESAMPLED:
        return np.arange(len(members)), 1.0
    some = rng.choice(distinct, MAX_RESAMPLED, replace=False)
    return np.flatnonzero(np.isin(members, some)), (MAX_RESAMPLED / len(distinct)) ** 0.5


def _of(name: str, scored: list[Mapping[str, float]]) -> np.ndarray:
    return np.array([scores[name] for scores in scored if name in scores])


def _interval(
    point: float, centre: float | None, drawn: np.ndarray, without_part: np.ndarray, shrink: float
) -> Interval:
    if not len(drawn) or centre is None:
        return (point, point)
    low, high = np.quantile(drawn, _levels(centre, drawn, without_part, shrink)) - centre
    return (point + float(low) * shrink, point + float(high) * shrink)


def _levels(centre: float, drawn: np.ndarray, without_part: np.ndarray, shrink: float) -> list[float]:
    """Return the quantiles of the draws that bound the interval; bias and skewness shrink as the spread.

    References
    ----------
    Efron, Better bootstrap confidence intervals, JASA 1987; the acceleration is that of a jackknife over 50
    parts of the members. Hesterberg, What teachers should know about the bootstrap, The American
    Statistician 2015 (quantiles of the t distribution for few rows).
    """
    tolerance = 1e-12 * max(1.0, abs(centre))
    below = (np.mean(drawn < centre - tolerance) + np.mean(drawn <= centre + tolerance)) / 2.0
    least = 1.0 / (len(drawn) + 1)
    bias = shrink * _NORMAL.inv_cdf(float(np.clip(below, least, 1.0 - least)))
    influence = without_part.mean() - without_part if len(without_part) else np.zeros(1)
    spread = float((influence**2).sum()) ** 1.5
    acceleration = shrink * float((influence**3).sum()) / (6.0 * spread) if spread > 0.0 else 0.0
    reach = _reach(influence)
    limits = (bias - reach, bias + reach)
    return [_NORMAL.cdf(bias + limit / (1.0 - acceleration * limit)) for limit in limits]


def _reach(influence: np.ndarray) -> float:
    """Return the 97.5 % quantile of the t distribution, whose degrees of freedom are those of the spread.

    Few rows that count much, as those of a rare class, make the spread uncertain. The expansion of the
    quantile is that of Cornish and Fisher.
    """
    squares, z = influence**2, Z_95
    variance = float(squares.var())
    if variance <= 0.0:
        return z
    freedom = max(_MIN_FREEDOM, 2.0 * len(squares) * float(squares.mean()) ** 2 / variance)
    return z + (z**3 + z) / (4.0 * freedom) + (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / (96.0 * freedom**2)


def _without_parts(members: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the row positions without one part of the members after the other; nothing for one member."""
    distinct, numbers = np.unique(members, return_inverse=True)
    parts = (rng.permutation(len(distinct)) % _N_PARTS)[numbers]
    for part in np.unique(parts) if len(distinct) > 1 else ():
        yield np.flatnonzero(parts != part)


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


def resampled_scores(
    task: TaskName, y: np.ndarray, scores: Scores
) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function from row positions, with repetitions, to the scores of those rows.

    It agrees with `compute_scores(task, y[rows], scores.take(rows))` to rounding.

    Parameters
    ----------
    task
        Decides which scores there are.
    y
        Truth of all rows, shape (n,).
    scores
        Predictions for all rows.
    """
    parts = _parts(task, y, scores)

    def of_rows(rows: np.ndarray) -> dict[str, float]:
        weights = np.bincount(rows, minlength=len(y)).astype(np.float64)
        values = {name: value for part in parts for name, value in part(weights).items()}
        return {name: value for name, value in values.items() if np.isfinite(value)}

    return of_rows


def _parts(task: TaskName, y: np.ndarray, scores: Scores) -> list[ScoreWeights]:
    if task == "regression":
        return [_Errors.of(y, scores.predicted)]
    if scores.probabilities is None:
        raise ValueError("A classification needs probabilities.")
    if task == "binary":
        probability = scores.probabilities[:, 1]
        both = np.stack([1.0 - probability, probability], axis=1)
        curve = Ranking.of(y == 1, probability)
        return [_Decisions.of(y, scores.predicted, 2), _ProbabilityLosses.of(y, both), curve.both_areas]
    probabilities = scores.probabilities / scores.probabilities.sum(axis=1, keepdims=True)
    n_labels = probabilities.shape[1]
    curves = [Ranking.of(y == label, probabilities[:, label]) for label in range(n_labels)]
    return [
        _Decisions.of(y, scores.predicted, n_labels),
        _ProbabilityLosses.of(y, probabilities),
        lambda weights: _mean_area(curves, weights),
    ]


@dataclass(frozen=True, slots=True)
class _Decisions:
    """Scores of chosen classes, from the confusion matrix."""

    cells: np.ndarray
    n_labels: int

    @classmethod
    def of(cls, y: np.ndarray, predicted: np.ndarray, n_labels: int) -> _Decisions:
        n_labels = max(n_labels, int(y.max(initial=0)) + 1, int(predicted.max(initial=0)) + 1)
        return cls(y * n_labels + predicted, n_labels)

    def __call__(self, weights: np.ndarray) -> dict[str, float]:
        size = self.n_labels
        matrix = np.bincount(self.cells, weights, minlength=size * size).reshape(size, size)
        hits, true, chosen = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        f1 = 2.0 * hits / np.maximum(true + chosen, 1.0)
        present = true > 0
        values = {
            "accuracy": hits.sum() / weights.sum(),
            "balanced_accuracy": float(np.mean(hits[present] / true[present])),
            "f1_macro": float(np.mean(f1[true + chosen > 0])),
        }
        if size == 2:
            values["precision"] = hits[1] / max(chosen[1], 1.0)
            values["recall"] = hits[1] / max(true[1], 1.0)
            values["f1"] = f1[1]
        return {name: float(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class _ProbabilityLosses:
    """Log loss and Brier score, as means of what each row loses."""

    log_loss: np.ndarray
    brier: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, probabilities: np.ndarray) -> _ProbabilityLosses:
        tiny = np.finfo(np.float64).eps
        of_truth = probabilities[np.arange(len(y)), y]
        others = (probabilities**2).sum(axis=1) - of_truth**2
        brier = others + (1.0 - of_truth) ** 2
        scale = 0.5 if probabilities.shape[1] == 2 else 1.0
        return cls(-np.log(np.clip(of_truth, tiny, 1.0 - tiny)), scale * brier)

    def __call__(self, weights: np.ndarray) -> dict[str, float]:
        n_rows = weights.sum()
        return {
            "neg_log_loss": float(-(weights @ self.log_loss) / n_rows),
            "neg_brier_score": float(-(weights @ self.brier) / n_rows),
        }


def _mean_area(curves: list[Ranking], weights: np.ndarray) -> dict[str, float]:
    present = [curve for curve in curves if weights[curve.order] @ curve.is_positive > 0]
    if len(present) < 2:
        return {}
    return {"roc_auc_ovr": float(np.mean([curve.both_areas(weights)["roc_auc"] for curve in present]))}


@dataclass(frozen=True, slots=True)
class _Errors:
    """Scores of predicted numbers; `order` sorts the rows by absolute error, for the median."""

    absolute: np.ndarray
    order: np.ndarray
    centred: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, predicted: np.ndarray) -> _Errors:
        absolute = np.abs(y - predicted)
        return cls(absolute, np.argsort(absolute, kind="stable"), y - y.mean())

    def __call__(self, weights: np.ndarray) -> dict[str, float]:
        n_rows = weights.sum()
        squared = weights @ self.absolute**2
        spread = weights @ self.centred**2 - (weights @ self.centred) ** 2 / n_rows
        below = weights[self.order].cumsum()
        middle = np.searchsorted(below, [(n_rows - 1) // 2, n_rows // 2], side="right")
        values = {
            "neg_mean_absolute_error": -(weights @ self.absolute) / n_rows,
            "neg_root_mean_squared_error": -np.sqrt(squared / n_rows),
            "neg_median_absolute_error": -self.absolute[self.order][middle].mean(),
        }
        for name, share in ERROR_QUANTILES.items():
            place = np.searchsorted(below, share * n_rows, side="left")
            values[name] = -self.absolute[self.order][place]
        if spread > 0.0:
            values["r2"] = 1.0 - squared / spread
        return {name: float(value) for name, value in values.items()}
