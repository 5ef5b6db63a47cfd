"""Scores of texts: what a linear model says of their words, for algorithms that take few columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.model_selection import check_cv

from mlops.dataset.table.values import distinct_values
from mlops.pipelines.compiled.cells import Floats
from mlops.pipelines.compiled.texts import N_BUCKETS, hash_texts, text_scores

_N_PARTS = 5
_MAX_ROWS = 100_000  # of 40 words each: 100 MB
_BINARY = 2


class TextEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives each column of texts one number, or one for each of more than two classes.

    Words and pairs of words are hashed and weighted by TF-IDF; a ridge regression of the target on them gives
    the score of a text. `fit_transform` scores each training row by a regression of the other folds, so that
    no row sees its own target, as scikit-learn's `TargetEncoder` does. No word is stored.

    Parameters
    ----------
    is_regression
        Whether the target is a number; else it is the position of a class.
    alpha
        The penalty of the regression.
    cv
        The folds of `fit_transform`: a splitter of scikit-learn, or their number.
    """

    def __init__(self, *, is_regression: bool = False, alpha: float = 1.0, cv: Any = _N_PARTS) -> None:
        self.is_regression = is_regression
        self.alpha = alpha
        self.cv = cv

    def fit(self, frame: pd.DataFrame, y: np.ndarray) -> Self:
        """Learn the weights of words from at most 100,000 of the rows, evenly spread."""
        self._fit(frame, y)
        return self

    def fit_transform(self, frame: pd.DataFrame, y: np.ndarray) -> np.ndarray:
        """Learn from the rows, and return the scores of each of them by rows of the other folds."""
        targets = self._targets(y)
        parts = list(check_cv(self.cv).split(targets))
        columns = self._fit(frame, y)
        return np.column_stack([_cross_fitted(column, targets, parts, self.alpha) for column in columns])

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the scores of each row."""
        fitted = zip(frame.columns, self.idf_, self.weights_, self.intercept_, strict=True)
        scores = []
        for name, *of_words in fitted:
            codes, texts = _distinct_texts(frame[name])
            scores.append(text_scores(texts, *of_words)[codes])
        return np.column_stack(scores)

    def _fit(self, frame: pd.DataFrame, y: np.ndarray) -> list[_WordsOfRows]:
        targets = self._targets(y)
        columns = [_WordsOfRows.of(frame[name]) for name in frame.columns]
        fits = [_fit_scores(column, targets, np.arange(len(targets)), self.alpha) for column in columns]
        self.idf_ = [column.idf for column in columns]
        self.weights_ = [weights for weights, _ in fits]
        self.intercept_ = [intercept for _, intercept in fits]
        return columns

    def _targets(self, y: np.ndarray) -> Floats:
        """Return the number of each row, or a mark of its class in a column of each."""
        if self.is_regression:
            return np.asarray(y, dtype=np.float64)[:, None]
        marks: Floats = (np.asarray(y)[:, None] == np.unique(y)).astype(np.float64)
        return marks[:, 1:] if marks.shape[1] == _BINARY else marks


@dataclass(frozen=True, slots=True)
class _WordsOfRows:
    """The TF-IDF weights of the words of each distinct text, and which text each row has."""

    weights: Any
    codes: np.ndarray
    idf: Floats

    @classmethod
    def of(cls, column: pd.Series[Any]) -> _WordsOfRows:
        from scipy.sparse import csr_array  # noqa: PLC0415

        codes, texts = _distinct_texts(column)
        hashed = hash_texts(texts)
        n_rows = np.bincount(codes, minlength=len(texts)).astype(np.float64)
        with_bucket = np.bincount(hashed.bucket, n_rows[hashed.text], minlength=N_BUCKETS)
        idf = np.log((1.0 + len(codes)) / (1.0 + with_bucket)) + 1.0
        entries = (hashed.tf_idf(idf), (hashed.text, hashed.bucket))
        return cls(csr_array(entries, shape=(len(texts), N_BUCKETS)), codes, idf)


def _cross_fitted(
    column: _WordsOfRows, targets: Floats, parts: list[tuple[np.ndarray, np.ndarray]], alpha: float
) -> Floats:
    scores: Floats = np.tile(targets.mean(axis=0), (len(targets), 1))  # of rows that are in no fold
    for fitted, left_out in parts:
        weights, intercept = _fit_scores(column, targets, fitted, alpha)
        scores[left_out] = column.weights[column.codes[left_out]] @ weights + intercept
    return scores


def _fit_scores(
    column: _WordsOfRows, targets: Floats, rows: np.ndarray, alpha: float
) -> tuple[Floats, Floats]:
    """Return the weights of the words, shape (buckets, columns), and the start of the scores."""
    some = rows[:: -(-len(rows) // _MAX_ROWS) or 1]
    ridge = Ridge(alpha=alpha, solver="sparse_cg", tol=1e-3)
    ridge.fit(column.weights[column.codes[some]], targets[some])
    return np.ascontiguousarray(np.atleast_2d(ridge.coef_).T), np.atleast_1d(ridge.intercept_)


def _distinct_texts(column: pd.Series[Any]) -> tuple[np.ndarray, list[str]]:
    """Return the position of the text of each row, and the texts; a missing one is the last."""
    codes, values = distinct_values(column)
    return np.where(codes < 0, len(values), codes), [*map(str, values), ""]
