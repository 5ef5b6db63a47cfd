"""Words of texts as numbers, without a stored word: hashed, weighted by TF-IDF, and added up to scores."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mlops.dataset.features.texts import words_of
from mlops.pipelines.compiled.cells import Categories, Cells, Floats

N_BUCKETS = 2**14


@dataclass(frozen=True, slots=True)
class HashedTexts:
    """The buckets that the words and pairs of words of texts fall into: one entry for each and each text.

    `text` is rising; `count` is how many words of the text fall into the bucket.
    """

    text: NDArray[np.int64]
    bucket: NDArray[np.int64]
    count: Floats
    n_texts: int

    def tf_idf(self, idf: Floats) -> Floats:
        """Return the weight of each entry; the squares of those of a text add up to 1."""
        weights = (1.0 + np.log(self.count)) * idf[self.bucket]
        norms = np.sqrt(np.bincount(self.text, weights * weights, minlength=self.n_texts))
        weighted: Floats = weights / norms[self.text]
        return weighted


def hash_texts(texts: Sequence[str]) -> HashedTexts:
    """Return the buckets of words of two or more characters, in lower case, and of neighbouring words."""
    entries = [np.unique(_buckets_of(text), return_counts=True) for text in texts]
    sizes = [len(buckets) for buckets, _ in entries]
    nothing = np.zeros(0, dtype=np.int64)
    return HashedTexts(
        np.repeat(np.arange(len(texts)), sizes),
        np.concatenate([nothing, *(buckets for buckets, _ in entries)]),
        np.concatenate([nothing, *(counts for _, counts in entries)]).astype(np.float64),
        len(texts),
    )


def _buckets_of(text: str) -> NDArray[np.int64]:
    words = words_of(text)
    pairs = (f"{one} {other}" for one, other in pairwise(words))
    return np.array([*map(_bucket_of, words), *map(_bucket_of, pairs)], dtype=np.int64)


@lru_cache(maxsize=100_000)
def _bucket_of(words: str) -> int:
    return zlib.crc32(words.encode()) % N_BUCKETS


@dataclass(frozen=True, slots=True)
class TextTable:
    """A feature of texts: a linear score of the words of each text, or one for each class.

    Parameters
    ----------
    name
        The feature.
    idf
        The weight of each bucket. Shape (buckets,).
    weights, intercept
        What each bucket adds to the scores, and their start. Shape (buckets, columns) and (columns,). A
        missing text has no words.
    columns
        The columns of the matrix. Shape (columns,).
    """

    name: str
    idf: Floats
    weights: Floats
    intercept: Floats
    columns: NDArray[np.int64]

    def lookup(self, cells: Mapping[str, Cells]) -> tuple[Floats, NDArray[np.intp]]:
        """Return the numbers of each distinct text, the last ones those of a missing text, and the places."""
        column = cells[self.name]
        assert isinstance(column, Categories)  # noqa: S101  the schema says so
        rows = text_scores([*map(str, column.values), ""], self.idf, self.weights, self.intercept)
        places = np.append(np.arange(len(column.values)), len(column.values)).astype(np.intp)
        taken: NDArray[np.intp] = places[column.codes]  # the code of a missing value is -1, the last
        return rows, taken


def text_scores(texts: Sequence[str], idf: Floats, weights: Floats, intercept: Floats) -> Floats:
    """Return the scores of texts, shape (texts, columns).

    The words of a text are added up in the same order, whatever other texts there are.
    """
    hashed = hash_texts(texts)
    of_entries = hashed.tf_idf(idf)
    sums = [
        np.bincount(hashed.text, of_entries * column[hashed.bucket], minlength=len(texts))
        for column in weights.T
    ]
    return np.column_stack(sums) + intercept
