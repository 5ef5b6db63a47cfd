"""What is counted of labelled predictions: enough for every score, and it adds up over days and segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
_KEYS = ("label", "predicted", "bins", "clusters")
_SUMS = ("n", "probability", "squares")

type Positions = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Labelled predictions of classes, counted by label, prediction and bin of the probability.

    Every array has one entry for each combination that occurs, shape (m,). `label` and `predicted` are
    positions in the labels of the model, of two classes (negative, positive); a class that the model does not
    have is -1. `bins` order the probabilities, those of one bin count as equal. `probability` is the sum of
    the probabilities of the positive class, or of several classes of the predicted one, `squares` that of
    their squares; both are NaN where the model gave none. `clusters` are the groups of ids of the rows, None
    where every row has an id of its own.
    """

    label: Positions
    predicted: Positions
    bins: Positions
    n: Floats
    probability: Floats
    squares: Floats
    clusters: Positions | None = None

    @classmethod
    def of_columns(cls, columns: Sequence[Floats]) -> Self:
        """Return the counts of label, predicted, bin, n, probability, squares and perhaps cluster."""
        label, predicted, bins, *clusters = (each.astype(np.int16) for each in (*columns[:3], *columns[6:]))
        return cls(label, predicted, bins, columns[3], columns[4], columns[5], *clusters)

    @classmethod
    def total(cls, counts: Sequence[Self]) -> Self:
        """Return the sum of some counts, each combination once; all of them that have rows have clusters, or
        none has.
        """
        filled = [each for each in counts if len(each.n)]
        if len(filled) < 2:
            return filled[0] if filled else counts[0]
        names = _KEYS if filled[0].clusters is not None else _KEYS[:-1]
        keys = [np.concatenate([getattr(each, name) for each in filled]) for name in names]
        is_known = np.concatenate([np.isfinite(each.probability) for each in filled])
        places, firsts = _combinations([is_known, *keys])
        n, probability, squares = (
            np.bincount(places, np.concatenate([getattr(each, name) for each in filled]), len(firsts)).astype(
                np.float64
            )
            for name in _SUMS
        )
        label, predicted, bins, *clusters = (values[firsts] for values in keys)
        return cls(label, predicted, bins, n, probability, squares, *clusters)

    @property
    def n_labels(self) -> int:
        """How many predictions were counted."""
        return round(float(self.n.sum()))

    def confusion(self, n_classes: int) -> Floats:
        """Return how often each label (row) was predicted as each class (column); the last of both is -1."""
        matrix = np.zeros((n_classes + 1, n_classes + 1))
        np.add.at(matrix, (self.label, self.predicted), self.n)
        return matrix


@dataclass(frozen=True, slots=True)
class NumberSums:
    """Sums over labelled predictions of numbers; `error` is prediction minus outcome.

    `absolute`, `squares` and `fourth` are sums of powers of the absolute error, `largest` is the largest
    squared error, `spread` the sum of squared distances of the outcomes from their mean. `clusters` are n,
    absolute and squares of each group of ids, shape (3, number of groups); None where every row has an id of
    its own.
    """

    n: float = 0.0
    error: float = 0.0
    absolute: float = 0.0
    squares: float = 0.0
    fourth: float = 0.0
    largest: float = 0.0
    outcome: float = 0.0
    spread: float = 0.0
    clusters: Floats | None = field(default=None, compare=False)

    def plus(self, other: Self) -> Self:
        """Return the sums of both; the spread by the update of Chan, Golub and LeVeque (1983)."""
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        between = (self.outcome / self.n - other.outcome / other.n) ** 2 * self.n * other.n / n
        return type(self)(
            n,
            self.error + other.error,
            self.absolute + other.absolute,
            self.squares + other.squares,
            self.fourth + other.fourth,
            max(self.largest, other.largest),
            self.outcome + other.outcome,
            self.spread + other.spread + between,
            None if self.clusters is None or other.clusters is None else self.clusters + other.clusters,
        )

    @property
    def n_labels(self) -> int:
        """How many predictions were counted."""
        return int(self.n)


@dataclass(frozen=True, slots=True)
class IntervalSums:
    """Sums over predictions of numbers: the widths of their intervals, and the squares of these."""

    n: float
    width: float
    squares: float

    def plus(self, other: Self) -> Self:
        """Return the sums of both."""
        return type(self)(self.n + other.n, self.width + other.width, self.squares + other.squares)

    @property
    def n_labels(self) -> int:
        """How many predictions were counted."""
        return int(self.n)


type Counts = ClassCounts | NumberSums
# of predictions whose outcome is not known: each class counts as often as its probability says
type ExpectedCounts = ClassCounts | IntervalSums


def total[C: ClassCounts | NumberSums | IntervalSums](counts: Sequence[C]) -> C:
    """Return the sum of one or more counts of the same kind."""
    first, *others = counts
    if isinstance(first, ClassCounts):
        return first.total(counts)  # type: ignore[arg-type]  # all are of one task
    for other in others:
        first = first.plus(other)  # type: ignore[arg-type, assignment]
    return first


def _combinations(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the number of the combination of each entry, and the first entry of each combination."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        lowest, highest = int(column.min()), int(column.max())
        code = code * (highest - lowest + 1) + (column.astype(np.int64) - lowest)
    _, firsts, places = np.unique(code, return_index=True, return_inverse=True)
    return places, firsts
