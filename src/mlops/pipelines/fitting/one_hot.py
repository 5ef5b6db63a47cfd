"""One-hot encoding of categories that never looks at a text twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from mlops.dataset.table.values import categories, distinct_values
from mlops.pipelines.compiled.encoding import MISSING

# attributes of models that releases before 0.2 stored
_STORED_BEFORE = {"levels_": "categories_", "max_levels": "max_categories"}


class CategoryEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives every frequent category of a feature a column, and all others of the feature one together.

    It encodes as scikit-learn's `OneHotEncoder` does with `handle_unknown="infrequent_if_exist"`, which
    counts and compares texts cell by cell, in Python: measured 30 times slower. Here the cells are codes. A
    missing value is a category of its own; one that was never seen counts among the others, where there are
    any.

    Parameters
    ----------
    min_rows
        A category of fewer rows has no column of its own.
    max_categories
        The most columns of a feature.
    """

    def __init__(self, min_rows: int = 1, max_categories: int = 40) -> None:
        self.min_rows = min_rows
        self.max_categories = max_categories

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__({_STORED_BEFORE.get(name, name): value for name, value in state.items()})

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002  scikit-learn's signature
        """Choose the categories by their rows."""
        chosen = [self._choose(frame[name]) for name in frame.columns]
        self.categories_ = [names for names, _ in chosen]
        self.has_others_ = [has_others for _, has_others in chosen]
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Return a row of zeros and ones for each row."""
        widths = [
            len(names) + has_others
            for names, has_others in zip(self.categories_, self.has_others_, strict=True)
        ]
        starts = np.cumsum([0, *widths])
        # row by row: where columns are contiguous, sums over them round otherwise with other rows beside
        matrix = np.zeros((len(frame), int(starts[-1])), dtype=np.uint8)
        for (start, _), places in zip(pairwise(starts), self._places(frame), strict=True):
            rows = np.flatnonzero(places >= 0)
            matrix[rows, start + places[rows]] = 1
        return matrix

    def _choose(self, column: pd.Series[Any]) -> tuple[list[str], bool]:
        """Return the categories that get a column, in order, and whether there are others."""
        codes, values = distinct_values(column)
        counts = np.bincount(np.where(codes < 0, len(values), codes), minlength=len(values) + 1)
        rows = pd.Series(counts, index=[*values, MISSING]).groupby(level=0).sum()
        rows = rows[rows > 0]
        frequent = rows[rows >= self.min_rows]
        if len(frequent) >= self.max_categories:  # the others need one of the columns
            order = np.argsort(frequent.to_numpy(), kind="stable")
            frequent = frequent.iloc[order[1 - self.max_categories :]]
        return sorted(frequent.index), len(frequent) < len(rows)

    def _places(self, frame: pd.DataFrame) -> Iterator[np.ndarray]:
        """Yield the column of each cell among those of its feature, -1 for none."""
        fitted = zip(frame.columns, self.categories_, self.has_others_, strict=True)
        for name, names, has_others in fitted:
            codes, values = distinct_values(frame[name])
            places = categories(names).get_indexer(categories([*values, MISSING]))
            places[places < 0] = len(names) if has_others else -1
            yield places[codes]  # the code of a missing value is -1, the last one
