"""An ensemble of trees as arrays: summed by XGBoost's predictor, and exactly where a decision is close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.booster import Booster
from mlops.pipelines.compiled.encoding import Cells, Encoding, n_rows

LEAF = -1
# ranks fit into a byte: 255 means "missing"
MAX_THRESHOLDS = 254
_MISSING_RANK = 255


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees one after the other.

    Parameters
    ----------
    feature
        The column that a node looks at, `LEAF` at a leaf. Shape (nodes,).
    threshold
        A row goes left when its value is at most this. Shape (nodes,).
    left
        The position of the left child; the right one is next to it, as XGBoost's predictor expects. Shape
        (nodes,).
    is_missing_left
        Where a missing value goes. Shape (nodes,).
    value
        What a leaf adds: to each output, shape (nodes, outputs), or to the output of its tree, (nodes, 1).
    roots
        The position of the first node of each tree. Shape (trees,).
    output
        The output of each tree whose leaves hold one number. Shape (trees,).
    n_outputs
        How many numbers a row gets.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    is_missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    output: NDArray[np.int32]
    n_outputs: int

    def sums(self, matrix: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the exact sums over all trees, shape (rows, outputs), tree by tree in 64 bits.

        It walks all rows down a tree together, which is slow beside the compiled predictor.
        """
        sums = np.zeros((len(matrix), self.n_outputs))
        for root, output in zip(self.roots.tolist(), self.output.tolist(), strict=True):
            leaves = self._leaves(root, matrix)
            if self.value.shape[1] == 1:
                sums[:, output] += self.value[leaves, 0]
            else:
                sums += self.value[leaves]
        return sums

    def centred(self) -> tuple[Trees, NDArray[np.float64]]:
        """Return the trees with the mean of all leaves taken off, and that mean, shape (outputs,).

        Sums in 32 bits are more exact around 0.
        """
        leaves = self.value[self.feature == LEAF]
        return replace(self, value=self.value - leaves.mean(axis=0)), leaves.mean(axis=0)

    def thresholds_of(self, column: int) -> NDArray[np.float64]:
        """Return the distinct thresholds on a column, rising."""
        return np.unique(self.threshold[self.feature == column])

    def slices(self) -> list[slice]:
        """Return the nodes of each tree."""
        return [slice(start, end) for start, end in pairwise([*self.roots.tolist(), len(self.feature)])]

    def _leaves(self, root: int, matrix: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
        position = np.full(len(matrix), root, dtype=np.intp)
        walking = np.flatnonzero(self.feature[position] != LEAF)
        while len(walking):
            nodes = position[walking]
            values = matrix[walking, self.feature[nodes]]
            goes_left = np.where(
                np.isnan(values), self.is_missing_left[nodes], values <= self.threshold[nodes]
            )
            position[walking] = self.left[nodes] + ~goes_left
            walking = walking[self.feature[position[walking]] != LEAF]
        return position


@dataclass(frozen=True)
class TreeModel:
    """Trees over encoded features, their compiled form, and how their sums become the raw output.

    Parameters
    ----------
    encoding
        Of the columns that the trees look at.
    trees
        The arrays, from which close decisions are summed again.
    booster
        The same trees for XGBoost's predictor, which adds up in 32 bits.
    factor, base
        The raw output is `base + factor * sum`; `base` has the shape (outputs,).
    is_ranked
        Whether the booster takes ranks among the thresholds instead of values. Trees that compare in 64 bits
        need it, since XGBoost compares in 32.
    """

    encoding: Encoding
    trees: Trees
    booster: Booster
    factor: float
    base: NDArray[np.float64]
    is_ranked: bool

    def raw(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the sums in 32 bits, shape (rows, outputs)."""
        if self.is_ranked:
            sums = self.booster.predict(self._ranks(cells), missing=_MISSING_RANK, is_raw=True)
        else:
            sums = self.booster.predict(self.encoding.matrix(cells, np.float32), is_raw=True)
        return self.base + self.factor * sums.astype(np.float64)

    def exact(self, cells: Mapping[str, Cells]) -> NDArray[np.float64]:
        """Return the sums in 64 bits, shape (rows, outputs)."""
        matrix = self.encoding.matrix(cells, np.float64 if self.is_ranked else np.float32)
        return self.base + self.factor * self.trees.sums(matrix)

    def _ranks(self, cells: Mapping[str, Cells]) -> NDArray[np.uint8]:
        """Return how many thresholds of its column are below each value: `value <= t[k]` is `rank <= k`."""
        encoding = self.encoding
        ranks = np.empty((n_rows(cells), encoding.n_columns), dtype=np.uint8)
        if encoding.numbers is not None:
            for column, values in encoding.numbers.values(cells):
                ranks[:, column] = _ranks_among(self._thresholds[column], values)
        for table, of_category in zip(encoding.tables, self._ranked_tables, strict=True):
            ranks[:, table.columns] = of_category[table.places(cells)]
        return ranks

    @cached_property
    def _thresholds(self) -> list[NDArray[np.float64]]:
        return [self.trees.thresholds_of(column) for column in range(self.encoding.n_columns)]

    @cached_property
    def _ranked_tables(self) -> list[NDArray[np.uint8]]:
        return [
            np.column_stack(
                [
                    _ranks_among(self._thresholds[column], values)
                    for column, values in zip(table.columns.tolist(), table.rows.T, strict=True)
                ]
            )
            for table in self.encoding.tables
        ]


def _ranks_among(thresholds: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.uint8]:
    ranks = np.searchsorted(thresholds, values, side="left").astype(np.uint8)
    ranks[np.isnan(values)] = _MISSING_RANK
    return ranks
