"""An ensemble of trees as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAF = -1
# the ranks among them fit into a byte, beside one for "missing"
MAX_THRESHOLDS = 254


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
        What a leaf adds: to each output, shape (nodes, outputs), or to the output of its tree, (nodes, 1). At
        an inner node the mean over the training rows that came there.
    roots
        The position of the first node of each tree. Shape (trees,).
    output
        The output of each tree whose leaves have one number. Shape (trees,).
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

    def leaves(self, matrix: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return the leaf of each row in each tree, counted from the tree's root, shape (rows, trees)."""
        return np.column_stack([self._leaves(root, matrix) - root for root in self.roots.tolist()])

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
